import type { FieldUse } from '../../../src/backend/adapter.js';
import type { ChildFieldConfig, ColumnFieldConfig, FieldConfig } from './config.js';
import { createScalar, type ScalarPlan } from './scalar-plan.js';
import {
  columnSource,
  type InRow,
  jsonArray,
  jsonElementMemberSource,
  jsonElementSource,
  jsonMemberSource,
} from './scalar-source.js';
import { column, list, literal, name, type Sql, type SqlValue, sql } from './sql-text.js';
import { type ColumnSchema, columnOf, type TableSchema } from './table-schema.js';

interface FieldBase {
  readonly name: string;
  readonly use: FieldUse;
  readonly isWritable: boolean;
}

/** A value in a column of the entity's own table. */
export interface ColumnField extends FieldBase {
  readonly kind: 'column';
  readonly column: ColumnSchema;
  readonly folded?: ColumnSchema;
  readonly scalar: ScalarPlan;
}

/** Where a JSON value lies in its column's object. */
export interface JsonPlace {
  readonly column: ColumnSchema;
  readonly members: readonly string[];
  /** The members as SQLite's path. */
  readonly path: string;
}

export interface JsonField extends FieldBase {
  readonly kind: 'json';
  readonly place: JsonPlace;
  readonly scalar: ScalarPlan;
}

interface ListBase extends FieldBase {
  /** Child records by their fields; a list of simple values has the one entry `''`. */
  readonly parts: ReadonlyMap<string, ScalarPlan>;
  readonly isRecords: boolean;
  /** The rows of the record `outer`, as the alias `inner`: what stands after FROM and after WHERE. */
  readonly from: (outer: Sql, inner: Sql) => Sql;
  readonly where: (outer: Sql, inner: Sql) => Sql;
  /** The order in which values are given. */
  readonly order: InRow;
}

export interface JsonListField extends ListBase {
  readonly kind: 'jsonList';
  readonly place: JsonPlace;
}

export interface ChildColumn {
  readonly column: ColumnSchema;
  readonly folded?: ColumnSchema;
}

/** Rows of a child or link table. */
export interface ChildField extends ListBase {
  readonly kind: 'child';
  readonly table: TableSchema;
  readonly parent: ColumnSchema;
  /** What stands in front of the record's key in the parent column: a link may keep whole ids. */
  readonly parentPrefix: string;
  /** The parent column's value for the record in that row. */
  readonly parentKey: InRow;
  readonly columns: ReadonlyMap<string, ChildColumn>;
  readonly fixed: readonly { readonly column: string; readonly value: SqlValue }[];
  readonly position?: string;
  /** ` AND …` that keeps to this field's rows. */
  readonly restriction: InRow;
  /** ` AND …` that hides rows which name a deleted record. */
  readonly visible: InRow;
  /** Columns that tell one row from another. */
  readonly identity: readonly string[];
}

export type ListField = JsonListField | ChildField;
export type FieldPlan = ColumnField | JsonField | ListField;

/** What planning a field needs to know about its surroundings. */
export interface FieldContext {
  readonly table: TableSchema;
  readonly keyColumn: string;
  readonly readTable: (table: string) => TableSchema;
  /** The prefix of the ids that the field's values are, where they are ids of one entity here. */
  readonly prefixFor: (use: FieldUse) => string;
  /** What stands in front of the record's key where rows of the field name it. */
  readonly parentPrefix: (use: FieldUse) => string;
  /** ` AND …` that holds when the value names a record that is not deleted. */
  readonly visibleFor: (use: FieldUse, value: InRow) => InRow | undefined;
}

/** @returns why it cannot be done, in words that follow the field's name */
export function planField(use: FieldUse, config: FieldConfig, context: FieldContext): FieldPlan | string {
  if (typeof config === 'string') return planColumn(use, { column: config }, context);
  return 'table' in config ? planChild(use, config, context) : planColumn(use, config, context);
}

/** `$.a."b c"` as `['a', 'b c']`. */
export function parseMembers(path: string): readonly string[] {
  return [...path.matchAll(/\.(?:"([^"]+)"|([^."]+))/g)].map((match) => match[1] ?? match[2] ?? '');
}

export function printPath(members: readonly string[]): string {
  return `$${members.map((member) => `."${member}"`).join('')}`;
}

function planColumn(use: FieldUse, config: ColumnFieldConfig, context: FieldContext): FieldPlan | string {
  const schema = columnOf(context.table, config.column);
  const { folded, format } = config;
  const options = {
    field: use.name,
    comparison: use.comparison,
    type: use.type,
    prefix: context.prefixFor(use),
    ...(format === undefined ? {} : { format }),
  };
  const base = { name: use.name, use, isWritable: isWritable(use, config) && !schema.isGenerated };
  if (config.json === undefined) {
    if (use.type === 'records') return 'holds child records: it needs a child table, or `json` for an array of objects';
    const foldedSchema = folded === undefined ? {} : { folded: columnOf(context.table, folded) };
    const scalar = createScalar({ ...options, source: columnSource(schema), ...foldedSchema });
    return { ...base, kind: 'column', column: schema, ...foldedSchema, scalar };
  }
  const members = parseMembers(config.json);
  const place: JsonPlace = { column: schema, members, path: printPath(members) };
  if (use.type !== 'records' && !use.multiple) {
    return {
      ...base,
      kind: 'json',
      place,
      scalar: createScalar({ ...options, source: jsonMemberSource(schema.name, place.path) }),
    };
  }
  return { ...base, ...planJsonList(use, place, options) };
}

function planJsonList(use: FieldUse, place: JsonPlace, options: Omit<Parameters<typeof createScalar>[0], 'source'>) {
  const parts = new Map(
    use.type === 'records'
      ? (use.children ?? []).map((child) => [
          child.name,
          createScalar({
            field: use.name,
            type: child.type,
            comparison: child.comparison,
            source: jsonElementMemberSource(printPath([child.name])),
          }),
        ])
      : [['', createScalar({ ...options, source: jsonElementSource })]],
  );
  const array = jsonArray(place.column.name, place.path);
  return {
    kind: 'jsonList',
    place,
    parts,
    isRecords: use.type === 'records',
    from: (outer: Sql, inner: Sql) => sql`json_each(${array(outer)}) AS ${inner}`,
    where: (_outer: Sql, inner: Sql) => (use.type === 'records' ? sql`${column(inner, 'type')} = 'object'` : sql`1`),
    order: (inner: Sql) => column(inner, 'key'),
  } as const;
}

function planChild(use: FieldUse, config: ChildFieldConfig, context: FieldContext): FieldPlan | string {
  const columnConfigs = childColumns(use, config);
  if (typeof columnConfigs === 'string') return columnConfigs;
  const table = context.readTable(config.table);
  const parent = columnOf(table, config.parent);
  const columns = new Map<string, ChildColumn>();
  const parts = new Map<string, ScalarPlan>();
  const hidden: InRow[] = [];
  for (const [part, columnConfig] of columnConfigs) {
    const own = part === '' ? use : use.children?.find((child) => child.name === part);
    if (own === undefined) continue; // declared, and not used by the mapping
    const { folded, format, column: columnName } = columnConfig;
    const schema = columnOf(table, columnName);
    const foldedSchema = folded === undefined ? {} : { folded: columnOf(table, folded) };
    columns.set(part, { column: schema, ...foldedSchema });
    const source = columnSource(schema);
    parts.set(
      part,
      createScalar({
        field: use.name,
        type: own.type,
        comparison: own.comparison,
        source,
        ...foldedSchema,
        prefix: context.prefixFor(own),
        ...(format === undefined ? {} : { format }),
      }),
    );
    const visible = context.visibleFor(own, (alias) => column(alias, schema.name));
    if (visible !== undefined) hidden.push(visible);
  }
  const missing = use.children?.find((child) => !parts.has(child.name));
  if (use.type === 'records' && missing !== undefined) return `has no column for its part "${missing.name}"`;
  const fixed = Object.entries(config.fixed ?? {}).map(([fixedColumn, value]) => ({
    column: columnOf(table, fixedColumn).name,
    value: typeof value === 'boolean' ? BigInt(value) : value,
  }));
  const restriction: InRow = (alias) =>
    list(
      fixed.map((item) => sql` AND ${column(alias, item.column)} = ${literal(item.value)}`),
      '',
    );
  const visible: InRow = (alias) =>
    list(
      hidden.map((condition) => condition(alias)),
      '',
    );
  const identity = identityOf(
    table,
    parent.name,
    [...columns.values()].map((item) => item.column.name),
  );
  const parentPrefix = context.parentPrefix(use);
  const parentKey: InRow = (alias) =>
    parentPrefix === ''
      ? column(alias, context.keyColumn)
      : sql`${literal(parentPrefix)} || ${column(alias, context.keyColumn)}`;
  const position = config.position === undefined ? undefined : columnOf(table, config.position).name;
  const order = position === undefined ? identity : [position, ...identity];
  return {
    kind: 'child',
    name: use.name,
    use,
    isWritable: isWritable(use, config) && !table.isView,
    table,
    parent,
    parentPrefix,
    parentKey,
    columns,
    parts,
    isRecords: use.type === 'records',
    fixed,
    ...(position === undefined ? {} : { position }),
    restriction,
    visible,
    identity,
    from: (_outer, inner) => sql`${name(table.name)} AS ${inner}`,
    where: (outer, inner) =>
      sql`${parentKey(outer)} = ${column(inner, parent.name)}${restriction(inner)}${visible(inner)}`,
    order: (alias) => list(order.map((columnName) => column(alias, columnName))),
  };
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

function isWritable(use: FieldUse, config: { readonly readOnly?: boolean }): boolean {
  return config.readOnly !== true && use.inverseOf === undefined;
}
