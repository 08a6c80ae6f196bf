import type { FromSchema } from 'json-schema-to-ts';
import { tlsSchema } from '../tls-section.js';

const poolSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Connections to the server. Each carries out one operation at a time.',
  properties: {
    connections: { type: 'integer', minimum: 1, maximum: 500, default: 10, description: 'The most at the same time.' },
    waitMs: {
      type: 'integer',
      minimum: 10,
      maximum: 600_000,
      default: 5_000,
      description: 'How long an operation waits for a connection when all are in use, in milliseconds.',
    },
    idleMs: {
      type: 'integer',
      minimum: 1_000,
      default: 60_000,
      description: 'A connection that nobody used for so long is closed, in milliseconds.',
    },
    maxAgeMs: {
      type: 'integer',
      minimum: 1_000,
      default: 1_800_000,
      description: 'A connection that is older is replaced, so that a server that moved is found, in milliseconds.',
    },
  },
} as const;

/** Keys of the sections of `postgresql` and `mysql` that are about connections. */
export const connectionProperties = {
  host: {
    type: 'string',
    minLength: 1,
    description: 'The server, in place of `url`: a name, an address, or the folder or file of a local socket.',
    examples: ['db.example.com', '/var/run/postgresql'],
  },
  port: { type: 'integer', minimum: 1, maximum: 65_535 },
  database: { type: 'string', minLength: 1, description: 'The database, in place of `url`.' },
  user: { type: 'string', minLength: 1, description: "The gateway's own account there, in place of `url`." },
  password: { type: 'string', minLength: 1, examples: [`\${env:DB_PASSWORD}`, `\${file:/run/secrets/db}`] },
  tls: tlsSchema(
    'How the server proves who it is, and the gateway to it. Connections to other machines are always encrypted, those to this one when the section is there.',
    'db.example.com',
  ),
  allowClearText: {
    type: 'boolean',
    default: false,
    description: 'Send everything readable to anybody in between, to a server on another machine.',
  },
  pool: poolSchema,
  connectTimeoutMs: {
    type: 'integer',
    minimum: 100,
    maximum: 60_000,
    default: 5_000,
    description: 'How long connecting, encrypting and signing in may take, in milliseconds.',
  },
  statementTimeoutMs: {
    type: 'integer',
    minimum: 100,
    maximum: 3_600_000,
    default: 30_000,
    description:
      'The server ends a statement that takes longer, in milliseconds. One whose request is over is ended before.',
  },
} as const;

const connectionSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { url: { type: 'string' }, ...connectionProperties },
} as const;

/** The part of a section that says how to reach the server; defaults are filled in by the schema. */
export type ConnectionConfig = FromSchema<typeof connectionSchema>;
export type PoolConfig = FromSchema<typeof poolSchema>;
