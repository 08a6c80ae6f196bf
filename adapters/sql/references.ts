import type { Change, FieldUse, Scalar } from '../../src/backend/adapter.js';
import { keyOf } from '../../src/scim/comparison.js';
import { type EntityPlan, type EntityPlans, inner, outer } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import type { SqlValue } from './pool.js';
import { type Assignment, columnAssignments, setClause } from './row-edit.js';
import type { ScalarPlan } from './scalar-plan.js';
import { all, type Sql, sql } from './sql-text.js';
import { rows, run, type Work } from './work.js';

/** A field, or a part of its child records, whose values name records of some entity by their field `by`. */
export interface IncomingReference {
  readonly owner: EntityPlan;
  readonly field: FieldPlan;
  readonly part: string;
  readonly by: string;
}

/** Changes a record by its key, deleted or not. */
export type ApplyChanges = (owner: EntityPlan, key: SqlValue, changes: readonly Change[]) => Work<void>;

export interface IncomingReferences {
  readonly references: readonly IncomingReference[];
  /** False when something refers to the entity that is not ours to mend. */
  readonly isComplete: boolean;
}

export function incomingReferences(plans: EntityPlans, entity: string): IncomingReferences {
  const references: IncomingReference[] = [];
  let isComplete = true;
  for (const owner of plans.values()) {
    for (const use of owner.use.fields) {
      for (const { part, by } of referencesOf(use, entity)) {
        const field = owner.fields.get(use.name);
        if (field?.isWritable === true && !owner.writeTable.isView) references.push({ owner, field, part, by });
        else isComplete = false;
      }
    }
  }
  return { references, isComplete };
}

/** Takes the old value out wherever it refers to a record, or puts the new one in its place. */
export function* mendReference(reference: IncomingReference, { before, after, bump, apply }: MendOptions): Work<void> {
  const { owner, field, part } = reference;
  const scalar = field.kind === 'column' || field.kind === 'json' ? field.scalar : field.parts.get(part);
  const key = scalar === undefined ? undefined : keyOf(scalar.comparison, before);
  if (scalar === undefined || key === undefined) return;
  switch (field.kind) {
    case 'column': {
      const given = columnAssignments(field, after).filter((item) => !isKept(owner, item.column));
      const assignments = [...given, ...bump(owner)];
      yield* run(updateOwners(owner, assignments, scalar.compare(outer, 'eq', key)));
      return;
    }
    case 'child': {
      const { tableName } = field;
      const named = (alias: Sql): Sql => sql`${scalar.compare(alias, 'eq', key)}${field.restriction(alias)}`;
      const owners = sql`SELECT ${field.parentColumn(inner)} FROM ${tableName} AS ${inner} WHERE ${named(inner)}`;
      if (bump(owner).length > 0)
        yield* run(updateOwners(owner, bump(owner), sql`${field.parentKey(outer)} IN (${owners})`));
      const childColumn = field.columns.get(part);
      if (after === undefined || childColumn === undefined)
        yield* run(sql`DELETE FROM ${tableName} WHERE ${named(tableName)}`);
      else {
        const assignments = setClause(columnAssignments({ ...childColumn, scalar }, after));
        yield* run(sql`UPDATE ${tableName} SET ${assignments} WHERE ${named(tableName)}`);
      }
      return;
    }
    default: {
      const changes = jsonChanges(field, part, before, after);
      const holds = ownersOf(field, scalar, key);
      const statement = sql`SELECT ${owner.key.select(outer)} FROM ${owner.tableName} AS ${outer} WHERE ${holds}${owner.restriction(outer)}`;
      for (const [ownerKey = null] of yield* rows(statement)) yield* apply(owner, ownerKey, changes);
    }
  }
}

export interface MendOptions {
  readonly before: Scalar;
  /** Absent when the record is deleted. */
  readonly after: Scalar | undefined;
  /** What counts an owner's change. */
  readonly bump: (owner: EntityPlan) => readonly Assignment[];
  readonly apply: ApplyChanges;
}

/** Columns that a reference shares with the row's own key stay as they are. */
function isKept({ key, fixed }: EntityPlan, columnName: string): boolean {
  return [...key.columns.map((own) => own.name), ...fixed.map((own) => own.column)].includes(columnName);
}

function referencesOf(use: FieldUse, entity: string): readonly { readonly part: string; readonly by: string }[] {
  if (use.inverseOf !== undefined) return [];
  const own = use.reference?.targets.includes(entity) === true ? [{ part: '', by: use.reference.by }] : [];
  const parts = (use.children ?? []).flatMap((child) =>
    child.reference?.targets.includes(entity) === true ? [{ part: child.name, by: child.reference.by }] : [],
  );
  return use.type === 'records' ? parts : own;
}

function updateOwners(owner: EntityPlan, assignments: readonly Assignment[], condition: Sql): Sql {
  return sql`UPDATE ${owner.writeName} AS ${outer} SET ${setClause(assignments)} WHERE ${condition}${owner.restriction(outer)}`;
}

function ownersOf(
  field: Exclude<FieldPlan, { kind: 'column' | 'child' }>,
  scalar: ScalarPlan,
  key: ReturnType<typeof keyOf>,
): Sql {
  const equal = (alias: Sql): Sql => scalar.compare(alias, 'eq', key ?? '');
  if (field.kind === 'json') return equal(outer);
  return sql`EXISTS (SELECT 1 FROM ${field.from(outer, inner)} WHERE ${all([field.where(outer, inner), equal(inner)])})`;
}

function jsonChanges(field: FieldPlan, part: string, before: Scalar, after: Scalar | undefined): readonly Change[] {
  const own = field.name;
  if (part !== '') {
    const value = typeof before === 'bigint' ? Number(before) : before;
    const where = { kind: 'compare', path: part, op: 'eq', value: value instanceof Uint8Array ? null : value } as const;
    return after === undefined
      ? [{ op: 'removeWhere', field: own, where }]
      : [{ op: 'updateWhere', field: own, where, set: { [part]: after } }];
  }
  const removed: Change = { op: 'remove', field: own, values: [before] };
  return after === undefined ? [removed] : [removed, { op: 'add', field: own, values: [after] }];
}
