import type { EntityUse, FieldUse } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { FieldConfig, InstantColumnConfig, TableEntityConfig, TablesConfig } from './config.js';
import type { Dialect } from './dialects/dialect.js';
import { generatedColumn, idScalar, isNumbered } from './entity-key.js';
import { type FieldContext, type FieldPlan, placeOf, planField } from './field-plan.js';
import { type FixedColumn, fixedColumns, restrictionTo } from './fixed-columns.js';
import { namesIn, type RecordKey, recordKey } from './record-key.js';
import type { ScalarPlan } from './scalar-plan.js';
import { column, type InRow, isTrue, list, type Sql, sql } from './sql-text.js';
import { type ColumnSchema, columnOf, type TableSchema } from './table-schema.js';

/** An instant in a column that the adapter itself keeps. */
export interface InstantColumn {
  readonly column: string;
  readonly scalar: ScalarPlan;
}

/** One entity: the declaration, the mapping's use and the real table, brought together once. */
export interface EntityPlan {
  readonly dialect: Dialect;
  readonly entity: string;
  readonly use: EntityUse;
  readonly config: TableEntityConfig;
  readonly table: TableSchema;
  /** The table's name, quoted. */
  readonly tableName: Sql;
  /** Where records are written: the same table, or the one behind a view. */
  readonly writeTable: TableSchema;
  readonly writeName: Sql;
  readonly key: RecordKey;
  /** The key's column that a new record is given a value in by `generateKey`. */
  readonly generated?: ColumnSchema;
  readonly id: ScalarPlan;
  readonly generateKey: 'uuid' | 'database';
  readonly version?: string;
  /** What tells one state of the row from another. */
  readonly revision?: InRow;
  readonly created?: InstantColumn;
  readonly modified?: InstantColumn;
  readonly deleted?: InstantColumn;
  readonly fields: ReadonlyMap<string, FieldPlan>;
  /** Fields of the mapping that have no place, and why, in words that follow the field's name. */
  readonly unplanned: ReadonlyMap<string, string>;
  /** Columns that are the same in all rows of the entity. */
  readonly fixed: readonly FixedColumn[];
  /** ` AND …` that keeps to the entity's rows, deleted ones among them. */
  readonly restriction: InRow;
  /** Holds for the entity's records that are not deleted. */
  readonly alive: InRow;
  /** False where all rows of the table are records. */
  readonly isRestricted: boolean;
}

/** The alias of the entity's own table, and of a child's, in every statement. */
export const outer: Sql = { text: 't', params: [] };
export const inner: Sql = { text: 'c', params: [] };

export type EntityPlans = ReadonlyMap<string, EntityPlan>;

export interface PlanOptions {
  readonly dialect: Dialect;
  readonly uses: readonly EntityUse[];
  readonly tables: TablesConfig;
  /** A table as it is, also when it is not. */
  readonly readTable: (table: string) => TableSchema;
}

export function planEntities(options: PlanOptions): EntityPlans {
  const { uses, tables } = options;
  const plans = new Map<string, EntityPlan>();
  for (const use of uses) {
    const config = tables[use.entity];
    if (config !== undefined) plans.set(use.entity, planEntity(use, config, options));
  }
  return plans;
}

/** @throws AdapterError unsupported */
export function planOf(plans: EntityPlans, entity: string): EntityPlan {
  const plan = plans.get(entity);
  if (plan === undefined) throw new AdapterError('unsupported', `No table is declared for the entity "${entity}".`);
  return plan;
}

/** @throws AdapterError unsupported */
export function fieldOf(plan: EntityPlan, field: string): FieldPlan {
  const found = plan.fields.get(field);
  if (found !== undefined) return found;
  const why = plan.unplanned.get(field) ?? 'is not declared';
  throw new AdapterError('unsupported', `The field "${field}" of "${plan.entity}" ${why}.`, { field });
}

/** A simple value in the entity's own row, reserved ones included; undefined for lists. */
export function scalarOf(plan: EntityPlan, field: string): ScalarPlan | undefined {
  const reserved: Readonly<Record<string, ScalarPlan | undefined>> = {
    $id: plan.id,
    $created: plan.created?.scalar,
    $modified: plan.modified?.scalar,
  };
  if (field.startsWith('$') && reserved[field] !== undefined) return reserved[field];
  const found = fieldOf(plan, field);
  return found.kind === 'column' || found.kind === 'json' ? found.scalar : undefined;
}

/** The mapping's fields, and the one that it names as the id: references may hold its values. */
function usedFields({ id, fields }: EntityUse): readonly FieldUse[] {
  if (id === undefined || id.startsWith('$') || fields.some(({ name: field }) => field === id)) return fields;
  const text = { type: 'string', multiple: false, comparison: 'exact', unique: false } as const;
  return [...fields, { name: id, ...text, read: true, written: false }];
}

function planEntity(use: EntityUse, config: TableEntityConfig, surroundings: PlanOptions): EntityPlan {
  const { dialect } = surroundings;
  const table = surroundings.readTable(config.table);
  const columns = namesIn(config.key).map((name) => columnOf(table, name));
  const writeTable = config.writeTable === undefined ? table : surroundings.readTable(config.writeTable);
  const deleted = instantColumn(dialect, table, '$deleted', config.softDelete);
  const created = instantColumn(dialect, table, '$created', config.created);
  const modified = instantColumn(dialect, table, '$modified', config.modified);
  const fields = new Map<string, FieldPlan>();
  const unplanned = new Map<string, string>();
  const fixed = fixedColumns(writeTable, config.fixed);
  const restriction = restrictionTo(fixed);
  const behind = writeTable === table ? {} : { writeTable };
  const context = {
    ...contextOf(table, columns, use.idPrefix ?? '', surroundings),
    ...behind,
    fixed: fixed.map((item) => item.column),
    ...(deleted === undefined ? {} : { deleted: deleted.column }),
  };
  for (const field of usedFields(use)) {
    const isId = field.name === use.id;
    const declared = config.fields[field.name] ?? (isId ? config.key : inverseConfig(field, surroundings));
    const planned = declared === undefined ? 'is not declared' : planField(field, declared, context);
    if (typeof planned === 'string') unplanned.set(field.name, planned);
    else fields.set(field.name, planned);
  }
  const prefix = use.idPrefix ?? '';
  const key = recordKey({ dialect, columns, table: writeTable, prefix });
  const generated = generatedColumn(columns, writeTable, fields, fixed);
  const isRowid = generated !== undefined && writeTable.rowidColumn === generated.name.toLowerCase();
  const version = config.version === undefined ? undefined : columnOf(table, config.version).name;
  const revision = revisionOf(version, [...fields.values()], surroundings.dialect, table);
  return {
    dialect,
    entity: use.entity,
    use,
    config,
    table,
    tableName: dialect.table(table.name),
    writeTable,
    writeName: dialect.table(writeTable.name),
    key,
    ...(generated === undefined ? {} : { generated }),
    id: idScalar(dialect, columns, writeTable, prefix),
    generateKey: config.generateKey ?? (isRowid || isNumbered(writeTable, generated) ? 'database' : 'uuid'),
    ...(version === undefined ? {} : { version }),
    ...(revision === undefined ? {} : { revision }),
    ...(created === undefined ? {} : { created }),
    ...(modified === undefined ? {} : { modified }),
    ...(deleted === undefined ? {} : { deleted }),
    fields,
    unplanned,
    fixed,
    restriction,
    isRestricted: deleted !== undefined || fixed.length > 0,
    alive: (alias) => {
      const unset = deleted === undefined ? isTrue : dialect.isUnset(table, column(alias, deleted.column));
      return fixed.length === 0 ? unset : sql`${unset}${restriction(alias)}`;
    },
  };
}

/** A row's own mark knows nothing of rows in other tables. */
function revisionOf(
  version: string | undefined,
  fields: readonly FieldPlan[],
  { rowRevision }: Dialect,
  table: TableSchema,
): InRow | undefined {
  if (version !== undefined) return (alias) => sql`coalesce(${column(alias, version)}, 0)`;
  const isWhole = fields.every(({ kind, use }) => kind !== 'child' || use.inverseOf !== undefined);
  return isWhole && !table.isView ? rowRevision : undefined;
}

function instantColumn(
  dialect: Dialect,
  table: TableSchema,
  field: string,
  config: InstantColumnConfig | undefined,
): InstantColumn | undefined {
  if (config === undefined) return undefined;
  const { column: columnName, format = 'iso', timeZone } = typeof config === 'string' ? { column: config } : config;
  const schema = columnOf(table, columnName);
  const place = placeOf(dialect, schema, table, timeZone);
  const scalar = dialect.scalar({
    field,
    type: 'instant',
    comparison: 'instant',
    place: typeof place === 'string' ? { kind: 'column', schema, table } : place,
    format,
  });
  return { column: schema.name, scalar };
}

function contextOf(
  table: TableSchema,
  key: readonly ColumnSchema[],
  ownPrefix: string,
  { dialect, readTable, uses, tables }: PlanOptions,
): FieldContext {
  return {
    dialect,
    table,
    key,
    fixed: [],
    readTable,
    prefixFor: (use) => {
      const target = onlyTarget(use);
      return target === undefined ? '' : (uses.find(({ entity }) => entity === target)?.idPrefix ?? '');
    },
    parentPrefix: ({ inverseOf }) => {
      if (inverseOf === undefined) return '';
      const others = uses.find((candidate) => candidate.entity === inverseOf.entity)?.fields;
      const other = others?.find((candidate) => candidate.name === inverseOf.field);
      return other?.reference?.by === '$id' && other.reference.targets.length > 1 ? ownPrefix : '';
    },
    keyWidth: (use) => {
      const [target, ...others] = use.reference?.targets ?? [];
      const config = target === undefined || others.length > 0 || !isByKey(use, uses) ? undefined : tables[target];
      return config === undefined ? undefined : namesIn(config.key).length;
    },
    visibleFor: (use, values) => {
      const [target, ...others] = use.reference?.targets ?? [];
      const config = target === undefined || others.length > 0 ? undefined : tables[target];
      if (config?.softDelete === undefined || !isByKey(use, uses)) return undefined;
      const { softDelete } = config;
      const deleted = typeof softDelete === 'string' ? softDelete : softDelete.column;
      const ours = restrictionTo(fixedColumns(readTable(config.table), config.fixed));
      const alias: Sql = { text: 'r', params: [] };
      const pairs = namesIn(config.key).flatMap((key, index) => {
        const value = values[index];
        if (value === undefined) return [];
        return dialect.alignKeys(
          { schema: columnOf(readTable(config.table), key), at: (row) => column(row, key), prefix: '' },
          { schema: value, at: (row) => column(row, value.name), prefix: '' },
        );
      });
      const same: InRow = (row) =>
        list(
          pairs.map((keys) => sql`${keys.one(alias)} = ${keys.other(row)}`),
          ' AND ',
        );
      return (row) =>
        sql` AND EXISTS (SELECT 1 FROM ${dialect.table(config.table)} AS r WHERE ${same(row)} AND ${column(alias, deleted)} IS NULL${ours(alias)})`;
    },
  };
}

/** The values are keys, or ids made of them. */
function isByKey({ reference }: FieldUse, uses: readonly EntityUse[]): boolean {
  const isKeyOf = (target: string): boolean => uses.find(({ entity }) => entity === target)?.id === reference?.by;
  return reference !== undefined && (reference.by === '$id' || reference.targets.every(isKeyOf));
}

/** The one entity whose ids the values are. */
function onlyTarget({ reference }: FieldUse): string | undefined {
  return reference?.by === '$id' && reference.targets.length === 1 ? reference.targets[0] : undefined;
}

/** The other end of a link table needs no declaration of its own. */
function inverseConfig(use: FieldUse, { tables, uses }: PlanOptions): FieldConfig | undefined {
  if (use.inverseOf === undefined || use.type === 'records') return undefined;
  const { entity, field } = use.inverseOf;
  const other = tables[entity]?.fields[field];
  const otherUse = uses.find((candidate) => candidate.entity === entity)?.fields.find(({ name: own }) => own === field);
  if (other === undefined || typeof other === 'string' || !('table' in other)) return undefined;
  if (otherUse === undefined || !isByKey(otherUse, uses)) return undefined;
  if (typeof other.column !== 'string' && !Array.isArray(other.column)) return undefined;
  const fixed = other.fixed === undefined ? {} : { fixed: other.fixed };
  return { table: other.table, parent: other.column, column: other.parent, ...fixed, readOnly: true };
}
