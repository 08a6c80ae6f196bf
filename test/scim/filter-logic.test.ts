import { describe, expect, it } from 'vitest';
import {
  allOf,
  always,
  anyOf,
  type Filter,
  isAlways,
  isNever,
  negate,
  never,
  pathsIn,
  toNegationNormalForm,
} from '../../src/scim/filter.js';

const pr = (path: string): Filter<string> => ({ kind: 'present', path });
const eq = (path: string, value: string | null): Filter<string> => ({ kind: 'compare', path, op: 'eq', value });
const ne = (path: string, value: string | null): Filter<string> => ({ kind: 'compare', path, op: 'ne', value });
const not = (operand: Filter<string>): Filter<string> => ({ kind: 'not', operand });
const and = (...operands: Filter<string>[]): Filter<string> => ({ kind: 'and', operands });
const or = (...operands: Filter<string>[]): Filter<string> => ({ kind: 'or', operands });
const within = (path: string, filter: Filter<string>): Filter<string> => ({ kind: 'valuePath', path, filter });

describe('allOf, anyOf and negate', () => {
  it('fold what is always or never', () => {
    expect(allOf([])).toEqual(always);
    expect(anyOf([])).toEqual(never);
    expect(isNever(allOf([pr('a'), never]))).toBe(true);
    expect(isAlways(anyOf([pr('a'), always]))).toBe(true);
    expect(allOf([always, pr('a')])).toEqual(pr('a'));
    expect(anyOf([never, pr('a')])).toEqual(pr('a'));
    expect(isNever(negate(always))).toBe(true);
    expect(isAlways(negate(never))).toBe(true);
  });

  it('flatten their own kind and leave the other', () => {
    expect(allOf([and(pr('a'), pr('b')), or(pr('c'), pr('d'))])).toEqual(and(pr('a'), pr('b'), or(pr('c'), pr('d'))));
    expect(anyOf([or(pr('a'), pr('b')), and(pr('c'), pr('d'))])).toEqual(or(pr('a'), pr('b'), and(pr('c'), pr('d'))));
  });

  it('negate takes a "not" away', () => {
    expect(negate(pr('a'))).toEqual(not(pr('a')));
    expect(negate(not(pr('a')))).toEqual(pr('a'));
  });
});

describe('toNegationNormalForm', () => {
  it.each<[string, Filter<string>, Filter<string>]>([
    ['not (a and b)', not(and(pr('a'), pr('b'))), or(not(pr('a')), not(pr('b')))],
    ['not (a or b)', not(or(pr('a'), pr('b'))), and(not(pr('a')), not(pr('b')))],
    ['not not a', not(not(pr('a'))), pr('a')],
    ['a ne x (GAP-01)', ne('a', 'x'), not(eq('a', 'x'))],
    ['not (a ne x)', not(ne('a', 'x')), eq('a', 'x')],
    ['a eq null (GAP-02)', eq('a', null), not(pr('a'))],
    ['a ne null', ne('a', null), pr('a')],
    ['not (a eq null)', not(eq('a', null)), pr('a')],
    [
      'not a[b ne x and c]',
      not(within('a', and(ne('b', 'x'), pr('c')))),
      not(within('a', and(not(eq('b', 'x')), pr('c')))),
    ],
    ['a[not (b or c)]', within('a', not(or(pr('b'), pr('c')))), within('a', and(not(pr('b')), not(pr('c'))))],
    ['not always', not(always), never],
    ['not (a and never)', not(and(pr('a'), never)), always],
  ])('%s', (_, filter, expected) => {
    expect(toNegationNormalForm(filter)).toEqual(expected);
  });
});

describe('pathsIn', () => {
  it('lists paths in source order, without those inside brackets', () => {
    expect(pathsIn(and(pr('a'), not(or(eq('b', 'x'), within('c', pr('d')))), pr('a')))).toEqual(['a', 'b', 'c', 'a']);
  });
});
