import type { EntityCapabilities, FieldCapability } from '../../../src/backend/adapter.js';
import type { EntityPlan, EntityPlans } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import { incomingReferences } from './references.js';
import { scalarCapability } from './scalar-plan.js';

/** @param isOrdered false for a database whose texts do not sort by code point (UTF-16) */
export function capabilitiesOf(plans: EntityPlans, plan: EntityPlan, isOrdered: boolean): EntityCapabilities {
  const fields: Record<string, FieldCapability> = { $id: scalarCapability(plan.id, isOrdered) };
  if (plan.created !== undefined) fields.$created = scalarCapability(plan.created.scalar, isOrdered);
  if (plan.modified !== undefined) fields.$modified = scalarCapability(plan.modified.scalar, isOrdered);
  for (const field of plan.fields.values()) {
    if (field.use.read || field.name === plan.use.id) fields[field.name] = fieldCapability(field, isOrdered);
  }
  return {
    fields,
    combine: { and: true, or: true, not: true },
    offset: true,
    total: true,
    revision: plan.version !== undefined,
    write: !plan.table.isView,
    atomicUpdate: true,
    enforcesUnique: true,
    referentialIntegrity: incomingReferences(plans, plan.entity).isComplete,
  };
}

function fieldCapability(field: FieldPlan, isOrdered: boolean): FieldCapability {
  if (field.kind === 'column' || field.kind === 'json') return scalarCapability(field.scalar, isOrdered);
  const simple = field.parts.get('');
  if (simple !== undefined && !field.isRecords) return scalarCapability(simple, isOrdered);
  const children = [...field.parts].map(([part, scalar]) => [part, scalarCapability(scalar, isOrdered)] as const);
  return { comparison: 'exact', operators: { pr: 'exact' }, sortable: false, children: Object.fromEntries(children) };
}
