import type { ResolvedFilter } from './attribute-path.js';
import { asComplex, type ComplexValue, deepEqual, readAttribute, writeAttribute } from './attribute-value.js';
import type { Dialect } from './dialect.js';
import { createListedTest, ElementIdentity } from './element-identity.js';
import { ScimError } from './error.js';
import { compileElementFilter } from './filter-evaluate.js';
import { type Comparing, isPrimary, singlePrimary } from './patch-elements.js';
import type { PatchOperation } from './patch-parser.js';
import type { Attribute, JsonValue, MutableResource, Resource } from './schema.js';

export interface PatchApplyOptions extends Comparing {
  readonly dialect: Dialect;
  /**
   * Lets a place with less room than SCIM's lists have its say after each operation: it gives the elements as they will
   * stand there, those that were added or changed winning (a single slot that is full is replaced).
   */
  readonly settle?: (
    attribute: Attribute,
    elements: readonly JsonValue[],
    changed: ReadonlySet<JsonValue>,
  ) => readonly JsonValue[];
}

/** What lasts from one operation to the next: which elements are the same, found out once for each. */
class Applying {
  readonly options: PatchApplyOptions;
  readonly #identities = new Map<Attribute, ElementIdentity>();

  constructor(options: PatchApplyOptions) {
    this.options = options;
  }

  identityOf(attribute: Attribute): ElementIdentity {
    let identity = this.#identities.get(attribute);
    if (identity === undefined) {
      identity = new ElementIdentity(attribute, this.options);
      this.#identities.set(attribute, identity);
    }
    return identity;
  }
}

/**
 * Applies operations in order to a resource, which may hold only the attributes that they touch. The result has no
 * null, no empty list and no empty object. Nothing is changed in place.
 * @throws ScimError noTarget, mutability, invalidValue; the detail names the operation's number
 * @see RFC 7644 §3.5.2
 */
export function applyPatch(
  resource: Resource,
  operations: readonly PatchOperation[],
  options: PatchApplyOptions,
): Resource {
  const result: MutableResource = Object.assign({}, resource);
  const applying = new Applying(options);
  for (const operation of operations) {
    try {
      const before = readAttribute(result, operation.attribute);
      const after = applyOperation(before, operation, applying);
      checkImmutable(operation, before, after);
      writeAttribute(result, operation.attribute, after);
    } catch (error) {
      if (error instanceof ScimError) throw error.withDetail(`Operation ${operation.number}: ${error.message}`);
      throw error;
    }
  }
  return result;
}

function applyOperation(
  before: JsonValue | undefined,
  operation: PatchOperation,
  applying: Applying,
): JsonValue | undefined {
  const { attribute } = operation;
  if (attribute.multiValued) {
    const elements = applyToElements(
      Array.isArray(before) ? (before as readonly JsonValue[]) : [],
      operation,
      applying,
    );
    return elements.length === 0 ? undefined : elements;
  }
  if (attribute.type === 'complex') return applyToComplex(asComplex(before), operation);
  return operation.op === 'remove' ? undefined : operation.value;
}

/** A single complex attribute: sub-attributes that are not named stay (RFC 7644 §3.5.2.1, §3.5.2.3). */
function applyToComplex(before: ComplexValue, operation: PatchOperation): JsonValue | undefined {
  const { op, sub, value } = operation;
  if (sub !== undefined) return withoutEmpty(withSub(before, sub, op === 'remove' ? undefined : value));
  if (op === 'remove' || value === undefined) return undefined;
  return withoutEmpty(merged(before, operation));
}

/** The parts with those of the operation's value, and without those that it sets to null. */
function merged(before: ComplexValue, { value, unset }: PatchOperation): ComplexValue {
  const rest = unset.reduce((parts, sub) => withSub(parts, sub, undefined), before);
  return { ...rest, ...asComplex(value) };
}

function applyToElements(
  before: readonly JsonValue[],
  operation: PatchOperation,
  applying: Applying,
): readonly JsonValue[] {
  const { options } = applying;
  const { attribute, filter, sub, op } = operation;
  if (filter !== undefined || sub !== undefined) return applyToSelected(before, operation, applying);
  if (op === 'remove') {
    const { listed } = operation;
    if (listed === undefined) return [];
    const isListed = createListedTest(attribute, listed, options);
    return before.filter((element) => !isListed(element));
  }
  const value = operation.value === undefined ? [] : (operation.value as readonly JsonValue[]);
  if (op === 'replace') return settled(attribute, value, new Set(value), options);
  return addElements(before, value, attribute, applying);
}

/** Elements that are there already are merged, not doubled; a new primary takes the mark from the old one. */
function addElements(
  before: readonly JsonValue[],
  added: readonly JsonValue[],
  attribute: Attribute,
  applying: Applying,
): readonly JsonValue[] {
  const identity = applying.identityOf(attribute);
  const index = identity.index(before);
  const result = [...before];
  const changed = new Set<JsonValue>();
  const claims = new Set<JsonValue>();
  for (const element of added) {
    const key = identity.keyOf(element);
    const at = key === undefined ? undefined : index.get(key);
    const present = at === undefined ? undefined : result[at];
    const after =
      present === undefined
        ? element
        : hasMore(element, present)
          ? { ...asComplex(present), ...asComplex(element) }
          : present;
    if (at !== undefined) result[at] = after;
    else {
      if (key !== undefined) index.set(key, result.length);
      result.push(after);
    }
    changed.add(after);
    if (isPrimary(after) && !isPrimary(present)) claims.add(after);
  }
  const single = singlePrimary(result, claims, changed);
  const after = settled(attribute, single, changed, applying.options);
  // The index is that of `result` now, and of the lists that have the same elements in the same places.
  identity.keepIndex(after === single ? after : result);
  return after;
}

/** A plain value that is there in another spelling is there: adding it changes nothing (RFC 7644 §3.5.2.1). */
function hasMore(element: JsonValue, present: JsonValue): boolean {
  return Object.entries(asComplex(element)).some(([name, part]) => !deepEqual(asComplex(present)[name], part));
}

function settled(
  attribute: Attribute,
  elements: readonly JsonValue[],
  changed: ReadonlySet<JsonValue>,
  options: PatchApplyOptions,
): readonly JsonValue[] {
  return options.settle === undefined ? elements : options.settle(attribute, elements, changed);
}

function applyToSelected(
  before: readonly JsonValue[],
  operation: PatchOperation,
  applying: Applying,
): readonly JsonValue[] {
  const { options } = applying;
  const { attribute, filter, sub, op, value } = operation;
  const isSelected = filter === undefined ? () => true : compileElementFilter(filter, options.comparisonFor);
  const selected = new Set(before.filter(isSelected));
  if (selected.size === 0) {
    if (op === 'remove') return before;
    const created = elementFromFilter(operation, options.dialect);
    if (created === undefined) {
      throw ScimError.badRequest('noTarget', `no element of "${attribute.name}" matches the path's filter.`);
    }
    if (value === undefined) return before;
    return addElements(before, [created], attribute, applying);
  }
  if (sub === undefined && (op === 'remove' || value === undefined))
    return before.filter((element) => !selected.has(element));
  const changed = new Set<JsonValue>();
  const claims = new Set<JsonValue>();
  const result = before.flatMap((element): readonly JsonValue[] => {
    if (!selected.has(element)) return [element];
    const after = changedElement(element, operation);
    if (after === undefined) return [];
    if (deepEqual(element, after)) return [element];
    checkElement(attribute, element, after);
    changed.add(after);
    if (isPrimary(after) && !isPrimary(element)) claims.add(after);
    return [after];
  });
  const distinct = withoutRepeated(applying.identityOf(attribute), attribute, result, changed);
  return settled(attribute, singlePrimary(distinct, claims, changed), changed, options);
}

/** Elements that have become the same as another one are one with it (requirements 7643-2.4-10). */
function withoutRepeated(
  identity: ElementIdentity,
  attribute: Attribute,
  elements: readonly JsonValue[],
  changed: ReadonlySet<JsonValue>,
): readonly JsonValue[] {
  if (attribute.type !== 'complex') {
    const first = identity.index(elements);
    return elements.filter((element, at) => first.get(identity.keyOf(element) ?? '') === at);
  }
  const wanted = new Set<string>();
  for (const element of changed) wanted.add(identity.keyOf(element) ?? '');
  const byKey = new Map<string, JsonValue[]>();
  for (const element of elements) {
    const key = identity.keyOf(element);
    if (key === undefined || !wanted.has(key)) continue;
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [element]);
    else same.push(element);
  }
  const repeated = new Set<JsonValue>();
  for (const element of changed) {
    if (repeated.has(element)) continue;
    for (const other of byKey.get(identity.keyOf(element) ?? '') ?? []) if (other !== element) repeated.add(other);
  }
  return repeated.size === 0 ? elements : elements.filter((element) => !repeated.has(element));
}

/** What becomes of one element that the path selects; undefined when nothing is left of it but its kind. */
function changedElement(element: JsonValue, operation: PatchOperation): JsonValue | undefined {
  const { attribute, op, sub, value, unset } = operation;
  if (attribute.type !== 'complex') return value;
  const parts = asComplex(element);
  const isCleared = sub === undefined ? unset.length > 0 : op === 'remove' || value === undefined;
  const changed =
    sub === undefined ? merged(parts, operation) : withSub(parts, sub, op === 'remove' ? undefined : value);
  return isCleared && isHollow(changed) ? undefined : changed;
}

/** @throws ScimError mutability when an immutable part of an element would change (RFC 7643 §4.2) */
function checkElement(attribute: Attribute, before: JsonValue, after: JsonValue): void {
  for (const sub of attribute.subAttributes) {
    if (sub.mutability !== 'immutable') continue;
    const [old, now] = [asComplex(before)[sub.name], asComplex(after)[sub.name]];
    if (old === undefined || deepEqual(old, now)) continue;
    throw ScimError.badRequest(
      'mutability',
      `"${sub.path}" cannot be changed once set; remove the element and add another.`,
    );
  }
}

/**
 * The element that a value path without a match creates (dialect rule 3): its conditions are all `eq` on
 * sub-attributes other than `value`, and the path ends in a sub-attribute.
 */
export function elementFromFilter(operation: PatchOperation, dialect: Dialect): ComplexValue | undefined {
  const { filter, sub, value } = operation;
  if (sub === undefined || !dialect.tolerates('valuePathCreates')) return undefined;
  if (filter === undefined) return value === undefined ? {} : { [sub.name]: value };
  const constants = equalityConstants(filter);
  if (constants === undefined) return undefined;
  return value === undefined ? constants : { ...constants, [sub.name]: value };
}

/** `type eq "work" and primary eq true` as an object; undefined when the filter says anything else. */
export function equalityConstants(filter: ResolvedFilter): ComplexValue | undefined {
  const constants: Record<string, JsonValue> = {};
  const terms = filter.kind === 'and' ? filter.operands : [filter];
  for (const term of terms) {
    if (term.kind !== 'compare' || term.op !== 'eq' || term.value === null) return undefined;
    const { sub } = term.path;
    if (sub === undefined || sub.name === 'value' || Object.hasOwn(constants, sub.name)) return undefined;
    constants[sub.name] = term.value;
  }
  return terms.length === 0 ? undefined : constants;
}

/**
 * An immutable attribute may be given its first value, never another (RFC 7643 §7).
 * @throws ScimError mutability
 */
function checkImmutable(
  { attribute }: PatchOperation,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): void {
  if (attribute.mutability === 'immutable' && before !== undefined && !deepEqual(before, after)) {
    throw ScimError.badRequest('mutability', `"${attribute.path}" cannot be changed once set.`);
  }
  if (attribute.multiValued) return;
  for (const sub of attribute.subAttributes) {
    const old = asComplex(before)[sub.name];
    if (sub.mutability !== 'immutable' || old === undefined || deepEqual(old, asComplex(after)[sub.name])) continue;
    throw ScimError.badRequest('mutability', `"${sub.path}" cannot be changed once set.`);
  }
}

function withSub(value: ComplexValue, sub: Attribute, subValue: JsonValue | undefined): ComplexValue {
  if (subValue !== undefined) return { ...value, [sub.name]: subValue };
  const { [sub.name]: _, ...rest } = value;
  return rest;
}

function withoutEmpty(value: ComplexValue): ComplexValue | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

/** Nothing is left but what kind of element it was. */
function isHollow(element: ComplexValue): boolean {
  return Object.keys(element).every(saysOnlyKind);
}

/** Whether a sub-attribute only says what kind of element it is: alone it is no value. */
export function saysOnlyKind(name: string): boolean {
  return name === 'type' || name === 'primary' || name === '$ref';
}
