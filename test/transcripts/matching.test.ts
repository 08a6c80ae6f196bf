import { describe, expect, it } from 'vitest';
import { mismatch } from './matching.js';

const holds = (expected: unknown, actual: unknown): boolean => mismatch(expected, actual) === undefined;

describe('partial matching', () => {
  it('wants every named key of an object and no more', () => {
    expect(holds({ a: 1 }, { a: 1, b: 2 })).toBe(true);
    expect(holds({ a: 1, b: 2 }, { a: 1 })).toBe(false);
    expect(holds({ a: {} }, { a: [] })).toBe(false);
  });

  it('wants every listed item of an array, in any order', () => {
    expect(holds([2, 1], [1, 3, 2])).toBe(true);
    expect(holds([1, 4], [1, 3, 2])).toBe(false);
    expect(holds([], { length: 0 })).toBe(false);
  });

  it('gives each listed item a different one', () => {
    expect(holds([{ a: 1 }, { a: 1 }], [{ a: 1 }])).toBe(false);
    expect(holds([{ a: 1 }, { a: 1 }], [{ a: 1 }, { a: 1, b: 2 }])).toBe(true);
  });

  it('does not lose a match to a greedy choice', () => {
    const both = { a: 1, b: 2 };
    expect(holds([{ a: 1 }, { b: 2 }], [both, { a: 1 }])).toBe(true);
    expect(holds([{ a: 1 }, { b: 2 }, { a: 1 }], [both, { a: 1 }])).toBe(false);
  });

  it('compares scalars with their JSON type', () => {
    expect(holds('1', '1')).toBe(true);
    expect(holds('1', 1)).toBe(false);
    expect(holds(true, 'true')).toBe(false);
    expect(holds(null, null)).toBe(true);
    expect(holds(null, undefined)).toBe(false);
  });

  it('takes "$ref" for an ordinary name', () => {
    expect(holds({ $ref: 'x' }, { $ref: 'x', value: 'y' })).toBe(true);
    expect(holds({ $ref: 'x' }, { $ref: 'z' })).toBe(false);
  });

  it('takes an object that mixes matchers with names for an ordinary object', () => {
    expect(holds({ $len: 1, name: 'x' }, { $len: 1, name: 'x' })).toBe(true);
    expect(holds({ $len: 1, name: 'x' }, ['y'])).toBe(false);
  });

  it('wants all of several matchers', () => {
    expect(holds({ $type: 'number', $gte: 1, $lte: 3 }, 2)).toBe(true);
    expect(holds({ $type: 'number', $gte: 1, $lte: 3 }, 4)).toBe(false);
  });

  it('names where it failed', () => {
    expect(mismatch({ name: { givenName: 'A' } }, { name: { givenName: 'B' } })).toContain('$.name.givenName');
  });
});

describe('matchers', () => {
  const cases: readonly (readonly [matcher: object, good: readonly unknown[], bad: readonly unknown[]])[] = [
    [{ $absent: true }, [undefined, null, []], ['', 0, false, {}, [1]]],
    [{ $absent: false }, ['', [1]], [undefined]],
    [{ $exists: true }, ['', 0, false, {}, [1]], [undefined, null, []]],
    [{ $exists: false }, [undefined, []], ['x']],
    [{ $len: 2 }, [[1, 2]], [[1], [1, 2, 3], undefined, 'ab']],
    [{ $len: 0 }, [[], undefined], [[1]]],
    [{ $exact: [1, 2] }, [[2, 1]], [[1], [1, 2, 3], [1, 1], undefined]],
    [{ $exact: [] }, [[], undefined], [[1]]],
    [{ $ordered: [1, { a: 1 }] }, [[1, { a: 1, b: 1 }]], [[{ a: 1 }, 1], [1], [1, { a: 1 }, 2]]],
    [{ $any: { a: 1 } }, [[{ a: 2 }, { a: 1 }]], [[{ a: 2 }], [], undefined, { a: 1 }]],
    [{ $none: { a: 1 } }, [[{ a: 2 }], [], undefined], [[{ a: 2 }, { a: 1 }], { a: 2 }]],
    [{ $every: { a: 1 } }, [[{ a: 1 }, { a: 1 }], []], [[{ a: 1 }, { a: 2 }], { a: 1 }]],
    [{ $oneOf: [1, { $type: 'string' }] }, [1, 'x'], [2, true]],
    [{ $not: { $regex: '^a' } }, ['b', undefined], ['a']],
    [{ $ne: 1 }, [2, '1', undefined], [1]],
    [{ $ne: { $len: 1 } }, [['x']], [{ $len: 1 }]],
    [{ $value: { $len: 1 } }, [{ $len: 1, more: true }], [['x']]],
    [{ $regex: '^a+$' }, ['aa'], ['ab', 1, undefined]],
    [{ $ci: 'AbC' }, ['aBc'], ['abcd', 1]],
    [{ $type: 'string' }, [''], [1, null, undefined]],
    [{ $type: 'number' }, [1, 1.5], ['1']],
    [{ $type: 'integer' }, [1], [1.5]],
    [{ $type: 'boolean' }, [false], ['false']],
    [{ $type: 'array' }, [[]], [{}]],
    [{ $type: 'object' }, [{}], [[], null]],
    [{ $type: 'null' }, [null], [undefined]],
    [{ $gte: 2 }, [2, 3], [1, '3', undefined]],
    [{ $lte: 2 }, [1, 2], [3, '1', undefined]],
    [{ $gte: 'b' }, ['b', 'c'], ['a', 5]],
  ];

  it.each(cases)('%j', (matcher, good, bad) => {
    for (const value of good) expect(mismatch(matcher, value)).toBeUndefined();
    for (const value of bad) expect(mismatch(matcher, value)).toBeTypeOf('string');
  });

  it('refuses a list matcher without a list', () => {
    expect(() => mismatch({ $oneOf: 'x' }, 'x')).toThrow('needs a list');
  });
});
