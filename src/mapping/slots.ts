import { assertNever } from '../scim/assert-never.js';
import type { ResolvedFilter } from '../scim/attribute-path.js';
import { asComplex, type ComplexValue } from '../scim/attribute-value.js';
import { comparisonOf, keyOf } from '../scim/comparison.js';
import { evaluateElement } from '../scim/filter-evaluate.js';
import { isObject, type JsonValue } from '../scim/schema.js';
import type { Constant, Slot, SlotsPlan } from './plan.js';

/** Told of an element that is not kept: `emails[type eq "home"]`. */
export type Dropped = (what: string, why: string) => void;

/**
 * Which elements go to which slot: by their constants; one without a type to the slot marked as default, else the first
 * declared. Several candidates for a single slot: the primary one, else the first. Elements without a place are left out.
 * @param dropped told of those that a single slot has no room for
 */
export function assignSlots(
  plan: SlotsPlan,
  elements: readonly JsonValue[],
  dropped: Dropped,
): ReadonlyMap<Slot, readonly JsonValue[]> {
  const bySlot = new Map<Slot, JsonValue[]>();
  for (const element of elements) {
    const slot = slotFor(plan, element);
    if (slot === undefined) continue;
    const list = bySlot.get(slot);
    if (list === undefined) bySlot.set(slot, [element]);
    else list.push(element);
  }
  for (const [slot, list] of bySlot) {
    if (slot.multiple || list.length === 1) continue;
    const chosen = list.find(isPrimary) ?? list[0];
    for (const element of list) if (element !== chosen) dropped(elementName(plan, element), noRoom(slot));
    bySlot.set(slot, chosen === undefined ? [] : [chosen]);
  }
  return bySlot;
}

function noRoom(slot: Slot): string {
  return `"${slot.key}" holds a single value`;
}

/** Reports an element that no slot has a place for. */
export function reportPlaceless(plan: SlotsPlan, element: JsonValue, dropped: Dropped): void {
  dropped(elementName(plan, element), `no rule of "${plan.attribute.path}" has a place for it`);
}

/** What kind of element it was, without its value. */
function elementName({ attribute }: SlotsPlan, element: JsonValue): string {
  const { type } = asComplex(element);
  return typeof type === 'string' ? `${attribute.path}[type eq "${type.slice(0, 40)}"]` : attribute.path;
}

/** The slot that an element belongs to. */
export function slotFor(plan: SlotsPlan, element: JsonValue): Slot | undefined {
  const value = asComplex(element);
  const { slots } = plan;
  const exact = slots.find((slot) => slot.constants.every((constant) => hasConstant(value, constant)));
  if (exact !== undefined) return exact;
  // Which element is primary says nothing of what it is: another one may have taken the mark from it.
  const alike = slots.find((slot) => {
    const telling = slot.constants.filter(isTelling);
    return telling.length > 0 && telling.every((constant) => hasConstant(value, constant));
  });
  if (alike !== undefined) return alike;
  const isUnmarked = slots.every((slot) =>
    slot.constants.every((constant) => !isTelling(constant) || value[constant.attribute.name] === undefined),
  );
  return isUnmarked ? (slots.find((slot) => slot.isDefault) ?? slots[0]) : undefined;
}

/** Whether the constant says what kind of element it is. */
export function isTelling({ attribute }: Constant): boolean {
  return attribute.name !== 'primary';
}

/** Whether an element has the constant; without `primary` it is not primary. */
export function hasConstant(element: ComplexValue, { attribute, value }: Constant): boolean {
  const actual = element[attribute.name];
  if (attribute.type === 'boolean') return (actual ?? false) === value;
  const comparison = comparisonOf(attribute);
  const key = keyOf(comparison, actual);
  return key !== undefined && key === keyOf(comparison, value);
}

/**
 * The elements as the slots keep them: each with its slot's constants and without what the slot has no field for. In a
 * single slot that was full, a new element replaces the old one.
 * @param added elements that are new or changed
 */
export function settleSlots(
  plan: SlotsPlan,
  elements: readonly JsonValue[],
  added: ReadonlySet<JsonValue>,
  dropped: Dropped,
): readonly JsonValue[] {
  const fresh = assignSlots(
    plan,
    elements.filter((element) => added.has(element)),
    dropped,
  );
  const chosen = new Set([...fresh.values()].flat());
  const settled = elements.flatMap((element): readonly JsonValue[] => {
    const slot = slotFor(plan, element);
    if (slot === undefined) {
      if (added.has(element)) reportPlaceless(plan, element, dropped);
      return [];
    }
    const stays = added.has(element) ? chosen.has(element) : slot.multiple || !fresh.has(slot);
    return stays ? fitted(slot, element) : [];
  });
  return settled.length === elements.length && settled.every((element, index) => element === elements[index])
    ? elements
    : settled;
}

/** The element as it will be read back; none when nothing of it is kept. */
function fitted(slot: Slot, element: JsonValue): readonly JsonValue[] {
  const value = asComplex(element);
  const kept: Record<string, JsonValue> = {};
  for (const { attribute } of slot.leaves) {
    const part = value[attribute.name];
    if (part !== undefined) kept[attribute.name] = part;
  }
  if (Object.keys(kept).length === 0) return [];
  for (const { attribute, value: constant } of slot.constants) kept[attribute.name] = constant;
  const isSame =
    Object.keys(kept).length === Object.keys(value).length &&
    Object.entries(kept).every(([name, part]) => value[name] === part);
  return [isSame ? element : kept];
}

function isPrimary(element: JsonValue): boolean {
  return isObject(element) && element.primary === true;
}

/** Whether every (true) or no (false) element of the slot meets the filter; undefined when its fields decide. */
export function foldOverSlot(filter: ResolvedFilter, slot: Slot): boolean | undefined {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const parts = filter.operands.map((operand) => foldOverSlot(operand, slot));
      const deciding = filter.kind === 'or';
      if (parts.includes(deciding)) return deciding;
      return parts.includes(undefined) ? undefined : !deciding;
    }
    case 'not': {
      const inner = foldOverSlot(filter.operand, slot);
      return inner === undefined ? undefined : !inner;
    }
    case 'compare':
    case 'present': {
      const { sub, attribute } = filter.path;
      if (sub === undefined) return undefined;
      if (slot.leaves.some((leaf) => leaf.attribute === sub)) return undefined;
      const constant = slot.constants.find((candidate) => candidate.attribute === sub);
      const element: JsonValue = constant === undefined ? {} : { [sub.name]: constant.value };
      return evaluateElement(filter, attribute, element);
    }
    case 'valuePath':
      return undefined;
    default:
      return assertNever(filter);
  }
}
