import { resolvePath } from '../scim/attribute-path.js';
import { tolerantDialect } from '../scim/dialect.js';
import { editDistance } from '../scim/edit-distance.js';
import { ScimError } from '../scim/error.js';
import { parsePatchPath } from '../scim/filter-parser.js';
import { resolveElementFilter } from '../scim/filter-resolve.js';
import { equalityConstants } from '../scim/patch-apply.js';
import { type Attribute, type ResourceType, subAttribute } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import { resolveNamedMapping } from './named-mappings.js';
import { byNearness } from './nearness.js';
import type { Constant } from './plan.js';
import type { SourcedRule } from './rule.js';

/** What a rule's key names: an attribute, a slot of it, a sub-attribute. */
export interface RuleTarget {
  readonly attribute: Attribute;
  /** The slot's constants; undefined when the key has no [ ]. */
  readonly constants: readonly Constant[] | undefined;
  readonly sub: Attribute | undefined;
}

/** A rule with what its key names. */
export interface TargetedRule {
  readonly source: SourcedRule;
  readonly target: RuleTarget;
}

/**
 * Reads a rule's key: an attribute path (`emails[type eq "work"].value`) or a named mapping (`workEmail`).
 * @returns a text that says what is wrong and what would be right, when the key names nothing
 */
export function parseRuleTarget(key: string, type: ResourceType): RuleTarget | string {
  const text = resolveNamedMapping(key, type.name) ?? key;
  try {
    const path = parsePatchPath(text, tolerantDialect);
    const resolution = resolvePath(type, path.attribute);
    if (resolution.kind !== 'attribute') {
      return `"${key}" names no attribute of ${type.name}. Use a path such as userName, name.givenName or emails[type eq "work"].value${suggestion(key, type)}.`;
    }
    const { attribute } = resolution.path;
    const sub = path.sub === undefined ? resolution.path.sub : subAttribute(attribute, path.sub);
    if (path.sub !== undefined && sub === undefined) {
      return `"${attribute.path}" has no sub-attribute "${path.sub}"; it has ${attribute.subAttributes.map((candidate) => candidate.name).join(', ')}.`;
    }
    if (path.filter === undefined) return { attribute, constants: undefined, sub };
    if (!attribute.multiValued || attribute.type !== 'complex') {
      return `"${attribute.path}" is not a list of complex values, so it takes no [ ].`;
    }
    const constants = equalityConstants(resolveElementFilter(path.filter, attribute, tolerantDialect));
    if (constants === undefined) {
      return `The [ ] of a rule names constants: [type eq "work"], several joined by "and". It says where values go, so other conditions have no meaning here.`;
    }
    return {
      attribute,
      sub,
      constants: attribute.subAttributes.flatMap((candidate) => {
        const value = constants[candidate.name];
        return value === undefined ? [] : [{ attribute: candidate, value: value as AttributeValue }];
      }),
    };
  } catch (error) {
    if (error instanceof ScimError) return `"${key}" is no attribute path: ${error.message}`;
    throw error;
  }
}

/** The attribute whose name is nearly that: a letter or two off, or with the same beginning. */
function suggestion(key: string, type: ResourceType): string {
  const head = (key.split(/[.[]/)[0] ?? key).split(':').at(-1)?.toLowerCase() ?? '';
  const [nearest] = byNearness(
    head,
    type.attributes.map(({ name }) => name),
  );
  const isNear = (name: string): boolean =>
    editDistance(head, name.toLowerCase()) <= Math.max(1, head.length / 3) ||
    (head.length > 2 && name.toLowerCase().startsWith(head));
  const near =
    nearest !== undefined && isNear(nearest) ? nearest : type.attributes.find(({ name }) => isNear(name))?.name;
  return near === undefined ? '' : ` (did you mean "${near}"?)`;
}
