import type { BackendRecord, ChildRecord, FieldValue, Scalar } from './adapter.js';

/** The values of a field as a list; empty when it has none. */
export function valuesOf(value: FieldValue | undefined): readonly Scalar[] | readonly ChildRecord[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Scalar[]) : [value as Scalar];
}

export function scalarsOf(record: BackendRecord, field: string): readonly Scalar[] {
  return valuesOf(record[field]).filter((value): value is Scalar => !isChildRecord(value));
}

export function childrenOf(record: BackendRecord, field: string): readonly ChildRecord[] {
  return valuesOf(record[field]).filter(isChildRecord);
}

export function isChildRecord(value: Scalar | ChildRecord): value is ChildRecord {
  return typeof value === 'object' && !(value instanceof Uint8Array);
}

/** The id that the adapter gave. */
export function idOf(record: BackendRecord): string {
  return String(record.$id);
}
