import type { Adapter, AdapterEnvironment } from '../../../src/backend/adapter.js';
import { openServerAdapter } from '../server-adapter.js';
import type { PostgresqlConfig } from './config.js';
import { postgresqlKind } from './kind.js';
import { openPostgresqlPool } from './pool.js';

/**
 * A server that is down is waited for by the operations.
 * @throws AdapterError `unsupported` when the configuration contradicts itself
 */
export async function openPostgresqlAdapter(
  config: PostgresqlConfig,
  environment: AdapterEnvironment,
): Promise<Adapter> {
  const pool = await openPostgresqlPool(config, environment.baseDir, environment.log);
  return openServerAdapter({ kind: postgresqlKind, pool, tables: config.entities, environment });
}
