import { AdapterError } from '../../src/backend/adapter-error.js';
import { isChildRecord } from '../../src/backend/record.js';
import { keyOf } from '../../src/scim/comparison.js';
import { type EntityPlan, inner, outer } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import type { SqlValue } from './pool.js';
import { type Sql, sql } from './sql-text.js';
import type { Value } from './value-set.js';
import { rows, type Work } from './work.js';

/**
 * Refuses values of a unique field that another record has. Where writers do not wait for each other, a unique index
 * does it better, and is left to it.
 * @param own the record's own key; undefined for a new one
 * @throws AdapterError conflict
 */
export function* assertFree(
  plan: EntityPlan,
  field: FieldPlan,
  values: readonly Value[],
  own: SqlValue | undefined,
): Work<void> {
  for (const [part, isUnique] of uniqueParts(field)) {
    if (!isUnique) continue;
    for (const value of values) {
      const holder = holderCondition(field, part, value);
      if (holder === undefined || isLeftToIndex(plan, field, part)) continue;
      const others = own === undefined ? holder : sql`${holder} AND ${plan.key.isNot(outer, own)}`;
      const statement = sql`SELECT 1 FROM ${plan.tableName} AS ${outer} WHERE ${others} AND ${plan.alive(outer)} LIMIT 1`;
      if ((yield* rows(statement)).length > 0) throw conflict(field.name);
    }
  }
}

export function conflict(field: string, cause?: unknown): AdapterError {
  return new AdapterError('conflict', `Another record has this value of "${field}".`, { field, cause });
}

/** Whether two records may not share the field's value, or that of a part of it. */
export function isUnique(field: FieldPlan): boolean {
  return uniqueParts(field).some(([, isOwn]) => isOwn);
}

function isLeftToIndex({ dialect }: EntityPlan, field: FieldPlan, part: string): boolean {
  const scalar = field.kind === 'column' || field.kind === 'json' ? field.scalar : field.parts.get(part);
  return !dialect.isSerial && scalar?.isKeptUnique === true;
}

/** The parts of the field, and whether two records may not share them. */
function uniqueParts({ use }: FieldPlan): readonly (readonly [string, boolean])[] {
  if (use.type !== 'records') return [['', use.unique]];
  return (use.children ?? []).map((child) => [child.name, child.unique]);
}

function holderCondition(field: FieldPlan, part: string, value: Value): Sql | undefined {
  const isOwn = field.kind === 'column' || field.kind === 'json';
  const scalar = isOwn ? field.scalar : field.parts.get(part);
  const wanted = isChildRecord(value) ? value[part] : value;
  const key = scalar === undefined || wanted === undefined ? undefined : keyOf(scalar.comparison, wanted);
  if (scalar === undefined || key === undefined) return undefined;
  if (isOwn) return scalar.compare(outer, 'eq', key);
  const equal = scalar.compare(inner, 'eq', key);
  return field.kind === 'child'
    ? sql`${field.parentKey(outer)} IN (SELECT ${field.parentColumn(inner)} FROM ${field.from(outer, inner)} WHERE ${equal}${field.restriction(inner)})`
    : sql`EXISTS (SELECT 1 FROM ${field.from(outer, inner)} WHERE ${field.where(outer, inner)} AND ${equal})`;
}
