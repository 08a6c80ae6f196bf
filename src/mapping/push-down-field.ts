import {
  type Condition,
  type EntityCapabilities,
  type FieldCapability,
  type FilterOp,
  type Precision,
  parseFlagField,
} from '../backend/adapter.js';
import { assertNever } from '../scim/assert-never.js';
import { type Comparison, comparisonOf, keyOf, keysMatch } from '../scim/comparison.js';
import { allOf, always, anyOf, type CompareValue, never } from '../scim/filter.js';
import type { Attribute } from '../scim/schema.js';
import type { AttributeValue, PushedCondition } from './codec.js';
import { fieldComparison } from './entity-use.js';
import type { AttributePlan, Leaf, MappingPlan } from './plan.js';

/** One condition of a filter on a leaf. */
export interface LeafTest {
  readonly op: FilterOp;
  /** Absent for `pr`. */
  readonly value?: Exclude<CompareValue, null>;
}

export const exact = (condition: Condition): PushedCondition => ({ condition, exact: true });
export const inexact = (condition: Condition): PushedCondition => ({ condition, exact: false });
/** The backend cannot help: everything is read, and the gateway compares. */
export const everything: PushedCondition = inexact(always);
export const nothing: PushedCondition = exact(never);

type Combine = EntityCapabilities['combine'];

export function anyPushed(parts: readonly PushedCondition[], combine: Combine): PushedCondition {
  const condition = anyOf(parts.map((part) => part.condition));
  if (condition.kind === 'or' && condition.operands.length > 1 && !combine.or) return everything;
  return { condition, exact: parts.every((part) => part.exact) };
}

export function allPushed(parts: readonly PushedCondition[], combine: Combine): PushedCondition {
  const condition = allOf(parts.map((part) => part.condition));
  if (condition.kind === 'and' && condition.operands.length > 1 && !combine.and) return everything;
  return { condition, exact: parts.every((part) => part.exact) };
}

/** What the backend says of the field that a leaf is in. */
export function capabilityOf(
  { fields }: EntityCapabilities,
  plan: AttributePlan,
  leaf: Leaf,
): FieldCapability | undefined {
  return plan.kind === 'records' ? fields[plan.field]?.children?.[leaf.field] : fields[leaf.field];
}

/** The attribute's value and the field's are the same text. */
function isPlainText({ codec, reference }: Leaf): boolean {
  return codec.name === 'string' && reference === undefined;
}

/**
 * How attributes are compared, where that is as their backend compares: one answer for each attribute, since a filter
 * is evaluated with it on the resource too. Fields of one attribute that compare differently leave it to the schema.
 */
export function backendComparisons(
  plan: MappingPlan,
  capabilities: EntityCapabilities,
): ReadonlyMap<Attribute, Comparison> {
  const found = new Map<Attribute, Comparison>();
  for (const attributePlan of plan.attributes) {
    if (attributePlan.kind === 'references') continue;
    const leaves =
      'leaf' in attributePlan
        ? [attributePlan.leaf]
        : 'slots' in attributePlan
          ? attributePlan.slots.flatMap((slot) => slot.leaves)
          : attributePlan.leaves;
    for (const leaf of leaves) {
      const own = capabilityOf(capabilities, attributePlan, leaf)?.comparison;
      if (!isPlainText(leaf) || own === undefined || !isTextComparison(own)) continue;
      const other = found.get(leaf.attribute);
      found.set(leaf.attribute, other === undefined || other === own ? own : comparisonOf(leaf.attribute));
    }
  }
  return found;
}

function isTextComparison(comparison: Comparison): boolean {
  return coarseness.has(comparison);
}

/** Text comparisons by how much they take for equal: what one takes for equal, the next ones do too. */
const coarseness = new Map<Comparison, number>([
  ['exact', 0],
  ['asciiFold', 1],
  ['fold', 2],
]);

/**
 * A test of one leaf as a condition on its field, as far as the backend can do it.
 * @param comparison how values of the attribute are compared
 */
export function fieldTest(
  leaf: Leaf,
  { op, value }: LeafTest,
  capability: FieldCapability | undefined,
  comparison: Comparison,
  combine: Combine,
): PushedCondition {
  const pushed = leaf.codec.toCondition(leaf.field, op, value);
  if (pushed === undefined || capability === undefined) return everything;
  const precision = precisionOf(pushed.condition, leaf.field, capability, combine);
  if (precision === undefined) return everything;
  const wanted = isPlainText(leaf) ? comparison : fieldComparison(leaf);
  const agrees = agreementOf(pushed.condition, leaf, wanted, capability.comparison);
  if (agrees === undefined) return everything;
  return { condition: pushed.condition, exact: pushed.exact && agrees === 'exact' && precision === 'exact' };
}

/**
 * Whether the field's backend takes the same texts for equal as we do. One that takes more for equal finds all that is
 * looked for, and more; one that takes less would miss some.
 */
function agreementOf(condition: Condition, leaf: Leaf, wanted: Comparison, own: Comparison): Precision | undefined {
  // Flags, numbers and times kept as text have one usual form, in which letter case tells nothing apart.
  const isText = leaf.codec.fieldType === 'string' && isTextComparison(comparisonOf(leaf.attribute));
  if (!isText || wanted === own || isPresenceOnly(condition)) return 'exact';
  const [ours, theirs] = [coarseness.get(wanted), coarseness.get(own)];
  const isCoarser = ours !== undefined && theirs !== undefined && theirs > ours;
  return isCoarser && isEqualityOnly(condition) ? 'superset' : undefined;
}

function isPresenceOnly(condition: Condition): boolean {
  return (
    condition.kind === 'present' ||
    ((condition.kind === 'and' || condition.kind === 'or') && condition.operands.every(isPresenceOnly))
  );
}

function isEqualityOnly(condition: Condition): boolean {
  switch (condition.kind) {
    case 'present':
      return true;
    case 'compare':
      return condition.op === 'eq';
    case 'and':
    case 'or':
      return condition.operands.every(isEqualityOnly);
    default:
      return false;
  }
}

/** How exactly the backend can do a condition on one field; undefined when it cannot. */
export function precisionOf(
  condition: Condition,
  field: string,
  capability: FieldCapability,
  combine: Combine,
): Precision | undefined {
  switch (condition.kind) {
    case 'compare':
    case 'present': {
      const op = condition.kind === 'present' ? 'pr' : condition.op;
      if (condition.path !== field) {
        return op === 'eq' && parseFlagField(condition.path)?.field === field ? capability.flags : undefined;
      }
      return op === 'ne' ? undefined : capability.operators[op];
    }
    case 'and':
    case 'or': {
      if (condition.operands.length > 1 && !combine[condition.kind]) return undefined;
      const parts = condition.operands.map((operand) => precisionOf(operand, field, capability, combine));
      if (parts.includes(undefined)) return undefined;
      return parts.includes('superset') ? 'superset' : 'exact';
    }
    case 'not': {
      if (!combine.not) return undefined;
      return precisionOf(condition.operand, field, capability, combine) === 'exact' ? 'exact' : undefined;
    }
    case 'valuePath':
      return undefined;
    default:
      return assertNever(condition);
  }
}

/** A plain condition on a field, as far as the backend can do it. */
export function asFarAsPossible(
  condition: Extract<Condition, { kind: 'compare' | 'present' }>,
  capability: FieldCapability | undefined,
  combine: Combine,
): PushedCondition {
  const precision = capability === undefined ? undefined : precisionOf(condition, condition.path, capability, combine);
  return precision === undefined ? everything : { condition, exact: precision === 'exact' };
}

/** Whether a value meets a test: for constants, and for the empty text. */
export function valueMeets({ op, value }: LeafTest, actual: AttributeValue, comparison: Comparison): boolean {
  if (op === 'pr') return actual !== '';
  const [key, wanted] = [keyOf(comparison, actual), keyOf(comparison, value)];
  return key !== undefined && wanted !== undefined && keysMatch(op, key, wanted);
}
