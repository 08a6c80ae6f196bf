import { resolvePath } from './attribute-path.js';
import type { Dialect } from './dialect.js';
import { ScimError } from './error.js';
import {
  type Attribute,
  isObject,
  type JsonValue,
  type MutableResource,
  type Resource,
  type ResourceType,
  type Schema,
} from './schema.js';
import { leaveOutUnknown, parseAttributeValue, short, type ValueOptions } from './value-parser.js';

export interface ParsedBody {
  /** Assigned, writable attributes under their canonical names; extension data under the extension's URN. No `schemas`. */
  readonly resource: Resource;
  /** `Attribute.path` of what was sent as null, [] or "": attributes, and sub-attributes of single complex ones. */
  readonly cleared: ReadonlySet<string>;
  /** What was sent and is not in `resource`, for the transaction. `id`, `meta`, `schemas` and empty values are not listed. */
  readonly ignored: readonly { readonly path: string; readonly why: string }[];
}

export interface BodyOptions {
  readonly dialect: Dialect;
  /** Refuse values outside `canonicalValues`. */
  readonly enforceCanonical?: boolean;
}

/**
 * The body of a POST or PUT held against its resource type. Required attributes are not checked here, since defaults
 * may still supply them: see `missingRequired`.
 * @throws ScimError 400 invalidSyntax or invalidValue
 * @see RFC 7644 §3.3, §3.5.1
 */
export function parseResourceBody(body: unknown, type: ResourceType, options: BodyOptions): ParsedBody {
  if (!isObject(body)) throw syntax(`The body must be a JSON object, a ${type.name}.`);
  checkSchemas(body, type, options.dialect);
  return new BodyReader(type, options).read(body);
}

/** Collects one body. Lives for one call. */
class BodyReader {
  readonly #type: ResourceType;
  readonly #dialect: Dialect;
  readonly #resource: MutableResource = {};
  readonly #extensions = new Map<string, MutableResource>();
  readonly #cleared = new Set<string>();
  readonly #ignored: { path: string; why: string }[] = [];
  readonly #seen = new Set<Attribute>();
  readonly #options: ValueOptions;

  constructor(type: ResourceType, { dialect, enforceCanonical = false }: BodyOptions) {
    this.#type = type;
    this.#dialect = dialect;
    this.#options = {
      enforceCanonical,
      ignored: (path, why) => this.#ignored.push({ path, why }),
      cleared: (sub) => this.#cleared.add(sub.path),
    };
  }

  read(body: { readonly [key: string]: unknown }): ParsedBody {
    for (const key of Object.keys(body)) {
      const extension = extensionOf(this.#type, key);
      const attribute = extension === undefined ? this.#attributeOf(key) : undefined;
      if (extension !== undefined) this.#readExtension(extension, body[key]);
      else if (attribute !== undefined) this.#readAttribute(attribute, body[key]);
      else leaveOutUnknown(short(key), this.#dialect, this.#options);
    }
    return { resource: this.#resource, cleared: this.#cleared, ignored: this.#ignored };
  }

  #attributeOf(key: string): Attribute | undefined {
    const core = this.#type.coreAttribute(key);
    if (core !== undefined) return core;
    if (key.includes(':')) {
      // `URN:attribute` as a flat key.
      const resolved = this.#dialect.tolerates('pathKeys') ? resolvePath(this.#type, key) : undefined;
      return resolved?.kind === 'attribute' && resolved.path.sub === undefined ? resolved.path.attribute : undefined;
    }
    return this.#dialect.tolerates('bareExtensionNames') ? this.#type.extensionAttribute(key) : undefined;
  }

  #readExtension(schema: Schema, value: unknown): void {
    const isEmptyText = value === '' && this.#dialect.tolerates('emptyStrings');
    if (value === null || isEmptyText || (Array.isArray(value) && value.length === 0)) {
      for (const attribute of schema.attributes) this.#readAttribute(attribute, null);
      return;
    }
    if (!isObject(value)) throw ScimError.badRequest('invalidValue', `${schema.id}: must be an object.`);
    for (const key of Object.keys(value)) {
      const attribute = this.#type.attributeOf(schema, key);
      if (attribute === undefined) leaveOutUnknown(`${schema.id}:${short(key)}`, this.#dialect, this.#options);
      else this.#readAttribute(attribute, value[key]);
    }
  }

  #readAttribute(attribute: Attribute, value: unknown): void {
    if (this.#seen.has(attribute)) throw syntax(`${attribute.path}: is given twice.`);
    this.#seen.add(attribute);
    if (attribute.name === 'schemas') return;
    if (attribute.mutability === 'readOnly') {
      // Every client sends id, meta and an empty "groups" back; saying so each time would bury what matters.
      const hasValue = value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
      if (attribute.schema !== undefined && hasValue) this.#options.ignored?.(attribute.path, 'read-only');
      return;
    }
    const parsed = parseAttributeValue(attribute, value, this.#dialect, attribute.path, this.#options);
    if (parsed === undefined) this.#cleared.add(attribute.path);
    else this.#homeOf(attribute)[attribute.name] = parsed;
  }

  #homeOf(attribute: Attribute): MutableResource {
    if (!attribute.inExtension || attribute.schema === undefined) return this.#resource;
    const known = this.#extensions.get(attribute.schema);
    if (known !== undefined) return known;
    const home: MutableResource = {};
    this.#extensions.set(attribute.schema, home);
    this.#resource[attribute.schema] = home;
    return home;
  }
}

function extensionOf(type: ResourceType, key: string): Schema | undefined {
  if (!key.includes(':')) return undefined;
  const schema = type.schemaByUri(key);
  return schema === type.schema ? undefined : schema;
}

/** @see RFC 7643 §3 */
function checkSchemas(body: { readonly [key: string]: unknown }, type: ResourceType, dialect: Dialect): void {
  if (dialect.tolerates('unknownSchemas')) return;
  const key = Object.keys(body).find((name) => name.toLowerCase() === 'schemas');
  const listed = key === undefined ? undefined : body[key];
  if (!Array.isArray(listed) || !listed.every((item) => typeof item === 'string')) {
    throw syntax(`schemas: must be a list with at least "${type.schema.id}".`);
  }
  const seen = new Set<Schema>();
  for (const uri of listed) {
    const schema = type.schemaByUri(uri);
    if (schema === undefined) throw syntax(`schemas: "${short(uri)}" is not a schema of ${type.endpoint}.`);
    if (seen.has(schema)) throw syntax(`schemas: "${schema.id}" is listed twice.`);
    seen.add(schema);
  }
  if (!seen.has(type.schema)) throw syntax(`schemas: "${type.schema.id}" is missing.`);
}

/**
 * Paths of required attributes without a value: at the top level, inside complex values that are there, in extensions
 * that are required (the URN, when it is missing as a whole) or that are there. Blank text is no value.
 * @see RFC 7643 §2.2, §6, erratum 8280
 */
export function missingRequired(resource: Resource, type: ResourceType): readonly string[] {
  const missing = new Set<string>();
  const core = type.attributes.filter((attribute) => !attribute.inExtension);
  collectMissing(resource, core, missing);
  for (const { schema, required } of type.extensions) {
    const data = resource[schema.id];
    if (isObject(data)) collectMissing(data as Resource, schema.attributes, missing);
    else if (required) missing.add(schema.id);
  }
  return [...missing];
}

function collectMissing(holder: Resource, attributes: readonly Attribute[], missing: Set<string>): void {
  for (const attribute of attributes) {
    const value = Object.hasOwn(holder, attribute.name) ? holder[attribute.name] : undefined;
    if (!isAssigned(value)) {
      if (attribute.required && attribute.mutability !== 'readOnly') missing.add(attribute.path);
      continue;
    }
    if (!attribute.subAttributes.some((sub) => sub.required)) continue;
    for (const element of Array.isArray(value) ? value : [value]) {
      if (isObject(element)) collectMissing(element as Resource, attribute.subAttributes, missing);
    }
  }
}

/** Whether an attribute that must have a value has one: blank text is none (erratum 8280). */
export function isAssigned(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'string') return value.trim() !== '';
  return !Array.isArray(value) || value.length > 0;
}

function syntax(detail: string): ScimError {
  return ScimError.badRequest('invalidSyntax', detail);
}
