import { readAttribute } from '../scim/attribute-value.js';
import type { Comparison } from '../scim/comparison.js';
import type { Dialect } from '../scim/dialect.js';
import { applyPatch } from '../scim/patch-apply.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import { isAssigned } from '../scim/resource-parser.js';
import type { Attribute, Resource } from '../scim/schema.js';
import type { Dropped } from './not-taken.js';
import { cannotBeCleared, type PatchPlan } from './patch-plan.js';
import { leavesOf, type MappingPlan } from './plan.js';
import { settleSlots } from './slots.js';
import { missingByRules } from './value-rules.js';

export interface PatchStateOptions {
  readonly dialect: Dialect;
  /** As the backend compares. */
  readonly comparisonFor: (leaf: Attribute) => Comparison;
  readonly dropped: Dropped;
}

/**
 * The resource after those operations of a PATCH that depend on what is there.
 * @param before the resource as it is, at least the attributes that the patch needs
 * @throws ScimError noTarget, mutability; invalidValue when something required has lost its value
 */
export function patchedResource(
  plan: MappingPlan,
  before: Resource,
  { operations, needs }: Pick<PatchPlan, 'operations' | 'needs'>,
  { dialect, comparisonFor, dropped }: PatchStateOptions,
): Resource {
  const after = applyPatch(
    before,
    operations.filter(({ attribute }) => needs.has(attribute)),
    {
      dialect,
      comparisonFor,
      settle: (attribute, elements, changed) => {
        const attributePlan = plan.byPath.get(attribute.path);
        return attributePlan?.kind === 'slots' ? settleSlots(attributePlan, elements, changed, dropped) : elements;
      },
    },
  );
  const missing = (resource: Resource): readonly string[] => [
    ...[...needs].flatMap((attribute) =>
      attribute.required && !isAssigned(readAttribute(resource, attribute)) ? [attribute.path] : [],
    ),
    ...missingByRules(plan, resource, needs),
  ];
  const alreadyMissing = new Set(missing(before));
  const lost = missing(after).find((path) => !alreadyMissing.has(path));
  if (lost !== undefined) throw cannotBeCleared(lost, lastOperationOn(lost, operations));
  return after;
}

/** Of an attribute that is lost as a whole; a rule's own demand on a part of it is a matter of values. */
function lastOperationOn(path: string, operations: readonly PatchOperation[]): PatchOperation['op'] | undefined {
  return operations.findLast(({ attribute }) => attribute.path === path)?.op;
}

/** Fields that operations empty and that no rule reads, so that comparing does not show it. */
export function emptiedFields(plan: MappingPlan, operations: readonly PatchOperation[]): ReadonlySet<string> {
  const fields = new Set<string>();
  for (const { op, attribute, sub, value, unset, filter } of operations) {
    const attributePlan = plan.byPath.get(attribute.path);
    if (attributePlan === undefined || filter !== undefined) continue;
    const isCleared = op === 'remove' || value === undefined;
    for (const leaf of leavesOf(attributePlan)) {
      const isMeant =
        sub === undefined ? isCleared || unset.includes(leaf.attribute) : isCleared && sub === leaf.attribute;
      if (isMeant) fields.add(leaf.field);
    }
  }
  return fields;
}
