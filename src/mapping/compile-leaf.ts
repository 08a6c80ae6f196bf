import { resolvePath } from '../scim/attribute-path.js';
import { tolerantDialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import type { Attribute, ResourceType } from '../scim/schema.js';
import { parseAttributeValue } from '../scim/value-parser.js';
import type { AttributeValue } from './codec.js';
import { createCodec } from './codec-registry.js';
import type { Leaf, ReferencePlan } from './plan.js';
import { readTemplatePath } from './resource-values.js';
import type { SourcedRule } from './rule.js';
import { compileTemplate, type Template } from './template.js';

/** A resource type that references may point to. */
export interface TargetType {
  readonly name: string;
  readonly entity: string;
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

/** Compiles a rule for a simple attribute or sub-attribute. */
export function compileLeaf(
  source: SourcedRule,
  attribute: Attribute,
  multiple: boolean,
  context: LeafContext,
): Leaf | undefined {
  const { rule } = source;
  const report = (at: string, message: string): void => context.problem(source, [at], message);
  if (rule.field === undefined) {
    context.problem(source, [], 'A rule names a "field" (or a "constant").');
    return undefined;
  }
  if (rule.readOnly === true && rule.writeOnly === true)
    report('writeOnly', 'A rule cannot be both readOnly and writeOnly.');
  if (rule.records !== undefined)
    report('records', `"records" is for multi-valued complex attributes; "${attribute.path}" is a simple value.`);
  if (rule.fallbackOnCreate !== undefined && attribute.path === 'externalId') {
    report(
      'fallbackOnCreate',
      'The externalId belongs to the identity provider and is never made up here (RFC 7643 §3.1).',
    );
  }
  const { codec, problems } = createCodec(rule.codec, attribute, multiple);
  for (const message of problems) report('codec', message);
  const allowed = rule.values?.map((value, index) =>
    checkedValue(value, attribute, (message) => context.problem(source, ['values', index], message)),
  );
  const defaultValue =
    rule.default === undefined
      ? undefined
      : checkedValue(rule.default, attribute, (message) => report('default', message));
  if (rule.onUnknown === 'default' && defaultValue === undefined)
    report('onUnknown', '"onUnknown: default" needs a "default".');
  const template = templateOf(rule.template, 'template', source, context);
  const fallback = templateOf(rule.fallback, 'fallback', source, context);
  const fallbackOnCreate = templateOf(rule.fallbackOnCreate, 'fallbackOnCreate', source, context);
  if (codec === undefined) return undefined;
  const { read, written } = ownMutability(source, attribute);
  const top = attribute.parent ?? attribute;
  return {
    attribute,
    key: source.key,
    field: rule.field,
    codec,
    read,
    written,
    unique: rule.unique ?? (attribute.path === 'userName' && context.type.name === 'User'),
    required: rule.required === true,
    template,
    defaultValue,
    fallback,
    fallbackOnCreate,
    allowed: allowed?.filter((value) => value !== undefined),
    onUnknown: rule.onUnknown ?? 'reject',
    clearOn: new Set(rule.clearOn ?? []),
    keepWhenOmitted:
      rule.omitted === undefined ? top.path === 'active' || top.path === 'password' : rule.omitted === 'keep',
    reference: compileReference(source, context),
  };
}

function checkedValue(
  value: AttributeValue,
  attribute: Attribute,
  report: (message: string) => void,
): AttributeValue | undefined {
  try {
    const single: Attribute = attribute.multiValued ? { ...attribute, multiValued: false } : attribute;
    const parsed = parseAttributeValue(single, value, tolerantDialect, attribute.path);
    return parsed === undefined ? undefined : (parsed as AttributeValue);
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    report(error.message);
    return undefined;
  }
}

function templateOf(
  text: string | undefined,
  at: string,
  source: SourcedRule,
  { type, problem }: LeafContext,
): Template | undefined {
  if (text === undefined) return undefined;
  const { template, problems } = compileTemplate(text, (path) => {
    const reader = readTemplatePath(path, type);
    return typeof reader === 'string' ? { ok: false, message: reader } : { ok: true };
  });
  for (const message of problems) problem(source, [at], message);
  return template;
}

/** Compiles a rule's `reference`. */
export function compileReference(source: SourcedRule, context: LeafContext): ReferencePlan | undefined {
  const { reference } = source.rule;
  if (reference === undefined) return undefined;
  const by: Record<string, string> = {};
  for (const [index, name] of reference.to.entries()) {
    const target = context.targets.get(name);
    if (target === undefined) {
      const known = [...context.targets.keys()].join(', ');
      context.problem(
        source,
        ['reference', 'to', index],
        `This gateway has no resource type "${name}"; it has ${known}.`,
      );
      continue;
    }
    by[name] = reference.by ?? target.lookupField;
  }
  const byId = Object.values(by).every((field) => field === '$id');
  if (reference.unknownReference === 'keep' && !byId) {
    context.problem(
      source,
      ['reference', 'unknownReference'],
      '"keep" needs values that are ids (by: $id): an id that names nothing has no other field to keep. Use drop or reject.',
    );
  }
  if (reference.display !== undefined && resolvePath(context.type, reference.display).kind === 'unknown') {
    const [only] = reference.to;
    if (reference.to.length === 1 && only === context.type.name) {
      context.problem(source, ['reference', 'display'], `"${reference.display}" names no attribute of ${only}.`);
    }
  }
  return {
    targets: reference.to.filter((name) => context.targets.has(name)),
    by,
    display: reference.display,
    unknown: reference.unknownReference ?? (byId ? 'keep' : 'drop'),
    typeField: reference.type,
  };
}
