import { assertNever } from './assert-never.js';

export type CompareOp = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';
export type CompareValue = string | number | boolean | null;

/**
 * A filter, on both sides of the gateway. `P` is what a path is: `AttributePath` as parsed, `ResolvedPath` once checked
 * against a resource type, a field name on the backend side. An `and` of nothing is true, an `or` of nothing false.
 * Inside a `valuePath` the paths are relative to the element: sub-attributes here, child fields in a backend.
 * @see RFC 7644 §3.4.2.2
 */
export type Filter<P> =
  | { readonly kind: 'compare'; readonly path: P; readonly op: CompareOp; readonly value: CompareValue }
  | { readonly kind: 'present'; readonly path: P }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Filter<P>[] }
  | { readonly kind: 'not'; readonly operand: Filter<P> }
  | { readonly kind: 'valuePath'; readonly path: P; readonly filter: Filter<P> };

export const always: Filter<never> = { kind: 'and', operands: [] };
export const never: Filter<never> = { kind: 'or', operands: [] };

export function isAlways<P>(filter: Filter<P>): boolean {
  return filter.kind === 'and' && filter.operands.length === 0;
}

export function isNever<P>(filter: Filter<P>): boolean {
  return filter.kind === 'or' && filter.operands.length === 0;
}

/** A single condition, which is most of what clients send. */
function onlyLeaf<P>(operands: readonly Filter<P>[]): Filter<P> | undefined {
  const [first] = operands;
  return operands.length === 1 && first?.kind !== 'and' && first?.kind !== 'or' ? first : undefined;
}

/** `and` with the trivial cases folded and nested `and`s flattened. */
export function allOf<P>(operands: readonly Filter<P>[]): Filter<P> {
  const leaf = onlyLeaf(operands);
  if (leaf !== undefined) return leaf;
  const flat = operands.flatMap((operand) => (operand.kind === 'and' ? operand.operands : [operand]));
  if (flat.some(isNever)) return never;
  const [first] = flat;
  return flat.length === 1 && first !== undefined ? first : { kind: 'and', operands: flat };
}

/** `or` with the trivial cases folded and nested `or`s flattened. */
export function anyOf<P>(operands: readonly Filter<P>[]): Filter<P> {
  const leaf = onlyLeaf(operands);
  if (leaf !== undefined) return leaf;
  const flat = operands.flatMap((operand) => (operand.kind === 'or' ? operand.operands : [operand]));
  if (flat.some(isAlways)) return always;
  const [first] = flat;
  return flat.length === 1 && first !== undefined ? first : { kind: 'or', operands: flat };
}

export function negate<P>(filter: Filter<P>): Filter<P> {
  if (isAlways(filter)) return never;
  if (isNever(filter)) return always;
  return filter.kind === 'not' ? filter.operand : { kind: 'not', operand: filter };
}

/**
 * Negation normal form: `not` stands only before `compare`, `present` and `valuePath`, and `ne` has become `not eq`
 * (requirements GAP-01: `a ne "x"` holds when no value of a equals x, also when a is absent; GAP-02: `eq null` is
 * `not pr`). Inside a value path the same holds for the element.
 */
export function toNegationNormalForm<P>(filter: Filter<P>, negated = false): Filter<P> {
  switch (filter.kind) {
    case 'compare': {
      if (filter.value === null && (filter.op === 'eq' || filter.op === 'ne')) {
        const present: Filter<P> = { kind: 'present', path: filter.path };
        return (filter.op === 'eq') === negated ? present : { kind: 'not', operand: present };
      }
      const positive: Filter<P> = filter.op === 'ne' ? { ...filter, op: 'eq' } : filter;
      return (filter.op === 'ne') === negated ? positive : { kind: 'not', operand: positive };
    }
    case 'present':
      return negated ? { kind: 'not', operand: filter } : filter;
    case 'and':
    case 'or': {
      const operands = filter.operands.map((operand) => toNegationNormalForm(operand, negated));
      return (filter.kind === 'and') === negated ? anyOf(operands) : allOf(operands);
    }
    case 'not':
      return toNegationNormalForm(filter.operand, !negated);
    case 'valuePath': {
      const inner: Filter<P> = { ...filter, filter: toNegationNormalForm(filter.filter) };
      return negated ? { kind: 'not', operand: inner } : inner;
    }
    default:
      return assertNever(filter);
  }
}

/** Paths that the filter reads, in source order; duplicates stay. Those inside a value path are not listed. */
export function pathsIn<P>(filter: Filter<P>): readonly P[] {
  switch (filter.kind) {
    case 'compare':
    case 'present':
    case 'valuePath':
      return [filter.path];
    case 'and':
    case 'or':
      return filter.operands.flatMap((operand) => pathsIn(operand));
    case 'not':
      return pathsIn(filter.operand);
    default:
      return assertNever(filter); // a new kind becomes a compile error in every switch
  }
}
