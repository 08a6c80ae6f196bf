/**
 * gateway.yaml and the files it includes, as JSON Schemas: the one source of checks, defaults, types and what editors
 * show. Adapters' sections are checked by their own schemas.
 */
import type { FromSchema } from 'json-schema-to-ts';
import { operationsSchema, ruleSchema } from '../src/mapping/rule.js';
import { authSchema, type jwtIssuerSchema } from './auth-schema.js';
import {
  metricsSchema,
  recordSchema,
  stateSchema,
  tlsSchema,
  transactionsSchema,
  trustedProxiesSchema,
} from './server-schema.js';

const nameSchema = {
  pattern: '^[A-Za-z][A-Za-z0-9_-]*$',
  description: 'A name starts with a letter and goes on with letters, digits, "-" and "_".',
} as const;

export const mappingSchema = {
  type: 'object',
  additionalProperties: ruleSchema,
  description:
    "Attribute path or named mapping → the backend's field, or a rule. Names are compared without regard to case.",
  examples: [{ userName: 'uid', 'emails[type eq "work"].value': 'mail' }],
} as const;

const useSchema = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'string', minLength: 1 } },
  ],
  description:
    'Presets by name, or mapping files by path relative to this file. A later rule replaces an earlier one of the same attribute; the rules of `mapping` come last.',
  examples: [['scim'], ['unifybroker', './our-users.yaml']],
} as const;

const extensionsSchema = {
  type: 'array',
  description: 'Extension schemas of the type, by URN. User has the enterprise extension anyway.',
  items: {
    anyOf: [
      { type: 'string', minLength: 1 },
      {
        type: 'object',
        additionalProperties: false,
        required: ['schema'],
        properties: {
          schema: { type: 'string', minLength: 1, description: 'The URN.' },
          required: { type: 'boolean', default: false, description: 'A resource without the extension is refused.' },
        },
      },
    ],
  },
} as const;

/** A list entry of `schemas`: a file, or the schema itself. `parseSchema` checks what is inside. */
const schemasSchema = {
  type: 'array',
  description: 'Your own schemas and extensions in the form of RFC 7643 §7: files (YAML or JSON), or written out here.',
  items: { anyOf: [{ type: 'string', minLength: 1 }, { type: 'object' }] },
  examples: [['./acme-user.json']],
} as const;

export const limitsSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'Bounds on what one request may ask for.',
  properties: {
    maxResults: { type: 'integer', minimum: 1, maximum: 100_000, default: 1000, description: 'The largest page.' },
    defaultResults: {
      type: 'integer',
      minimum: 1,
      default: 100,
      description: 'The page when the request names no count.',
    },
    scanLimit: {
      type: 'integer',
      minimum: 0,
      default: 10_000,
      description:
        'Records read at most when the backend cannot filter or sort by itself; beyond it the answer is 400.',
    },
    bodyBytes: { type: 'integer', minimum: 1024, default: 33_554_432, description: 'The largest request body.' },
    bulkOperations: { type: 'integer', minimum: 1, default: 1000, description: 'Operations in one bulk request.' },
    bulkBytes: { type: 'integer', minimum: 1024, default: 4_194_304, description: 'The largest bulk request body.' },
    requestSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: 600,
      default: 25,
      description: 'A request that takes longer is ended with 503. Identity providers give up after 30 to 100 seconds.',
    },
    maxMembers: {
      type: 'integer',
      minimum: 1,
      default: 250_000,
      description: 'A group with more members is only answered with excludedAttributes=members.',
    },
    filterLength: { type: 'integer', minimum: 64, default: 8192, description: 'Characters of a filter.' },
    filterDepth: { type: 'integer', minimum: 4, maximum: 500, default: 64, description: 'How deep filters nest.' },
    jsonDepth: { type: 'integer', minimum: 8, maximum: 500, default: 64, description: 'How deep bodies nest.' },
    requestsPerSecond: {
      type: 'integer',
      minimum: 0,
      default: 100,
      description:
        'Requests a second that are served in the long run. More wait a little, then are answered 429 with Retry-After. Entra ID asks for 25 at least; 0: no limit.',
    },
    burst: {
      type: 'integer',
      minimum: 1,
      description: 'Requests that may come at once before the rate counts. Default: ten seconds of requestsPerSecond.',
    },
    concurrentRequests: {
      type: 'integer',
      minimum: 1,
      default: 250,
      description: 'Requests that are worked on at the same time. More wait a little, then are answered 429.',
    },
  },
} as const;

export const resourceSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['adapter'],
  properties: {
    adapter: { type: 'string', description: 'The name of the adapter, from `adapters`, where these resources live.' },
    entity: {
      type: 'string',
      minLength: 1,
      description: "The adapter's entity: a table, a branch of the directory … Default: the type's name.",
    },
    id: {
      type: 'string',
      minLength: 1,
      description: "The field that holds the id; it must never change or be used again. Default: the adapter's own id.",
      examples: ['entryUUID'],
    },
    idPrefix: {
      type: 'string',
      pattern: '^[A-Za-z0-9._-]{1,16}$',
      description: 'Put before ids, where two entities could issue the same one.',
      examples: ['g-'],
    },
    lookupField: {
      type: 'string',
      minLength: 1,
      description: 'The field that references to these resources hold, unless a rule says `by`. Default: the id.',
      examples: ['dn'],
    },
    description: { type: 'string', description: 'Shown in /ResourceTypes.' },
    schema: {
      type: 'string',
      minLength: 1,
      description: 'The URN of the core schema of a type of your own. User and Group have theirs.',
    },
    endpoint: {
      type: 'string',
      pattern: '^/[A-Za-z][A-Za-z0-9_-]*$',
      description: 'Where the type of your own is, under the address. Default: "/" + name + "s".',
      examples: ['/Devices'],
    },
    extensions: extensionsSchema,
    use: useSchema,
    mapping: mappingSchema,
    operations: { ...operationsSchema, default: {} },
    unmapped: {
      enum: ['drop', 'reject'],
      default: 'drop',
      description:
        'What becomes of an attribute that no rule maps: dropped and reported, or the request is refused with 400.',
    },
    shared: {
      type: 'boolean',
      default: false,
      description: 'Other gateways may use the same entity. Every one of them says so.',
    },
    canonicalValues: {
      enum: ['free', 'enforce'],
      default: 'free',
      description: "Values outside a schema's canonicalValues are kept as they are, or refused.",
    },
  },
} as const;

export const gatewaySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['resources'],
  properties: {
    name: { type: 'string', description: 'For people. Default: the identifier.' },
    description: { type: 'string', description: 'For people.' },
    address: {
      type: 'string',
      pattern: '^/[A-Za-z0-9._~/-]*$',
      description:
        'The path of the SCIM base URL. Default: /scim when there is one gateway, else "/" + identifier + "/scim".',
      examples: ['/scim'],
    },
    enabled: {
      type: 'boolean',
      default: true,
      description:
        'A gateway that is switched off answers 503. `scimbridge gateway enable|disable` does it without a change here.',
    },
    level: {
      enum: ['debug', 'information', 'warning'],
      default: 'information',
      description:
        'What the gateway logs: warnings and errors; every change too (information); every request with its backend calls (debug).',
    },
    record: recordSchema,
    strict: {
      type: 'boolean',
      default: false,
      description:
        'Only what the RFCs allow: the tolerances that Entra ID, Okta and others need are off, and attributes that no rule maps are refused.',
    },
    auth: authSchema,
    limits: limitsSchema,
    pagination: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'Paging by index and by cursor (RFC 9865) are both always there.',
      properties: {
        default: {
          enum: ['index', 'cursor'],
          default: 'index',
          description: 'How a list is paged when the request says nothing.',
        },
        cursorTimeoutSeconds: {
          type: 'integer',
          minimum: 10,
          maximum: 604_800,
          default: 3600,
          description: 'How long a cursor stays valid.',
        },
      },
    },
    requireIfMatch: {
      type: 'boolean',
      default: false,
      description: 'A change without If-Match is refused with 428.',
    },
    sensitiveFilters: {
      type: 'array',
      default: [],
      items: { type: 'string', minLength: 1 },
      description:
        'Attributes that may not stand in the filter of a URL, which ends up in logs: 403 `sensitive`, use POST /.search.',
      examples: [['emails', 'phoneNumbers.value']],
    },
    resources: {
      type: 'object',
      minProperties: 1,
      propertyNames: nameSchema,
      additionalProperties: resourceSchema,
      description: 'The resource types of the gateway: User, Group, and types of your own.',
    },
  },
} as const;

export const gatewayFileSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['version', 'gateways'],
  properties: {
    version: { const: 1, description: 'The version of the file format; write "version: 1".' },
    listen: {
      type: 'string',
      pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/\\[\\]]+):[0-9]{1,5}$',
      default: '127.0.0.1:8080',
      description: 'Host and port that the gateway listens on.',
      examples: ['0.0.0.0:8080', '[::1]:8080'],
    },
    publicUrl: {
      type: 'string',
      pattern: '^https?://[^\\s/?#]+(/[^\\s?#]*)?$',
      description:
        'Where callers reach the gateway, when a proxy stands before it. No query string. Default: what the request says.',
      examples: ['https://scim.example.com'],
    },
    data: {
      type: 'string',
      minLength: 1,
      default: './data',
      description: "The folder of the gateway's own state, relative to this file.",
    },
    state: stateSchema,
    log: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        level: {
          enum: ['trace', 'debug', 'info', 'warn', 'error'],
          default: 'info',
          description: 'Each level includes those after it.',
        },
      },
    },
    tls: tlsSchema,
    trustedProxies: trustedProxiesSchema,
    metrics: metricsSchema,
    transactions: transactionsSchema,
    reloadOnChange: {
      type: 'boolean',
      default: false,
      description: 'Read this file and those it names again when they change, not only on SIGHUP.',
    },
    schemas: schemasSchema,
    adapters: {
      type: 'object',
      default: {},
      propertyNames: nameSchema,
      additionalProperties: {
        type: 'object',
        required: ['type'],
        properties: {
          type: { type: 'string', description: 'The kind of backend.' },
          use: {
            ...useSchema,
            description:
              'Presets by name, or files by path, whose section `adapter` says what this one does not say. Objects are merged, and null takes out what a preset says.',
            examples: ['scim-target'],
          },
        },
      },
      description: 'The backends, by a name of your choice.',
    },
    gateways: {
      type: 'object',
      minProperties: 1,
      propertyNames: {
        pattern: '^[A-Za-z][A-Za-z0-9_]*$',
        description: 'An identifier starts with a letter and goes on with letters, digits and "_".',
      },
      additionalProperties: gatewaySchema,
      description: 'SCIM endpoints, each a tenant of its own, by an identifier of your choice.',
    },
  },
} as const;

/** A mapping file that `use` names. */
export const mappingFileSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    use: useSchema,
    mapping: { ...mappingSchema, description: 'Rules for whichever type uses the file.' },
    resources: {
      type: 'object',
      propertyNames: nameSchema,
      description: 'What applies only to the type of that name.',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: { extensions: extensionsSchema, use: useSchema, mapping: mappingSchema },
      },
    },
    schemas: schemasSchema,
    adapter: {
      type: 'object',
      required: ['type'],
      properties: { type: { type: 'string', description: 'The kind of adapter that the section is for.' } },
      description: 'What a section of `adapters` with this file in its `use` says where it says nothing itself.',
    },
  },
} as const;

export type GatewayFile = FromSchema<typeof gatewayFileSchema>;
export type GatewaySection = FromSchema<typeof gatewaySchema>;
export type ResourceSection = FromSchema<typeof resourceSchema>;
export type MappingFile = FromSchema<typeof mappingFileSchema>;
export type LimitsConfig = FromSchema<typeof limitsSchema>;
export { authSchema };
export type AuthConfig = FromSchema<typeof authSchema>;
export type JwtIssuerConfig = FromSchema<typeof jwtIssuerSchema>;
export type ExtensionsConfig = FromSchema<typeof extensionsSchema>;
