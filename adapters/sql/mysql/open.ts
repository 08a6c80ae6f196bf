import type { Adapter, AdapterEnvironment } from '../../../src/backend/adapter.js';
import { openServerAdapter } from '../server-adapter.js';
import type { MysqlConfig } from './config.js';
import { mysqlKind } from './kind.js';
import { openMysqlPool } from './pool.js';

/**
 * A server that is down is waited for by the operations.
 * @throws AdapterError `unsupported` when the configuration contradicts itself
 */
export async function openMysqlAdapter(config: MysqlConfig, environment: AdapterEnvironment): Promise<Adapter> {
  const pool = await openMysqlPool(config, environment.baseDir, environment.log);
  return openServerAdapter({ kind: mysqlKind, pool, tables: config.entities, environment });
}
