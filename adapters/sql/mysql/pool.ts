import type { AdapterLog } from '../../../src/backend/adapter.js';
import type { ConnectionConfig } from '../connection-config.js';
import { connectionTarget } from '../connection-target.js';
import type { SqlPool } from '../pool.js';
import { poolLimits } from '../pool-limits.js';
import { ServerPool } from '../server-pool.js';
import { createMysqlDriver } from './connection.js';

const defaultPort = 3306;

/**
 * Nothing is connected before it is needed.
 * @throws AdapterError `unsupported` when the configuration contradicts itself
 */
export async function openMysqlPool(
  config: Partial<ConnectionConfig>,
  baseDir: string,
  log: AdapterLog,
): Promise<SqlPool> {
  const { connectTimeoutMs = 5_000, statementTimeoutMs = 30_000 } = config;
  const target = await connectionTarget(config, baseDir, defaultPort);
  const driver = createMysqlDriver({ target, connectTimeoutMs, statementTimeoutMs });
  return new ServerPool({ driver, ...poolLimits(config.pool), log });
}
