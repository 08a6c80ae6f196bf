import type { FieldUse } from '../../../src/backend/adapter.js';
import { planChild } from './child-plan.js';
import type { ColumnFieldConfig, FieldConfig } from './config.js';
import { createScalar, type ScalarOptions, type ScalarPlan } from './scalar-plan.js';
import {
  columnSource,
  type InRow,
  jsonArray,
  jsonElementMemberSource,
  jsonElementSource,
  jsonMemberSource,
} from './scalar-source.js';
import { column, type Sql, type SqlValue, sql } from './sql-text.js';
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
  const base = {
    name: use.name,
    use,
    isWritable: config.readOnly !== true && use.inverseOf === undefined && !schema.isGenerated,
  };
  if (config.json === undefined) {
    if (use.type === 'records') return 'holds child records: it needs a child table, or `json` for an array of objects';
    const foldedSchema = folded === undefined ? {} : { folded: columnOf(context.table, folded) };
    const scalar = createScalar({ ...options, source: columnSource(schema), ...foldedSchema });
    return { ...base, kind: 'column', column: schema, ...foldedSchema, scalar };
  }
  if (folded !== undefined) return 'has both `json` and `folded`: only a whole column has a folded copy';
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
  const odd = use.children?.find((child) => /["\\]/.test(child.name));
  if (odd !== undefined) return `has a part "${odd.name}", which cannot be the name of a JSON member`;
  return { ...base, ...planJsonList(use, place, { ...options, source: jsonElementSource }, context) };
}

function planJsonList(use: FieldUse, place: JsonPlace, simple: ScalarOptions, context: FieldContext) {
  const childScalar = (child: FieldUse): ScalarPlan =>
    createScalar({
      field: use.name,
      type: child.type,
      comparison: child.comparison,
      source: jsonElementMemberSource(printPath([child.name])),
      prefix: context.prefixFor(child),
    });
  const parts = new Map(
    use.type === 'records'
      ? (use.children ?? []).map((child) => [child.name, childScalar(child)])
      : [['', createScalar(simple)]],
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
