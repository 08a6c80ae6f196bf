import { createHash } from 'node:crypto';
import type { FieldUse, Scalar } from '../../../src/backend/adapter.js';
import { isChildRecord, valuesOf } from '../../../src/backend/record.js';
import { keyOf } from '../../../src/scim/comparison.js';
import type { ManagedEntity, RecordsField, ValueField } from './layout.js';
import type { Bindable } from './sql.js';
import { toFieldValue, type Value, type Values } from './values.js';

/** The JSON text of a record's own fields, and the index rows made from it. */
export type Document = Record<string, unknown>;

/** A row of `value` without the record it belongs to. */
export interface IndexRow {
  readonly field: number;
  readonly ord: number;
  readonly key: Bindable;
}

/** JSON has no bytes and no large integers: they are kept as objects, which no other value is. */
type Encoded = { readonly $bytes: string } | { readonly $integer: string };

export function encodeValues(use: FieldUse, values: Values): unknown {
  return toFieldValue(use, needsCoding(use) ? (values.map(encodeValue) as Values) : values);
}

export function decodeValues(use: FieldUse, stored: unknown): Values {
  if (stored === undefined) return [];
  const values = valuesOf(stored as Scalar);
  return needsCoding(use) ? values.map(decodeValue) : values;
}

/** Whether the field's JSON is anything but its values themselves. */
export function needsCoding(use: FieldUse): boolean {
  return use.type === 'bytes' || use.type === 'number' || (use.children?.some(needsCoding) ?? false);
}

export function encodeValue(value: Value): unknown {
  if (typeof value === 'bigint') return { $integer: String(value) } satisfies Encoded;
  if (value instanceof Uint8Array) return { $bytes: base64(value) } satisfies Encoded;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, scalar]) => [name, encodeValue(scalar)]));
}

export function decodeValue(stored: unknown): Value {
  if (typeof stored !== 'object' || stored === null) return stored as Scalar;
  if ('$integer' in stored) return BigInt(String(stored.$integer));
  if ('$bytes' in stored) return Buffer.from(String(stored.$bytes), 'base64');
  return Object.fromEntries(Object.entries(stored).map(([name, part]) => [name, decodeValue(part) as Scalar]));
}

/** The rows by which a field's values are found. */
export function indexRows(field: ValueField | RecordsField, values: Values): readonly IndexRow[] {
  if (field.kind === 'value') {
    return values.map((value, ord) => ({ field: field.id, ord, key: indexKey(field.use, value) }));
  }
  const rows: IndexRow[] = [];
  for (const [ord, child] of values.entries()) {
    if (!isChildRecord(child)) continue;
    let isPresent = 0;
    for (const [name, scalar] of Object.entries(child)) {
      const part = field.children.get(name);
      if (part === undefined) continue;
      const key = indexKey(part.use, scalar);
      if (key !== '') isPresent = 1;
      rows.push({ field: part.id, ord, key });
    }
    rows.push({ field: field.id, ord, key: isPresent });
  }
  return rows;
}

/** All index rows of a document. */
export function indexRowsOf(entity: ManagedEntity, document: Document): readonly IndexRow[] {
  return Object.entries(document).flatMap(([name, stored]) => {
    const field = entity.fields.get(name);
    if (field?.kind !== 'value' && field?.kind !== 'records') return [];
    return indexRows(field, decodeValues(field.use, stored));
  });
}

/** Longer bytes are found by their hash: they are only ever compared for equality. */
const maxBytesKey = 256;

/** What a value is found by; null for one that compares with nothing. */
export function indexKey(use: Pick<FieldUse, 'type' | 'comparison'>, value: unknown): Bindable {
  const text = value instanceof Uint8Array ? base64(value) : value;
  const key = keyOf(use.comparison, text);
  if (key === undefined) return null;
  if (typeof key === 'boolean') return key ? 1 : 0;
  if (use.type === 'bytes' && typeof key === 'string' && key.length > maxBytesKey) {
    return `sha256:${createHash('sha256').update(key).digest('base64')}`;
  }
  return key;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
