import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoTime } from '../../adapters/sqlite/managed/iso-time.js';

describe('isoTime', () => {
  it('gives what toISOString gives, in any order of days', () => {
    const dates = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(dates, (date) => {
        expect(isoTime(date.getTime())).toBe(date.toISOString());
      }),
    );
  });

  it.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [1_709_251_199_999, '2024-02-29T23:59:59.999Z'],
    [253_402_300_800_000, '+010000-01-01T00:00:00.000Z'],
  ])('writes %d as %s', (ms, text) => {
    expect(isoTime(ms)).toBe(text);
  });
});
