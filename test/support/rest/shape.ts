import { Refusal } from './http-exchange.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** What a member of a document may be. */
export type Shape =
  | 'text'
  | 'integer'
  | 'boolean'
  /** RFC 3339, in UTC */
  | 'instant'
  | 'base64'
  | { readonly list: Shape }
  | { readonly object: Readonly<Record<string, Shape>> };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A document without members that are null: they mean the same as absent ones.
 * @throws Refusal 422 for a member that the shape does not have, or a value of another type
 */
export function checked(document: unknown, members: Readonly<Record<string, Shape>>, at = ''): JsonObject {
  if (!isObject(document)) throw new Refusal(422, 'type', 'An object is needed.', at);
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(document)) {
    const path = `${at}/${name}`;
    const shape = Object.hasOwn(members, name) ? members[name] : undefined;
    if (shape === undefined) throw new Refusal(422, 'unknown_member', `There is no "${path}".`, path);
    if (value !== null) kept[name] = checkedValue(value, shape, path);
  }
  return kept;
}

function checkedValue(value: Json, shape: Shape, path: string): Json {
  if (typeof shape === 'object') {
    if ('object' in shape) return checked(value, shape.object, path);
    if (!Array.isArray(value)) throw new Refusal(422, 'type', 'A list is needed.', path);
    return (value as readonly Json[]).map((item, index) => checkedValue(item, shape.list, `${path}/${index}`));
  }
  if (!isOf(value, shape)) throw new Refusal(422, 'type', `A value of type ${shape} is needed.`, path);
  return value;
}

function isOf(value: Json, shape: Extract<Shape, string>): boolean {
  switch (shape) {
    case 'text':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'instant':
      return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(value);
    case 'base64':
      return typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value;
  }
}
