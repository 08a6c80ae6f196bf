import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Comparison,
  compareCodePoints,
  compareKeys,
  comparisonOf,
  fold,
  instantKey,
  keyOf,
  keysMatch,
} from '../../src/scim/comparison.js';
import { acmeUrn, personType } from './person-type.js';

const anyText = fc.string({ unit: 'binary' });
/** Letters whose case or width is less than plain. */
const trickyText = fc.string({
  unit: fc.constantFrom(
    ...['a', 'A', 'e\u0301', 'É', 'ß', 'ẞ', 'İ', 'i', 'ı', 'I', '\u0307', 'ς', 'σ', 'Σ', 'Å', '\u212b', '\u212a', 'k'],
    ...[
      'Ａ',
      'ａ',
      '　',
      '￣',
      'ｶ',
      'ﾞ',
      'ﾡ',
      'ㄱ',
      'ᾼ',
      '\u0345',
      'α',
      'ǅ',
      'ﬁ',
      '가',
      '\u1100',
      '\u1161',
      '😀',
      'Ω',
      '\u2126',
    ],
  ),
});

describe('fold', () => {
  it.each([
    ['BJensen', 'bjensen', '7644-5-01 7643-7-case-01'],
    ['Ａdam', 'adam', '7644-5-01'],
    ['Ｊｏｈｎ　Ｄｏｅ', 'john doe', '7644-5-01'],
    ['é', 'e\u0301', '7644-7.8-01'],
    ['ÉCOLE', 'e\u0301cole', '7644-7.8-01'],
    ['\u212bngstrom', 'ångstrom', '7644-7.8-01'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς', '7644-5-01'],
    ['ｶﾞ', 'ガ', '7644-5-01'],
    ['\uffa1', '\u3131', '7644-5-01'],
    ['\uffe3', '\u00af', '7644-5-01'],
  ])('makes %s and %s one [%s]', (a, b) => {
    expect(fold(a)).toBe(fold(b));
  });

  it.each([
    ['strasse', 'straße'],
    ['e', 'é'],
    ['ﬁ', 'fi'],
    ['1', '¹'],
    ['a b', 'a  b'],
    ['ı', 'i'],
  ])('keeps %s and %s apart, as RFC 8265 does [7644-5-01]', (a, b) => {
    expect(fold(a)).not.toBe(fold(b));
  });

  it('is idempotent, and one for canonically equivalent texts [7644-7.8-01]', () => {
    for (const text of [anyText, trickyText]) {
      fc.assert(
        fc.property(text, (value) => {
          const folded = fold(value);
          expect(fold(folded)).toBe(folded);
          expect(fold(value.normalize('NFD'))).toBe(folded);
          expect(fold(value.toLowerCase())).toBe(folded);
        }),
      );
    }
  });

  it('agrees with its short way for ASCII', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }), (text) => fold(`${text}é`) === `${fold(text)}é`));
  });
});

describe('compareCodePoints (GAP-14)', () => {
  it('orders by code point, as UTF-8 bytes do', () => {
    expect(compareCodePoints('\uffee', '😀')).toBeLessThan(0);
    expect(compareCodePoints('Z', 'a')).toBeLessThan(0);
    expect(compareCodePoints('a', 'ab')).toBeLessThan(0);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
  });
});

describe('instantKey', () => {
  it.each([
    ['2011-05-13T04:42:34Z', '2011-05-13T04:42:34'],
    ['2011-05-13T04:42:34.100Z', '2011-05-13T04:42:34.1'],
    ['2011-05-13T04:42:34.0000000Z', '2011-05-13T04:42:34'],
    ['2011-05-13T04:42:34.123456789Z', '2011-05-13T04:42:34.123456789'],
    ['2011-05-13T04:42:34+02:00', '2011-05-13T02:42:34'],
    ['2011-12-31T23:30:00-01:00', '2012-01-01T00:30:00'],
    ['2011-05-13T04:42:34', '2011-05-13T04:42:34'],
    ['2011-05-13t04:42:34z', '2011-05-13T04:42:34'],
    ['2020-02-29T24:00:00Z', '2020-03-01T00:00:00'],
    ['0001-01-03T00:00:00.0000000Z', '0001-01-03T00:00:00'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999'],
    ['2011-05-13T14:00:00+14:00', '2011-05-13T00:00:00'],
  ])('reads %s as %s [7643-2.3.5-01]', (text, key) => {
    expect(instantKey(text)).toBe(key);
  });

  it.each([
    '2020-01-01',
    '2020-01-01T00:00Z',
    '2020-13-01T00:00:00Z',
    '2021-02-29T00:00:00Z',
    '2020-00-10T00:00:00Z',
    '2020-01-32T00:00:00Z',
    '2020-01-01T24:00:01Z',
    '2020-01-01T25:00:00Z',
    '2020-01-01T00:60:00Z',
    '2020-01-01T00:00:61Z',
    '2020-01-01T00:00:00.Z',
    '2020-01-01T00:00:00+15:00',
    '2020-01-01T00:00:00+14:01',
    '2020-01-01T00:00:00+01:60',
    '2020-01-01T00:00:00+0100',
    '2020-01-01 00:00:00Z',
    '20200101T000000Z',
    '12020-01-01T00:00:00Z',
    ' 2020-01-01T00:00:00Z',
    'now',
    '',
  ])('refuses %j [7643-2.3.5-01]', (text) => {
    expect(instantKey(text)).toBeUndefined();
  });

  it('orders as time does, across offsets and fractions [7644-3.4.2.2-12]', () => {
    const moment = fc.date({
      min: new Date('0002-01-01T00:00:00Z'),
      max: new Date('9998-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    const near = fc.tuple(moment, fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: -840, max: 840 }));
    fc.assert(
      fc.property(near, ([date, shiftMs, offsetMinutes]) => {
        const other = new Date(date.getTime() + shiftMs);
        const local = new Date(other.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.trunc(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
        const pad = (n: number): string => String(n).padStart(2, '0');
        const text = `${local}${offsetMinutes < 0 ? '-' : '+'}${pad(hours)}:${pad(minutes)}`;
        const [a, b] = [instantKey(date.toISOString()), instantKey(text)];
        if (a === undefined || b === undefined) throw new Error(`${date.toISOString()} and ${text} are instants`);
        expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(-shiftMs) + 0);
      }),
    );
  });

  it('takes linear time on long fractions', () => {
    const started = performance.now();
    expect(instantKey(`2020-01-01T00:00:00.${'0'.repeat(1_000_000)}1Z`)).toBeDefined();
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('comparisonOf', () => {
  it.each<[string, Comparison]>([
    ['userName', 'fold'],
    ['externalId', 'exact'],
    ['id', 'exact'],
    ['active', 'boolean'],
    ['profileUrl', 'exact'],
    [`${acmeUrn}:key`, 'exact'],
    [`${acmeUrn}:badge`, 'exact'],
    [`${acmeUrn}:level`, 'number'],
    [`${acmeUrn}:rate`, 'number'],
    [`${acmeUrn}:hired`, 'instant'],
  ])('compares %s by %s [7643-7-case-01 7643-2.3.6-02 7643-2.3.7-03]', (path, expected) => {
    const attribute = personType.attributes.find((candidate) => candidate.path === path);
    if (attribute === undefined) throw new Error(`no ${path}`);
    expect(comparisonOf(attribute)).toBe(expected);
  });
});

describe('keyOf', () => {
  it('has no key for a value of another kind (GAP-03)', () => {
    const values = { exact: 1, fold: true, asciiFold: null, number: '1', boolean: 'true', instant: 'today' } as const;
    for (const [comparison, value] of Object.entries(values)) {
      expect(keyOf(comparison as Comparison, value)).toBeUndefined();
    }
  });

  it('folds A to Z alone for asciiFold, as SQLite does', () => {
    expect(keyOf('asciiFold', 'ÀBC-É')).toBe('Àbc-É');
  });

  it('takes whole numbers of databases', () => {
    expect(keyOf('number', 42n)).toBe(42);
  });
});

describe('keysMatch', () => {
  it('compares numbers by value, not by digits [7644-3.4.2.2-12]', () => {
    expect(keysMatch('lt', 9, 10)).toBe(true);
    expect(keysMatch('gt', 9, 10)).toBe(false);
    expect(keysMatch('ge', 10, 10)).toBe(true);
  });

  it.each(['co', 'sw', 'ew', 'eq', 'ge', 'le'] as const)(
    '%s holds for equal texts [7644-3.4.2.2-09 7644-3.4.2.2-10]',
    (op) => {
      expect(keysMatch(op, 'abc', 'abc')).toBe(true);
    },
  );

  it('never matches keys of unlike kinds (GAP-03)', () => {
    for (const op of ['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const) {
      expect(keysMatch(op, '1', 1)).toBe(false);
      expect(keysMatch(op, true, 1)).toBe(false);
    }
  });
});
