/**
 * Our filters against those of the npm package scim2-parse-filter. Wherever none of the deliberate differences below
 * comes into play, both must agree; each difference names the requirement that decides it and shows one case of it.
 */
import fc from 'fast-check';
import * as other from 'scim2-parse-filter';
import { describe, expect, it } from 'vitest';
import { type AttributePath, leafOf, type ResolvedPath } from '../../src/scim/attribute-path.js';
import { comparisonOf } from '../../src/scim/comparison.js';
import { tolerantDialect } from '../../src/scim/dialect.js';
import { allOf, anyOf, type CompareOp, type CompareValue, type Filter } from '../../src/scim/filter.js';
import { evaluateFilter } from '../../src/scim/filter-evaluate.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { printFilter } from '../../src/scim/filter-printer.js';
import { resolveFilter } from '../../src/scim/filter-resolve.js';
import type { JsonValue, Resource } from '../../src/scim/schema.js';
import { acmeUrn, enterpriseUrn, personType, userUrn } from './person-type.js';

type Outcome = boolean | 'refused';

function ours(text: string, resource: Resource): Outcome {
  return outcomeOf(() => {
    const filter = parseFilter(text, tolerantDialect);
    return evaluateFilter(resolveFilter(filter, personType, { dialect: tolerantDialect, unknown: 'reject' }), resource);
  });
}

function theirs(text: string, resource: Resource): Outcome {
  return outcomeOf(() => other.filter(other.parse(text))(resource));
}

function outcomeOf(evaluate: () => boolean): Outcome {
  try {
    return evaluate();
  } catch {
    return 'refused';
  }
}

interface Term {
  readonly kind: 'compare' | 'present';
  readonly path: ResolvedPath;
  readonly op: CompareOp | 'pr';
  readonly value: CompareValue | undefined;
}

interface Case {
  readonly text: string;
  readonly terms: readonly Term[];
  readonly resource: Resource;
}

interface Difference {
  readonly name: string;
  readonly rows: string;
  /** Whether it may come into play. Absent where the generator never writes such a thing. */
  readonly plays?: (example: Case) => boolean;
  readonly example: { text: string; resource: Resource; ours: Outcome; theirs: Outcome };
}

const hasTerm = (holds: (term: Term) => boolean) => (example: Case) => example.terms.some(holds);
const mails = (...emails: { [key: string]: JsonValue }[]): Resource => ({ emails });

const differences: readonly Difference[] = [
  {
    name: 'letter case of attributes that are not caseExact',
    rows: '7644-3.4.2.2-28 7643-7-case-01',
    plays: ({ text, resource, terms }) =>
      terms.some((term) => term.kind === 'compare' && comparisonOf(leafOf(term.path)) === 'fold') &&
      /[A-Z]/.test(`${(text.match(/"[^"]*"/g) ?? []).join('')}${valuesOf(resource).join('')}`),
    example: { text: 'userName eq "BJensen"', resource: { userName: 'bjensen' }, ours: true, theirs: false },
  },
  {
    name: 'composed and decomposed letters',
    rows: '7644-7.8-01',
    example: { text: 'userName eq "é"', resource: { userName: 'e\u0301' }, ours: true, theirs: false },
  },
  {
    name: 'text beyond U+FFFF in order',
    rows: '7644-3.4.2.2-12',
    example: { text: 'externalId gt "\uffee"', resource: { externalId: '😀' }, ours: true, theirs: false },
  },
  {
    name: '"ne" of an absent attribute',
    rows: '7644-3.4.2.2-07',
    plays: hasTerm((term) => term.op === 'ne'),
    example: { text: 'title ne "x"', resource: {}, ours: true, theirs: false },
  },
  {
    name: '"ne" where one value is equal and another is not',
    rows: '7644-3.4.2.2-07 7644-3.4.2.2-24',
    plays: hasTerm((term) => term.op === 'ne'),
    example: { text: 'emails.type ne "a"', resource: mails({ type: 'a' }, { type: 'b' }), ours: false, theirs: true },
  },
  {
    name: '"eq null" of an absent attribute',
    rows: '7643-2.5-01',
    plays: ({ text }) => text.includes('null'),
    example: { text: 'title eq null', resource: {}, ours: true, theirs: false },
  },
  {
    name: '"pr" of empty texts, lists and objects',
    rows: '7644-3.4.2.2-11 7643-2.5-01',
    plays: (example) => hasTerm((term) => term.op === 'pr')(example) && hasEmpty(example.resource),
    example: { text: 'emails pr', resource: { emails: [] }, ours: false, theirs: true },
  },
  {
    name: 'values of a multi-valued attribute that is not complex',
    rows: '7644-3.4.2.2-24',
    plays: hasTerm(({ kind, path }) => kind === 'compare' && path.sub === undefined && path.attribute.multiValued),
    example: {
      text: `${acmeUrn}:nicknames eq "a"`,
      resource: { [acmeUrn]: { nicknames: ['a', 'b'] } },
      ours: true,
      theirs: false,
    },
  },
  {
    name: 'a multi-valued complex attribute alone, as its value',
    rows: '7644-3.4.2.2-25',
    plays: ({ text }) => /\bemails (?!pr)/.test(text),
    example: { text: 'emails co "a"', resource: mails({ value: 'ab' }), ours: true, theirs: false },
  },
  {
    name: 'one and the same element',
    rows: '7644-3.4.2.2-18',
    plays: ({ text }) => /\[[^\]]*( and |not )/.test(text),
    example: {
      text: 'emails[type eq "work" and value eq "a"]',
      resource: mails({ type: 'work', value: 'b' }, { type: 'home', value: 'a' }),
      ours: false,
      theirs: true,
    },
  },
  {
    name: 'not inside brackets, of one element',
    rows: '7644-3.4.2.2-21',
    plays: ({ text }) => /\[[^\]]*not /.test(text),
    example: {
      text: 'emails[not (type eq "a")]',
      resource: mails({ type: 'a' }, { type: 'b' }),
      ours: true,
      theirs: false,
    },
  },
  {
    name: 'a missing primary counts as false',
    rows: '7643-2.4-06',
    plays: ({ text }) => /primary (eq|ne) false/.test(text),
    example: { text: 'emails.primary eq false', resource: mails({ value: 'a' }), ours: true, theirs: false },
  },
  {
    name: 'time in different spellings',
    rows: '7644-3.4.2.2-12',
    plays: hasTerm(({ kind, path }) => kind === 'compare' && leafOf(path).type === 'dateTime'),
    example: {
      text: 'meta.created eq "2020-01-01T00:00:00Z"',
      resource: { meta: { created: '2020-01-01T01:00:00+01:00' } },
      ours: true,
      theirs: false,
    },
  },
  {
    name: 'order of values of another type than the literal',
    rows: '7644-3.4.2.2-12',
    plays: hasTerm(
      ({ op, path, value }) => /^[gl][te]$/.test(op) && leafOf(path).type === 'integer' && typeof value !== 'number',
    ),
    example: { text: `${acmeUrn}:level gt "5"`, resource: { [acmeUrn]: { level: 9 } }, ours: false, theirs: true },
  },
  {
    name: 'operators that the type does not have',
    rows: '7644-3.4.2.2-13 7644-T9-01',
    example: { text: 'active co "tr"', resource: { active: true }, ours: 'refused', theirs: true },
  },
  {
    name: 'True as text',
    rows: '7643-2.3.2-01',
    example: { text: 'active eq "True"', resource: { active: true }, ours: true, theirs: false },
  },
  {
    name: 'unknown attributes',
    rows: '7644-3.4.2.2-31',
    example: { text: 'nosuch eq "x"', resource: { nosuch: 'x' }, ours: 'refused', theirs: true },
  },
  {
    name: 'what is no sub-attribute, inside brackets',
    rows: '7644-3.4.2.2-19',
    example: { text: 'emails[userName eq "a"]', resource: mails({ userName: 'a' }), ours: 'refused', theirs: true },
  },
  {
    name: 'a value path inside a value path',
    rows: '7644-3.4.2.2-20',
    example: { text: 'emails[value[type pr]]', resource: {}, ours: 'refused', theirs: false },
  },
  {
    name: 'a complex attribute without its sub-attribute',
    rows: '7644-3.4.2.2-25',
    example: { text: 'name eq "a"', resource: { name: { givenName: 'a' } }, ours: 'refused', theirs: false },
  },
  {
    name: 'passwords',
    rows: '7643-4.1.1-pw-06',
    example: { text: 'password sw "s"', resource: { password: 'secret' }, ours: 'refused', theirs: true },
  },
  {
    name: "the core schema's URN",
    rows: '7644-3.10-01 7644-3.10-02',
    example: { text: `${userUrn}:userName eq "a"`, resource: { userName: 'a' }, ours: true, theirs: false },
  },
  {
    name: 'extension attributes without their URN',
    rows: '7644-3.10-03',
    example: {
      text: 'department eq "a"',
      resource: { [enterpriseUrn]: { department: 'a' } },
      ours: true,
      theirs: false,
    },
  },
  {
    name: 'a leading $',
    rows: '7643-2.1-04',
    example: {
      text: 'manager.$ref pr',
      resource: { [enterpriseUrn]: { manager: { $ref: 'x' } } },
      ours: true,
      theirs: 'refused',
    },
  },
  {
    name: 'escapes',
    rows: '7644-3.4.2.2-23',
    example: { text: 'userName eq "\\u0061"', resource: { userName: 'a' }, ours: true, theirs: false },
  },
  {
    name: 'negative numbers before a blank',
    rows: '7644-3.4.2.2-23',
    example: { text: `${acmeUrn}:level eq -1 and title pr`, resource: {}, ours: false, theirs: 'refused' },
  },
  {
    name: 'not without parentheses',
    rows: '7644-3.4.2.2-23',
    example: { text: 'not title pr', resource: {}, ours: 'refused', theirs: true },
  },
  {
    name: 'blanks that the grammar asks for',
    rows: '7644-3.4.2.2-23',
    example: { text: 'title eq "a"and title pr', resource: { title: 'a' }, ours: 'refused', theirs: true },
  },
  {
    name: 'names that are none',
    rows: '7643-2.1-03',
    example: { text: '1abc pr', resource: { '1abc': 1 }, ours: 'refused', theirs: true },
  },
];

describe('deliberate differences from scim2-parse-filter', () => {
  it.each(differences)('$name [$rows]', ({ example }) => {
    expect(ours(example.text, example.resource)).toBe(example.ours);
    expect(theirs(example.text, example.resource)).toBe(example.theirs);
    expect(example.ours).not.toBe(example.theirs);
  });
});

const lowerWord = fc.constantFrom('a', 'ab', 'b', 'ba');
const mixedWord = fc.constantFrom('a', 'ab', 'b', 'B', 'aB');
const instant = fc.constantFrom('2020-01-01T00:00:00Z', '2020-01-01T01:00:00+01:00', '2020-06-01T00:00:00.5Z');
const ifThere = <T extends Record<string, fc.Arbitrary<JsonValue>>>(model: T): fc.Arbitrary<Resource> =>
  fc
    .record(model, { requiredKeys: [] })
    .map((object) =>
      Object.fromEntries(Object.entries(object as Resource).filter(([, value]) => !isEmptyObject(value))),
    );

function resourceWith(
  word: fc.Arbitrary<string>,
  title: fc.Arbitrary<JsonValue>,
  minLength: number,
): fc.Arbitrary<Resource> {
  const email = fc
    .tuple(word, ifThere({ type: word, primary: fc.boolean() }))
    .map(([value, rest]): Resource => ({ value, ...rest }));
  return ifThere({
    userName: word,
    externalId: word,
    title,
    active: fc.boolean(),
    name: word.chain((formatted) => ifThere({ givenName: word }).map((rest): Resource => ({ formatted, ...rest }))),
    emails: fc.array(email, { minLength, maxLength: 3 }),
    meta: ifThere({ created: instant }),
    [enterpriseUrn]: ifThere({ department: word }),
    [acmeUrn]: ifThere({
      level: fc.nat({ max: 12 }),
      badge: word,
      nicknames: fc.array(word, { minLength, maxLength: 2 }),
    }),
  });
}

/** A path, the operators and the values to compare it by. */
type Choice = readonly [path: string, ops: readonly CompareOp[], values: fc.Arbitrary<CompareValue>];
const orderOps: readonly CompareOp[] = ['eq', 'gt', 'ge', 'lt', 'le'];
const textOps: readonly CompareOp[] = [...orderOps, 'co', 'sw', 'ew'];

const commonPaths: readonly Choice[] = [
  ['userName', textOps, lowerWord],
  ['externalId', textOps, mixedWord],
  ['title', textOps, lowerWord],
  ['active', ['eq'], fc.boolean()],
  ['name.givenName', textOps, lowerWord],
  ['emails.value', textOps, lowerWord],
  ['emails.primary', ['eq'], fc.constant(true)],
  [`${enterpriseUrn}:department`, textOps, lowerWord],
  [`${acmeUrn}:badge`, textOps, mixedWord],
  [`${acmeUrn}:level`, orderOps, fc.nat({ max: 12 })],
];
const richPaths: readonly Choice[] = [
  ...commonPaths.map(([path, ops, values]): Choice => [path, [...ops, 'ne'], values]),
  ['userName', textOps, mixedWord],
  ['title', textOps, fc.constant(null)],
  ['emails', textOps, lowerWord],
  ['emails.primary', ['eq', 'ne'], fc.boolean()],
  ['meta.created', orderOps, instant],
  [`${acmeUrn}:level`, orderOps, fc.constant('5')],
  [`${acmeUrn}:nicknames`, textOps, lowerWord],
];
const emailPaths: readonly Choice[] = [
  ['value', textOps, lowerWord],
  ['type', textOps, lowerWord],
  ['primary', ['eq'], fc.boolean()],
];

function term(choices: readonly Choice[]): fc.Arbitrary<Filter<AttributePath>> {
  return fc.constantFrom(...choices).chain(([text, ops, values]) =>
    fc.oneof(
      { weight: 1, arbitrary: fc.constant<Filter<AttributePath>>({ kind: 'present', path: { text } }) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom(...ops), values)
          .map(([op, value]): Filter<AttributePath> => ({ kind: 'compare', path: { text }, op, value })),
      },
    ),
  );
}

function logic(terms: fc.Arbitrary<Filter<AttributePath>>, maxDepth: number): fc.Arbitrary<Filter<AttributePath>> {
  return fc.letrec<{ filter: Filter<AttributePath> }>((tie) => ({
    filter: fc.oneof(
      { maxDepth },
      terms,
      fc.tuple(tie('filter'), tie('filter')).map(allOf),
      fc.tuple(tie('filter'), tie('filter')).map(anyOf),
      tie('filter').map((operand): Filter<AttributePath> => ({ kind: 'not', operand })),
    ),
  })).filter;
}

function filterOver(choices: readonly Choice[], depthInBrackets: number): fc.Arbitrary<Filter<AttributePath>> {
  const valuePath = logic(term(emailPaths), depthInBrackets).map(
    (filter): Filter<AttributePath> => ({ kind: 'valuePath', path: { text: 'emails' }, filter }),
  );
  return logic(fc.oneof({ weight: 4, arbitrary: term(choices) }, { weight: 1, arbitrary: valuePath }), 3);
}

const anyFilter = filterOver(richPaths, 2);
/** Mostly what both take alike, and every difference that a filter can show. */
const anyExample = fc.oneof(
  fc.tuple(filterOver(commonPaths, 0), resourceWith(lowerWord, lowerWord, 1)),
  fc.tuple(anyFilter, resourceWith(mixedWord, fc.constantFrom('a', 'B', '', null), 0)),
);

describe('scim2-parse-filter', () => {
  it('reads every generated filter as we do [7644-3.4.2.2-16 7644-3.4.2.2-23]', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        const text = printFilter(filter);
        expect(fromOther(other.parse(text))).toEqual(parseFilter(text, tolerantDialect));
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with us on every resource where no deliberate difference comes into play [7644-3.4.2.2-02]', () => {
    let compared = 0;
    let matched = 0;
    fc.assert(
      fc.property(anyExample, ([filter, resource]) => {
        const text = printFilter(filter);
        const example: Case = { terms: termsOf(filter), resource, text };
        if (differences.some((difference) => difference.plays?.(example))) return;
        compared += 1;
        if (ours(text, resource) === true) matched += 1;
        expect({ text, outcome: ours(text, resource) }).toEqual({ text, outcome: theirs(text, resource) });
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(400);
    expect(matched).toBeGreaterThan(100);
    expect(matched).toBeLessThan(compared - 100);
  });
});

/** Their syntax tree as ours, with operands flattened as ours are. */
function fromOther(filter: other.Filter): Filter<AttributePath> {
  switch (filter.op) {
    case 'and':
      return allOf(filter.filters.map(fromOther));
    case 'or':
      return anyOf(filter.filters.map(fromOther));
    case 'not':
      return { kind: 'not', operand: fromOther(filter.filter) };
    case 'pr':
      return { kind: 'present', path: { text: filter.attrPath } };
    case '[]':
      return { kind: 'valuePath', path: { text: filter.attrPath }, filter: fromOther(filter.valFilter) };
    default:
      return { kind: 'compare', path: { text: filter.attrPath }, op: filter.op, value: filter.compValue };
  }
}

/** The terms as written, each with the attribute that it names. */
function termsOf(filter: Filter<AttributePath>, prefix = ''): readonly Term[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.flatMap((operand) => termsOf(operand, prefix));
    case 'not':
      return termsOf(filter.operand, prefix);
    case 'valuePath':
      return termsOf(filter.filter, `${filter.path.text}.`);
    default: {
      const present = { kind: 'present', path: { text: `${prefix}${filter.path.text}` } } as const;
      const resolved = resolveFilter(present, personType, { dialect: tolerantDialect, unknown: 'reject' });
      if (resolved.kind !== 'present') throw new Error('pr stays pr');
      const { path } = resolved;
      return filter.kind === 'present'
        ? [{ kind: 'present', path, op: 'pr', value: undefined }]
        : [{ kind: 'compare', path, op: filter.op, value: filter.value }];
    }
  }
}

function valuesOf(value: JsonValue | undefined): readonly JsonValue[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(valuesOf) : [value ?? null];
}

function isEmptyObject(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function hasEmpty(value: JsonValue): boolean {
  if (typeof value !== 'object') return value === '';
  return value === null || Object.values(value).length === 0 || Object.values(value).some(hasEmpty);
}
