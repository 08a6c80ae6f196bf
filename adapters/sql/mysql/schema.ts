import type { ReadTableSchemas } from '../pool.js';
import {
  type ColumnKind,
  type ColumnSchema,
  type ForeignKeySchema,
  type IndexSchema,
  missingTable,
  type TableSchema,
} from '../table-schema.js';

/** Everything about the tables in one statement. The names of columns differ between servers in the case of letters. */
function question(count: number): string {
  const wanted = (schema: string, table: string): string => {
    const pair = `(${schema} = coalesce(?, database()) AND ${table} = ?)`;
    return `(${Array.from({ length: count }, () => pair).join(' OR ')})`;
  };
  const here = wanted('table_schema', 'table_name');
  const place = "'schema', table_schema, 'table', table_name";
  return `
SELECT 'table', json_object(${place}, 'type', table_type, 'engine', engine,
  'here', table_schema = database(), 'anyCase', @@lower_case_table_names > 0)
FROM information_schema.tables WHERE ${here}
UNION ALL
SELECT 'column', json_object(${place}, 'position', ordinal_position, 'name', column_name, 'declared', column_type, 'type', data_type,
  'nullable', is_nullable, 'default', column_default, 'extra', extra, 'expression', generation_expression,
  'length', character_maximum_length, 'bytes', character_octet_length, 'collation', collation_name, 'digits', datetime_precision)
FROM information_schema.columns WHERE ${here}
UNION ALL
SELECT 'index', json_object(${place}, 'name', index_name, 'repeats', non_unique, 'position', seq_in_index, 'column', column_name,
  'part', sub_part, 'method', index_type)
FROM information_schema.statistics WHERE ${here}
UNION ALL
SELECT 'foreignKey', json_object(${place}, 'name', constraint_name, 'position', ordinal_position, 'column', column_name,
  'toSchema', referenced_table_schema, 'toTable', referenced_table_name, 'toColumn', referenced_column_name)
FROM information_schema.key_column_usage WHERE referenced_table_name IS NOT NULL AND ${here}`;
}

interface Placed {
  readonly schema: string;
  readonly table: string;
}

interface FoundTable extends Placed {
  readonly type: string;
  readonly engine: string | null;
  readonly here: number | boolean;
  readonly anyCase: number | boolean;
}

interface FoundColumn extends Placed {
  readonly position: number;
  readonly name: string;
  readonly declared: string;
  readonly type: string;
  readonly nullable: string;
  readonly default: string | null;
  readonly extra: string;
  readonly expression: string | null;
  readonly length: number | null;
  readonly bytes: number | null;
  readonly collation: string | null;
  readonly digits: number | null;
}

interface FoundIndexPart extends Placed {
  readonly name: string;
  readonly repeats: number;
  readonly position: number;
  readonly column: string | null;
  readonly part: number | null;
  readonly method: string;
}

interface FoundReference extends Placed {
  readonly name: string;
  readonly position: number;
  readonly column: string;
  readonly toSchema: string;
  readonly toTable: string;
  readonly toColumn: string;
}

/** The tables as MariaDB or MySQL has them, in one round trip. */
export const readMysqlSchemas: ReadTableSchemas = async (connection, tables) => {
  if (tables.length === 0) return [];
  const names = tables.flatMap((table) => placeOf(table));
  const params = [...names, ...names, ...names, ...names];
  const { rows } = await connection.run({ text: question(tables.length), params });
  const found = <T extends Placed>(kind: string): readonly T[] =>
    rows.filter(([own]) => own === kind).map(([, json]) => JSON.parse(String(json)) as T);
  const [all, columns] = [found<FoundTable>('table'), found<FoundColumn>('column')];
  const [parts, references] = [found<FoundIndexPart>('index'), found<FoundReference>('foreignKey')];
  return tables.map((name) => {
    const table = all.find((candidate) => isCalled(candidate, name));
    if (table === undefined) return missingTable(name);
    const own = <T extends Placed>(each: readonly T[]): readonly T[] =>
      each.filter((part) => part.schema === table.schema && part.table === table.table);
    return toTableSchema(name, table, own(columns), own(parts), own(references));
  });
};

/** `hr.users` is the table of another database. */
function placeOf(table: string): readonly [schema: string | null, table: string] {
  const dot = table.indexOf('.');
  return dot < 0 ? [null, table] : [table.slice(0, dot), table.slice(dot + 1)];
}

function isCalled({ schema, table, here, anyCase }: FoundTable, name: string): boolean {
  const [wantedSchema, wanted] = placeOf(name);
  const same = (a: string, b: string): boolean => (anyCase ? a.toLowerCase() === b.toLowerCase() : a === b);
  return same(table, wanted) && (wantedSchema === null ? Boolean(here) : same(schema, wantedSchema));
}

function toTableSchema(
  name: string,
  table: FoundTable,
  columns: readonly FoundColumn[],
  parts: readonly FoundIndexPart[],
  references: readonly FoundReference[],
): TableSchema {
  const schemas = columns.toSorted(byPosition).map(toColumnSchema);
  const indexes = byName(parts).flatMap(toIndexSchema);
  return {
    name,
    exists: true,
    isView: table.type !== 'BASE TABLE',
    ...(withoutTransactions.test(table.engine ?? '') ? { engineWithoutTransactions: table.engine ?? '' } : {}),
    columns: new Map(schemas.map((column) => [column.name.toLowerCase(), column])),
    indexes,
    primaryKey:
      indexes.find((index) => index.name === 'PRIMARY')?.columns.map((each) => each?.toLowerCase() ?? '') ?? [],
    foreignKeys: byName(references).map((each) => toForeignKey(each, table)),
    hasRowid: false,
    isAutoincrement: true, // Kept over a restart by InnoDB.
  };
}

const withoutTransactions = /^(MyISAM|Aria|MEMORY|CSV|ARCHIVE|MRG_MyISAM|BLACKHOLE)$/i;

function byName<T extends { readonly name: string }>(parts: readonly T[]): readonly (readonly T[])[] {
  const names = new Set(parts.map(({ name }) => name));
  return [...names].map((name) => parts.filter((part) => part.name === name));
}

function byPosition(a: { readonly position: number }, b: { readonly position: number }): number {
  return a.position - b.position;
}

function toIndexSchema(found: readonly FoundIndexPart[]): readonly IndexSchema[] {
  const [first] = found;
  if (first === undefined || !['BTREE', 'HASH'].includes(first.method)) return [];
  const ordered = found.toSorted(byPosition);
  return [
    {
      name: first.name,
      unique: Number(first.repeats) === 0,
      partial: false,
      columns: ordered.map(({ column, part }) => (column === null || part !== null ? undefined : column)),
    },
  ];
}

function toForeignKey(found: readonly FoundReference[], { schema }: FoundTable): ForeignKeySchema {
  const ordered = found.toSorted(byPosition);
  const { name = '', toSchema = schema, toTable = '' } = ordered[0] ?? {};
  return {
    name,
    columns: ordered.map(({ column }) => column),
    table: toSchema === schema ? toTable : `${toSchema}.${toTable}`,
    references: ordered.map(({ toColumn }) => toColumn),
  };
}

const kinds: Readonly<Record<string, ColumnKind>> = {
  ...named('text', 'char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'),
  ...named('integer', 'tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year'),
  ...named('real', 'float', 'double'),
  ...named('bytes', 'binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'),
  decimal: 'numeric',
  uuid: 'uuid',
  timestamp: 'instant',
  datetime: 'localTime',
  date: 'date',
  json: 'json',
};

function named(kind: ColumnKind, ...types: readonly string[]): Readonly<Record<string, ColumnKind>> {
  return Object.fromEntries(types.map((type) => [type, kind]));
}

const bitsOf: Readonly<Record<string, bigint>> = { tinyint: 8n, smallint: 16n, mediumint: 24n, int: 32n, bigint: 64n };

function toColumnSchema(column: FoundColumn): ColumnSchema {
  const { name, declared, extra, digits } = column;
  const type = column.type.toLowerCase();
  const kind = declared === 'bit(1)' ? 'boolean' : (kinds[type] ?? 'other');
  const notNull = column.nullable === 'NO';
  const isText = kind === 'text';
  // MariaDB prints a default as SQL, MySQL as it is.
  const isEmptyDefault = column.default === "''" || column.default === '';
  return {
    name,
    declaredType: declared,
    kind,
    ...collationOf(column.collation),
    ...(column.collation === null ? {} : { collationName: column.collation }),
    notNull,
    isGenerated: (column.expression ?? '') !== '',
    isGivenByDatabase: /auto_increment/i.test(extra) || /^uuid\(\)$/i.test(column.default ?? ''),
    hasDefault: column.default !== null && column.default !== 'NULL',
    defaultsToEmptyText: notNull && isText && isEmptyDefault,
    ...lengthOf(kind, type, column),
    ...rangeOf(type, declared),
    ...(kind === 'instant' || kind === 'localTime' ? { fractionDigits: Number(digits ?? 0) } : {}),
  };
}

function lengthOf(
  kind: ColumnKind,
  type: string,
  { length, bytes }: FoundColumn,
): { maxLength?: number; maxBytes?: number } {
  if (kind === 'bytes') return bytes === null ? {} : { maxBytes: Number(bytes) };
  if (kind !== 'text' || length === null) return {};
  // TEXT and its like are limited in bytes; their characters are told as if each were one byte.
  return type.endsWith('char') ? { maxLength: Number(length) } : { maxBytes: Number(bytes ?? length) };
}

function rangeOf(type: string, declared: string): { range?: readonly [bigint, bigint] } {
  if (type === 'year') return { range: [1901n, 2155n] };
  const bits = bitsOf[type];
  if (bits === undefined) return {};
  if (/unsigned/i.test(declared)) return { range: [0n, 2n ** bits - 1n] };
  return { range: [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] };
}

/** Nearly all collations overlook spaces at the end ("PAD SPACE"): those of their names that do not say so. */
function collationOf(collation: string | null): Pick<ColumnSchema, 'collation' | 'ignoresCase'> {
  if (collation === null || collation === 'binary' || /(nopad|0900)_bin$/.test(collation))
    return { collation: 'binary' };
  return { collation: 'other', ignoresCase: /_ci$/.test(collation) };
}
