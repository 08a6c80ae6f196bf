/**
 * `schemas/gateway.schema.json`: what editors check and complete gateway.yaml with. The checks are those of the gateway
 * itself; added is what only people need: the names of attributes, presets and adapters.
 */
import { groupNamedMappings, userNamedMappings } from '../src/mapping/named-mappings.js';
import { ruleSchema } from '../src/mapping/rule.js';
import { type Attribute, commonAttributes, isObject, type Schema } from '../src/scim/schema.js';
import { withAdapterKeys } from './adapter-keys.js';
import { coreGroupSchema, coreUserSchema, enterpriseUserSchema } from './core-schemas.js';
import { gatewayFileSchema, gatewaySchema, mappingSchema, resourceSchema } from './file-schema.js';
import { presetNames } from './files.js';

type JsonSchema = Readonly<Record<string, unknown>>;

const rule = { $ref: '#/definitions/rule' };

/** @param adapterSchemas the config schema of each adapter type */
export function editorSchema(adapterSchemas: ReadonlyMap<string, object>): JsonSchema {
  const { properties } = gatewayFileSchema;
  const resource = resourceOf({});
  const gateway = {
    ...gatewaySchema,
    properties: {
      ...gatewaySchema.properties,
      resources: {
        ...gatewaySchema.properties.resources,
        properties: {
          User: resourceOf(mappingKeys([coreUserSchema, enterpriseUserSchema], userNamedMappings)),
          Group: resourceOf(mappingKeys([coreGroupSchema], groupNamedMappings)),
        },
        additionalProperties: resource,
      },
    },
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'gateway.yaml of scimbridge',
    ...gatewayFileSchema,
    properties: {
      ...properties,
      schemas: { ...properties.schemas, items: { anyOf: [{ type: 'string' }, { $ref: '#/definitions/schema' }] } },
      adapters: { ...properties.adapters, additionalProperties: adapterSection(adapterSchemas) },
      gateways: { ...properties.gateways, additionalProperties: gateway },
    },
    definitions: {
      rule: ruleSchema,
      schema: schemaDocument,
      attribute: attributeDocument,
    },
  };
}

function resourceOf(keys: JsonSchema): JsonSchema {
  const { properties } = resourceSchema;
  const preset = { anyOf: [{ enum: presetNames() }, { type: 'string', minLength: 1 }] };
  return {
    ...resourceSchema,
    properties: {
      ...properties,
      use: { ...properties.use, anyOf: [preset, { type: 'array', items: preset }] },
      mapping: { ...mappingSchema, properties: keys, additionalProperties: rule },
    },
  };
}

/** The keys that a mapping may have, for completion; slots and extensions of one's own are written freely. */
function mappingKeys(schemas: readonly Schema[], named: Readonly<Record<string, string>>): JsonSchema {
  const attributes = [...commonAttributes, ...schemas.flatMap((schema) => schema.attributes)];
  const issued = new Set(['schemas', 'id', 'meta']);
  const keys = attributes.filter(({ path }) => !issued.has(path)).flatMap(pathsOf);
  const byPath = keys.map(({ path, description }) => [path, described(firstSentence(description))] as const);
  const byName = Object.entries(named).map(([name, path]) => [name, described(`Stands for ${path}.`)] as const);
  return Object.fromEntries([...byName, ...byPath]);
}

function pathsOf(attribute: Attribute): readonly Attribute[] {
  const isSingleComplex = attribute.type === 'complex' && !attribute.multiValued;
  const isReference = isSingleComplex && attribute.subAttributes.some(({ name }) => name === '$ref');
  if (!isSingleComplex) return [attribute];
  return isReference ? [attribute] : attribute.subAttributes;
}

function described(description: string): JsonSchema {
  return { description, allOf: [rule] };
}

function firstSentence(text: string): string {
  return (/^.*?\.(?=\s|$)/s.exec(text)?.[0] ?? text).replace(/\s+/g, ' ');
}

function adapterSection(adapterSchemas: ReadonlyMap<string, object>): JsonSchema {
  const { additionalProperties: section } = gatewayFileSchema.properties.adapters;
  const types = [...adapterSchemas.keys()].sort();
  return {
    ...section,
    properties: {
      ...section.properties,
      type: { ...section.properties.type, anyOf: [{ enum: types }, { type: 'string' }] },
    },
    allOf: types.map((type) => ({
      // A section with presets is complete only with them.
      if: { required: ['type'], properties: { type: { const: type } }, not: { required: ['use'] } },
      // biome-ignore lint/suspicious/noThenProperty: a key word of JSON Schema
      then: withType(adapterSchemas.get(type) ?? {}, type),
    })),
  };
}

function withType(schema: object, type: string): object {
  const whole = withAdapterKeys(schema);
  const properties = 'properties' in whole && isObject(whole.properties) ? whole.properties : {};
  return { ...whole, properties: { type: { const: type }, ...properties } };
}

/** RFC 7643 §7. `parseSchema` is what really checks it. */
const attributeDocument = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', pattern: '^[A-Za-z$][A-Za-z0-9$_-]*$' },
    type: {
      enum: ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex'],
      default: 'string',
    },
    multiValued: { type: 'boolean', default: false },
    description: { type: 'string' },
    required: { type: 'boolean', default: false },
    canonicalValues: { type: 'array', items: { type: 'string' } },
    caseExact: { type: 'boolean', default: false },
    mutability: { enum: ['readOnly', 'readWrite', 'immutable', 'writeOnly'], default: 'readWrite' },
    returned: { enum: ['always', 'never', 'default', 'request'], default: 'default' },
    uniqueness: { enum: ['none', 'server', 'global'], default: 'none' },
    referenceTypes: { type: 'array', items: { type: 'string' } },
    subAttributes: { type: 'array', items: { $ref: '#/definitions/attribute' } },
  },
} as const;

const schemaDocument = {
  type: 'object',
  required: ['id', 'attributes'],
  properties: {
    id: {
      type: 'string',
      description: 'The URN.',
      examples: ['urn:ietf:params:scim:schemas:extension:acme:2.0:User'],
    },
    name: { type: 'string' },
    description: { type: 'string' },
    attributes: { type: 'array', items: { $ref: '#/definitions/attribute' } },
  },
} as const;
