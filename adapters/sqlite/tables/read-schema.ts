import type { Database } from 'better-sqlite3';
import { name } from '../../sql/sql-text.js';
import {
  type ColumnKind,
  type ColumnSchema,
  type IndexSchema,
  missingTable,
  type TableSchema,
} from '../../sql/table-schema.js';

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly dflt_value: string | null;
  readonly pk: number;
  readonly hidden: number;
}

export function readTableSchema(db: Database, table: string): TableSchema {
  const found = db
    .prepare<[string], { name: string; type: string; wr: number }>(
      "SELECT name, type, wr FROM pragma_table_list(?) WHERE type IN ('table', 'view', 'virtual')",
    )
    .get(table);
  if (found === undefined) return missingTable(table);
  const rows = db.prepare<[string], ColumnRow>('SELECT * FROM pragma_table_xinfo(?)').all(table);
  const key = rows.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  const definition = db.prepare<[string], { sql: string | null }>('SELECT sql FROM sqlite_master WHERE name = ?');
  const isRowidKey = found.type === 'table' && found.wr === 0 && key.length === 1 && key[0]?.type === 'INTEGER';
  return {
    name: found.name,
    exists: true,
    isView: found.type === 'view',
    columns: new Map(rows.map((row) => [row.name.toLowerCase(), columnSchema(db, found.name, row)])),
    indexes: readIndexes(db, found.name),
    primaryKey: key.map((row) => row.name.toLowerCase()),
    hasRowid: found.type !== 'view' && found.wr === 0,
    ...(isRowidKey && key[0] !== undefined ? { rowidColumn: key[0].name.toLowerCase() } : {}),
    isAutoincrement: /\bautoincrement\b/i.test(definition.get(found.name)?.sql ?? ''),
  };
}

function columnSchema(db: Database, table: string, row: ColumnRow): ColumnSchema {
  const kind = affinityOf(row.type);
  return {
    name: row.name,
    declaredType: row.type,
    kind,
    collation: collationOf(db, table, row.name),
    notNull: row.notnull !== 0,
    isGenerated: row.hidden === 2 || row.hidden === 3,
    hasDefault: row.dflt_value !== null,
    defaultsToEmptyText: row.notnull !== 0 && kind === 'text' && (row.dflt_value === "''" || row.dflt_value === '""'),
  };
}

/** What SQLite does to a value that is put into the column. @see https://www.sqlite.org/datatype3.html §3.1 */
function affinityOf(declaredType: string): ColumnKind {
  const type = declaredType.toUpperCase();
  if (type.includes('INT')) return 'integer';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'text';
  if (type === '' || type.includes('BLOB')) return 'none';
  return /REAL|FLOA|DOUB/.test(type) ? 'real' : 'numeric';
}

/** No pragma tells a column's collation, but a UNION drops what its first column calls equal. */
function collationOf(db: Database, table: string, column: string): ColumnSchema['collation'] {
  const distinct = (other: string): number => {
    const values = `SELECT ${name(column).text} FROM ${name(table).text} WHERE 0 UNION SELECT 'a' UNION SELECT '${other}'`;
    return db.prepare<[], number>(`SELECT count(*) FROM (${values})`).pluck().get() ?? 0;
  };
  try {
    if (distinct('A') === 1) return 'nocase';
    return distinct('a ') === 2 && distinct('b') === 2 ? 'binary' : 'other';
  } catch {
    return 'other'; // a collation that the application registers and we do not have
  }
}

function readIndexes(db: Database, table: string): readonly IndexSchema[] {
  const indexes = db
    .prepare<[string], { name: string; unique: number; partial: number; sql: string | null }>(
      'SELECT i.name, i."unique", i.partial, m.sql FROM pragma_index_list(?) AS i LEFT JOIN sqlite_master AS m ON m.name = i.name',
    )
    .all(table);
  const columns = db.prepare<[string], { name: string | null; cid: number }>(
    'SELECT name, cid FROM pragma_index_info(?)',
  );
  return indexes.map((index) => ({
    name: index.name,
    unique: index.unique !== 0,
    partial: index.partial !== 0,
    columns: columns.all(index.name).map((row) => row.name ?? undefined),
    ...(index.sql === null ? {} : { sql: index.sql }),
  }));
}
