import type { ResolvedFilter } from '../scim/attribute-path.js';
import { asComplex } from '../scim/attribute-value.js';
import type { Dialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import { allOf } from '../scim/filter.js';
import { equalityConstants } from '../scim/patch-apply.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import { type Dropped, type Parts, partNotTaken, partsOf, rejecting, reportAttribute } from './not-taken.js';
import {
  type Constant,
  leafFor,
  type MappingPlan,
  type RecordsPlan,
  type SimplePlan,
  type SlotsPlan,
  takesValues,
} from './plan.js';
import { foldOverSlot, hasConstant, isTelling, slotFor } from './slots.js';
import { checkedLeaf } from './value-rules.js';

export interface PrepareOptions {
  readonly dialect: Dialect;
  /** Told of everything that the caller sent and that has no home. */
  readonly dropped: Dropped;
}

/**
 * Operations as the rules let them through: what no rule takes is left out and reported, values are those that `values`
 * and `clearOn` allow, and paths into slots name the slot. From here on it does not matter whether they become field
 * changes at once or are applied to what was read.
 * @throws ScimError invalidValue; the detail names the operation's number
 */
export function prepareOperations(
  plan: MappingPlan,
  operations: readonly PatchOperation[],
  options: PrepareOptions,
): readonly PatchOperation[] {
  return operations.flatMap((operation) => {
    try {
      return prepareOperation(plan, operation, options);
    } catch (error) {
      if (error instanceof ScimError) throw error.withDetail(`Operation ${operation.number}: ${error.message}`);
      throw error;
    }
  });
}

function prepareOperation(
  plan: MappingPlan,
  operation: PatchOperation,
  { dialect, dropped }: PrepareOptions,
): readonly PatchOperation[] {
  const { attribute, op, sub, value } = operation;
  // `schemas` follows from what the resource holds (RFC 7643 §3).
  if (attribute.path === 'schemas') return [];
  const attributePlan = plan.byPath.get(attribute.path);
  if (attributePlan === undefined || !takesValues(attributePlan)) {
    // Taking away what is not kept asks for nothing, except that nobody may believe a member to be gone.
    if (op !== 'remove' || attribute.path === 'members')
      reportAttribute(plan, attribute, sub === undefined ? value : undefined, dropped, sub?.path ?? attribute.path);
    return [];
  }
  const report = rejecting(plan, dropped);
  switch (attributePlan.kind) {
    case 'simple':
      return [prepareSimple(attributePlan, operation)];
    case 'complex':
      return prepareParts(operation, [partsOf(attributePlan)], report);
    case 'slots':
      return prepareSlots(attributePlan, operation, dialect, report);
    case 'records':
      return attributePlan.reference === undefined ? prepareRecords(attributePlan, operation, report) : [operation];
    case 'references':
      return [operation];
  }
}

function prepareSimple({ leaf, attribute }: SimplePlan, operation: PatchOperation): PatchOperation {
  const { op, value } = operation;
  if (op === 'remove' || value === undefined) return operation;
  if (!attribute.multiValued || operation.filter !== undefined)
    return { ...operation, value: checkedLeaf(leaf, value as AttributeValue) };
  const values = (value as readonly AttributeValue[]).flatMap((item) => checkedLeaf(leaf, item) ?? []);
  return { ...operation, value: values.length === 0 ? undefined : values };
}

/**
 * An operation on the parts of a complex value, or of the elements that a path selects.
 * @param places where the parts may live; what none of them takes is left out
 * @param isMove whether a part moves an element to another place
 */
function prepareParts(
  operation: PatchOperation,
  places: readonly Parts[],
  report: Dropped,
  isMove: (sub: Attribute, value: JsonValue) => boolean = () => false,
): readonly PatchOperation[] {
  const { op, sub, value } = operation;
  const takers = (part: Attribute, given: JsonValue | undefined): readonly Parts[] =>
    given !== undefined && isMove(part, given) ? places : places.filter((place) => isTaken(place, part, given, report));
  if (sub !== undefined) {
    const taken = takers(sub, op === 'remove' ? undefined : value);
    if (taken.length === 0) return [];
    return op === 'remove' || value === undefined ? [operation] : [{ ...operation, value: ruled(value, sub, taken) }];
  }
  if (op === 'remove' || value === undefined) return [operation];
  const parts: Record<string, JsonValue> = {};
  const unset = new Set(operation.unset);
  for (const candidate of operation.attribute.subAttributes) {
    const part = asComplex(value)[candidate.name];
    if (part === undefined) continue;
    const taken = takers(candidate, part);
    if (taken.length === 0) continue;
    const allowed = ruled(part, candidate, taken);
    if (allowed === undefined) unset.add(candidate);
    else parts[candidate.name] = allowed;
  }
  return [{ ...operation, value: parts, unset: [...unset] }];
}

function isTaken(place: Parts, sub: Attribute, value: JsonValue | undefined, report: Dropped): boolean {
  const why = partNotTaken(place, sub, value);
  if (why === undefined) return true;
  // Taking away what is not kept asks for nothing.
  if (value !== undefined) report(`${place.prefix}.${sub.name}`, why);
  return false;
}

/** The value as the rules of all places allow it; undefined for "no value". */
function ruled(value: JsonValue, sub: Attribute, places: readonly Parts[]): JsonValue | undefined {
  let result: JsonValue | undefined = value;
  for (const { leaves } of places) {
    const leaf = leafFor(leaves, sub);
    if (leaf !== undefined && leaf.reference === undefined && result !== undefined && !Array.isArray(result))
      result = checkedLeaf(leaf, result as AttributeValue);
  }
  return result;
}

function prepareRecords(plan: RecordsPlan, operation: PatchOperation, report: Dropped): readonly PatchOperation[] {
  const place = partsOf(plan);
  return isWhole(operation)
    ? [wholeElements(operation, () => place, report)]
    : prepareParts(operation, [place], report);
}

/** Whether the operation's value is a list of whole elements. */
function isWhole({ filter, sub }: PatchOperation): boolean {
  return filter === undefined && sub === undefined;
}

/** Whole elements, each without what its place does not take. */
function wholeElements(
  operation: PatchOperation,
  placeOf: (element: JsonValue) => Parts | undefined,
  report: Dropped,
): PatchOperation {
  if (operation.op === 'remove' || operation.value === undefined) return operation;
  const elements = (operation.value as readonly JsonValue[]).flatMap((element): readonly JsonValue[] => {
    const place = placeOf(element);
    if (place === undefined) return [element];
    const parts: Record<string, JsonValue> = {};
    for (const sub of operation.attribute.subAttributes) {
      const part = asComplex(element)[sub.name];
      if (part === undefined || !isTaken(place, sub, part, report)) continue;
      const allowed = ruled(part, sub, [place]);
      if (allowed !== undefined) parts[sub.name] = allowed;
    }
    // What only says of which kind it is has nothing to keep, and must not take the place of what is there.
    const isEmpty = place.leaves.every(({ attribute }) => parts[attribute.name] === undefined);
    return isEmpty ? [] : [parts];
  });
  return { ...operation, value: elements.length === 0 ? undefined : elements };
}

function prepareSlots(
  plan: SlotsPlan,
  given: PatchOperation,
  dialect: Dialect,
  report: Dropped,
): readonly PatchOperation[] {
  if (isWhole(given)) {
    return [
      wholeElements(
        given,
        (element) => {
          const slot = slotFor(plan, element);
          return slot === undefined ? undefined : partsOf(plan, slot);
        },
        report,
      ),
    ];
  }
  const operation = localised(plan, given, dialect, report);
  if (operation === undefined) return [];
  const { filter } = operation;
  const slots = plan.slots.filter((slot) => filter === undefined || foldOverSlot(filter, slot) !== false);
  // Without any slot the path selects nothing: whether that is an error is for the operation itself to say.
  return slots.length === 0
    ? [operation]
    : prepareParts(
        operation,
        slots.map((slot) => partsOf(plan, slot)),
        report,
        (sub, value) => plan.slots.some(({ constants }) => constants.some((constant) => isKind(constant, sub, value))),
      );
}

function isKind(constant: Constant, sub: Attribute, value: JsonValue): boolean {
  return constant.attribute === sub && isTelling(constant) && hasConstant({ [sub.name]: value }, constant);
}

/**
 * A path that would make an element (dialect rule 3) as a path to the slot where that element lives:
 * `emails[type eq "work" and primary eq true].value` is `emails[type eq "work"].value` where no rule maps `primary`.
 * @returns undefined when no slot has a place for such an element
 */
function localised(
  plan: SlotsPlan,
  operation: PatchOperation,
  dialect: Dialect,
  report: Dropped,
): PatchOperation | undefined {
  const { op, filter, sub, value } = operation;
  if (op === 'remove' || filter === undefined || sub === undefined || !dialect.tolerates('valuePathCreates'))
    return operation;
  const constants = equalityConstants(filter);
  if (constants === undefined) return operation;
  const subs = plan.attribute.subAttributes.filter((candidate) => constants[candidate.name] !== undefined);
  const known = subs.filter((candidate) =>
    plan.slots.some(
      (slot) =>
        leafFor(slot.leaves, candidate) !== undefined ||
        slot.constants.some(({ attribute }) => attribute === candidate),
    ),
  );
  for (const candidate of subs)
    if (!known.includes(candidate)) report(`${plan.attribute.path}.${candidate.name}`, 'not mapped');
  const element = Object.fromEntries(known.map(({ name }) => [name, constants[name] as JsonValue]));
  const slot = slotFor(plan, { ...element, ...(value === undefined ? {} : { [sub.name]: value }) });
  if (slot === undefined) {
    report(`${plan.attribute.path}[…].${sub.name}`, `no rule of "${plan.attribute.path}" has a place for it`);
    return undefined;
  }
  if (known.length > 0 && known.length === subs.length) return operation;
  const wanted: readonly Constant[] =
    known.length === 0
      ? slot.constants
      : known.map((attribute) => ({ attribute, value: constants[attribute.name] as AttributeValue }));
  return { ...operation, filter: equalTo(plan, wanted) };
}

function equalTo({ attribute }: SlotsPlan, constants: readonly Constant[]): ResolvedFilter | undefined {
  if (constants.length === 0) return undefined;
  return allOf(
    constants.map(
      ({ attribute: sub, value }): ResolvedFilter => ({
        kind: 'compare',
        path: { attribute, sub },
        op: 'eq',
        value,
      }),
    ),
  );
}
