import type { Change, ChildRecord, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { compileChildCondition } from '../../src/backend/condition.js';
import { isChildRecord } from '../../src/backend/record.js';
import { keyOf } from '../../src/scim/comparison.js';
import type { FieldPlan } from './field-plan.js';
import type { ScalarPlan } from './scalar-plan.js';
import { rejected } from './stored-scalar.js';

export type Value = Scalar | ChildRecord;

/** A value of a field, with what it was read from where more than the value is to be kept. */
export interface Element {
  readonly value: Value;
  readonly json?: unknown;
}

/** The field's values as a set, by its comparison. */
export interface ValueSet {
  readonly name: string;
  readonly isRecords: boolean;
  readonly isMultiple: boolean;
  /** The one entry `''` for simple values. */
  readonly parts: ReadonlyMap<string, ScalarPlan>;
  /** The part of child records that names another record: it alone tells them apart. */
  readonly referring?: string;
}

export function valueSetOf(field: FieldPlan): ValueSet {
  const { name, use } = field;
  if (field.kind === 'column' || field.kind === 'json') {
    return { name, isRecords: false, isMultiple: false, parts: new Map([['', field.scalar]]) };
  }
  const referring = use.children?.find((child) => child.reference !== undefined)?.name;
  const set = { name, isRecords: field.isRecords, isMultiple: use.multiple, parts: field.parts };
  return referring === undefined ? set : { ...set, referring };
}

/** The elements after one change; the same array when it changes nothing. @throws AdapterError rejected */
export function applyToElements(set: ValueSet, before: readonly Element[], change: Change): readonly Element[] {
  const after = changed(set, before, change);
  if (!set.isMultiple && after.length > 1) {
    const isFull = change.op === 'add' && before.length > 0;
    throw rejected(
      set.name,
      isFull ? 'It holds a value already and can hold one only.' : 'It can hold one value only.',
    );
  }
  return after.length === before.length && after.every((element, index) => element === before[index]) ? before : after;
}

/** Values as they can be stored: checked, without repetitions, and without empty ones. @throws AdapterError rejected */
export function acceptValues(set: ValueSet, values: readonly Value[]): readonly Value[] {
  const byKey = new Map<string, Value>();
  for (const given of values) {
    const value = isChildRecord(given) ? acceptChild(set, given) : acceptSimple(set, given);
    if (value === undefined) continue;
    const key = keyOfValue(set, value);
    if (!byKey.has(key)) byKey.set(key, value);
  }
  return [...byKey.values()];
}

/** The child after an `updateWhere`; undefined when nothing of it is left. @throws AdapterError rejected */
export function withParts(
  set: ValueSet,
  child: ChildRecord,
  parts: Readonly<Record<string, Scalar | null>>,
): ChildRecord | undefined {
  const next: Record<string, Scalar> = { ...child };
  for (const [name, scalar] of Object.entries(parts)) {
    if (scalar === null) delete next[name];
    else next[name] = scalar;
  }
  return acceptChild(set, next);
}

/** Values with one key are one element of the set, by the field's comparison. */
export function keyOfValue(set: ValueSet, value: Value): string {
  if (!isChildRecord(value)) return partKey(set.parts.get(''), value);
  const names = tellingParts(set, value);
  return JSON.stringify(names.map((name) => [name, partKey(set.parts.get(name), value[name] ?? '')]));
}

/** The names of the parts by which a child record is told from others. */
export function tellingParts(set: ValueSet, child: ChildRecord): readonly string[] {
  const { referring } = set;
  return referring !== undefined && child[referring] !== undefined ? [referring] : Object.keys(child).sort();
}

/** Equal only for values that are the same in every character. */
export function identityOf(value: Value): string {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`;
  if (isChildRecord(value)) {
    const names = Object.keys(value).sort();
    return JSON.stringify(names.map((name) => [name, identityOf(value[name] ?? '')]));
  }
  return typeof value === 'bigint' ? `number:${value}` : `${typeof value}:${value}`;
}

export function sameElements(a: readonly Element[], b: readonly Element[]): boolean {
  if (a === b) return true;
  const known = new Set(a.map(({ value }) => identityOf(value)));
  return a.length === b.length && b.every(({ value }) => known.has(identityOf(value)));
}

/**
 * Of adds and removes of one and the same value in a row, the last one counts. What is added and taken back in one
 * update then leaves the record, and its revision, as they were.
 */
export function foldChanges(changes: readonly Change[]): readonly Change[] {
  const later = new Map<string, Set<string>>();
  const folded: Change[] = [];
  for (const change of [...changes].reverse()) {
    if (change.op !== 'add' && change.op !== 'remove') {
      later.delete(change.field);
      folded.push(change);
      continue;
    }
    const seen = later.get(change.field) ?? new Set();
    later.set(change.field, seen);
    const values = (change.values as readonly Value[]).filter((value) => !seen.has(identityOf(value)));
    for (const value of values) seen.add(identityOf(value));
    if (values.length > 0) folded.push({ ...change, values: values as readonly Scalar[] });
  }
  return folded.reverse();
}

function changed(set: ValueSet, before: readonly Element[], change: Change): readonly Element[] {
  const keyed = new Map(before.map((element) => [keyOfValue(set, element.value), element]));
  switch (change.op) {
    case 'set':
      return acceptValues(set, change.values).map((value) => {
        const known = keyed.get(keyOfValue(set, value));
        if (known === undefined) return { value };
        return identityOf(known.value) === identityOf(value) ? known : { ...known, value };
      });
    case 'add': {
      const missing = acceptValues(set, change.values).filter((value) => !keyed.has(keyOfValue(set, value)));
      return [...before, ...missing.map((value) => ({ value }))];
    }
    case 'remove': {
      const gone = new Set((change.values as readonly Value[]).map((value) => keyOfValue(set, value)));
      return before.filter(({ value }) => !gone.has(keyOfValue(set, value)));
    }
    case 'removeWhere': {
      const matches = childMatcher(set, change);
      return before.filter(({ value }) => !matches(value));
    }
    case 'updateWhere': {
      const matches = childMatcher(set, change);
      const seen = new Set<string>();
      return before.flatMap((element) => {
        const value = matches(element.value) ? withParts(set, element.value as ChildRecord, change.set) : element.value;
        const key = value === undefined ? '' : keyOfValue(set, value);
        if (value === undefined || seen.has(key)) return [];
        seen.add(key);
        return [identityOf(value) === identityOf(element.value) ? element : { ...element, value }];
      });
    }
  }
}

function childMatcher(set: ValueSet, change: Extract<Change, { op: 'updateWhere' | 'removeWhere' }>) {
  if (!set.isRecords)
    throw new AdapterError('unsupported', `"${set.name}" holds no child records.`, { field: set.name });
  const matches = compileChildCondition(change.where, (part) => {
    const scalar = set.parts.get(part);
    if (scalar !== undefined) return scalar.comparison;
    throw new AdapterError('unsupported', `"${set.name}" has no part "${part}".`, { field: set.name });
  });
  return (value: Value): boolean => isChildRecord(value) && matches(value);
}

function acceptSimple(set: ValueSet, value: Scalar): Scalar | undefined {
  const scalar = set.parts.get('');
  if (scalar === undefined || set.isRecords) throw rejected(set.name, 'Its values must be child records.');
  return accept(scalar, value);
}

function acceptChild(set: ValueSet, child: ChildRecord): ChildRecord | undefined {
  if (!set.isRecords) throw rejected(set.name, 'Its values must be simple.');
  const accepted: Record<string, Scalar> = {};
  for (const [name, value] of Object.entries(child)) {
    const scalar = set.parts.get(name);
    if (scalar === undefined) throw rejected(set.name, `It has no part "${name}".`);
    const part = accept(scalar, value);
    if (part !== undefined) accepted[name] = part;
  }
  return Object.keys(accepted).length === 0 ? undefined : accepted;
}

/** What the value will be read as. */
function accept(scalar: ScalarPlan, value: Scalar): Scalar | undefined {
  const stored = scalar.encode(value);
  if (stored === null) return undefined;
  return scalar.type === 'instant' ? scalar.decode(stored) : value;
}

function partKey(scalar: ScalarPlan | undefined, value: Scalar): string {
  return identityOf((scalar === undefined ? undefined : keyOf(scalar.comparison, value)) ?? value);
}
