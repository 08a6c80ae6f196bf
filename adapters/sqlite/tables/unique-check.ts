import { AdapterError } from '../../../src/backend/adapter-error.js';
import { isChildRecord } from '../../../src/backend/record.js';
import { keyOf } from '../../../src/scim/comparison.js';
import { type EntityPlan, inner, outer } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import type { Session } from './session.js';
import { column, type Sql, type SqlValue, sql } from './sql-text.js';
import type { Value } from './value-set.js';

/**
 * Refuses values of a unique field that another record has. Inside `BEGIN IMMEDIATE` nobody can put one in between.
 * @param own the record's own key; undefined for a new one
 * @throws AdapterError conflict
 */
export function assertFree(
  session: Session,
  plan: EntityPlan,
  field: FieldPlan,
  values: readonly Value[],
  own: SqlValue | undefined,
): void {
  for (const [part, isUnique] of uniqueParts(field)) {
    if (!isUnique) continue;
    for (const value of values) {
      const holder = holderCondition(plan, field, part, value);
      if (holder === undefined) continue;
      const others = own === undefined ? holder : sql`${holder} AND ${column(outer, plan.key.name)} <> ${own}`;
      const statement = sql`SELECT 1 FROM ${plan.tableName} AS ${outer} WHERE ${others} AND ${plan.alive(outer)} LIMIT 1`;
      if (session.rows(statement).length > 0) throw conflict(field.name);
    }
  }
}

export function conflict(field: string, cause?: unknown): AdapterError {
  return new AdapterError('conflict', `Another record has this value of "${field}".`, { field, cause });
}

/** The parts of the field, and whether two records may not share them. */
function uniqueParts({ use }: FieldPlan): readonly (readonly [string, boolean])[] {
  if (use.type !== 'records') return [['', use.unique]];
  return (use.children ?? []).map((child) => [child.name, child.unique]);
}

function holderCondition(plan: EntityPlan, field: FieldPlan, part: string, value: Value): Sql | undefined {
  const isOwn = field.kind === 'column' || field.kind === 'json';
  const scalar = isOwn ? field.scalar : field.parts.get(part);
  const wanted = isChildRecord(value) ? value[part] : value;
  const key = scalar === undefined || wanted === undefined ? undefined : keyOf(scalar.comparison, wanted);
  if (scalar === undefined || key === undefined) return undefined;
  if (isOwn) return scalar.compare(outer, 'eq', key);
  const equal = scalar.compare(inner, 'eq', key);
  return field.kind === 'child'
    ? sql`${column(outer, plan.key.name)} IN (SELECT ${column(inner, field.parent.name)} FROM ${field.from(outer, inner)} WHERE ${equal}${field.restriction(inner)})`
    : sql`EXISTS (SELECT 1 FROM ${field.from(outer, inner)} WHERE ${field.where(outer, inner)} AND ${equal})`;
}
