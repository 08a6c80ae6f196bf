import type { Draft, DraftRequest } from '../../../src/backend/draft.js';
import { draftTables } from '../draft.js';
import { draftConnection } from '../draft-connection.js';
import type { ColumnSchema, TableSchema } from '../table-schema.js';
import { openMysqlPool } from './pool.js';
import { readMysqlSchemas } from './schema.js';

const tableNames =
  'SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY 1 LIMIT 500';

/** A configuration for a MySQL or MariaDB database as it is found. */
export async function draftMysql(request: DraftRequest): Promise<Draft> {
  const { config, entries } = draftConnection(request, 'mysql');
  const pool = await openMysqlPool(config, '/', request.log);
  try {
    const catalog = await pool.read(
      async (connection) => {
        const [version] = (await connection.run({ text: 'SELECT version()', params: [] })).rows;
        const names = (await connection.run({ text: tableNames, params: [] })).rows.map(([name]) => String(name));
        const tables = await readMysqlSchemas(connection, names);
        return { product: productOf(String(version?.[0])), tables, loginAdvice };
      },
      { signal: request.signal, requestId: 'init' },
    );
    return draftTables(catalog, request, entries);
  } finally {
    await pool.close();
  }
}

function productOf(version: string): string {
  const number = version.replace(/-.*/, '');
  return /mariadb/i.test(version) ? `MariaDB ${number}` : `MySQL ${number}`;
}

function loginAdvice(table: TableSchema, login: ColumnSchema): string | undefined {
  if (table.isView) return undefined;
  if (login.ignoresCase !== true) {
    return `"${login.name}" is compared with regard to case: a collation like utf8mb4_unicode_ci makes look-ups right and quick.`;
  }
  const isUnique = table.indexes.some(
    ({ unique, columns }) => unique && columns.length === 1 && columns[0] === login.name,
  );
  if (isUnique) return undefined;
  return `Nothing keeps "${login.name}" unique: ALTER TABLE ${table.name} ADD UNIQUE (${login.name}) does, and makes look-ups quick.`;
}
