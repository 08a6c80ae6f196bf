import type { Change } from '../backend/adapter.js';
import { assertNever } from '../scim/assert-never.js';
import type { ResolvedFilter } from '../scim/attribute-path.js';
import { evaluateElement } from '../scim/filter-evaluate.js';
import { asComplex, equalityConstants } from '../scim/patch-apply.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import { type PatchContext, setLeaf } from './patch-plan.js';
import { leafFor, type Slot, type SlotsPlan } from './plan.js';
import { assignSlots } from './slots.js';

/** What a slot's fields come to: per leaf its values; leaves that no operation touched are not there. */
type SlotState = Map<Slot, Map<Attribute, readonly AttributeValue[]>>;

/**
 * Operations on the slots of an attribute as plain field settings, where the paths select whole slots by their constants:
 * `emails[type eq "work"].value` is one field, whatever it holds now.
 * @returns undefined when an operation depends on present values
 */
export function planSlots(
  plan: SlotsPlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  if (plan.slots.some((slot) => slot.multiple)) return planMultiple(plan, operations);
  const state: SlotState = new Map();
  for (const operation of operations) {
    const isPlanned =
      operation.filter === undefined
        ? planWhole(plan, operation, state, context)
        : planSelected(plan, operation, operation.filter, state, context);
    if (!isPlanned) return undefined;
  }
  return [...state].flatMap(([slot, values]) =>
    [...values].flatMap(([attribute, list]) => {
      const leaf = leafFor(slot.leaves, attribute);
      return leaf === undefined ? [] : setLeaf(leaf, list);
    }),
  );
}

/** With a many-valued slot only clearing everything is certain. */
function planMultiple(plan: SlotsPlan, operations: readonly PatchOperation[]): readonly Change[] | undefined {
  const [operation] = operations;
  if (operations.length !== 1 || operation === undefined) return undefined;
  const clears =
    operation.filter === undefined &&
    operation.sub === undefined &&
    operation.listed === undefined &&
    (operation.op === 'remove' || (operation.op === 'replace' && operation.value === undefined));
  return clears ? plan.slots.flatMap((slot) => slot.leaves.flatMap((leaf) => setLeaf(leaf, []))) : undefined;
}

function setSlot(state: SlotState, slot: Slot, attribute: Attribute, values: readonly AttributeValue[]): void {
  const own = state.get(slot) ?? new Map<Attribute, readonly AttributeValue[]>();
  own.set(attribute, values);
  state.set(slot, own);
}

function clearSlot(state: SlotState, slot: Slot): void {
  for (const leaf of slot.leaves) setSlot(state, slot, leaf.attribute, []);
}

/** An operation on the attribute as a whole. */
function planWhole(plan: SlotsPlan, operation: PatchOperation, state: SlotState, context: PatchContext): boolean {
  const { op, sub, value, listed } = operation;
  if (sub !== undefined || listed !== undefined) return false;
  const elements = op === 'remove' || value === undefined ? [] : (value as readonly JsonValue[]);
  // Added elements merge with what is there by value and type, which only the present values tell.
  if (op === 'add' && elements.length > 0) return false;
  if (op === 'add') return true;
  const { bySlot, dropped } = assignSlots(plan, elements);
  for (const { why } of dropped) context.dropped(plan.attribute.path, why);
  for (const slot of plan.slots) {
    clearSlot(state, slot);
    for (const element of bySlot.get(slot) ?? []) setParts(state, slot, asComplex(element), context);
  }
  return true;
}

function setParts(
  state: SlotState,
  slot: Slot,
  parts: { readonly [sub: string]: JsonValue },
  context: PatchContext,
): void {
  for (const [name, value] of Object.entries(parts)) {
    const leaf = slot.leaves.find((candidate) => candidate.attribute.name === name);
    if (leaf !== undefined) setSlot(state, slot, leaf.attribute, [value as AttributeValue]);
    else if (!slot.constants.some((constant) => constant.attribute.name === name)) {
      context.dropped(`${slot.key}.${name}`, 'not mapped');
    }
  }
}

function planSelected(
  plan: SlotsPlan,
  operation: PatchOperation,
  filter: ResolvedFilter,
  state: SlotState,
  context: PatchContext,
): boolean {
  const folded = plan.slots.map((slot) => ({ slot, matches: foldOverSlot(filter, slot) }));
  if (folded.some(({ matches }) => matches === undefined)) return false;
  const selected = folded.flatMap(({ slot, matches }) => (matches === true ? [slot] : []));
  const { op, sub, value } = operation;
  const clears = op === 'remove' || value === undefined;
  if (clears) {
    if (!isClearable(selected, sub)) return false;
    for (const slot of selected) {
      if (sub === undefined) clearSlot(state, slot);
      else if (leafFor(slot.leaves, sub) !== undefined) setSlot(state, slot, sub, []);
    }
    return op === 'remove' || selected.length > 0;
  }
  if (sub === undefined || !context.dialect.tolerates('valuePathCreates')) return false;
  // The path must be one that creates its element, so that setting the field is right whether or not it was there.
  const constants = equalityConstants(filter);
  if (constants === undefined) return false;
  if (selected.length === 0) {
    context.dropped(`${plan.attribute.path}[…].${sub.name}`, `no rule of "${plan.attribute.path}" has a place for it`);
    return true;
  }
  const [slot] = selected;
  if (selected.length > 1 || slot === undefined) return false;
  return planSub(slot, sub, value, state, context);
}

/** Clearing part of an element leaves the rest; only a part that has a field of its own can be cleared unseen. */
function isClearable(slots: readonly Slot[], sub: Attribute | undefined): boolean {
  return sub === undefined || slots.every((slot) => !slot.constants.some((constant) => constant.attribute === sub));
}

function planSub(slot: Slot, sub: Attribute, value: JsonValue, state: SlotState, context: PatchContext): boolean {
  const constant = slot.constants.find((candidate) => candidate.attribute === sub);
  // Another type moves the element to another slot: that needs the element.
  if (constant !== undefined) return String(constant.value).toLowerCase() === String(value).toLowerCase();
  // A mapped primary takes the mark from another element.
  if (sub.name === 'primary') return false;
  if (leafFor(slot.leaves, sub) === undefined) context.dropped(`${slot.key}.${sub.name}`, 'not mapped');
  else setSlot(state, slot, sub, [value as AttributeValue]);
  return true;
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
