import type { ChildRecord, FieldValue, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { isChildRecord } from '../../src/backend/record.js';
import type { ChildPlan, FieldPlan } from './field-plan.js';
import { isList, isObject, type Json, type JsonObject } from './json.js';
import { type Pointer, valueAt, withValueAt } from './pointer.js';
import { decodeScalar, encodeScalar, exactKey, isUnfit, scalarKey } from './scalar.js';

export type Value = Scalar | ChildRecord;

/** A value of a field, with the JSON that it stands in: what the mapping knows nothing of stays there. */
export interface Item {
  readonly value: Value;
  readonly json: Json;
}

/** The values in a field's JSON, each once. */
export function decodeItems(field: FieldPlan, json: Json | undefined): readonly Item[] {
  const elements = isList(json) ? json : json === undefined || json === null ? [] : [json];
  const items = elements.flatMap((element): readonly Item[] => {
    const value = decodeElement(field, element);
    return value === undefined ? [] : [{ value, json: element }];
  });
  if (!field.use.multiple) return items.slice(0, 1);
  return items.length < 2 ? items : distinctItems(field, items);
}

/** One element of a list, or a single value. */
export function decodeElement(field: FieldPlan, json: Json): Value | undefined {
  if (field.type !== 'records') return decodeScalar(field, field.item === undefined ? json : valueAt(json, field.item));
  if (!isObject(json)) return undefined;
  const parts = field.children.flatMap((child) => {
    const value = decodeScalar(child, valueAt(json, child.pointer));
    return value === undefined ? [] : [[child.name, value] as const];
  });
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

/** A new value as JSON. @throws AdapterError `rejected` when the target cannot hold it */
export function encodeItem(field: FieldPlan, value: Value): Item {
  if (field.type === 'records') return encodeChild(field, value, {});
  if (isChildRecord(value)) throw rejected(field, 'It has no parts.');
  const json = encodeScalar(field, value);
  if (isUnfit(json)) throw rejected(field, json.reason);
  return { value, json: field.item === undefined ? json : wrapped(field.item, json) };
}

/** A child record as JSON, in what stood there before. */
export function encodeChild(field: FieldPlan, value: Value, before: Json): Item {
  if (!isChildRecord(value)) throw rejected(field, 'Its values have parts.');
  for (const name of Object.keys(value)) {
    if (!field.children.some((child) => child.name === name)) throw rejected(field, `It has no part "${name}".`);
  }
  let json: Json = isObject(before) ? before : {};
  for (const child of field.children) {
    const part = value[child.name];
    const former = decodeScalar(child, valueAt(json, child.pointer));
    // What stays as it is keeps its own spelling.
    if (part !== undefined && former !== undefined && exactKey(part) === exactKey(former)) continue;
    json = withValueAt(json, child.pointer, part === undefined ? undefined : encodePart(field, child, part)) ?? {};
  }
  return { value, json };
}

function encodePart(field: FieldPlan, child: ChildPlan, part: Scalar): Json {
  const json = encodeScalar(child, part);
  if (isUnfit(json)) throw rejected(field, `Its part "${child.name}": ${json.reason}`);
  return json;
}

function wrapped(pointer: Pointer, json: Json): Json {
  return withValueAt({}, pointer, json) ?? {};
}

/** The values as a record has them: a single one alone, many as a list; undefined for none. */
export function fieldValueOf(field: FieldPlan, values: readonly Value[]): FieldValue | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  return field.use.multiple || isChildRecord(first) ? (values as readonly Scalar[]) : first;
}

/** Items with one key are one element of the field's set: by its comparison, child records by what they refer to. */
export function itemKey(field: FieldPlan, value: Value): string {
  if (!isChildRecord(value)) return scalarKey(field, value);
  const { referring } = field;
  const reference = referring === undefined ? undefined : value[referring.name];
  if (referring !== undefined && reference !== undefined) return scalarKey(referring, reference);
  return keyOfParts(field, value, scalarKey);
}

/** Text that is equal for values that are the same in every character. */
export function sameKey(field: FieldPlan, value: Value): string {
  return isChildRecord(value) ? keyOfParts(field, value, (_, part) => exactKey(part)) : exactKey(value);
}

function keyOfParts(field: FieldPlan, value: ChildRecord, key: (child: ChildPlan, part: Scalar) => string): string {
  return JSON.stringify(
    field.children.flatMap((child) => {
      const part = value[child.name];
      return part === undefined ? [] : [[child.name, key(child, part)]];
    }),
  );
}

export function distinctItems(field: FieldPlan, items: readonly Item[]): readonly Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) {
    const key = itemKey(field, item.value);
    if (!byKey.has(key)) byKey.set(key, item);
  }
  return byKey.size === items.length ? items : [...byKey.values()];
}

/** Whether both hold the same values, in any order. */
export function sameItems(field: FieldPlan, a: readonly Item[], b: readonly Item[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  const known = new Set(a.map(({ value }) => sameKey(field, value)));
  return b.every(({ value }) => known.has(sameKey(field, value)));
}

export function rejected(field: Pick<FieldPlan, 'name'>, reason: string): AdapterError {
  return new AdapterError('rejected', `"${field.name}" was rejected: ${reason}`, { field: field.name, reason });
}

/** Texts of a record or of values that no reason may repeat. */
export function textsIn(values: Iterable<Value | FieldValue>): readonly string[] {
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
      Object.values(value as JsonObject).forEach(visit);
    }
  };
  for (const value of values) visit(value);
  return texts;
}
