import fc from 'fast-check';
import type { Condition, FieldCapability } from '../../src/backend/adapter.js';
import type { Comparison } from '../../src/scim/comparison.js';

/** Texts that databases get wrong: case, accents, wildcards, quotes, spaces at the end, what looks like numbers. */
export const texts = [
  'abc',
  'ABC',
  'abC',
  'ab',
  'b',
  'ä',
  'Ä',
  'a\u0308',
  'É',
  'straße',
  'ΟΔΟΣ',
  'οδος',
  '日本',
  '😀',
  '\ufffd',
  '%',
  '_',
  "O'Malley",
  '"',
  '\\',
  '\\%',
  '[',
  '@',
  'ab@',
  'ab[',
  'ab`',
  'ab_',
  ' ',
  'trail ',
  'trail',
  '0',
  '7',
  '007',
  '-1',
  '1e3',
  '1.5',
  'true',
  '',
  '\u{10ffff}',
  'a\u{10ffff}',
  '\ud7ff',
  '\ue000',
  'Z',
  'z',
  '{',
];

/** A leaf that the capabilities promise, with a value of the right or of a wrong kind. */
export function leafOf(fields: Readonly<Record<string, FieldCapability>>): fc.Arbitrary<Condition> {
  const simple = Object.entries(fields).filter(([, { children }]) => children === undefined);
  const operations = simple.flatMap(([path, { operators, comparison }]) =>
    Object.keys(operators).map((op) => ({ path, op, comparison })),
  );
  return fc.constantFrom(...operations).chain(({ path, op, comparison }): fc.Arbitrary<Condition> => {
    if (op === 'pr') return fc.constant({ kind: 'present', path });
    const values = fc.oneof({ weight: 20, arbitrary: literalOf(comparison) }, fc.constantFrom(null, 7, true, 'abc'));
    return values.map((value) => ({ kind: 'compare', path, op: op as 'eq', value }));
  });
}

function literalOf(comparison: Comparison): fc.Arbitrary<string | number | boolean> {
  switch (comparison) {
    case 'number':
      return fc.constantFrom(0, 1, 7, -1, 1.5, 2, 1000, 1e15);
    case 'boolean':
      return fc.boolean();
    case 'instant':
      return fc.constantFrom(
        '2011-05-13T04:42:34Z',
        '2011-05-13T04:42:34.5Z',
        '2011-05-13T00:00:00Z',
        '1970-01-01T00:00:01Z',
        '1970-01-16T02:34:21.754Z',
        '0000-01-01T00:00:00Z',
        '9999-12-31T23:59:59Z',
      );
    default:
      return fc.oneof(
        fc.constantFrom(...texts),
        fc.constantFrom(...texts).map((text) => [...text].slice(0, 1).join('')),
      );
  }
}

function joined(tie: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  return fc.oneof(
    fc.array(tie, { maxLength: 3 }).map((operands): Condition => ({ kind: 'and', operands })),
    fc.array(tie, { maxLength: 3 }).map((operands): Condition => ({ kind: 'or', operands })),
    tie.map((operand): Condition => ({ kind: 'not', operand })),
  );
}

export function treeOf(leaf: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  return fc.letrec<{ node: Condition }>((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, { weight: 3, arbitrary: leaf }, joined(tie('node'))),
  })).node;
}
