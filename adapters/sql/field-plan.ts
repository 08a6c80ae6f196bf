import type { FieldUse } from '../../src/backend/adapter.js';
import { planChild } from './child-plan.js';
import type { ColumnFieldConfig, FieldConfig } from './config.js';
import type { Dialect } from './dialects/dialect.js';
import type { FixedColumn } from './fixed-columns.js';
import type { RecordKey } from './record-key.js';
import type { ScalarOptions, ScalarPlan, ValuePlace } from './scalar-plan.js';
import { column, type InRow, literal, type Sql } from './sql-text.js';
import { type ColumnSchema, columnOf, missingTable, type TableSchema } from './table-schema.js';
import { tupleScalar } from './tuple-scalar.js';

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
  /** There is no such column: the value is worked out by the database, or is the same everywhere. */
  readonly isComputed?: boolean;
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
  /** Before it, of a reference in several columns. */
  readonly others?: readonly ColumnSchema[];
}

/** Rows of a child or link table. */
export interface ChildField extends ListBase {
  readonly kind: 'child';
  readonly table: TableSchema;
  /** The table's name, quoted. */
  readonly tableName: Sql;
  /** The columns that hold the record's key. */
  readonly parent: RecordKey;
  /** What stands in front of the record's key in the parent column: a link may keep whole ids. */
  readonly parentPrefix: string;
  /**
   * The parent columns' value for the record in that row, and the columns themselves in a form comparable with it: what
   * stands before IN, and after its SELECT.
   */
  readonly parentKey: InRow;
  readonly parentColumn: InRow;
  readonly columns: ReadonlyMap<string, ChildColumn>;
  readonly fixed: readonly FixedColumn[];
  readonly position?: string;
  /** ` AND …` that keeps to this field's rows. */
  readonly restriction: InRow;
  /** ` AND …` that hides rows which name a deleted record. */
  readonly visible: InRow;
  /** A value's columns may be among those that hold the record's key, or that are fixed. */
  readonly isShared: boolean;
  /** Columns that tell one row from another. */
  readonly identity: readonly string[];
}

export type ListField = JsonListField | ChildField;
export type FieldPlan = ColumnField | JsonField | ListField;

/** What planning a field needs to know about its surroundings. */
export interface FieldContext {
  readonly dialect: Dialect;
  readonly table: TableSchema;
  /** The table behind a view, where records are written. */
  readonly writeTable?: TableSchema;
  readonly key: readonly ColumnSchema[];
  /** Names of columns that are the same in all rows of the entity. */
  readonly fixed: readonly string[];
  /** The column that is set in deleted rows alone. */
  readonly deleted?: string;
  readonly readTable: (table: string) => TableSchema;
  /** The prefix of the ids that the field's values are, where they are ids of one entity here. */
  readonly prefixFor: (use: FieldUse) => string;
  /** What stands in front of the record's key where rows of the field name it. */
  readonly parentPrefix: (use: FieldUse) => string;
  /** ` AND …` that holds when the value names a record that is not deleted. */
  readonly visibleFor: (use: FieldUse, value: readonly ColumnSchema[]) => InRow | undefined;
  /** How many columns the key has of the one entity whose records the field's values name by their ids. */
  readonly keyWidth: (use: FieldUse) => number | undefined;
}

/** @returns why it cannot be done, in words that follow the field's name */
export function planField(use: FieldUse, config: FieldConfig, context: FieldContext): FieldPlan | string {
  if (Array.isArray(config)) return planTuple(use, config, context);
  if (typeof config === 'string') return planColumn(use, { column: config }, context);
  if ('table' in config) return planChild(use, config, context);
  if ('expression' in config) return planComputed(use, context.dialect.raw(config.expression), context);
  if ('constant' in config) return planComputed(use, literal(config.constant), context);
  return planColumn(use, config, context);
}

/** `+02:00`: how far local time is ahead of UTC. */
export const offset = /^[+-](0\d|1[0-4]):[0-5]\d$/;

/** A column of date and time, in the zone that it is declared to be in. */
export function placeOf(
  dialect: Dialect,
  schema: ColumnSchema,
  table: TableSchema,
  zone: string | undefined,
): Extract<ValuePlace, { kind: 'column' }> | string {
  if (zone === undefined) return { kind: 'column', schema, table };
  if (!isZone(zone)) return `has the \`timeZone\` "${zone}", which is none that is known`;
  const zoned = schema.kind === 'localTime' ? dialect.inZone((alias) => column(alias, schema.name), zone) : undefined;
  if (zoned === undefined) return `has a \`timeZone\`, which its column cannot have here: it is ${schema.declaredType}`;
  return { kind: 'column', schema: { ...schema, kind: dialect.computedKind('instant') }, table, ...zoned };
}

function isZone(zone: string): boolean {
  if (offset.test(zone)) return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function planComputed(use: FieldUse, value: Sql, { dialect, table }: FieldContext): ColumnField | string {
  if (use.type === 'records' || use.multiple) return 'holds many values, and what is computed is one';
  const schema: ColumnSchema = {
    ...columnOf(missingTable(''), use.name),
    kind: dialect.computedKind(use.type),
    collation: 'other',
    isGenerated: true,
  };
  const { name, comparison, type } = use;
  const place = { kind: 'column', schema, table, at: () => value } as const;
  const scalar = dialect.scalar({ field: name, comparison, type, place });
  return { kind: 'column', name, use, isWritable: false, isComputed: true, column: schema, scalar };
}

/** `$.a."b c"` as `['a', 'b c']`. */
export function parseMembers(path: string): readonly string[] {
  return [...path.matchAll(/\.(?:"([^"]+)"|([^."]+))/g)].map((match) => match[1] ?? match[2] ?? '');
}

/** One text of several columns: a reference to a record whose key they hold, or the record's own key as a field. */
function planTuple(use: FieldUse, names: readonly string[], context: FieldContext): FieldPlan | string {
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return planColumn(use, { column: only }, context);
  if (use.multiple || use.type !== 'string') return 'has several columns, which only a single reference can have';
  const { dialect, table, writeTable = table } = context;
  const columns = names.map((name) => columnOf(table, name));
  const isOwnKey = columns.every(({ name }, index) => name === context.key[index]?.name);
  const width = isOwnKey ? context.key.length : context.keyWidth(use);
  if (width !== columns.length) return tooManyColumns(columns.length, width);
  const scalar = tupleScalar({ dialect, field: use.name, columns, table: writeTable, prefix: context.prefixFor(use) });
  const isWritable =
    !isOwnKey && use.inverseOf === undefined && columns.every((own) => !own.isGenerated && isThere(context, own));
  return { kind: 'column', name: use.name, use, isWritable, column: columns.at(-1) ?? columnOf(table, ''), scalar };
}

/** @returns words that follow the field's name */
export function tooManyColumns(columns: number, width: number | undefined): string {
  return width === undefined
    ? 'has several columns, and refers to no single entity by its key'
    : `has ${columns} ${columns === 1 ? 'column' : 'columns'}, and the key that it holds has ${width}: name them in the same order`;
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
    isWritable:
      config.readOnly !== true && use.inverseOf === undefined && !schema.isGenerated && isThere(context, schema),
  };
  const width = context.keyWidth(use) ?? 1;
  if (width > 1 && config.json === undefined && schema.kind !== 'text') return tooManyColumns(1, width);
  if (config.json === undefined) {
    if (use.type === 'records') return 'holds child records: it needs a child table, or `json` for an array of objects';
    const foldedSchema = folded === undefined ? {} : { folded: columnOf(table, folded) };
    const at = placeOf(dialect, schema, context.writeTable ?? table, config.timeZone);
    if (typeof at === 'string') return at;
    const { fixed, deleted } = context;
    const rows = { fixed, ...(deleted === undefined ? {} : { deleted }) };
    const scalar = dialect.scalar({ ...options, place: { ...at, ...rows }, ...foldedSchema });
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

/** A view may have columns that the table behind it has not. */
function isThere({ writeTable }: FieldContext, { name }: ColumnSchema): boolean {
  return writeTable === undefined || writeTable.columns.has(name.toLowerCase());
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
