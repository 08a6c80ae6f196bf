import { comparisonOf, instantKey, keyOf } from './comparison.js';
import type { Dialect } from './dialect.js';
import { ScimError } from './error.js';
import { type Attribute, isObject, type JsonValue, type MutableResource, subAttribute } from './schema.js';
import { formatProblem, isBase64, isUriReference } from './value-format.js';

export interface ValueOptions {
  /** Refuse values outside `canonicalValues` (RFC 7643 §2.3.1 leaves the choice). */
  readonly enforceCanonical?: boolean;
  /** Told what was left out: unknown and read-only sub-attributes, references without a value. */
  readonly ignored?: (path: string, why: string) => void;
  /** Told each sub-attribute of a single complex attribute that was sent as null, [] or "". */
  readonly cleared?: (sub: Attribute) => void;
}

type JsonObject = { readonly [key: string]: JsonValue };

/**
 * A whole value of an attribute or sub-attribute, as it stands in a body or in a PATCH: checked, with the schema's own
 * names, booleans and shapes put right as far as the dialect tolerates. Strings stay as they were sent.
 * @param where names the place in an error: `emails[0].primary`
 * @returns undefined for "no value": null, [], an object or list with nothing in it, "" where tolerated
 * @throws ScimError 400 invalidValue; invalidSyntax for names that are given twice or, in a strict dialect, unknown
 * @see RFC 7643 §2.3–§2.5
 */
export function parseAttributeValue(
  attribute: Attribute,
  value: unknown,
  dialect: Dialect,
  where: string,
  options: ValueOptions = {},
): JsonValue | undefined {
  if (isUnassigned(value, dialect)) return undefined;
  if (attribute.multiValued) return parseList(attribute, value, dialect, where, options);
  if (Array.isArray(value)) throw invalid(where, 'must be one value, not a list');
  return parseElement(attribute, value, dialect, where, options);
}

/**
 * One element of a multi-valued attribute, or the value of a single one.
 * @returns undefined when there is nothing in it
 * @throws ScimError as `parseAttributeValue`
 */
export function parseElement(
  attribute: Attribute,
  value: unknown,
  dialect: Dialect,
  where: string,
  options: ValueOptions = {},
): JsonValue | undefined {
  if (isUnassigned(value, dialect)) return undefined;
  if (attribute.type !== 'complex') return parseSimple(attribute, value, dialect, where, options);
  if (isObject(value)) return parseObject(attribute, value, dialect, where, options);
  const valueSub = subAttribute(attribute, 'value');
  const tolerance = attribute.multiValued ? 'listShapes' : 'simpleReferences';
  if (valueSub === undefined || typeof value !== 'string' || !dialect.tolerates(tolerance)) {
    throw invalid(where, `must be an object such as ${exampleOf(attribute)}`);
  }
  const parsed = parseSimple(valueSub, value, dialect, where, options);
  return parsed === undefined ? undefined : { [valueSub.name]: parsed };
}

function isUnassigned(value: unknown, dialect: Dialect): boolean {
  if (value === null || value === undefined) return true;
  if (value === '') return dialect.tolerates('emptyStrings');
  return Array.isArray(value) && value.length === 0;
}

function parseList(
  attribute: Attribute,
  value: unknown,
  dialect: Dialect,
  where: string,
  options: ValueOptions,
): readonly JsonValue[] | undefined {
  if (!Array.isArray(value) && !dialect.tolerates('listShapes')) throw invalid(where, 'must be a list');
  const sent: readonly unknown[] = Array.isArray(value) ? value : [value];
  const elements: JsonValue[] = [];
  for (const [index, item] of sent.entries()) {
    const place = Array.isArray(value) ? `${where}[${index}]` : where;
    if (Array.isArray(item)) throw invalid(place, 'must be one value, not a list');
    const element = parseElement(attribute, item, dialect, place, options);
    if (element !== undefined) elements.push(element);
    else if (isReference(attribute)) options.ignored?.(place, 'has no value');
  }
  if (elements.length > 0) return onePrimary(attribute, withoutDuplicates(attribute, elements), where);
  // [{"value": null}] must not empty a group: only [] and null say that there are no members.
  if (isReference(attribute)) throw invalid(where, 'none of its elements has a "value"; send [] to remove all');
  return undefined;
}

function parseObject(
  attribute: Attribute,
  object: { readonly [key: string]: unknown },
  dialect: Dialect,
  where: string,
  options: ValueOptions,
): JsonObject | undefined {
  const result: MutableResource = {};
  for (const key of Object.keys(object)) {
    const sub = attribute.subAttributes.find(({ name }) => name === key) ?? subAttribute(attribute, key);
    if (sub === undefined) {
      leaveOutUnknown(`${where}.${short(key)}`, dialect, options);
      continue;
    }
    const place = `${where}.${sub.name}`;
    if (sub.mutability === 'readOnly') {
      options.ignored?.(place, 'read-only');
      continue;
    }
    if (Object.hasOwn(result, sub.name)) throw ScimError.badRequest('invalidSyntax', `${place}: is given twice.`);
    const parsed = parseAttributeValue(sub, object[key], dialect, place, options);
    if (parsed !== undefined) result[sub.name] = parsed;
    else if (!attribute.multiValued) options.cleared?.(sub);
  }
  // "" is a text to a strict dialect, but nothing's id.
  if (isReference(attribute) && (result.value === undefined || result.value === '')) {
    if (Object.hasOwn(result, '$ref')) throw invalid(where, 'has a "$ref" but no "value", the id of the resource');
    return undefined;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

/** Names that no schema declares: reported and left out, or refused (requirements GAP-17). */
export function leaveOutUnknown(place: string, dialect: Dialect, options: ValueOptions): void {
  if (!dialect.tolerates('unknownAttributes')) {
    throw ScimError.badRequest('invalidSyntax', `${place}: no schema of this resource type declares this attribute.`);
  }
  options.ignored?.(place, 'in no schema');
}

function parseSimple(
  attribute: Attribute,
  value: unknown,
  dialect: Dialect,
  where: string,
  options: ValueOptions,
): string | number | boolean {
  if (typeof value === 'object') {
    const what = attribute.multiValued ? 'each element must be' : 'must be';
    throw invalid(where, `${what} ${nameOf(attribute)}, not ${Array.isArray(value) ? 'a list' : 'an object'}`);
  }
  switch (attribute.type) {
    case 'boolean':
      return parseBoolean(value, dialect, where);
    case 'integer':
    case 'decimal':
      return parseNumber(attribute, value, where);
    default:
      return parseText(attribute, value, dialect, where, options);
  }
}

function parseBoolean(value: unknown, dialect: Dialect, where: string): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && dialect.tolerates('stringBooleans')) {
    // Entra ID sends "True" and "False" for active and primary.
    const word = value.toLowerCase();
    if (word === 'true' || word === 'false') return word === 'true';
  }
  throw invalid(where, `must be true or false${insteadOf(value)}`);
}

function parseNumber(attribute: Attribute, value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw invalid(where, `must be ${nameOf(attribute)}, without quotes`);
  }
  if (attribute.type === 'decimal') return value;
  if (!Number.isInteger(value)) throw invalid(where, `must be an integer`);
  // JSON numbers beyond 2^53 have already lost digits; storing one would change it silently.
  if (!Number.isSafeInteger(value)) throw invalid(where, 'must be an integer between -(2^53 - 1) and 2^53 - 1');
  return value;
}

function parseText(
  attribute: Attribute,
  value: unknown,
  dialect: Dialect,
  where: string,
  options: ValueOptions,
): string {
  if (typeof value !== 'string') {
    throw invalid(where, typeof value === 'object' ? 'must be a string' : 'must be a string; put it in quotes');
  }
  const wanted = textProblem(attribute, value, dialect);
  if (wanted !== undefined) throw invalid(where, `must be ${wanted}`);
  if (options.enforceCanonical === true && !isCanonical(attribute, value)) {
    throw invalid(where, `must be one of ${attribute.canonicalValues?.join(', ')}`);
  }
  return value;
}

/** What the text should be and is not; completes "must be …". */
function textProblem(attribute: Attribute, text: string, dialect: Dialect): string | undefined {
  const isFree = dialect.tolerates('freeText');
  switch (attribute.type) {
    case 'dateTime':
      return instantKey(text) === undefined ? 'a date and time such as "2026-01-31T08:00:00Z"' : undefined;
    case 'binary':
      return isBase64(text) ? undefined : 'base64 (RFC 4648 section 4)';
    case 'reference':
      return (isFree && isExternal(attribute)) || isUriReference(text)
        ? undefined
        : 'a URI without spaces, absolute or relative';
    default:
      return isFree ? undefined : formatProblem(attribute, text);
  }
}

/** References that only people follow (profileUrl, photos): what identity providers put there is free text. */
function isExternal(attribute: Attribute): boolean {
  return attribute.referenceTypes === undefined || attribute.referenceTypes.includes('external');
}

function isCanonical(attribute: Attribute, text: string): boolean {
  const allowed = attribute.canonicalValues;
  if (allowed === undefined || allowed.length === 0) return true;
  const comparison = comparisonOf(attribute);
  const key = keyOf(comparison, text);
  return allowed.some((candidate) => keyOf(comparison, candidate) === key);
}

/** Complex attributes whose elements name other resources: `members`, `manager`. */
function isReference(attribute: Attribute): boolean {
  const { subAttributes } = attribute;
  return subAttributes.some(({ name }) => name === '$ref') && subAttributes.some(({ name }) => name === 'value');
}

/**
 * Each (type, value) pair once; of references each value once. What a repetition adds to its first is kept.
 * @see RFC 7643 §2.4
 */
export function withoutDuplicates(attribute: Attribute, elements: readonly JsonValue[]): readonly JsonValue[] {
  if (elements.length < 2) return elements;
  const identity = identityOf(attribute);
  const unique = new Map<string, JsonValue>();
  for (const element of elements) {
    const key = identity(element);
    const first = unique.get(key);
    if (first === undefined) unique.set(key, element);
    else if (isObject(first)) unique.set(key, merged(first, element as JsonObject));
  }
  return unique.size === elements.length ? elements : [...unique.values()];
}

function merged(first: JsonObject, again: JsonObject): JsonObject {
  const both = { ...again, ...first };
  return first.primary === true || again.primary === true ? { ...both, primary: true } : both;
}

function identityOf(attribute: Attribute): (element: JsonValue) => string {
  if (attribute.type !== 'complex') {
    const comparison = comparisonOf(attribute);
    return (element) => String(keyOf(comparison, element));
  }
  const subs = ['value', ...(isReference(attribute) ? [] : ['type'])].map((name) => subAttribute(attribute, name));
  const [valueSub, typeSub] = subs;
  return (element) => {
    const object = element as JsonObject;
    if (valueSub === undefined || object[valueSub.name] === undefined) {
      return JSON.stringify(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    const key = String(keyOf(comparisonOf(valueSub), object[valueSub.name]));
    return typeSub === undefined ? key : `${keyOf(comparisonOf(typeSub), object[typeSub.name]) ?? ''}\u0000${key}`;
  };
}

/** @throws ScimError 400 invalidValue when two elements are primary (RFC 7643 §2.4) */
function onePrimary(attribute: Attribute, elements: readonly JsonValue[], where: string): readonly JsonValue[] {
  if (attribute.type !== 'complex') return elements;
  const primaries = elements.filter((element) => (element as JsonObject).primary === true).length;
  if (primaries > 1) throw invalid(where, `${primaries} elements have "primary": true; only one may`);
  return elements;
}

function invalid(where: string, message: string): ScimError {
  return ScimError.badRequest('invalidValue', `${where}: ${message}.`);
}

const typeNames = {
  string: 'a string',
  boolean: 'true or false',
  decimal: 'a number',
  integer: 'an integer',
  dateTime: 'a date and time as a string',
  binary: 'a base64 string',
  reference: 'a URI as a string',
  complex: 'an object',
} as const;

function nameOf(attribute: Attribute): string {
  return typeNames[attribute.type];
}

function exampleOf(attribute: Attribute): string {
  const first = subAttribute(attribute, 'value') ?? attribute.subAttributes[0];
  return `{"${first?.name ?? 'value'}": …}`;
}

/** What came instead: never the value itself, which may be a secret or about a person, and errors end in logs. */
function insteadOf(value: unknown): string {
  return typeof value === 'string' ? ', not a text' : typeof value === 'boolean' ? ', not a boolean' : '';
}

/** A name from a body, cut to a length that fits an error. */
export function short(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
