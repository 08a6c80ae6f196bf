import type { TablesConfig } from '../../adapters/sql/config.js';
import { mysqlKind } from '../../adapters/sql/mysql/kind.js';
import { postgresqlKind } from '../../adapters/sql/postgresql/kind.js';
import { openServerAdapter } from '../../adapters/sql/server-adapter.js';
import type { EntityUse } from '../../src/backend/adapter.js';
import { startSql } from '../support/sql/available.js';
import { openPool } from '../support/sql/open-pool.js';
import type { SqlKind } from '../support/sql/sql-server.js';
import { environmentIn } from './contract-entities.js';
import type { ContractSubject } from './contract-fixture.js';

/** A server of its own with one schema; every test starts with empty tables. */
export async function sqlSubject(
  kind: SqlKind,
  schema: string,
  tables: TablesConfig,
  entities: readonly EntityUse[],
): Promise<ContractSubject> {
  const server = await startSql(kind);
  const database = await server.createDatabase(schema);
  const emptied = tableNames(tables);
  const grants =
    kind === 'postgresql'
      ? `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${server.user}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${server.user}`
      : undefined;
  if (grants !== undefined) await database.run(grants);
  const quote = kind === 'postgresql' ? '"' : '`';
  const emptying = emptied.map((name) => `DELETE FROM ${quote}${name}${quote};`).join('\n');
  return {
    entities,
    open: async () =>
      openServerAdapter({
        kind: kind === 'postgresql' ? postgresqlKind : mysqlKind,
        pool: await openPool(server, database),
        tables,
        environment: environmentIn('/', entities),
      }),
    reset: async () => {
      await database.run(emptying);
    },
    close: () => server.close(),
  };
}

/** Children before those that they refer to. */
function tableNames(tables: TablesConfig): readonly string[] {
  const children = Object.values(tables).flatMap(({ fields }) =>
    Object.values(fields).flatMap((field) => (typeof field === 'object' && 'table' in field ? [field.table] : [])),
  );
  return [...new Set([...children, ...Object.values(tables).map(({ table }) => table)])];
}
