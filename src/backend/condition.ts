import type { Comparison } from '../scim/comparison.js';
import type { Filter } from '../scim/filter.js';
import { compilePredicate, type Places, type Predicate, some } from '../scim/filter-predicate.js';
import type { BackendRecord, ChildRecord, Condition } from './adapter.js';

/**
 * A condition as a function over records: what `exact` in an adapter's capabilities promises, operator by operator.
 * A field matches when any of its values does, `not` is the plain negation (also of a field without a value), `present`
 * needs a value that is not an empty text, and a `valuePath` one child record that meets the whole inner condition.
 * Bytes compare as their base64 text.
 * @param comparisonFor how a field is compared; `child` is set for a field of its child records
 */
export function compileCondition(
  condition: Condition,
  comparisonFor: (field: string, child?: string) => Comparison,
): (record: BackendRecord) => boolean {
  const places: Places<string, BackendRecord> = {
    anyValue: (field, holds) => valueHolds(field, holds),
    anyElement: (field, inner) => {
      const meets: Predicate<ChildRecord> = compileInChild(inner, (child) => comparisonFor(field, child));
      return (record) => some(record[field], (value) => isChild(value) && meets(value));
    },
    comparison: (field) => comparisonFor(field),
  };
  return compilePredicate(condition, places);
}

/** A condition over the fields of one child record, as in a `valuePath`, `updateWhere` or `removeWhere`. */
export function compileChildCondition(
  condition: Condition,
  comparisonFor: (child: string) => Comparison,
): (child: ChildRecord) => boolean {
  return compileInChild(condition, comparisonFor);
}

function compileInChild(filter: Filter<string>, comparisonFor: (child: string) => Comparison): Predicate<ChildRecord> {
  return compilePredicate(filter, {
    anyValue: (field, holds) => valueHolds(field, holds),
    anyElement: () => () => false, // child records have no children
    comparison: comparisonFor,
  });
}

function valueHolds(field: string, holds: Predicate<unknown>): Predicate<Readonly<Record<string, unknown>>> {
  const holdsComparable: Predicate<unknown> = (value) => holds(value instanceof Uint8Array ? base64(value) : value);
  return (record) => some(record[field], holdsComparable);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function isChild(value: unknown): value is ChildRecord {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}
