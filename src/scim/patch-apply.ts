import type { ResolvedFilter } from './attribute-path.js';
import { comparisonOf, keyOf } from './comparison.js';
import type { Dialect } from './dialect.js';
import { ScimError } from './error.js';
import { evaluateElement } from './filter-evaluate.js';
import type { PatchOperation } from './patch-parser.js';
import { type Attribute, isObject, type JsonValue, type MutableResource, type Resource } from './schema.js';

/** An element of a multi-valued complex attribute, or the value of a single complex one. */
export type ComplexValue = { readonly [sub: string]: JsonValue };

export interface PatchApplyOptions {
  readonly dialect: Dialect;
  /**
   * Lets a place with less room than SCIM's lists have its say after elements were added: it gives the elements that can
   * stand beside each other, the new ones winning (a single slot that is full is replaced).
   */
  readonly settle?: (
    attribute: Attribute,
    elements: readonly JsonValue[],
    added: ReadonlySet<JsonValue>,
  ) => readonly JsonValue[];
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
  const result: MutableResource = { ...resource };
  for (const operation of operations) {
    try {
      const before = readAttribute(result, operation.attribute);
      const after = applyOperation(before, operation, options);
      checkImmutable(operation, before, after);
      writeAttribute(result, operation.attribute, after);
    } catch (error) {
      if (error instanceof ScimError) throw error.withDetail(`Operation ${operation.number}: ${error.message}`);
      throw error;
    }
  }
  return result;
}

/** The attribute's value in a resource's JSON, under its extension's URN where it has one. */
export function readAttribute(resource: Resource, attribute: Attribute): JsonValue | undefined {
  if (!attribute.inExtension || attribute.schema === undefined) return resource[attribute.name];
  const extension = resource[attribute.schema];
  return isObject(extension) ? (extension[attribute.name] as JsonValue | undefined) : undefined;
}

/** Sets the attribute in a resource under construction; undefined takes it away, and the extension with its last one. */
export function writeAttribute(resource: MutableResource, attribute: Attribute, value: JsonValue | undefined): void {
  if (!attribute.inExtension || attribute.schema === undefined) {
    if (value === undefined) delete resource[attribute.name];
    else resource[attribute.name] = value;
    return;
  }
  const present = resource[attribute.schema];
  const extension: MutableResource = isObject(present) ? { ...(present as ComplexValue) } : {};
  if (value === undefined) delete extension[attribute.name];
  else extension[attribute.name] = value;
  if (Object.keys(extension).length === 0) delete resource[attribute.schema];
  else resource[attribute.schema] = extension;
}

function applyOperation(
  before: JsonValue | undefined,
  operation: PatchOperation,
  options: PatchApplyOptions,
): JsonValue | undefined {
  const { attribute } = operation;
  if (attribute.multiValued) {
    const elements = applyToElements(Array.isArray(before) ? (before as readonly JsonValue[]) : [], operation, options);
    return elements.length === 0 ? undefined : elements;
  }
  if (attribute.type === 'complex') return applyToComplex(asComplex(before), operation);
  return operation.op === 'remove' ? undefined : operation.value;
}

/** A single complex attribute: sub-attributes that are not named stay (RFC 7644 §3.5.2.1, §3.5.2.3). */
function applyToComplex(before: ComplexValue, { op, sub, value }: PatchOperation): JsonValue | undefined {
  if (sub !== undefined) return withoutEmpty(withSub(before, sub, op === 'remove' ? undefined : value));
  if (op === 'remove' || value === undefined) return undefined;
  return withoutEmpty({ ...before, ...asComplex(value) });
}

function applyToElements(
  before: readonly JsonValue[],
  operation: PatchOperation,
  options: PatchApplyOptions,
): readonly JsonValue[] {
  const { attribute, filter, sub, op } = operation;
  if (filter !== undefined || sub !== undefined) return applyToSelected(before, operation, options);
  if (op === 'remove') {
    const { listed } = operation;
    return listed === undefined
      ? []
      : before.filter((element) => !listed.some((item) => isListed(attribute, element, item)));
  }
  const value = operation.value === undefined ? [] : (operation.value as readonly JsonValue[]);
  if (op === 'replace') return settle(attribute, value, new Set(value), options);
  return addElements(before, value, attribute, options);
}

/** Elements that are there already are merged, not doubled; a new primary takes the mark from the old one. */
function addElements(
  before: readonly JsonValue[],
  added: readonly JsonValue[],
  attribute: Attribute,
  options: PatchApplyOptions,
): readonly JsonValue[] {
  const result = [...before];
  const touched = new Set<JsonValue>();
  for (const element of added) {
    const index = result.findIndex((candidate) => isSameElement(attribute, candidate, element));
    const present = result[index];
    const merged = present !== undefined && isObject(present) ? { ...present, ...asComplex(element) } : element;
    if (index < 0) result.push(merged);
    else result[index] = merged;
    touched.add(merged);
  }
  return settle(attribute, singlePrimary(result, touched), touched, options);
}

function settle(
  attribute: Attribute,
  elements: readonly JsonValue[],
  added: ReadonlySet<JsonValue>,
  options: PatchApplyOptions,
): readonly JsonValue[] {
  return options.settle === undefined ? elements : options.settle(attribute, elements, added);
}

function applyToSelected(
  before: readonly JsonValue[],
  operation: PatchOperation,
  options: PatchApplyOptions,
): readonly JsonValue[] {
  const { attribute, filter, sub, op, value } = operation;
  const selected = before.map((element) => filter === undefined || evaluateElement(filter, attribute, element));
  if (!selected.includes(true)) {
    if (op === 'remove') return before;
    const created = elementFromFilter(operation, options.dialect);
    if (created === undefined) {
      throw ScimError.badRequest('noTarget', `no element of "${attribute.name}" matches the path's filter.`);
    }
    if (value === undefined) return before;
    return addElements(before, [created], attribute, options);
  }
  if (op === 'remove' || value === undefined) {
    if (sub === undefined) return before.filter((_, index) => !selected[index]);
    return before.flatMap((element, index) => {
      if (!selected[index]) return [element];
      const rest = withSub(asComplex(element), sub, undefined);
      return isHollow(rest) ? [] : [rest];
    });
  }
  const touched = new Set<JsonValue>();
  const result = before.map((element, index) => {
    if (!selected[index]) return element;
    const changed =
      sub === undefined ? mergeElement(attribute, element, value) : withSub(asComplex(element), sub, value);
    touched.add(changed);
    return changed;
  });
  return settle(attribute, singlePrimary(result, touched), touched, options);
}

function mergeElement(attribute: Attribute, element: JsonValue, value: JsonValue): JsonValue {
  return attribute.type === 'complex' ? { ...asComplex(element), ...asComplex(value) } : value;
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

/** Two new primaries in one operation: the later one wins within a PATCH (requirements GAP-11). */
function singlePrimary(elements: readonly JsonValue[], touched: ReadonlySet<JsonValue>): readonly JsonValue[] {
  const isPrimary = (element: JsonValue): boolean => isObject(element) && element.primary === true;
  const primaries = elements.filter(isPrimary);
  if (primaries.length < 2) return elements;
  const keep = primaries.findLast((element) => touched.has(element)) ?? primaries[0];
  return elements.map((element) => {
    if (element === keep || !isPrimary(element)) return element;
    const demoted = { ...asComplex(element), primary: false };
    if (touched.has(element)) (touched as Set<JsonValue>).add(demoted);
    return demoted;
  });
}

/**
 * Whether two elements are the same value: by `value` alone where sub-attributes are immutable (members), else by
 * `value` and `type` (RFC 7643 §2.4), else as a whole.
 */
export function isSameElement(attribute: Attribute, a: JsonValue, b: JsonValue): boolean {
  if (attribute.type !== 'complex') return sameValue(attribute, a, b);
  const [left, right] = [asComplex(a), asComplex(b)];
  const value = attribute.subAttributes.find((sub) => sub.name === 'value');
  if (value === undefined || left.value === undefined || right.value === undefined) return deepEqual(left, right);
  if (!sameValue(value, left.value, right.value)) return false;
  if (value.mutability === 'immutable') return true;
  const type = attribute.subAttributes.find((sub) => sub.name === 'type');
  return type === undefined || sameValue(type, left.type ?? '', right.type ?? '');
}

/** Whether an element is meant by one of a `remove` list: by `value`, else by all that the list's entry says. */
function isListed(attribute: Attribute, element: JsonValue, item: JsonValue): boolean {
  if (attribute.type !== 'complex') return sameValue(attribute, element, item);
  const [actual, wanted] = [asComplex(element), asComplex(item)];
  const value = attribute.subAttributes.find((sub) => sub.name === 'value');
  if (value !== undefined && wanted.value !== undefined) {
    return actual.value !== undefined && sameValue(value, actual.value, wanted.value);
  }
  return attribute.subAttributes.every((sub) => {
    const wantedSub = wanted[sub.name];
    const actualSub = actual[sub.name];
    return wantedSub === undefined || (actualSub !== undefined && sameValue(sub, actualSub, wantedSub));
  });
}

function sameValue(attribute: Attribute, a: JsonValue, b: JsonValue): boolean {
  const comparison = comparisonOf(attribute);
  const key = keyOf(comparison, a);
  return key !== undefined && key === keyOf(comparison, b);
}

/** An immutable attribute may be given its first value, never another (RFC 7643 §7). */
function checkImmutable(
  { attribute, sub }: PatchOperation,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): void {
  if (attribute.mutability === 'immutable' && before !== undefined && !deepEqual(before, after)) {
    throw ScimError.badRequest('mutability', `"${attribute.path}" cannot be changed once set.`);
  }
  if (sub?.mutability === 'immutable' && !attribute.multiValued) {
    const [old, now] = [asComplex(before)[sub.name], asComplex(after)[sub.name]];
    if (old !== undefined && !deepEqual(old, now)) {
      throw ScimError.badRequest('mutability', `"${sub.path}" cannot be changed once set.`);
    }
  }
}

export function asComplex(value: JsonValue | undefined): ComplexValue {
  return isObject(value) ? (value as ComplexValue) : {};
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
  return Object.keys(element).every((name) => name === 'type' || name === 'primary' || name === '$ref');
}

/** Equality of JSON values; the order of an object's keys and of a list's elements carries no meaning. */
export function deepEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    const rest = [...(b as readonly JsonValue[])];
    return (a as readonly JsonValue[]).every((item) => {
      const index = rest.findIndex((candidate) => deepEqual(item, candidate));
      if (index < 0) return false;
      rest.splice(index, 1);
      return true;
    });
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => deepEqual(a[key] as JsonValue | undefined, b[key] as JsonValue | undefined))
  );
}
