import { fold } from '../../src/scim/comparison.js';
import type { CompareOp } from '../../src/scim/filter.js';
import { comparisonOf, operatorsOf } from './capabilities.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { either, type LdapFilter, nothing } from './ldap-filter.js';
import { equal, exact, type Leaf, superset } from './value-filters.js';

/**
 * Texts. Directories ignore runs of spaces, and each folds letters and composes accents in its own way: what is not
 * surely alike everywhere is left open in the filter, and the records are looked at again.
 */
export function compileText(field: FieldPlan, op: CompareOp, literal: string, plan: EntityPlan): Leaf {
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
