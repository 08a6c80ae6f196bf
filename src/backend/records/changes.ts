import { type Comparison, instantKey, keyOf } from '../../scim/comparison.js';
import type { BackendRecord, Change, ChildRecord, Condition, FieldUse, FieldValue, Scalar } from '../adapter.js';
import { AdapterError } from '../adapter-error.js';
import { compileChildCondition } from '../condition.js';
import { isChildRecord, valuesOf } from '../record.js';
import { type EntityPlan, unknownField } from './entity.js';

type Value = Scalar | ChildRecord;

/** The record after the changes, in their order; the same object when they change nothing. Neither argument is modified. */
export function applyChanges(record: BackendRecord, changes: readonly Change[], plan: EntityPlan): BackendRecord {
  const next: Record<string, FieldValue> = { ...record };
  const touched = new Set<string>();
  for (const change of changes) {
    const field = writableField(plan, change.field);
    if (field.name === plan.idField) throw rejected(field, "It is the record's identity and stays as it is.");
    const before: readonly Value[] = valuesOf(next[field.name]);
    const after = applyChange(before, change, field);
    if (after === before) continue;
    touched.add(field.name);
    assign(next, field, after);
  }
  const isChanged = [...touched].some((name) => !sameValues(valuesOf(record[name]), valuesOf(next[name])));
  return isChanged ? next : record;
}

/** Checks a value list against the field's declaration, drops repeated values and copies what could be shared. */
export function acceptValues(field: FieldUse, values: readonly Value[]): readonly Value[] {
  for (const value of values) checkValue(field, value);
  const accepted = values.length < 2 ? values.map(copyValue) : distinct(field, values).map(copyValue);
  if (!field.multiple && accepted.length > 1) throw rejected(field, 'It can hold one value only.');
  return accepted;
}

/** Sets the field in the way that records are given: a single value alone, many as a list, none left out. */
export function assign(record: Record<string, FieldValue>, field: FieldUse, values: readonly Value[]): void {
  const [first] = values;
  if (first === undefined) delete record[field.name];
  else if (field.multiple || isChildRecord(first)) record[field.name] = values as readonly Scalar[];
  else record[field.name] = first;
}

export function writableField(plan: EntityPlan, name: string): FieldUse {
  const field = plan.fields.get(name);
  if (field === undefined) throw unknownField(plan, name);
  if (!field.written || field.inverseOf !== undefined) throw rejected(field, 'It cannot be written.');
  return field;
}

function applyChange(before: readonly Value[], change: Change, field: FieldUse): readonly Value[] {
  switch (change.op) {
    case 'set':
      return acceptValues(field, change.values);
    case 'add':
      return addValues(before, acceptValues({ ...field, multiple: true }, change.values), field);
    case 'remove': {
      const gone = new Set(change.values.map((value) => keyOfValue(field, value)));
      const kept = before.filter((value) => !gone.has(keyOfValue(field, value)));
      return kept.length === before.length ? before : kept;
    }
    case 'removeWhere': {
      const matches = childMatcher(field, change.where);
      return before.filter((value) => !matches(value));
    }
    case 'updateWhere': {
      const matches = childMatcher(field, change.where);
      const rows = before.map((value) => (matches(value) ? withFields(value, change.set) : value));
      return acceptValues(
        field,
        rows.filter((row) => !isChildRecord(row) || Object.keys(row).length > 0),
      );
    }
  }
}

function addValues(before: readonly Value[], values: readonly Value[], field: FieldUse): readonly Value[] {
  const missing = new Map(values.map((value) => [keyOfValue(field, value), value]));
  for (const value of before) missing.delete(keyOfValue(field, value));
  if (missing.size === 0) return before;
  const after = [...before, ...missing.values()];
  if (!field.multiple && after.length > 1) throw rejected(field, 'It holds a value already and can hold one only.');
  return after;
}

function childMatcher(field: FieldUse, where: Condition): (value: Value) => boolean {
  if (field.type !== 'records') throw new AdapterError('unsupported', `"${field.name}" holds no child records.`);
  const comparisons = new Map(field.children?.map((child) => [child.name, child.comparison]));
  const matches = compileChildCondition(where, (name) => {
    const comparison = comparisons.get(name);
    if (comparison === undefined)
      throw new AdapterError('unsupported', `"${field.name}" has no child field "${name}".`);
    return comparison;
  });
  return (value) => isChildRecord(value) && matches(value);
}

function withFields(value: Value, set: Readonly<Record<string, Scalar | null>>): Value {
  const next: Record<string, Scalar> = { ...(value as ChildRecord) };
  for (const [name, scalar] of Object.entries(set)) {
    if (scalar === null) delete next[name];
    else next[name] = scalar;
  }
  return next;
}

function distinct(field: FieldUse, values: readonly Value[]): readonly Value[] {
  const byKey = new Map<string, Value>();
  for (const value of values) {
    const key = keyOfValue(field, value);
    if (!byKey.has(key)) byKey.set(key, value);
  }
  return [...byKey.values()];
}

/** Values with one key are one element of the field's set: by the field's comparison, child records by what they refer to. */
function keyOfValue(field: FieldUse, value: Value): string {
  if (!isChildRecord(value)) return scalarKey(field.comparison, value);
  const referring = field.children?.find((child) => child.reference !== undefined);
  const reference = referring === undefined ? undefined : value[referring.name];
  if (referring !== undefined && reference !== undefined) return scalarKey(referring.comparison, reference);
  const keys = Object.keys(value).sort();
  return JSON.stringify(
    keys.map((name) => {
      const comparison = field.children?.find((child) => child.name === name)?.comparison ?? 'exact';
      return [name, scalarKey(comparison, value[name]!)];
    }),
  );
}

function scalarKey(comparison: Comparison, value: Scalar): string {
  return identityOf(keyOf(comparison, value) ?? value);
}

function sameValues(a: readonly Value[], b: readonly Value[]): boolean {
  if (a.length !== b.length) return false;
  const known = new Set(a.map(identityOf));
  return b.every((value) => known.has(identityOf(value)));
}

/** Equal only for values that are the same in every character. */
function identityOf(value: Value): string {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`;
  if (isChildRecord(value)) {
    const keys = Object.keys(value).sort();
    return JSON.stringify(keys.map((name) => [name, identityOf(value[name]!)]));
  }
  return typeof value === 'bigint' ? `number:${value}` : `${typeof value}:${value}`;
}

function checkValue(field: FieldUse, value: Value): void {
  if (field.type !== 'records') {
    if (!isOfType(field.type, value)) throw rejected(field, `It must be of type ${field.type}.`);
    return;
  }
  if (!isPlainRecord(value)) throw rejected(field, 'Its values must be child records.');
  for (const [name, scalar] of Object.entries(value)) {
    const child = field.children?.find((candidate) => candidate.name === name);
    if (child === undefined) throw rejected(field, `It has no part "${name}".`);
    if (!isOfType(child.type, scalar)) throw rejected(field, `Its part "${name}" must be of type ${child.type}.`);
  }
}

function isPlainRecord(value: unknown): value is ChildRecord {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value);
}

function isOfType(type: FieldUse['type'], value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'bigint' || Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'instant':
      return typeof value === 'string' && instantKey(value) !== undefined;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'records':
      return false;
  }
}

/** Nothing given or taken is shared with what is stored. */
export function copyValue(value: Value): Value {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (!isChildRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, scalar]) => [name, copyValue(scalar) as Scalar]));
}

function rejected(field: FieldUse, reason: string): AdapterError {
  return new AdapterError('rejected', `"${field.name}" was rejected: ${reason}`, { field: field.name, reason });
}
