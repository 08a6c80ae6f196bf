import type { Draft, DraftRequest } from '../../../src/backend/draft.js';
import { draftTables } from '../draft.js';
import { draftConnection } from '../draft-connection.js';
import type { ColumnSchema, TableSchema } from '../table-schema.js';
import { openPostgresqlPool } from './pool.js';
import { readPostgresqlSchemas } from './schema.js';

/** Tables and views that the account can see, those on its search path without their schema. */
const tableNames = `
SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1 LIMIT 2000`;

/** A configuration for a PostgreSQL database as it is found. */
export async function draftPostgresql(request: DraftRequest): Promise<Draft> {
  const { config, entries } = draftConnection(request, 'postgresql');
  const pool = await openPostgresqlPool(config, '/', request.log);
  try {
    const catalog = await pool.read(
      async (connection) => {
        const [version] = (await connection.run({ text: 'SHOW server_version', params: [] })).rows;
        const names = (await connection.run({ text: tableNames, params: [] })).rows.map(([name]) => String(name));
        const tables = await readPostgresqlSchemas(connection, names);
        return { product: `PostgreSQL ${String(version?.[0]).replace(/ .*/, '')}`, tables, loginAdvice };
      },
      { signal: request.signal, requestId: 'init' },
    );
    return draftTables(catalog, request, entries);
  } finally {
    await pool.close();
  }
}

/** Names are looked up without regard to case, which an index on the bare column does not help. */
function loginAdvice(table: TableSchema, login: ColumnSchema): string | undefined {
  if (login.ignoresCase === true || table.isView) return undefined;
  const isFolded = table.indexes.some(
    ({ unique, expressions }) =>
      unique &&
      expressions?.length === 1 &&
      /^lower\(/.test(expressions[0] ?? '') &&
      expressions[0]?.includes(login.name),
  );
  if (isFolded) return undefined;
  return `Look-ups by "${login.name}" pay no regard to case: CREATE UNIQUE INDEX ON ${table.name} (lower(${login.name})) makes them quick, and keeps people apart.`;
}
