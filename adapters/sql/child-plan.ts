import type { FieldUse } from '../../src/backend/adapter.js';
import type { ChildColumnConfig, ChildFieldConfig } from './config.js';
import { type ChildColumn, type ChildField, type FieldContext, placeOf, tooManyColumns } from './field-plan.js';
import { fixedColumns, restrictionTo } from './fixed-columns.js';
import { namesIn, recordKey } from './record-key.js';
import type { ScalarPlan } from './scalar-plan.js';
import { column, type InRow, list, type Sql, sql } from './sql-text.js';
import { type ColumnSchema, columnOf, type TableSchema } from './table-schema.js';
import { tupleScalar } from './tuple-scalar.js';

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
  const parents = namesIn(config.parent).map((name) => columnOf(table, name));
  if (parents.length !== context.key.length) {
    const own = parents.length === 1 ? '1 column' : `${parents.length} columns`;
    return `has ${own} in \`parent\`, and the record's key has ${context.key.length}: name them in the same order`;
  }
  const fixed = fixedColumns(table, config.fixed);
  const restriction = restrictionTo(fixed);
  const visible = joined(hidden);
  const values = [...columns.values()].flatMap(namesOf);
  const own = parents.map(({ name }) => name);
  const identity = identityOf(table, [...new Set([...own, ...values])]);
  const position = config.position === undefined ? undefined : columnOf(table, config.position).name;
  const order = position === undefined ? identity : [position, ...identity];
  const parentPrefix = context.parentPrefix(use);
  if (parentPrefix !== '' && parents.length > 1)
    return 'holds whole ids, which the database cannot make of several columns';
  const keys = alignedKeys(context, parents, parentPrefix);
  const tableName = context.dialect.table(table.name);
  return {
    kind: 'child',
    name: use.name,
    use,
    isWritable: config.readOnly !== true && use.inverseOf === undefined && !table.isView,
    table,
    tableName,
    parent: recordKey({ dialect: context.dialect, columns: parents, table }),
    parentPrefix,
    parentKey: keys.key,
    parentColumn: keys.parent,
    columns,
    parts,
    isRecords: use.type === 'records',
    fixed,
    ...(position === undefined ? {} : { position }),
    restriction,
    visible,
    isShared: values.some((name) => own.includes(name) || fixed.some((item) => item.column === name)),
    identity,
    from: (_outer, inner) => sql`${tableName} AS ${inner}`,
    where: (outer, inner) => sql`${keys.equal(outer, inner)}${restriction(inner)}${visible(inner)}`,
    order: (row) => list(order.map((columnName) => column(row, columnName))),
  };
}

/** The record's key and the parent columns, made comparable. */
function alignedKeys({ key, dialect }: FieldContext, parents: readonly ColumnSchema[], prefix: string) {
  const pairs = parents.map((parent, index) => {
    const schema = key[index] ?? parent;
    return dialect.alignKeys(
      { schema, at: (row) => column(row, schema.name), prefix },
      { schema: parent, at: (row) => column(row, parent.name), prefix: '' },
    );
  });
  const [only] = pairs;
  const equal = (outer: Sql, inner: Sql): Sql =>
    list(
      pairs.map(({ one, other }) => sql`${one(outer)} = ${other(inner)}`),
      ' AND ',
    );
  if (only !== undefined && pairs.length === 1) return { key: only.one, parent: only.other, equal };
  return {
    key: (row: Sql) => sql`(${list(pairs.map(({ one }) => one(row)))})`,
    parent: (row: Sql) => list(pairs.map(({ other }) => other(row))),
    equal,
  };
}

function namesOf({ column: last, others = [] }: ChildColumn): readonly string[] {
  return [...others, last].map(({ name }) => name);
}

function planParts(use: FieldUse, named: readonly NamedColumn[], table: TableSchema, context: FieldContext) {
  const columns = new Map<string, ChildColumn>();
  const parts = new Map<string, ScalarPlan>();
  const hidden: InRow[] = [];
  for (const [part, { column: declared, folded, format, timeZone }] of named) {
    const own = part === '' ? use : use.children?.find((child) => child.name === part);
    if (own === undefined) continue; // declared, and not used by the mapping
    const width = context.keyWidth(own);
    const schemas = namesIn(declared).map((name) => columnOf(table, name));
    const [schema, ...others] = schemas.toReversed();
    if (schema === undefined || schemas.length !== (width ?? 1)) return tooManyColumns(schemas.length, width);
    const visible = context.visibleFor(own, schemas);
    if (visible !== undefined) hidden.push(visible);
    if (others.length > 0) {
      const options = { dialect: context.dialect, field: use.name, columns: schemas, table };
      columns.set(part, { column: schema, others: others.toReversed() });
      parts.set(part, tupleScalar({ ...options, prefix: context.prefixFor(own) }));
      continue;
    }
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

interface NamedColumns extends Omit<Exclude<ChildColumnConfig, string | readonly string[]>, 'column'> {
  readonly column: string | readonly string[];
}
type NamedColumn = readonly [string, NamedColumns];

/** The columns of the parts. `column` stands for the only part of child records, a single one of `columns` for the value. */
function childColumns(use: FieldUse, { column: one, columns }: ChildFieldConfig): readonly NamedColumn[] | string {
  const entries = Object.entries(columns ?? {}).map(([part, config]): NamedColumn => [part, namedColumns(config)]);
  if (one !== undefined) {
    if (entries.length > 0) return 'has both `column` and `columns`';
    const only = namedColumns(one);
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

function namedColumns(config: ChildColumnConfig): NamedColumns {
  return typeof config === 'string' || Array.isArray(config) ? { column: config } : config;
}

function identityOf(table: TableSchema, columns: readonly string[]): readonly string[] {
  if (table.rowidColumn !== undefined) return [table.rowidColumn];
  const isFree = !['rowid', '_rowid_', 'oid'].some((hidden) => table.columns.has(hidden));
  if (table.hasRowid && isFree) return ['rowid'];
  return table.primaryKey.length > 0 ? table.primaryKey : columns;
}
