import type { BackendRecord, Condition, FilterOp, Sort } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { compileCondition } from '../../src/backend/condition.js';
import { type Comparison, instantKey, keyOf } from '../../src/scim/comparison.js';
import { allOf, anyOf, isAlways, isNever, negate, never, pathsIn } from '../../src/scim/filter.js';
import { storedId } from './document.js';
import type { EntityPlan, PushedFilter } from './entity-plan.js';
import type { Parameter } from './exchange.js';
import { storedScalar } from './scalar.js';
import { isScim, printScimFilter, scimName } from './scim-filter.js';
import { fillText } from './template.js';

/** A condition as far as the target can do it, and what is left to look at here. */
export interface QueryPlan {
  readonly parameters: readonly Parameter[];
  /** Nothing can match. */
  readonly isNever: boolean;
  /** Only the record with this id can match. */
  readonly id: string | undefined;
  /** Holds what the target gives against the condition; undefined when it selects exactly that. */
  readonly verify: ((record: BackendRecord) => boolean) | undefined;
  /** Fields that `verify` reads. */
  readonly verified: readonly string[];
  /** At most one record can match. */
  readonly isUnique: boolean;
}

const everything: QueryPlan = {
  parameters: [],
  isNever: false,
  id: undefined,
  verify: undefined,
  verified: [],
  isUnique: false,
};

/** Longer values are not sent in a query: servers refuse long addresses. */
const maxQueryText = 6_000;

/** @throws AdapterError `unsupported` for a field that there is not */
export function planQuery(plan: EntityPlan, filter: Condition | undefined): QueryPlan {
  if (filter === undefined) return everything;
  const condition = typed(plan, filter);
  if (isAlways(condition)) return everything;
  if (isNever(condition)) return { ...everything, isNever: true };
  const leaves = condition.kind === 'and' ? condition.operands : [condition];
  const id = leaves.map(idOf).find((value) => value !== undefined);
  const pushed = isScim(plan.filters) ? pushScim(plan, leaves) : pushOwn(plan, plan.filters, leaves);
  const isExact = pushed.isExact && id === undefined;
  const whole = compileCondition(condition, (field, child) => comparisonOf(plan, field, child));
  return {
    parameters: pushed.parameters,
    isNever: false,
    id,
    verify: isExact ? undefined : whole,
    verified: isExact ? [] : pathsIn(condition).filter((path) => !path.startsWith('$id')),
    isUnique: leaves.some((leaf) => isUniqueTest(plan, leaf)) && pushed.parameters.length > 0,
  };
}

function idOf(condition: Condition): string | undefined {
  const isId = condition.kind === 'compare' && condition.path === '$id' && condition.op === 'eq';
  return isId && typeof condition.value === 'string' ? condition.value : undefined;
}

function isUniqueTest(plan: EntityPlan, condition: Condition): boolean {
  if (condition.kind !== 'compare' || condition.op !== 'eq') return false;
  return plan.enforcesUnique && plan.uniqueFields.includes(condition.path);
}

/** How a field is compared. @throws AdapterError `unsupported` for a field that there is not */
export function comparisonOf(plan: EntityPlan, name: string, child?: string): Comparison {
  if (name === '$created' || name === '$modified') return 'instant';
  if (name.startsWith('$') || (name === plan.use.id && !plan.fields.has(name))) return 'exact';
  const field = plan.fields.get(name);
  const own = child === undefined ? field : field?.children.find((candidate) => candidate.name === child);
  if (own !== undefined) return own.comparison;
  throw new AdapterError('unsupported', `There is no field "${name}" in "${plan.entity}".`, { field: name });
}

/** The condition without tests that no value can pass: those with a value of another type than the field's. */
function typed(plan: EntityPlan, condition: Condition, parent?: string): Condition {
  switch (condition.kind) {
    case 'present':
      comparisonOf(plan, parent ?? condition.path, parent === undefined ? undefined : condition.path);
      return condition;
    case 'compare': {
      const comparison = comparisonOf(
        plan,
        parent ?? condition.path,
        parent === undefined ? undefined : condition.path,
      );
      const key = keyOf(comparison, condition.value);
      if (key === undefined) return never;
      // Instants in one zone, as they are kept.
      return comparison === 'instant' ? { ...condition, value: `${instantKey(String(condition.value))}Z` } : condition;
    }
    case 'and':
      return allOf(condition.operands.map((operand) => typed(plan, operand, parent)));
    case 'or':
      return anyOf(condition.operands.map((operand) => typed(plan, operand, parent)));
    case 'not':
      return negate(typed(plan, condition.operand, parent));
    case 'valuePath': {
      const filter = typed(plan, condition.filter, condition.path);
      return isNever(filter) ? never : { ...condition, filter };
    }
  }
}

interface Pushed {
  readonly parameters: readonly Parameter[];
  readonly isExact: boolean;
}

/** As many tests as there are parameters for that do not get into each other's way. */
function pushOwn(plan: EntityPlan, filters: readonly PushedFilter[], leaves: readonly Condition[]): Pushed {
  const parameters = new Map<string, string>();
  let isExact = true;
  for (const leaf of leaves) {
    const own = pushLeaf(plan, filters, leaf);
    const isFree = own?.parameters.every(([name]) => !parameters.has(name)) ?? false;
    if (own === undefined || !isFree) {
      isExact = false;
      continue;
    }
    for (const [name, value] of own.parameters) parameters.set(name, value);
    isExact &&= own.isExact;
  }
  return { parameters: [...parameters], isExact };
}

function pushLeaf(plan: EntityPlan, filters: readonly PushedFilter[], leaf: Condition): Pushed | undefined {
  if (leaf.kind !== 'compare' && leaf.kind !== 'present') return undefined;
  const op: FilterOp | undefined = leaf.kind === 'present' ? 'pr' : leaf.op === 'ne' ? undefined : leaf.op;
  const filter = filters.find(({ field, ops }) => field === leaf.path && op !== undefined && ops.includes(op));
  if (filter === undefined) return undefined;
  const value = leaf.kind === 'present' ? '' : queryText(plan, leaf.path, leaf.value);
  if (value === undefined || value.length > maxQueryText) return undefined;
  // Many take a parameter without a value for none.
  const isExact = filter.match === 'exact' && (op === 'pr' || value !== '');
  return { parameters: parametersOf(filter, { value, values: value }), isExact };
}

function parametersOf({ query }: PushedFilter, values: Readonly<Record<string, string>>): readonly Parameter[] {
  return Object.entries(query).map(([name, template]) => [name, fillText(template, values)]);
}

/** A value as the target knows it, as text. */
function queryText(plan: EntityPlan, name: string, value: string | number | boolean | null): string | undefined {
  if (value === null) return undefined;
  if (name === '$id') return storedId(plan, String(value));
  const field = plan.fields.get(name);
  return String(field === undefined ? value : storedScalar(field, value));
}

function pushScim(plan: EntityPlan, leaves: readonly Condition[]): Pushed {
  const { filters } = plan;
  if (!isScim(filters)) return { parameters: [], isExact: false };
  const can = leaves.filter((leaf) => canScim(plan, leaf));
  const used = can.length > 1 && !filters.combine.includes('and') ? can.slice(0, 1) : can;
  if (used.length === 0) return { parameters: [], isExact: false };
  const text = printScimFilter(plan, allOf(used));
  if (text.length > maxQueryText) return { parameters: [], isExact: false };
  const isExact = used.length === leaves.length && filters.match === 'exact';
  return { parameters: [[filters.parameter, text]], isExact };
}

/** Whether the target understands the condition as a whole. */
function canScim(plan: EntityPlan, condition: Condition, isInElement = false): boolean {
  const { filters } = plan;
  if (!isScim(filters)) return false;
  switch (condition.kind) {
    case 'present':
    case 'compare': {
      const op = condition.kind === 'present' ? 'pr' : condition.op;
      if (op === 'ne' || !filters.ops.includes(op)) return false;
      return isInElement || scimName(plan, condition.path) !== undefined;
    }
    case 'and':
    case 'or':
      if (condition.operands.length === 0) return false;
      if (condition.operands.length > 1 && !filters.combine.includes(condition.kind)) return false;
      return condition.operands.every((operand) => canScim(plan, operand, isInElement));
    case 'not':
      // Of too much the opposite is too little.
      return (
        filters.combine.includes('not') && filters.match === 'exact' && canScim(plan, condition.operand, isInElement)
      );
    case 'valuePath':
      return scimName(plan, condition.path) !== undefined && canScim(plan, condition.filter, true);
  }
}

/** The parameters that ask for records with one of several values; undefined when the target has none for it. */
export function planIn(
  plan: EntityPlan,
  by: string,
):
  | { readonly maxValues: number; readonly parameters: (values: readonly string[]) => readonly Parameter[] }
  | undefined {
  const { filters } = plan;
  if (isScim(filters)) {
    const name = scimName(plan, by);
    if (name === undefined || !filters.ops.includes('eq') || !filters.combine.includes('or')) return undefined;
    return {
      maxValues: 40,
      parameters: (values) => {
        const text = values.map((value) => `${name} eq ${JSON.stringify(value)}`).join(' or ');
        return [[filters.parameter, text]];
      },
    };
  }
  const filter = filters.find(({ field, ops }) => field === by && ops.includes('in'));
  if (filter === undefined) return undefined;
  const { maxValues, separator } = filter;
  return { maxValues, parameters: (values) => parametersOf(filter, { values: values.join(separator), value: '' }) };
}

/** The parameters that make the target sort. @throws AdapterError `unsupported` when it cannot */
export function sortParameters(plan: EntityPlan, sort: Sort | undefined): readonly Parameter[] {
  if (sort === undefined) return [];
  const name = sortName(plan, sort.field, sort.child);
  if (plan.sort === undefined || name === undefined) {
    throw new AdapterError('unsupported', `The target cannot sort by "${sort.field}".`, { field: sort.field });
  }
  const { ascending = 'ascending', descending = 'descending', query } = plan.sort;
  const values = { field: name, direction: sort.descending ? descending : ascending };
  return Object.entries(query).map(([parameter, template]) => [parameter, fillText(template, values)]);
}

/** What the target calls a field to sort by; `field.child` for one in child records. */
export function sortName({ sort }: EntityPlan, field: string, child?: string): string | undefined {
  return sort?.fields[child === undefined ? field : `${field}.${child}`];
}
