import type { Change, Scalar } from '../backend/adapter.js';
import type { ResolvedFilter } from '../scim/attribute-path.js';
import { type ComparisonKey, comparisonOf, keyOf } from '../scim/comparison.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { AttributeValue } from './codec.js';
import { setLeaf } from './patch-plan.js';
import type { Leaf, SimplePlan } from './plan.js';
import type { WriteContext } from './write.js';

/** What operations on a list of plain values come to. Later words on a value replace earlier ones. */
interface ListChange {
  /** The list as a whole: `added` is all of it. */
  isWhole: boolean;
  readonly added: Map<ComparisonKey, AttributeValue>;
  readonly removed: Map<ComparisonKey, AttributeValue>;
}

/**
 * A list of plain values: the whole list, or values added and removed one by one.
 * @returns undefined when an operation depends on the present values
 */
export function planList(
  plan: SimplePlan,
  operations: readonly PatchOperation[],
  context: WriteContext,
): readonly Change[] | undefined {
  const { leaf } = plan;
  const change = foldList(leaf, operations);
  if (change === undefined) return undefined;
  const added = [...change.added.values()];
  if (change.isWhole) return setLeaf(leaf, added, context);
  const removed = [...change.removed.values()];
  // A value that may be kept in several forms has to be seen, and a required list must not run empty unseen.
  if (removed.length > 0 && (leaf.codec.name !== leaf.codec.fieldType || leaf.required || leaf.attribute.required))
    return undefined;
  const changes = [encodedChange(leaf, 'remove', removed), encodedChange(leaf, 'add', added)];
  return changes.includes(undefined) ? undefined : changes.flatMap((each) => each ?? []);
}

/** One change for the values; undefined when the codec packs many into one, so that it has to see them all. */
function encodedChange(
  leaf: Leaf,
  op: 'add' | 'remove',
  values: readonly AttributeValue[],
): readonly Change[] | undefined {
  if (values.length === 0) return [];
  if (!leaf.multiple) return undefined;
  const encoded: Scalar[] = [];
  for (const value of values) {
    const own = leaf.codec.encode([value], []);
    if (own.length !== 1) return undefined;
    encoded.push(...own);
  }
  return [{ op, field: leaf.field, values: encoded }];
}

function foldList(leaf: Leaf, operations: readonly PatchOperation[]): ListChange | undefined {
  const change: ListChange = { isWhole: false, added: new Map(), removed: new Map() };
  const comparison = comparisonOf(leaf.attribute);
  for (const { op, filter, value, listed } of operations) {
    const values = value === undefined ? [] : (value as readonly AttributeValue[]);
    const gone = filter === undefined ? listed : equalTo(filter);
    if (filter !== undefined && (op !== 'remove' || gone === undefined)) return undefined;
    if (op === 'remove' && gone !== undefined) {
      for (const item of gone as readonly AttributeValue[]) {
        const key = keyOf(comparison, item);
        if (key === undefined) continue;
        change.added.delete(key);
        if (!change.isWhole) change.removed.set(key, item);
      }
      continue;
    }
    if (op !== 'add') {
      change.isWhole = true;
      change.added.clear();
      change.removed.clear();
    }
    for (const item of values) {
      const key = keyOf(comparison, item);
      if (key === undefined) return undefined;
      if (!change.added.has(key)) change.added.set(key, item);
    }
  }
  return change;
}

/** The values of `[value eq "a"]`, or of several joined by `or`. */
function equalTo(filter: ResolvedFilter): readonly AttributeValue[] | undefined {
  const terms = filter.kind === 'or' ? filter.operands : [filter];
  const values: AttributeValue[] = [];
  for (const term of terms) {
    if (term.kind !== 'compare' || term.op !== 'eq' || term.value === null) return undefined;
    values.push(term.value);
  }
  return values;
}
