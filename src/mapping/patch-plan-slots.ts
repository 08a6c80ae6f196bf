import type { Change } from '../backend/adapter.js';
import type { ResolvedFilter } from '../scim/attribute-path.js';
import { asComplex } from '../scim/attribute-value.js';
import { equalityConstants, saysOnlyKind } from '../scim/patch-apply.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import { type PatchContext, setLeaf } from './patch-plan.js';
import { leafFor, type Slot, type SlotsPlan } from './plan.js';
import { assignSlots, foldOverSlot, hasConstant } from './slots.js';

/** What slots' fields come to: by slot, the values of the leaves that operations touch. */
type SlotState = Map<Slot, Map<Attribute, readonly AttributeValue[]>>;

/**
 * Operations on the slots of an attribute as plain field settings, where the paths select whole slots by their constants:
 * `emails[type eq "work"].value` is one field, whatever it holds now.
 * @param operations prepared ones
 * @returns undefined when an operation depends on present values
 */
export function planSlots(
  plan: SlotsPlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  if (plan.slots.some((slot) => slot.multiple)) return planMultiple(plan, operations, context);
  const state: SlotState = new Map();
  for (const operation of operations) {
    const { filter } = operation;
    const isPlanned =
      filter === undefined
        ? planWhole(plan, operation, state, context)
        : planSelected(plan, operation, filter, state, context);
    if (!isPlanned) return undefined;
  }
  return [...state].flatMap(([slot, values]) =>
    [...values].flatMap(([attribute, list]) => {
      const leaf = leafFor(slot.leaves, attribute);
      return leaf === undefined ? [] : setLeaf(leaf, list, context);
    }),
  );
}

/** With a many-valued slot only clearing everything is certain. */
function planMultiple(
  plan: SlotsPlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  const [operation] = operations;
  if (operations.length !== 1 || operation === undefined) return undefined;
  const { op, filter, sub, listed, value } = operation;
  const isWhole = filter === undefined && sub === undefined && listed === undefined;
  const clears = isWhole && (op === 'remove' || (op === 'replace' && value === undefined));
  return clears ? plan.slots.flatMap((slot) => slot.leaves.flatMap((leaf) => setLeaf(leaf, [], context))) : undefined;
}

function setPart(state: SlotState, slot: Slot, attribute: Attribute, values: readonly AttributeValue[]): void {
  const own = state.get(slot) ?? new Map<Attribute, readonly AttributeValue[]>();
  own.set(attribute, values);
  state.set(slot, own);
}

/** The slot's fields hold this element and nothing else; without one, nothing. */
function fillSlot(state: SlotState, slot: Slot, element: JsonValue | undefined): void {
  const parts = asComplex(element);
  for (const { attribute } of slot.leaves) {
    const part = parts[attribute.name];
    setPart(state, slot, attribute, part === undefined ? [] : [part as AttributeValue]);
  }
}

/** An operation on the attribute as a whole. */
function planWhole(plan: SlotsPlan, operation: PatchOperation, state: SlotState, context: PatchContext): boolean {
  const { op, sub, value, listed } = operation;
  if (sub !== undefined || listed !== undefined) return false;
  const elements = op === 'remove' || value === undefined ? [] : (value as readonly JsonValue[]);
  // An added element that is there already keeps the parts that it does not name; a slot of one field has no others.
  if (op === 'add' && plan.slots.some((slot) => slot.leaves.length > 1) && elements.length > 0) return false;
  if (op === 'add' && elements.some((element) => asComplex(element).primary === true && hasMappedPrimary(plan)))
    return false;
  const bySlot = assignSlots(plan, elements, context.dropped);
  if (op === 'add') for (const [slot, [element]] of bySlot) fillSlot(state, slot, element);
  else for (const slot of plan.slots) fillSlot(state, slot, bySlot.get(slot)?.[0]);
  return true;
}

/** A mapped `primary` that is given to one element is taken from another. */
function hasMappedPrimary(plan: SlotsPlan): boolean {
  return plan.slots.some((slot) => slot.leaves.some((leaf) => leaf.attribute.name === 'primary'));
}

function planSelected(
  plan: SlotsPlan,
  operation: PatchOperation,
  filter: ResolvedFilter,
  state: SlotState,
  context: PatchContext,
): boolean {
  const { op, sub, value } = operation;
  const folded = plan.slots.map((slot) => foldOverSlot(filter, slot));
  if (folded.includes(undefined)) return false;
  const selected = plan.slots.filter((_, index) => folded[index] === true);
  const isCreating =
    sub !== undefined && context.dialect.tolerates('valuePathCreates') && equalityConstants(filter) !== undefined;
  // Whether an element is there decides between success and noTarget.
  if (op !== 'remove' && !isCreating) return false;
  if (op === 'remove' || value === undefined) {
    for (const slot of selected) {
      if (sub === undefined) fillSlot(state, slot, undefined);
      else if (!clearPart(state, slot, sub)) return false;
    }
    return true;
  }
  const [slot] = selected;
  if (selected.length !== 1 || slot === undefined || sub === undefined) return false;
  return planPart(slot, sub, value, state);
}

/** Clearing the only value of an element takes the element away, with what says of which kind it was. */
function clearPart(state: SlotState, slot: Slot, sub: Attribute): boolean {
  if (slot.constants.some((constant) => constant.attribute === sub)) return false;
  const others = slot.leaves.filter(({ attribute }) => attribute !== sub);
  const values = others.filter(({ attribute }) => !saysOnlyKind(attribute.name));
  if (others.length > values.length && values.length > 0) return false;
  if (values.length === 0) fillSlot(state, slot, undefined);
  else if (leafFor(slot.leaves, sub) !== undefined) setPart(state, slot, sub, []);
  return true;
}

function planPart(slot: Slot, sub: Attribute, value: JsonValue, state: SlotState): boolean {
  const constant = slot.constants.find((candidate) => candidate.attribute === sub);
  // Another type moves the element to another slot: that needs the element.
  if (constant !== undefined) return hasConstant({ [sub.name]: value }, constant);
  // A mapped primary takes the mark from another element.
  if (sub.name === 'primary') return false;
  if (leafFor(slot.leaves, sub) !== undefined) setPart(state, slot, sub, [value as AttributeValue]);
  return true;
}
