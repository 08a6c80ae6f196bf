import type { Change } from '../backend/adapter.js';
import { asComplex } from '../scim/attribute-value.js';
import type { Dialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import { isAssigned } from '../scim/resource-parser.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import { planList } from './patch-plan-list.js';
import { planMembers } from './patch-plan-members.js';
import { planSlots } from './patch-plan-slots.js';
import { prepareOperations } from './patch-prepare.js';
import {
  type AttributePlan,
  type ComplexPlan,
  isReferenceList,
  type Leaf,
  leafFor,
  leavesOf,
  type MappingPlan,
  type RecordsPlan,
  type SimplePlan,
} from './plan.js';
import { encodeLeaf, encodeList, referencedId, valuesIn, type WriteContext } from './write.js';

/** A PATCH as the backend will see it. */
export interface PatchPlan {
  /** The operations as the rules let them through. */
  readonly operations: readonly PatchOperation[];
  /** Value-level changes that hold whatever the present state is. */
  readonly changes: readonly Change[];
  /** Attributes whose operations depend on the present values: they are read, patched and compared. */
  readonly needs: ReadonlySet<Attribute>;
}

export interface PatchContext extends WriteContext {
  readonly dialect: Dialect;
}

/**
 * Turns operations into field changes, attribute by attribute, without reading where that is possible: operations on one
 * attribute are first folded (the last word counts; an id that is added and then removed is removed).
 * @throws ScimError invalidValue when a required attribute would be cleared or a value is not allowed
 */
export function planPatch(plan: MappingPlan, given: readonly PatchOperation[], context: PatchContext): PatchPlan {
  const operations = prepareOperations(plan, given, context);
  const changes: Change[] = [];
  const needs = new Set<Attribute>();
  for (const [attribute, own] of byAttribute(operations)) {
    const attributePlan = plan.byPath.get(attribute.path);
    if (attributePlan === undefined) continue;
    const companions = templateCompanions(plan, attribute);
    const direct = companions.length > 0 ? undefined : planAttribute(attributePlan, own, context);
    if (direct !== undefined) changes.push(...direct);
    else for (const needed of [attribute, ...companions]) needs.add(needed);
  }
  return { operations, changes, needs };
}

function byAttribute(operations: readonly PatchOperation[]): ReadonlyMap<Attribute, readonly PatchOperation[]> {
  const groups = new Map<Attribute, PatchOperation[]>();
  for (const operation of operations) {
    const group = groups.get(operation.attribute);
    if (group === undefined) groups.set(operation.attribute, [operation]);
    else group.push(operation);
  }
  return groups;
}

/** Attributes that stand in a template together with this one: they are all needed to make the field. */
function templateCompanions({ templates }: MappingPlan, attribute: Attribute): readonly Attribute[] {
  return templates.flatMap(({ template: { needs } }) => (needs.includes(attribute) ? needs : []));
}

function planAttribute(
  plan: AttributePlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  if (isReferenceList(plan)) return planMembers(plan, operations, context);
  const { attribute } = plan;
  if (attribute.mutability === 'immutable' || attribute.subAttributes.some((sub) => sub.mutability === 'immutable'))
    return undefined;
  if (leavesOf(plan).some((leaf) => leaf.codec.needsCurrent)) return undefined;
  switch (plan.kind) {
    case 'simple':
      return attribute.multiValued ? planList(plan, operations, context) : planSingle(plan, operations, context);
    case 'complex':
      return planComplex(plan, operations, context);
    case 'slots':
      return planSlots(plan, operations, context);
    case 'records':
      return planRecords(plan, operations, context);
    default:
      return undefined;
  }
}

/**
 * The change that gives a leaf's field these values; none clear it.
 * @throws ScimError invalidValue when the leaf must have a value
 */
export function setLeaf(leaf: Leaf, values: readonly AttributeValue[], context: WriteContext): readonly Change[] {
  if (!leaf.accepts) return [];
  const isRequired = leaf.required || (leaf.attribute.required && leaf.attribute.parent === undefined);
  if (isRequired && !values.some(isAssigned)) throw cannotBeCleared(leaf.key);
  return [{ op: 'set', field: leaf.field, values: encodeLeaf(leaf, values, undefined, context) }];
}

/**
 * Why something required cannot lose its value.
 * @param op what would take it away; a removal is a matter of mutability (RFC 7644 §3.5.2.2)
 */
export function cannotBeCleared(path: string, op?: PatchOperation['op']): ScimError {
  if (op === 'remove') return ScimError.badRequest('mutability', `"${path}" is required, so it cannot be removed.`);
  return ScimError.badRequest('invalidValue', `"${path}" is required and cannot be left without a value.`);
}

function planSingle(plan: SimplePlan, operations: readonly PatchOperation[], context: WriteContext): readonly Change[] {
  const last = operations.at(-1);
  return setLeaf(plan.leaf, valuesIn(last === undefined || last.op === 'remove' ? undefined : last.value), context);
}

/** `name`, `manager`: each sub-attribute's last word counts; those that are not named stay. */
function planComplex(
  plan: ComplexPlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] {
  const final = new Map<Leaf, JsonValue | undefined>();
  const set = (sub: Attribute, value: JsonValue | undefined): void => {
    const leaf = leafFor(plan.leaves, sub);
    if (leaf !== undefined) final.set(leaf, value);
  };
  for (const { op, sub, value, unset } of operations) {
    if (sub !== undefined) set(sub, op === 'remove' ? undefined : value);
    else if (op === 'remove' || value === undefined) for (const leaf of plan.leaves) final.set(leaf, undefined);
    else {
      const parts = asComplex(value);
      for (const part of unset) set(part, undefined);
      for (const part of plan.attribute.subAttributes) {
        if (parts[part.name] !== undefined) set(part, parts[part.name]);
      }
      const reference = plan.leaves.find((leaf) => leaf.reference !== undefined);
      const id = referencedId(parts);
      if (reference !== undefined && id !== undefined) final.set(reference, id);
    }
  }
  return [...final].flatMap(([leaf, value]) => setLeaf(leaf, valuesIn(value), context));
}

/** Child records: the whole list can be set without reading; all else depends on what is there. */
function planRecords(
  plan: RecordsPlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  const last = operations.at(-1);
  // Before it, nothing may fail for want of a target.
  const areSure = operations.every(
    ({ op, filter, sub, listed }) =>
      op === 'remove' || (filter === undefined && sub === undefined && listed === undefined),
  );
  const isWhole = last?.filter === undefined && last?.sub === undefined && last?.listed === undefined;
  if (last === undefined || !areSure || !isWhole || last.op === 'add') return undefined;
  const elements = last.op === 'remove' || last.value === undefined ? [] : (last.value as readonly JsonValue[]);
  const values = encodeList(plan, elements, context);
  if (values.length === 0 && (plan.required || plan.attribute.required)) throw cannotBeCleared(plan.attribute.path);
  return [{ op: 'set', field: plan.field, values }];
}
