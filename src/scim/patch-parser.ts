import { type ResolvedFilter, type ResolvedPath, resolvePath } from './attribute-path.js';
import type { Dialect } from './dialect.js';
import { ScimError } from './error.js';
import { parsePatchPath } from './filter-parser.js';
import { resolveElementFilter } from './filter-resolve.js';
import {
  type Attribute,
  isMultiComplex,
  isObject,
  type JsonValue,
  type ResourceType,
  type Schema,
  subAttribute,
} from './schema.js';
import { parseAttributeValue, parseElement } from './value-parser.js';

export const patchOpSchemaUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/**
 * One change of one attribute: what a PATCH operation means after its path and value were held against the schema. A
 * path-less operation has become one of these per attribute.
 * @see RFC 7644 §3.5.2
 */
export interface PatchOperation {
  /** The operation's number in the message, from 1, for errors. */
  readonly number: number;
  readonly op: 'add' | 'remove' | 'replace';
  readonly attribute: Attribute;
  /** The elements that the path selects: `emails[type eq "work"]`. */
  readonly filter: ResolvedFilter | undefined;
  readonly sub: Attribute | undefined;
  /** Coerced and checked. undefined stands for "no value": absent, null, [] or "". An object with nothing in it is {}. */
  readonly value: JsonValue | undefined;
  /** Sub-attributes that an object given as `value` sets to null: they lose their value. */
  readonly unset: readonly Attribute[];
  /** `remove` with a value list takes away only these elements (dialect rule 4). */
  readonly listed: readonly JsonValue[] | undefined;
}

export interface ParsedPatch {
  readonly operations: readonly PatchOperation[];
  readonly ignored: readonly { readonly path: string; readonly why: string }[];
}

export interface PatchParseOptions {
  readonly dialect: Dialect;
  /** The id of the resource: `id` with this value is ignored in a path-less operation (Okta sends it). */
  readonly id: string;
  readonly maxOperations: number;
  /** Refuse values outside `canonicalValues`, as bodies do. */
  readonly enforceCanonical?: boolean;
}

interface RawOperation {
  readonly number: number;
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string | undefined;
  readonly hasValue: boolean;
  readonly value: unknown;
}

/**
 * Reads a PatchOp message.
 * @throws ScimError invalidSyntax, invalidPath, invalidFilter, invalidValue, mutability or noTarget; the detail names the
 *   operation's number and path
 */
export function parsePatch(body: unknown, type: ResourceType, options: PatchParseOptions): ParsedPatch {
  const raws = parseMessage(body, options);
  const operations: PatchOperation[] = [];
  const ignored: { path: string; why: string }[] = [];
  for (const raw of raws) {
    const where =
      raw.path === undefined ? `Operation ${raw.number}` : `Operation ${raw.number} (path ${clip(raw.path)})`;
    try {
      if (raw.path === undefined) operations.push(...parsePathless(raw, type, options, ignored));
      else operations.push(...parseWithPath(raw, raw.path, type, options, ignored));
    } catch (error) {
      if (error instanceof ScimError) throw error.withDetail(`${where}: ${error.message}`);
      throw error;
    }
  }
  return { operations, ignored };
}

function parseMessage(body: unknown, { dialect, maxOperations }: PatchParseOptions): readonly RawOperation[] {
  if (!isObject(body))
    throw ScimError.badRequest(
      'invalidSyntax',
      'The body of a PATCH is a JSON object with "schemas" and "Operations".',
    );
  const key = (object: { readonly [key: string]: unknown }, name: string): unknown => {
    if (Object.hasOwn(object, name) || !dialect.tolerates('operationCase')) return object[name];
    const found = Object.keys(object).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    return found === undefined ? undefined : object[found];
  };
  checkMessageSchemas(key(body, 'schemas'), dialect);
  const list = key(body, 'Operations');
  if (!Array.isArray(list))
    throw ScimError.badRequest('invalidSyntax', 'The body needs "Operations", a list of one or more operations.');
  if (list.length === 0 && !dialect.tolerates('emptyOperations')) {
    throw ScimError.badRequest('invalidSyntax', '"Operations" needs at least one operation.');
  }
  if (list.length > maxOperations) throw ScimError.tooLarge(`A PATCH may have at most ${maxOperations} operations.`);
  return list.map((item: unknown, index): RawOperation => {
    const number = index + 1;
    if (!isObject(item)) throw ScimError.badRequest('invalidSyntax', `Operation ${number} is not a JSON object.`);
    const opText = key(item, 'op');
    const op =
      typeof opText === 'string' ? (dialect.tolerates('operationCase') ? opText.toLowerCase() : opText) : undefined;
    if (op !== 'add' && op !== 'remove' && op !== 'replace') {
      throw ScimError.badRequest('invalidSyntax', `Operation ${number}: "op" is one of add, remove, replace.`);
    }
    const path = key(item, 'path');
    if (path !== undefined && path !== null && typeof path !== 'string') {
      throw ScimError.badRequest('invalidPath', `Operation ${number}: "path" is a text.`);
    }
    const value = key(item, 'value');
    const hasPath = typeof path === 'string' && path.trim() !== '';
    if (typeof path === 'string' && !hasPath && dialect.strict) {
      throw ScimError.badRequest('invalidPath', `Operation ${number}: "path" is empty; leave it out to name no path.`);
    }
    return { number, op, path: hasPath ? path.trim() : undefined, hasValue: value !== undefined, value };
  });
}

function checkMessageSchemas(schemas: unknown, dialect: Dialect): void {
  if (schemas === undefined && dialect.tolerates('unknownSchemas')) return;
  const list = Array.isArray(schemas) ? schemas : [];
  const found = list.some((uri) => typeof uri === 'string' && uri.toLowerCase() === patchOpSchemaUri.toLowerCase());
  if (!found) throw ScimError.badRequest('invalidSyntax', `"schemas" of a PATCH holds "${patchOpSchemaUri}".`);
}

function parseWithPath(
  raw: RawOperation,
  text: string,
  type: ResourceType,
  options: PatchParseOptions,
  ignored: { path: string; why: string }[],
): readonly PatchOperation[] {
  const { dialect } = options;
  const path = parsePatchPath(text, dialect);
  const resolution = resolvePath(type, path.attribute);
  if (resolution.kind === 'schema') {
    if (path.filter !== undefined || path.sub !== undefined) throw unknownPath(text);
    return parseSchemaPath(raw, resolution.schema, type, options, ignored);
  }
  if (resolution.kind === 'unknown') throw unknownPath(text);
  const bare = resolution.path.attribute.inExtension && !text.includes(':');
  if (bare && !dialect.tolerates('bareExtensionNames')) throw unknownPath(text);
  const target = withSub(resolution.path, path.sub, text);
  const filter = path.filter === undefined ? undefined : resolveElementFilter(path.filter, target.attribute, dialect);
  return [parseTarget(raw, { filter, ...target }, text, options)];
}

function unknownPath(text: string): ScimError {
  return ScimError.badRequest('invalidPath', `"${clip(text)}" names no attribute of this resource type.`);
}

function withSub(path: ResolvedPath, sub: string | undefined, text: string): ResolvedPath {
  if (sub === undefined) return path;
  if (path.sub !== undefined)
    throw ScimError.badRequest('invalidPath', `"${clip(text)}" goes deeper than a sub-attribute.`);
  const found = path.attribute.subAttributes.find((candidate) => candidate.name.toLowerCase() === sub.toLowerCase());
  if (found === undefined) throw unknownPath(text);
  return { attribute: path.attribute, sub: found };
}

interface Target extends ResolvedPath {
  readonly filter: ResolvedFilter | undefined;
}

function parseTarget(raw: RawOperation, target: Target, text: string, options: PatchParseOptions): PatchOperation {
  const { dialect } = options;
  const { attribute, filter } = target;
  let { sub } = target;
  checkMutability(raw, target);
  if (filter !== undefined && !attribute.multiValued) {
    throw ScimError.badRequest('invalidPath', `"${attribute.path}" has a single value, so its path takes no [filter].`);
  }
  const base = { number: raw.number, op: raw.op, attribute, filter };
  if (meansElements(raw, target)) sub = undefined;
  if (raw.op === 'remove') {
    const listed =
      raw.hasValue && filter === undefined && sub === undefined
        ? listedElements(attribute, raw.value, dialect)
        : undefined;
    return { sub, value: undefined, unset: [], listed, ...base };
  }
  if (!raw.hasValue) throw ScimError.badRequest('invalidValue', `"${raw.op}" needs a "value".`);
  if (raw.op === 'replace' && raw.value === '' && sub === undefined && filter === undefined && holdsIds(attribute)) {
    throw ScimError.badRequest('invalidValue', `"${attribute.path}" is emptied by [] or null, not by "".`);
  }
  const value = parseValue(raw.value, attribute, sub, filter, text, options);
  const isMerged = sub === undefined && (filter !== undefined || !attribute.multiValued);
  const given = filter === undefined ? raw.value : single(raw.value);
  if (!isMerged || attribute.type !== 'complex' || !isObject(given))
    return { sub, value, unset: [], listed: undefined, ...base };
  return { sub, value: value ?? {}, unset: unsetIn(given, attribute, dialect), listed: undefined, ...base };
}

/** Sub-attributes that an object names without giving them a value. */
function unsetIn(
  object: { readonly [key: string]: unknown },
  attribute: Attribute,
  dialect: Dialect,
): readonly Attribute[] {
  const isEmpty = (value: unknown): boolean =>
    value === null ||
    (value === '' && dialect.tolerates('emptyStrings')) ||
    (Array.isArray(value) && value.length === 0);
  return Object.entries(object).flatMap(([name, value]) => {
    const sub = isEmpty(value) ? subAttribute(attribute, name) : undefined;
    // An element of a list of references is its `value`; without one there would be nothing left to be.
    const isIdentity = attribute.multiValued && sub?.mutability === 'immutable';
    return sub === undefined || sub.mutability === 'readOnly' || isIdentity ? [] : [sub];
  });
}

/** One element may stand in a list of its own. */
function single(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** `members.value` with a list names whole elements; a `remove` that brings values never clears (dialect rule 4). */
function meansElements(raw: RawOperation, { attribute, sub, filter }: Target): boolean {
  if (sub?.name !== 'value' || !attribute.multiValued || filter !== undefined) return false;
  return raw.op === 'remove' ? raw.hasValue : Array.isArray(raw.value);
}

/** Lists whose elements are what they refer to: `members`. */
function holdsIds(attribute: Attribute): boolean {
  return attribute.multiValued && attribute.subAttributes.some((sub) => sub.name === 'value' && isFixed(sub));
}

function isFixed(sub: Attribute | undefined): boolean {
  return sub?.mutability === 'immutable';
}

function parseValue(
  value: unknown,
  attribute: Attribute,
  sub: Attribute | undefined,
  filter: ResolvedFilter | undefined,
  where: string,
  { dialect, enforceCanonical = false }: PatchParseOptions,
): JsonValue | undefined {
  const options = { enforceCanonical };
  if (sub !== undefined) return parseAttributeValue(sub, value, dialect, where, options);
  if (filter !== undefined) return parseElement(attribute, single(value), dialect, where, options);
  // One element may come without its brackets (RFC 7644 figure 3 has both shapes in practice).
  const isOne = attribute.multiValued && !Array.isArray(value) && value !== null && value !== '';
  if (isOne && (isObject(value) || attribute.type !== 'complex')) {
    return parseAttributeValue(attribute, [value], dialect, where, options);
  }
  return parseAttributeValue(attribute, value, dialect, where, options);
}

function checkMutability(raw: RawOperation, target: Target): void {
  const { attribute, sub, filter } = target;
  if (attribute.mutability === 'readOnly' || sub?.mutability === 'readOnly') {
    throw ScimError.badRequest('mutability', `"${(sub ?? attribute).path}" is read-only.`);
  }
  // Without a filter, one id would take the place of all: `add` to "members.value" must not empty a group.
  const isRewrite = filter === undefined ? !meansElements(raw, target) : raw.op !== 'add';
  if (attribute.multiValued && isFixed(sub) && isRewrite) {
    throw ScimError.badRequest(
      'mutability',
      `"${sub?.path}" cannot be changed once set; remove the element and add another (RFC 7643 §4.2).`,
    );
  }
  if (raw.op === 'remove' && sub === undefined && filter === undefined && attribute.required && !raw.hasValue) {
    throw ScimError.badRequest('mutability', `"${attribute.path}" is required, so it cannot be removed.`);
  }
}

/**
 * The elements that a `remove` with a value names. Never "all": a list without a usable entry names none.
 * @throws ScimError invalidValue in strict mode, where the form does not exist
 */
function listedElements(attribute: Attribute, value: unknown, dialect: Dialect): readonly JsonValue[] | undefined {
  if (!attribute.multiValued) return undefined;
  if (!dialect.tolerates('removeWithValue')) {
    throw ScimError.badRequest(
      'invalidValue',
      '"remove" takes no "value"; name the elements in the path: members[value eq "…"].',
    );
  }
  const items = (Array.isArray(value) ? value : [value]).filter((item) => !isBlank(item));
  const elements: JsonValue[] = [];
  for (const item of items) {
    const element = usableElement(attribute, item, dialect);
    if (element !== undefined) elements.push(element);
  }
  // Nothing removed and a success would let the caller believe that the access is gone.
  if (items.length > 0 && elements.length === 0) {
    throw ScimError.badRequest(
      'invalidValue',
      `The "value" names no element of "${attribute.path}"; list them as [{"value": "…"}].`,
    );
  }
  return elements;
}

/** Says nothing: no value, or an object without any. */
function isBlank(item: unknown): boolean {
  return item === null || item === '' || (isObject(item) && Object.values(item).every(isBlank));
}

function usableElement(attribute: Attribute, item: unknown, dialect: Dialect): JsonValue | undefined {
  const element = parseElement(attribute, item, dialect, attribute.name);
  if (!isMultiComplex(attribute)) return element;
  if (holdsIds(attribute) && isObject(element) && element.value === undefined && element.$ref === undefined)
    return undefined;
  return isObject(element) && Object.keys(element).length > 0 ? (element as JsonValue) : undefined;
}

function parsePathless(
  raw: RawOperation,
  type: ResourceType,
  options: PatchParseOptions,
  ignored: { path: string; why: string }[],
): readonly PatchOperation[] {
  if (raw.op === 'remove') throw ScimError.badRequest('noTarget', '"remove" needs a "path".');
  if (!raw.hasValue) throw ScimError.badRequest('invalidValue', `"${raw.op}" needs a "value".`);
  if (!isObject(raw.value)) {
    throw ScimError.badRequest('invalidValue', 'Without a "path", "value" is an object whose keys are attributes.');
  }
  return Object.entries(raw.value).flatMap(([key, value]) => parseKey({ ...raw, value }, key, type, options, ignored));
}

/** One key of a path-less value: an attribute, an extension's URN, or (dialect rule 5) a path. */
function parseKey(
  raw: RawOperation,
  key: string,
  type: ResourceType,
  options: PatchParseOptions,
  ignored: { path: string; why: string }[],
): readonly PatchOperation[] {
  const { dialect } = options;
  const isPath = /[[\].]/.test(key.replace(/^urn:.*:/i, '')) || /^urn:.*:/i.test(key);
  const resolution = resolvePath(type, key);
  if (resolution.kind === 'schema') return parseSchemaPath(raw, resolution.schema, type, options, ignored);
  if (resolution.kind === 'attribute') {
    const { attribute } = resolution.path;
    if (isIgnoredReadOnly(attribute, raw.value, options)) return [];
    if ((isPath || attribute.inExtension) && !dialect.tolerates('pathKeys')) throw unknownPath(key);
    return [parseTarget(raw, { filter: undefined, ...resolution.path }, key, options)];
  }
  if (key.includes('[') && dialect.tolerates('pathKeys')) {
    return parseWithPath({ ...raw, path: key }, key, type, options, ignored);
  }
  if (!dialect.tolerates('unknownAttributes')) throw unknownPath(key);
  ignored.push({ path: clip(key), why: 'names no attribute of this resource type' });
  return [];
}

/** `schemas` and `meta` say nothing new, and `id` only when it is another one (dialect rule 5). */
function isIgnoredReadOnly(attribute: Attribute, value: unknown, { dialect, id }: PatchParseOptions): boolean {
  if (attribute.path === 'schemas') return true;
  if (!dialect.tolerates('equalReadOnly')) return false;
  return attribute.path === 'meta' || (attribute.path === 'id' && value === id);
}

/** A schema's URN as path or key: its value is an object of that schema's attributes. */
function parseSchemaPath(
  raw: RawOperation,
  schema: Schema,
  type: ResourceType,
  options: PatchParseOptions,
  ignored: { path: string; why: string }[],
): readonly PatchOperation[] {
  const attributes = schema.attributes.filter((attribute) => attribute.name !== 'schemas');
  const clearing = raw.op === 'remove' || raw.value === null || raw.value === '';
  if (clearing) {
    return attributes
      .filter((attribute) => attribute.mutability !== 'readOnly')
      .map((attribute) =>
        parseTarget(
          { ...raw, op: 'remove', hasValue: false },
          { attribute, sub: undefined, filter: undefined },
          attribute.path,
          options,
        ),
      );
  }
  if (!isObject(raw.value)) throw ScimError.badRequest('invalidValue', `The value of "${schema.id}" is an object.`);
  return Object.entries(raw.value).flatMap(([name, value]) => {
    const key = name.includes(':') ? name : `${schema.id}:${name}`;
    const resolution = resolvePath(type, key);
    if (resolution.kind === 'attribute') {
      return [parseTarget({ ...raw, value }, { filter: undefined, ...resolution.path }, key, options)];
    }
    return parseKey({ ...raw, value }, key, type, options, ignored);
  });
}

/** A path as an error may show it: cut to a length, and without the values in its filter. */
function clip(text: string): string {
  const shown = text.replace(/\[.*(\]|$)/s, '[…]');
  return shown.length > 120 ? `${shown.slice(0, 117)}...` : shown;
}
