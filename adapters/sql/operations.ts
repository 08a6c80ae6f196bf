import type { BackendRecord, Change, UpdateOptions, UpdateResult } from '../../src/backend/adapter.js';
import { type EntityPlan, outer, planOf } from './entity-plan.js';
import type { SqlValue } from './pool.js';
import { quickUpdate } from './quick-update.js';
import { selectionOf } from './read-records.js';
import { sql } from './sql-text.js';
import { ask, type Work } from './work.js';
import { createRecord, deleteRecord, updateRecord, type Writer } from './write-records.js';

/** The whole of an adapter's writing operations, each within a transaction of the caller's. */
export function* create(
  writer: Writer,
  entity: string,
  record: BackendRecord,
  fields: readonly string[],
): Work<BackendRecord> {
  const plan = planOf(writer.plans, entity);
  return yield* readByKey(plan, yield* createRecord(writer, plan, record), fields);
}

export function* update(
  writer: Writer,
  entity: string,
  id: string,
  changes: readonly Change[],
  { ifRevision, fields }: UpdateOptions,
): Work<UpdateResult> {
  const plan = planOf(writer.plans, entity);
  const quick = ifRevision === undefined ? yield* quickUpdate(writer, plan, id, changes, fields) : undefined;
  if (quick !== undefined) return { changed: true, record: quick };
  const { key, changed } = yield* updateRecord(writer, plan, id, changes, ifRevision);
  return { changed, record: fields.length === 0 ? { $id: id } : yield* readByKey(plan, key, fields) };
}

export function* remove(writer: Writer, entity: string, id: string, ifRevision: string | undefined): Work<void> {
  yield* deleteRecord(writer, planOf(writer.plans, entity), id, ifRevision);
}

function idOfKey(plan: EntityPlan, key: SqlValue): string {
  return plan.key.columns.length === 1 ? String(key) : String(plan.id.decode(key) ?? '');
}

function* readByKey(plan: EntityPlan, key: SqlValue, fields: readonly string[]): Work<BackendRecord> {
  const selection = selectionOf(plan, fields);
  const statement = sql`SELECT ${selection.columns} FROM ${plan.tableName} AS ${outer} WHERE ${plan.key.is(outer, key)}${plan.restriction(outer)}`;
  return (yield* selection.records((yield ask(statement)).rows))[0] ?? { $id: idOfKey(plan, key) };
}
