import { comparisonOf, keyOf } from '../scim/comparison.js';
import { tolerantDialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import type { Attribute, ResourceType } from '../scim/schema.js';
import { parseAttributeValue } from '../scim/value-parser.js';
import { type BoundTemplate, bindTemplate } from './bound-template.js';
import type { AttributeValue, Codec } from './codec.js';
import { createCodec } from './codec-registry.js';
import { compileReference } from './compile-reference.js';
import type { Constant, Leaf } from './plan.js';
import type { RuleConfig, SourcedRule } from './rule.js';
import { checkOptions } from './rule-options.js';

/** A resource type that references may point to. */
export interface TargetType {
  readonly type: ResourceType;
  readonly entity: string;
  readonly adapter: string | undefined;
  readonly lookupField: string;
}

export interface LeafContext {
  readonly type: ResourceType;
  readonly targets: ReadonlyMap<string, TargetType>;
  readonly problem: (
    rule: SourcedRule,
    at: readonly (string | number)[],
    message: string,
    severity?: 'error' | 'warning',
  ) => void;
}

/** Read and written as the rule says, within what the schema allows. */
export function ownMutability(
  source: SourcedRule,
  attribute: Attribute,
): { readonly read: boolean; readonly written: boolean } {
  const readOnly =
    source.rule.readOnly === true || attribute.mutability === 'readOnly' || attribute.parent?.mutability === 'readOnly';
  const writeOnly =
    source.rule.writeOnly === true || attribute.mutability === 'writeOnly' || attribute.returned === 'never';
  return { read: !writeOnly, written: !readOnly };
}

/** What a PUT without the attribute does. What cannot be read cannot be put back, so it stays. */
export function isKeptWhenOmitted(source: SourcedRule, attribute: Attribute): boolean {
  const { omitted } = source.rule;
  if (omitted !== undefined) return omitted === 'keep';
  const top = attribute.parent ?? attribute;
  return top.path === 'active' || top.path === 'password' || !ownMutability(source, attribute).read;
}

/** Compiles a rule for a simple attribute or sub-attribute. */
export function compileLeaf(source: SourcedRule, attribute: Attribute, context: LeafContext): Leaf | undefined {
  const { rule } = source;
  const report = (at: string, message: string): void => context.problem(source, [at], message);
  if (rule.field === undefined) {
    context.problem(source, [], 'A rule names a "field" (or a "constant").');
    return undefined;
  }
  checkAccess(source, rule.field, attribute, context);
  const isList = rule.multiple ?? attribute.multiValued;
  const { codec, problems } = createCodec(rule.codec, attribute, isList);
  for (const message of problems) report('codec', message);
  const values = compileValues(source, attribute, context);
  const templates = compileTemplates(source, attribute, context);
  if (codec === undefined) return undefined;
  const { read, written } = ownMutability(source, attribute);
  const comparison = comparisonOf(attribute);
  const clearOn = rule.clearOn ?? [];
  return {
    attribute,
    key: source.key,
    field: rule.field,
    codec,
    multiple: rule.multiple ?? (attribute.multiValued && !packs(codec)),
    read,
    written,
    accepts: written && templates.template === undefined,
    unique: rule.unique ?? (attribute.path === 'userName' && context.type.name === 'User'),
    required: rule.required === true && written && templates.template === undefined,
    ...templates,
    ...values,
    onUnknown: rule.onUnknown ?? 'reject',
    clearOn: new Set(clearOn),
    clearKeys: new Set(clearOn.flatMap((text) => keyOf(comparison, text) ?? [])),
    keepWhenOmitted: isKeptWhenOmitted(source, attribute),
    reference: compileReference(source, context),
  };
}

/** Whether many values of the attribute become one of the field. */
function packs({ name }: Codec): boolean {
  return name === 'join';
}

function checkAccess(source: SourcedRule, field: string, attribute: Attribute, context: LeafContext): void {
  const { rule } = source;
  const report = (at: string, message: string): void => context.problem(source, [at], message);
  if (rule.readOnly === true && rule.writeOnly === true)
    report('writeOnly', 'A rule cannot be both readOnly and writeOnly.');
  const { written } = ownMutability(source, attribute);
  if (written && field.startsWith('$'))
    report('field', `"${field}" is made by the backend and cannot be written; say "readOnly: true".`);
  if (!written && rule.template !== undefined)
    report('template', 'A template writes its field, so the rule cannot be readOnly.');
  if (rule.writeOnly === true && rule.fallback !== undefined)
    report('fallback', 'A "fallback" is shown on reading, so the rule cannot be writeOnly.');
  if (rule.multiple === false && attribute.multiValued && rule.codec === undefined)
    report('multiple', `"${attribute.path}" has many values: a field for one value needs a codec such as join.`);
}

function compileValues(
  source: SourcedRule,
  attribute: Attribute,
  context: LeafContext,
): Pick<Leaf, 'allowed' | 'defaultValue'> {
  const { rule } = source;
  const checked = (value: AttributeValue, ...at: (string | number)[]): AttributeValue | undefined =>
    checkedConstant(value, attribute, (message) => context.problem(source, at, message));
  const allowed = rule.values?.flatMap((value, index) => checked(value, 'values', index) ?? []);
  const defaultValue = rule.default === undefined ? undefined : checked(rule.default, 'default');
  if (rule.onUnknown !== undefined && rule.values === undefined)
    context.problem(source, ['onUnknown'], '"onUnknown" says what becomes of values outside "values"; list those.');
  if (rule.onUnknown === 'default' && rule.default === undefined)
    context.problem(source, ['onUnknown'], '"onUnknown: default" needs a "default".');
  const comparison = comparisonOf(attribute);
  if (allowed !== undefined && defaultValue !== undefined && allowed.length === rule.values?.length) {
    const key = keyOf(comparison, defaultValue);
    if (!allowed.some((value) => keyOf(comparison, value) === key))
      context.problem(source, ['default'], `"default" is one of "values": ${allowed.join(', ')}.`);
  }
  return { allowed, defaultValue };
}

/** A value of gateway.yaml in the attribute's type; undefined when it is none, which is reported. */
function checkedConstant(
  value: AttributeValue,
  attribute: Attribute,
  report: (message: string) => void,
): AttributeValue | undefined {
  try {
    const single: Attribute = attribute.multiValued ? { ...attribute, multiValued: false } : attribute;
    const parsed = parseAttributeValue(single, value, tolerantDialect, attribute.path);
    if (parsed === undefined) report(`"${attribute.path}" needs a value here, not an empty text.`);
    return parsed as AttributeValue | undefined;
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    report(error.message);
    return undefined;
  }
}

/** The value of a `constant` rule in the attribute's type. */
export function compileConstant(source: SourcedRule, attribute: Attribute, context: LeafContext): Constant | undefined {
  const { constant } = source.rule;
  if (constant === undefined) return undefined;
  checkOptions(source, 'constant', context.problem);
  const value = checkedConstant(constant, attribute, (message) => context.problem(source, ['constant'], message));
  return value === undefined ? undefined : { attribute, value };
}

type TemplateKey = 'template' | 'fallback' | 'fallbackOnCreate';

function compileTemplates(
  source: SourcedRule,
  attribute: Attribute,
  context: LeafContext,
): Readonly<Record<TemplateKey, BoundTemplate | undefined>> {
  const { rule } = source;
  if (rule.fallbackOnCreate !== undefined && attribute.path === 'externalId') {
    context.problem(
      source,
      ['fallbackOnCreate'],
      'The externalId belongs to the identity provider and is never made up here (RFC 7643 §3.1).',
    );
  }
  const compile = (key: TemplateKey): BoundTemplate | undefined => templateOf(rule, key, source, attribute, context);
  return {
    template: compile('template'),
    fallback: compile('fallback'),
    fallbackOnCreate: compile('fallbackOnCreate'),
  };
}

function templateOf(
  rule: RuleConfig,
  key: TemplateKey,
  source: SourcedRule,
  attribute: Attribute,
  { type, problem }: LeafContext,
): BoundTemplate | undefined {
  const text = rule[key];
  if (text === undefined) return undefined;
  if (attribute.type !== 'string' && attribute.type !== 'reference') {
    problem(source, [key], `A template makes text; "${attribute.path}" is of type ${attribute.type}.`);
    return undefined;
  }
  const { template, problems } = bindTemplate(text, type);
  for (const message of problems) problem(source, [key], message);
  if (template?.needs.some((needed) => needed.returned === 'never') === true && key === 'fallback')
    problem(source, [key], 'A "fallback" cannot show what is never returned, such as the password.');
  return template;
}
