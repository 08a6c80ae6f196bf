import type { BackendRecord, Change, ChildRecord, Scalar } from '../backend/adapter.js';
import { isChildRecord, valuesOf } from '../backend/record.js';
import type { FieldValues } from './write.js';

/**
 * The changes that turn a record's fields into the desired values: a single value is set, of many only the difference is
 * added and removed, so that what others add at the same time stays.
 */
export function diffFields(current: BackendRecord, desired: ReadonlyMap<string, FieldValues>): readonly Change[] {
  return [...desired].flatMap(([field, values]) => diffField(field, valuesOf(current[field]), values));
}

function diffField(field: string, current: FieldValues, desired: FieldValues): readonly Change[] {
  const before = keyed(current);
  const after = keyed(desired);
  const added = [...after].filter(([key]) => !before.has(key)).map(([, value]) => value);
  const removed = [...before].filter(([key]) => !after.has(key)).map(([, value]) => value);
  if (added.length === 0 && removed.length === 0) return [];
  if (before.size <= 1 && after.size <= 1) return [{ op: 'set', field, values: desired }];
  const changes: Change[] = [];
  if (removed.length > 0) changes.push({ op: 'remove', field, values: removed as FieldValues });
  if (added.length > 0) changes.push({ op: 'add', field, values: added as FieldValues });
  return changes;
}

function keyed(values: FieldValues): ReadonlyMap<string, Scalar | ChildRecord> {
  return new Map((values as readonly (Scalar | ChildRecord)[]).map((value) => [valueKey(value), value]));
}

/** Text that is equal for equal values, by type too. */
export function valueKey(value: Scalar | ChildRecord): string {
  if (!isChildRecord(value)) return scalarKey(value);
  return Object.keys(value)
    .sort()
    .map((name) => `${name}=${scalarKey(value[name] as Scalar)}`)
    .join('\u0001');
}

function scalarKey(value: Scalar): string {
  if (value instanceof Uint8Array) return `y${Buffer.from(value).toString('base64')}`;
  return `${(typeof value)[0]}${String(value)}`;
}
