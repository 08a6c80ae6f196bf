import type { FieldUse } from '../../../src/backend/adapter.js';
import type { EntityPlan } from '../entity-plan.js';
import type { SqlValue } from '../pool.js';
import type { Assignment } from '../row-edit.js';
import type { ScalarOptions, ScalarPlan } from '../scalar-plan.js';
import type { InRow, Sql } from '../sql-text.js';
import type { ColumnSchema, TableSchema } from '../table-schema.js';
import type { Work } from '../work.js';

/** What differs from database to database. Everything else is written once. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgresql' | 'mysql';
  /** A composed statement in the database's own spelling. */
  native(text: string): string;
  /** The statement with its parameters spelled out, for people to read. */
  print(statement: Sql): string;
  /** The name of a table as the configuration gives it, quoted. */
  table(name: string): Sql;
  /** How a simple value is read, written and compared. */
  scalar(options: ScalarOptions): ScalarPlan;
  readonly json: JsonDialect;
  /** SQL of the configuration, which is in the database's own spelling. */
  raw(expression: string): Sql;
  /** The kind of a computed value that is to be of that type. */
  computedKind(type: FieldUse['type']): ColumnSchema['kind'];
  /** A column of date and time in that zone, read as and written from UTC; undefined where the database cannot. */
  inZone(at: InRow, zone: string): { readonly at: InRow; readonly write: (value: Sql) => Sql } | undefined;
  /** The text with a fixed one in front of it. */
  prefixed(prefix: string, text: Sql): Sql;
  /** Two columns that hold keys, of perhaps different types, made comparable. */
  alignKeys(one: KeyColumn, other: KeyColumn): { readonly one: InRow; readonly other: InRow };
  /** Texts as one JSON array, in text. */
  tuple(texts: readonly Sql[]): Sql;
  /** The columns come, in their order, after the values: in the form for which an index is used. */
  isAfterRow(columns: readonly Sql[], values: readonly SqlValue[]): Sql;
  /** The column is one of the values, which are as its SELECT gives them or as they are put into it. */
  isOneOf(at: Sql, schema: ColumnSchema, values: readonly SqlValue[]): Sql;
  /** The column holds exactly this; NULL for no value. */
  holds(at: Sql, schema: ColumnSchema, value: SqlValue): Sql;
  /** The term that holds for rows of which the column is not set. */
  isUnset(table: TableSchema, at: Sql): Sql;
  /** `ORDER BY …`: without a key last ascending and first descending (RFC 7644 §3.4.2.3). */
  order(key: Sql, isDescending: boolean): Sql;
  /** ` LIMIT …` with its OFFSET. */
  limit(limit: number, offset: number): Sql;
  /** ` FOR UPDATE` where rows can be locked one by one. */
  readonly lock: Sql;
  /** UPDATE … RETURNING is known, and round trips are worth saving. */
  readonly updatesGiveRows?: boolean;
  /** Inserts one row. @returns its key, which the database may have given */
  insertRow(
    plan: EntityPlan,
    assignments: readonly Assignment[],
    given: SqlValue | undefined,
  ): Work<SqlValue | undefined>;
  /** What stands between the values of `INSERT … SELECT` and their condition, where a FROM is needed. */
  readonly fromNothing: Sql;
  /** How many rows one INSERT takes at most; 1 where a statement costs next to nothing. */
  readonly rowsPerInsert: number;
  /** How many values one look-up asks for at most. */
  readonly valuesPerLookup: number;
  /** Rows that are written by others at the same time are kept out by transactions alone, not only by unique indexes. */
  readonly isSerial: boolean;
  /** The revision of a row where no column counts it. */
  readonly rowRevision?: InRow;
  /** What the database's refusal means for the entity's fields. @returns the error itself when it is not about data */
  toDataError(
    error: unknown,
    plan: EntityPlan,
    operation: 'create' | 'update' | 'delete',
    written: string | undefined,
  ): unknown;
  readonly inspection: {
    /** Gives the names of all tables and views. */
    readonly tableNames: Sql;
    /** Holds for a row whose folded copy is not what it should be; absent where the database cannot tell. */
    readonly isStale?: (own: Sql, copy: Sql) => Sql;
    /** What is to be said of the database as a whole. */
    readonly warnings: readonly string[];
  };
}

export interface KeyColumn {
  readonly schema: ColumnSchema;
  readonly at: InRow;
  /** Stands before the column's text. */
  readonly prefix: string;
}

/** JSON documents in columns. */
export interface JsonDialect {
  /** What is at the path as JSON text; a single value counts as an array of it, nothing as an empty one. */
  array(column: ColumnSchema, members: readonly string[]): InRow;
  /** The elements of that array as rows. */
  elements(column: ColumnSchema, members: readonly string[], isRecords: boolean): JsonElements;
  /** The whole document, as `set` and `remove` take it, and as text. */
  document(column: ColumnSchema): InRow;
  text(column: ColumnSchema): InRow;
  /** The document with a value in the place; all enclosing objects are there. */
  set(document: Sql, members: readonly string[], json: string): Sql;
  remove(document: Sql, members: readonly string[]): Sql;
  /** A document that was changed, as it is put into its column. */
  stored(column: ColumnSchema, document: Sql): Sql;
  readonly empty: Sql;
  /** Why the column cannot hold documents, in words that follow the field's name. */
  problem(column: ColumnSchema): string | undefined;
}

export interface JsonElements {
  readonly from: (outer: Sql, inner: Sql) => Sql;
  readonly where: (outer: Sql, inner: Sql) => Sql;
  readonly order: InRow;
}
