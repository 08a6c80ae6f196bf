import { createHash } from 'node:crypto';
import type { Attribute, ResourceType } from '../scim/schema.js';
import { createCodec } from './codec-registry.js';
import { compileLeaf, compileReference, type LeafContext, ownMutability, type TargetType } from './compile-leaf.js';
import { buildEntityUse } from './entity-use.js';
import type { AttributePlan, Constant, Leaf, MappingPlan, Slot } from './plan.js';
import { leavesOf } from './plan.js';
import type { RuleConfig, RuleProblem, SourcedRule } from './rule.js';
import { parseRuleTarget, type RuleTarget } from './rule-target.js';

/** One resource type of a gateway, before its rules are compiled. */
export interface TypeRules {
  readonly type: ResourceType;
  readonly entity: string;
  /** The backend field that holds the id, where it is named. */
  readonly id?: string;
  readonly idPrefix?: string;
  /** What references to this type hold, unless a rule says `by`. */
  readonly lookupField?: string;
  readonly rules: readonly SourcedRule[];
  readonly unmapped: 'drop' | 'reject';
}

type Problem = (
  rule: SourcedRule,
  at: readonly (string | number)[],
  message: string,
  severity?: 'error' | 'warning',
) => void;

interface TargetedRule {
  readonly source: SourcedRule;
  readonly target: RuleTarget;
}

/**
 * Compiles the rules of all resource types of a gateway, which refer to each other. Every problem is reported; a type
 * with an error has no plan.
 */
export function compileMappings(types: readonly TypeRules[]): {
  readonly plans: ReadonlyMap<string, MappingPlan>;
  readonly problems: readonly RuleProblem[];
} {
  const problems: RuleProblem[] = [];
  const targets = new Map<string, TargetType>(
    types.map((entry) => [
      entry.type.name,
      { name: entry.type.name, entity: entry.entity, lookupField: entry.lookupField ?? '$id' },
    ]),
  );
  const drafts = types.map((entry) => ({ entry, ...compileType(entry, targets, problems) }));
  const attributesOf = new Map(drafts.map((draft) => [draft.entry.type.name, draft.attributes]));
  const plans = new Map<string, MappingPlan>();
  for (const { entry, attributes, constants, inverses } of drafts) {
    const use = buildEntityUse({ entry, attributes, targets, inverses, attributesOf, problems });
    plans.set(entry.type.name, {
      type: entry.type,
      entity: entry.entity,
      attributes,
      byPath: new Map(attributes.map((plan) => [plan.attribute.path, plan])),
      constants,
      use,
      fingerprint: fingerprintOf(entry),
      unmapped: entry.unmapped,
    });
  }
  return { plans, problems };
}

function fingerprintOf(entry: TypeRules): string {
  const rules = entry.rules.map((source) => [source.key, source.rule]);
  const attributes = entry.type.attributes.map((attribute) => [attribute.path, attribute.type, attribute.multiValued]);
  const text = JSON.stringify([entry.type.name, entry.entity, rules, attributes]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 6);
}

/** A rule that mirrors another type's reference, and the attribute that it is for. */
export interface InverseRule {
  readonly source: SourcedRule;
  readonly attribute: Attribute;
  readonly type: string;
  readonly path: string;
}

function compileType(
  entry: TypeRules,
  targets: ReadonlyMap<string, TargetType>,
  problems: RuleProblem[],
): { attributes: readonly AttributePlan[]; constants: readonly Constant[]; inverses: readonly InverseRule[] } {
  const problem: Problem = (rule, at, message, severity = 'error') => {
    problems.push({ severity, origin: rule.origin, at, message });
  };
  const targeted: TargetedRule[] = [];
  const constants: Constant[] = [];
  const inverses: InverseRule[] = [];
  for (const source of entry.rules) {
    const target = parseRuleTarget(source.key, entry.type);
    if (typeof target === 'string') problem(source, [], target);
    else if (isForbidden(target.attribute)) problem(source, [], forbiddenMessage(target.attribute));
    else targeted.push({ source, target });
  }
  checkDuplicates(targeted, problem);
  const context: LeafContext = { type: entry.type, targets, problem };
  const attributes: AttributePlan[] = [];
  for (const [attribute, rules] of groupByAttribute(targeted)) {
    for (const { source, target } of rules) {
      const inverse = source.rule.reference?.inverseOf;
      if (inverse !== undefined) {
        const [type = '', path = ''] = inverse.split('.');
        inverses.push({ source, attribute: target.attribute, type, path });
      }
      if (source.rule.constant !== undefined && source.rule.field !== undefined) {
        problem(source, ['constant'], 'A rule has either a "constant" or a "field".');
      }
    }
    const plan = compileAttribute(attribute, rules, constants, context);
    if (plan !== undefined) attributes.push(plan);
  }
  checkWriters(attributes, targeted, problem);
  return { attributes, constants, inverses };
}

const forbidden = new Set(['id', 'meta', 'schemas']);

function isForbidden(attribute: Attribute): boolean {
  return forbidden.has(attribute.path);
}

function forbiddenMessage(attribute: Attribute): string {
  return attribute.path === 'id'
    ? 'The id is not mapped by a rule: name its field with "id:" beside "mapping:".'
    : `"${attribute.path}" is made by the gateway; leave this rule out.`;
}

function groupByAttribute(rules: readonly TargetedRule[]): ReadonlyMap<Attribute, readonly TargetedRule[]> {
  const groups = new Map<Attribute, TargetedRule[]>();
  for (const rule of rules) {
    const group = groups.get(rule.target.attribute);
    if (group === undefined) groups.set(rule.target.attribute, [rule]);
    else group.push(rule);
  }
  return groups;
}

/** Two rules for one path, whatever they are spelled like. */
function checkDuplicates(rules: readonly TargetedRule[], problem: Problem): void {
  const seen = new Map<string, SourcedRule>();
  for (const { source, target } of rules) {
    const key = `${target.attribute.path}[${constantsKey(target.constants ?? [])}]${target.sub?.name ?? ''}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, source);
    else problem(source, [], `"${source.key}" and "${first.key}" are rules for the same path; keep one.`);
  }
}

function constantsKey(constants: readonly Constant[]): string {
  return constants.map((constant) => `${constant.attribute.name}=${String(constant.value).toLowerCase()}`).join(',');
}

/** Two rules that write one field would undo each other. */
function checkWriters(attributes: readonly AttributePlan[], rules: readonly TargetedRule[], problem: Problem): void {
  const writers = new Map<string, string>();
  const claim = (field: string, key: string): void => {
    const other = writers.get(field);
    if (other === undefined) {
      writers.set(field, key);
      return;
    }
    const source = rules.find((rule) => rule.source.key === key)?.source;
    if (source !== undefined) {
      problem(source, [], `"${key}" and "${other}" both write the field "${field}"; make one of them readOnly.`);
    }
  };
  for (const plan of attributes) {
    if (plan.kind === 'records' || plan.kind === 'references') {
      const key = rules.find((rule) => rule.target.attribute === plan.attribute)?.source.key ?? plan.attribute.path;
      if (plan.written) claim(plan.field, key);
    } else {
      for (const leaf of leavesOf(plan)) if (leaf.written) claim(leaf.field, leaf.key);
    }
  }
}

function compileAttribute(
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
  const { constant } = rule.source.rule;
  if (constant !== undefined) {
    constants.push({ attribute, value: constant });
    return undefined;
  }
  const leaf = compileLeaf(rule.source, attribute, attribute.multiValued, context);
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
    const sub = target.sub ?? attribute.subAttributes.find((candidate) => candidate.name === 'value');
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
      constants.push({ attribute: sub, value: source.rule.constant });
      continue;
    }
    const leaf = compileLeaf(source, sub, false, context);
    if (leaf !== undefined) leaves.push(leaf);
  }
  return leaves.length === 0 && constants.length === 0 ? undefined : { kind: 'complex', attribute, leaves, constants };
}

function compileMultiComplex(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  context: LeafContext,
): AttributePlan | undefined {
  const whole = rules.find(({ source, target }) => {
    const isWhole =
      target.constants === undefined && (source.rule.records !== undefined || source.rule.reference !== undefined);
    return isWhole && (target.sub === undefined || target.sub.name === 'value');
  });
  if (whole === undefined) return compileSlots(attribute, rules, context);
  for (const other of rules) {
    if (other !== whole) {
      context.problem(
        other.source,
        [],
        `"${whole.source.key}" already maps the whole of "${attribute.path}"; keep one of the two.`,
      );
    }
  }
  return whole.source.rule.records === undefined
    ? compileReferences(attribute, whole.source, context)
    : compileRecords(attribute, whole.source, whole.source.rule.records, context);
}

function compileRecords(
  attribute: Attribute,
  source: SourcedRule,
  records: NonNullable<RuleConfig['records']>,
  context: LeafContext,
): AttributePlan | undefined {
  const { field } = source.rule;
  if (field === undefined) {
    context.problem(source, [], 'A rule with "records" names the "field" that holds them.');
    return undefined;
  }
  const reference = compileReference(source, context);
  const children: readonly (readonly [string, string])[] =
    records === 'all'
      ? attribute.subAttributes.filter((sub) => sub.name !== '$ref').map((sub) => [sub.name, sub.name])
      : Object.entries(records as Record<string, string>);
  const leaves: Leaf[] = [];
  for (const [name, child] of children) {
    const sub = attribute.subAttributes.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (sub === undefined) {
      const names = attribute.subAttributes.map((candidate) => candidate.name).join(', ');
      context.problem(
        source,
        ['records', name],
        `"${attribute.path}" has no sub-attribute "${name}"; it has ${names}.`,
      );
      continue;
    }
    const { codec } = createCodec(undefined, sub, false);
    if (codec === undefined) continue;
    leaves.push({ ...plainLeaf(source, sub, child), codec, reference: sub.name === 'value' ? reference : undefined });
  }
  return {
    kind: 'records',
    attribute,
    field,
    leaves,
    ...ownMutability(source, attribute),
    keepWhenOmitted: source.rule.omitted === 'keep',
    reference,
    required: source.rule.required === true,
  };
}

function plainLeaf(source: SourcedRule, attribute: Attribute, field: string): Omit<Leaf, 'codec' | 'reference'> {
  return {
    attribute,
    key: `${source.key}.${attribute.name}`,
    field,
    read: true,
    written: true,
    unique: false,
    required: false,
    template: undefined,
    defaultValue: undefined,
    fallback: undefined,
    fallbackOnCreate: undefined,
    allowed: undefined,
    onUnknown: 'reject',
    clearOn: new Set(source.rule.clearOn ?? []),
    keepWhenOmitted: false,
  };
}

function compileReferences(attribute: Attribute, source: SourcedRule, context: LeafContext): AttributePlan | undefined {
  const { field } = source.rule;
  const reference = compileReference(source, context);
  const value = attribute.subAttributes.find((sub) => sub.name === 'value');
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
    keepWhenOmitted: source.rule.omitted === 'keep',
    reference,
    required: source.rule.required === true,
  };
}

function compileSlots(
  attribute: Attribute,
  rules: readonly TargetedRule[],
  context: LeafContext,
): AttributePlan | undefined {
  const groups = new Map<string, TargetedRule[]>();
  for (const rule of rules) {
    const key = constantsKey(rule.target.constants ?? []);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rule]);
    else group.push(rule);
  }
  const slots = [...groups.values()].flatMap((group) => compileSlot(attribute, group, context) ?? []);
  checkSlots(attribute, slots, rules, context);
  return slots.length === 0 ? undefined : { kind: 'slots', attribute, slots };
}

function compileSlot(attribute: Attribute, rules: readonly TargetedRule[], context: LeafContext): Slot | undefined {
  const leaves: Leaf[] = [];
  const constants = [...(rules[0]?.target.constants ?? [])];
  let multiple = false;
  for (const { source, target } of rules) {
    const sub = target.sub ?? attribute.subAttributes.find((candidate) => candidate.name === 'value');
    if (sub === undefined) {
      context.problem(
        source,
        [],
        `Name the part that the field holds: "${source.key}.${attribute.subAttributes[0]?.name ?? 'value'}".`,
      );
      continue;
    }
    if (source.rule.constant !== undefined) {
      constants.push({ attribute: sub, value: source.rule.constant });
      continue;
    }
    const isMultiple = source.rule.multiple ?? (target.constants === undefined && target.sub === undefined);
    const leaf = compileLeaf(source, sub, isMultiple, context);
    if (leaf === undefined) continue;
    leaves.push(leaf);
    multiple ||= isMultiple;
  }
  const first = rules[0];
  if (multiple && leaves.length > 1 && first !== undefined) {
    context.problem(
      first.source,
      ['multiple'],
      'A slot with "multiple" maps exactly one sub-attribute: its values cannot be told apart otherwise. Use "records" for several.',
    );
  }
  if (leaves.length === 0) return undefined;
  const key = `${attribute.path}${constants.length === 0 ? '' : `[${constants.map((constant) => `${constant.attribute.name} eq ${JSON.stringify(constant.value)}`).join(' and ')}]`}`;
  return { key, constants, leaves, multiple, isDefault: rules.some((rule) => rule.source.rule.defaultSlot === true) };
}

function checkSlots(
  attribute: Attribute,
  slots: readonly Slot[],
  rules: readonly TargetedRule[],
  context: LeafContext,
): void {
  const sourceOf = (slot: Slot): SourcedRule | undefined =>
    rules.find((rule) => rule.source.key === slot.leaves[0]?.key)?.source;
  for (const [index, slot] of slots.entries()) {
    for (const other of slots.slice(0, index)) {
      const source = sourceOf(slot);
      if (source !== undefined && overlap(slot, other)) {
        context.problem(
          source,
          [],
          `"${slot.key}" and "${other.key}" can mean the same element; give both a constant that differs, such as type.`,
        );
      }
    }
  }
  const constantPrimary = slots.find((slot) =>
    slot.constants.some((constant) => constant.attribute.name === 'primary'),
  );
  const mappedPrimary = slots.find((slot) => slot.leaves.some((leaf) => leaf.attribute.name === 'primary'));
  const source = mappedPrimary === undefined ? undefined : sourceOf(mappedPrimary);
  if (constantPrimary !== undefined && source !== undefined) {
    context.problem(source, [], `"primary" of "${attribute.path}" is either a constant of a slot or mapped, not both.`);
  }
}

/** Unless some constant differs, one element could belong to both. */
function overlap(a: Slot, b: Slot): boolean {
  return !a.constants.some((constant) =>
    b.constants.some(
      (other) =>
        other.attribute === constant.attribute &&
        String(other.value).toLowerCase() !== String(constant.value).toLowerCase(),
    ),
  );
}
