import type { Change, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { isChildRecord } from '../../src/backend/record.js';
import { fold, keyOf } from '../../src/scim/comparison.js';
import { comparisonOf } from './capabilities.js';
import type { AttributeValue, Entry, Modification } from './directory.js';
import { normalizeDn as dnKey } from './dn.js';
import { type EntityPlan, type FieldPlan, fieldOf, isLarge } from './entity-plan.js';
import { decodeValue, encodeValue } from './values.js';

/** Changes with values as they stand in the directory, in their order. */
export interface EncodedChange {
  readonly op: 'set' | 'add' | 'remove';
  readonly field: FieldPlan;
  readonly values: readonly AttributeValue[];
}

/** Values to add to and to take out of a field of which nothing was read. */
export interface BlindChange {
  readonly field: FieldPlan;
  readonly add: readonly AttributeValue[];
  readonly remove: readonly AttributeValue[];
}

export interface SplitChanges {
  /** On fields whose values are read first. */
  readonly local: readonly EncodedChange[];
  /** Added and removed by value alone, however many there are. */
  readonly blind: readonly BlindChange[];
}

export type DnOfReference = (field: FieldPlan, id: string) => string | undefined;

/**
 * Checks and encodes changes. Empty texts are no values here, and ids that name nothing are left out.
 * @throws AdapterError `rejected` for a field that is not written or a value of the wrong type, `unsupported` for an unknown field
 */
export function encodeChanges(
  plan: EntityPlan,
  changes: readonly Change[],
  dnOf: DnOfReference,
): readonly EncodedChange[] {
  return changes.map((change) => {
    const field = writableField(plan, change.field);
    if (change.op === 'updateWhere' || change.op === 'removeWhere') {
      throw new AdapterError('unsupported', `"${field.name}" holds no child records.`, { field: field.name });
    }
    return { op: change.op, field, values: encodeValues(field, change.values as readonly Scalar[], dnOf) };
  });
}

export function encodeValues(
  field: FieldPlan,
  values: readonly Scalar[],
  dnOf: DnOfReference,
): readonly AttributeValue[] {
  const encoded = values.flatMap((value): readonly AttributeValue[] => {
    if (value === '') return [];
    if (isChildRecord(value)) throw new AdapterError('unsupported', `"${field.name}" holds no child records.`);
    const own = encodeValue(field, value);
    if (field.form !== 'reference') return [own];
    const dn = dnOf(field, String(own));
    return dn === undefined ? [] : [dn];
  });
  return distinct(field, encoded);
}

export function writableField(plan: EntityPlan, name: string): FieldPlan {
  const field = fieldOf(plan, name);
  if (field.isWritable) return field;
  throw new AdapterError('rejected', `"${name}" cannot be written.`, {
    field: name,
    reason: 'The directory keeps this attribute itself, or it is read-only here.',
  });
}

/** References that are only added to and removed from are never read: a group may have a hundred thousand. */
export function splitChanges(changes: readonly EncodedChange[]): SplitChanges {
  const isLocal = new Set(changes.filter(({ op, field }) => op === 'set' || !isLarge(field)).map(({ field }) => field));
  const blind = new Map<FieldPlan, Map<string, { readonly value: AttributeValue; readonly isAdded: boolean }>>();
  for (const { op, field, values } of changes) {
    if (isLocal.has(field)) continue;
    const last = blind.get(field) ?? new Map();
    blind.set(field, last);
    for (const value of values) last.set(serverKey(field, value), { value, isAdded: op === 'add' });
  }
  return {
    local: changes.filter(({ field }) => isLocal.has(field)),
    blind: [...blind].map(([field, last]) => ({
      field,
      add: [...last.values()].flatMap(({ value, isAdded }) => (isAdded ? [value] : [])),
      remove: [...last.values()].flatMap(({ value, isAdded }) => (isAdded ? [] : [value])),
    })),
  };
}

/** What changes in one attribute. */
export interface AttributeChange {
  readonly field: FieldPlan;
  readonly before: readonly AttributeValue[];
  readonly after: readonly AttributeValue[];
  /** Beside the values the attribute holds the one that stands for nobody, which stays. */
  readonly holdsNobody: boolean;
}

/** The attributes that the changes give other values than the entry has. */
export function attributeChanges(
  changes: readonly EncodedChange[],
  current: Entry,
  placeholder: string | undefined,
): readonly AttributeChange[] {
  const now = new Map<FieldPlan, readonly AttributeValue[]>();
  const before = (field: FieldPlan): readonly AttributeValue[] => withoutPlaceholder(field, current, placeholder);
  for (const change of changes) {
    const values = now.get(change.field) ?? before(change.field);
    now.set(change.field, applyChange(change, values));
  }
  return [...now].flatMap(([field, after]) => {
    const old = before(field);
    const [was, is] = [old.map(rawKey), after.map(rawKey)];
    const isSame = was.length === is.length && is.every((key) => was.includes(key));
    const holdsNobody = old.length < (current.attributes.get(field.key)?.length ?? 0);
    return isSame ? [] : [{ field, before: old, after, holdsNobody }];
  });
}

function withoutPlaceholder(field: FieldPlan, entry: Entry, placeholder: string | undefined) {
  const values = entry.attributes.get(field.key) ?? [];
  if (placeholder === undefined || (field.form !== 'reference' && field.form !== 'dn')) return values;
  return values.filter((value) => dnKey(String(value)) !== dnKey(placeholder));
}

function applyChange({ op, field, values }: EncodedChange, before: readonly AttributeValue[]) {
  switch (op) {
    case 'set':
      if (values.length > 1 && (field.isSingle || !field.use.multiple)) throw onlyOne(field);
      return values;
    case 'add': {
      const known = new Set(before.map((value) => ownKey(field, value)));
      const missing = values.filter((value) => !known.has(ownKey(field, value)));
      if (missing.length === 0) return before;
      const after = distinct(field, [...before, ...missing]);
      if (after.length > 1 && (field.isSingle || !field.use.multiple)) throw onlyOne(field);
      return after.length === before.length ? before : after;
    }
    case 'remove': {
      const gone = new Set(values.map((value) => ownKey(field, value)));
      return before.filter((value) => !gone.has(ownKey(field, value)));
    }
  }
}

function onlyOne({ name }: FieldPlan): AdapterError {
  return new AdapterError('rejected', `"${name}" can hold one value only.`, {
    field: name,
    reason: 'It can hold one value only.',
  });
}

/**
 * The attribute's change as values taken out and put in, which fails where somebody else was faster; as a whole only
 * where the attribute has no rule by which a value could be named.
 */
export function modificationsFor({ field, before, after }: AttributeChange): readonly Modification[] {
  const name = field.attribute;
  const hasRule = field.type?.equality !== undefined || field.type?.syntax === undefined;
  if (!hasRule) return [{ op: 'replace', name, values: after }];
  const [was, is] = [new Set(before.map(rawKey)), new Set(after.map(rawKey))];
  const gone = before.filter((value) => !is.has(rawKey(value)));
  const come = after.filter((value) => !was.has(rawKey(value)));
  return [
    ...(gone.length === 0 ? [] : [{ op: 'delete', name, values: gone } as const]),
    ...(come.length === 0 ? [] : [{ op: 'add', name, values: come } as const]),
  ];
}

/** Values that the server takes for one are kept once: a second one would be refused (code 20). */
export function distinct(field: FieldPlan, values: readonly AttributeValue[]): readonly AttributeValue[] {
  if (values.length < 2) return values;
  const seen = new Map<string, AttributeValue>();
  for (const value of values) if (!seen.has(serverKey(field, value))) seen.set(serverKey(field, value), value);
  return [...seen.values()];
}

/** What the server's equality rule compares by, as far as it matters for telling values apart. */
export function serverKey(field: FieldPlan, value: AttributeValue): string {
  if (typeof value !== 'string') return rawKey(value);
  if (field.form === 'reference' || field.form === 'dn') return dnKey(value);
  const rule = field.type?.equality?.toLowerCase() ?? '';
  const squeezed = rule.includes('ignore') || rule.includes('exact') ? value.trim().replaceAll(/ +/g, ' ') : value;
  return rule.includes('caseignore') || field.type?.equality === undefined ? fold(squeezed) : squeezed;
}

/** What the mapping compares by. */
function ownKey(field: FieldPlan, value: AttributeValue): string {
  if (field.form === 'reference' || field.form === 'dn') return dnKey(String(value));
  const scalar = decodeValue(field, value);
  if (scalar instanceof Uint8Array || scalar === undefined) return rawKey(value);
  return String(keyOf(comparisonOf(field), scalar) ?? scalar);
}

function rawKey(value: AttributeValue): string {
  return typeof value === 'string' ? value : `\0${Buffer.from(value).toString('base64')}`;
}
