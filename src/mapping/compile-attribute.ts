import { type Attribute, isMultiComplex, subAttribute } from '../scim/schema.js';
import { createCodec } from './codec-registry.js';
import { compileConstant, compileLeaf, isKeptWhenOmitted, type LeafContext, ownMutability } from './compile-leaf.js';
import { compileReference } from './compile-reference.js';
import { compileSlots } from './compile-slots.js';
import type { AttributePlan, Constant, Leaf, RecordsPlan, ReferencesPlan } from './plan.js';
import type { RuleConfig, SourcedRule } from './rule.js';
import { checkOptions } from './rule-options.js';
import type { TargetedRule } from './rule-target.js';

/**
 * Compiles all rules of one attribute.
 * @param constants gets the value of an attribute that is a constant as a whole; there is no plan then
 */
export function compileAttribute(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  constants: Constant[],
  context: LeafContext,
): AttributePlan | undefined {
  if (attribute.type !== 'complex') return compileSimple(attribute, rules, constants, context);
  return attribute.multiValued
    ? compileMultiComplex(attribute, rules, context)
    : compileComplex(attribute, rules, context);
}

function compileSimple(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  constants: Constant[],
  context: LeafContext,
): AttributePlan | undefined {
  const [rule] = rules;
  if (rule === undefined) return undefined;
  const { source } = rule;
  if (source.rule.constant !== undefined) {
    const constant = compileConstant(source, attribute, context);
    if (constant !== undefined) constants.push(constant);
    return undefined;
  }
  checkOptions(source, attribute.multiValued ? 'list' : 'simple', context.problem);
  const leaf = compileLeaf(source, attribute, context);
  return leaf === undefined ? undefined : { kind: 'simple', attribute, leaf };
}

function compileComplex(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  context: LeafContext,
): AttributePlan | undefined {
  const leaves: Leaf[] = [];
  const constants: Constant[] = [];
  for (const { source, target } of rules) {
    const sub = target.sub ?? subAttribute(attribute, 'value');
    if (sub === undefined) {
      const names = attribute.subAttributes.map((candidate) => `${attribute.path}.${candidate.name}`).join(', ');
      context.problem(
        source,
        [],
        `"${attribute.path}" is complex: give a rule for each part that has a home (${names}).`,
      );
      continue;
    }
    if (source.rule.constant !== undefined) {
      const constant = compileConstant(source, sub, context);
      if (constant !== undefined) constants.push(constant);
      continue;
    }
    checkOptions(source, 'part', context.problem);
    if (source.rule.reference !== undefined && sub.name !== 'value')
      context.problem(source, ['reference'], `A reference is kept in "value": write the rule for "${attribute.path}".`);
    const leaf = compileLeaf(source, sub, context);
    if (leaf !== undefined) leaves.push(leaf);
  }
  return leaves.length === 0 && constants.length === 0 ? undefined : { kind: 'complex', attribute, leaves, constants };
}

/** Whether a rule maps a multi-valued complex attribute as a whole: not a slot, not a part. */
export function isWholeRule({ source, target }: TargetedRule): boolean {
  const { records, reference } = source.rule;
  const namesWhole = target.constants === undefined && (target.sub === undefined || target.sub.name === 'value');
  return isMultiComplex(target.attribute) && namesWhole && (records !== undefined || reference !== undefined);
}

function compileMultiComplex(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  context: LeafContext,
): AttributePlan | undefined {
  const whole = rules.find(isWholeRule);
  if (whole === undefined) return compileSlots(attribute, rules, context);
  const { source } = whole;
  for (const other of rules) {
    if (other === whole) continue;
    const message = `"${source.key}" already maps the whole of "${attribute.path}"; keep one of the two.`;
    context.problem(other.source, [], message);
  }
  const { records } = source.rule;
  checkOptions(source, records === undefined ? 'references' : 'records', context.problem);
  return records === undefined
    ? compileReferences(attribute, source, context)
    : compileRecords(attribute, source, records, context);
}

function compileRecords(
  attribute: Attribute,
  source: SourcedRule,
  records: NonNullable<RuleConfig['records']>,
  context: LeafContext,
): RecordsPlan | undefined {
  const { field } = source.rule;
  if (field === undefined) {
    context.problem(source, [], 'A rule with "records" names the "field" that holds them.');
    return undefined;
  }
  const reference = compileReference(source, context);
  const leaves = childLeaves(attribute, source, records, context).map((leaf) =>
    leaf.attribute.name === 'value' ? { ...leaf, reference } : leaf,
  );
  if (reference !== undefined && !leaves.some((leaf) => leaf.reference !== undefined)) {
    context.problem(
      source,
      ['records'],
      'With a "reference", "records" says which child field holds the "value": records: { value: <child field> }.',
    );
  }
  checkChildFields(source, leaves, context);
  return {
    kind: 'records',
    attribute,
    field,
    leaves,
    ...ownMutability(source, attribute),
    keepWhenOmitted: isKeptWhenOmitted(source, attribute),
    reference,
    required: source.rule.required === true,
  };
}

function childLeaves(
  attribute: Attribute,
  source: SourcedRule,
  records: NonNullable<RuleConfig['records']>,
  context: LeafContext,
): readonly Leaf[] {
  const children: readonly (readonly [string, string])[] =
    records === 'all'
      ? attribute.subAttributes.filter((sub) => sub.name !== '$ref').map((sub) => [sub.name, sub.name])
      : Object.entries(records as Record<string, string>);
  return children.flatMap(([name, field]) => {
    const sub = subAttribute(attribute, name);
    if (sub === undefined) {
      const names = attribute.subAttributes.map((candidate) => candidate.name).join(', ');
      const message = `"${attribute.path}" has no sub-attribute "${name}"; it has ${names}.`;
      context.problem(source, ['records', name], message);
      return [];
    }
    const rule: RuleConfig = { field, ...(source.rule.clearOn === undefined ? {} : { clearOn: source.rule.clearOn }) };
    const leaf = compileLeaf({ ...source, key: `${attribute.path}.${sub.name}`, rule }, sub, context);
    return leaf === undefined ? [] : [leaf];
  });
}

/** Two sub-attributes in one child field would undo each other. */
function checkChildFields(source: SourcedRule, leaves: readonly Leaf[], context: LeafContext): void {
  const holders = new Map<string, Leaf>();
  for (const leaf of leaves) {
    const other = holders.get(leaf.field);
    if (other === undefined) {
      holders.set(leaf.field, leaf);
      continue;
    }
    const message = `"${leaf.attribute.name}" and "${other.attribute.name}" are both in the child field "${leaf.field}"; give each its own.`;
    context.problem(source, ['records', leaf.attribute.name], message);
  }
}

function compileReferences(
  attribute: Attribute,
  source: SourcedRule,
  context: LeafContext,
): ReferencesPlan | undefined {
  const { field } = source.rule;
  const reference = compileReference(source, context);
  const value = subAttribute(attribute, 'value');
  if (field === undefined)
    context.problem(source, [], 'A rule with "reference" names the "field" that holds the references.');
  if (value === undefined)
    context.problem(source, [], `"${attribute.path}" has no "value", so it cannot hold references.`);
  if (field === undefined || reference === undefined || value === undefined) return undefined;
  const { codec, problems } = createCodec(source.rule.codec, value, true);
  for (const message of problems) context.problem(source, ['codec'], message);
  if (codec === undefined) return undefined;
  return {
    kind: 'references',
    attribute,
    field,
    codec,
    ...ownMutability(source, attribute),
    keepWhenOmitted: isKeptWhenOmitted(source, attribute),
    reference,
    required: source.rule.required === true,
  };
}
