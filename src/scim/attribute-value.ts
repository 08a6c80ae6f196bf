import { type Attribute, isObject, type JsonValue, type MutableResource, type Resource } from './schema.js';

/** An element of a multi-valued complex attribute, or the value of a single complex one. */
export type ComplexValue = { readonly [sub: string]: JsonValue };

/** The attribute's value in a resource's JSON, under its extension's URN where it has one. */
export function readAttribute(resource: Resource, attribute: Attribute): JsonValue | undefined {
  if (!attribute.inExtension || attribute.schema === undefined) return resource[attribute.name];
  const extension = resource[attribute.schema];
  return isObject(extension) ? (extension[attribute.name] as JsonValue | undefined) : undefined;
}

/** Sets the attribute in a resource under construction; undefined takes it away, and the extension with its last one. */
export function writeAttribute(resource: MutableResource, attribute: Attribute, value: JsonValue | undefined): void {
  if (!attribute.inExtension || attribute.schema === undefined) {
    if (value === undefined) delete resource[attribute.name];
    else resource[attribute.name] = value;
    return;
  }
  const present = resource[attribute.schema];
  // Not by spreading: a property that is added to a spread copy costs a hidden class each time.
  const extension: MutableResource = isObject(present) ? Object.assign({}, present) : {};
  if (value === undefined) delete extension[attribute.name];
  else extension[attribute.name] = value;
  if (Object.keys(extension).length === 0) delete resource[attribute.schema];
  else resource[attribute.schema] = extension;
}

export function asComplex(value: JsonValue | undefined): ComplexValue {
  return isObject(value) ? (value as ComplexValue) : {};
}

/** Equality of JSON values; the order of an object's keys and of a list's elements carries no meaning. */
export function deepEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return haveSameItems(a as readonly JsonValue[], b as readonly JsonValue[]);
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => deepEqual(a[key] as JsonValue | undefined, b[key] as JsonValue | undefined))
  );
}

/** Mostly they stand in the same order; else each is put into words, so that long lists are not compared pair by pair. */
function haveSameItems(a: readonly JsonValue[], b: readonly JsonValue[]): boolean {
  if (a.length !== b.length) return false;
  let start = 0;
  while (start < a.length && deepEqual(a[start], b[start])) start++;
  if (start === a.length) return true;
  const counts = new Map<string, number>();
  for (let at = start; at < a.length; at++) {
    const text = canonicalText(a[at]);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  for (let at = start; at < b.length; at++) {
    const text = canonicalText(b[at]);
    const count = counts.get(text) ?? 0;
    if (count === 0) return false;
    counts.set(text, count - 1);
  }
  return true;
}

/** A text that is equal for values that are equal (`deepEqual`), and for no others: to look them up in long lists. */
export function canonicalText(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(canonicalText).sort().join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'undefined';
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalText(value[name] as JsonValue | undefined)}`).join()}}`;
}
