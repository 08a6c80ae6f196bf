import type {
  Condition,
  EntityCapabilities,
  FieldCapability,
  FilterOp,
  Precision,
  Scalar,
  Sort,
} from '../backend/adapter.js';
import { assertNever } from '../scim/assert-never.js';
import { leafOf, type ResolvedFilter, type ResolvedPath } from '../scim/attribute-path.js';
import { type Comparison, comparisonOf, keyOf, keysMatch } from '../scim/comparison.js';
import { ScimError } from '../scim/error.js';
import {
  allOf,
  always,
  anyOf,
  type Filter,
  isAlways,
  isNever,
  negate,
  never,
  toNegationNormalForm,
} from '../scim/filter.js';
import type { Attribute } from '../scim/schema.js';
import type { AttributeValue, PushedCondition } from './codec.js';
import {
  type AttributePlan,
  fieldsOf,
  type Leaf,
  leafFor,
  leavesOf,
  type MappingPlan,
  type RecordsPlan,
  type ReferencePlan,
  type Slot,
} from './plan.js';
import { foldOverSlot } from './slots.js';

/** How ids in a filter are kept in the backend; undefined: the id names nothing here. */
export type StoredId = (reference: ReferencePlan, id: string) => readonly Scalar[];

/** A filter split between the backend and the gateway. */
export interface SplitFilter {
  /** Selects at least what the filter selects. An empty `and` selects all, an empty `or` nothing. */
  readonly pushed: Condition;
  /** What is still to be evaluated on each resource; undefined when `pushed` selects exactly. */
  readonly residual: ResolvedFilter | undefined;
}

const inexact = (condition: Condition): PushedCondition => ({ condition, exact: false });
const exact = (condition: Condition): PushedCondition => ({ condition, exact: true });
const everything: PushedCondition = { condition: always, exact: false };

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
  const comparisons = new Map<Attribute, Comparison>();
  for (const attributePlan of plan.attributes) {
    for (const leaf of leavesOf(attributePlan)) {
      const capability = capabilityOf(capabilities, attributePlan, leaf);
      const own = comparisonOf(leaf.attribute);
      const isText = own === 'fold' || own === 'exact';
      if (capability !== undefined && isText && leaf.codec.fieldType === 'string') {
        comparisons.set(leaf.attribute, capability.comparison);
      }
    }
  }
  const context: SplitContext = { plan, capabilities };
  return {
    split: (filter, storedId, unmapped) => splitFilter(filter, { ...context, storedId, unmapped }),
    sort: (path, descending) => pushSort(path, descending, context),
    comparisonFor: (leaf) => comparisons.get(leaf) ?? comparisonOf(leaf),
  };
}

interface SplitContext {
  readonly plan: MappingPlan;
  readonly capabilities: EntityCapabilities;
}

interface FilterContext extends SplitContext {
  readonly storedId: StoredId;
  readonly unmapped: 'reject' | 'absent';
}

function capabilityOf(capabilities: EntityCapabilities, plan: AttributePlan, leaf: Leaf): FieldCapability | undefined {
  return plan.kind === 'records'
    ? capabilities.fields[plan.field]?.children?.[leaf.field]
    : capabilities.fields[leaf.field];
}

function splitFilter(filter: ResolvedFilter, context: FilterContext): SplitFilter {
  const normal = toNegationNormalForm(filter);
  const terms = normal.kind === 'and' ? normal.operands : [normal];
  const pushed: Condition[] = [];
  const residual: ResolvedFilter[] = [];
  for (const term of terms) {
    const { condition, exact: isExact } = translate(term, context);
    pushed.push(condition);
    if (!isExact) residual.push(term);
  }
  const whole = allOf(pushed);
  const combined =
    pushed.length > 1 && !context.capabilities.combine.and
      ? (pushed.find((condition) => !isAlways(condition)) ?? always)
      : whole;
  if (isNever(whole)) return { pushed: never, residual: undefined };
  const isReduced = combined !== whole && !isAlways(whole);
  return { pushed: combined, residual: isReduced ? normal : residual.length === 0 ? undefined : allOf(residual) };
}

/** A term in negation normal form as a condition that selects at least as much. */
function translate(filter: ResolvedFilter, context: FilterContext): PushedCondition {
  switch (filter.kind) {
    case 'and': {
      const parts = filter.operands.map((operand) => translate(operand, context));
      if (parts.length > 1 && !context.capabilities.combine.and) return everything;
      return { condition: allOf(parts.map((part) => part.condition)), exact: parts.every((part) => part.exact) };
    }
    case 'or': {
      const parts = filter.operands.map((operand) => translate(operand, context));
      if (parts.length > 1 && !context.capabilities.combine.or) return everything;
      return { condition: anyOf(parts.map((part) => part.condition)), exact: parts.every((part) => part.exact) };
    }
    case 'not': {
      const inner = translate(filter.operand, context);
      if (!inner.exact) return everything;
      const negated = negate(inner.condition);
      const isFree = isAlways(negated) || isNever(negated) || negated.kind !== 'not';
      return isFree || context.capabilities.combine.not ? exact(negated) : everything;
    }
    case 'compare':
    case 'present':
    case 'valuePath':
      return translateLeaf(filter, context);
    default:
      return assertNever(filter);
  }
}

type LeafFilter = Extract<ResolvedFilter, { kind: 'compare' | 'present' | 'valuePath' }>;

function translateLeaf(filter: LeafFilter, context: FilterContext): PushedCondition {
  const { attribute } = filter.path;
  const own = translateCommon(filter, context);
  if (own !== undefined) return own;
  const constant = context.plan.constants.find((candidate) => candidate.attribute === attribute);
  if (constant !== undefined) return exact(matchesConstant(filter, constant.value) ? always : never);
  const plan = context.plan.byPath.get(attribute.path);
  if (plan === undefined || !isReadable(plan)) return unmapped(filter, context);
  switch (plan.kind) {
    case 'simple':
      return translateOnLeaf(filter, plan.leaf, context, context.capabilities.fields[plan.leaf.field]);
    case 'complex':
      return translateComplex(filter, plan, context);
    case 'slots':
      return anyPushed(
        plan.slots.map((slot) => translateOnSlot(filter, slot, context)),
        context,
      );
    case 'records':
      return translateRecords(filter, plan, context);
    case 'references':
      return translateReferences(filter, plan.field, plan.reference, context);
  }
}

function isReadable(plan: AttributePlan): boolean {
  return fieldsOf(plan).length > 0 || (plan.kind === 'complex' && plan.constants.length > 0);
}

function unmapped(filter: LeafFilter, { plan, unmapped: mode }: FilterContext): PushedCondition {
  const path = leafOf(filter.path).path;
  if (mode === 'absent') return exact(never);
  throw ScimError.badRequest(
    'invalidFilter',
    `"${path}" is not mapped for ${plan.type.name}, so it cannot be filtered by. Add a rule for it to the mapping: "${path}: <field>".`,
  );
}

/** `id`, `meta` and `schemas` are made by the gateway. */
function translateCommon(filter: LeafFilter, context: FilterContext): PushedCondition | undefined {
  const { attribute, sub } = filter.path;
  if (attribute.path === 'id') return onField(filter, '$id', 'string', context);
  if (attribute.path === 'schemas') return translateSchemas(filter, context);
  if (attribute.path !== 'meta') return undefined;
  switch (sub?.name) {
    case 'resourceType':
      return exact(matchesConstant(filter, context.plan.type.name) ? always : never);
    case 'created':
      return onField(filter, '$created', 'instant', context);
    case 'lastModified':
      return onField(filter, '$modified', 'instant', context);
    case undefined:
      return filter.kind === 'present' ? exact(always) : everything;
    default:
      return everything;
  }
}

function matchesConstant(filter: LeafFilter, value: AttributeValue): boolean {
  if (filter.kind === 'present') return value !== '';
  if (filter.kind !== 'compare' || filter.op === 'ne' || filter.value === null) return false;
  const comparison = comparisonOf(leafOf(filter.path));
  const [actual, wanted] = [keyOf(comparison, value), keyOf(comparison, filter.value)];
  return actual !== undefined && wanted !== undefined && keysMatch(filter.op, actual, wanted);
}

function onField(filter: LeafFilter, field: string, _type: string, { capabilities }: FilterContext): PushedCondition {
  if (filter.kind === 'present') return exact(always);
  const capability = capabilities.fields[field];
  if (filter.kind !== 'compare' || filter.op === 'ne' || filter.value === null || capability === undefined)
    return everything;
  return restrict(
    exact({ kind: 'compare', path: field, op: filter.op, value: filter.value }),
    (name) => (name === field ? capability : undefined),
    capabilities,
  );
}

/** `schemas eq "urn:…enterprise…"`: some attribute of the extension has a value. */
function translateSchemas(filter: LeafFilter, context: FilterContext): PushedCondition {
  if (filter.kind === 'present') return exact(always);
  if (filter.kind !== 'compare' || filter.op !== 'eq' || typeof filter.value !== 'string') return everything;
  const schema = context.plan.type.schemaByUri(filter.value);
  if (schema === undefined || schema.id !== filter.value) return exact(never);
  if (schema === context.plan.type.schema) return exact(always);
  const parts = context.plan.attributes.flatMap((plan) =>
    plan.attribute.schema === schema.id && isReadable(plan)
      ? [translateLeaf({ kind: 'present', path: { attribute: plan.attribute, sub: undefined } }, context)]
      : [],
  );
  return anyPushed(parts, context);
}

function anyPushed(parts: readonly PushedCondition[], { capabilities }: FilterContext): PushedCondition {
  const condition = anyOf(parts.map((part) => part.condition));
  if (condition.kind === 'or' && condition.operands.length > 1 && !capabilities.combine.or) return everything;
  return { condition, exact: parts.every((part) => part.exact) };
}

function allPushed(parts: readonly PushedCondition[], { capabilities }: FilterContext): PushedCondition {
  const condition = allOf(parts.map((part) => part.condition));
  if (condition.kind === 'and' && condition.operands.length > 1 && !capabilities.combine.and) return everything;
  return { condition, exact: parts.every((part) => part.exact) };
}

/** A comparison on one rule's field. */
function translateOnLeaf(
  filter: LeafFilter,
  leaf: Leaf,
  context: FilterContext,
  capability: FieldCapability | undefined,
): PushedCondition {
  if (filter.kind === 'valuePath' || !leaf.read) return everything;
  if (leaf.reference !== undefined) return translateReferences(filter, leaf.field, leaf.reference, context);
  const pushed = onLeafField(filter, leaf);
  if (pushed === undefined) return everything;
  const restricted = restrict(pushed, (name) => (name === leaf.field ? capability : undefined), context.capabilities);
  if (leaf.fallback === undefined) return restricted;
  // Without a value in the field the template decides, which only the resource shows.
  const absent: Condition = { kind: 'not', operand: { kind: 'present', path: leaf.field } };
  const isPushable =
    capability?.operators.pr === 'exact' && context.capabilities.combine.not && context.capabilities.combine.or;
  return isPushable ? inexact(anyOf([restricted.condition, absent])) : everything;
}

function onLeafField(
  filter: Extract<LeafFilter, { kind: 'compare' | 'present' }>,
  leaf: Leaf,
): PushedCondition | undefined {
  if (filter.kind === 'present') return leaf.codec.toCondition(leaf.field, 'pr', undefined);
  if (filter.op === 'ne' || filter.value === null) return undefined;
  return leaf.codec.toCondition(leaf.field, filter.op, filter.value);
}

/** Weakens what a codec asks for to what the backend can do. */
function restrict(
  pushed: PushedCondition,
  capabilityFor: (field: string) => FieldCapability | undefined,
  capabilities: EntityCapabilities,
): PushedCondition {
  const precision = precisionOf(pushed.condition, capabilityFor, capabilities);
  if (precision === undefined) return everything;
  return precision === 'exact' ? pushed : inexact(pushed.condition);
}

function precisionOf(
  condition: Condition,
  capabilityFor: (field: string) => FieldCapability | undefined,
  capabilities: EntityCapabilities,
): Precision | undefined {
  switch (condition.kind) {
    case 'compare':
    case 'present': {
      const op: FilterOp = condition.kind === 'present' ? 'pr' : (condition.op as FilterOp);
      return capabilityFor(condition.path)?.operators[op];
    }
    case 'and':
    case 'or': {
      if (condition.operands.length > 1 && !capabilities.combine[condition.kind]) return undefined;
      const parts = condition.operands.map((operand) => precisionOf(operand, capabilityFor, capabilities));
      if (parts.includes(undefined)) return undefined;
      return parts.includes('superset') ? 'superset' : 'exact';
    }
    case 'not': {
      if (!capabilities.combine.not) return undefined;
      return precisionOf(condition.operand, capabilityFor, capabilities) === 'exact' ? 'exact' : undefined;
    }
    case 'valuePath':
      return undefined;
    default:
      return assertNever(condition);
  }
}

function translateComplex(
  filter: LeafFilter,
  plan: Extract<AttributePlan, { kind: 'complex' }>,
  context: FilterContext,
): PushedCondition {
  const presence = (): PushedCondition =>
    anyPushed(
      plan.leaves.flatMap((leaf) =>
        leaf.read
          ? [
              translateOnLeaf(
                { kind: 'present', path: { attribute: plan.attribute, sub: leaf.attribute } },
                leaf,
                context,
                context.capabilities.fields[leaf.field],
              ),
            ]
          : [],
      ),
      context,
    );
  if (filter.kind === 'valuePath') {
    const inner = translateInside(filter.filter, (part) => translateComplex(part, plan, context), context);
    return allPushed([inner, presence()], context);
  }
  const { sub } = filter.path;
  if (sub === undefined) return filter.kind === 'present' ? presence() : everything;
  const leaf = leafFor(plan.leaves, sub);
  if (leaf?.read) return translateOnLeaf(filter, leaf, context, context.capabilities.fields[leaf.field]);
  const constant = plan.constants.find((candidate) => candidate.attribute === sub);
  if (constant !== undefined) return matchesConstant(filter, constant.value) ? presence() : exact(never);
  // Computed parts of a reference ($ref, displayName) are known only on the resource.
  return plan.leaves.some((candidate) => candidate.reference !== undefined) ? everything : unmapped(filter, context);
}

/** The inner filter of a value path on one element, in negation normal form, through a translation of its leaves. */
function translateInside(
  filter: ResolvedFilter,
  leaf: (filter: LeafFilter) => PushedCondition,
  context: FilterContext,
): PushedCondition {
  switch (filter.kind) {
    case 'and':
      return allPushed(
        filter.operands.map((operand) => translateInside(operand, leaf, context)),
        context,
      );
    case 'or':
      return anyPushed(
        filter.operands.map((operand) => translateInside(operand, leaf, context)),
        context,
      );
    case 'not': {
      const inner = translateInside(filter.operand, leaf, context);
      return inner.exact && context.capabilities.combine.not ? exact(negate(inner.condition)) : everything;
    }
    default:
      return leaf(filter);
  }
}

/** The slot's element as it would meet the filter: constants are folded away, the rest is about its fields. */
function translateOnSlot(filter: LeafFilter, slot: Slot, context: FilterContext): PushedCondition {
  const presence = slotPresence(slot, context);
  if (filter.kind === 'present' && filter.path.sub === undefined) return presence;
  if (filter.kind !== 'valuePath') {
    const onElement = slotLeaf(filter, slot, context);
    return isAlways(onElement.condition)
      ? { condition: presence.condition, exact: presence.exact && onElement.exact }
      : onElement;
  }
  const folded = foldOverSlot(filter.filter, slot);
  if (folded === false) return exact(never);
  if (folded === true) return presence;
  const inner = translateInside(filter.filter, (part) => slotLeaf(part, slot, context), context);
  const whole = allPushed([inner, presence], context);
  // Conditions on a many-valued field may be met by different values; on one value they are about the same.
  if (!slot.multiple || countLeaves(filter.filter) === 1)
    return isPositive(filter.filter) || !slot.multiple ? whole : inexact(presence.condition);
  return isPositive(filter.filter) ? inexact(whole.condition) : inexact(presence.condition);
}

function slotPresence(slot: Slot, context: FilterContext): PushedCondition {
  return anyPushed(
    slot.leaves.flatMap((leaf) =>
      leaf.read
        ? [
            translateOnLeaf(
              { kind: 'present', path: { attribute: leaf.attribute, sub: undefined } },
              leaf,
              context,
              context.capabilities.fields[leaf.field],
            ),
          ]
        : [],
    ),
    context,
  );
}

function slotLeaf(filter: LeafFilter, slot: Slot, context: FilterContext): PushedCondition {
  if (filter.kind === 'valuePath') return everything;
  const { sub } = filter.path;
  if (sub === undefined) return everything;
  const leaf = leafFor(slot.leaves, sub);
  if (leaf?.read) return translateOnLeaf(filter, leaf, context, context.capabilities.fields[leaf.field]);
  const folded = foldOverSlot(filter, slot);
  return folded === undefined ? everything : exact(folded ? always : never);
}

function countLeaves(filter: ResolvedFilter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.reduce((sum, operand) => sum + countLeaves(operand), 0);
    case 'not':
      return countLeaves(filter.operand);
    default:
      return 1;
  }
}

function isPositive(filter: ResolvedFilter): boolean {
  if (filter.kind === 'not') return false;
  return filter.kind === 'and' || filter.kind === 'or' ? filter.operands.every(isPositive) : true;
}

/** Conditions over child records, each about one and the same child. */
function translateRecords(filter: LeafFilter, plan: RecordsPlan, context: FilterContext): PushedCondition {
  const capability = context.capabilities.fields[plan.field];
  if (filter.kind === 'present' && filter.path.sub === undefined) {
    return restrict(exact({ kind: 'present', path: plan.field }), () => capability, context.capabilities);
  }
  const children = capability?.children;
  if (children === undefined) return everything;
  const inner = translateInside(
    filter.kind === 'valuePath' ? toNegationNormalForm(filter.filter) : filter,
    (part) => childLeaf(part, plan, children, context),
    context,
  );
  if (isNever(inner.condition)) return inner.exact ? exact(never) : everything;
  if (isAlways(inner.condition)) {
    const present = restrict(exact({ kind: 'present', path: plan.field }), () => capability, context.capabilities);
    return inner.exact ? present : inexact(present.condition);
  }
  return { condition: { kind: 'valuePath', path: plan.field, filter: inner.condition }, exact: inner.exact };
}

function childLeaf(
  filter: LeafFilter,
  plan: RecordsPlan,
  children: Readonly<Record<string, FieldCapability>>,
  context: FilterContext,
): PushedCondition {
  const { sub } = filter.path;
  if (filter.kind === 'valuePath' || sub === undefined) return everything;
  const leaf = leafFor(plan.leaves, sub);
  if (leaf === undefined) return plan.reference === undefined ? unmapped(filter, context) : everything;
  // The type beside a reference may be missing in the store and known only by a look-up.
  if (plan.reference !== undefined && leaf.reference === undefined) return everything;
  const capability = children[leaf.field];
  if (leaf.reference !== undefined) return referenceLeaf(filter, leaf.field, leaf.reference, capability, context);
  const pushed = onLeafField(filter, leaf);
  if (pushed === undefined) return everything;
  return restrict(pushed, (name) => (name === leaf.field ? capability : undefined), context.capabilities);
}

function translateReferences(
  filter: LeafFilter,
  field: string,
  reference: ReferencePlan,
  context: FilterContext,
): PushedCondition {
  const capability = context.capabilities.fields[field];
  const isWhole = filter.kind === 'present' && (filter.path.sub === undefined || filter.path.sub.name === 'value');
  if (isWhole) {
    const present = restrict(exact({ kind: 'present', path: field }), () => capability, context.capabilities);
    // A stored value that names nothing here is not shown, so presence is exact only where ids are kept as they are.
    return reference.unknown === 'keep' ? present : inexact(present.condition);
  }
  if (filter.kind === 'valuePath') {
    const inner = toNegationNormalForm(filter.filter);
    return inner.kind === 'compare' ? referenceLeaf(inner, field, reference, capability, context) : everything;
  }
  return referenceLeaf(filter, field, reference, capability, context);
}

function referenceLeaf(
  filter: LeafFilter,
  field: string,
  reference: ReferencePlan,
  capability: FieldCapability | undefined,
  context: FilterContext,
): PushedCondition {
  const { sub } = filter.path;
  if (filter.kind !== 'compare' || (sub !== undefined && sub.name !== 'value')) return everything;
  if (filter.op !== 'eq' || typeof filter.value !== 'string') return everything;
  const stored = context.storedId(reference, filter.value);
  if (stored.length === 0) return exact(never);
  const condition: Filter<string> = anyOf(
    stored.map((value) => ({
      kind: 'compare',
      path: field,
      op: 'eq',
      value: typeof value === 'bigint' ? value.toString() : (value as string | number | boolean),
    })),
  );
  return restrict(exact(condition), (name) => (name === field ? capability : undefined), context.capabilities);
}

/** Ids that a filter compares references with: to be looked up before it is split. */
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
      const reference = referenceOf(plan.byPath.get(filter.path.attribute.path));
      return reference === undefined || typeof filter.value !== 'string' ? [] : [{ reference, id: filter.value }];
    }
    default:
      return assertNever(filter);
  }
}

function referenceOf(plan: AttributePlan | undefined): ReferencePlan | undefined {
  if (plan === undefined) return undefined;
  if (plan.kind === 'references' || plan.kind === 'records') return plan.reference;
  return leavesOf(plan).find((leaf) => leaf.reference !== undefined)?.reference;
}

function pushSort(path: ResolvedPath, descending: boolean, { plan, capabilities }: SplitContext): Sort | undefined {
  const { attribute, sub } = path;
  const reserved = attribute.path === 'id' ? '$id' : attribute.path === 'meta' ? metaSortField(sub?.name) : undefined;
  const sortable = (field: string): boolean => capabilities.fields[field]?.sortable === true;
  if (reserved !== undefined) return sortable(reserved) ? { field: reserved, descending } : undefined;
  const attributePlan = plan.byPath.get(attribute.path);
  if (attributePlan === undefined) return undefined;
  if (attributePlan.kind === 'records') return sortByChild(attributePlan, sub, descending, capabilities);
  if (attributePlan.kind !== 'simple' && attributePlan.kind !== 'complex') return undefined;
  const leaf =
    attributePlan.kind === 'simple'
      ? attributePlan.leaf
      : sub === undefined
        ? undefined
        : leafFor(attributePlan.leaves, sub);
  if (leaf === undefined || attribute.multiValued || leaf.fallback !== undefined || leaf.reference !== undefined)
    return undefined;
  // Only a field that holds the attribute's own kind of value sorts as the attribute does.
  if (leaf.codec.name !== leaf.codec.fieldType || !sortable(leaf.field)) return undefined;
  return { field: leaf.field, descending };
}

function metaSortField(name: string | undefined): string | undefined {
  return name === 'created' ? '$created' : name === 'lastModified' ? '$modified' : undefined;
}

function sortByChild(
  plan: RecordsPlan,
  sub: Attribute | undefined,
  descending: boolean,
  capabilities: EntityCapabilities,
): Sort | undefined {
  const leaf = plan.leaves.find((candidate) =>
    sub === undefined ? candidate.attribute.name === 'value' : candidate.attribute === sub,
  );
  const capability = capabilities.fields[plan.field];
  if (leaf === undefined || plan.reference !== undefined || capability?.children?.[leaf.field]?.sortable !== true)
    return undefined;
  const primary = plan.leaves.find((candidate) => candidate.attribute.name === 'primary');
  return {
    field: plan.field,
    child: leaf.field,
    ...(primary === undefined ? {} : { prefer: primary.field }),
    descending,
  };
}
