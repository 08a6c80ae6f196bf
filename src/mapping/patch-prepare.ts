import type { ResolvedFilter } from '../scim/attribute-path.js';
import { asComplex } from '../scim/attribute-value.js';
import type { Dialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import { allOf } from '../scim/filter.js';
import { equalityConstants } from '../scim/patch-apply.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import { withoutDuplicates } from '../scim/value-parser.js';
import { constantParts } from './attribute-readers.js';
import type { AttributeValue } from './codec.js';
import { type Dropped, type Parts, partNotTaken, partsOf, rejecting, reportAttribute } from './not-taken.js';
import {
  type Constant,
  leafFor,
  type MappingPlan,
  type RecordsPlan,
  type SimplePlan,
  type Slot,
  type SlotsPlan,
  takesValues,
} from './plan.js';
import { foldOverSlot, hasConstant, isTelling, reportPlaceless, slotFor } from './slots.js';
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
      return attributePlan.reference === undefined
        ? prepareRecords(attributePlan, operation, dialect, report)
        : [operation];
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

function prepareRecords(
  plan: RecordsPlan,
  given: PatchOperation,
  dialect: Dialect,
  report: Dropped,
): readonly PatchOperation[] {
  const place = partsOf(plan);
  const operation = withoutStrangers(plan, given, dialect, report);
  return isWhole(operation)
    ? [wholeElements(operation, () => place, report)]
    : prepareParts(operation, [place], report);
}

/** Whether the operation's value is a list of whole elements. */
function isWhole({ filter, sub }: PatchOperation): boolean {
  return filter === undefined && sub === undefined;
}

/** Whole elements, each without what its place does not take; those without a place are left out. */
function wholeElements(
  operation: PatchOperation,
  placeOf: (element: JsonValue) => Parts | undefined,
  report: Dropped,
): PatchOperation {
  if (operation.op === 'remove' || operation.value === undefined) return operation;
  const elements = (operation.value as readonly JsonValue[]).flatMap((element): readonly JsonValue[] => {
    const place = placeOf(element);
    if (place === undefined) return [];
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
  // Without the parts that told them apart, two may be the same.
  const distinct = withoutDuplicates(operation.attribute, elements);
  return { ...operation, value: distinct.length === 0 ? undefined : distinct };
}

function prepareSlots(
  plan: SlotsPlan,
  given: PatchOperation,
  dialect: Dialect,
  report: Dropped,
): readonly PatchOperation[] {
  const operation = isWhole(given) ? given : localised(plan, given, dialect, report);
  if (operation === undefined) return [];
  if (isWhole(operation)) {
    const placeOf = (element: JsonValue): Parts | undefined => {
      const slot = slotFor(plan, element);
      if (slot === undefined) reportPlaceless(plan, element, report);
      return slot === undefined ? undefined : partsOf(plan, slot);
    };
    return [wholeElements(operation, placeOf, report)];
  }
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

/** `type eq "work" and primary eq true` of a path that would make an element (dialect rule 3). */
interface Creation {
  /** The conditions on parts that some rule of the attribute has. */
  readonly parts: readonly Constant[];
  /** Whether there were others, which no element can meet. */
  readonly isCut: boolean;
  readonly sub: Attribute;
}

/** @returns undefined when the path makes no element */
function creationIn(
  { op, attribute, filter, sub }: PatchOperation,
  dialect: Dialect,
  isKnown: (part: Attribute) => boolean,
  report: Dropped,
): Creation | undefined {
  if (op === 'remove' || filter === undefined || sub === undefined || !dialect.tolerates('valuePathCreates'))
    return undefined;
  const constants = equalityConstants(filter);
  if (constants === undefined) return undefined;
  const named = attribute.subAttributes.filter(({ name }) => constants[name] !== undefined);
  const unknown = named.filter((part) => !isKnown(part));
  for (const part of unknown) report(part.path, 'not mapped');
  const parts = named
    .filter(isKnown)
    .map((part): Constant => ({ attribute: part, value: constants[part.name] as AttributeValue }));
  return { parts, isCut: unknown.length > 0, sub };
}

/** The element by itself: where nothing tells elements apart, none is taken for the one that is meant. */
function asAddition(operation: PatchOperation, { parts, sub }: Creation): PatchOperation {
  const { value } = operation;
  const added = value === undefined ? undefined : [{ ...constantParts(parts), [sub.name]: value }];
  return { ...operation, op: 'add', filter: undefined, sub: undefined, value: added };
}

/**
 * A path that would make an element as a path to the slot where that element lives:
 * `emails[type eq "work" and primary eq true].value` is `emails[type eq "work"].value` where no rule maps `primary`.
 * @returns undefined when no slot has a place for such an element
 */
function localised(
  plan: SlotsPlan,
  operation: PatchOperation,
  dialect: Dialect,
  report: Dropped,
): PatchOperation | undefined {
  const creation = creationIn(operation, dialect, (part) => plan.slots.some((slot) => hasPart(slot, part)), report);
  if (creation === undefined) return operation;
  const { parts, sub } = creation;
  const wanted = equalTo(plan.attribute, parts);
  const meant = wanted === undefined ? [] : plan.slots.filter((slot) => foldOverSlot(wanted, slot) !== false);
  if (meant.length > 1) return { ...operation, filter: wanted };
  const value = operation.value === undefined ? {} : { [sub.name]: operation.value };
  const slot = meant[0] ?? slotFor(plan, { ...constantParts(parts), ...value });
  if (slot === undefined) {
    report(`${plan.attribute.path}[…].${sub.name}`, `no rule of "${plan.attribute.path}" has a place for it`);
    return undefined;
  }
  const deciding = parts.filter(({ attribute }) => leafFor(slot.leaves, attribute) !== undefined);
  const filter = equalTo(plan.attribute, [...slot.constants, ...deciding]);
  return filter === undefined && slot.multiple ? asAddition(operation, creation) : { ...operation, filter };
}

function hasPart({ leaves, constants }: Slot, part: Attribute): boolean {
  return leafFor(leaves, part) !== undefined || constants.some(({ attribute }) => attribute === part);
}

/** A path that would make a child record, without conditions on parts that it cannot have. */
function withoutStrangers(
  plan: RecordsPlan,
  operation: PatchOperation,
  dialect: Dialect,
  report: Dropped,
): PatchOperation {
  const creation = creationIn(operation, dialect, (part) => leafFor(plan.leaves, part) !== undefined, report);
  if (creation?.isCut !== true) return operation;
  const filter = equalTo(plan.attribute, creation.parts);
  return filter === undefined ? asAddition(operation, creation) : { ...operation, filter };
}

function equalTo(attribute: Attribute, constants: readonly Constant[]): ResolvedFilter | undefined {
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
