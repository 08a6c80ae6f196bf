import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FilterOp, Scalar } from '../../src/backend/adapter.js';
import { compileCondition } from '../../src/backend/condition.js';
import type { AttributeValue, Codec } from '../../src/mapping/codec.js';
import { type CodecConfig, codecNames, createCodec } from '../../src/mapping/codec-registry.js';
import { type Comparison, comparisonOf, keyOf, keysMatch } from '../../src/scim/comparison.js';
import { ScimError } from '../../src/scim/error.js';
import { isPresent } from '../../src/scim/filter-predicate.js';
import { type Attribute, type AttributeType, parseSchema } from '../../src/scim/schema.js';

function attribute(
  type: AttributeType,
  more: { readonly caseExact?: boolean; readonly multiValued?: boolean } = {},
): Attribute {
  const { schema, problems } = parseSchema({ id: 'urn:example:a', attributes: [{ name: 'a', type, ...more }] }, 'core');
  const [found] = schema?.attributes ?? [];
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
}

interface Subject {
  readonly codec: Codec;
  readonly attribute: Attribute;
}

function subject(type: AttributeType, config: CodecConfig | undefined, multiple = false): Subject {
  const made = attribute(type);
  const { codec, problems } = createCodec(config, made, multiple);
  if (codec === undefined) throw new Error(problems.join('\n'));
  return { codec, attribute: made };
}

/** How the field compares: as its type does, texts as the attribute does or, for other kinds of attributes, exactly. */
function fieldComparison({ codec, attribute }: Subject): Comparison {
  switch (codec.fieldType) {
    case 'number':
    case 'boolean':
    case 'instant':
      return codec.fieldType;
    default:
      return comparisonOf(attribute) === 'fold' ? 'fold' : 'exact';
  }
}

/** What a SCIM comparison says of the values that the codec reads (RFC 7644 §3.4.2.2). */
function holdsForResource(
  { codec, attribute }: Subject,
  stored: readonly Scalar[],
  op: FilterOp,
  value: AttributeValue | undefined,
): boolean {
  const values = codec.decode(stored);
  if (op === 'pr') return values.some(isPresent);
  const comparison = comparisonOf(attribute);
  const wanted = keyOf(comparison, value);
  return values.some((item) => {
    const key = keyOf(comparison, item);
    return key !== undefined && wanted !== undefined && keysMatch(op, key, wanted);
  });
}

function holdsForRecord(
  tested: Subject,
  stored: readonly Scalar[],
  op: FilterOp,
  value: AttributeValue | undefined,
): boolean | undefined {
  const pushed = tested.codec.toCondition('f', op, value);
  if (pushed === undefined) return undefined;
  const matches = compileCondition(pushed.condition, () => fieldComparison(tested));
  return matches(stored.length === 0 ? {} : { f: stored });
}

const ops: readonly FilterOp[] = ['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'];

/** The condition selects exactly what the comparison on the resource selects, or, when it is not exact, at least that. */
function expectAgreement(
  tested: Subject,
  stored: fc.Arbitrary<readonly Scalar[]>,
  value: fc.Arbitrary<AttributeValue>,
  numRuns = 500,
): void {
  let answered = 0;
  fc.assert(
    fc.property(stored, value, fc.constantFrom(...ops), (values, wanted, op) => {
      const literal = op === 'pr' ? undefined : wanted;
      const expected = holdsForResource(tested, values, op, literal);
      const actual = holdsForRecord(tested, values, op, literal);
      if (actual === undefined) return;
      answered++;
      const exact = tested.codec.toCondition('f', op, literal)?.exact;
      if (exact === true) expect(actual).toBe(expected);
      else if (expected) expect(actual).toBe(true);
    }),
    { numRuns },
  );
  expect(answered).toBeGreaterThan(0);
}

function expectRoundTrip(tested: Subject, value: fc.Arbitrary<AttributeValue>, current: readonly Scalar[] = []): void {
  fc.assert(
    fc.property(value, (sent) => {
      expect(tested.codec.decode(tested.codec.encode([sent], current))).toEqual([sent]);
    }),
  );
}

const one = <T extends Scalar>(value: fc.Arbitrary<T>): fc.Arbitrary<readonly Scalar[]> =>
  fc.array(value, { maxLength: 1 });
const some = <T extends Scalar>(value: fc.Arbitrary<T>): fc.Arbitrary<readonly Scalar[]> =>
  fc.array(value, { maxLength: 4 });
const year = 365 * 86_400;
const wholeSecond = fc.integer({ min: -1960 * year, max: 7000 * year }).map((seconds) => iso(seconds * 1000));
const milli = fc.integer({ min: -300 * year * 1000, max: 300 * year * 1000 }).map(iso);
const anyInstant = fc.oneof(
  wholeSecond,
  milli,
  milli.map((text) => text.replace(/(\.\d+)?Z$/, '.1234567891Z')),
);

/** UTC without a fraction that is zero, as codecs read. */
function iso(millis: number): string {
  return new Date(millis)
    .toISOString()
    .replace(/\.?0*Z$/, (zeros) => (zeros.startsWith('.') ? 'Z' : zeros))
    .replace(/(\.\d*?)0*Z$/, '$1Z');
}

function refusalOf(action: () => unknown): ScimError {
  try {
    action();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('createCodec', () => {
  it.each([
    ['string', 'string'],
    ['reference', 'string'],
    ['boolean', 'boolean'],
    ['integer', 'number'],
    ['decimal', 'number'],
    ['dateTime', 'instant'],
    ['binary', 'bytes'],
  ] as const)('gives a %s attribute the codec "%s" when the rule names none', (type, name) => {
    expect(createCodec(undefined, attribute(type), false).codec?.name).toBe(name);
    expect(createCodec(name, attribute(type), false).codec?.name).toBe(name);
  });

  it('lists the codecs for an unknown name, the nearest first', () => {
    const { codec, problems } = createCodec('generalisedTime', attribute('dateTime'), false);
    expect(codec).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^There is no codec "generalisedTime"\. Codecs are generalizedTime, /);
    for (const name of codecNames) expect(problems[0]).toContain(name);
  });

  it.each([
    [{ name: 'join', seperator: ';' }, 'it has no option "seperator", but separator.'],
    [{ name: 'join', separator: '' }, '"separator" is a text that is not empty.'],
    [{ name: 'string', length: 3 }, 'it has no options, so no "length".'],
    ['filetime', 'it is for attributes of type dateTime; "a" is of type string.'],
    ['split', 'the field holds many values, so the rule says "multiple: true".'],
    ['switch', '"map" is a table: the attribute\'s value, then the field\'s value or a list of them.'],
    [{ name: 'switch', map: {} }, '"map" is a table'],
    [{ name: 'switch', map: { a: null } }, '"map.a" is a text, a number or a boolean, or a list of them.'],
    [{ name: 'switch', map: { a: 'x', b: 1 } }, 'are all texts, all numbers or all booleans.'],
    [{ name: 'appRole', by: 'name' }, '"by" is one of value, displayName, id.'],
    [{ name: 'appRole', onUnknown: 'default' }, '"onUnknown: default" needs a "default".'],
    [{ name: 'appRole', values: ['A'], default: 'B' }, '"default" is one of "values": A.'],
    [{ name: 'appRole', values: 'A' }, '"values" is a list of texts.'],
  ])('explains what is wrong with %j', (config, words) => {
    const { codec, problems } = createCodec(config, attribute('string'), false);
    expect(codec).toBeUndefined();
    expect(problems.join('\n')).toContain(words);
  });

  it.each([
    [{ name: 'switch', map: { yes: 'x' } }, '"yes" is no value of "a", which is of type boolean.'],
    [
      { name: 'switch', map: { true: 'x' }, default: 'maybe' },
      '"default" is a value of "a", which is of type boolean.',
    ],
    [{ name: 'booleanText', true: 'Y', false: 'y' }, '"true" and "false" are different words.'],
    [{ name: 'booleanNumber', true: '1' }, '"true" and "false" are different numbers.'],
    [{ name: 'booleanNumber', true: 0 }, '"true" and "false" are different numbers.'],
  ])('explains what is wrong with %j for a boolean', (config, words) => {
    const { codec, problems } = createCodec(config, attribute('boolean'), false);
    expect(codec).toBeUndefined();
    expect(problems.join('\n')).toContain(words);
  });

  it('is not misled by names of object prototypes', () => {
    expect(createCodec('constructor', attribute('string'), false).codec).toBeUndefined();
    expect(createCodec({ name: 'join', toString: 1 }, attribute('string'), false).problems).toHaveLength(1);
  });
});

describe('codecs that take values as they are', () => {
  it('read and write the same value', () => {
    expectRoundTrip(subject('string', undefined), fc.string());
    expectRoundTrip(subject('boolean', undefined), fc.boolean());
    expectRoundTrip(subject('integer', undefined), fc.maxSafeInteger());
    expectRoundTrip(subject('decimal', undefined), fc.double({ noNaN: true, noDefaultInfinity: true }));
    expectRoundTrip(subject('dateTime', undefined), milli);
    expectRoundTrip(
      subject('binary', undefined),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
    );
  });

  it('push comparisons to the field', () => {
    const word = fc.constantFrom('', 'a', 'A', 'ab', 'Zoë', 'ZOË', 'b');
    expectAgreement(subject('string', undefined, true), some(word), word);
    expectAgreement(subject('boolean', undefined), one(fc.boolean()), fc.boolean());
    expectAgreement(
      subject('integer', undefined, true),
      some(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.bigInt(0n, 3n))),
      fc.integer({ min: 0, max: 3 }),
    );
    expectAgreement(subject('dateTime', undefined), one(milli), milli);
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 2, max: 2 });
    expectAgreement(
      subject('binary', undefined),
      one(bytes),
      bytes.map((value) => Buffer.from(value).toString('base64')),
    );
  });

  it('write instants in UTC, whatever offset was sent', () => {
    const { codec } = subject('dateTime', undefined);
    expect(codec.encode(['2020-01-01T02:00:00.500+02:00'], [])).toEqual(['2020-01-01T00:00:00.5Z']);
    expect(codec.toCondition('f', 'eq', '2020-01-01T02:00:00+02:00')?.condition).toMatchObject({
      value: '2020-01-01T00:00:00Z',
    });
  });

  it('read a number column under a text attribute as text', () => {
    expect(subject('string', undefined).codec.decode([42, 7n, true])).toEqual(['42', '7', 'true']);
  });

  it('take binary without padding, give it with [7643-2.3.6-01]', () => {
    const { codec } = subject('binary', undefined);
    expect(codec.encode(['YQ'], [])).toEqual([new Uint8Array([97])]);
    expect(codec.decode([new Uint8Array([97])])).toEqual(['YQ==']);
  });

  it('leave out what the field cannot mean', () => {
    expect(subject('boolean', undefined).codec.decode(['x', 1])).toEqual([]);
    expect(subject('integer', undefined).codec.decode(['1', true])).toEqual([]);
    expect(subject('dateTime', undefined).codec.decode(['yesterday', 5])).toEqual([]);
    expect(subject('binary', undefined).codec.decode(['text'])).toEqual([]);
  });
});

describe('generalizedTime', () => {
  const tested = subject('dateTime', 'generalizedTime');
  const { codec } = tested;

  it.each([
    ['20111118121212Z', '2011-11-18T12:12:12Z'],
    ['20111118121212.50Z', '2011-11-18T12:12:12.5Z'],
    ['20111118121212,5Z', '2011-11-18T12:12:12.5Z'],
    ['20111118121212.0Z', '2011-11-18T12:12:12Z'],
    ['201111181212Z', '2011-11-18T12:12:00Z'],
    ['2011111812-0500', '2011-11-18T17:00:00Z'],
    ['20111118121212+01', '2011-11-18T11:12:12Z'],
  ])('reads %s as %s (RFC 4517 §3.3.13)', (stored, value) => {
    expect(codec.decode([stored])).toEqual([value]);
  });

  it.each(['', '2011', '20111318121212Z', '20111118121212', '2011-11-18T12:12:12Z', 'abc'])(
    'leaves %j out',
    (stored) => {
      expect(codec.decode([stored])).toEqual([]);
    },
  );

  it('writes UTC, with a fraction only where there is one', () => {
    expect(codec.encode(['2020-01-01T02:00:00+02:00'], [])).toEqual(['20200101000000Z']);
    expect(codec.encode(['2020-01-01T00:00:00.250Z'], [])).toEqual(['20200101000000.25Z']);
    expectRoundTrip(tested, anyInstant);
  });

  it('compares whole seconds exactly, fractions by whole seconds around them', () => {
    const stored = wholeSecond.map((value) => String(codec.encode([value], [])[0]));
    expectAgreement(tested, one(stored), anyInstant);
    const near = fc.integer({ min: 0, max: 3 }).map((second) => `2020-01-01T00:00:0${second}Z`);
    const nearStored = near.map((value) => String(codec.encode([value], [])[0]));
    expectAgreement(
      tested,
      one(nearStored),
      fc.oneof(
        near,
        near.map((value) => value.replace('Z', '.5Z')),
      ),
    );
    expect(codec.toCondition('f', 'ge', '2020-01-01T00:00:00.5Z')).toEqual({
      condition: { kind: 'compare', path: 'f', op: 'ge', value: '20200101000000Z' },
      exact: false,
    });
    expect(codec.toCondition('f', 'sw', '2020-01-01T00:00:00Z')).toBeUndefined();
  });
});

describe('filetime', () => {
  const tested = subject('dateTime', 'filetime');
  const { codec } = tested;

  it.each([
    [116_444_736_000_000_000n, '1970-01-01T00:00:00Z'],
    ['132223104000000000', '2020-01-01T00:00:00Z'],
    [132_223_104_000_000_001n, '2020-01-01T00:00:00.0000001Z'],
    [132_223_104_000_000_000, '2020-01-01T00:00:00Z'],
    [1n, '1601-01-01T00:00:00.0000001Z'],
  ])('reads %s as %s (units of 100 ns since 1601)', (stored, value) => {
    expect(codec.decode([stored])).toEqual([value]);
  });

  it.each([0n, '0', 0, 9_223_372_036_854_775_807n, '9223372036854775807', 'x', true])(
    'reads %s as no value',
    (stored) => {
      expect(codec.decode([stored])).toEqual([]);
    },
  );

  it('writes integers beyond those of a number', () => {
    expect(codec.encode(['2020-01-01T00:00:00.0000001Z'], [])).toEqual([132_223_104_000_000_001n]);
    expectRoundTrip(tested, milli);
  });

  it('selects at least what the comparison does', () => {
    const base = 132_223_104_000_000_000n;
    const near = fc.bigInt(-40n, 40n).map((offset) => base + offset);
    const anyValue = fc.oneof(
      near,
      fc.constantFrom(0n, 9_223_372_036_854_775_807n),
      fc.bigInt(1n, 2_000_000_000_000_000_000n),
    );
    const literal = near.map((units) => String(codec.decode([units])[0]));
    expectAgreement(
      tested,
      one(anyValue),
      fc.oneof(
        literal,
        literal.map((text) => text.replace('Z', '9Z')),
        milli,
      ),
      2000,
    );
  });
});

describe('epochSeconds and epochMillis', () => {
  const seconds = subject('dateTime', 'epochSeconds');
  const millis = subject('dateTime', 'epochMillis');

  it('read Unix time, fractions and times before 1970 too', () => {
    expect(seconds.codec.decode([0, 1_577_836_800n, 1.5, -1.5])).toEqual([
      '1970-01-01T00:00:00Z',
      '2020-01-01T00:00:00Z',
      '1970-01-01T00:00:01.5Z',
      '1969-12-31T23:59:58.5Z',
    ]);
    expect(millis.codec.decode([1_577_836_800_001, -1, 0.5])).toEqual([
      '2020-01-01T00:00:00.001Z',
      '1969-12-31T23:59:59.999Z',
      '1970-01-01T00:00:00.0005Z',
    ]);
  });

  it('leave out what is no moment of the years 0000 to 9999', () => {
    expect(seconds.codec.decode([1e12, -1e12, Number.NaN, 1e-7, 'x', '5', true])).toEqual([]);
    expect(seconds.codec.decode([253_402_300_799])).toEqual(['9999-12-31T23:59:59Z']);
  });

  it('cut what is finer than their unit when writing', () => {
    expect(seconds.codec.encode(['2020-01-01T00:00:00.999Z', '1969-12-31T23:59:59.5Z'], [])).toEqual([
      1_577_836_800, -1,
    ]);
    expect(millis.codec.encode(['2020-01-01T00:00:00.9999Z'], [])).toEqual([1_577_836_800_999]);
    expectRoundTrip(seconds, wholeSecond);
    expectRoundTrip(millis, milli);
  });

  it('compare as the resource does', () => {
    const near = fc.integer({ min: -2, max: 2 });
    const wild = fc.constantFrom(1e13, -1e13, 253_402_300_800, -62_167_219_201);
    const literal = fc.constantFrom(
      '1970-01-01T00:00:00Z',
      '1970-01-01T00:00:01Z',
      '1969-12-31T23:59:59.5Z',
      '1970-01-01T00:00:00.25Z',
    );
    const fraction = fc.constantFrom(0.5, 0.25, -0.5, 1.75);
    expectAgreement(seconds, one(fc.oneof(near, wild, fraction, near.map(BigInt))), literal, 1500);
    expectAgreement(subject('dateTime', 'epochSeconds', true), some(fc.oneof(near, wild)), literal, 1500);
    const milliLiteral = fc.constantFrom(
      '1970-01-01T00:00:00.001Z',
      '1970-01-01T00:00:00.0005Z',
      '1969-12-31T23:59:59.999Z',
    );
    expectAgreement(
      millis,
      one(
        fc.oneof(
          near,
          wild.map((value) => value * 1000),
          fraction,
        ),
      ),
      milliLiteral,
      1500,
    );
  });
});

describe('booleanText, booleanNumber, inverted', () => {
  it('booleanText writes its words and reads their usual spellings', () => {
    const { codec } = subject('boolean', 'booleanText');
    expect(codec.encode([true], [])).toEqual(['TRUE']);
    expect(codec.encode([false], [])).toEqual(['FALSE']);
    expect(codec.decode(['TRUE', 'true', 'False', 'other'])).toEqual([true, true, false]);
    expect(subject('boolean', { name: 'booleanText', true: 'Y', false: 'N' }).codec.encode([true], [])).toEqual(['Y']);
  });

  it('booleanNumber', () => {
    const { codec } = subject('boolean', { name: 'booleanNumber', true: -1 });
    expect(codec.encode([true, false], [])).toEqual([-1, 0]);
    expect(codec.decode([-1, 0n, 7])).toEqual([true, false]);
    expect(codec.fieldType).toBe('number');
  });

  it('inverted: a field without a value reads as true', () => {
    const { codec } = subject('boolean', 'inverted');
    expect(codec.decode([])).toEqual([true]);
    expect(codec.decode([true])).toEqual([false]);
    expect(codec.encode([true], [])).toEqual([false]);
    expect(codec.encode([], [true])).toEqual([]);
    expect(codec.toCondition('disabled', 'eq', true)).toEqual({
      condition: { kind: 'not', operand: { kind: 'compare', path: 'disabled', op: 'eq', value: true } },
      exact: true,
    });
  });

  it('read back what they write, and compare as the resource does', () => {
    const words = fc.constantFrom('TRUE', 'FALSE', 'true', 'False', 'tRUE', 'x');
    for (const [config, stored] of [
      ['booleanText', words],
      ['booleanNumber', fc.constantFrom<Scalar>(0, 1, 2, 1n, 0n)],
      ['inverted', fc.boolean()],
    ] as const) {
      for (const multiple of [false, true]) {
        const tested = subject('boolean', config, multiple);
        expectRoundTrip(tested, fc.boolean());
        expectAgreement(tested, multiple ? some<Scalar>(stored) : one<Scalar>(stored), fc.boolean());
      }
    }
  });
});

describe('switch', () => {
  const map = { Employee: ['EMP', 'E'], Contractor: 'EXT', Vendor: 'EXT' };

  it('writes the first value of a row, reads any', () => {
    const { codec } = subject('string', { name: 'switch', map });
    expect(codec.encode(['employee'], [])).toEqual(['EMP']);
    expect(codec.encode(['Vendor'], [])).toEqual(['EXT']);
    expect(codec.decode(['EMP', 'e', 'EXT', 'other'])).toEqual(['Employee', 'Employee', 'Contractor']);
  });

  it('refuses a value outside the table and names those in it', () => {
    const { codec } = subject('string', { name: 'switch', map });
    expect(refusalOf(() => codec.encode(['Guest'], []))).toMatchObject({
      scimType: 'invalidValue',
      message: 'a: must be one of Employee, Contractor, Vendor.',
    });
  });

  it('reads a field value outside the table as the default', () => {
    const { codec } = subject('string', { name: 'switch', map, default: 'Guest' });
    expect(codec.decode(['EMP', 'other', ''])).toEqual(['Employee', 'Guest']);
    expect(codec.decode([])).toEqual([]);
  });

  it("translates keys to the attribute's type", () => {
    expect(subject('boolean', { name: 'switch', map: { true: 'A', false: ['D', 'X'] } }).codec.decode(['X'])).toEqual([
      false,
    ]);
    const { codec } = subject('integer', { name: 'switch', map: { 1: true, 2: false } });
    expect([codec.fieldType, codec.decode([true]), codec.encode([2], [])]).toEqual(['boolean', [1], [false]]);
  });

  it('works every comparison out on the table', () => {
    const stored = fc.constantFrom('EMP', 'emp', 'E', 'EXT', 'other', '');
    const literal = fc.constantFrom(
      'Employee',
      'employee',
      'Contractor',
      'Vendor',
      'Guest',
      'E',
      't',
      'r',
      'D',
      'Z',
      '',
    );
    for (const multiple of [false, true]) {
      for (const more of [{}, { default: 'Guest' }, { default: 'Employee' }]) {
        const tested = subject('string', { name: 'switch', map, ...more }, multiple);
        expectAgreement(tested, multiple ? some(stored) : one(stored), literal, 1000);
      }
    }
    expectAgreement(
      subject('integer', { name: 'switch', map: { 1: 'one', 2: 'two', 10: 'ten' } }),
      one(fc.constantFrom('one', 'two', 'ten', 'x')),
      fc.integer({ min: 0, max: 11 }),
    );
  });
});

describe('join and split', () => {
  const part = fc.constantFrom('a', 'ab', 'b', 'c d', 'A');

  it('join packs many values into one text', () => {
    const { codec } = subject('string', { name: 'join', separator: ';' });
    expect(codec.encode(['a', 'b', 'c d'], [])).toEqual(['a;b;c d']);
    expect(codec.decode(['a;b;c d'])).toEqual(['a', 'b', 'c d']);
    expect(codec.decode([';a;;b;'])).toEqual(['a', 'b']);
    expect(codec.encode([], [])).toEqual([]);
    expect(refusalOf(() => codec.encode(['a;b'], []))).toMatchObject({ scimType: 'invalidValue' });
  });

  it('join reads back every list that it writes, and refuses the others', () => {
    for (const separator of [',', ', ', ';;', 'aa']) {
      const { codec } = subject('string', { name: 'join', separator });
      fc.assert(
        fc.property(
          fc.array(fc.string({ unit: fc.constantFrom('a', ',', ' ', ';', 'b'), minLength: 1, maxLength: 3 })),
          (values) => {
            try {
              expect(codec.decode(codec.encode(values, []))).toEqual(values);
            } catch (error) {
              expect(error).toBeInstanceOf(ScimError);
            }
          },
        ),
      );
    }
  });

  it('split spreads one text over many values', () => {
    const { codec } = subject('string', { name: 'split', separator: ' ' }, true);
    expect(codec.encode(['read write read'], [])).toEqual(['read', 'write']);
    expect(codec.decode(['read', 'write'])).toEqual(['read write']);
    expect(codec.decode([])).toEqual([]);
  });

  it('select at least what the comparison does', () => {
    for (const separator of [',', ', ']) {
      const literal = fc.oneof(
        part,
        fc.array(part).map((parts) => parts.join(separator)),
        fc.constantFrom('', ',', ' '),
      );
      const joined = fc.array(part, { minLength: 1 }).map((parts) => parts.join(separator));
      expectAgreement(subject('string', { name: 'join', separator }), one(joined), literal, 1000);
      expectAgreement(
        subject('string', { name: 'split', separator }, true),
        some(fc.oneof(part, joined)),
        literal,
        1000,
      );
    }
  });
});

describe('numberText', () => {
  it('keeps a number as decimal text', () => {
    const tested = subject('integer', 'numberText');
    expect(tested.codec.encode([42], [])).toEqual(['42']);
    expect(tested.codec.decode(['42', '-7', '007', '4x', ''])).toEqual([42, -7]);
    expectRoundTrip(tested, fc.maxSafeInteger());
    expectAgreement(tested, one(fc.constantFrom('1', '2', '02', 'x')), fc.integer({ min: 0, max: 3 }));
  });

  it('keeps a text that is a number in a number field', () => {
    const tested = subject('string', 'numberText');
    expect(tested.codec.fieldType).toBe('number');
    expect(tested.codec.encode(['42'], [])).toEqual([42]);
    expect(tested.codec.decode([42, 9_007_199_254_740_993n])).toEqual(['42', '9007199254740993']);
    for (const text of ['007', 'E-1', '', '1e3', '9007199254740993']) {
      expect(refusalOf(() => tested.codec.encode([text], []))).toMatchObject({ scimType: 'invalidValue' });
    }
    expectAgreement(tested, one(fc.constantFrom<Scalar>(1, 2, 3n)), fc.constantFrom('1', '3', '03', 'x'));
  });
});

describe('adAccountEnabled', () => {
  const tested = subject('boolean', 'adAccountEnabled');
  const { codec } = tested;

  it('reads bit 2 of userAccountControl', () => {
    expect([512, 514, 66_048, 66_050n].map((flags) => codec.decode([flags]))).toEqual([
      [true],
      [false],
      [true],
      [false],
    ]);
    expect(codec.decode([])).toEqual([]);
  });

  it('changes that bit and no other', () => {
    expect(codec.needsCurrent).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), fc.boolean(), (flags, active) => {
        const [written] = codec.encode([active], [flags]);
        expect(Number(written) & ~2).toBe(flags & ~2);
        expect(codec.decode([written ?? 0])).toEqual([active]);
      }),
    );
  });

  it('makes a normal account where there is none', () => {
    expect(codec.encode([true], [])).toEqual([512]);
    expect(codec.encode([false], [])).toEqual([514]);
    expect(codec.encode([], [])).toEqual([]);
  });

  it('leaves an account as it is when there is no value', () => expect(codec.encode([], [514])).toEqual([514]));

  it('asks for the single bit, and for a value that is there', () => {
    const isDisabled = { kind: 'compare', path: 'f&2', op: 'eq', value: true };
    expect(codec.toCondition('f', 'eq', false)).toEqual({ condition: isDisabled, exact: true });
    expect(codec.toCondition('f', 'eq', true)).toEqual({
      condition: {
        kind: 'and',
        operands: [
          { kind: 'present', path: 'f' },
          { kind: 'not', operand: isDisabled },
        ],
      },
      exact: true,
    });
    expect(codec.toCondition('f', 'co', true)).toBeUndefined();
  });
});

describe('adSecurityEnabled', () => {
  const { codec } = subject('boolean', 'adSecurityEnabled');

  it('reads the highest bit of groupType [MS-ADTS 2.2.12]', () => {
    expect([-2_147_483_646, 2, -2_147_483_640, 8].map((flags) => codec.decode([flags]))).toEqual([
      [true],
      [false],
      [true],
      [false],
    ]);
    expect(codec.decode([])).toEqual([]);
  });

  it('sets and clears that bit, and leaves the scope', () => {
    expect(codec.encode([true], [8])).toEqual([-2_147_483_640]);
    expect(codec.encode([false], [-2_147_483_640])).toEqual([8]);
    expect(codec.encode([true], [])).toEqual([-2_147_483_646]);
    expect(codec.encode([], [4])).toEqual([4]);
  });
});

describe('openldapEnabled', () => {
  const tested = subject('boolean', 'openldapEnabled');
  const { codec } = tested;
  const lockout = '20260101080000Z';

  it('takes an account for disabled only when it is locked for good', () => {
    expect(codec.decode([])).toEqual([true]);
    expect(codec.decode([lockout])).toEqual([true]);
    expect(codec.decode(['000001010000Z'])).toEqual([false]);
  });

  it('locks and unlocks, and leaves a lockout after failed logins', () => {
    expect(codec.encode([false], [])).toEqual(['000001010000Z']);
    expect(codec.encode([true], ['000001010000Z'])).toEqual([]);
    expect(codec.encode([true], [lockout])).toEqual([lockout]);
    expect(codec.encode([], ['000001010000Z'])).toEqual(['000001010000Z']);
    expectRoundTrip(tested, fc.boolean());
  });

  it('compares as the resource does', () => {
    expectAgreement(tested, one(fc.constantFrom('000001010000Z', lockout)), fc.boolean());
  });
});

describe('nsAccountLock', () => {
  const tested = subject('boolean', 'nsAccountLock');
  const { codec } = tested;

  it('takes "true" in any case for disabled', () => {
    expect(['true', 'TRUE', 'false'].map((value) => codec.decode([value]))).toEqual([[false], [false], [true]]);
    expect(codec.decode([])).toEqual([true]);
  });

  it('locks and unlocks', () => {
    expect(codec.encode([false], [])).toEqual(['true']);
    expect(codec.encode([false], ['TRUE'])).toEqual(['TRUE']);
    expect(codec.encode([true], ['TRUE'])).toEqual([]);
    expect(codec.encode([], ['TRUE'])).toEqual(['TRUE']);
    expectRoundTrip(tested, fc.boolean());
  });

  it('compares as the resource does', () => {
    expectAgreement(tested, one(fc.constantFrom('true', 'TRUE', 'True', 'false')), fc.boolean());
  });
});

describe('appRole', () => {
  const role = (parts: object): string => JSON.stringify({ id: '18d14569-c3bd-439b-9a66-3a2aee01d14f', ...parts });

  it('stores plain text as it is', () => {
    expect(subject('string', 'appRole').codec.encode(['ADMIN'], [])).toEqual(['ADMIN']);
  });

  it('takes the part that the rule names out of JSON text', () => {
    const sent = role({ value: 'admin', displayName: 'Administrator' });
    expect(subject('string', { name: 'appRole', by: 'value' }).codec.encode([sent], [])).toEqual(['admin']);
    expect(subject('string', { name: 'appRole', by: 'displayName' }).codec.encode([sent], [])).toEqual([
      'Administrator',
    ]);
    expect(subject('string', { name: 'appRole', by: 'id' }).codec.encode([sent], [])).toEqual([
      '18d14569-c3bd-439b-9a66-3a2aee01d14f',
    ]);
  });

  it("takes the display name when a role has no value, as Entra's often have", () => {
    const sent = role({ value: null, displayName: 'Administrator' });
    expect(
      subject('string', 'appRole').codec.encode([role({ value: 'admin', displayName: 'Administrator' })], []),
    ).toEqual(['admin']);
    expect(subject('string', 'appRole').codec.encode([sent], [])).toEqual(['Administrator']);
    expect(refusalOf(() => subject('string', { name: 'appRole', by: 'value' }).codec.encode([sent], []))).toMatchObject(
      {
        scimType: 'invalidValue',
        message: 'a: the role has no "value".',
      },
    );
  });

  it('stores the spelling of "values" and refuses others', () => {
    const { codec } = subject('string', { name: 'appRole', by: 'displayName', values: ['OWNER', 'STANDARD'] });
    expect(codec.encode(['owner', role({ displayName: 'Owner' })], [])).toEqual(['OWNER']);
    expect(refusalOf(() => codec.encode(['GUEST'], []))).toMatchObject({
      scimType: 'invalidValue',
      message: 'a: must be one of OWNER, STANDARD.',
    });
  });

  it('stores the default for unknown roles when told so', () => {
    const { codec } = subject('string', {
      name: 'appRole',
      values: ['OWNER', 'STANDARD'],
      onUnknown: 'default',
      default: 'STANDARD',
    });
    expect(codec.encode(['GUEST'], [])).toEqual(['STANDARD']);
  });

  it('takes text that only looks like JSON for text', () => {
    const { codec } = subject('string', 'appRole');
    expect(codec.encode(['{not json', '{"other": 1}', '[1]'], [])).toEqual(['{not json', '{"other": 1}', '[1]']);
  });

  it('compares as text', () => {
    const name = fc.constantFrom('ADMIN', 'admin', 'OWNER', 'A');
    expectAgreement(subject('string', 'appRole', true), some(name), name);
  });
});
