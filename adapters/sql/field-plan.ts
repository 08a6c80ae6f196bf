import type { FieldUse } from '../../src/backend/adapter.js';
import { planChild } from './child-plan.js';
import type { ColumnFieldConfig, FieldConfig } from './config.js';
import type { Dialect } from './dialects/dialect.js';
import type { SqlValue } from './pool.js';
import type { ScalarOptions, ScalarPlan } from './scalar-plan.js';
import type { InRow, Sql } from './sql-text.js';
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
  /** The array there as text: what a list is read from. */
  readonly array: InRow;
  /** The whole document, to be edited and as text. */
  readonly document: InRow;
  readonly text: InRow;
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
  /** The table's name, quoted. */
  readonly tableName: Sql;
  readonly parent: ColumnSchema;
  /** What stands in front of the record's key in the parent column: a link may keep whole ids. */
  readonly parentPrefix: string;
  /** The parent column's value for the record in that row, and the column itself in a form comparable with it. */
  readonly parentKey: InRow;
  readonly parentColumn: InRow;
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
  readonly dialect: Dialect;
  readonly table: TableSchema;
  readonly key: ColumnSchema;
  readonly readTable: (table: string) => TableSchema;
  /** The prefix of the ids that the field's values are, where they are ids of one entity here. */
  readonly prefixFor: (use: FieldUse) => string;
  /** What stands in front of the record's key where rows of the field name it. */
  readonly parentPrefix: (use: FieldUse) => string;
  /** ` AND …` that holds when the value names a record that is not deleted. */
  readonly visibleFor: (use: FieldUse, value: ColumnSchema) => InRow | undefined;
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

function planColumn(use: FieldUse, config: ColumnFieldConfig, context: FieldContext): FieldPlan | string {
  const { dialect, table } = context;
  const schema = columnOf(table, config.column);
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
    const foldedSchema = folded === undefined ? {} : { folded: columnOf(table, folded) };
    const scalar = dialect.scalar({ ...options, place: { kind: 'column', schema, table }, ...foldedSchema });
    return { ...base, kind: 'column', column: schema, ...foldedSchema, scalar };
  }
  if (folded !== undefined) return 'has both `json` and `folded`: only a whole column has a folded copy';
  const members = parseMembers(config.json);
  const array = dialect.json.array(schema, members);
  const { json } = dialect;
  const problem = table.exists ? json.problem(schema) : undefined;
  if (problem !== undefined) return problem;
  const place: JsonPlace = { column: schema, members, array, document: json.document(schema), text: json.text(schema) };
  if (use.type !== 'records' && !use.multiple) {
    return {
      ...base,
      kind: 'json',
      place,
      scalar: dialect.scalar({ ...options, place: { kind: 'member', column: schema, members } }),
    };
  }
  const odd = use.children?.find((child) => /["\\]/.test(child.name));
  if (odd !== undefined) return `has a part "${odd.name}", which cannot be the name of a JSON member`;
  return {
    ...base,
    ...planJsonList(use, place, { ...options, place: { kind: 'element', column: schema, members } }, context),
  };
}

function planJsonList(use: FieldUse, place: JsonPlace, simple: ScalarOptions, context: FieldContext) {
  const childScalar = (child: FieldUse): ScalarPlan =>
    context.dialect.scalar({
      field: use.name,
      type: child.type,
      comparison: child.comparison,
      place: { kind: 'elementMember', column: place.column, members: place.members, member: child.name },
      prefix: context.prefixFor(child),
    });
  const parts = new Map(
    use.type === 'records'
      ? (use.children ?? []).map((child) => [child.name, childScalar(child)])
      : [['', context.dialect.scalar(simple)]],
  );
  return {
    kind: 'jsonList',
    place,
    parts,
    isRecords: use.type === 'records',
    ...context.dialect.json.elements(place.column, place.members, use.type === 'records'),
  } as const;
}
