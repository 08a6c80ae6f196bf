import type { BackendRecord, Change, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { valuesOf } from '../../src/backend/record.js';
import { applyChildChange } from './child-changes.js';
import { assertWholeKey, isOfKey, isSameColumn, ownColumns, simpleKeyIn } from './entity-key.js';
import { type EntityPlan, type EntityPlans, fieldOf, type InstantColumn, outer } from './entity-plan.js';
import type { ChildField, FieldPlan } from './field-plan.js';
import type { Row, SqlValue } from './pool.js';
import { type IncomingReference, incomingReferences, mendReference } from './references.js';
import { type Assignment, type OwnField, RowEdit, setClause } from './row-edit.js';
import { idKey } from './search.js';
import { list, name, nothing, type Sql, sql } from './sql-text.js';
import { rejected } from './stored-scalar.js';
import { assertFree, isUnique } from './unique-check.js';
import { foldChanges } from './value-set.js';
import { ask, change, rows, run, type Work } from './work.js';

/** What one operation writes with. */
export interface Writer {
  readonly plans: EntityPlans;
  /** The time of the change, ISO 8601 in UTC. */
  readonly now: string;
  readonly newKey: () => string;
}

/** @returns the new record's key @throws AdapterError conflict, rejected */
export function* createRecord(writer: Writer, plan: EntityPlan, record: BackendRecord): Work<SqlValue> {
  assertWritable(plan);
  const given = Object.entries(record).map(([field, value]) => ({
    field: writableField(plan, field),
    change: { op: 'set', field, values: valuesOf(value) } as const,
  }));
  const own = given.flatMap(({ field }) => (field.kind === 'child' ? [] : [field]));
  const edit = new RowEdit(plan.dialect, own, undefined);
  for (const { change } of given) edit.apply(change);
  yield* checkUnique(plan, edit, undefined);
  const key = yield* guarded(plan, 'create', referring(edit), insertRow(writer, plan, edit));
  for (const { field, change } of given) {
    if (field.kind === 'child') yield* applyToChild(plan, field, key, change, 'create');
  }
  return key;
}

export interface UpdatedRow {
  readonly key: SqlValue;
  readonly changed: boolean;
}

/** @throws AdapterError notFound, revisionMismatch, conflict, rejected, unsupported */
export function* updateRecord(
  writer: Writer,
  plan: EntityPlan,
  id: string,
  changes: readonly Change[],
  ifRevision: string | undefined,
): Work<UpdatedRow> {
  assertWritable(plan);
  const own = ownFields(plan, changes);
  const { key, values } = yield* existingRow(plan, id, RowEdit.expressions(own), ifRevision);
  const edit = new RowEdit(plan.dialect, own, values);
  return { key, changed: yield* applyChanges(writer, plan, key, edit, changes) };
}

/** @throws AdapterError notFound, revisionMismatch, rejected, unsupported */
export function* deleteRecord(
  writer: Writer,
  plan: EntityPlan,
  id: string,
  ifRevision: string | undefined,
): Work<void> {
  assertWritable(plan);
  const incoming = incomingReferences(writer.plans, plan.entity).references;
  const named = [...new Set(incoming.map(({ by }) => by))].filter((by) => by !== '$id');
  const own = named.flatMap((by) => ownField(plan, by) ?? []);
  const selected = own.map((field) => field.scalar.select(outer));
  const { key, values } = yield* existingRow(plan, id, selected, ifRevision);
  const work = function* (): Work<void> {
    for (const reference of incoming) {
      const index = own.findIndex(({ name: field }) => field === reference.by);
      const value = reference.by === '$id' ? id : own[index]?.scalar.decode(values[index] ?? null);
      if (value !== undefined) yield* mend(writer, reference, value, undefined);
    }
    if (plan.deleted === undefined) yield* deleteRow(plan, key);
    else yield* updateRow(plan, key, [instant(plan.deleted, writer.now), ...bump(writer, plan)]);
  };
  yield* guarded(plan, 'delete', undefined, work());
}

function instant({ column: own, scalar }: InstantColumn, now: string): Assignment {
  return { column: own, value: scalar.write(scalar.encode(now)) };
}

/** What counts a change of the record. */
export function bump(writer: Writer, { version, modified }: EntityPlan): readonly Assignment[] {
  const counted = version === undefined ? [] : [{ column: version, value: sql`coalesce(${name(version)}, 0) + 1` }];
  if (modified === undefined) return counted;
  return [...counted, instant(modified, writer.now)];
}

function* applyChanges(
  writer: Writer,
  plan: EntityPlan,
  key: SqlValue,
  edit: RowEdit,
  changes: readonly Change[],
): Work<boolean> {
  let isChanged = false;
  for (const change of foldChanges(changes)) {
    const field = writableField(plan, change.field);
    if (field.kind !== 'child') edit.apply(change);
    else isChanged = (yield* applyToChild(plan, field, key, change, 'update')) || isChanged;
  }
  assertSameKey(plan, edit);
  yield* checkUnique(plan, edit, key);
  const assignments = edit.assignments(ownColumns(plan, key));
  if (assignments.length === 0 && !isChanged) return false;
  const work = function* (): Work<void> {
    yield* updateRow(plan, key, [...assignments, ...bump(writer, plan)]);
    if (assignments.length > 0) yield* mendRenamed(writer, plan, edit);
  };
  yield* guarded(plan, 'update', referring(edit), work());
  return true;
}

/** Values that other records refer to by, when they changed. */
function* mendRenamed(writer: Writer, plan: EntityPlan, edit: RowEdit): Work<void> {
  const renamed = edit.changes();
  if (renamed.length === 0) return;
  for (const reference of incomingReferences(writer.plans, plan.entity).references) {
    const change = renamed.find(({ field }) => field.name === reference.by);
    const before = change?.before[0]?.value as Scalar | undefined;
    if (before !== undefined) yield* mend(writer, reference, before, change?.after[0]?.value as Scalar | undefined);
  }
}

function* mend(writer: Writer, reference: IncomingReference, before: Scalar, after: Scalar | undefined): Work<void> {
  yield* mendReference(reference, {
    before,
    after,
    bump: (owner) => bump(writer, owner),
    *apply(owner, key, changes) {
      const fields = ownFields(owner, changes);
      const selected = list(RowEdit.expressions(fields));
      const statement = sql`SELECT ${selected} FROM ${owner.tableName} AS ${outer} WHERE ${owner.key.is(outer, key)}${owner.restriction(outer)}${owner.writeTable === owner.table ? owner.dialect.lock : nothing}`;
      const edit = new RowEdit(owner.dialect, fields, (yield* rows(statement))[0]);
      yield* applyChanges(writer, owner, key, edit, changes);
    },
  });
}

interface ExistingRow {
  readonly key: SqlValue;
  readonly values: Row;
}

/** The row, locked until the transaction ends. */
function* existingRow(
  plan: EntityPlan,
  id: string,
  expressions: readonly Sql[],
  ifRevision: string | undefined,
): Work<ExistingRow> {
  if (ifRevision !== undefined && plan.revision === undefined) {
    throw new AdapterError('unsupported', `"${plan.entity}" has no version column, so that there are no revisions.`);
  }
  const revision = plan.revision?.(outer) ?? sql`0`;
  const selected = list([plan.key.select(outer), revision, ...expressions]);
  const found = sql`${plan.id.compare(outer, 'eq', idKey(plan, id))} AND ${plan.alive(outer)}`;
  const onPaper: Row = [plan.key.onPaper(id), ifRevision ?? null];
  if (plan.writeTable !== plan.table) yield* lockBehindView(plan, id);
  const lock = plan.writeTable === plan.table ? plan.dialect.lock : nothing;
  const statement = sql`SELECT ${selected} FROM ${plan.tableName} AS ${outer} WHERE ${found}${lock}`;
  const [existing] = (yield ask(statement, onPaper)).rows;
  if (existing === undefined) throw new AdapterError('notFound', `No such record in "${plan.entity}".`);
  const [key = null, current, ...values] = existing;
  if (ifRevision !== undefined && ifRevision !== String(current)) {
    throw new AdapterError('revisionMismatch', 'The record was changed in the meantime.');
  }
  return { key, values };
}

/** Rows of a view can seldom be locked; the row behind it is, before the view is read. */
function* lockBehindView(plan: EntityPlan, id: string): Work<void> {
  const { dialect, writeName, key } = plan;
  if (dialect.isSerial) return;
  const found = plan.id.compare(outer, 'eq', idKey(plan, id));
  yield* rows(
    sql`SELECT ${key.select(outer)} FROM ${writeName} AS ${outer} WHERE ${found}${plan.restriction(outer)}${dialect.lock}`,
  );
}

function* insertRow({ now, newKey }: Writer, plan: EntityPlan, edit: RowEdit): Work<SqlValue> {
  const { generated } = plan;
  const assignments = [...edit.assignments(plan.fixed)];
  const given =
    generated === undefined ? undefined : assignments.find((item) => isSameColumn(item.column, generated.name));
  const key = plan.generateKey === 'uuid' && generated !== undefined ? newKey() : undefined;
  if (generated !== undefined && given === undefined && key !== undefined)
    assignments.unshift({ column: generated.name, value: sql`${key}` });
  if (plan.version !== undefined) assignments.push({ column: plan.version, value: sql`1` });
  assignments.push(...plan.fixed);
  for (const kept of [plan.created, plan.modified]) {
    if (kept !== undefined) assignments.push(instant(kept, now));
  }
  assertWholeKey(plan, assignments);
  const stored = (yield* plan.dialect.insertRow(plan, assignments, simpleKeyIn(plan, assignments))) ?? null;
  if (stored === null) throw new AdapterError('rejected', 'The database gave the new record no key.');
  return stored;
}

function* updateRow(plan: EntityPlan, key: SqlValue, assignments: readonly Assignment[]): Work<void> {
  if (assignments.length === 0) return;
  yield change(
    sql`UPDATE ${plan.writeName} AS ${outer} SET ${setClause(assignments)} WHERE ${plan.key.is(outer, key)}${plan.restriction(outer)}`,
  );
}

/** The row, after the rows of its child tables. */
function* deleteRow(plan: EntityPlan, key: SqlValue): Work<void> {
  for (const field of plan.fields.values()) {
    if (field.kind !== 'child' || !field.isWritable) continue;
    const { tableName } = field;
    yield* run(sql`DELETE FROM ${tableName} WHERE ${field.parent.is(tableName, key)}${field.restriction(tableName)}`);
  }
  const { writeName, restriction } = plan;
  yield* run(sql`DELETE FROM ${writeName} WHERE ${plan.key.is(writeName, key)}${restriction(writeName)}`);
}

function* applyToChild(
  plan: EntityPlan,
  field: ChildField,
  parent: SqlValue,
  change: Change,
  operation: 'create' | 'update',
): Work<boolean> {
  const free = isUnique(field)
    ? (values: Parameters<typeof assertFree>[2]) => assertFree(plan, field, values, parent)
    : undefined;
  const child = { dialect: plan.dialect, field, parent, ...(free === undefined ? {} : { assertFree: free }) };
  return yield* guarded(plan, operation, field.name, applyChildChange(child, change));
}

function assertSameKey(plan: EntityPlan, edit: RowEdit): void {
  const field = edit
    .changes()
    .find((change) => change.field.kind === 'column' && isOfKey(plan, change.field.column.name))?.field;
  if (field !== undefined) throw rejected(field.name, "It is the record's identity and stays as it is.");
}

function* checkUnique(plan: EntityPlan, edit: RowEdit, own: SqlValue | undefined): Work<void> {
  for (const { field, after } of edit.changes()) {
    if (!isUnique(field)) continue;
    yield* assertFree(
      plan,
      field,
      after.map(({ value }) => value),
      own,
    );
  }
}

/** The one reference among the fields written: what a FOREIGN KEY, whose error names nothing, must be about. */
function referring(edit: RowEdit): string | undefined {
  const references = edit.changes().filter(({ field }) => field.use.reference !== undefined);
  return references.length === 1 ? references[0]?.field.name : undefined;
}

function ownFields(plan: EntityPlan, changes: readonly Change[]): readonly OwnField[] {
  const fields = [...new Set(changes.map(({ field }) => field))].map((field) => writableField(plan, field));
  return fields.filter((field): field is OwnField => field.kind !== 'child');
}

function ownField(plan: EntityPlan, field: string) {
  const found = plan.fields.get(field);
  return found?.kind === 'column' || found?.kind === 'json' ? found : undefined;
}

function writableField(plan: EntityPlan, name_: string): FieldPlan {
  const field = fieldOf(plan, name_);
  if (!field.isWritable) throw rejected(field.name, 'It cannot be written.');
  return field;
}

function assertWritable(plan: EntityPlan): void {
  if (plan.writeTable.isView) throw new AdapterError('unsupported', `"${plan.entity}" is a view, which is only read.`);
}

/** What the database refuses, as what it means for the fields. */
export function* guarded<T>(
  plan: EntityPlan,
  operation: 'create' | 'update' | 'delete',
  written: string | undefined,
  work: Work<T>,
): Work<T> {
  try {
    return yield* work;
  } catch (error) {
    throw plan.dialect.toDataError(error, plan, operation, written);
  }
}
