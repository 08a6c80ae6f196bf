import { type TablesConfig, tablesConfigSchema } from '../config.js';
import { type ConnectionConfig, connectionProperties } from '../connection-config.js';

/** The `adapters.<name>` section of gateway.yaml for tables in MySQL or MariaDB. */
export const mysqlConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'entities'],
  description: 'Records in tables of a MySQL or MariaDB database.',
  properties: {
    type: { const: 'mysql' },
    url: {
      type: 'string',
      pattern: '^([Mm]y[Ss][Qq][Ll]|[Mm]aria[Dd][Bb])://[^?#\\s]+$',
      description: 'The server, the database and the account. The password is better kept in `password`.',
      examples: ['mysql://scimbridge@db.example.com:3306/hr'],
    },
    ...connectionProperties,
    entities: tablesConfigSchema,
  },
} as const;

export interface MysqlConfig extends ConnectionConfig {
  readonly type: 'mysql';
  readonly entities: TablesConfig;
}
