import { assertNever } from './assert-never.js';
import { type AttributePath, leafOf, type ResolvedFilter, type ResolvedPath, resolvePath } from './attribute-path.js';
import { instantKey } from './comparison.js';
import type { Dialect } from './dialect.js';
import { ScimError } from './error.js';
import {
  allOf,
  always,
  anyOf,
  type CompareOp,
  type CompareValue,
  type Filter,
  isAlways,
  isNever,
  never,
} from './filter.js';
import { type Attribute, isMultiComplex, type ResourceType, subAttribute } from './schema.js';

type Compare<P> = Extract<Filter<P>, { kind: 'compare' }>;

export interface ResolveOptions {
  readonly dialect: Dialect;
  /**
   * `absent`: an attribute that the type does not have counts as one without a value, for a query over several types
   * (RFC 7644 §3.4.2.1).
   */
  readonly unknown: 'reject' | 'absent';
}

/**
 * Holds a filter against a resource type: names become attributes, an attribute alone its `value` where it has one,
 * literals the attribute's type. What can never match has become `never`, and `eq null` has become `not pr`.
 * @throws ScimError 400 invalidFilter, naming every unknown attribute; or for an operator that the attribute's type does
 * not have, a complex attribute without sub-attribute, an attribute that is never returned
 */
export function resolveFilter(
  filter: Filter<AttributePath>,
  type: ResourceType,
  options: ResolveOptions,
): ResolvedFilter {
  const scope: Scope = {
    find: (text) => find(type, text, options.dialect),
    describeUnknown: (names) => `The resource type ${type.name} has no ${attributeList(names)}.`,
  };
  return resolveIn(scope, filter, options);
}

/**
 * Holds the filter in the brackets after `attribute` against its sub-attributes. The values of an attribute that is not
 * complex are called `value` there (erratum 7122).
 * @throws ScimError 400 invalidFilter as `resolveFilter` does
 */
export function resolveElementFilter(
  filter: Filter<AttributePath>,
  attribute: Attribute,
  dialect: Dialect,
): ResolvedFilter {
  return resolveIn(elementScope(attribute), filter, { dialect, unknown: 'reject' });
}

/** Where names are looked up: in a resource type, or in one attribute. */
interface Scope {
  readonly find: (text: string) => ResolvedPath | undefined;
  readonly describeUnknown: (names: readonly string[]) => string;
  /** Inside brackets. */
  readonly element?: Attribute;
}

interface Resolution extends ResolveOptions {
  readonly scope: Scope;
  /** Names that were not found, by the words for them. Reported together at the end. */
  readonly unknownNames: Map<Scope, string[]>;
  /** Other faults. The first is reported when all names are known. */
  readonly faults: string[];
}

function resolveIn(scope: Scope, filter: Filter<AttributePath>, options: ResolveOptions): ResolvedFilter {
  const resolution: Resolution = { scope, unknownNames: new Map(), faults: [], ...options };
  const resolved = resolve(filter, resolution);
  const unknown = [...resolution.unknownNames].map(([where, names]) => where.describeUnknown(names)).join(' ');
  const fault = unknown === '' ? resolution.faults[0] : unknown;
  if (fault !== undefined) throw ScimError.badRequest('invalidFilter', fault);
  return resolved;
}

function resolve(filter: Filter<AttributePath>, resolution: Resolution): ResolvedFilter {
  switch (filter.kind) {
    case 'compare': {
      const path = locate(filter.path, resolution);
      if (path !== undefined) return resolveCompare(filter, path, resolution);
      const absentMatches = filter.op === (filter.value === null ? 'eq' : 'ne');
      return absentMatches ? always : never;
    }
    case 'present': {
      const path = locate(filter.path, resolution);
      return path === undefined ? never : { kind: 'present', path };
    }
    case 'and':
      return allOf(filter.operands.map((operand) => resolve(operand, resolution)));
    case 'or':
      return anyOf(filter.operands.map((operand) => resolve(operand, resolution)));
    case 'not':
      return negated(resolve(filter.operand, resolution));
    case 'valuePath': {
      const path = locate(filter.path, resolution);
      return path === undefined ? never : resolveValuePath(filter.filter, path, resolution);
    }
    default:
      return assertNever(filter);
  }
}

/** `not`, with the constants folded; a double negation stays as the client wrote it. */
function negated(operand: ResolvedFilter): ResolvedFilter {
  return isAlways(operand) ? never : isNever(operand) ? always : { kind: 'not', operand };
}

/** Undefined when there is no such attribute, or none to filter on: then it is recorded. */
function locate({ text }: AttributePath, resolution: Resolution): ResolvedPath | undefined {
  const { scope, unknownNames } = resolution;
  const path = scope.find(text);
  if (path === undefined) {
    if (resolution.unknown === 'reject') {
      const names = unknownNames.get(scope) ?? [];
      if (!names.includes(text)) names.push(text);
      unknownNames.set(scope, names);
    }
    return undefined;
  }
  if (path.attribute.returned === 'never' || path.sub?.returned === 'never') {
    // Comparing would give away what is never shown: a password letter by letter with "sw" (RFC 7643 §7).
    resolution.faults.push(`"${leafOf(path).path}" is never returned and cannot be used in a filter.`);
    return undefined;
  }
  return path;
}

function find(type: ResourceType, text: string, dialect: Dialect): ResolvedPath | undefined {
  const found = resolvePath(type, text);
  if (found.kind !== 'attribute') return undefined;
  const isBareName = !text.includes(':');
  if (isBareName && found.path.attribute.inExtension && !dialect.tolerates('bareExtensionNames')) return undefined;
  return found.path;
}

function elementScope(attribute: Attribute): Scope {
  return {
    element: attribute,
    find: (text) => {
      if (attribute.type !== 'complex') {
        return text.toLowerCase() === 'value' ? { attribute, sub: undefined } : undefined;
      }
      const sub = subAttribute(attribute, text);
      return sub === undefined ? undefined : { attribute, sub };
    },
    describeUnknown: (names) => `"${attribute.path}" has no sub-${attributeList(names)}.`,
  };
}

function attributeList(names: readonly string[]): string {
  return `${names.length === 1 ? 'attribute' : 'attributes'} ${names.map((name) => `"${name}"`).join(', ')}`;
}

function resolveValuePath(filter: Filter<AttributePath>, path: ResolvedPath, resolution: Resolution): ResolvedFilter {
  const { attribute, sub } = path;
  const fault = valuePathFault(path, resolution);
  if (fault !== undefined) {
    resolution.faults.push(fault);
    return never;
  }
  const inner = resolve(filter, { ...resolution, scope: elementScope(attribute) });
  if (isNever(inner)) return never;
  return isAlways(inner) ? { kind: 'present', path } : { kind: 'valuePath', path: { attribute, sub }, filter: inner };
}

function valuePathFault({ attribute, sub }: ResolvedPath, { scope, dialect }: Resolution): string | undefined {
  if (scope.element !== undefined) return `A value path cannot stand inside "${scope.element.path}[ ]".`;
  if (sub !== undefined) return `"${sub.path}" is a sub-attribute: the brackets go after "${attribute.path}".`;
  if (attribute.type === 'complex') return undefined;
  if (!attribute.multiValued) return `"${attribute.path}" has one simple value: compare it without brackets.`;
  return dialect.tolerates('simpleValuePaths')
    ? undefined
    : `"${attribute.path}" is not complex: compare it without brackets.`;
}

function resolveCompare(
  { op, value }: Compare<AttributePath>,
  written: ResolvedPath,
  resolution: Resolution,
): ResolvedFilter {
  if (value === null && (op === 'eq' || op === 'ne')) {
    const present: ResolvedFilter = { kind: 'present', path: written };
    return op === 'ne' ? present : { kind: 'not', operand: present };
  }
  const path = withDefaultSub(written, resolution.dialect);
  if (path === undefined) {
    resolution.faults.push(`"${written.attribute.path}" is complex: ${exampleOfSub(written.attribute)}.`);
    return never;
  }
  const leaf = leafOf(path);
  if (!hasOperator(leaf, op)) {
    resolution.faults.push(`The operator "${op}" does not go with "${leaf.path}", whose type is ${leaf.type}.`);
    return never;
  }
  const literal = canonical(leaf, op, literalFor(leaf, value, resolution));
  if (literal === undefined) return op === 'ne' ? always : never; // GAP-03
  if (literal === false && isPrimary(path)) {
    return resolvePrimary(path, op, resolution.scope);
  }
  return { kind: 'compare', path, op, value: literal };
}

/**
 * A complex attribute alone means its `value`: by RFC 7644 §3.4.2.2 (Figure 2, `emails co "example.com"`) when it is
 * multi-valued, and by tolerance when it is not (Entra ID: `manager eq "id"`).
 */
function withDefaultSub(path: ResolvedPath, dialect: Dialect): ResolvedPath | undefined {
  if (leafOf(path).type !== 'complex') return path;
  const value = subAttribute(path.attribute, 'value');
  if (value === undefined) return undefined;
  return isMultiComplex(path.attribute) || dialect.tolerates('simpleReferences')
    ? { attribute: path.attribute, sub: value }
    : undefined;
}

function exampleOfSub(attribute: Attribute): string {
  const example = subAttribute(attribute, 'value') ?? attribute.subAttributes[0];
  return example === undefined ? 'it cannot be compared' : `name a sub-attribute, such as "${example.path}"`;
}

function hasOperator(leaf: Attribute, op: CompareOp): boolean {
  switch (op) {
    case 'eq':
    case 'ne':
      return true;
    case 'gt':
    case 'ge':
    case 'lt':
    case 'le':
      return leaf.type !== 'boolean' && leaf.type !== 'binary';
    default:
      return leaf.type === 'string' || leaf.type === 'reference' || leaf.type === 'binary';
  }
}

/** Bytes are equal whatever their base64 looks like: with or without padding (RFC 7643 §2.3.6). */
function canonical(leaf: Attribute, op: CompareOp, literal: CompareValue | undefined): CompareValue | undefined {
  const isBytes = leaf.type === 'binary' && (op === 'eq' || op === 'ne') && typeof literal === 'string';
  return isBytes ? Buffer.from(literal, 'base64').toString('base64') : literal;
}

/** The literal in the attribute's type; undefined when it is of another type and so matches no value. */
function literalFor(leaf: Attribute, value: CompareValue, resolution: Resolution): CompareValue | undefined {
  switch (leaf.type) {
    case 'boolean':
      if (typeof value === 'boolean') return value;
      if (typeof value !== 'string' || !resolution.dialect.tolerates('stringBooleans')) return undefined;
      if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
      resolution.faults.push(`"${leaf.path}" is compared with true or false.`);
      return undefined;
    case 'integer':
    case 'decimal':
      return typeof value === 'number' ? value : undefined;
    case 'dateTime':
      if (typeof value !== 'string') return undefined;
      if (instantKey(value) !== undefined) return value;
      resolution.faults.push(`"${leaf.path}" is compared with a date and time, such as "2011-05-13T04:42:34Z".`);
      return undefined;
    default:
      return typeof value === 'string' ? value : undefined;
  }
}

function isPrimary({ attribute, sub }: ResolvedPath): boolean {
  return attribute.multiValued && sub?.name.toLowerCase() === 'primary';
}

/** An element without `primary` is not the primary one, so `eq false` takes it too (RFC 7643 §2.4). */
function resolvePrimary(path: ResolvedPath, op: CompareOp, scope: Scope): ResolvedFilter {
  const isTrue: ResolvedFilter = { kind: 'compare', path, op: 'eq', value: true };
  const isFalse: ResolvedFilter = { kind: 'not', operand: isTrue };
  if (scope.element !== undefined) return op === 'ne' ? isTrue : isFalse;
  const anyFalse: ResolvedFilter = {
    kind: 'valuePath',
    path: { attribute: path.attribute, sub: undefined },
    filter: isFalse,
  };
  return op === 'ne' ? { kind: 'not', operand: anyFalse } : anyFalse;
}
