import type { Condition, EntityCapabilities, FieldCapability, Scalar } from '../backend/adapter.js';
import { assertNever } from '../scim/assert-never.js';
import type { ResolvedFilter } from '../scim/attribute-path.js';
import { type Comparison, comparisonOf } from '../scim/comparison.js';
import { ScimError } from '../scim/error.js';
import { negate } from '../scim/filter.js';
import { type Attribute, subAttribute } from '../scim/schema.js';
import type { PushedCondition } from './codec.js';
import type { Constant, Leaf, MappingPlan, ReferencePlan } from './plan.js';
import {
  allPushed,
  anyPushed,
  everything,
  exact,
  fieldTest,
  inexact,
  type LeafTest,
  nothing,
  valueMeets,
} from './push-down-field.js';

export interface FilterContext {
  readonly plan: MappingPlan;
  readonly capabilities: EntityCapabilities;
  readonly comparisonFor: (leaf: Attribute) => Comparison;
  readonly storedId: (reference: ReferencePlan, id: string) => readonly Scalar[];
  readonly unmapped: 'reject' | 'absent';
}

export type LeafFilter = Extract<ResolvedFilter, { kind: 'compare' | 'present' | 'valuePath' }>;

/** Logic in negation normal form, its leaves translated by `leaf`: a condition that selects at least as much. */
export function translateTree(
  filter: ResolvedFilter,
  leaf: (filter: LeafFilter) => PushedCondition,
  context: FilterContext,
): PushedCondition {
  const { combine } = context.capabilities;
  switch (filter.kind) {
    case 'and':
      return allPushed(
        filter.operands.map((operand) => translateTree(operand, leaf, context)),
        combine,
      );
    case 'or':
      return anyPushed(
        filter.operands.map((operand) => translateTree(operand, leaf, context)),
        combine,
      );
    case 'not': {
      const inner = translateTree(filter.operand, leaf, context);
      if (!inner.exact) return everything; // the opposite of too much is too little
      const negated = negate(inner.condition);
      return negated.kind !== 'not' || combine.not ? exact(negated) : everything;
    }
    case 'compare':
    case 'present':
    case 'valuePath':
      return leaf(filter);
    default:
      return assertNever(filter);
  }
}

/** @throws ScimError invalidFilter, except where the attribute counts as one without a value */
export function unmapped(filter: LeafFilter, { plan, unmapped: mode }: FilterContext): PushedCondition {
  if (mode === 'absent') return nothing;
  const { attribute, sub } = filter.path;
  const path = (sub ?? attribute).path;
  const isWrittenOnly = plan.byPath.has(attribute.path) && sub === undefined;
  throw ScimError.badRequest(
    'invalidFilter',
    isWrittenOnly
      ? `"${path}" is mapped for ${plan.type.name} but never read, so it cannot be filtered by.`
      : `"${path}" is not mapped for ${plan.type.name}, so it cannot be filtered by. Add a rule for it to the mapping: ${ruleFor(filter)}: <field>.`,
  );
}

/** The key of the rule that the filter asks for: `emails[type eq "work"].value`. */
function ruleFor({ path: { attribute, sub }, ...filter }: LeafFilter): string {
  if (sub !== undefined || attribute.type !== 'complex') return (sub ?? attribute).path;
  const terms =
    filter.kind !== 'valuePath' ? [] : filter.filter.kind === 'and' ? filter.filter.operands : [filter.filter];
  const value = subAttribute(attribute, 'value') ?? attribute.subAttributes[0];
  const constants: string[] = [];
  let part = value;
  for (const term of terms) {
    if (term.kind !== 'compare' && term.kind !== 'present') continue;
    const isKind = term.kind === 'compare' && term.op === 'eq' && term.path.sub?.name === 'type';
    if (isKind && attribute.multiValued) constants.push(`type eq ${JSON.stringify(term.value)}`);
    else part = term.path.sub ?? part;
  }
  return `${attribute.path}${constants.length === 0 ? '' : `[${constants.join(' and ')}]`}.${part?.name}`;
}

/** What the test says of a value that never changes; where it holds, `holds` does. */
export function onConstant(
  filter: LeafFilter,
  { attribute, value }: Constant,
  holds: PushedCondition,
): PushedCondition {
  const test = testOf(filter);
  if (test === undefined) return everything;
  return valueMeets(test, value, comparisonOf(attribute)) ? holds : nothing;
}

/** `op value` of a comparison; undefined for what is none: a value path. */
export function testOf(filter: LeafFilter): LeafTest | undefined {
  if (filter.kind === 'present') return { op: 'pr' };
  if (filter.kind !== 'compare' || filter.op === 'ne' || filter.value === null) return undefined;
  return { op: filter.op, value: filter.value };
}

/** A test of a leaf whose field is the record's own. */
export function onLeaf(test: LeafTest, leaf: Leaf, context: FilterContext): PushedCondition {
  if (!leaf.read) return nothing;
  const { plan, capabilities, comparisonFor } = context;
  const { combine } = capabilities;
  const capability: FieldCapability | undefined = capabilities.fields[leaf.field];
  const own = fieldTest(leaf, test, capability, comparisonFor(leaf.attribute), combine);
  // Of a field with many values, a single attribute shows one; the backend looks at all.
  const isOneOfMany = plan.fields.multiple.has(leaf.field) && !showsAll(leaf);
  const pushed = isOneOfMany ? inexact(own.condition) : own;
  if (leaf.fallback === undefined) return pushed;
  // Without a value in the field the template decides, which only the resource shows.
  if (capability?.operators.pr !== 'exact' || !combine.not) return everything;
  const absent: Condition = { kind: 'not', operand: { kind: 'present', path: leaf.field } };
  return inexact(anyPushed([pushed, inexact(absent)], combine).condition);
}

/** Whether each of the field's values is one of the attribute's. */
function showsAll({ attribute, multiple, codec }: Leaf): boolean {
  // A codec that joins the values says itself how exact it is.
  return attribute.multiValued || codec.name === 'split' || (multiple && attribute.parent?.multiValued === true);
}

/** That the leaf holds an empty text, which is a value and yet not present. */
export function isEmptyText(leaf: Leaf, context: FilterContext): PushedCondition {
  if (leaf.codec.name === 'bytes') return everything; // no bytes read as an empty text too
  return leaf.codec.name === 'string' ? onLeaf({ op: 'eq', value: '' }, leaf, context) : nothing;
}

/** The `value` of an attribute's elements. */
export function isValueSub(attribute: Attribute, sub: Attribute | undefined): boolean {
  return sub !== undefined && sub === subAttribute(attribute, 'value');
}

/** Whether an empty text meets the test: alone beside constants it makes no value. */
export function takesEmpty(test: LeafTest, leaf: Leaf, context: FilterContext): boolean {
  return leaf.codec.name === 'string' && valueMeets(test, '', context.comparisonFor(leaf.attribute));
}
