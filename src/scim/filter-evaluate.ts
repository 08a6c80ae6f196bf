import { leafOf, type ResolvedFilter, type ResolvedPath } from './attribute-path.js';
import { type Comparison, comparisonOf } from './comparison.js';
import { compilePredicate, type Places, type Predicate, some } from './filter-predicate.js';
import { type Attribute, isObject, type JsonValue, type Resource } from './schema.js';

/**
 * The filter as a function over resources (canonical names, extension attributes under their URN). `ne` holds when no
 * value is equal, also when there is none; a multi-valued attribute matches when any value does; a value path when one
 * and the same element does.
 * @param comparisonFor how values of an attribute are compared where that is not as the schema says
 * @see RFC 7644 §3.4.2.2
 */
export function compileFilter(
  filter: ResolvedFilter,
  comparisonFor: (leaf: Attribute) => Comparison = comparisonOf,
): Predicate<Resource> {
  return compilePredicate(filter, resourcePlaces(comparisonFor));
}

/** Whether one resource matches. For many resources `compileFilter` is faster. */
export function evaluateFilter(
  filter: ResolvedFilter,
  resource: Resource,
  comparisonFor?: (leaf: Attribute) => Comparison,
): boolean {
  return compileFilter(filter, comparisonFor)(resource);
}

/** A filter that stood in brackets after `attribute`, as a function over that attribute's elements. */
export function compileElementFilter(
  filter: ResolvedFilter,
  comparisonFor: (leaf: Attribute) => Comparison = comparisonOf,
): Predicate<JsonValue> {
  return compilePredicate(filter, elementPlaces(comparisonFor));
}

/** Whether one element of an attribute matches a filter of `resolveElementFilter`. */
export function evaluateElement(
  filter: ResolvedFilter,
  _attribute: Attribute,
  element: JsonValue,
  comparisonFor?: (leaf: Attribute) => Comparison,
): boolean {
  return compileElementFilter(filter, comparisonFor)(element);
}

function resourcePlaces(comparisonFor: (leaf: Attribute) => Comparison): Places<ResolvedPath, Resource> {
  return {
    anyValue({ attribute, sub }, holds) {
      const read = reader(attribute);
      const holdsInElement = sub === undefined ? holds : memberHolds(sub.name, holds);
      return (resource) => some(read(resource), holdsInElement);
    },
    anyElement({ attribute }, filter) {
      const read = reader(attribute);
      const inElement: Predicate<unknown> = compilePredicate(filter, elementPlaces(comparisonFor));
      return (resource) => some(read(resource), inElement);
    },
    comparison: (path) => comparisonFor(leafOf(path)),
  };
}

/** Paths inside brackets: a sub-attribute of the element, or without one the element itself. */
function elementPlaces(comparisonFor: (leaf: Attribute) => Comparison): Places<ResolvedPath, unknown> {
  return {
    anyValue({ sub }, holds) {
      return sub === undefined ? (element) => some(element, holds) : memberHolds(sub.name, holds);
    },
    anyElement: () => () => false, // the grammar has no value path inside another
    comparison: (path) => comparisonFor(leafOf(path)),
  };
}

function reader(attribute: Attribute): (resource: Resource) => unknown {
  const { name, schema } = attribute;
  if (!attribute.inExtension || schema === undefined) return (resource) => resource[name];
  return (resource) => {
    const extension = resource[schema];
    return isObject(extension) ? extension[name] : undefined;
  };
}

function memberHolds(name: string, holds: Predicate<unknown>): Predicate<unknown> {
  return (element) => isObject(element) && some(element[name], holds);
}
