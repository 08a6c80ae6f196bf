import type { MappingConfig, RuleConfig, SourcedRule } from '../src/mapping/rule.js';
import { parseRuleTarget } from '../src/mapping/rule-target.js';
import type { ResourceType } from '../src/scim/schema.js';
import type { ExtensionsConfig } from './file-schema.js';
import type { ConfigFile } from './files.js';
import type { Path } from './problem.js';
import { scimPresetRules } from './scim-preset.js';

/** A part of a file that brings rules: `use` first, then `mapping`. */
export interface RuleSection {
  readonly file: ConfigFile;
  readonly path: Path;
  readonly use?: string | readonly string[];
  readonly mapping?: MappingConfig;
  readonly extensions?: ExtensionsConfig;
}

/** An entry of `use`: the parts of the file that it names. The generated preset `scim` has none. */
export interface UsedSections {
  readonly reference: string;
  readonly path: Path;
  readonly sections: readonly RuleSection[];
}

/** How `use` entries are opened; a cycle or a missing file gives no entry and is reported there. */
export type OpenUse = (
  section: RuleSection,
  typeName: string,
  within: readonly ConfigFile[],
) => readonly UsedSections[];

/** The other resource types of the gateway, and the adapter of each. */
export type Siblings = ReadonlyMap<string, string>;

/**
 * The rules of one resource type in the order of `use` and `mapping`. A rule of a later file or section replaces
 * earlier ones of the same attribute.
 */
export function collectRules(
  section: RuleSection,
  type: ResourceType,
  open: OpenUse,
  siblings: Siblings,
): readonly SourcedRule[] {
  const collect = (part: RuleSection, within: readonly ConfigFile[]): readonly SourcedRule[] => {
    const layers: (readonly SourcedRule[])[] = [];
    for (const { reference, path, sections } of open(part, type.name, within)) {
      if (reference === 'scim') {
        layers.push(fitting(scimPresetRules(type, { source: part.file.document.name, path }), type, siblings));
      }
      layers.push(...sections.map((used) => collect(used, [...within, used.file])));
    }
    layers.push(ownRules(part, type, siblings));
    return layers.reduce((earlier, later) => override(earlier, later, type), []);
  };
  return collect(section, [section.file]);
}

function ownRules(
  { file, path, mapping }: RuleSection,
  type: ResourceType,
  siblings: Siblings,
): readonly SourcedRule[] {
  const rules = Object.entries(mapping ?? {}).map(([key, rule]) => ({
    key,
    rule: typeof rule === 'string' ? { field: rule } : rule,
    origin: { source: file.document.name, path: [...path, 'mapping', key] },
  }));
  return file.isPreset ? fitting(rules, type, siblings) : rules;
}

/**
 * A preset's rules as far as this gateway has what they refer to: a gateway without groups has no `groups` either, and
 * a backend knows only its own inverse.
 */
function fitting(rules: readonly SourcedRule[], type: ResourceType, siblings: Siblings): readonly SourcedRule[] {
  return rules.flatMap((source) => {
    const rule = fittingRule(source.rule, siblings.get(type.name), siblings);
    return rule === undefined ? [] : [{ ...source, rule }];
  });
}

function fittingRule(rule: RuleConfig, adapter: string | undefined, siblings: Siblings): RuleConfig | undefined {
  const { reference } = rule;
  if (reference === undefined) return rule;
  const to = reference.to.filter((name) => siblings.has(name));
  if (to.length === 0) return undefined;
  const inverse = reference.inverseOf?.split('.')[0];
  if (inverse !== undefined && siblings.get(inverse) !== adapter) return undefined;
  return { ...rule, reference: { ...reference, to: [...to] as [string, ...string[]] } };
}

function override(
  earlier: readonly SourcedRule[],
  later: readonly SourcedRule[],
  type: ResourceType,
): readonly SourcedRule[] {
  if (later.length === 0) return earlier;
  const replacing = later.map(({ key }) => identityOf(key, type));
  const kept = earlier.filter(({ key }) => {
    const identity = identityOf(key, type);
    return !replacing.some((other) => replaces(other, identity));
  });
  return [...kept, ...later];
}

/** What a rule is about, so that two spellings of one path are seen as one. */
interface RuleIdentity {
  /** The attribute's canonical path; for a key that names nothing, the key. */
  readonly attribute: string;
  /** Constants of a slot, in the schema's order; empty without [ ]. */
  readonly slot: string;
  readonly sub: string;
  readonly multiValued: boolean;
}

export function identityOf(key: string, type: ResourceType): RuleIdentity {
  const target = parseRuleTarget(key, type);
  if (typeof target === 'string') return { attribute: key.toLowerCase(), slot: '', sub: '', multiValued: false };
  const constants = target.constants?.map(({ attribute, value }) => {
    return `${attribute.name}=${String(attribute.caseExact ? value : String(value).toLowerCase())}`;
  });
  return {
    attribute: target.attribute.path,
    slot: constants?.join('&') ?? '',
    sub: target.sub?.name ?? '',
    multiValued: target.attribute.multiValued,
  };
}

/**
 * A rule replaces one of the same path. A rule for a whole attribute replaces those for its parts, and in a multi-valued
 * attribute the other way round too: its elements are either kept whole or in slots.
 */
function replaces(later: RuleIdentity, earlier: RuleIdentity): boolean {
  if (later.attribute !== earlier.attribute) return false;
  if (later.slot === earlier.slot && later.sub === earlier.sub) return true;
  if (isWhole(later)) return true;
  if (isWhole(earlier)) return earlier.multiValued;
  return later.slot === earlier.slot && later.slot !== '' && (later.sub === '' || earlier.sub === '');
}

function isWhole({ slot, sub }: RuleIdentity): boolean {
  return slot === '' && sub === '';
}
