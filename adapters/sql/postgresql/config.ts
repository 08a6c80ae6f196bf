import { type TablesConfig, tablesConfigSchema } from '../config.js';
import type { ConnectionConfig } from '../connection-config.js';
import { connectionProperties } from '../connection-config.js';

/** The `adapters.<name>` section of gateway.yaml for tables in PostgreSQL. */
export const postgresqlConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'entities'],
  description: 'Records in tables of a PostgreSQL database.',
  properties: {
    type: { const: 'postgresql' },
    url: {
      type: 'string',
      pattern: '^[Pp]ostgres([Qq][Ll])?://[^?#\\s]+$',
      description: 'The server, the database and the account. The password is better kept in `password`.',
      examples: ['postgresql://scimbridge@db.example.com:5432/hr'],
    },
    ...connectionProperties,
    preparedStatements: {
      type: 'boolean',
      default: true,
      description:
        'Prepare statements once for each connection. False behind a pooler that gives every transaction another ' +
        'connection of the server, as PgBouncer does before 1.21.',
    },
    searchPath: {
      type: 'string',
      minLength: 1,
      description: "The schemas in which tables are looked for, in this order. Default: the account's own setting.",
      examples: ['hr, public'],
    },
    entities: tablesConfigSchema,
  },
} as const;

export interface PostgresqlConfig extends ConnectionConfig {
  readonly type: 'postgresql';
  readonly preparedStatements: boolean;
  readonly searchPath?: string;
  readonly entities: TablesConfig;
}
