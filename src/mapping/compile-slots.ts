import { comparisonOf, keyOf } from '../scim/comparison.js';
import { type Attribute, subAttribute } from '../scim/schema.js';
import { compileConstant, compileLeaf, type LeafContext } from './compile-leaf.js';
import type { Constant, Leaf, Slot, SlotsPlan } from './plan.js';
import type { SourcedRule } from './rule.js';
import { checkOptions } from './rule-options.js';
import type { TargetedRule } from './rule-target.js';

interface CompiledSlot {
  readonly slot: Slot;
  /** The first rule of it, where problems of the slot as a whole are placed. */
  readonly source: SourcedRule;
  readonly marked: SourcedRule | undefined;
}

/** The rules of a multi-valued complex attribute whose elements live in fields of their own: one slot for each set of constants. */
export function compileSlots(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  context: LeafContext,
): SlotsPlan | undefined {
  const groups = new Map<string, TargetedRule[]>();
  for (const rule of rules) {
    const key = constantsKey(rule.target.constants ?? []);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rule]);
    else group.push(rule);
  }
  const slots = [...groups.values()].flatMap((group) => compileSlot(attribute, group, context) ?? []);
  checkOverlaps(slots, context);
  checkPrimary(attribute, slots, context);
  checkDefault(attribute, slots, context);
  return slots.length === 0 ? undefined : { kind: 'slots', attribute, slots: slots.map(({ slot }) => slot) };
}

/** Text that is equal for the same constants, however they are spelled. */
export function constantsKey(constants: readonly Constant[]): string {
  return JSON.stringify(
    constants.map(({ attribute, value }) => [attribute.name, keyOf(comparisonOf(attribute), value)]),
  );
}

function compileSlot(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  context: LeafContext,
): CompiledSlot | undefined {
  const [first] = rules;
  if (first === undefined) return undefined;
  const leaves: Leaf[] = [];
  const constants = [...(first.target.constants ?? [])];
  const many: SourcedRule[] = [];
  for (const { source, target } of rules) {
    const sub = target.sub ?? subAttribute(attribute, 'value');
    if (sub === undefined) {
      const example = `${source.key}.${attribute.subAttributes[0]?.name ?? 'value'}`;
      context.problem(source, [], `Name the part that the field holds: "${example}".`);
      continue;
    }
    const given = constants.find((constant) => constant.attribute === sub);
    if (given !== undefined) {
      const message = `"${sub.name}" is ${JSON.stringify(given.value)} in every element of this slot; leave this rule out.`;
      context.problem(source, [], message);
      continue;
    }
    if (source.rule.constant !== undefined) {
      const constant = compileConstant(source, sub, context);
      if (constant !== undefined) constants.push(constant);
      continue;
    }
    checkOptions(source, 'slot', context.problem);
    const multiple = source.rule.multiple ?? (target.constants === undefined && target.sub === undefined);
    const leaf = compileLeaf({ ...source, rule: { ...source.rule, multiple } }, sub, context);
    if (leaf === undefined) continue;
    leaves.push(leaf);
    if (multiple) many.push(source);
  }
  const [isMany] = many;
  if (isMany !== undefined) checkMany(isMany, leaves, context);
  if (leaves.length === 0) {
    if (rules.every(({ source }) => source.rule.constant !== undefined))
      context.problem(first.source, [], 'A slot of constants alone holds nothing: add a rule with a field.');
    return undefined;
  }
  const marked = rules.find(({ source }) => source.rule.defaultSlot === true)?.source;
  const slot: Slot = {
    key: slotKey(attribute, constants),
    constants,
    leaves,
    multiple: isMany !== undefined,
    isDefault: marked !== undefined,
  };
  return { slot, source: first.source, marked };
}

function slotKey(attribute: Attribute, constants: readonly Constant[]): string {
  if (constants.length === 0) return attribute.path;
  const terms = constants.map(({ attribute: { name }, value }) => `${name} eq ${JSON.stringify(value)}`);
  return `${attribute.path}[${terms.join(' and ')}]`;
}

function checkMany(source: SourcedRule, leaves: readonly Leaf[], context: LeafContext): void {
  if (leaves.length > 1) {
    context.problem(
      source,
      ['multiple'],
      'A slot with "multiple" maps exactly one sub-attribute: its values cannot be told apart otherwise. Use "records" for several.',
    );
  }
  if (source.rule.fallback !== undefined) {
    context.problem(source, ['fallback'], 'A "fallback" makes one element; this slot has many ("multiple").');
  }
}

function checkOverlaps(slots: readonly CompiledSlot[], context: LeafContext): void {
  for (const [index, { slot, source }] of slots.entries()) {
    for (const { slot: other } of slots.slice(0, index)) {
      if (!overlap(slot, other)) continue;
      const message = `"${slot.key}" and "${other.key}" can mean the same element; give both a constant that differs, such as type.`;
      context.problem(source, [], message);
    }
  }
}

/** Unless some constant differs, one element could belong to both. */
function overlap(a: Slot, b: Slot): boolean {
  return !a.constants.some(({ attribute, value }) => {
    const comparison = comparisonOf(attribute);
    const own = keyOf(comparison, value);
    return b.constants.some((other) => other.attribute === attribute && keyOf(comparison, other.value) !== own);
  });
}

function checkPrimary(attribute: Attribute, slots: readonly CompiledSlot[], context: LeafContext): void {
  const name = `"primary" of "${attribute.path}"`;
  const constant = slots.filter(({ slot }) =>
    slot.constants.some((candidate) => candidate.attribute.name === 'primary'),
  );
  const primary = constant.filter(({ slot }) => slot.constants.some(isTruePrimary));
  const mapped = slots.find(({ slot }) => slot.leaves.some((leaf) => leaf.attribute.name === 'primary'));
  if (constant.length > 0 && mapped !== undefined)
    context.problem(mapped.source, [], `${name} is either a constant of a slot or mapped, not both.`);
  for (const { source } of primary.slice(1))
    context.problem(
      source,
      [],
      `${name} is true in "${primary[0]?.slot.key}" already; only one element can be primary.`,
    );
  for (const { slot, source } of primary)
    if (slot.multiple)
      context.problem(source, [], `${name} cannot be true in a slot of many elements; only one can be primary.`);
}

function isTruePrimary({ attribute, value }: Constant): boolean {
  return attribute.name === 'primary' && value === true;
}

function checkDefault(attribute: Attribute, slots: readonly CompiledSlot[], context: LeafContext): void {
  const [first, ...others] = slots.filter(({ marked }) => marked !== undefined);
  for (const { marked } of others) {
    if (marked === undefined) continue;
    const message = `"${attribute.path}" has a default slot already, "${first?.slot.key}"; mark one.`;
    context.problem(marked, ['defaultSlot'], message);
  }
}
