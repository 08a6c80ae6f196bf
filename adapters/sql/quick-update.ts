import type { BackendRecord, Change, Scalar } from '../../src/backend/adapter.js';
import { type EntityPlan, outer } from './entity-plan.js';
import type { ColumnField } from './field-plan.js';
import { selectionOf } from './read-records.js';
import { incomingReferences } from './references.js';
import { columnAssignments, RowEdit, setClause } from './row-edit.js';
import { idKey } from './search.js';
import { any, column, sql } from './sql-text.js';
import { isUnique } from './unique-check.js';
import { ask, type Work } from './work.js';
import { bump, guarded, type Writer } from './write-records.js';

/**
 * An update that needs no look at the row before: values of columns of its own that nothing else depends on. One statement
 * changes the row where a value is another, and gives it back.
 * @returns undefined when that is not so, or the row is not there or as it should be already: nothing was written then
 */
export function* quickUpdate(
  writer: Writer,
  plan: EntityPlan,
  id: string,
  changes: readonly Change[],
  fields: readonly string[],
): Work<BackendRecord | undefined> {
  if (!plan.dialect.updatesGiveRows || plan.writeTable !== plan.table || plan.writeTable.isView) return undefined;
  if (plan.version === undefined && fields.includes('$revision')) return undefined;
  const own = columnsOf(writer, plan, changes);
  if (own === undefined) return undefined;
  const edit = new RowEdit(plan.dialect, own, undefined);
  for (const change of changes) edit.apply(change);
  const values = edit.changes();
  // What is taken out may be an empty text, which is no value either.
  if (values.length < own.length) return undefined;
  const assignments = values.flatMap(({ field, after }) =>
    columnAssignments(field as ColumnField, after[0]?.value as Scalar | undefined),
  );
  const isOther = any(assignments.map((item) => sql`${column(outer, item.column)} IS DISTINCT FROM ${item.value}`));
  const selection = selectionOf(plan, fields);
  const statement = sql`UPDATE ${plan.writeName} AS ${outer} SET ${setClause([...assignments, ...bump(writer, plan)])} WHERE ${plan.id.compare(outer, 'eq', idKey(plan, id))} AND ${plan.alive(outer)} AND ${isOther} RETURNING ${selection.columns}`;
  const work = function* (): Work<BackendRecord | undefined> {
    return (yield* selection.records((yield ask(statement)).rows))[0];
  };
  const references = own.filter(({ use }) => use.reference !== undefined);
  return yield* guarded(plan, 'update', references.length === 1 ? references[0]?.name : undefined, work());
}

function columnsOf(writer: Writer, plan: EntityPlan, changes: readonly Change[]): readonly ColumnField[] | undefined {
  const quick = quickFields(writer, plan);
  const own: ColumnField[] = [];
  for (const change of changes) {
    const field = quick.get(change.field);
    if (field === undefined || own.includes(field) || change.op !== 'set' || change.values.length !== 1)
      return undefined;
    own.push(field);
  }
  return own.length === 0 ? undefined : own;
}

const quickFieldsOf = new WeakMap<EntityPlan, ReadonlyMap<string, ColumnField>>();

/** Columns that nothing else depends on, worked out once: no key, nothing unique, nothing that others refer to. */
function quickFields(writer: Writer, plan: EntityPlan): ReadonlyMap<string, ColumnField> {
  const known = quickFieldsOf.get(plan);
  if (known !== undefined) return known;
  const { references } = incomingReferences(writer.plans, plan.entity);
  const kept = [...plan.key.columns.map((item) => item.name), ...plan.fixed.map((item) => item.column)];
  const quick = new Map<string, ColumnField>();
  for (const field of plan.fields.values()) {
    if (field.kind !== 'column' || !field.isWritable || isUnique(field) || kept.includes(field.column.name)) continue;
    if (withoutEquality.has(field.column.kind) || references.some(({ by }) => by === field.name)) continue;
    quick.set(field.name, field);
  }
  quickFieldsOf.set(plan, quick);
  return quick;
}

const withoutEquality: ReadonlySet<string> = new Set(['json', 'other', 'none', 'bytes']);
