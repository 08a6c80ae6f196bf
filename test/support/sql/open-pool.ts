import { openMysqlPool } from '../../../adapters/sql/mysql/pool.js';
import type { SqlConnection, SqlPool } from '../../../adapters/sql/pool.js';
import { openPostgresqlPool, type PostgresqlConnectionConfig } from '../../../adapters/sql/postgresql/pool.js';
import type { OperationContext } from '../../../src/backend/adapter.js';
import type { SqlDatabase, SqlKind, SqlServer } from './sql-server.js';

export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Connections to a test database as an adapter makes them. */
export function openPool(
  server: SqlServer,
  database: SqlDatabase,
  config: PostgresqlConnectionConfig = {},
): Promise<SqlPool> {
  const open = server.kind === 'postgresql' ? openPostgresqlPool : openMysqlPool;
  return open({ url: database.url, password: server.password, ...config }, '/', quiet);
}

/** An operation that may take so long. */
export function within(ms: number): OperationContext {
  return { signal: AbortSignal.timeout(ms), deadlineMs: performance.now() + ms, requestId: 'test' };
}

/** Statements are written with `?`, and numbered for PostgreSQL. */
export function native(kind: SqlKind, text: string): string {
  let count = 0;
  return kind === 'postgresql' ? text.replaceAll('?', () => `$${++count}`) : text;
}

/** Takes so long on the server. */
export function sleepText(kind: SqlKind, seconds: number): string {
  return kind === 'postgresql' ? `SELECT pg_sleep(${seconds})` : `SELECT sleep(${seconds})`;
}

export async function rowsOf(connection: SqlConnection, text: string): Promise<readonly unknown[]> {
  return (await connection.run({ text, params: [] })).rows;
}
