import type { Condition, EntityCapabilities, Scalar, Sort } from '../backend/adapter.js';
import { assertNever } from '../scim/assert-never.js';
import type { ResolvedFilter, ResolvedPath } from '../scim/attribute-path.js';
import { type Comparison, comparisonOf } from '../scim/comparison.js';
import { allOf, always, isAlways, isNever, never, toNegationNormalForm } from '../scim/filter.js';
import type { Attribute } from '../scim/schema.js';
import { holdsIds, type MappingPlan, type ReferencePlan, referenceOf } from './plan.js';
import { translateLeaf } from './push-down-attribute.js';
import { backendComparisons } from './push-down-field.js';
import { type FilterContext, translateTree } from './push-down-leaf.js';
import { pushSort } from './push-down-sort.js';

/** How an id in a filter is kept in the backend; none: it names nothing here. Not asked where ids are kept as they are. */
export type StoredId = (reference: ReferencePlan, id: string) => readonly Scalar[];

/** A filter split between the backend and the gateway. */
export interface SplitFilter {
  /** Selects at least what the filter selects. An empty `and` selects all, an empty `or` nothing. */
  readonly pushed: Condition;
  /** What is still to be evaluated on each resource; undefined when `pushed` selects exactly. */
  readonly residual: ResolvedFilter | undefined;
}

export interface PushDown {
  /**
   * Splits a filter. `compare` on an unmapped attribute is refused, since an empty list would make an identity provider
   * create duplicates; `absent` treats it as without value (queries over several types).
   * @throws ScimError invalidFilter that names the rule to add
   */
  split(filter: ResolvedFilter, storedId: StoredId, unmapped: 'reject' | 'absent'): SplitFilter;
  /** @returns undefined when the backend cannot sort by it, so that the gateway has to */
  sort(path: ResolvedPath, descending: boolean): Sort | undefined;
  /** How values of the attribute are compared: as the field's backend compares. */
  comparisonFor(leaf: Attribute): Comparison;
}

/** The push-down part of a plan: compiled anew when an adapter's capabilities become known or change. */
export function compilePushDown(plan: MappingPlan, capabilities: EntityCapabilities): PushDown {
  const comparisons = backendComparisons(plan, capabilities);
  const comparisonFor = (leaf: Attribute): Comparison => comparisons.get(leaf) ?? comparisonOf(leaf);
  return {
    split: (filter, storedId, unmapped) =>
      splitFilter(filter, { plan, capabilities, comparisonFor, storedId, unmapped }),
    sort: (path, descending) => pushSort(path, descending, plan, capabilities),
    comparisonFor,
  };
}

function splitFilter(filter: ResolvedFilter, context: FilterContext): SplitFilter {
  const normal = toNegationNormalForm(filter);
  const terms = normal.kind === 'and' ? normal.operands : [normal];
  const parts = terms.map((term) => ({
    term,
    pushed: translateTree(term, (leaf) => translateLeaf(leaf, context), context),
  }));
  const conditions = parts.map(({ pushed }) => pushed.condition);
  const whole = allOf(conditions);
  if (isNever(whole)) return { pushed: never, residual: undefined };
  const useful = conditions.filter((condition) => !isAlways(condition));
  if (useful.length > 1 && !context.capabilities.combine.and) {
    // One of them has to do: the one that is likely to leave least.
    const best = useful.find((condition) => condition.kind === 'compare' && condition.op === 'eq') ?? useful[0];
    return { pushed: best ?? always, residual: normal };
  }
  const residual = parts.filter(({ pushed }) => !pushed.exact).map(({ term }) => term);
  return { pushed: whole, residual: residual.length === 0 ? undefined : allOf(residual) };
}

/** Ids that a filter compares references with, and that are kept in another form: to be looked up before it is split. */
export function referenceIdsIn(
  filter: ResolvedFilter,
  plan: MappingPlan,
): readonly { readonly reference: ReferencePlan; readonly id: string }[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.flatMap((operand) => referenceIdsIn(operand, plan));
    case 'not':
      return referenceIdsIn(filter.operand, plan);
    case 'valuePath':
      return referenceIdsIn(filter.filter, plan);
    case 'present':
      return [];
    case 'compare': {
      const { attribute, sub } = filter.path;
      const attributePlan = sub?.name === 'value' ? plan.byPath.get(attribute.path) : undefined;
      const reference = attributePlan === undefined ? undefined : referenceOf(attributePlan);
      if (reference === undefined || holdsIds(reference) || typeof filter.value !== 'string') return [];
      return [{ reference, id: filter.value }];
    }
    default:
      return assertNever(filter);
  }
}
