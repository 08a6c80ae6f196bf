import type { EntityCapabilities, FieldCapability, FieldUse } from '../../src/backend/adapter.js';
import type { EntityPlan, EntityPlans } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import { incomingReferences } from './references.js';
import { type ScalarPlan, scalarCapability } from './scalar-plan.js';

export function capabilitiesOfAll(plans: EntityPlans): Readonly<Record<string, EntityCapabilities>> {
  return Object.fromEntries([...plans].map(([entity, plan]) => [entity, capabilitiesOf(plans, plan)]));
}

/** What is promised before the database was reached: enough to look records up once it is. */
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
    atomicUpdate: true,
    enforcesUnique: false,
    referentialIntegrity: false,
  };
}

function capabilitiesOf(plans: EntityPlans, plan: EntityPlan): EntityCapabilities {
  const fields: Record<string, FieldCapability> = { $id: scalarCapability(plan.id) };
  if (plan.created !== undefined) fields.$created = scalarCapability(plan.created.scalar);
  if (plan.modified !== undefined) fields.$modified = scalarCapability(plan.modified.scalar);
  for (const field of plan.fields.values()) {
    if (field.use.read || field.name === plan.use.id) fields[field.name] = fieldCapability(field);
  }
  return {
    fields,
    combine: { and: true, or: true, not: true },
    offset: true,
    total: true,
    revision: plan.revision !== undefined,
    write: !plan.writeTable.isView,
    atomicUpdate: true,
    enforcesUnique: plan.dialect.isSerial || uniqueScalars(plan).every(({ isKeptUnique }) => isKeptUnique === true),
    referentialIntegrity: incomingReferences(plans, plan.entity).isComplete,
  };
}

function fieldCapability(field: FieldPlan): FieldCapability {
  if (field.kind === 'column' || field.kind === 'json') return scalarCapability(field.scalar);
  const simple = field.parts.get('');
  if (simple !== undefined && !field.isRecords) return scalarCapability(simple);
  const parts = [...field.parts.values()];
  const children = [...field.parts].map(([part, scalar]) => [part, scalarCapability(scalar)] as const);
  const isKnown = parts.every(({ operators }) => operators.pr === 'exact');
  return {
    comparison: 'exact',
    operators: isKnown ? { pr: 'exact' } : {},
    sortable: false,
    children: Object.fromEntries(children),
  };
}

/** What no two records may share. */
function uniqueScalars(plan: EntityPlan): readonly ScalarPlan[] {
  return [...plan.fields.values()].flatMap((field) => {
    if (field.kind === 'column' || field.kind === 'json') return field.use.unique ? [field.scalar] : [];
    const parts = field.isRecords ? (field.use.children ?? []) : [{ name: '', unique: field.use.unique }];
    return parts.flatMap(({ name, unique }) => (unique ? (field.parts.get(name) ?? []) : []));
  });
}
