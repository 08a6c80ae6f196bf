import { type ResolvedFilter, resolvePath } from '../scim/attribute-path.js';
import { asComplex, readAttribute } from '../scim/attribute-value.js';
import { tolerantDialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import { evaluateElement } from '../scim/filter-evaluate.js';
import { parsePatchPath } from '../scim/filter-parser.js';
import { resolveElementFilter } from '../scim/filter-resolve.js';
import { type Attribute, type JsonValue, type Resource, type ResourceType, subAttribute } from '../scim/schema.js';

/** A path of a template, ready to be read from a resource. */
export interface TemplatePath {
  readonly attribute: Attribute;
  readonly sub: Attribute | undefined;
  readonly filter: ResolvedFilter | undefined;
}

/** @returns a text that says what is wrong when the path names nothing that a template can show */
export function readTemplatePath(text: string, type: ResourceType): TemplatePath | string {
  try {
    const path = parsePatchPath(text, tolerantDialect);
    const resolution = resolvePath(type, path.attribute);
    if (resolution.kind !== 'attribute') return `"${text}" names no attribute of ${type.name}.`;
    const { attribute } = resolution.path;
    const filter =
      path.filter === undefined ? undefined : resolveElementFilter(path.filter, attribute, tolerantDialect);
    const named = path.sub === undefined ? resolution.path.sub : subAttribute(attribute, path.sub);
    const sub = named ?? (attribute.type === 'complex' ? subAttribute(attribute, 'value') : undefined);
    if (attribute.type === 'complex' && sub === undefined) return `"${text}" is complex; name a part of it.`;
    return { attribute, sub, filter };
  } catch (error) {
    if (error instanceof ScimError) return error.message;
    throw error;
  }
}

/** The first value at the path, as text: of the primary element where there are several. */
export function textAt(resource: Resource, path: TemplatePath): string | undefined {
  const value = readAttribute(resource, path.attribute);
  if (value === undefined || value === null) return undefined;
  if (!path.attribute.multiValued) return asText(path.sub === undefined ? value : asComplex(value)[path.sub.name]);
  const elements = (Array.isArray(value) ? (value as readonly JsonValue[]) : []).filter(
    (element) => path.filter === undefined || evaluateElement(path.filter, path.attribute, element),
  );
  const chosen = elements.find((element) => asComplex(element).primary === true) ?? elements[0];
  return asText(path.sub === undefined ? chosen : asComplex(chosen)[path.sub.name]);
}

function asText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
