import type { EntityCapabilities, FieldCapability, FieldUse, FilterOp, Precision } from '../../src/backend/adapter.js';
import type { Comparison } from '../../src/scim/comparison.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { revisionSource } from './revision.js';

type Operators = Partial<Record<FilterOp, Precision>>;

/**
 * What is promised of an entity. Texts are compared as the mapping wants them: the server narrows down, and what it gives
 * is compared again, so that `exact` is true whatever its rules fold. Operators that the server cannot help with are left
 * to the gateway, which bounds its scans.
 */
export function capabilitiesOf(plan: EntityPlan): EntityCapabilities {
  const fields: Record<string, FieldCapability> = {
    $id: { comparison: 'exact', operators: { eq: 'exact', pr: 'exact' }, sortable: true },
  };
  for (const name of ['$created', '$modified'] as const) {
    const wanted = name === '$created' ? plan.times.created : plan.times.modified;
    if (plan.server.schema.attribute(wanted) !== undefined) fields[name] = timeCapability;
  }
  for (const field of plan.fields.values()) {
    if (field.use.read && field.password === undefined) fields[field.name] = fieldCapability(field, plan);
  }
  const { id } = plan.use;
  if (id !== undefined && fields[id] === undefined) fields[id] = fields.$id as FieldCapability;
  return {
    fields,
    combine: { and: true, or: true, not: true },
    offset: true,
    total: true,
    revision: revisionSource(plan) !== undefined,
    write: true,
    // A new name and new values are two operations; the first is undone when the second fails.
    atomicUpdate: !renames(plan),
    enforcesUnique: enforcesUnique(plan),
    referentialIntegrity: false,
  };
}

/** What is known of an entity before any server was reached: enough to start with. */
export function unknownCapabilities(uses: readonly FieldUse[]): EntityCapabilities {
  const eq = { eq: 'exact' } as const;
  const fields = uses
    .filter(({ read }) => read)
    .map(
      (use) => [use.name, { comparison: use.comparison, operators: use.unique ? eq : {}, sortable: false }] as const,
    );
  return {
    fields: { ...Object.fromEntries(fields), $id: { comparison: 'exact', operators: eq, sortable: false } },
    combine: { and: true, or: true, not: true },
    offset: true,
    total: true,
    revision: false,
    write: true,
    atomicUpdate: false,
    enforcesUnique: false,
    referentialIntegrity: false,
  };
}

const timeCapability: FieldCapability = {
  comparison: 'instant',
  operators: { eq: 'exact', pr: 'exact', gt: 'exact', ge: 'exact', lt: 'exact', le: 'exact' },
  sortable: true,
};

function fieldCapability(field: FieldPlan, plan: EntityPlan): FieldCapability {
  const isSortable =
    field.use.type !== 'bytes' && !field.use.multiple && field.form !== 'reference' && field.key !== 'dn';
  return {
    comparison: comparisonOf(field),
    operators: operatorsOf(field, plan),
    ...(field.form === 'integer' && field.isSingle && plan.server.features.bitRules ? { flags: 'exact' } : {}),
    sortable: isSortable && field.searchedIn === undefined,
  };
}

/** DNs name the same entry however their letters are written. */
export function comparisonOf(field: FieldPlan): Comparison {
  return field.form === 'dn' ? 'fold' : field.use.comparison;
}

export function operatorsOf(field: FieldPlan, plan: EntityPlan): Operators {
  const { type } = field;
  const isActiveDirectory = plan.server.kind === 'active-directory';
  if (field.searchedIn !== undefined) return {};
  if (field.key === 'dn') return { pr: 'exact', eq: 'exact' };
  if (type === undefined) return { pr: 'exact', eq: 'exact' };
  const holdsNobody = plan.placeholder !== undefined && field.use.multiple && field.form === 'reference';
  const operators: Operators = holdsNobody ? {} : { pr: 'exact' };
  const has = (rule: string | undefined): boolean => isActiveDirectory || rule !== undefined;
  if (has(type.equality)) operators.eq = 'exact';
  switch (field.form) {
    case 'text':
      if (has(type.substrings)) Object.assign(operators, { co: 'exact', sw: 'exact', ew: 'exact' });
      break;
    case 'integer':
    case 'time':
      if (has(type.ordering)) Object.assign(operators, { gt: 'exact', ge: 'exact', lt: 'exact', le: 'exact' });
      break;
    default:
      break;
  }
  return operators;
}

/** Whether a written field is part of the entry's name. */
function renames(plan: EntityPlan): boolean {
  const names = plan.create?.dn.fields ?? new Set<string>();
  return [...plan.fields.values()].some((field) => field.isWritable && names.has(field.name));
}

/**
 * The directory itself refuses two entries of one name, so a unique field is safe when it alone is the name, in one
 * container. Other unique fields are looked up before they are written, which is safe within this process only.
 */
function enforcesUnique(plan: EntityPlan): boolean {
  const unique = [...plan.fields.values()].filter(({ use }) => use.unique && use.written);
  const only = plan.create?.dn.onlyField;
  return unique.length > 0 && unique.every(({ name }) => name === only);
}
