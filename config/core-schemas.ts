import { readFileSync } from 'node:fs';
import { type JsonValue, parseSchema, type Schema } from '../src/scim/schema.js';

/** The schemas of RFC 7643 §4 that every gateway has, as `schemas/rfc7643` holds them (errata applied). */
export const coreUserSchema: Schema = load('User', 'core');
export const coreGroupSchema: Schema = load('Group', 'core');
export const enterpriseUserSchema: Schema = load('EnterpriseUser', 'extension');

/** A schema as JSON: that of Schema itself nests complex attributes, which no resource's schema may. */
type SchemaDocument = { readonly [key: string]: JsonValue };

/** The schemas of the discovery documents themselves (RFC 7643 §5 to §7, RFC 9865 §4), with the defaults of §2.2 written out. */
export const discoverySchemas: readonly SchemaDocument[] = ['ServiceProviderConfig', 'ResourceType', 'Schema'].map(
  (name) => {
    const document = readDocument(name);
    return { ...document, attributes: withDefaults(document.attributes) };
  },
);

function withDefaults(attributes: JsonValue | undefined): readonly JsonValue[] {
  const list = Array.isArray(attributes) ? (attributes as readonly SchemaDocument[]) : [];
  return list.map((attribute) => {
    const { subAttributes, ...own } = attribute;
    if (own.type === 'complex') return { ...own, subAttributes: withDefaults(subAttributes) };
    return { ...(own.type === 'string' ? { caseExact: false } : {}), uniqueness: 'none', ...own };
  });
}

function load(name: string, role: 'core' | 'extension'): Schema {
  const { schema, problems } = parseSchema(readDocument(name), role);
  if (schema === undefined) throw new Error(`${name}.json: ${problems.map((problem) => problem.message).join(' ')}`);
  return schema;
}

function readDocument(name: string): SchemaDocument {
  return JSON.parse(
    readFileSync(new URL(`../schemas/rfc7643/${name}.json`, import.meta.url), 'utf8'),
  ) as SchemaDocument;
}
