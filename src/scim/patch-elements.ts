import { asComplex } from './attribute-value.js';
import type { Comparison } from './comparison.js';
import { type Attribute, isObject, type JsonValue } from './schema.js';

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
