import { asComplex, type ComplexValue, deepEqual } from './attribute-value.js';
import { type Comparison, comparisonOf, keyOf } from './comparison.js';
import { type Attribute, isObject, type JsonValue, subAttribute } from './schema.js';

/** How values of an attribute are compared where that is not as the schema says. */
export interface Comparing {
  readonly comparisonFor?: (leaf: Attribute) => Comparison;
}

/**
 * An element that is made primary takes the mark from all others; the later of two new ones wins (requirements GAP-11).
 * @param changed gets the elements that lose the mark
 */
export function singlePrimary(
  elements: readonly JsonValue[],
  claims: ReadonlySet<JsonValue>,
  changed: Set<JsonValue>,
): readonly JsonValue[] {
  const keep = elements.findLast((element) => claims.has(element));
  if (keep === undefined) return elements;
  return elements.map((element) => {
    if (element === keep || !isPrimary(element)) return element;
    const demoted = { ...asComplex(element), primary: false };
    changed.add(demoted);
    return demoted;
  });
}

export function isPrimary(element: JsonValue | undefined): boolean {
  return isObject(element) && element.primary === true;
}

/**
 * Whether two elements are the same value: by `value` alone where it is an id that cannot change (members), else by
 * `value` and `type` (RFC 7643 §2.4), else as a whole.
 */
export function isSameElement(attribute: Attribute, a: JsonValue, b: JsonValue, options: Comparing = {}): boolean {
  if (attribute.type !== 'complex') return sameValue(attribute, a, b, options);
  const [left, right] = [asComplex(a), asComplex(b)];
  const value = subAttribute(attribute, 'value');
  if (value === undefined || left.value === undefined || right.value === undefined)
    return haveSameParts(attribute, left, right, options);
  if (!sameValue(value, left.value, right.value, options)) return false;
  if (value.mutability === 'immutable') return true;
  const type = subAttribute(attribute, 'type');
  return type === undefined || sameValue(type, left.type ?? '', right.type ?? '', options);
}

function haveSameParts(attribute: Attribute, a: ComplexValue, b: ComplexValue, options: Comparing): boolean {
  return attribute.subAttributes.every((sub) => {
    const [left, right] = [a[sub.name], b[sub.name]];
    if (left === undefined || right === undefined) return left === right;
    return sub.multiValued ? deepEqual(left, right) : sameValue(sub, left, right, options);
  });
}

/** Whether an element is meant by one of a `remove` list: by `value`, else by all that the list's entry says. */
export function isListed(attribute: Attribute, element: JsonValue, item: JsonValue, options: Comparing): boolean {
  if (attribute.type !== 'complex') return sameValue(attribute, element, item, options);
  const [actual, wanted] = [asComplex(element), asComplex(item)];
  const value = subAttribute(attribute, 'value');
  if (value !== undefined && wanted.value !== undefined) {
    return actual.value !== undefined && sameValue(value, actual.value, wanted.value, options);
  }
  return attribute.subAttributes.every((sub) => {
    const wantedSub = wanted[sub.name];
    const actualSub = actual[sub.name];
    return wantedSub === undefined || (actualSub !== undefined && sameValue(sub, actualSub, wantedSub, options));
  });
}

function sameValue(
  attribute: Attribute,
  a: JsonValue,
  b: JsonValue,
  { comparisonFor = comparisonOf }: Comparing,
): boolean {
  const comparison = comparisonFor(attribute);
  const key = keyOf(comparison, a);
  return key !== undefined && key === keyOf(comparison, b);
}
