import { describe, expect, it } from 'vitest';
import { deepEqual } from '../../src/scim/attribute-value.js';
import { createListedTest, ElementIdentity } from '../../src/scim/element-identity.js';
import type { Attribute, JsonValue } from '../../src/scim/schema.js';
import { personType } from './person-type.js';

function attributeOf(name: string): Attribute {
  const attribute = personType.attributes.find((candidate) => candidate.name === name);
  if (attribute === undefined) throw new Error(`There is no "${name}".`);
  return attribute;
}

const emails = attributeOf('emails');

describe('ElementIdentity', () => {
  const identity = new ElementIdentity(emails, {});
  const isSame = (a: JsonValue, b: JsonValue): boolean => {
    const key = identity.keyOf(a);
    return key !== undefined && key === identity.keyOf(b);
  };

  it('is value and type, whatever else an element says [7643-2.4-10]', () => {
    expect(isSame({ value: 'A@x', type: 'work' }, { value: 'a@X', type: 'WORK', primary: true })).toBe(true);
    expect(isSame({ value: 'a@x', type: 'work' }, { value: 'a@x', type: 'home' })).toBe(false);
    expect(isSame({ value: 'a@x' }, { value: 'a@x', type: '' })).toBe(true);
    expect(isSame({ value: 'a@x' }, { value: 'b@x' })).toBe(false);
  });

  it('is all that is said where there is no value', () => {
    expect(isSame({ type: 'work', display: 'A' }, { display: 'a', type: 'work' })).toBe(true);
    expect(isSame({ type: 'work' }, { type: 'work', display: 'a' })).toBe(false);
    expect(isSame({ type: 'work' }, { value: 'a@x', type: 'work' })).toBe(false);
  });

  it('is never mistaken, however values are put together', () => {
    expect(isSame({ value: 'a', type: 'bc' }, { value: 'ab', type: 'c' })).toBe(false);
    expect(isSame({ value: 'a1:', type: '' }, { value: 'a', type: '1:' })).toBe(false);
    expect(isSame({ value: 7 }, { value: 7 })).toBe(false);
  });

  it('knows where the first of each kind stands, also after a list has grown', () => {
    const list = [{ value: 'a' }, { value: 'b' }, { value: 'A' }];
    const own = new ElementIdentity(emails, {});
    const index = own.index(list);
    expect(index.get(own.keyOf({ value: 'a' }) ?? '')).toBe(0);
    const grown = [...list, { value: 'c' }];
    index.set(own.keyOf({ value: 'c' }) ?? '', 3);
    own.keepIndex(grown);
    expect(own.index(grown)).toBe(index);
    expect(own.index(list)).not.toBe(index);
  });
});

describe('createListedTest', () => {
  it.each<[JsonValue, JsonValue, boolean]>([
    [{ value: 'A@x' }, { value: 'a@x', type: 'work' }, true],
    [{ value: 'a@x', type: 'home' }, { value: 'a@x', type: 'work' }, true],
    [{ value: 'b@x' }, { value: 'a@x' }, false],
    [{ type: 'work' }, { value: 'a@x', type: 'Work' }, true],
    [{ type: 'work', display: 'A' }, { value: 'a@x', type: 'work' }, false],
    [{ type: 'work', display: 'A' }, { value: 'a@x', type: 'work', display: 'a' }, true],
  ])('%j means %j: %s', (item, element, isMeant) => {
    const others = Array.from({ length: 5 }, (_, n): JsonValue => ({ value: `other-${n}`, type: `t${n}` }));
    expect(createListedTest(emails, [...others, item], {})(element)).toBe(isMeant);
  });
});

describe('deepEqual of long lists', () => {
  const numbers = Array.from({ length: 100_000 }, (_, n) => ({ value: `${n}`, type: 'work' }));

  it('takes no time for each pair', () => {
    const startedAtMs = performance.now();
    expect(deepEqual(numbers, numbers.toReversed())).toBe(true);
    expect(deepEqual(numbers, [...numbers.slice(1), { value: 'x', type: 'work' }])).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  });

  it('counts what is there several times', () => {
    expect(deepEqual(['a', 'a', 'b'], ['b', 'a', 'a'])).toBe(true);
    expect(deepEqual(['a', 'a', 'b'], ['b', 'a', 'b'])).toBe(false);
    expect(deepEqual([['a', 'b'], 'c'], ['c', ['b', 'a']])).toBe(true);
    expect(deepEqual([{ a: 1, b: [1, 2] }, 2], [2, { b: [2, 1], a: 1 }])).toBe(true);
  });
});
