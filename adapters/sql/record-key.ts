import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Dialect } from './dialects/dialect.js';
import type { SqlValue } from './pool.js';
import type { Assignment } from './row-edit.js';
import { all, column, type InRow, list, name, type Sql, sql } from './sql-text.js';
import type { ColumnSchema, TableSchema } from './table-schema.js';
import { isOneOfTuples, tupleScalar } from './tuple-scalar.js';
import { parseTuple, splitParts } from './tuple-text.js';

/**
 * The columns that name a record: its own key, or those of a child table that hold the key of another one. A key is one
 * value: that of the only column, or the texts of several as a JSON array.
 */
export interface RecordKey {
  readonly columns: readonly ColumnSchema[];
  /** The key as one expression. */
  readonly select: InRow;
  /** What to order by. */
  readonly order: InRow;
  is(alias: Sql, key: SqlValue): Sql;
  isNot(alias: Sql, key: SqlValue): Sql;
  isOneOf(alias: Sql, keys: readonly SqlValue[]): Sql;
  /** Comes later in the order. @throws AdapterError rejected for what is no key */
  isAfter(alias: Sql, key: SqlValue): Sql;
  assign(key: SqlValue): readonly Assignment[];
  /** After RETURNING, for a row put into the table. */
  returning(table: Sql): Sql;
  /** The key of the record with that id, as far as the id tells it: for statements that are not carried out. */
  onPaper(id: string): SqlValue;
}

export interface RecordKeyOptions {
  readonly dialect: Dialect;
  readonly columns: readonly ColumnSchema[];
  readonly table: TableSchema;
  readonly prefix?: string;
}

export function recordKey(options: RecordKeyOptions): RecordKey {
  const [only, ...others] = options.columns;
  return only !== undefined && others.length === 0 ? simpleKey(options.dialect, only) : compositeKey(options);
}

/** The names in a declaration of one column or several. */
export function namesIn(declared: string | readonly string[]): readonly string[] {
  return typeof declared === 'string' ? [declared] : declared;
}

function simpleKey(dialect: Dialect, schema: ColumnSchema): RecordKey {
  const at: InRow = (alias) => column(alias, schema.name);
  return {
    columns: [schema],
    select: at,
    order: at,
    is: (alias, key) => sql`${at(alias)} = ${key}`,
    isNot: (alias, key) => sql`${at(alias)} <> ${key}`,
    isOneOf: (alias, keys) => dialect.isOneOf(at(alias), schema, keys),
    isAfter: (alias, key) => sql`${at(alias)} > ${key}`,
    assign: (key) => [{ column: schema.name, value: sql`${key}` }],
    returning: () => name(schema.name),
    onPaper: (id) => id,
  };
}

function compositeKey({ dialect, columns, table, prefix = '' }: RecordKeyOptions): RecordKey {
  const { select } = tupleScalar({ dialect, field: '$id', columns, table, prefix });
  const inRow = (alias: Sql): readonly Sql[] => columns.map((schema) => column(alias, schema.name));
  const textsOf = (key: SqlValue): readonly string[] => {
    const texts = parseTuple(key, columns.length);
    if (texts === undefined) throw new AdapterError('rejected', 'This is no key of a record here.');
    return texts;
  };
  const valuesOf = (key: SqlValue) =>
    textsOf(key).map((text, index) => ({ schema: columns[index], value: storedPart(columns[index], text) }));
  const is = (alias: Sql, key: SqlValue): Sql =>
    all(valuesOf(key).map(({ schema, value }) => sql`${column(alias, schema?.name ?? '')} = ${value}`));
  return {
    columns,
    select,
    order: (alias) => list(inRow(alias)),
    is,
    isNot: (alias, key) => sql`NOT ${is(alias, key)}`,
    isOneOf: (alias, keys) =>
      isOneOfTuples(
        keys.map(textsOf),
        (index, text) => sql`${column(alias, columns[index]?.name ?? '')} = ${storedPart(columns[index], text)}`,
        (index, texts) => {
          const schema = columns[index];
          const values = texts.map((text) => storedPart(schema, text));
          return schema === undefined ? sql`FALSE` : dialect.isOneOf(column(alias, schema.name), schema, values);
        },
      ),
    isAfter: (alias, key) =>
      dialect.isAfterRow(
        inRow(alias),
        valuesOf(key).map(({ value }) => value),
      ),
    assign: (key) => valuesOf(key).map(({ schema, value }) => ({ column: schema?.name ?? '', value: sql`${value}` })),
    returning: select,
    onPaper: (id) => {
      const texts = id.startsWith(prefix) ? splitParts(id.slice(prefix.length), columns.length) : undefined;
      return JSON.stringify(texts ?? columns.map(() => '…'));
    },
  };
}

/** As the column is given it. */
function storedPart(schema: ColumnSchema | undefined, text: string): SqlValue {
  const isWhole = schema?.kind === 'integer' || schema?.kind === 'numeric';
  return isWhole && /^-?\d{1,19}$/.test(text) ? BigInt(text) : text;
}
