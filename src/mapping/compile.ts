import { createHash } from 'node:crypto';
import { type Attribute, type ResourceType, subAttribute } from '../scim/schema.js';
import { compileAttribute, isWholeRule } from './compile-attribute.js';
import type { LeafContext, TargetType } from './compile-leaf.js';
import { constantsKey } from './compile-slots.js';
import { buildEntityUse, type LookedUpFields, lookedUpFields, searchedInverses } from './entity-use.js';
import type { AttributePlan, Constant, Leaf, MappingPlan, TemplateLeaf } from './plan.js';
import { leavesOf } from './plan.js';
import type { RuleProblem, SourcedRule } from './rule.js';
import { parseRuleTarget, type TargetedRule } from './rule-target.js';
import { hasCreateRules, hasRequiredRules, hasValueRules } from './value-rules.js';

/** One resource type of a gateway, before its rules are compiled. */
export interface TypeRules {
  readonly type: ResourceType;
  readonly entity: string;
  /** The name of its adapter: types with another one live in another backend. */
  readonly adapter?: string;
  /** The backend field that holds the id, where it is named. */
  readonly id?: string;
  readonly idPrefix?: string;
  /** What references to this type hold, unless a rule says `by`. */
  readonly lookupField?: string;
  readonly rules: readonly SourcedRule[];
  readonly unmapped: 'drop' | 'reject';
}

type Problem = LeafContext['problem'];

/** A type whose attributes are compiled, before the types are tied together. */
interface Draft {
  readonly entry: TypeRules;
  readonly attributes: readonly AttributePlan[];
  readonly constants: readonly Constant[];
  readonly inverses: readonly InverseRule[];
}

/** A rule that mirrors another type's reference, and the attribute that it is for. */
export interface InverseRule {
  readonly source: SourcedRule;
  readonly attribute: Attribute;
  readonly type: string;
  readonly path: string;
}

/**
 * Compiles the rules of all resource types of a gateway, which refer to each other. Every problem is reported; what has
 * an error is left out of the plan, so a plan is for use only when there is no error.
 */
export function compileMappings(types: readonly TypeRules[]): {
  readonly plans: ReadonlyMap<string, MappingPlan>;
  readonly problems: readonly RuleProblem[];
} {
  const problems: RuleProblem[] = [];
  const targets = new Map<string, TargetType>(
    types.map(({ type, entity, adapter, lookupField }) => [
      type.name,
      { type, entity, adapter, lookupField: lookupField ?? '$id' },
    ]),
  );
  const drafts = types.map((entry) => compileType(entry, targets, problems));
  const attributesOf = new Map(drafts.map(({ entry, attributes }) => [entry.type.name, attributes]));
  const lookedUp: LookedUpFields = lookedUpFields(drafts.flatMap(({ attributes }) => attributes));
  const plans = new Map(
    drafts.map((draft): [string, MappingPlan] => {
      const input = { ...draft, targets, attributesOf, lookedUp, problems };
      return [draft.entry.type.name, planOf(draft, buildEntityUse(input), searchedInverses(input))];
    }),
  );
  return { plans, problems };
}

function planOf(
  { entry, attributes, constants }: Draft,
  use: MappingPlan['use'],
  searched: MappingPlan['searched'],
): MappingPlan {
  return {
    type: entry.type,
    entity: entry.entity,
    attributes,
    byPath: new Map(attributes.map((plan) => [plan.attribute.path, plan])),
    constants,
    templates: attributes.flatMap(leavesOf).filter(isTemplateLeaf),
    valueRules: attributes.filter(hasValueRules),
    createRules: attributes.filter(hasCreateRules),
    requiredRules: attributes.filter(hasRequiredRules),
    fields: { multiple: new Set(use.fields.flatMap(({ name, multiple }) => (multiple ? [name] : []))) },
    use,
    searched,
    fingerprint: fingerprintOf(entry),
    unmapped: entry.unmapped,
  };
}

function isTemplateLeaf(leaf: Leaf): leaf is TemplateLeaf {
  return leaf.template !== undefined && leaf.written;
}

function fingerprintOf(entry: TypeRules): string {
  const rules = entry.rules.map((source) => [source.key, source.rule]);
  const attributes = entry.type.attributes.map((attribute) => [attribute.path, attribute.type, attribute.multiValued]);
  const text = JSON.stringify([entry.type.name, entry.entity, rules, attributes]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 6);
}

function compileType(entry: TypeRules, targets: ReadonlyMap<string, TargetType>, problems: RuleProblem[]): Draft {
  const problem: Problem = ({ origin }, at, message, severity = 'error') => {
    problems.push({ severity, origin, at, message });
  };
  const targeted: TargetedRule[] = [];
  for (const source of entry.rules) {
    const target = parseRuleTarget(source.key, entry.type);
    if (typeof target === 'string') problem(source, [], target);
    else if (forbidden.has(target.attribute.path)) problem(source, [], forbiddenMessage(target.attribute));
    else targeted.push({ source, target });
  }
  checkDuplicates(targeted, problem);
  checkConstants(targeted, problem);
  const context: LeafContext = { type: entry.type, targets, problem };
  const constants: Constant[] = [];
  const attributes = [...groupByAttribute(targeted)].flatMap(
    ([attribute, rules]) => compileAttribute(attribute, rules, constants, context) ?? [],
  );
  checkWriters(attributes, targeted, problem);
  return { entry, attributes, constants, inverses: inverseRules(targeted, problem) };
}

const forbidden = new Set(['id', 'meta', 'schemas']);

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
  for (const rule of rules) {
    const { source, target } = rule;
    if (isWholeRule(rule)) continue; // a second rule beside it is reported as one that has no room
    // A complex attribute alone means its `value`.
    const sub = target.sub ?? subAttribute(target.attribute, 'value');
    const key = JSON.stringify([target.attribute.path, constantsKey(target.constants ?? []), sub?.name]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, source);
    else problem(source, [], `"${source.key}" and "${first.key}" are rules for the same path; keep one.`);
  }
}

function checkConstants(rules: readonly TargetedRule[], problem: Problem): void {
  for (const { source } of rules) {
    if (source.rule.constant !== undefined && source.rule.field !== undefined)
      problem(source, ['constant'], 'A rule has either a "constant" or a "field".');
  }
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
    if (source !== undefined)
      problem(source, [], `"${key}" and "${other}" both write the field "${field}"; make one of them readOnly.`);
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

function inverseRules(rules: readonly TargetedRule[], problem: Problem): readonly InverseRule[] {
  return rules.flatMap(({ source, target: { attribute } }) => {
    const inverse = source.rule.reference?.inverseOf;
    if (inverse === undefined) return [];
    const isWritten = source.rule.readOnly !== true && attribute.mutability !== 'readOnly';
    if (isWritten)
      problem(
        source,
        ['reference', 'inverseOf'],
        'The other end of a reference is never written: add "readOnly: true".',
      );
    const [type = '', path = ''] = inverse.split('.');
    return [{ source, attribute, type, path }];
  });
}
