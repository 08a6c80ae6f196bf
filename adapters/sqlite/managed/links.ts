import type { ChildRecord } from '../../../src/backend/adapter.js';
import { isChildRecord } from '../../../src/backend/record.js';
import { type Comparison, keyOf } from '../../../src/scim/comparison.js';
import { decodeValue, encodeValue } from './document.js';
import type { Value } from './values.js';

export interface LinkRow {
  readonly key: string;
  /** JSON of what the key does not say: the child's other fields, and the value itself where it differs from its key. */
  readonly rest: string;
}

type Shape = { readonly child?: string | undefined; readonly comparison: Comparison };

/** In `rest`, the value of a field that holds plain values. */
const plainValue = '';

/** @returns undefined when the value refers to nothing */
export function linkKeyOf({ child, comparison }: Shape, value: Value): string | undefined {
  const reference = child !== undefined && isChildRecord(value) ? value[child] : value;
  const key = keyOf(comparison, reference);
  return typeof key === 'string' ? key : undefined;
}

/** @returns undefined when the value refers to nothing */
export function linkRowOf(shape: Shape, value: Value): LinkRow | undefined {
  const key = linkKeyOf(shape, value);
  if (key === undefined) return undefined;
  const own = shape.child ?? plainValue;
  const rest: Record<string, unknown> = isChildRecord(value) ? { ...value } : { [own]: value };
  if (rest[own] === key) delete rest[own];
  return { key, rest: Object.keys(rest).length === 0 ? '' : JSON.stringify(encodeValue(rest as ChildRecord)) };
}

/** The value that the row was made from. */
export function valueOfLink({ child }: Shape, key: string, rest: string): Value {
  if (rest === '') return child === undefined ? key : { [child]: key };
  const others = parseRest(rest);
  if (child === undefined) return others[plainValue] ?? key;
  return { [child]: key, ...others } satisfies ChildRecord;
}

/** The members of a group mostly have the same to say but for their ids. */
let lastRest: { readonly text: string; readonly value: ChildRecord } | undefined;

function parseRest(text: string): ChildRecord {
  if (lastRest?.text === text) return lastRest.value;
  const parsed: ChildRecord = JSON.parse(text);
  const value = text.includes('{"$') ? (decodeValue(parsed) as ChildRecord) : parsed;
  lastRest = { text, value };
  return value;
}

/** The comparison key of a child's other field, from the row's `rest`. */
export function restKey(rest: string, name: string, comparison: Comparison): string | number | null {
  if (rest === '') return null;
  const key = keyOf(comparison, (JSON.parse(rest) as Record<string, unknown>)[name]);
  return typeof key === 'boolean' ? Number(key) : (key ?? null);
}
