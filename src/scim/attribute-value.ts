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
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    const rest = [...(b as readonly JsonValue[])];
    return (a as readonly JsonValue[]).every((item) => {
      const index = rest.findIndex((candidate) => deepEqual(item, candidate));
      if (index < 0) return false;
      rest.splice(index, 1);
      return true;
    });
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => deepEqual(a[key] as JsonValue | undefined, b[key] as JsonValue | undefined))
  );
}
