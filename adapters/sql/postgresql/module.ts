import { type AdapterModule, contractVersion } from '../../../src/backend/adapter.js';
import { declaredFields } from '../../declared-fields.js';
import { type PostgresqlConfig, postgresqlConfigSchema } from './config.js';

/**
 * Records in tables of PostgreSQL. Every configuration is checked against the schemas of all adapters, so this file
 * is read at each start; what speaks to the database is loaded where there is one.
 */
export const postgresqlModule: AdapterModule<PostgresqlConfig> = {
  contractVersion,
  type: 'postgresql',
  configSchema: postgresqlConfigSchema,
  retryAfter: 'adapter',
  declared: ({ entities }) => declaredFields(entities),
  async draft(request) {
    const { draftPostgresql } = await import('./draft.js');
    return draftPostgresql(request);
  },
  async open(config, environment) {
    const { openPostgresqlAdapter } = await import('./open.js');
    return openPostgresqlAdapter(config, environment);
  },
};
