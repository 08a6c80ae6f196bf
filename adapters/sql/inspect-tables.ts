import type { FieldUse, InspectionProblem } from '../../src/backend/adapter.js';
import type { ChildFieldConfig, FieldConfig, TableEntityConfig } from './config.js';
import { oneOrAll } from './draft-names.js';
import { type EntityPlan, outer, type PlanOptions, planEntities } from './entity-plan.js';
import type { ChildField, ColumnField, FieldPlan } from './field-plan.js';
import { Findings, type Path } from './findings.js';
import { inspectKey, isAlone } from './inspect-key.js';
import { nearestName } from './nearest-name.js';
import { column, sql } from './sql-text.js';
import { hasIndexOn, type TableSchema } from './table-schema.js';
import { rows, type Work } from './work.js';

/** What does not fit between the declaration, the mapping and the tables as they are now. */
export function* inspectTables(options: PlanOptions): Work<readonly InspectionProblem[]> {
  const { dialect, uses, tables } = options;
  const findings = new Findings();
  for (const warning of dialect.inspection.warnings) findings.warning(['entities'], warning);
  const plans = planEntities(options);
  const names = (yield* rows(dialect.inspection.tableNames)).map(([table]) => String(table));
  for (const use of uses) {
    const config = tables[use.entity];
    const plan = plans.get(use.entity);
    if (config === undefined || plan === undefined) {
      const near = nearestName(use.entity, Object.keys(tables));
      findings.error(['entities'], `The mapping uses the entity "${use.entity}", which is not declared.${near}`);
    } else yield* inspectEntity(names, plan, config, findings);
  }
  return findings.problems;
}

function* inspectEntity(
  names: readonly string[],
  plan: EntityPlan,
  config: TableEntityConfig,
  findings: Findings,
): Work<void> {
  const path: Path = ['entities', plan.entity];
  if (!hasTable(names, plan.table, [...path, 'table'], findings)) return;
  if (config.writeTable !== undefined && !inspectWriteTable(names, plan, findings)) return;
  hasColumns(plan.table, config.key, [...path, 'key'], findings);
  for (const role of ['version', 'created', 'modified', 'softDelete'] as const) {
    const declared = config[role];
    const columnName = typeof declared === 'object' ? declared.column : declared;
    if (columnName !== undefined) hasColumn(plan.table, columnName, [...path, role], findings);
  }
  for (const { column: own } of plan.fixed) hasColumn(plan.writeTable, own, [...path, 'fixed', own], findings);
  inspectKey(plan, path, findings);
  for (const use of plan.use.fields) yield* inspectField(names, plan, use, config.fields[use.name], findings);
}

function inspectWriteTable(names: readonly string[], plan: EntityPlan, findings: Findings): boolean {
  const at: Path = ['entities', plan.entity, 'writeTable'];
  if (!hasTable(names, plan.writeTable, at, findings)) return false;
  for (const column of [
    ...plan.key.columns.map((own) => own.name),
    plan.version,
    plan.created?.column,
    plan.modified?.column,
    plan.deleted?.column,
  ]) {
    if (column !== undefined && !hasColumn(plan.writeTable, column, at, findings)) return false;
  }
  return true;
}

function* inspectField(
  names: readonly string[],
  plan: EntityPlan,
  use: FieldUse,
  config: FieldConfig | undefined,
  findings: Findings,
): Work<void> {
  const path: Path = ['entities', plan.entity, 'fields', use.name];
  const planned = plan.fields.get(use.name);
  if (planned === undefined) {
    const near = config === undefined ? nearestName(use.name, Object.keys(plan.config.fields)) : '';
    const at = config === undefined ? path.slice(0, -1) : path;
    findings.error(at, `The field "${use.name}" ${plan.unplanned.get(use.name) ?? 'is not declared'}.${near}`);
    return;
  }
  if (config === undefined) return; // the other end of a declared link table
  if (planned.kind === 'child') inspectChild(names, planned, config as ChildFieldConfig, path, findings);
  else yield* inspectOwnColumn(plan, planned, config, path, findings);
  inspectWritable(planned, path, findings);
  inspectUnique(plan, planned, path, findings);
}

function inspectWritable(field: FieldPlan, path: Path, findings: Findings): void {
  if (!field.use.written || field.use.inverseOf !== undefined || field.isWritable) return;
  findings.error(path, `The mapping writes the field "${field.name}", which is read-only here.`);
}

function* inspectOwnColumn(
  plan: EntityPlan,
  field: Exclude<FieldPlan, ChildField>,
  config: FieldConfig,
  path: Path,
  findings: Findings,
): Work<void> {
  const schema = field.kind === 'column' ? field.column : field.place.column;
  if (field.kind === 'column' && field.isComputed === true) return;
  if (field.kind === 'column' && field.scalar.spread !== undefined) {
    if (Array.isArray(config)) hasColumns(plan.table, config, path, findings);
    return;
  }
  const at = typeof config === 'string' ? path : [...path, 'column'];
  if (!hasColumn(plan.table, schema.name, at, findings) || field.kind !== 'column') return;
  inspectType(plan, field, at, findings);
  if (field.folded === undefined || !hasColumn(plan.table, field.folded.name, [...path, 'folded'], findings)) return;
  const { isStale } = plan.dialect.inspection;
  if (isStale === undefined) return;
  const [own, copy] = [column(outer, schema.name), column(outer, field.folded.name)];
  const stale = sql`SELECT 1 FROM ${plan.tableName} AS ${outer} WHERE ${isStale(own, copy)} LIMIT 1`;
  if ((yield* rows(stale)).length > 0) {
    findings.warning(
      [...path, 'folded'],
      `Some rows have no right copy in "${field.folded.name}": look-ups miss them.`,
    );
  }
}

function inspectType(
  { dialect }: EntityPlan,
  { column: schema, scalar, use }: ColumnField,
  path: Path,
  findings: Findings,
): void {
  if (!dialect.isSerial) {
    inspectServerType(schema, scalar, use, path, findings);
    return;
  }
  const isNumeric = ['integer', 'real', 'numeric'].includes(schema.kind);
  if (scalar.type === 'string' && use.written && isNumeric && use.reference === undefined) {
    findings.warning(
      path,
      `"${schema.name}" is declared ${schema.declaredType}: SQLite keeps texts like "007" as numbers there, so they are refused.`,
    );
  }
  if (use.comparison === 'fold' && scalar.comparison === 'asciiFold') {
    findings.warning(path, `"${schema.name}" is COLLATE NOCASE: letters beyond A–Z are compared with regard to case.`);
  }
}

function inspectServerType(
  { name: own, declaredType }: ColumnField['column'],
  { type, comparison, operators }: ColumnField['scalar'],
  use: FieldUse,
  path: Path,
  findings: Findings,
): void {
  if (type !== 'bytes' && operators.eq === undefined) {
    findings.warning(path, `"${own}" is of type ${declaredType}: the gateway has to read records to find them by it.`);
  }
  if (type === 'string' && use.comparison === 'fold' && comparison !== 'fold') {
    findings.warning(
      path,
      `"${own}" compares letters beyond A–Z with regard to case. With a \`folded\` column beside it they are found in any.`,
    );
  }
}

function inspectChild(
  names: readonly string[],
  field: ChildField,
  config: ChildFieldConfig,
  path: Path,
  findings: Findings,
): void {
  const { table } = field;
  if (!hasTable(names, table, [...path, 'table'], findings)) return;
  const hasParent = hasColumns(table, config.parent, [...path, 'parent'], findings);
  if (config.position !== undefined) hasColumn(table, config.position, [...path, 'position'], findings);
  for (const fixed of Object.keys(config.fixed ?? {})) hasColumn(table, fixed, [...path, 'fixed', fixed], findings);
  for (const [part, child] of field.columns) {
    const at = config.columns === undefined ? [...path, 'column'] : [...path, 'columns', part];
    const named = [...(child.others ?? []), child.column].map(({ name }) => name);
    hasColumns(table, oneOrAll(named), at, findings);
    if (child.folded !== undefined) hasColumn(table, child.folded.name, [...at, 'folded'], findings);
  }
  const parents = field.parent.columns.map(({ name }) => name);
  if (hasParent && !table.isView && !hasIndexOn(table, parents)) {
    const listed = parents.map((name) => `"${name}"`).join(', ');
    findings.warning(
      [...path, 'parent'],
      `"${table.name}" has no index on ${listed}: every read walks the whole table.`,
    );
  }
}

/** The lookup and the index must use one comparison, or two writers could put the same value in. */
function inspectUnique(plan: EntityPlan, field: FieldPlan, path: Path, findings: Findings): void {
  if (field.kind !== 'column' || !field.use.unique || field.isComputed === true) return;
  const { writeTable: table, dialect } = plan;
  if (!dialect.isSerial) {
    const by = field.scalar.comparison === 'exact' ? `"${field.column.name}"` : `lower("${field.column.name}")`;
    const advice = `add one on ${field.folded === undefined ? by : `"${field.folded.name}"`}`;
    if (field.scalar.isKeptUnique !== true && !table.isView) {
      findings.warning(path, `No UNIQUE index keeps "${field.name}" unique and finds it quickly: ${advice}.`);
    }
    return;
  }
  const indexed = field.scalar.comparison === 'fold' ? field.folded?.name : field.column.name;
  const isOnColumn = (columns: readonly (string | undefined)[]): boolean =>
    indexed !== undefined && isAlone(plan, columns, indexed);
  const index = table.indexes.find(({ unique, columns }) => unique && isOnColumn(columns));
  if (table.isView || (indexed !== undefined && table.rowidColumn === indexed.toLowerCase())) return;
  if (index === undefined) {
    const advice = indexed === undefined ? 'add a `folded` column with one' : `add one on "${indexed}"`;
    findings.warning(path, `No UNIQUE index keeps "${field.name}" unique and finds it quickly: ${advice}.`);
  } else if (plan.deleted !== undefined && !index.partial) {
    findings.warning(
      path,
      `The index "${index.name}" also counts deleted records: their values stay taken. Make it partial.`,
    );
  }
}

function hasTable(names: readonly string[], table: TableSchema, path: Path, findings: Findings): boolean {
  const { engineWithoutTransactions: engine } = table;
  if (engine !== undefined) {
    findings.error(
      path,
      `"${table.name}" is kept by ${engine}, which has no transactions: half a change could stay. Use InnoDB.`,
    );
  }
  if (table.exists) return true;
  findings.error(path, `There is no table "${table.name}".${nearestName(table.name, names)}`);
  return false;
}

/** Of several, each at its own place in the list. */
function hasColumns(table: TableSchema, declared: string | readonly string[], path: Path, findings: Findings): boolean {
  if (typeof declared === 'string') return hasColumn(table, declared, path, findings);
  const found = declared.map((name, index) => hasColumn(table, name, [...path, index], findings));
  return found.every(Boolean);
}

function hasColumn(table: TableSchema, columnName: string, path: Path, findings: Findings): boolean {
  if (table.columns.has(columnName.toLowerCase())) return true;
  const names = [...table.columns.values()].map((schema) => schema.name);
  findings.error(path, `The table "${table.name}" has no column "${columnName}".${nearestName(columnName, names)}`);
  return false;
}
