import { type AdapterModule, contractVersion } from '../../../src/backend/adapter.js';
import { declaredFields } from '../../declared-fields.js';
import { type MysqlConfig, mysqlConfigSchema } from './config.js';

/**
 * Records in tables of MySQL or MariaDB. Every configuration is checked against the schemas of all adapters, so this file
 * is read at each start; what speaks to the database is loaded where there is one.
 */
export const mysqlModule: AdapterModule<MysqlConfig> = {
  contractVersion,
  type: 'mysql',
  configSchema: mysqlConfigSchema,
  retryAfter: 'adapter',
  declared: ({ entities }) => declaredFields(entities),
  async draft(request) {
    const { draftMysql } = await import('./draft.js');
    return draftMysql(request);
  },
  async open(config, environment) {
    const { openMysqlAdapter } = await import('./open.js');
    return openMysqlAdapter(config, environment);
  },
};
