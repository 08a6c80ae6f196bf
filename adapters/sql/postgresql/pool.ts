import type { AdapterLog } from '../../../src/backend/adapter.js';
import type { ConnectionConfig } from '../connection-config.js';
import { connectionTarget } from '../connection-target.js';
import type { SqlPool } from '../pool.js';
import { poolLimits } from '../pool-limits.js';
import { ServerPool } from '../server-pool.js';
import { createPostgresqlDriver } from './connection.js';

export interface PostgresqlConnectionConfig extends Partial<ConnectionConfig> {
  readonly preparedStatements?: boolean;
  readonly searchPath?: string;
}

const defaultPort = 5432;

/**
 * Nothing is connected before it is needed.
 * @throws AdapterError `unsupported` when the configuration contradicts itself
 */
export async function openPostgresqlPool(
  config: PostgresqlConnectionConfig,
  baseDir: string,
  log: AdapterLog,
): Promise<SqlPool> {
  const { connectTimeoutMs = 5_000, statementTimeoutMs = 30_000, preparedStatements = true, searchPath } = config;
  const target = await connectionTarget(config, baseDir, defaultPort);
  const driver = createPostgresqlDriver({
    ...{ target, connectTimeoutMs, statementTimeoutMs, preparedStatements },
    ...(searchPath === undefined ? {} : { searchPath }),
  });
  return new ServerPool({ driver, ...poolLimits(config.pool), log });
}
