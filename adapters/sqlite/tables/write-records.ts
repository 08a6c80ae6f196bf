import type { BackendRecord, Change, Scalar } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { valuesOf } from '../../../src/backend/record.js';
import { applyChildChange } from './child-changes.js';
import { toDataError } from './constraint-error.js';
import { type EntityPlan, type EntityPlans, fieldOf, outer } from './entity-plan.js';
import type { ChildField, FieldPlan } from './field-plan.js';
import { type IncomingReference, incomingReferences, mendReference } from './references.js';
import { type Assignment, type OwnField, RowEdit, setClause } from './row-edit.js';
import { idKey } from './search.js';
import type { Row, Session } from './session.js';
import { column, list, name, type Sql, type SqlValue, sql } from './sql-text.js';
import { rejected } from './stored-scalar.js';
import { assertFree } from './unique-check.js';
import { foldChanges } from './value-set.js';

/** What one operation writes with. */
export interface Writer {
  readonly session: Session;
  readonly plans: EntityPlans;
  /** The time of the change, ISO 8601 in UTC. */
  readonly now: string;
  readonly newKey: () => string;
}

/** @returns the new record's key @throws AdapterError conflict, rejected */
export function createRecord(writer: Writer, plan: EntityPlan, record: BackendRecord): SqlValue {
  assertWritable(plan);
  const given = Object.entries(record).map(([field, value]) => ({
    field: writableField(plan, field),
    change: { op: 'set', field, values: valuesOf(value) } as const,
  }));
  const own = given.flatMap(({ field }) => (field.kind === 'child' ? [] : [field]));
  const edit = new RowEdit(own, undefined);
  for (const { change } of given) edit.apply(change);
  checkUnique(writer.session, plan, edit, undefined);
  const key = guarded(plan, 'create', referring(edit), () => insertRow(writer, plan, edit));
  for (const { field, change } of given) {
    if (field.kind === 'child') applyToChild(writer.session, plan, field, key, change, 'create');
  }
  return key;
}

export interface UpdatedRow {
  readonly key: SqlValue;
  readonly changed: boolean;
}

/** @throws AdapterError notFound, revisionMismatch, conflict, rejected, unsupported */
export function updateRecord(
  writer: Writer,
  plan: EntityPlan,
  id: string,
  changes: readonly Change[],
  ifRevision: string | undefined,
): UpdatedRow {
  assertWritable(plan);
  const own = ownFields(plan, changes);
  const row = existingRow(writer.session, plan, id, RowEdit.expressions(own), ifRevision);
  return { key: row.key, changed: applyChanges(writer, plan, row.key, new RowEdit(own, row.values), changes) };
}

/** @throws AdapterError notFound, revisionMismatch, rejected, unsupported */
export function deleteRecord(writer: Writer, plan: EntityPlan, id: string, ifRevision: string | undefined): void {
  assertWritable(plan);
  const { session } = writer;
  const incoming = incomingReferences(writer.plans, plan.entity).references;
  const values = [...new Set(incoming.map(({ by }) => by))].filter((by) => by !== '$id');
  const own = values.flatMap((by) => ownField(plan, by) ?? []);
  const { key, values: row } = existingRow(
    session,
    plan,
    id,
    own.map((field) => field.scalar.select(outer)),
    ifRevision,
  );
  guarded(plan, 'delete', undefined, () => {
    for (const reference of incoming) {
      const index = own.findIndex(({ name: field }) => field === reference.by);
      const named = reference.by === '$id' ? id : own[index]?.scalar.decode(row[index] ?? null);
      if (named !== undefined) mend(writer, reference, named, undefined);
    }
    if (plan.deleted === undefined) deleteRow(session, plan, key);
    else {
      const deletedAt = { column: plan.deleted.column, value: sql`${plan.deleted.scalar.encode(writer.now)}` };
      updateRow(session, plan, key, [deletedAt, ...bump(writer, plan)]);
    }
  });
}

/** What counts a change of the record. */
export function bump(writer: Writer, { version, modified }: EntityPlan): readonly Assignment[] {
  const counted = version === undefined ? [] : [{ column: version, value: sql`coalesce(${name(version)}, 0) + 1` }];
  if (modified === undefined) return counted;
  return [...counted, { column: modified.column, value: sql`${modified.scalar.encode(writer.now)}` }];
}

function applyChanges(
  writer: Writer,
  plan: EntityPlan,
  key: SqlValue,
  edit: RowEdit,
  changes: readonly Change[],
): boolean {
  const { session } = writer;
  let isChanged = false;
  for (const change of foldChanges(changes)) {
    const field = writableField(plan, change.field);
    if (field.kind !== 'child') edit.apply(change);
    else isChanged = applyToChild(session, plan, field, key, change, 'update') || isChanged;
  }
  assertSameKey(plan, edit);
  checkUnique(session, plan, edit, key);
  const assignments = edit.assignments();
  if (assignments.length === 0 && !isChanged) return false;
  guarded(plan, 'update', referring(edit), () => {
    updateRow(session, plan, key, [...assignments, ...bump(writer, plan)]);
    mendRenamed(writer, plan, edit);
  });
  return true;
}

/** Values that other records refer to by, when they changed. */
function mendRenamed(writer: Writer, plan: EntityPlan, edit: RowEdit): void {
  const renamed = edit.changes();
  if (renamed.length === 0) return;
  for (const reference of incomingReferences(writer.plans, plan.entity).references) {
    const change = renamed.find(({ field }) => field.name === reference.by);
    const before = change?.before[0]?.value as Scalar | undefined;
    if (before !== undefined) mend(writer, reference, before, change?.after[0]?.value as Scalar | undefined);
  }
}

function mend(writer: Writer, reference: IncomingReference, before: Scalar, after: Scalar | undefined): void {
  mendReference(writer.session, reference, {
    before,
    after,
    bump: (owner) => bump(writer, owner),
    apply: (owner, key, changes) => {
      const fields = ownFields(owner, changes);
      const selected = list(RowEdit.expressions(fields));
      const statement = sql`SELECT ${selected} FROM ${owner.tableName} AS ${outer} WHERE ${column(outer, owner.key.name)} = ${key}`;
      applyChanges(writer, owner, key, new RowEdit(fields, writer.session.rows(statement)[0]), changes);
    },
  });
}

interface ExistingRow {
  readonly key: SqlValue;
  readonly values: Row;
}

function existingRow(
  session: Session,
  plan: EntityPlan,
  id: string,
  expressions: readonly Sql[],
  ifRevision: string | undefined,
): ExistingRow {
  const { version } = plan;
  if (ifRevision !== undefined && version === undefined) {
    throw new AdapterError('unsupported', `"${plan.entity}" has no version column, so that there are no revisions.`);
  }
  const revision = version === undefined ? sql`0` : sql`coalesce(${column(outer, version)}, 0)`;
  const selected = list([column(outer, plan.key.name), revision, ...expressions]);
  const found = sql`${plan.id.compare(outer, 'eq', idKey(plan, id))} AND ${plan.alive(outer)}`;
  const onPaper: Row = [id, ifRevision ?? null];
  const row = session.row(sql`SELECT ${selected} FROM ${plan.tableName} AS ${outer} WHERE ${found}`, onPaper);
  if (row === undefined) throw new AdapterError('notFound', `No such record in "${plan.entity}".`);
  const [key = null, current, ...values] = row;
  if (ifRevision !== undefined && ifRevision !== String(current)) {
    throw new AdapterError('revisionMismatch', 'The record was changed in the meantime.');
  }
  return { key, values };
}

function insertRow({ session, now, newKey }: Writer, plan: EntityPlan, edit: RowEdit): SqlValue {
  const assignments = [...edit.assignments()];
  const isGiven = assignments.some((item) => item.column.toLowerCase() === plan.key.name.toLowerCase());
  const key = plan.generateKey === 'uuid' ? newKey() : undefined;
  if (!isGiven && key !== undefined) assignments.unshift({ column: plan.key.name, value: sql`${key}` });
  if (plan.version !== undefined) assignments.push({ column: plan.version, value: sql`1` });
  for (const instant of [plan.created, plan.modified]) {
    if (instant !== undefined) assignments.push({ column: instant.column, value: sql`${instant.scalar.encode(now)}` });
  }
  const columns = list(assignments.map((item) => name(item.column)));
  const values = list(assignments.map((item) => item.value));
  const row = assignments.length === 0 ? sql`DEFAULT VALUES` : sql`(${columns}) VALUES (${values})`;
  const inserted = session.row(sql`INSERT INTO ${plan.tableName} ${row} RETURNING ${name(plan.key.name)}`, [
    key ?? '…',
  ]);
  const stored = inserted?.[0] ?? null;
  if (stored === null) throw new AdapterError('rejected', 'The database gave the new record no key.');
  return stored;
}

function updateRow(session: Session, plan: EntityPlan, key: SqlValue, assignments: readonly Assignment[]): void {
  if (assignments.length === 0) return;
  session.run(
    sql`UPDATE ${plan.tableName} AS ${outer} SET ${setClause(assignments)} WHERE ${column(outer, plan.key.name)} = ${key}`,
  );
}

/** The row, after the rows of its child tables. */
function deleteRow(session: Session, plan: EntityPlan, key: SqlValue): void {
  for (const field of plan.fields.values()) {
    if (field.kind !== 'child' || !field.isWritable) continue;
    const table = name(field.table.name);
    session.run(
      sql`DELETE FROM ${table} AS c WHERE ${column({ text: 'c', params: [] }, field.parent.name)} = ${key}${field.restriction({ text: 'c', params: [] })}`,
    );
  }
  session.run(sql`DELETE FROM ${plan.tableName} WHERE ${name(plan.key.name)} = ${key}`);
}

function applyToChild(
  session: Session,
  plan: EntityPlan,
  field: ChildField,
  parent: SqlValue,
  change: Change,
  operation: 'create' | 'update',
): boolean {
  const free = (values: Parameters<typeof assertFree>[3]) => assertFree(session, plan, field, values, parent);
  return guarded(plan, operation, field.name, () =>
    applyChildChange(session, { field, parent, assertFree: free }, change),
  );
}

function assertSameKey(plan: EntityPlan, edit: RowEdit): void {
  const field = edit
    .changes()
    .find((change) => change.field.kind === 'column' && change.field.column.name === plan.key.name)?.field;
  if (field !== undefined) throw rejected(field.name, "It is the record's identity and stays as it is.");
}

function checkUnique(session: Session, plan: EntityPlan, edit: RowEdit, own: SqlValue | undefined): void {
  for (const { field, after } of edit.changes()) {
    assertFree(
      session,
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
  if (plan.table.isView) throw new AdapterError('unsupported', `"${plan.entity}" is a view, which is only read.`);
}

function guarded<T>(
  plan: EntityPlan,
  operation: 'create' | 'update' | 'delete',
  written: string | undefined,
  run: () => T,
): T {
  try {
    return run();
  } catch (error) {
    throw toDataError(error, plan, operation, written);
  }
}
