import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault } from '../../src/http/json-position.js';

describe('findJsonFault', () => {
  it.each([
    ['', 1, 1, 'a value'],
    ['  x', 1, 3, 'a value'],
    ['{', 1, 2, 'a name in double quotes, or "}"'],
    ['{a:1}', 1, 2, 'a name in double quotes, or "}"'],
    ['{"a" 1}', 1, 6, '":"'],
    ['{"a":}', 1, 6, 'a value'],
    ['{"a":1 "b":2}', 1, 8, '"," or "}"'],
    ['{"a":1,}', 1, 8, 'a name in double quotes'],
    ['[1 2]', 1, 4, '"," or "]"'],
    ['[1,]', 1, 4, 'a value'],
    ['[1', 1, 3, '"," or "]"'],
    ['{"a":[1}', 1, 8, '"," or "]"'],
    ['{"a":1}\n}', 2, 1, 'nothing more'],
    ['{\n "a": tru\n}', 2, 7, 'a value'],
    ['01', 1, 1, 'a value'],
    ['[1.]', 1, 2, 'a value'],
    ['{"a":undefined}', 1, 6, 'a value'],
  ])('%j: line %d, column %d, expected %s', (text, line, column, expected) => {
    expect(findJsonFault(text)).toEqual({ line, column, expected });
  });

  it.each(['"abc', '"a\nb"', '"\\x"', '"\\u12g4"'])('%j: a text that does not end as it should', (text) => {
    expect(findJsonFault(text)?.expected).toMatch(/^the rest of a text/);
  });

  it('finds nothing in any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        expect(findJsonFault(JSON.stringify(value, null, indent))).toBeUndefined();
      }),
    );
  });

  it('finds a fault exactly where JSON.parse does', () => {
    const characters = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '1',
      '-',
      '.',
      'e',
      'true',
      ' ',
      '\\',
      '\\n',
      'a',
    );
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(findJsonFault(text) === undefined).toBe(isJson);
      }),
      { numRuns: 2000 },
    );
  });
});
