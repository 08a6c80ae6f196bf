import type { Filter } from './filter.js';
import { type Attribute, type ResourceType, type Schema, subAttribute } from './schema.js';

/**
 * An attribute path as a client writes it, before it is held against a schema: `name.givenName`,
 * `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`.
 * `urn` is kept apart only roughly: where the URN ends is known to the schema alone, since both contain ":" and ".".
 */
export interface AttributePath {
  /** As written. */
  readonly text: string;
}

/** A path held against a resource type. `sub` is set when the path names a sub-attribute. */
export interface ResolvedPath {
  readonly attribute: Attribute;
  readonly sub: Attribute | undefined;
}

export type ResolvedFilter = Filter<ResolvedPath>;

/** The attribute that the path ends in: the sub-attribute where one is named. */
export function leafOf(path: ResolvedPath): Attribute {
  return path.sub ?? path.attribute;
}

export type PathResolution =
  | { readonly kind: 'attribute'; readonly path: ResolvedPath }
  /** The URN of an extension (or of the core schema) alone. */
  | { readonly kind: 'schema'; readonly schema: Schema }
  | { readonly kind: 'unknown' };

/**
 * Finds what a path names, without regard to case. A URN prefix is matched against the declared schemas, longest first,
 * so that the dot in "2.0" never counts as a separator. A bare name is a common or core attribute, else an
 * unambiguous extension attribute (Entra ID filters on `manager` without its URN).
 * @see RFC 7644 §3.10
 */
export function resolvePath(type: ResourceType, text: string): PathResolution {
  const lower = text.toLowerCase();
  if (lower.includes(':')) {
    for (const schema of schemasLongestFirst(type)) {
      const uri = schema.id.toLowerCase();
      if (lower === uri) return { kind: 'schema', schema };
      if (!lower.startsWith(`${uri}:`)) continue;
      const rest = text.slice(uri.length + 1);
      const resolved = resolveIn(rest, (name) => type.attributeOf(schema, name));
      if (resolved !== undefined) return { kind: 'attribute', path: resolved };
    }
    return { kind: 'unknown' };
  }
  const resolved = resolveIn(text, (name) => type.coreAttribute(name) ?? type.extensionAttribute(name));
  return resolved === undefined ? { kind: 'unknown' } : { kind: 'attribute', path: resolved };
}

/** One schema's URN may be the beginning of another's. */
function schemasLongestFirst(type: ResourceType): readonly Schema[] {
  const schemas = [type.schema, ...type.extensions.map((extension) => extension.schema)];
  return schemas.sort((a, b) => b.id.length - a.id.length);
}

function resolveIn(text: string, find: (name: string) => Attribute | undefined): ResolvedPath | undefined {
  const dot = text.indexOf('.');
  const attribute = find(dot < 0 ? text : text.slice(0, dot));
  if (attribute === undefined) return undefined;
  if (dot < 0) return { attribute, sub: undefined };
  const sub = subAttribute(attribute, text.slice(dot + 1));
  return sub === undefined ? undefined : { attribute, sub };
}
