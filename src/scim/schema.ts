/**
 * Schemas, attributes and resource types as the gateway uses them: parsed once, names resolved without regard to case.
 * @see RFC 7643 §2, §6, §7
 */
declare const brand: unique symbol;
/** Made only by `parseSchemaUri`, so holding one means that it was checked. */
export type SchemaUri = string & { readonly [brand]: 'SchemaUri' };

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'binary'
  | 'reference'
  | 'complex';
export type Mutability = 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly';
export type Returned = 'always' | 'never' | 'default' | 'request';
export type Uniqueness = 'none' | 'server' | 'global';

/** One attribute or sub-attribute with its characteristics. Defaults of RFC 7643 §2.2 are filled in. */
export interface Attribute {
  /** The schema's own spelling. */
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: Mutability;
  readonly returned: Returned;
  readonly uniqueness: Uniqueness;
  readonly canonicalValues: readonly string[] | undefined;
  readonly referenceTypes: readonly string[] | undefined;
  /** Empty unless `type` is complex. */
  readonly subAttributes: readonly Attribute[];
  /** The schema that declares it; undefined for the common attributes `schemas`, `id`, `externalId`, `meta`. */
  readonly schema: SchemaUri | undefined;
  /** True when it lives under an extension's URN in the resource's JSON. */
  readonly inExtension: boolean;
  /**
   * The canonical path: `userName`, `name.givenName`,
   * `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`.
   */
  readonly path: string;
  /** The complex attribute that a sub-attribute belongs to. */
  readonly parent: Attribute | undefined;
}

export interface Schema {
  readonly id: SchemaUri;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
}

export interface SchemaExtension {
  readonly schema: Schema;
  readonly required: boolean;
}

/** A resource's JSON: canonical attribute names, extension attributes under the extension's URN. */
export type Resource = { readonly [attribute: string]: JsonValue };
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
/** A resource under construction. */
export type MutableResource = { [attribute: string]: JsonValue };

/** A resource type with name look-up. Built by `createResourceType`. */
export interface ResourceType {
  readonly name: string;
  readonly description: string;
  /** Relative to the base URL, with its leading slash: `/Users`. */
  readonly endpoint: string;
  readonly schema: Schema;
  readonly extensions: readonly SchemaExtension[];
  /** All attributes at the top level: common ones, those of the core schema, those of each extension. */
  readonly attributes: readonly Attribute[];
  /** A common or core attribute by its bare name, in any case. */
  coreAttribute(name: string): Attribute | undefined;
  /** The core schema or an extension by its URN, in any case. */
  schemaByUri(uri: string): Schema | undefined;
  /** An attribute of the schema with that URN, by name, in any case. */
  attributeOf(schema: Schema, name: string): Attribute | undefined;
  /**
   * An extension attribute by its bare name, if exactly one extension has it and the core schema does not.
   * Entra ID and UNIFYBroker write `department`, `manager` without the URN.
   */
  extensionAttribute(name: string): Attribute | undefined;
}

/** A sub-attribute by name, in any case. */
export function subAttribute(attribute: Attribute, name: string): Attribute | undefined {
  const lower = name.toLowerCase();
  return attribute.subAttributes.find((candidate) => candidate.name.toLowerCase() === lower);
}

/** True for multi-valued complex attributes: `emails`, `members`. */
export function isMultiComplex(attribute: Attribute): boolean {
  return attribute.multiValued && attribute.type === 'complex';
}

const schemaUriPattern = /^urn:[A-Za-z0-9][A-Za-z0-9-]{0,31}:[^\s"\\<>[\]]+$/i;
const absoluteUriPattern = /^https?:\/\/[^\s"\\<>[\]]+$/i;

/** @returns undefined when the text is neither a URN nor an http(s) URI. */
export function parseSchemaUri(text: string): SchemaUri | undefined {
  return schemaUriPattern.test(text) || absoluteUriPattern.test(text) ? (text as SchemaUri) : undefined;
}

/** Names start with a letter, or with `$` as in `$ref` (RFC 7643 §2.1, erratum 8924). */
export const attributeNamePattern = /^[A-Za-z$][A-Za-z0-9$_-]*$/;

const types: readonly AttributeType[] = [
  'string',
  'boolean',
  'decimal',
  'integer',
  'dateTime',
  'binary',
  'reference',
  'complex',
];
const mutabilities: readonly Mutability[] = ['readOnly', 'readWrite', 'immutable', 'writeOnly'];
const returneds: readonly Returned[] = ['always', 'never', 'default', 'request'];
const uniquenesses: readonly Uniqueness[] = ['none', 'server', 'global'];

/** What is wrong with a schema, and where inside it: `['attributes', 2, 'type']`. */
export interface SchemaProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

interface AttributeContext {
  readonly schema: SchemaUri | undefined;
  readonly inExtension: boolean;
  readonly parent: Attribute | undefined;
  readonly prefix: string;
}

/**
 * Reads a Schema resource (RFC 7643 §7). All problems are reported; the schema is undefined when one is an error.
 * @param role `extension` puts its attributes under its URN.
 */
export function parseSchema(
  json: unknown,
  role: 'core' | 'extension',
): { schema: Schema | undefined; problems: readonly SchemaProblem[] } {
  const problems: SchemaProblem[] = [];
  const error = (path: readonly (string | number)[], message: string): void => {
    problems.push({ path, message, severity: 'error' });
  };
  if (!isObject(json)) {
    error([], 'A schema is an object with "id", "name" and "attributes".');
    return { schema: undefined, problems };
  }
  const id = typeof json.id === 'string' ? parseSchemaUri(json.id) : undefined;
  if (id === undefined)
    error(
      ['id'],
      'A schema needs an "id" that is a URN, such as "urn:example:params:scim:schemas:extension:acme:2.0:User".',
    );
  if (!Array.isArray(json.attributes)) error(['attributes'], 'A schema needs "attributes", a list.');
  if (id === undefined || !Array.isArray(json.attributes)) return { schema: undefined, problems };
  const context: AttributeContext = {
    schema: id,
    inExtension: role === 'extension',
    parent: undefined,
    prefix: role === 'extension' ? `${id}:` : '',
  };
  const attributes = parseAttributes(json.attributes, context, ['attributes'], problems);
  if (role === 'extension') {
    for (const [index, attribute] of attributes.entries()) {
      if (coreNames.has(attribute.name.toLowerCase())) {
        problems.push({
          path: ['attributes', index, 'name'],
          message: `"${attribute.name}" redefines an attribute of the core schemas (RFC 7643 §3.3 advises against it); choose another name.`,
          severity: 'warning',
        });
      }
    }
  }
  if (problems.some((problem) => problem.severity === 'error')) return { schema: undefined, problems };
  const name = typeof json.name === 'string' && json.name !== '' ? json.name : (id.split(':').at(-1) ?? id);
  const description = typeof json.description === 'string' ? json.description : name;
  return { schema: { id, name, description, attributes }, problems };
}

const coreNames = new Set([
  'schemas',
  'id',
  'externalid',
  'meta',
  'username',
  'displayname',
  'active',
  'password',
  'members',
]);

function parseAttributes(
  list: readonly unknown[],
  context: AttributeContext,
  path: readonly (string | number)[],
  problems: SchemaProblem[],
): readonly Attribute[] {
  const attributes: Attribute[] = [];
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const attribute = parseAttribute(item, context, [...path, index], problems);
    if (attribute === undefined) continue;
    const lower = attribute.name.toLowerCase();
    if (seen.has(lower)) {
      problems.push({
        path: [...path, index, 'name'],
        message: `"${attribute.name}" is declared twice.`,
        severity: 'error',
      });
      continue;
    }
    seen.add(lower);
    attributes.push(attribute);
  }
  return attributes;
}

function parseAttribute(
  json: unknown,
  context: AttributeContext,
  path: readonly (string | number)[],
  problems: SchemaProblem[],
): Attribute | undefined {
  const error = (key: string, message: string): void => {
    problems.push({ path: [...path, key], message, severity: 'error' });
  };
  if (!isObject(json)) {
    problems.push({ path, message: 'An attribute is an object with at least "name".', severity: 'error' });
    return undefined;
  }
  const name = json.name;
  if (typeof name !== 'string' || !attributeNamePattern.test(name)) {
    error(
      'name',
      'An attribute name starts with a letter and goes on with letters, digits, "-", "_" and "$" (RFC 7643 §2.1).',
    );
    return undefined;
  }
  const pick = <T extends string>(key: string, allowed: readonly T[], fallback: T): T => {
    const value = json[key];
    if (value === undefined) return fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) error(key, `"${key}" of "${name}" is one of ${allowed.join(', ')}.`);
    return found ?? fallback;
  };
  const flag = (key: string, fallback: boolean): boolean => {
    const value = json[key];
    if (value === undefined) return fallback;
    if (typeof value !== 'boolean') error(key, `"${key}" of "${name}" is true or false.`);
    return value === true;
  };
  const strings = (key: string): readonly string[] | undefined => {
    const value = json[key];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
      error(key, `"${key}" of "${name}" is a list of strings.`);
      return undefined;
    }
    return value;
  };
  const type = pick('type', types, 'string');
  if (type === 'complex' && context.parent !== undefined) {
    error(
      'type',
      `"${name}" is complex inside "${context.parent.name}": a complex attribute holds no complex sub-attribute (RFC 7643 §2.3.8).`,
    );
  }
  if (type !== 'complex' && Array.isArray(json.subAttributes) && json.subAttributes.length > 0) {
    error('subAttributes', `"${name}" has sub-attributes, so its "type" is complex.`);
  }
  if (type === 'complex' && !(Array.isArray(json.subAttributes) && json.subAttributes.length > 0)) {
    error('subAttributes', `"${name}" is complex, so it lists its sub-attributes.`);
  }
  const isReferenceLike = type === 'reference' || type === 'binary';
  const base = {
    name,
    type,
    multiValued: flag('multiValued', false),
    description: typeof json.description === 'string' ? json.description : name,
    required: flag('required', false),
    caseExact: isReferenceLike || flag('caseExact', false),
    mutability: pick('mutability', mutabilities, 'readWrite'),
    returned: pick('returned', returneds, json.mutability === 'writeOnly' ? 'never' : 'default'),
    uniqueness: pick('uniqueness', uniquenesses, 'none'),
    canonicalValues: strings('canonicalValues'),
    referenceTypes: strings('referenceTypes'),
    schema: context.schema,
    inExtension: context.inExtension,
    path: `${context.prefix}${name}`,
    parent: context.parent,
  };
  const attribute: Attribute & { subAttributes: readonly Attribute[] } = { ...base, subAttributes: [] };
  if (type === 'complex' && Array.isArray(json.subAttributes)) {
    (attribute as { subAttributes: readonly Attribute[] }).subAttributes = parseAttributes(
      json.subAttributes,
      { ...context, parent: attribute, prefix: `${attribute.path}.` },
      [...path, 'subAttributes'],
      problems,
    );
  }
  return attribute;
}

const commonDefinitions = [
  {
    name: 'schemas',
    type: 'reference',
    multiValued: true,
    caseExact: true,
    returned: 'always',
    referenceTypes: ['uri'],
    description: 'The schemas of the attributes that are present.',
  },
  {
    name: 'id',
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
    description: 'The identifier that the gateway issues.',
  },
  { name: 'externalId', caseExact: true, description: "The client's own identifier of the resource." },
  {
    name: 'meta',
    type: 'complex',
    mutability: 'readOnly',
    description: 'What the gateway says of the resource.',
    subAttributes: [
      { name: 'resourceType', caseExact: true, mutability: 'readOnly', description: 'The name of the resource type.' },
      { name: 'created', type: 'dateTime', mutability: 'readOnly', description: 'When the resource was added.' },
      { name: 'lastModified', type: 'dateTime', mutability: 'readOnly', description: 'When it was last changed.' },
      {
        name: 'location',
        type: 'reference',
        mutability: 'readOnly',
        referenceTypes: ['uri'],
        description: 'The URI of the resource.',
      },
      { name: 'version', caseExact: true, mutability: 'readOnly', description: 'The version, equal to the ETag.' },
    ],
  },
] as const;

/** `schemas`, `id`, `externalId`, `meta`: there on every resource, whatever a schema file says (RFC 7643 §3.1). */
export const commonAttributes: readonly Attribute[] = (() => {
  const problems: SchemaProblem[] = [];
  return parseAttributes(
    commonDefinitions,
    { schema: undefined, inExtension: false, parent: undefined, prefix: '' },
    [],
    problems,
  );
})();

/** Builds the look-up tables. The core schema's own `id`, `externalId`, `meta`, `schemas` give way to the common ones. */
export function createResourceType(definition: {
  readonly name: string;
  readonly description?: string;
  readonly endpoint: string;
  readonly schema: Schema;
  readonly extensions: readonly SchemaExtension[];
}): ResourceType {
  const common = new Set(commonAttributes.map((attribute) => attribute.name.toLowerCase()));
  const own = definition.schema.attributes.filter((attribute) => !common.has(attribute.name.toLowerCase()));
  const core = new Map([...commonAttributes, ...own].map((attribute) => [attribute.name.toLowerCase(), attribute]));
  const extensionSchemas = definition.extensions.map((extension) => extension.schema);
  const schemas = new Map([definition.schema, ...extensionSchemas].map((schema) => [schema.id.toLowerCase(), schema]));
  const bySchema = new Map<string, ReadonlyMap<string, Attribute>>();
  const bareExtension = new Map<string, Attribute | 'ambiguous'>();
  bySchema.set(definition.schema.id, core);
  for (const schema of extensionSchemas) {
    bySchema.set(
      schema.id,
      new Map(extensionAttributes(schema).map((attribute) => [attribute.name.toLowerCase(), attribute])),
    );
    for (const attribute of extensionAttributes(schema)) {
      const lower = attribute.name.toLowerCase();
      if (!core.has(lower)) bareExtension.set(lower, bareExtension.has(lower) ? 'ambiguous' : attribute);
    }
  }
  return {
    name: definition.name,
    description: definition.description ?? definition.name,
    endpoint: definition.endpoint,
    schema: definition.schema,
    extensions: definition.extensions,
    attributes: [...commonAttributes, ...own, ...extensionSchemas.flatMap(extensionAttributes)],
    coreAttribute: (name) => core.get(name.toLowerCase()),
    schemaByUri: (uri) => schemas.get(uri.toLowerCase()),
    attributeOf: (schema, name) => bySchema.get(schema.id)?.get(name.toLowerCase()),
    extensionAttribute: (name) => {
      const found = bareExtension.get(name.toLowerCase());
      return found === 'ambiguous' ? undefined : found;
    },
  };
}

/** `schemas` is listed in extension schema documents too (erratum 5999); it is the common attribute there. */
function extensionAttributes(schema: Schema): readonly Attribute[] {
  return schema.attributes.filter((attribute) => attribute.name !== 'schemas');
}

export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
