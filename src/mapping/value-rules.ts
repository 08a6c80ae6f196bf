import {
  asComplex,
  type ComplexValue,
  canonicalText,
  deepEqual,
  readAttribute,
  writeAttribute,
} from '../scim/attribute-value.js';
import { comparisonOf, keyOf } from '../scim/comparison.js';
import { ScimError } from '../scim/error.js';
import { isAssigned } from '../scim/resource-parser.js';
import type { Attribute, JsonValue, MutableResource, Resource } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import { type AttributePlan, type ComplexPlan, type Leaf, leavesOf, type MappingPlan, type SlotsPlan } from './plan.js';
import { slotFor } from './slots.js';
import { isCleared } from './write.js';

/** Whether rules of the attribute say anything about its values: `values` or `clearOn`. Child records see to it themselves. */
export function hasValueRules(plan: AttributePlan): boolean {
  return plan.kind !== 'records' && leavesOf(plan).some((leaf) => leaf.allowed !== undefined || leaf.clearOn.size > 0);
}

/** Whether rules of the attribute make up values on create. */
export function hasCreateRules(plan: AttributePlan): boolean {
  const isMadeUp = (leaf: Leaf): boolean => leaf.defaultValue !== undefined || leaf.fallbackOnCreate !== undefined;
  return plan.kind !== 'records' && leavesOf(plan).some((leaf) => leaf.accepts && isMadeUp(leaf));
}

/** Whether rules of the attribute say that it must have a value. */
export function hasRequiredRules(plan: AttributePlan): boolean {
  return plan.kind === 'records' || plan.kind === 'references'
    ? plan.required
    : leavesOf(plan).some((leaf) => leaf.required);
}

/**
 * What rules say about values, on the resource: `clearOn` values become no value, values outside `values` are refused or
 * become the default.
 * @param before the resource as it is now: what stands there already passes, whatever it is
 * @throws ScimError invalidValue, naming the attribute and the allowed values
 */
export function applyValueRules(plan: MappingPlan, resource: Resource, before: Resource | undefined): Resource {
  if (plan.valueRules.length === 0) return resource;
  const result: MutableResource = { ...resource };
  for (const attributePlan of plan.valueRules) {
    const { attribute } = attributePlan;
    const value = readAttribute(result, attribute);
    const old = before === undefined ? undefined : readAttribute(before, attribute);
    if (value !== undefined && !deepEqual(value, old))
      writeAttribute(result, attribute, checkedValue(attributePlan, value, old));
  }
  return result;
}

function checkedValue(plan: AttributePlan, value: JsonValue, old: JsonValue | undefined): JsonValue | undefined {
  switch (plan.kind) {
    case 'simple':
      if (!Array.isArray(value)) return checkedLeaf(plan.leaf, value as AttributeValue);
      return newOnly(value, old, (item) => checkedLeaf(plan.leaf, item as AttributeValue));
    case 'complex':
      return checkedParts(plan.leaves, asComplex(value), asComplex(old));
    case 'slots':
      return newOnly(value as readonly JsonValue[], old, (element) => {
        const slot = slotFor(plan, element);
        return slot === undefined ? element : checkedParts(slot.leaves, asComplex(element), {});
      });
    default:
      return value;
  }
}

/** The list with its new items checked; undefined when none is left. */
function newOnly(
  list: readonly JsonValue[],
  old: JsonValue | undefined,
  check: (item: JsonValue) => JsonValue | undefined,
): readonly JsonValue[] | undefined {
  const known = new Set(Array.isArray(old) ? (old as readonly JsonValue[]).map(canonicalText) : []);
  const checked: JsonValue[] = [];
  for (const item of list) {
    const kept = known.size > 0 && known.has(canonicalText(item)) ? item : check(item);
    if (kept !== undefined) checked.push(kept);
  }
  return checked.length === 0 ? undefined : checked;
}

function checkedParts(leaves: readonly Leaf[], value: ComplexValue, old: ComplexValue): JsonValue | undefined {
  const result: Record<string, JsonValue> = { ...value };
  for (const leaf of leaves) {
    const { name } = leaf.attribute;
    const part = result[name];
    if (part === undefined || part === old[name]) continue;
    const checked = checkedLeaf(leaf, part as AttributeValue);
    if (checked === undefined) delete result[name];
    else result[name] = checked;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

/**
 * One value as the rule allows it; undefined for a text that stands for "no value".
 * @throws ScimError invalidValue
 */
export function checkedLeaf(leaf: Leaf, value: AttributeValue): AttributeValue | undefined {
  if (isCleared(leaf, value)) return undefined;
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
  if (plan.createRules.length === 0) return resource;
  const result: MutableResource = Object.assign({}, resource);
  for (const attributePlan of plan.createRules) {
    const { attribute } = attributePlan;
    if (cleared.has(attribute.path)) continue;
    if (attributePlan.kind === 'simple') {
      if (readAttribute(result, attribute) !== undefined) continue;
      const value = madeUp(attributePlan.leaf, result);
      if (value !== undefined) writeAttribute(result, attribute, attribute.multiValued ? [value] : value);
    } else if (attributePlan.kind === 'complex') {
      fillComplex(attributePlan, result, cleared);
    } else if (attributePlan.kind === 'slots') {
      fillSlots(attributePlan, result);
    }
  }
  return result;
}

/** What a rule gives an attribute that was not sent: a text made of others, else the default. */
function madeUp(leaf: Leaf, resource: Resource): AttributeValue | undefined {
  return leaf.accepts ? (leaf.fallbackOnCreate?.render(resource) ?? leaf.defaultValue) : undefined;
}

function fillComplex(plan: ComplexPlan, result: MutableResource, cleared: ReadonlySet<string>): void {
  const value: Record<string, JsonValue> = { ...asComplex(readAttribute(result, plan.attribute)) };
  let changed = false;
  for (const leaf of plan.leaves) {
    if (value[leaf.attribute.name] !== undefined || cleared.has(leaf.attribute.path)) continue;
    const made = madeUp(leaf, result);
    if (made === undefined) continue;
    value[leaf.attribute.name] = made;
    changed = true;
  }
  if (changed) writeAttribute(result, plan.attribute, value);
}

function fillSlots(plan: SlotsPlan, result: MutableResource): void {
  const present = readAttribute(result, plan.attribute);
  const elements: JsonValue[] = Array.isArray(present) ? [...(present as readonly JsonValue[])] : [];
  for (const slot of plan.slots) {
    const index = elements.findIndex((candidate) => slotFor(plan, candidate) === slot);
    const element: Record<string, JsonValue> = { ...asComplex(elements[index]) };
    let changed = false;
    for (const leaf of slot.leaves) {
      if (element[leaf.attribute.name] !== undefined) continue;
      const made = madeUp(leaf, result);
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

/**
 * Rules marked `required` whose value is missing, by the rule's own key: `emails[type eq "work"].value`.
 * @param attributes which top-level attributes; undefined: all
 */
export function missingByRules(
  plan: MappingPlan,
  resource: Resource,
  attributes?: ReadonlySet<Attribute>,
): readonly string[] {
  return plan.requiredRules.flatMap((attributePlan) => {
    if (attributes?.has(attributePlan.attribute) === false) return [];
    const value = readAttribute(resource, attributePlan.attribute);
    switch (attributePlan.kind) {
      case 'simple':
        return isAssigned(value) ? [] : [attributePlan.leaf.key];
      case 'complex':
        return missingParts(attributePlan.leaves, [asComplex(value)]);
      case 'slots': {
        const elements = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
        return attributePlan.slots.flatMap((slot) => {
          const own = elements.filter((element) => slotFor(attributePlan, element) === slot);
          return missingParts(slot.leaves, own.map(asComplex));
        });
      }
      default:
        return isAssigned(value) ? [] : [attributePlan.attribute.path];
    }
  });
}

function missingParts(leaves: readonly Leaf[], values: readonly ComplexValue[]): readonly string[] {
  return leaves.flatMap(({ attribute, key, required }) =>
    required && !values.some((value) => isAssigned(value[attribute.name])) ? [key] : [],
  );
}
