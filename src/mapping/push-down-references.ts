import type { Condition, FieldCapability, Scalar } from '../backend/adapter.js';
import type { ResolvedFilter } from '../scim/attribute-path.js';
import { isAlways, isNever } from '../scim/filter.js';
import type { PushedCondition } from './codec.js';
import { holdsIds, type Leaf, leafFor, type RecordsPlan, type ReferencePlan, type ReferencesPlan } from './plan.js';
import { anyPushed, asFarAsPossible, everything, fieldTest, inexact, nothing } from './push-down-field.js';
import { type FilterContext, isValueSub, type LeafFilter, testOf, translateTree, unmapped } from './push-down-leaf.js';

/** A condition on child records, each about one and the same child. */
export function translateRecords(filter: LeafFilter, plan: RecordsPlan, context: FilterContext): PushedCondition {
  const { combine, fields } = context.capabilities;
  const capability = fields[plan.field];
  const presence = (): PushedCondition => asFarAsPossible({ kind: 'present', path: plan.field }, capability, combine);
  if (filter.kind === 'present' && filter.path.sub === undefined) return shown(presence(), plan.reference);
  const children = capability?.children ?? {};
  const inner = translateTree(
    filter.kind === 'valuePath' ? filter.filter : filter,
    (part) => onChild(part, plan, children, context),
    context,
  );
  if (isNever(inner.condition)) return inner.exact ? nothing : everything;
  // A child whose texts are all empty is an element, and yet the field is not present.
  if (isAlways(inner.condition)) return everything;
  return { condition: { kind: 'valuePath', path: plan.field, filter: inner.condition }, exact: inner.exact };
}

function onChild(
  filter: LeafFilter,
  plan: RecordsPlan,
  children: Readonly<Record<string, FieldCapability>>,
  context: FilterContext,
): PushedCondition {
  const { sub } = filter.path;
  const test = testOf(filter);
  if (test === undefined || sub === undefined) return everything;
  const leaf = leafFor(plan.leaves, sub);
  if (leaf === undefined) return plan.reference === undefined ? unmapped(filter, context) : everything;
  const { combine } = context.capabilities;
  const capability = children[leaf.field];
  if (leaf.reference !== undefined) return onReference(filter, leaf.field, leaf.reference, capability, context);
  // The type beside a reference may be missing in the store and known only by a look-up.
  if (plan.reference !== undefined) return everything;
  return fieldTest(leaf, test, capability, context.comparisonFor(leaf.attribute), combine);
}

/** A condition on a list of plain references. */
export function translateReferences(filter: LeafFilter, plan: ReferencesPlan, context: FilterContext): PushedCondition {
  const { field, reference, attribute } = plan;
  const capability = context.capabilities.fields[field];
  if (filter.kind !== 'valuePath') {
    const { sub } = filter.path;
    return sub === undefined || isValueSub(attribute, sub)
      ? onReference(filter, field, reference, capability, context)
      : everything;
  }
  const inner = translateTree(
    filter.filter,
    (part) =>
      isValueSub(attribute, part.path.sub) ? onReference(part, field, reference, capability, context) : everything,
    context,
  );
  // One value meets one test; two tests might be met by different values, and "not" by any other value.
  return isOneTest(filter.filter) ? inner : isPositive(filter.filter) ? inexact(inner.condition) : everything;
}

function isOneTest(filter: ResolvedFilter): boolean {
  if (filter.kind === 'or') return filter.operands.every(isOneTest);
  return filter.kind === 'compare' || filter.kind === 'present';
}

function isPositive(filter: ResolvedFilter): boolean {
  if (filter.kind === 'not') return false;
  return filter.kind === 'and' || filter.kind === 'or' ? filter.operands.every(isPositive) : true;
}

/** A condition on a single reference: `manager.value eq "…"`. */
export function translateReference(
  filter: LeafFilter,
  leaf: Leaf,
  reference: ReferencePlan,
  context: FilterContext,
): PushedCondition {
  return onReference(filter, leaf.field, reference, context.capabilities.fields[leaf.field], context);
}

function onReference(
  filter: LeafFilter,
  field: string,
  reference: ReferencePlan,
  capability: FieldCapability | undefined,
  context: FilterContext,
): PushedCondition {
  const { combine } = context.capabilities;
  if (filter.kind === 'present')
    return shown(asFarAsPossible({ kind: 'present', path: field }, capability, combine), reference);
  if (filter.kind !== 'compare' || filter.op !== 'eq' || typeof filter.value !== 'string') return everything;
  const stored = holdsIds(reference) ? [filter.value] : context.storedId(reference, filter.value);
  if (stored.length === 0) return nothing;
  const found = anyPushed(
    stored.map((value) => asFarAsPossible(equalTo(field, value), capability, combine)),
    combine,
  );
  // Ids compare exactly; a backend that compares otherwise may find more.
  return holdsIds(reference) && capability?.comparison !== 'exact' ? inexact(found.condition) : found;
}

function equalTo(field: string, value: Scalar): Extract<Condition, { kind: 'compare' }> {
  const literal = typeof value === 'bigint' ? value.toString() : value instanceof Uint8Array ? base64(value) : value;
  return { kind: 'compare', path: field, op: 'eq', value: literal };
}

/** Bytes are their base64 text in conditions. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A stored value that names nothing here is not shown, unless the values are ids. */
function shown(presence: PushedCondition, reference: ReferencePlan | undefined): PushedCondition {
  return reference === undefined || holdsIds(reference) ? presence : inexact(presence.condition);
}
