import { type Condition, parseFlagField } from '../../src/backend/adapter.js';
import { fold, instantKey } from '../../src/scim/comparison.js';
import { allOf, anyOf, type CompareOp, type CompareValue, toNegationNormalForm } from '../../src/scim/filter.js';
import { comparisonOf, operatorsOf } from './capabilities.js';
import type { AttributeValue } from './directory.js';
import { type EntityPlan, type FieldPlan, fieldOf } from './entity-plan.js';
import { hasFraction } from './generalized-time.js';
import { guidBytes, isGuidText } from './guid.js';
import { everything, type LdapFilter, matchingRule, nothing } from './ldap-filter.js';
import { hasPrimaryGroup } from './primary-group.js';
import { encodeValue } from './values.js';

/** A condition as the server and this adapter carry it out together. */
export interface CompiledFilter {
  /** Selects all that matches, and perhaps more. */
  readonly filter: LdapFilter;
  /** What is still to be looked at in the records that the server gives; undefined when the filter selects exactly. */
  readonly residual: Condition | undefined;
}

/** The DN that stands for an id in a reference field; undefined when the id names nothing. */
export type DnOf = (field: FieldPlan, id: string) => string | undefined;

const exactly = (filter: LdapFilter): CompiledFilter => ({ filter, residual: undefined });

/** The ids that a condition compares reference fields with: to be looked up before it is compiled. */
export function referencedIds(
  condition: Condition | undefined,
  plan: EntityPlan,
): readonly { readonly field: FieldPlan; readonly id: string }[] {
  if (condition === undefined) return [];
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.operands.flatMap((operand) => referencedIds(operand, plan));
    case 'not':
      return referencedIds(condition.operand, plan);
    case 'compare': {
      const field = plan.fields.get(condition.path);
      return field?.form === 'reference' && typeof condition.value === 'string' ? [{ field, id: condition.value }] : [];
    }
    default:
      return [];
  }
}

/**
 * A condition over fields as an LDAP filter, the entity's own filter not included.
 * @throws AdapterError `unsupported` for a field that the mapping does not declare
 */
export function compileFilter(condition: Condition | undefined, plan: EntityPlan, dnOf: DnOf): CompiledFilter {
  if (condition === undefined) return exactly(everything);
  return compile(toNegationNormalForm(condition), plan, dnOf);
}

function compile(condition: Condition, plan: EntityPlan, dnOf: DnOf): CompiledFilter {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.operands.map((operand) => compile(operand, plan, dnOf));
      const residuals = parts.flatMap(({ residual }) => residual ?? []);
      return {
        filter: both(parts.map(({ filter }) => filter)),
        residual: residuals.length === 0 ? undefined : allOf(residuals),
      };
    }
    case 'or': {
      const parts = condition.operands.map((operand) => compile(operand, plan, dnOf));
      const isExact = parts.every(({ residual }) => residual === undefined);
      return {
        filter: either(parts.map(({ filter }) => filter)),
        residual: isExact ? undefined : anyOf(condition.operands),
      };
    }
    case 'not': {
      const { filter, residual } = compile(condition.operand, plan, dnOf);
      // The opposite of too much would be too little.
      return residual === undefined ? exactly(opposite(filter)) : { filter: everything, residual: condition };
    }
    case 'present':
    case 'compare': {
      const leaf = compileLeaf(condition, plan, dnOf);
      return { filter: leaf.filter, residual: leaf.isExact ? undefined : condition };
    }
    case 'valuePath':
      return exactly(nothing); // no field of a directory holds child records
  }
}

interface Leaf {
  readonly filter: LdapFilter;
  readonly isExact: boolean;
}

const exact = (filter: LdapFilter): Leaf => ({ filter, isExact: true });
const superset = (filter: LdapFilter): Leaf => ({ filter, isExact: false });

function compileLeaf(
  condition: Extract<Condition, { kind: 'compare' | 'present' }>,
  plan: EntityPlan,
  dnOf: DnOf,
): Leaf {
  const flag = compileFlag(condition, plan);
  if (flag !== undefined) return flag;
  const field = filterField(plan, condition.path);
  const present: LdapFilter = { kind: 'present', attribute: field.attribute };
  if (field.searchedIn !== undefined) return superset(everything);
  if (field.key === 'dn') return compileOwnName(condition, plan);
  // A leaf over an attribute that the schema does not have is Undefined, and so would be its negation.
  if (field.type === undefined && field.name !== '$id') return exact(nothing);
  if (condition.kind === 'present') {
    if (hasPrimaryGroup(field, plan)) return superset(everything);
    return holdsPlaceholder(field, plan) ? superset(present) : exact(present);
  }
  const { op, value } = condition;
  if (value === null || op === 'ne') return superset(everything);
  if (field.name === '$id') return compileId(field, op, value, plan);
  switch (field.form) {
    case 'reference':
      return compileReference(field, op, value, dnOf);
    case 'integer':
      return compileNumber(field, op, value);
    case 'boolean':
      return op === 'eq' && typeof value === 'boolean' ? exact(equal(field, value ? 'TRUE' : 'FALSE')) : exact(nothing);
    case 'time':
      return compileTime(field, op, value);
    case 'bytes':
    case 'base64':
    case 'guid':
      return compileBytes(field, op, value);
    case 'dn':
      return typeof value === 'string' && op === 'eq' ? superset(equal(field, value)) : superset(present);
    case 'text':
      return typeof value === 'string' ? compileText(field, op, value, plan) : exact(nothing);
  }
}

/** All bits of a mask are set in a number. */
function compileFlag(
  condition: Extract<Condition, { kind: 'compare' | 'present' }>,
  plan: EntityPlan,
): Leaf | undefined {
  const flag = plan.fields.has(condition.path) ? undefined : parseFlagField(condition.path);
  if (flag === undefined || condition.kind !== 'compare' || condition.op !== 'eq') return undefined;
  const { attribute, type } = fieldOf(plan, flag.field);
  if (type === undefined || condition.value !== true) return exact(nothing);
  return exact({ kind: 'extensible', attribute, rule: matchingRule.bitAnd, value: String(flag.mask) });
}

/** A field in a condition, reserved ones too. */
export function filterField(plan: EntityPlan, name: string): FieldPlan {
  if (name === '$id') return plan.id;
  if (name === '$created' || name === '$modified') return timeField(plan, name);
  if (name === plan.use.id && !plan.fields.has(name)) return plan.id;
  return fieldOf(plan, name);
}

function timeField(plan: EntityPlan, name: '$created' | '$modified'): FieldPlan {
  const wanted = name === '$created' ? plan.times.created : plan.times.modified;
  const type = plan.server.schema.attribute(wanted);
  const attribute = type?.name ?? wanted;
  const use = { ...plan.id.use, name, type: 'instant', comparison: 'instant', unique: false } as const;
  const isWhole = plan.server.kind === 'active-directory';
  return { ...plan.id, name, use, attribute, key: attribute.toLowerCase(), type, form: 'time', isWhole };
}

export function holdsPlaceholder(field: FieldPlan, plan: EntityPlan): boolean {
  return plan.placeholder !== undefined && field.use.multiple && (field.form === 'reference' || field.form === 'dn');
}

function equal(field: FieldPlan, value: AttributeValue): LdapFilter {
  return { kind: 'equality', attribute: field.attribute, value };
}

function compileId(field: FieldPlan, op: CompareOp, value: CompareValue, plan: EntityPlan): Leaf {
  if (op !== 'eq' || typeof value !== 'string') return superset(everything);
  const stored = storedId(plan, value);
  return stored === undefined ? exact(nothing) : idFilter(field, stored);
}

function idFilter(field: FieldPlan, stored: AttributeValue): Leaf {
  // Of an attribute of one's choice the server may ignore letter case and spaces.
  const isUuid = typeof stored !== 'string' || isGuidText(stored);
  return isUuid ? exact(equal(field, stored)) : superset(equal(field, stored));
}

const knownIdPattern = new Map<string, RegExp>([
  ['entryuuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ['nsuniqueid', /^[0-9a-f]{8}(-[0-9a-f]{8}){3}$/],
]);

/** An id as the server keeps it; undefined for what can be no id of the entity. */
export function storedId(plan: EntityPlan, id: string): AttributeValue | undefined {
  if (!id.startsWith(plan.idPrefix)) return undefined;
  const own = id.slice(plan.idPrefix.length);
  if (own === '' || own.includes('\0') || own.length > 1_000) return undefined;
  if (plan.id.form === 'guid') return guidBytes(own);
  const pattern = knownIdPattern.get(plan.id.key);
  if (pattern !== undefined) return pattern.test(own) ? own : undefined;
  return plan.id.form === 'base64' ? Buffer.from(own, 'base64') : own;
}

function compileOwnName(condition: Extract<Condition, { kind: 'compare' | 'present' }>, plan: EntityPlan): Leaf {
  if (condition.kind === 'present') return exact(everything);
  if (condition.op !== 'eq' || typeof condition.value !== 'string') return superset(everything);
  const attribute = plan.server.kind === 'active-directory' ? 'distinguishedName' : 'entryDN';
  return superset({ kind: 'equality', attribute, value: condition.value });
}

function compileReference(field: FieldPlan, op: CompareOp, value: CompareValue, dnOf: DnOf): Leaf {
  if (op !== 'eq' || typeof value !== 'string') return superset({ kind: 'present', attribute: field.attribute });
  const dn = dnOf(field, value);
  return dn === undefined ? exact(nothing) : exact(equal(field, dn));
}

function compileNumber(field: FieldPlan, op: CompareOp, value: CompareValue): Leaf {
  if (typeof value !== 'number') return exact(nothing);
  const whole = Number.isInteger(value);
  switch (op) {
    case 'eq':
      return exact(whole ? equal(field, digits(value)) : nothing);
    case 'ge':
      return exact(atLeast(field, digits(Math.ceil(value))));
    case 'gt':
      return exact(atLeast(field, digits(Math.floor(value) + 1)));
    case 'le':
      return exact(atMost(field, digits(Math.floor(value))));
    case 'lt':
      return exact(atMost(field, digits(Math.ceil(value) - 1)));
    default:
      return exact(nothing);
  }
}

function digits(value: number): string {
  return BigInt(value).toString();
}

function atLeast(field: FieldPlan, value: string): LdapFilter {
  return { kind: 'greaterOrEqual', attribute: field.attribute, value };
}

function atMost(field: FieldPlan, value: string): LdapFilter {
  return { kind: 'lessOrEqual', attribute: field.attribute, value };
}

/** LDAP has no strict order: "after" is "not before" and then looked at again. */
function compileTime(field: FieldPlan, op: CompareOp, value: CompareValue): Leaf {
  if (typeof value !== 'string' || instantKey(value) === undefined) return exact(nothing);
  const time = String(encodeValue(field, value));
  const isRounded = field.isWhole && hasFraction(value);
  switch (op) {
    case 'eq':
      // Samba finds nothing by equality of its own times.
      return isRounded ? exact(nothing) : exact(isAtOnce(field, time));
    case 'ge':
      return isRounded ? superset(atLeast(field, time)) : exact(atLeast(field, time));
    case 'gt':
      return superset(atLeast(field, time));
    case 'le':
      return exact(atMost(field, time));
    case 'lt':
      return superset(atMost(field, time));
    default:
      return exact(nothing);
  }
}

function isAtOnce(field: FieldPlan, time: string): LdapFilter {
  return field.isWhole ? both([atLeast(field, time), atMost(field, time)]) : equal(field, time);
}

/** Bytes are their base64 text in conditions; of other texts than the usual form nothing is equal. */
function compileBytes(field: FieldPlan, op: CompareOp, value: CompareValue): Leaf {
  if (op !== 'eq' || typeof value !== 'string') return superset({ kind: 'present', attribute: field.attribute });
  if (field.form === 'guid') {
    const bytes = guidBytes(value);
    return exact(bytes === undefined ? nothing : equal(field, bytes));
  }
  const bytes = Buffer.from(value, 'base64');
  return exact(bytes.length > 0 && bytes.toString('base64') === value ? equal(field, bytes) : nothing);
}

/**
 * Texts. Directories ignore runs of spaces, and each folds letters and composes accents in its own way: what is not
 * surely alike everywhere is left open in the filter, and the records are looked at again.
 */
function compileText(field: FieldPlan, op: CompareOp, literal: string, plan: EntityPlan): Leaf {
  if (operatorsOf(field, plan)[op === 'ne' ? 'eq' : op] === undefined) {
    return superset({ kind: 'present', attribute: field.attribute });
  }
  const value = comparisonOf(field) === 'fold' ? fold(literal) : literal;
  const present: LdapFilter = { kind: 'present', attribute: field.attribute };
  if (value === '') return op === 'eq' ? exact(nothing) : exact(present);
  if (isAsciiOnly(field) && /[^\0-\x7f]/.test(value)) return exact(nothing);
  if (op !== 'eq' && op !== 'co' && op !== 'sw' && op !== 'ew') return superset(present);
  const narrow = compileSpelling(field, op, value, plan);
  const wide = comparisonOf(field) === 'fold' && !foldsWidth(plan) ? wideForm(value) : value;
  return wide === value ? narrow : superset(either([narrow.filter, compileSpelling(field, op, wide, plan).filter]));
}

/** 389 Directory Server finds no part of a text that goes on over the end of a line. */
function endsAtLine(value: string, { server }: EntityPlan): boolean {
  return /[\n\r]/.test(value) && (server.kind === '389-ds' || server.kind === 'generic');
}

/** Letters as wide as an ideograph, which Japanese input gives, are the usual ones to us and to most servers. */
function foldsWidth({ server }: EntityPlan): boolean {
  return server.kind === 'openldap' || (server.kind === 'active-directory' && !server.isSamba);
}

function wideForm(value: string): string {
  return value.replaceAll(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
}

function compileSpelling(field: FieldPlan, op: 'eq' | 'co' | 'sw' | 'ew', value: string, plan: EntityPlan): Leaf {
  const present: LdapFilter = { kind: 'present', attribute: field.attribute };
  const pieces = withoutOpenEnd(surePieces(value, plan), field, op, plan);
  const isWhole = pieces.length === 1 && pieces[0] === value;
  if (op === 'eq' && isWhole) return superset(equal(field, value));
  if (operatorsOf(field, plan).co === undefined)
    return superset(op === 'eq' && isSimple(value) ? equal(field, value) : present);
  if (pieces.every((piece) => piece === '') || endsAtLine(value, plan)) return superset(present);
  return superset(substringsOf(field, pieces, op));
}

const ia5Syntax = '1.3.6.1.4.1.1466.115.121.1.26';

function isAsciiOnly(field: FieldPlan): boolean {
  return field.type?.syntax === ia5Syntax;
}

/** Single spaces between plain characters: every rule takes that for itself. */
function isSimple(value: string): boolean {
  return /^[!-~]+( [!-~]+)*$/.test(value);
}

/** What may stand for something else: spaces, controls, what is composed, and letters with two lower-case forms. */
const unsure = /[^!-~\p{L}\p{N}]/u;
const foldedDifferently = /[\u03a3\u03c2\u03c3\u0130\u0131\u017f\u1e9e\u212a\uffa0-\uffdc]/u;

function surePieces(value: string, plan: EntityPlan): readonly string[] {
  if (isSimple(value)) return [value];
  const composes = plan.server.kind === 'openldap';
  const pieces: string[] = [''];
  for (const character of value) {
    const isSure =
      (!unsure.test(character) || /[\uff01-\uff5e]/.test(character)) &&
      !foldedDifferently.test(character) &&
      (character < '\x80' || composes || isInert(character) || /[\uff01-\uff5e]/.test(character));
    if (isSure) pieces[pieces.length - 1] += character;
    else if (/\p{M}/u.test(character)) pieces.push(withoutLast(pieces.pop() ?? ''), '');
    else pieces.push('');
  }
  return pieces;
}

/**
 * A server that composes accents takes "a" and a mark for one letter, in which a text that ends with "a" is not found. Only
 * where our own comparison takes them apart does that matter.
 */
function withoutOpenEnd(
  pieces: readonly string[],
  field: FieldPlan,
  op: CompareOp,
  plan: EntityPlan,
): readonly string[] {
  if (plan.server.kind !== 'openldap' || comparisonOf(field) !== 'exact' || (op !== 'co' && op !== 'sw')) return pieces;
  const last = pieces.at(-1) ?? '';
  return /\p{L}$/u.test(last) ? [...pieces.slice(0, -1), withoutLast(last), ''] : pieces;
}

function withoutLast(text: string): string {
  return [...text].slice(0, -1).join('');
}

/** Has neither case nor parts, so that all servers take it for itself. */
function isInert(character: string): boolean {
  return (
    character.normalize('NFKD') === character &&
    character.toLowerCase() === character &&
    character.toUpperCase() === character
  );
}

function substringsOf(field: FieldPlan, pieces: readonly string[], op: 'eq' | 'co' | 'sw' | 'ew'): LdapFilter {
  const isAnchoredFirst = op === 'eq' || op === 'sw';
  const isAnchoredLast = op === 'eq' || op === 'ew';
  const first = isAnchoredFirst ? pieces[0] : undefined;
  const last = isAnchoredLast && (pieces.length > 1 || !isAnchoredFirst) ? pieces.at(-1) : undefined;
  const any = pieces
    .slice(isAnchoredFirst ? 1 : 0, last === undefined ? undefined : -1)
    .filter((piece) => piece !== '');
  return {
    kind: 'substrings',
    attribute: field.attribute,
    ...(first ? { initial: first } : {}),
    ...(any.length > 0 ? { any } : {}),
    ...(last ? { final: last } : {}),
  };
}

export function both(filters: readonly LdapFilter[]): LdapFilter {
  if (filters.some((filter) => filter === nothing)) return nothing;
  const useful = filters.filter((filter) => filter !== everything);
  const [first] = useful;
  return first === undefined ? everything : useful.length === 1 ? first : { kind: 'and', operands: useful };
}

export function either(filters: readonly LdapFilter[]): LdapFilter {
  if (filters.some((filter) => filter === everything)) return everything;
  const useful = filters.filter((filter) => filter !== nothing);
  const [first] = useful;
  return first === undefined ? nothing : useful.length === 1 ? first : { kind: 'or', operands: useful };
}

function opposite(filter: LdapFilter): LdapFilter {
  if (filter === everything) return nothing;
  if (filter === nothing) return everything;
  return filter.kind === 'not' ? filter.operand : { kind: 'not', operand: filter };
}
