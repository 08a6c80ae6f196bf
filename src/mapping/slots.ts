import { comparisonOf, keyOf } from '../scim/comparison.js';
import { asComplex } from '../scim/patch-apply.js';
import { isObject, type JsonValue } from '../scim/schema.js';
import type { Constant, Slot, SlotsPlan } from './plan.js';

/** Which elements go to which slot, and which go nowhere. */
export interface SlotAssignment {
  readonly bySlot: ReadonlyMap<Slot, readonly JsonValue[]>;
  readonly dropped: readonly { readonly element: JsonValue; readonly why: string }[];
}

/**
 * Assigns elements to slots: by their constants; an element without a type to the slot marked as default, else the first
 * declared. Several candidates for a single slot: the primary one, else the first.
 */
export function assignSlots(plan: SlotsPlan, elements: readonly JsonValue[]): SlotAssignment {
  const candidates = new Map<Slot, JsonValue[]>();
  const dropped: { element: JsonValue; why: string }[] = [];
  for (const element of elements) {
    const slot = slotFor(plan, element);
    if (slot === undefined) {
      dropped.push({ element, why: `no rule of "${plan.attribute.path}" has a place for it` });
      continue;
    }
    const list = candidates.get(slot);
    if (list === undefined) candidates.set(slot, [element]);
    else list.push(element);
  }
  const bySlot = new Map<Slot, readonly JsonValue[]>();
  for (const [slot, list] of candidates) {
    if (slot.multiple || list.length === 1) {
      bySlot.set(slot, list);
      continue;
    }
    const chosen = list.find(isPrimary) ?? list[0];
    for (const element of list) {
      if (element !== chosen) dropped.push({ element, why: `"${slot.key}" holds a single value` });
    }
    if (chosen !== undefined) bySlot.set(slot, [chosen]);
  }
  return { bySlot, dropped };
}

export function slotFor(plan: SlotsPlan, element: JsonValue): Slot | undefined {
  const value = asComplex(element);
  const matching = plan.slots.find((slot) => slot.constants.every((constant) => hasConstant(value, constant)));
  if (matching !== undefined) return matching;
  // What tells slots apart is missing from the element: it goes to the default slot.
  const telling = new Set(plan.slots.flatMap((slot) => slot.constants.map((constant) => constant.attribute.name)));
  const isUnmarked = [...telling].every(
    (name) => value[name] === undefined || (name === 'primary' && value[name] === true),
  );
  if (!isUnmarked) return undefined;
  return plan.slots.find((slot) => slot.isDefault) ?? plan.slots[0];
}

function hasConstant(element: { readonly [sub: string]: JsonValue }, { attribute, value }: Constant): boolean {
  const actual = element[attribute.name];
  if (attribute.type === 'boolean') return (actual ?? false) === value;
  const comparison = comparisonOf(attribute);
  const key = keyOf(comparison, actual);
  return key !== undefined && key === keyOf(comparison, value);
}

/**
 * The elements that can stand beside each other in the slots: in a single slot the newest, else the primary one, else the
 * first. Elements without a slot stay, so that they are reported as dropped when written.
 */
export function settleSlots(
  plan: SlotsPlan,
  elements: readonly JsonValue[],
  added: ReadonlySet<JsonValue>,
): readonly JsonValue[] {
  const winners = new Map<Slot, JsonValue>();
  for (const element of elements) {
    const slot = slotFor(plan, element);
    if (slot === undefined || slot.multiple) continue;
    const present = winners.get(slot);
    if (present === undefined || isBetter(element, present, added)) winners.set(slot, element);
  }
  return elements.filter((element) => {
    const slot = slotFor(plan, element);
    return slot === undefined || slot.multiple || winners.get(slot) === element;
  });
}

function isBetter(candidate: JsonValue, present: JsonValue, added: ReadonlySet<JsonValue>): boolean {
  const [candidateIsNew, presentIsNew] = [added.has(candidate), added.has(present)];
  if (candidateIsNew !== presentIsNew) return candidateIsNew;
  // Among new ones the last written counts, unless only the other is primary.
  if (candidateIsNew) return isPrimary(candidate) || !isPrimary(present);
  return isPrimary(candidate) && !isPrimary(present);
}

function isPrimary(element: JsonValue): boolean {
  return isObject(element) && element.primary === true;
}
