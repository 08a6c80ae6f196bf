import type { ResolvedFilter } from '../scim/attribute-path.js';
import { allOf, always, anyOf, isAlways, isNever, negate, never } from '../scim/filter.js';
import type { PushedCondition } from './codec.js';
import { leafFor, type Slot, type SlotsPlan } from './plan.js';
import { allPushed, anyPushed, everything, inexact, nothing } from './push-down-field.js';
import {
  type FilterContext,
  type LeafFilter,
  onLeaf,
  takesEmpty,
  testOf,
  translateTree,
  unmapped,
} from './push-down-leaf.js';
import { foldOverSlot } from './slots.js';

/** A condition on an attribute in slots: on any of its elements, each of which is in fields of its own. */
export function translateSlots(filter: LeafFilter, plan: SlotsPlan, context: FilterContext): PushedCondition {
  const stranger = unknownPart(filter, plan);
  if (stranger !== undefined) return unmapped(stranger, context);
  return anyPushed(
    plan.slots.map((slot) => translateOnSlot(filter, slot, context)),
    context.capabilities.combine,
  );
}

/** A condition on a part that no slot has. */
function unknownPart(filter: ResolvedFilter, plan: SlotsPlan): LeafFilter | undefined {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const operand of filter.operands) {
        const found = unknownPart(operand, plan);
        if (found !== undefined) return found;
      }
      return undefined;
    case 'not':
      return unknownPart(filter.operand, plan);
    case 'valuePath':
      return unknownPart(filter.filter, plan);
    default: {
      const { sub } = filter.path;
      const isKnown =
        sub === undefined ||
        plan.slots.some(
          ({ leaves, constants }) =>
            leafFor(leaves, sub)?.read === true || constants.some(({ attribute }) => attribute === sub),
        );
      return isKnown ? undefined : filter;
    }
  }
}

/** The slot's element as it would meet the filter: constants are folded away, the rest is about its fields. */
function translateOnSlot(filter: LeafFilter, slot: Slot, context: FilterContext): PushedCondition {
  const presence = slotPresence(slot, context);
  if (filter.kind === 'present' && filter.path.sub === undefined) return presence;
  const { combine } = context.capabilities;
  const rest = filter.kind === 'valuePath' ? foldConstants(filter.filter, slot) : foldConstants(filter, slot);
  if (isNever(rest)) return nothing;
  if (isAlways(rest)) return presence;
  const inner = translateTree(rest, (part) => onSlotLeaf(part, slot, presence, context), context);
  const whole = impliesElement(rest, slot, context) ? inner : allPushed([inner, presence], combine);
  if (!slot.multiple) return whole;
  // Each value is an element: one test is met by some value, but two might be met by different ones.
  return rest.kind === 'compare' || rest.kind === 'present' || (rest.kind === 'or' && rest.operands.every(isTest))
    ? whole
    : inexact(isPositive(rest) ? whole.condition : presence.condition);
}

function isTest(filter: ResolvedFilter): boolean {
  return filter.kind === 'compare' || filter.kind === 'present';
}

function isPositive(filter: ResolvedFilter): boolean {
  if (filter.kind === 'not') return false;
  return filter.kind === 'and' || filter.kind === 'or' ? filter.operands.every(isPositive) : true;
}

/** The filter on the slot's element without what the slot's constants decide. */
function foldConstants(filter: ResolvedFilter, slot: Slot): ResolvedFilter {
  const decided = foldOverSlot(filter, slot);
  if (decided !== undefined) return decided ? always : never;
  switch (filter.kind) {
    case 'and':
      return allOf(filter.operands.map((operand) => foldConstants(operand, slot)));
    case 'or':
      return anyOf(filter.operands.map((operand) => foldConstants(operand, slot)));
    case 'not':
      return negate(foldConstants(filter.operand, slot));
    default:
      return filter;
  }
}

/** That the slot has an element: one of its fields has a value. */
function slotPresence(slot: Slot, context: FilterContext): PushedCondition {
  return anyPushed(
    slot.leaves.flatMap((leaf) => (leaf.read ? [onLeaf({ op: 'pr' }, leaf, context)] : [])),
    context.capabilities.combine,
  );
}

function onSlotLeaf(
  filter: LeafFilter,
  slot: Slot,
  presence: PushedCondition,
  context: FilterContext,
): PushedCondition {
  const { sub } = filter.path;
  const leaf = sub === undefined ? undefined : leafFor(slot.leaves, sub);
  const test = testOf(filter);
  if (leaf === undefined || test === undefined || !leaf.read) return everything;
  // Of many values, one may be the empty text, which is no element, and another one the element.
  return slot.multiple && takesEmpty(test, leaf, context) ? inexact(presence.condition) : onLeaf(test, leaf, context);
}

/** Whether a record whose fields meet the filter is sure to have an element in the slot. */
function impliesElement(filter: ResolvedFilter, slot: Slot, context: FilterContext): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.some((operand) => impliesElement(operand, slot, context));
    case 'or':
      return filter.operands.every((operand) => impliesElement(operand, slot, context));
    case 'compare':
    case 'present': {
      const { sub } = filter.path;
      const leaf = sub === undefined ? undefined : leafFor(slot.leaves, sub);
      const test = testOf(filter);
      // A codec may make a value of an empty field; a fallback makes one without a condition on the field.
      return (
        leaf?.codec.name === 'string' &&
        leaf.fallback === undefined &&
        test !== undefined &&
        !takesEmpty(test, leaf, context)
      );
    }
    default:
      return false;
  }
}
