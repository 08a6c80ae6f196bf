import type { EntityCapabilities, FieldCapability, FilterOp, Precision } from '../../src/backend/adapter.js';
import type { EntityPlan } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import { sortName } from './query.js';
import { isScim, scimName } from './scim-filter.js';

type Operators = Partial<Record<FilterOp, Precision>>;

/**
 * What is promised of an entity: what the target is declared to do. What it gives for `eq` is compared again unless it is
 * declared to be exact, so that `eq` is always exact.
 */
export function capabilitiesOf(plan: EntityPlan): EntityCapabilities {
  const fields: Record<string, FieldCapability> = {
    $id: {
      comparison: 'exact',
      operators: { ...reserved(plan, '$id'), eq: 'exact' },
      sortable: isSortable(plan, '$id'),
    },
  };
  for (const name of ['$created', '$modified'] as const) {
    if ((name === '$created' ? plan.created : plan.modified) === undefined) continue;
    fields[name] = { comparison: 'instant', operators: reserved(plan, name), sortable: isSortable(plan, name) };
  }
  for (const field of plan.fields.values()) if (field.use.read) fields[field.name] = fieldCapability(plan, field);
  const { id } = plan.use;
  if (id !== undefined && !id.startsWith('$')) fields[id] ??= fields.$id as FieldCapability;
  const { paging, total } = plan.listing;
  return {
    fields,
    combine: combineOf(plan),
    offset: true,
    total: total !== undefined || paging.kind === 'none',
    revision: hasRevision(plan),
    write: plan.create !== undefined || plan.update !== undefined || plan.delete !== undefined,
    atomicUpdate: isAtomic(plan),
    enforcesUnique: plan.enforcesUnique,
    referentialIntegrity: plan.referentialIntegrity,
  };
}

function combineOf({ filters }: EntityPlan): EntityCapabilities['combine'] {
  if (!isScim(filters)) return { and: true, or: false, not: false };
  const { combine } = filters;
  return { and: combine.includes('and'), or: combine.includes('or'), not: combine.includes('not') };
}

function fieldCapability(plan: EntityPlan, field: FieldPlan): FieldCapability {
  const { name, comparison, children } = field;
  return {
    comparison,
    operators: operatorsOf(plan, field),
    sortable: isSortable(plan, name),
    ...(field.type === 'records'
      ? {
          children: Object.fromEntries(
            children.map((child) => [
              child.name,
              {
                comparison: child.comparison,
                operators: childOperators(plan, field, child.type),
                sortable: isSortable(plan, name, child.name),
              },
            ]),
          ),
        }
      : {}),
  };
}

function operatorsOf(plan: EntityPlan, field: FieldPlan): Operators {
  const { filters } = plan;
  if (isScim(filters)) {
    if (scimName(plan, field.name) === undefined) return {};
    return scimOperators(plan, field.type);
  }
  return declared(plan, field.name);
}

function reserved(plan: EntityPlan, name: string): Operators {
  const { filters } = plan;
  if (!isScim(filters)) return declared(plan, name);
  if (scimName(plan, name) === undefined) return {};
  return scimOperators(plan, name === '$id' ? 'string' : 'instant');
}

function declared({ filters }: EntityPlan, name: string): Operators {
  const operators: Operators = {};
  if (isScim(filters)) return operators;
  for (const { field, ops, match } of filters) {
    if (field !== name) continue;
    for (const op of ops) if (op !== 'in') operators[op] ??= op === 'eq' ? 'exact' : match;
  }
  return operators;
}

function childOperators(plan: EntityPlan, field: FieldPlan, type: FieldPlan['type']): Operators {
  return isScim(plan.filters) && scimName(plan, field.name) !== undefined ? scimOperators(plan, type) : {};
}

/** RFC 7644 §3.4.2.2: booleans and binary values have no order, and numbers no parts. */
function scimOperators({ filters }: EntityPlan, type: FieldPlan['type']): Operators {
  if (!isScim(filters)) return {};
  const operators: Operators = {};
  for (const op of filters.ops) {
    if (!opsOf(type).includes(op)) continue;
    operators[op] = op === 'eq' ? 'exact' : filters.match;
  }
  return operators;
}

function opsOf(type: FieldPlan['type']): readonly FilterOp[] {
  switch (type) {
    case 'string':
      return ['pr', 'eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];
    case 'number':
    case 'instant':
      return ['pr', 'eq', 'gt', 'ge', 'lt', 'le'];
    case 'boolean':
    case 'bytes':
      return ['pr', 'eq'];
    case 'records':
      return ['pr'];
  }
}

function isSortable(plan: EntityPlan, field: string, child?: string): boolean {
  return sortName(plan, field, child) !== undefined;
}

/** A revision is a promise about every change, and about being checked with the write. */
function hasRevision(plan: EntityPlan): boolean {
  if (plan.revisionHeader === undefined && plan.revisionPointer === undefined) return false;
  if (![...plan.fields.values()].every((field) => field.changesRevision)) return false;
  const { update, delete: deletion } = plan;
  const updates = update === undefined || update.ifMatch || isGuardedByBody(plan);
  return updates && (deletion === undefined || deletion.ifMatch);
}

/** The revision is in the body: a patch tests it, or the whole record holds it. */
function isGuardedByBody({ update, revisionPointer }: EntityPlan): boolean {
  return revisionPointer !== undefined && (update?.body === 'json-patch' || update?.body === 'full');
}

function isAtomic({ update, fields }: EntityPlan): boolean {
  const hasCalls = [...fields.values()].some(({ calls, isWritable }) => calls !== undefined && isWritable);
  return !hasCalls && (update?.requests.length ?? 0) === 0;
}
