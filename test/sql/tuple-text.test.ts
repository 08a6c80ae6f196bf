import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinParts, splitParts } from '../../adapters/sql/tuple-text.js';

const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '.', '~', '..', '~2E', 'a.b', 'ü', '😀', ' ', '%2F', '/'),
);
const parts = fc.array(part, { minLength: 2, maxLength: 4 });

describe('the id of a key of several columns', () => {
  it('is a text that stands in a URL as it is, and is no step of a path', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const id = joinParts(given);
        expect(encodeURIComponent(id)).toBe(id);
        expect(new URL(`http://h/Users/${id}`).pathname).toBe(`/Users/${id}`);
      }),
    );
  });

  it('tells the parts again, and those of no other number', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const id = joinParts(given);
        expect(splitParts(id, given.length)).toEqual(given);
        expect(splitParts(id, given.length + 1)).toBeUndefined();
        expect(splitParts(id, given.length - 1)).toBeUndefined();
      }),
    );
  });

  it('is the only text for its parts', () => {
    const id = fc.string({
      unit: fc.constantFrom('a', 'Z', '7', '~', '.', '2', 'E', 'e', 'C', '3', 'B', '-', '/', 'ü'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(id, (text) => {
        const found = splitParts(text, 2);
        if (found !== undefined) expect(joinParts(found)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
    for (const text of [
      'a.~61',
      'a.~2e',
      'a.~C3',
      'a.~FF',
      'a.~ED~A0~80',
      'a.',
      '.a',
      'a',
      'a.b.c',
      'a.~2',
      'a.ü',
      'a.b/',
    ]) {
      expect(splitParts(text, 2), text).toBeUndefined();
    }
  });
});
