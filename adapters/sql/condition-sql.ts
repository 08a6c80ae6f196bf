import type { Condition } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { assertNever } from '../../src/scim/assert-never.js';
import { keyOf } from '../../src/scim/comparison.js';
import { pathsIn, toNegationNormalForm } from '../../src/scim/filter.js';
import { type EntityPlan, fieldOf, inner, outer, scalarOf } from './entity-plan.js';
import type { ListField } from './field-plan.js';
import type { ScalarPlan } from './scalar-plan.js';
import { all, any, isFalse, type Sql, sql } from './sql-text.js';
import { loneSurrogate } from './stored-scalar.js';
import { hasIndexOn } from './table-schema.js';

type Compare = Extract<Condition, { kind: 'compare' }>;

/** A condition over the entity's rows, as the alias `t`. True exactly for the records that `compileCondition` selects. */
export function conditionSql(plan: EntityPlan, condition: Condition): Sql {
  const normal = toNegationNormalForm(condition);
  return compile(normal, {
    compare: (filter) => overField(plan, filter.path, normal, (scalar, alias) => compareSql(scalar, alias, filter)),
    present: (field) => overField(plan, field, normal, (scalar, alias) => scalar.present(alias)),
    valuePath: (field, filter) => {
      const list = listOf(plan, field);
      return existsSql(list, normal, childConditionSql(list, filter, inner));
    },
  });
}

/** A condition over one child record under the alias; where it also holds for a child without values, there is one. */
export function childConditionSql(list: ListField, condition: Condition, alias: Sql): Sql {
  if (!list.isRecords) throw unsupported(list.name, 'holds no child records');
  const normal = toNegationNormalForm(condition);
  const compiled = compile(normal, {
    compare: (filter) => compareSql(partOf(list, filter.path), alias, filter),
    present: (part) => partOf(list, part).present(alias),
    valuePath: (part) => {
      throw unsupported(`${list.name}.${part}`, 'holds no child records');
    },
  });
  return holdsOfNothing(normal) ? all([compiled, anyPart(list, alias)]) : compiled;
}

/** Whether the condition's SQL selects what it means and no more. */
export function isExactOver(list: ListField, condition: Condition): boolean {
  switch (condition.kind) {
    case 'compare': {
      const { operators } = partOf(list, condition.path);
      return operators[condition.op === 'ne' ? 'eq' : condition.op] === 'exact';
    }
    case 'present':
      return partOf(list, condition.path).operators.pr === 'exact';
    case 'and':
    case 'or':
      return condition.operands.every((operand) => isExactOver(list, operand));
    case 'not':
      return isExactOver(list, condition.operand);
    case 'valuePath':
      return false;
  }
}

/** Some part of the child has a value: one without any is not given as a child. */
export function anyPart(list: ListField, alias: Sql): Sql {
  return any([...list.parts.values()].map((part) => part.present(alias)));
}

/** @throws AdapterError unsupported */
export function partOf(list: ListField, part: string): ScalarPlan {
  const found = list.parts.get(part);
  if (found === undefined) throw unsupported(`${list.name}.${part}`, 'is not declared');
  return found;
}

interface Leaves {
  compare(filter: Compare): Sql;
  present(field: string): Sql;
  valuePath(field: string, filter: Condition): Sql;
}

/** Leaves may be NULL where they are not true, so a negation is `IS NOT TRUE`. */
function compile(condition: Condition, leaves: Leaves): Sql {
  switch (condition.kind) {
    case 'compare':
      return leaves.compare(condition);
    case 'present':
      return leaves.present(condition.path);
    case 'and':
      return all(condition.operands.map((operand) => compile(operand, leaves)));
    case 'or':
      return any(condition.operands.map((operand) => compile(operand, leaves)));
    case 'not':
      return sql`(${compile(condition.operand, leaves)}) IS NOT TRUE`;
    case 'valuePath':
      return leaves.valuePath(condition.path, condition.filter);
    default:
      return assertNever(condition);
  }
}

/** A literal of another kind than the field's values equals none of them (requirements GAP-03). */
function compareSql(scalar: ScalarPlan, alias: Sql, { op, value }: Compare): Sql {
  const key = keyOf(scalar.comparison, value);
  if (key === undefined || op === 'ne') return isFalse; // `ne` is gone in negation normal form
  if (typeof key === 'string' && loneSurrogate.test(key)) return isFalse; // it would become U+FFFD
  if (scalar.operators[op] === undefined) throw unsupported(scalar.field, `cannot be compared by "${op}"`);
  return scalar.compare(alias, op, key);
}

function overField(
  plan: EntityPlan,
  field: string,
  whole: Condition,
  leaf: (scalar: ScalarPlan, alias: Sql) => Sql,
): Sql {
  const scalar = scalarOf(plan, field);
  if (scalar !== undefined) return leaf(scalar, outer);
  const list = listOf(plan, field);
  if (!list.isRecords) return existsSql(list, whole, leaf(partOf(list, ''), inner));
  if (whole.kind === 'compare') throw unsupported(field, 'holds child records and cannot be compared');
  return existsSql(list, whole, anyPart(list, inner));
}

/**
 * One row of the record meets the condition. Where that is the whole question, or an index on the child's value finds
 * the few rows, the other way round is quicker: keys from the child table first. SQLite does not turn it by itself.
 */
function existsSql(list: ListField, whole: Condition, condition: Sql): Sql {
  if (list.kind === 'child' && (whole.kind === 'valuePath' || whole.kind === 'compare' || isIndexed(list, whole))) {
    return sql`${list.parentKey(outer)} IN (SELECT ${list.parentColumn(inner)} FROM ${list.from(outer, inner)} WHERE ${condition}${list.restriction(inner)}${list.visible(inner)})`;
  }
  return sql`EXISTS (SELECT 1 FROM ${list.from(outer, inner)} WHERE ${list.where(outer, inner)} AND ${condition})`;
}

/** Every part of the condition about this list asks for equality on an indexed column. */
function isIndexed(list: ListField, condition: Condition): boolean {
  switch (condition.kind) {
    case 'compare':
      return condition.path === list.name ? finds(list, '', condition) : true;
    case 'present':
      return condition.path !== list.name;
    case 'and':
    case 'or':
      return condition.operands.every((operand) => isIndexed(list, operand));
    case 'not':
      return !pathsIn(condition.operand).includes(list.name);
    case 'valuePath':
      return condition.path === list.name ? narrows(list, condition.filter) : true;
  }
}

function narrows(list: ListField, filter: Condition): boolean {
  if (filter.kind === 'and') return filter.operands.some((operand) => narrows(list, operand));
  return filter.kind === 'compare' && finds(list, filter.path, filter);
}

function finds(list: ListField, part: string, { op }: Compare): boolean {
  const indexable = list.parts.get(part)?.indexable;
  return list.kind === 'child' && op === 'eq' && indexable !== undefined && hasIndexOn(list.table, [indexable]);
}

/** Whether the condition holds for a child without a single value. */
function holdsOfNothing(condition: Condition): boolean {
  switch (condition.kind) {
    case 'compare':
    case 'present':
    case 'valuePath':
      return false;
    case 'not':
      return !holdsOfNothing(condition.operand);
    case 'and':
      return condition.operands.every(holdsOfNothing);
    case 'or':
      return condition.operands.some(holdsOfNothing);
  }
}

function listOf(plan: EntityPlan, field: string): ListField {
  const found = field.startsWith('$') ? undefined : fieldOf(plan, field);
  if (found?.kind === 'child' || found?.kind === 'jsonList') return found;
  throw unsupported(field, 'holds no child records');
}

function unsupported(field: string, why: string): AdapterError {
  return new AdapterError('unsupported', `The field "${field}" ${why}.`, { field });
}
