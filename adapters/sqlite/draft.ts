import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Draft, DraftRequest } from '../../src/backend/draft.js';
import { draftTables } from '../sql/draft.js';
import type { ColumnSchema, ForeignKeySchema, TableSchema } from '../sql/table-schema.js';
import { toAdapterError } from './errors.js';
import { readTableSchema } from './tables/read-schema.js';

const tableNames = `
SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`;

/** A configuration for the tables of a SQLite file as they are found. The file is opened for reading. */
export async function draftSqlite(request: DraftRequest): Promise<Draft> {
  const file = request.url;
  if (!existsSync(file)) throw new AdapterError('unsupported', `There is no file ${file}.`);
  const [tables, version] = readTables(file);
  const catalog = { product: `SQLite ${version}`, tables, loginAdvice };
  return draftTables(catalog, request, [
    { key: 'type', value: 'sqlite' },
    { key: 'file', value: request.written ?? file, note: 'it is used in WAL mode' },
  ]);
}

function readTables(file: string): readonly [tables: readonly TableSchema[], version: string] {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    try {
      const names = db.prepare<[], string>(tableNames).pluck().all();
      const version = db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? '';
      return [names.map((name) => ({ ...readTableSchema(db, name), foreignKeys: foreignKeysOf(db, name) })), version];
    } finally {
      db.close();
    }
  } catch (error) {
    throw toAdapterError(error);
  }
}

interface ForeignKeyRow {
  readonly id: number;
  readonly table: string;
  readonly from: string;
  /** Null: the other table's primary key. */
  readonly to: string | null;
}

function foreignKeysOf(db: Database.Database, table: string): readonly ForeignKeySchema[] {
  const rows = db
    .prepare<[string], ForeignKeyRow>(
      'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq',
    )
    .all(table);
  return [...new Set(rows.map(({ id }) => id))].map((id) => {
    const parts = rows.filter((row) => row.id === id);
    return {
      columns: parts.map(({ from }) => from),
      table: parts[0]?.table ?? '',
      references: parts.flatMap(({ to }) => to ?? []),
    };
  });
}

function loginAdvice(table: TableSchema, login: ColumnSchema): string | undefined {
  const isUnique = table.indexes.some(
    ({ unique, columns }) => unique && columns.length === 1 && columns[0] === login.name,
  );
  if (table.isView || (login.collation === 'nocase' && isUnique)) return undefined;
  return `Look-ups by "${login.name}" pay no regard to case, and no index here helps them: a \`folded\` column does, see docs/backends/sql.md.`;
}
