import type { FieldUse } from '../../src/backend/adapter.js';
import type { ChildFieldConfig } from './config.js';
import { type ChildColumn, type ChildField, type FieldContext, placeOf } from './field-plan.js';
import { fixedColumns, restrictionTo } from './fixed-columns.js';
import type { ScalarPlan } from './scalar-plan.js';
import { column, type InRow, list, type Sql, sql } from './sql-text.js';
import { columnOf, type TableSchema } from './table-schema.js';

/** @returns why it cannot be done, in words that follow the field's name */
export function planChild(use: FieldUse, config: ChildFieldConfig, context: FieldContext): ChildField | string {
  const named = childColumns(use, config);
  if (typeof named === 'string') return named;
  const table = context.readTable(config.table);
  const planned = planParts(use, named, table, context);
  if (typeof planned === 'string') return planned;
  const { columns, parts, hidden } = planned;
  const missing = use.children?.find((child) => !parts.has(child.name));
  if (use.type === 'records' && missing !== undefined) return `has no column for its part "${missing.name}"`;
  const parent = columnOf(table, config.parent);
  const fixed = fixedColumns(table, config.fixed);
  const restriction = restrictionTo(fixed);
  const visible = joined(hidden);
  const values = [...columns.values()].map((item) => item.column.name);
  const identity = identityOf(table, parent.name, values);
  const position = config.position === undefined ? undefined : columnOf(table, config.position).name;
  const order = position === undefined ? identity : [position, ...identity];
  const parentPrefix = context.parentPrefix(use);
  const keys = context.dialect.alignKeys(
    { schema: context.key, at: (row) => column(row, context.key.name), prefix: parentPrefix },
    { schema: parent, at: (row) => column(row, parent.name), prefix: '' },
  );
  const tableName = context.dialect.table(table.name);
  return {
    kind: 'child',
    name: use.name,
    use,
    isWritable: config.readOnly !== true && use.inverseOf === undefined && !table.isView,
    table,
    tableName,
    parent,
    parentPrefix,
    parentKey: keys.one,
    parentColumn: keys.other,
    columns,
    parts,
    isRecords: use.type === 'records',
    fixed,
    ...(position === undefined ? {} : { position }),
    restriction,
    visible,
    identity,
    from: (_outer, inner) => sql`${tableName} AS ${inner}`,
    where: (outer, inner) => sql`${keys.one(outer)} = ${keys.other(inner)}${restriction(inner)}${visible(inner)}`,
    order: (row) => list(order.map((columnName) => column(row, columnName))),
  };
}

function planParts(use: FieldUse, named: readonly NamedColumn[], table: TableSchema, context: FieldContext) {
  const columns = new Map<string, ChildColumn>();
  const parts = new Map<string, ScalarPlan>();
  const hidden: InRow[] = [];
  for (const [part, { column: columnName, folded, format, timeZone }] of named) {
    const own = part === '' ? use : use.children?.find((child) => child.name === part);
    if (own === undefined) continue; // declared, and not used by the mapping
    const schema = columnOf(table, columnName);
    const foldedSchema = folded === undefined ? {} : { folded: columnOf(table, folded) };
    const place = placeOf(context.dialect, schema, table, timeZone);
    if (typeof place === 'string') return place;
    const scalar = context.dialect.scalar({
      field: use.name,
      type: own.type,
      comparison: own.comparison,
      place,
      ...foldedSchema,
      prefix: context.prefixFor(own),
      ...(format === undefined ? {} : { format }),
    });
    columns.set(part, { column: schema, ...foldedSchema });
    parts.set(part, scalar);
    const visible = context.visibleFor(own, schema);
    if (visible !== undefined) hidden.push(visible);
  }
  return { columns, parts, hidden };
}

function joined(conditions: readonly InRow[]): InRow {
  return (row: Sql) =>
    list(
      conditions.map((condition) => condition(row)),
      '',
    );
}

type NamedColumn = readonly [string, Exclude<NonNullable<ChildFieldConfig['column']>, string>];

/** The columns of the parts. `column` stands for the only part of child records, a single one of `columns` for the value. */
function childColumns(use: FieldUse, { column: one, columns }: ChildFieldConfig): readonly NamedColumn[] | string {
  const entries = Object.entries(columns ?? {}).map(
    ([part, config]): NamedColumn => [part, typeof config === 'string' ? { column: config } : config],
  );
  if (one !== undefined) {
    if (entries.length > 0) return 'has both `column` and `columns`';
    const only = typeof one === 'string' ? { column: one } : one;
    if (use.type !== 'records') return [['', only]];
    const [child, ...others] = use.children ?? [];
    return child !== undefined && others.length === 0
      ? [[child.name, only]]
      : 'holds child records with several parts: it needs `columns`';
  }
  if (use.type === 'records') return entries.length > 0 ? entries : 'needs `columns`';
  const [entry] = entries;
  return entry !== undefined && entries.length === 1 ? [['', entry[1]]] : 'holds simple values: it needs `column`';
}

function identityOf(table: TableSchema, parent: string, columns: readonly string[]): readonly string[] {
  if (table.rowidColumn !== undefined) return [table.rowidColumn];
  const isFree = !['rowid', '_rowid_', 'oid'].some((hidden) => table.columns.has(hidden));
  if (table.hasRowid && isFree) return ['rowid'];
  return table.primaryKey.length > 0 ? table.primaryKey : [parent, ...columns];
}
