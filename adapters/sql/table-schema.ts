/**
 * What a column keeps. `text`, `integer`, `real`, `numeric` and `none` are SQLite's affinities too, where `none` keeps
 * each value as it is given and the numeric ones keep other things when they must.
 *
 * - `instant`: a point in time (timestamptz, MySQL's TIMESTAMP); `localTime`: date and time without a zone (timestamp,
 *   DATETIME); `date`: a day
 * - `other`: anything that has a text form which the database reads back (enum, inet, interval)
 */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'real'
  | 'numeric'
  | 'none'
  | 'boolean'
  | 'uuid'
  | 'bytes'
  | 'instant'
  | 'localTime'
  | 'date'
  | 'json'
  | 'other';

export interface ColumnSchema {
  readonly name: string;
  /** As the database prints it: `character varying(20)`, `tinyint(1)`. */
  readonly declaredType: string;
  readonly kind: ColumnKind;
  /**
   * When the column calls two texts equal. `binary`: when all characters are the same, trailing spaces included;
   * `nocase`: also when A–Z and a–z are all that differs; `other`: something else, but the same texts always.
   */
  readonly collation: 'binary' | 'nocase' | 'other';
  /** Of `other`: texts that differ in the case of A–Z alone are equal too (citext, `_ci`). */
  readonly ignoresCase?: boolean;
  /** MySQL: the collation, which starts with the name of the character set. */
  readonly collationName?: string;
  readonly notNull: boolean;
  /** Computed by the database: never written. */
  readonly isGenerated: boolean;
  /** The database gives a new row a value of its own: AUTO_INCREMENT, identity, a sequence, gen_random_uuid(). */
  readonly isGivenByDatabase?: boolean;
  /** There is a DEFAULT for a missing value. */
  readonly hasDefault?: boolean;
  /** A missing value is written as '' and not as NULL, because the column takes no NULL and its default is ''. */
  readonly defaultsToEmptyText: boolean;
  /** The longest text, in characters (code points). */
  readonly maxLength?: number;
  /** The longest text or binary, in bytes. */
  readonly maxBytes?: number;
  /** Least and greatest of an integer column. */
  readonly range?: readonly [least: bigint, greatest: bigint];
  /** How many digits of a second an instant keeps. */
  readonly fractionDigits?: number;
}

export interface IndexSchema {
  readonly name: string;
  readonly unique: boolean;
  readonly partial: boolean;
  /** Of a partial index, as the database prints it: `(deleted_at IS NULL)`. */
  readonly predicate?: string;
  /** In the index's order; undefined for an expression, and for the first characters of a column only. */
  readonly columns: readonly (string | undefined)[];
  /** Beside `columns`, the text of expressions as the database prints them: `lower((login)::text)`. */
  readonly expressions?: readonly (string | undefined)[];
  /** Absent for the index of a PRIMARY KEY or UNIQUE clause. */
  readonly sql?: string;
}

export interface ForeignKeySchema {
  readonly name?: string;
  readonly columns: readonly string[];
  readonly table: string;
  readonly references: readonly string[];
}

/** A table or view as it is in the database; `exists` is false when it is only declared. */
export interface TableSchema {
  /** As the configuration names it: `users`, `hr.users`. */
  readonly name: string;
  readonly exists: boolean;
  readonly isView: boolean;
  /** By their names in lower case. */
  readonly columns: ReadonlyMap<string, ColumnSchema>;
  /** The one of the primary key is among them, on servers. */
  readonly indexes: readonly IndexSchema[];
  /** Lower case names of the PRIMARY KEY's columns. */
  readonly primaryKey: readonly string[];
  /** Where it was asked for. */
  readonly foreignKeys?: readonly ForeignKeySchema[];
  /** MyISAM, Aria …: a name for the engine of a table in which a failed transaction leaves what it wrote. */
  readonly engineWithoutTransactions?: string;
  /** SQLite: rows have a number of their own. */
  readonly hasRowid: boolean;
  /** SQLite: the one column that is another name of the rowid. */
  readonly rowidColumn?: string;
  /** A key that the database gave is never given again. */
  readonly isAutoincrement: boolean;
}

/** The column, whatever the case of its name; a column of text when there is none, so that planning can go on. */
export function columnOf(table: TableSchema, column: string): ColumnSchema {
  return table.columns.get(column.toLowerCase()) ?? { ...unknownColumn, name: column };
}

/** An index whose columns start with these, in any order, and that holds all rows. */
export function hasIndexOn(table: TableSchema, columns: readonly string[]): boolean {
  const wanted = new Set(columns.map((column) => column.toLowerCase()));
  const starts = (names: readonly (string | undefined)[]) =>
    names.length >= wanted.size &&
    names.slice(0, wanted.size).every((column) => wanted.has(column?.toLowerCase() ?? ''));
  if (wanted.size === 1 && table.rowidColumn !== undefined && wanted.has(table.rowidColumn)) return true;
  return starts(table.primaryKey) || table.indexes.some((index) => !index.partial && starts(index.columns));
}

const unknownColumn: ColumnSchema = {
  name: '',
  declaredType: '',
  kind: 'text',
  collation: 'binary',
  notNull: false,
  isGenerated: false,
  defaultsToEmptyText: false,
};

export function missingTable(table: string): TableSchema {
  return {
    name: table,
    exists: false,
    isView: false,
    columns: new Map(),
    indexes: [],
    primaryKey: [],
    hasRowid: true,
    isAutoincrement: false,
  };
}
