import type { Dialect } from './dialects/dialect.js';
import type { EntityPlan } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import type { FixedColumn } from './fixed-columns.js';
import type { SqlValue } from './pool.js';
import type { Assignment } from './row-edit.js';
import type { ScalarPlan } from './scalar-plan.js';
import { rejected } from './stored-scalar.js';
import { type ColumnSchema, columnOf, type TableSchema } from './table-schema.js';
import { tupleScalar } from './tuple-scalar.js';

/** Keys of other types are given by the gateway even where the database could: then they are known before the INSERT. */
export function isNumbered(table: TableSchema, generated: ColumnSchema | undefined): boolean {
  if (generated === undefined) return false;
  const { kind, isGivenByDatabase } = columnOf(table, generated.name);
  return kind === 'integer' && isGivenByDatabase === true;
}

export function idScalar(
  dialect: Dialect,
  columns: readonly ColumnSchema[],
  table: TableSchema,
  prefix: string,
): ScalarPlan {
  const [schema, ...others] = columns;
  if (schema === undefined || others.length > 0) return tupleScalar({ dialect, field: '$id', columns, table, prefix });
  const place = { kind: 'column', schema, table } as const;
  return dialect.scalar({ field: '$id', type: 'string', comparison: 'exact', place, prefix, isExact: true });
}

/** Of several columns, the one that a new record has no value for from elsewhere, else the one that the database gives. */
export function generatedColumn(
  columns: readonly ColumnSchema[],
  table: TableSchema,
  fields: ReadonlyMap<string, FieldPlan>,
  fixed: readonly FixedColumn[],
): ColumnSchema | undefined {
  if (columns.length === 1) return columns[0];
  const written = [...fields.values()].flatMap((field) =>
    field.kind === 'column' && field.isWritable && field.use.written && field.scalar.spread === undefined
      ? [field.column.name]
      : [],
  );
  const varying = columns.filter(({ name }) => !fixed.some((item) => item.column === name));
  const [only, ...others] = varying.filter(({ name }) => !written.includes(name));
  if (only !== undefined && others.length === 0) return only;
  return varying.find(({ name }) => columnOf(table, name).isGivenByDatabase === true);
}

/** What the row has already where a reference in several columns may have some of the key's. */
export function ownColumns({ key, fixed }: EntityPlan, of: SqlValue): readonly Assignment[] {
  return key.columns.length === 1 ? fixed : [...fixed, ...key.assign(of)];
}

/** @throws AdapterError rejected when a column of the key has no value, and the database gives none */
export function assertWholeKey(
  { key, generated, generateKey, fields }: EntityPlan,
  assignments: readonly Assignment[],
): void {
  if (key.columns.length === 1) return;
  for (const { name: own } of key.columns) {
    if (generateKey === 'database' && generated?.name === own) continue;
    if (assignments.some((item) => isSameColumn(item.column, own))) continue;
    const field = [...fields.values()].find((each) => each.kind === 'column' && each.column.name === own);
    throw rejected(field?.name ?? '$id', "It is part of the record's identity and must have a value.");
  }
}

export function simpleKeyIn({ key }: EntityPlan, assignments: readonly Assignment[]): SqlValue | undefined {
  const [only, ...others] = key.columns;
  if (only === undefined || others.length > 0) return undefined;
  return assignments.find((item) => isSameColumn(item.column, only.name))?.value.params[0];
}

export function isOfKey({ key }: EntityPlan, columnName: string): boolean {
  return key.columns.some((own) => own.name === columnName);
}

export function isSameColumn(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
