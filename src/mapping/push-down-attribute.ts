import type { Condition } from '../backend/adapter.js';
import type { Comparison } from '../scim/comparison.js';
import { always } from '../scim/filter.js';
import type { PushedCondition } from './codec.js';
import { type AttributePlan, type ComplexPlan, fieldsOf, leafFor, type SimplePlan } from './plan.js';
import { allPushed, anyPushed, asFarAsPossible, everything, exact, nothing } from './push-down-field.js';
import {
  type FilterContext,
  isEmptyText,
  type LeafFilter,
  onConstant,
  onLeaf,
  takesEmpty,
  testOf,
  translateTree,
  unmapped,
} from './push-down-leaf.js';
import { translateRecords, translateReference, translateReferences } from './push-down-references.js';
import { translateSlots } from './push-down-slots.js';

/** A condition on one attribute. */
export function translateLeaf(filter: LeafFilter, context: FilterContext): PushedCondition {
  const { attribute } = filter.path;
  const own = translateCommon(filter, context);
  if (own !== undefined) return own;
  const constant = context.plan.constants.find((candidate) => candidate.attribute === attribute);
  if (constant !== undefined) return onConstant(filter, constant, exact(always));
  const plan = context.plan.byPath.get(attribute.path);
  if (plan === undefined || !isReadable(plan)) return unmapped(filter, context);
  switch (plan.kind) {
    case 'simple':
      return translateSimple(filter, plan, context);
    case 'complex':
      return translateComplex(filter, plan, context);
    case 'slots':
      return translateSlots(filter, plan, context);
    case 'records':
      return translateRecords(filter, plan, context);
    case 'references':
      return translateReferences(filter, plan, context);
  }
}

function isReadable(plan: AttributePlan): boolean {
  return fieldsOf(plan).length > 0 || (plan.kind === 'complex' && plan.constants.length > 0);
}

/** `id`, `meta` and `schemas` are made by the gateway. */
function translateCommon(filter: LeafFilter, context: FilterContext): PushedCondition | undefined {
  const { attribute, sub } = filter.path;
  if (attribute.path === 'id')
    return filter.kind === 'present' ? exact(always) : onReserved(filter, '$id', 'exact', context);
  if (attribute.path === 'schemas') return translateSchemas(filter, context);
  if (attribute.path !== 'meta') return undefined;
  switch (sub?.name) {
    case 'resourceType':
      return onConstant(filter, { attribute: sub, value: context.plan.type.name }, exact(always));
    case 'created':
      return onReserved(filter, '$created', 'instant', context);
    case 'lastModified':
      return onReserved(filter, '$modified', 'instant', context);
    case undefined:
      return filter.kind === 'present' ? exact(always) : everything;
    default:
      return everything;
  }
}

function onReserved(
  filter: LeafFilter,
  field: string,
  comparison: Comparison,
  { capabilities }: FilterContext,
): PushedCondition {
  const capability = capabilities.fields[field];
  const test = testOf(filter);
  if (test === undefined || capability?.comparison !== comparison) return everything;
  const condition: Condition =
    test.op === 'pr' || test.value === undefined
      ? { kind: 'present', path: field }
      : { kind: 'compare', path: field, op: test.op, value: test.value };
  return asFarAsPossible(condition, capability, capabilities.combine);
}

/** `schemas eq "urn:…enterprise…"`: some attribute of the extension has a value. */
function translateSchemas(filter: LeafFilter, context: FilterContext): PushedCondition {
  if (filter.kind === 'present') return exact(always);
  if (filter.kind !== 'compare' || filter.op !== 'eq' || typeof filter.value !== 'string') return everything;
  const schema = context.plan.type.schemaByUri(filter.value);
  if (schema === undefined || schema.id !== filter.value) return nothing;
  if (schema === context.plan.type.schema) return exact(always);
  const plans = context.plan.attributes.filter((plan) => plan.attribute.schema === schema.id && isReadable(plan));
  if (context.plan.constants.some(({ attribute }) => attribute.schema === schema.id)) return exact(always);
  return anyPushed(
    plans.map((plan) => existence(plan, context)),
    context.capabilities.combine,
  );
}

/** That the attribute is there at all, be it with an empty text. */
function existence(plan: AttributePlan, context: FilterContext): PushedCondition {
  const { attribute } = plan;
  if (plan.kind === 'complex') return complexExistence(plan, context);
  const present = translateLeaf({ kind: 'present', path: { attribute, sub: undefined } }, context);
  if (plan.kind !== 'simple') return plan.kind === 'slots' ? present : everything;
  return anyPushed([present, isEmptyText(plan.leaf, context)], context.capabilities.combine);
}

function translateSimple(filter: LeafFilter, { leaf, attribute }: SimplePlan, context: FilterContext): PushedCondition {
  const test = testOf(filter);
  if (test !== undefined) return onLeaf(test, leaf, context);
  if (filter.kind !== 'valuePath' || !attribute.multiValued) return everything;
  // Of one value of a list (erratum 7122): a single positive test may be met by any value, two only by the same one.
  return filter.filter.kind === 'compare' || filter.filter.kind === 'present'
    ? translateSimple(filter.filter, { kind: 'simple', attribute, leaf }, context)
    : everything;
}

function translateComplex(filter: LeafFilter, plan: ComplexPlan, context: FilterContext): PushedCondition {
  if (filter.kind === 'valuePath') {
    const inner = translateTree(filter.filter, (part) => translateComplex(part, plan, context), context);
    return allPushed([inner, complexExistence(plan, context)], context.capabilities.combine);
  }
  const { sub } = filter.path;
  if (sub === undefined) return filter.kind === 'present' ? complexPresence(plan, context) : everything;
  const leaf = leafFor(plan.leaves, sub);
  if (leaf?.read === true) {
    if (leaf.reference !== undefined) return translateReference(filter, leaf, leaf.reference, context);
    const test = testOf(filter);
    if (test === undefined) return everything;
    const pushed = onLeaf(test, leaf, context);
    return plan.constants.length > 0 && takesEmpty(test, leaf, context)
      ? allPushed([pushed, complexExistence(plan, context)], context.capabilities.combine)
      : pushed;
  }
  const constant = plan.constants.find((candidate) => candidate.attribute === sub);
  if (constant !== undefined) return onConstant(filter, constant, complexExistence(plan, context));
  // Computed parts of a reference ($ref, displayName) are known only on the resource.
  return plan.leaves.some((candidate) => candidate.reference !== undefined) ? everything : unmapped(filter, context);
}

/** That some part has a value. */
function complexPresence(plan: ComplexPlan, context: FilterContext): PushedCondition {
  if (plan.constants.some(({ value }) => value !== '')) return complexExistence(plan, context);
  return anyPushed(partPresence(plan, context), context.capabilities.combine);
}

/** That the value is there: with constants, when a part has a value; else also when a part is an empty text. */
function complexExistence(plan: ComplexPlan, context: FilterContext): PushedCondition {
  const readable = plan.leaves.filter((leaf) => leaf.read);
  if (readable.length === 0) return exact(always);
  const present = partPresence(plan, context);
  const empty = plan.constants.length > 0 ? [] : readable.map((leaf) => isEmptyText(leaf, context));
  return anyPushed([...present, ...empty], context.capabilities.combine);
}

function partPresence(plan: ComplexPlan, context: FilterContext): readonly PushedCondition[] {
  return plan.leaves.flatMap((leaf) => {
    if (!leaf.read) return [];
    const path = { attribute: plan.attribute, sub: leaf.attribute };
    if (leaf.reference !== undefined)
      return [translateReference({ kind: 'present', path }, leaf, leaf.reference, context)];
    return [onLeaf({ op: 'pr' }, leaf, context)];
  });
}
