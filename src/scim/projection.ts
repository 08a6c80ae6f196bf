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

/**
 * Which attributes an answer holds. It is asked before a read, so that only the fields that matter are fetched, and
 * applied to the resource afterwards.
 * @see RFC 7644 §3.9
 */
export interface Projection {
  wants(attribute: Attribute): boolean;
  /** False too where the attribute itself is not wanted. */
  wantsSub(attribute: Attribute, sub: Attribute): boolean;
  /** True when the request restricts nothing: the default set. */
  readonly everything: boolean;
}

export interface ProjectionOptions {
  readonly dialect: Dialect;
  /** `Attribute.path` of what the client sent in a write: brings attributes that are `returned: request` back. */
  readonly written?: ReadonlySet<string>;
}

/** What is never in an answer, whoever asks. */
function isHidden(attribute: Attribute): boolean {
  return attribute.returned === 'never' || attribute.mutability === 'writeOnly';
}

function isInDefaultSet(attribute: Attribute): boolean {
  return (attribute.returned === 'default' || attribute.returned === 'always') && !isHidden(attribute);
}

/** The answer to a request without parameters: one object for all resource types. */
const defaultProjection: Projection = {
  everything: true,
  wants: isInDefaultSet,
  wantsSub: (attribute, sub) => isInDefaultSet(attribute) && isInDefaultSet(sub),
};

/**
 * `attributes` and `excludedAttributes` held against a resource type. Unknown names are ignored (an unknown one in
 * `attributes` still asks for nothing more than the minimum). `schemas` and `id` always come, `meta` only in the default
 * set or by name (requirements GAP-15). An extension's URN alone stands for its default attributes. A sub-attribute that
 * is `returned: always` comes whenever its parent does. A name with a filter, `emails[type eq "work"].value`, is no
 * attribute notation: it asks for the whole attribute, and excludes nothing.
 * @throws ScimError 400 invalidValue when both are given (GAP-09)
 */
export function createProjection(
  type: ResourceType,
  request: { readonly attributes?: readonly string[]; readonly excludedAttributes?: readonly string[] },
  options: ProjectionOptions,
): Projection {
  const attributes = namesIn(request.attributes);
  const excluded = namesIn(request.excludedAttributes);
  if (attributes.length > 0 && excluded.length > 0) {
    throw ScimError.badRequest('invalidValue', 'Give "attributes" or "excludedAttributes", not both.');
  }
  if (attributes.length > 0) return including(selectionOf(type, attributes, options.dialect, 'attributes'));
  const hasWritten = options.written !== undefined && options.written.size > 0 && hasOnRequest(type);
  if (excluded.length === 0 && !hasWritten) return defaultProjection;
  return excluding(selectionOf(type, excluded, options.dialect, 'excludedAttributes'), options.written ?? new Set());
}

function namesIn(names: readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : names.map((name) => name.trim()).filter((name) => name !== '');
}

function hasOnRequest(type: ResourceType): boolean {
  return type.attributes.some(
    ({ returned, subAttributes }) => returned === 'request' || subAttributes.some((sub) => sub.returned === 'request'),
  );
}

/** What the names stand for, by `Attribute.path`. */
interface Selection {
  /** Attributes named as a whole. */
  readonly whole: Set<string>;
  /** Sub-attributes named, and the attributes that they belong to. */
  readonly subs: Set<string>;
  readonly parents: Set<string>;
}

function selectionOf(
  type: ResourceType,
  names: readonly string[],
  dialect: Dialect,
  parameter: 'attributes' | 'excludedAttributes',
): Selection {
  const selection: Selection = { whole: new Set(), subs: new Set(), parents: new Set() };
  for (const name of names) {
    const bracket = name.indexOf('[');
    if (bracket >= 0 && parameter === 'excludedAttributes') continue;
    const resolved = resolvePath(type, bracket < 0 ? name : name.slice(0, bracket));
    if (resolved.kind === 'unknown') continue;
    if (resolved.kind === 'schema') {
      for (const attribute of resolved.schema.attributes) {
        if (parameter === 'excludedAttributes' || attribute.returned !== 'request') selection.whole.add(attribute.path);
      }
      continue;
    }
    const { attribute, sub } = resolved.path;
    if (attribute.inExtension && !name.includes(':') && !dialect.tolerates('bareExtensionNames')) continue;
    if (sub === undefined) {
      selection.whole.add(attribute.path);
    } else {
      selection.subs.add(sub.path);
      selection.parents.add(attribute.path);
    }
  }
  return selection;
}

function including({ whole, subs, parents }: Selection): Projection {
  const wants = (attribute: Attribute): boolean =>
    !isHidden(attribute) &&
    (attribute.returned === 'always' || whole.has(attribute.path) || parents.has(attribute.path));
  return {
    everything: false,
    wants,
    wantsSub: (attribute, sub) => {
      if (!wants(attribute) || isHidden(sub)) return false;
      if (sub.returned === 'always' || subs.has(sub.path)) return true;
      // Without a name for any of its subs, the attribute is named as a whole, or always returned.
      return sub.returned === 'default' && (whole.has(attribute.path) || !parents.has(attribute.path));
    },
  };
}

function excluding({ whole, subs }: Selection, written: ReadonlySet<string>): Projection {
  const isOffered = (attribute: Attribute): boolean =>
    !isHidden(attribute) && (attribute.returned !== 'request' || written.has(attribute.path));
  const wants = (attribute: Attribute): boolean =>
    isOffered(attribute) && (attribute.returned === 'always' || !whole.has(attribute.path));
  return {
    everything: false,
    wants,
    wantsSub: (attribute, sub) =>
      wants(attribute) && isOffered(sub) && (sub.returned === 'always' || !subs.has(sub.path)),
  };
}

/**
 * The resource cut down to what the projection wants, its `schemas` computed from what is left (RFC 7643 §3). Nothing
 * that is hidden, unknown or empty passes.
 */
export function applyProjection(resource: Resource, projection: Projection, type: ResourceType): Resource {
  const result: MutableResource = { schemas: [] };
  const schemas: JsonValue[] = [type.schema.id];
  for (const [name, value] of Object.entries(resource)) {
    const extension = extensionNamed(type, name);
    if (extension !== undefined) {
      const data = isObject(value) ? (value as Resource) : {};
      const kept = projectAttributes(data, projection, (key) => type.attributeOf(extension, key));
      if (kept === undefined) continue;
      result[extension.id] = kept;
      schemas.push(extension.id);
      continue;
    }
    const attribute = type.coreAttribute(name);
    if (attribute === undefined || attribute.name === 'schemas') continue;
    const kept = projectValue(attribute, value, projection);
    if (kept !== undefined) result[attribute.name] = kept;
  }
  result.schemas = schemas;
  return result;
}

function extensionNamed(type: ResourceType, name: string): Schema | undefined {
  if (!name.includes(':')) return undefined;
  const schema = type.schemaByUri(name);
  return schema === type.schema ? undefined : schema;
}

function projectAttributes(
  holder: Resource,
  projection: Projection,
  find: (name: string) => Attribute | undefined,
): Resource | undefined {
  const result: MutableResource = {};
  let isEmpty = true;
  for (const [name, value] of Object.entries(holder)) {
    const attribute = find(name);
    const kept = attribute === undefined ? undefined : projectValue(attribute, value, projection);
    if (attribute === undefined || kept === undefined) continue;
    result[attribute.name] = kept;
    isEmpty = false;
  }
  return isEmpty ? undefined : result;
}

function projectValue(attribute: Attribute, value: JsonValue, projection: Projection): JsonValue | undefined {
  if (value === null || !projection.wants(attribute)) return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  if (attribute.type !== 'complex') return value;
  const names = keptSubs(attribute, projection);
  // Long lists of members pass as they are when no sub-attribute is left out.
  if (names === undefined) return value;
  if (!Array.isArray(value)) return projectElement(value, names);
  const elements = value.map((element) => projectElement(element, names)).filter((element) => element !== undefined);
  return elements.length === 0 ? undefined : elements;
}

const keptByProjection = new WeakMap<Projection, Map<Attribute, ReadonlySet<string> | undefined>>();

/** The names of the sub-attributes that are wanted; undefined when all are. Worked out once for each projection. */
function keptSubs(attribute: Attribute, projection: Projection): ReadonlySet<string> | undefined {
  let known = keptByProjection.get(projection);
  if (known === undefined) {
    known = new Map();
    keptByProjection.set(projection, known);
  }
  if (known.has(attribute)) return known.get(attribute);
  const { subAttributes } = attribute;
  const kept = subAttributes.filter((sub) => projection.wantsSub(attribute, sub));
  const names = kept.length === subAttributes.length ? undefined : new Set(kept.map((sub) => sub.name));
  known.set(attribute, names);
  return names;
}

function projectElement(element: JsonValue, names: ReadonlySet<string>): JsonValue | undefined {
  if (!isObject(element)) return undefined;
  const entries = Object.entries(element as Resource).filter(([name, value]) => names.has(name) && value !== null);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
