import { isList, isObject, type Json } from './json.js';

/** A JSON Pointer (RFC 6901) taken apart; empty for the whole. */
export type Pointer = readonly string[];

/** The text has been checked by the configuration's schema. */
export function parsePointer(text: string): Pointer {
  return text
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function printPointer(pointer: Pointer): string {
  return pointer.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

const indexPattern = /^(0|[1-9]\d{0,8})$/;

/** @returns undefined when there is nothing at the place */
export function valueAt(document: Json | undefined, pointer: Pointer): Json | undefined {
  let value = document;
  for (const token of pointer) {
    if (isList(value)) value = indexPattern.test(token) ? value[Number(token)] : undefined;
    else if (isObject(value) && Object.hasOwn(value, token)) value = value[token];
    else return undefined;
  }
  return value;
}

/**
 * The document with another value at the place, or without one (`undefined`); objects on the way are made. The argument
 * stays as it is.
 */
export function withValueAt(document: Json | undefined, pointer: Pointer, value: Json | undefined): Json | undefined {
  const [token, ...rest] = pointer;
  if (token === undefined) return value;
  if (isList(document)) {
    const index = indexPattern.test(token) ? Number(token) : document.length;
    const inner = withValueAt(document[index], rest, value);
    if (inner === undefined) return document.filter((_, at) => at !== index);
    return index < document.length ? document.with(index, inner) : [...document, inner];
  }
  const object = isObject(document) ? document : {};
  const before = Object.hasOwn(object, token) ? object[token] : undefined;
  // Nothing is to be taken out of what is not there.
  if (value === undefined && before === undefined) return document;
  const inner = withValueAt(before, rest, value);
  const entries = Object.entries(object).filter(([name]) => name !== token);
  if (inner === undefined) return Object.fromEntries(entries);
  if (before === undefined) return Object.fromEntries([...entries, [token, inner]]);
  return Object.fromEntries(Object.entries(object).map(([name, own]) => [name, name === token ? inner : own]));
}
