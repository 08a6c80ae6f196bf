import { assertNever } from './assert-never.js';
import { type Comparison, type ComparisonKey, keyOf, keysMatch } from './comparison.js';
import type { CompareOp, CompareValue, Filter } from './filter.js';

/** Whether a resource, an element, a record meets a filter. */
export type Predicate<Subject> = (subject: Subject) => boolean;

/**
 * Where the paths of a filter lead in a subject: all that differs between resources and backend records. The logic
 * itself is here once, so that a filter means the same on both sides of the gateway.
 */
export interface Places<P, Subject> {
  /** Holds when any value at the path does (RFC 7644 §3.4.2.2 on multi-valued attributes); a missing or null one never. */
  anyValue(path: P, holds: Predicate<unknown>): Predicate<Subject>;
  /** Holds when any one element at the path meets the filter, whose paths start at the element. */
  anyElement(path: P, filter: Filter<P>): Predicate<Subject>;
  comparison(path: P): Comparison;
}

/** Compiles a filter once; literals are prepared here and not per subject. */
export function compilePredicate<P, Subject>(filter: Filter<P>, places: Places<P, Subject>): Predicate<Subject> {
  switch (filter.kind) {
    case 'compare': {
      // GAP-02: `eq null` means that there is no value. GAP-01: `ne` is the negation of `eq` over all values.
      const matches =
        filter.value === null && (filter.op === 'eq' || filter.op === 'ne')
          ? not(places.anyValue(filter.path, isPresent))
          : places.anyValue(filter.path, matcher(filter.op, filter.value, places.comparison(filter.path)));
      return filter.op === 'ne' ? not(matches) : matches;
    }
    case 'present':
      return places.anyValue(filter.path, isPresent);
    case 'and': {
      const operands = filter.operands.map((operand) => compilePredicate(operand, places));
      return (subject) => operands.every((operand) => operand(subject));
    }
    case 'or': {
      const operands = filter.operands.map((operand) => compilePredicate(operand, places));
      return (subject) => operands.some((operand) => operand(subject));
    }
    case 'not':
      return not(compilePredicate(filter.operand, places));
    case 'valuePath':
      return places.anyElement(filter.path, filter.filter);
    default:
      return assertNever(filter);
  }
}

function not<Subject>(predicate: Predicate<Subject>): Predicate<Subject> {
  return (subject) => !predicate(subject);
}

function nothing(): boolean {
  return false;
}

/** `ne` gives the test of `eq`. A literal of another kind than the comparison's matches nothing (GAP-03). */
function matcher(op: CompareOp, literal: CompareValue, comparison: Comparison): Predicate<unknown> {
  const wanted: ComparisonKey | undefined = keyOf(comparison, literal);
  if (wanted === undefined) return nothing;
  if (op === 'eq' || op === 'ne') return (value) => keyOf(comparison, value) === wanted;
  return (value) => {
    const actual = keyOf(comparison, value);
    return actual !== undefined && keysMatch(op, actual, wanted);
  };
}

/**
 * `pr` of one value: an empty text, null, an empty list and an object whose sub-attributes are all empty count as absent.
 * @see RFC 7643 §2.5, RFC 7644 Table 3
 */
export function isPresent(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value !== '';
    case 'number':
    case 'bigint':
    case 'boolean':
      return true;
    case 'object':
      if (value === null) return false;
      if (value instanceof Uint8Array) return value.length > 0;
      return (Array.isArray(value) ? value : Object.values(value)).some(isPresent);
    default:
      return false;
  }
}

/** Whether any of the values holds: of a list, its items; of a single value, it; of none, no. */
export function some(value: unknown, holds: Predicate<unknown>): boolean {
  if (value === undefined || value === null) return false;
  return Array.isArray(value) ? value.some((item) => item !== null && holds(item)) : holds(value);
}
