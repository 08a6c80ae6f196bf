import { comparisonOf, keyOf } from '../scim/comparison.js';
import { ScimError } from '../scim/error.js';
import { asComplex, readAttribute, writeAttribute } from '../scim/patch-apply.js';
import type { Attribute, JsonValue, MutableResource, Resource } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import type { AttributePlan, ComplexPlan, Leaf, MappingPlan, SlotsPlan } from './plan.js';
import { templateReader } from './read.js';
import { slotFor } from './slots.js';

/**
 * What rules say about values, on the resource: `clearOn` values become no value, values outside `values` are refused or
 * become the default.
 * @param attributes which top-level attributes; undefined: all
 * @throws ScimError invalidValue, naming the attribute and the allowed values
 */
export function applyValueRules(
  plan: MappingPlan,
  resource: Resource,
  attributes: ReadonlySet<Attribute> | undefined,
): Resource {
  const result: MutableResource = { ...resource };
  for (const attributePlan of plan.attributes) {
    const { attribute } = attributePlan;
    if ((attributes !== undefined && !attributes.has(attribute)) || !hasValueRules(attributePlan)) continue;
    const value = readAttribute(result, attribute);
    if (value !== undefined) writeAttribute(result, attribute, checkedValue(attributePlan, value));
  }
  return result;
}

const ruleCache = new WeakMap<AttributePlan, boolean>();

function hasValueRules(plan: AttributePlan): boolean {
  const known = ruleCache.get(plan);
  if (known !== undefined) return known;
  const has = (leaf: Leaf): boolean => leaf.allowed !== undefined || leaf.clearOn.size > 0;
  const result =
    plan.kind === 'simple'
      ? has(plan.leaf)
      : plan.kind === 'complex'
        ? plan.leaves.some(has)
        : plan.kind === 'slots' && plan.slots.some((slot) => slot.leaves.some(has));
  ruleCache.set(plan, result);
  return result;
}

function checkedValue(plan: AttributePlan, value: JsonValue): JsonValue | undefined {
  switch (plan.kind) {
    case 'simple':
      if (!Array.isArray(value)) return checkedLeaf(plan.leaf, value as AttributeValue);
      return notEmpty((value as readonly AttributeValue[]).flatMap((item) => checkedLeaf(plan.leaf, item) ?? []));
    case 'complex':
      return checkedLeaves(plan.leaves, value);
    case 'slots':
      return notEmpty(
        (value as readonly JsonValue[]).flatMap((element) => {
          const slot = slotFor(plan, element);
          const checked = slot === undefined ? element : checkedLeaves(slot.leaves, element);
          return checked === undefined ? [] : [checked];
        }),
      );
    default:
      return value;
  }
}

function notEmpty(list: readonly JsonValue[]): readonly JsonValue[] | undefined {
  return list.length === 0 ? undefined : list;
}

function checkedLeaves(leaves: readonly Leaf[], value: JsonValue): JsonValue | undefined {
  const result: Record<string, JsonValue> = { ...asComplex(value) };
  for (const leaf of leaves) {
    const part = result[leaf.attribute.name];
    if (part === undefined) continue;
    const checked = checkedLeaf(leaf, part as AttributeValue);
    if (checked === undefined) delete result[leaf.attribute.name];
    else result[leaf.attribute.name] = checked;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

/**
 * One value as the rule allows it; undefined for a text that stands for "no value".
 * @throws ScimError invalidValue
 */
export function checkedLeaf(leaf: Leaf, value: AttributeValue): AttributeValue | undefined {
  if (typeof value === 'string' && leaf.clearOn.has(value)) return undefined;
  if (leaf.allowed === undefined) return value;
  const comparison = comparisonOf(leaf.attribute);
  const key = keyOf(comparison, value);
  const found = leaf.allowed.find((candidate) => keyOf(comparison, candidate) === key);
  if (found !== undefined) return found;
  if (leaf.onUnknown === 'default' && leaf.defaultValue !== undefined) return leaf.defaultValue;
  throw ScimError.badRequest('invalidValue', `"${leaf.key}" is one of ${leaf.allowed.join(', ')}.`);
}

/**
 * Defaults and made-up values of a create, for attributes that the caller did not send. An attribute sent as null or []
 * stays unassigned (RFC 7644 §3.3).
 * @param cleared paths that were sent as null, [] or ""
 */
export function applyCreateRules(plan: MappingPlan, resource: Resource, cleared: ReadonlySet<string>): Resource {
  const result: MutableResource = { ...resource };
  for (const attributePlan of plan.attributes) {
    const { attribute } = attributePlan;
    if (cleared.has(attribute.path)) continue;
    if (attributePlan.kind === 'simple') {
      if (readAttribute(result, attribute) !== undefined) continue;
      const value = madeUp(attributePlan.leaf, plan, result);
      if (value !== undefined) writeAttribute(result, attribute, attribute.multiValued ? [value] : value);
    } else if (attributePlan.kind === 'complex') {
      fillComplex(attributePlan, plan, result, cleared);
    } else if (attributePlan.kind === 'slots') {
      fillSlots(attributePlan, plan, result);
    }
  }
  return result;
}

function madeUp(leaf: Leaf, plan: MappingPlan, resource: Resource): AttributeValue | undefined {
  if (!leaf.written) return undefined;
  if (leaf.defaultValue !== undefined) return leaf.defaultValue;
  return leaf.fallbackOnCreate === undefined ? undefined : templateReader(leaf.fallbackOnCreate, plan).render(resource);
}

function fillComplex(
  plan: ComplexPlan,
  mapping: MappingPlan,
  result: MutableResource,
  cleared: ReadonlySet<string>,
): void {
  const value: Record<string, JsonValue> = { ...asComplex(readAttribute(result, plan.attribute)) };
  let changed = false;
  for (const leaf of plan.leaves) {
    if (value[leaf.attribute.name] !== undefined || cleared.has(leaf.attribute.path)) continue;
    const made = madeUp(leaf, mapping, result);
    if (made === undefined) continue;
    value[leaf.attribute.name] = made;
    changed = true;
  }
  if (changed) writeAttribute(result, plan.attribute, value);
}

function fillSlots(plan: SlotsPlan, mapping: MappingPlan, result: MutableResource): void {
  const present = readAttribute(result, plan.attribute);
  const elements: JsonValue[] = Array.isArray(present) ? [...(present as readonly JsonValue[])] : [];
  for (const slot of plan.slots) {
    const index = elements.findIndex((candidate) => slotFor(plan, candidate) === slot);
    const element: Record<string, JsonValue> = { ...asComplex(elements[index]) };
    let changed = false;
    for (const leaf of slot.leaves) {
      if (element[leaf.attribute.name] !== undefined) continue;
      const made = madeUp(leaf, mapping, result);
      if (made === undefined) continue;
      element[leaf.attribute.name] = made;
      changed = true;
    }
    if (!changed) continue;
    for (const constant of slot.constants) element[constant.attribute.name] = constant.value;
    if (index < 0) elements.push(element);
    else elements[index] = element;
  }
  if (elements.length > 0) writeAttribute(result, plan.attribute, elements);
}

/** Rules marked `required` whose value is missing, by the rule's own key: `emails[type eq "work"].value`. */
export function missingByRules(plan: MappingPlan, resource: Resource): readonly string[] {
  return plan.attributes.flatMap((attributePlan) => {
    const value = readAttribute(resource, attributePlan.attribute);
    switch (attributePlan.kind) {
      case 'simple':
        return attributePlan.leaf.required && value === undefined ? [attributePlan.leaf.key] : [];
      case 'complex':
        return attributePlan.leaves.flatMap((leaf) =>
          leaf.required && asComplex(value)[leaf.attribute.name] === undefined ? [leaf.key] : [],
        );
      case 'slots': {
        const elements = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
        return attributePlan.slots.flatMap((slot) => {
          const own = elements.filter((element) => slotFor(attributePlan, element) === slot).map(asComplex);
          return slot.leaves.flatMap((leaf) =>
            leaf.required && own.every((element) => element[leaf.attribute.name] === undefined) ? [leaf.key] : [],
          );
        });
      }
      default:
        return attributePlan.required && value === undefined ? [attributePlan.attribute.path] : [];
    }
  });
}
