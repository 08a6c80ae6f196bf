import type { FromSchema } from 'json-schema-to-ts';
import { tlsSchema } from '../tls-section.js';
import { authSchema } from './auth-config.js';
import { entitySchema } from './entity-config.js';
import { pointerSchema, requestSchema } from './template-config.js';

const errorsSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'What the bodies of refusals say.',
  properties: {
    message: { ...pointerSchema, description: 'Where the words for people are.', examples: ['/error/message'] },
    code: { ...pointerSchema, description: 'Where the code is.', examples: ['/error/code'] },
    field: {
      ...pointerSchema,
      description: 'Where the place in the record is that is meant: a JSON Pointer, or the name of a member.',
      examples: ['/error/field'],
    },
    conflicts: {
      type: 'array',
      description:
        'Refusals because another record has the value. Default: status 409, of the only unique field of the entity.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['field'],
        properties: {
          field: { type: 'string', minLength: 1, description: 'The field whose value is taken.' },
          status: { type: 'integer', minimum: 400, maximum: 599, description: 'Default: any refusal.' },
          code: { type: 'string', minLength: 1, description: 'The code is this one.' },
          contains: { type: 'string', minLength: 1, description: 'The message contains this.' },
        },
      },
    },
  },
} as const;

/** The `adapters.<name>` section of gateway.yaml for a REST service. */
export const restConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'baseUrl', 'entities'],
  description: 'A service that speaks HTTP and JSON, declared by its requests.',
  properties: {
    type: { const: 'rest' },
    baseUrl: {
      type: 'string',
      pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^?#@\\s]+$',
      description: 'Where all paths start. No request goes anywhere else.',
      examples: ['https://hr.example.com/api/v2'],
    },
    auth: authSchema,
    tls: tlsSchema('How the target proves who it is, and the gateway to it.', 'api.example.com'),
    allowClearText: {
      type: 'boolean',
      default: false,
      description: 'Send everything, also credentials, readable to anybody in between, to `http://` on other machines.',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Headers of every request.',
      examples: [{ 'X-Tenant': 'acme' }],
    },
    mediaType: {
      type: 'string',
      minLength: 1,
      default: 'application/json',
      description: 'What is asked for, and what bodies are that have no media type of their own.',
    },
    timeoutMs: {
      type: 'integer',
      minimum: 100,
      maximum: 600_000,
      default: 10_000,
      description: 'How long one request may take, in milliseconds.',
    },
    connectTimeoutMs: {
      type: 'integer',
      minimum: 100,
      maximum: 60_000,
      default: 5_000,
      description: 'How long connecting may take, in milliseconds.',
    },
    connections: {
      type: 'integer',
      minimum: 1,
      maximum: 256,
      default: 16,
      description: 'Connections at the same time.',
    },
    maxResponseBytes: {
      type: 'integer',
      minimum: 1_024,
      maximum: 1_073_741_824,
      default: 10_485_760,
      description: 'Longer answers are refused.',
    },
    proxy: {
      const: 'environment',
      description: 'Go through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.',
    },
    check: {
      ...requestSchema,
      description:
        "The request that tells whether the target answers and accepts the gateway's account. Default: one record of the first entity is asked for.",
      examples: ['GET /health'],
    },
    errors: errorsSchema,
    entities: {
      type: 'object',
      minProperties: 1,
      additionalProperties: entitySchema,
      description: 'Kinds of records, by the name that the mapping calls the entity.',
    },
  },
} as const;

export type RestConfig = FromSchema<typeof restConfigSchema>;
export type ErrorsConfig = NonNullable<RestConfig['errors']>;
