import type { FieldCapability, FieldUse, FilterOp, Precision } from '../../src/backend/adapter.js';
import type { Comparison, ComparisonKey } from '../../src/scim/comparison.js';
import type { InstantFormat } from './config.js';
import type { SqlValue } from './pool.js';
import { column, type InRow, type Sql } from './sql-text.js';
import type { StoredScalar } from './stored-scalar.js';
import type { ColumnSchema, TableSchema } from './table-schema.js';

/**
 * How one simple value is compared in SQL. Every piece is true exactly where the in-memory evaluator would say so, or
 * also elsewhere for an operator that is a `superset`; where it is not true it may be false or NULL, so that a negation
 * is `IS NOT TRUE`.
 */
export interface Comparer {
  /** What it is sorted by; NULL without a value. */
  readonly key: InRow;
  readonly present: InRow;
  compare(alias: Sql, op: Exclude<FilterOp, 'pr'>, key: ComparisonKey): Sql;
  oneOf(alias: Sql, keys: readonly ComparisonKey[]): Sql;
}

/** One simple value: how it is read, written and compared. */
export interface ScalarPlan extends StoredScalar, Comparer {
  /** As the mapping calls it. */
  readonly field: string;
  readonly type: FieldUse['type'];
  readonly comparison: Comparison;
  readonly operators: Readonly<Partial<Record<FilterOp, Precision>>>;
  readonly isSortable: boolean;
  /** What `decode` takes. */
  readonly select: InRow;
  /** What `encode` gave, as it is put into the column. */
  readonly write: (stored: SqlValue) => Sql;
  /** Of a value in several columns: what each is set to for what `encode` gave, NULL for none. */
  readonly spread?: (stored: SqlValue) => readonly { readonly column: ColumnSchema; readonly value: SqlValue }[];
  /** The column in which an index finds equal values. */
  readonly indexable?: string;
  /** A unique index keeps values apart, by this comparison or by a wider one. */
  readonly isKeptUnique?: boolean;
}

/** Where a simple value lies. */
export type ValuePlace =
  | {
      readonly kind: 'column';
      readonly schema: ColumnSchema;
      /** The table whose indexes are on the column. */
      readonly table: TableSchema;
      /** Columns of the table that are the same in all rows that are ours: a unique index may have them beside this one. */
      readonly fixed?: readonly string[];
      /** The column that is set in deleted rows alone: an index may leave them out. */
      readonly deleted?: string;
      /** What is read instead of the bare column: an expression, or its time in UTC. */
      readonly at?: InRow;
      /** What is written for a value. */
      readonly write?: (value: Sql) => Sql;
    }
  /** A member of the JSON object in a column. */
  | { readonly kind: 'member'; readonly column: ColumnSchema; readonly members: readonly string[] }
  /** An element of the JSON array there, a row of `JsonDialect.elements`. */
  | { readonly kind: 'element'; readonly column: ColumnSchema; readonly members: readonly string[] }
  /** A member of an element that is an object. */
  | {
      readonly kind: 'elementMember';
      readonly column: ColumnSchema;
      readonly members: readonly string[];
      readonly member: string;
    };

/** The value as it is read. */
export function readAt({ schema, at }: Extract<ValuePlace, { kind: 'column' }>): InRow {
  return at ?? ((alias) => column(alias, schema.name));
}

export interface ScalarOptions {
  readonly field: string;
  readonly type: FieldUse['type'];
  /** How the mapping wants it compared. */
  readonly comparison: Comparison;
  readonly place: ValuePlace;
  readonly folded?: ColumnSchema;
  readonly format?: InstantFormat;
  readonly prefix?: string;
  /** Compared by its exact characters even where the column's collation is another. */
  readonly isExact?: boolean;
}

export function scalarCapability({ comparison, operators, isSortable }: ScalarPlan): FieldCapability {
  return { comparison, operators, sortable: isSortable };
}

/** What a type can be asked for at all. */
export function operatorsOf(type: FieldUse['type']): readonly FilterOp[] {
  switch (type) {
    case 'string':
      return ['pr', 'eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];
    case 'number':
    case 'instant':
      return ['pr', 'eq', 'gt', 'ge', 'lt', 'le'];
    case 'boolean':
      return ['pr', 'eq'];
    case 'bytes':
    case 'records':
      return ['pr'];
  }
}

export function allOperators(type: FieldUse['type']): Readonly<Partial<Record<FilterOp, Precision>>> {
  return Object.fromEntries(operatorsOf(type).map((op) => [op, 'exact']));
}
