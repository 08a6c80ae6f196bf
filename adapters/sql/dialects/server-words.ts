import type { SqlValue } from '../pool.js';
import type { ScalarOptions } from '../scalar-plan.js';
import type { InRow, Sql } from '../sql-text.js';
import type { ColumnKind, ColumnSchema } from '../table-schema.js';

/** How a server spells what all servers can do. */
export interface ServerWords {
  /** Any value as text. */
  text(value: Sql): Sql;
  /** A column's text as it is, where the column keeps texts. */
  column(at: Sql, schema: ColumnSchema): Sql;
  /** A text in a form that is compared and sorted by its code points, trailing spaces included. */
  exactKey(text: Sql): Sql;
  /** The same with A–Z as a–z. */
  asciiKey(text: Sql): Sql;
  /** The same as `fold` makes it; absent where this server cannot do exactly that. */
  readonly foldKey?: (text: Sql) => Sql;
  /** `LIKE` with `!` as the escape; a pattern's other characters are compared as the text's own form compares. */
  like(text: Sql, pattern: string): Sql;
  /** A number as a parameter that is compared with columns of all number types. */
  number(value: SqlValue): Sql;
  /** The number's double, which is what JavaScript would make of it. */
  double(value: Sql): Sql;
  /** The text as a parameter for a column of that kind. */
  typed(value: string, kind: ColumnKind): Sql;
  /** The column's own equality with a text, which an index on it serves; true at least where all characters are the same. */
  resembles(at: Sql, schema: ColumnSchema, text: string): Sql;
  /** The column's own equality is that of all characters, spaces at the end included, for any text. */
  isExact(schema: ColumnSchema): boolean;
  isOneOf(at: Sql, schema: ListedColumn, values: readonly SqlValue[]): Sql;
  /** Texts may hold U+0000. */
  readonly takesNull: boolean;
  /** Finds rows that may be equal without regard to the case of A–Z, by an index; and whether one is unique. */
  caseless(options: ScalarOptions): CaselessIndex | undefined;
  /** The value of a JSON member or element. */
  json(options: ScalarOptions): JsonSource | undefined;
  /** An instant's text for a column of that kind, and the years that it holds. */
  readonly instants: { readonly separator: ' ' | 'T'; readonly leastYear: number };
}

/** What matters of a column, or of an expression, for a list of its values. */
export type ListedColumn = Pick<ColumnSchema, 'kind' | 'declaredType' | 'collationName'>;

export interface CaselessIndex {
  /** Holds for all rows that are equal to the text, and perhaps for others. */
  readonly equals: (alias: Sql, text: string) => Sql;
  readonly isOneOf: (alias: Sql, texts: readonly string[]) => Sql;
  readonly isUnique: boolean;
}

/** What is not of the type asked for is NULL. */
export interface JsonSource {
  readonly text: InRow;
  readonly number: InRow;
  /** 1 or 0. */
  readonly boolean: InRow;
}
