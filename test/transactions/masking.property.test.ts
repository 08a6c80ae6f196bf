import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttributePath } from '../../src/scim/attribute-path.js';
import { tolerantDialect } from '../../src/scim/dialect.js';
import type { Filter } from '../../src/scim/filter.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { printFilter } from '../../src/scim/filter-printer.js';
import { shapeOf, valuesOf } from '../../src/transactions/body-shape.js';
import { maskComparisons, maskFilter, maskPath, readFilter } from '../../src/transactions/filter-mask.js';
import type { OperationName } from '../../src/transactions/operation-name.js';
import { Placeholders } from '../../src/transactions/placeholders.js';
import { propertyRuns } from '../support/property-runs.js';

/** Every text that is a value has the mark in it, every number begins with it: neither is in any name. */
const mark = '§';
const numberMark = 87_654_321;
const leaks = (text: string): boolean => text.includes(mark) || text.includes(String(numberMark));

const markedText = fc
  .tuple(
    fc.string({ maxLength: 6 }),
    fc.constantFrom('', '@example.com', '"', '\\', ']', '"]', ' eq "', ' or ', ':', '.'),
  )
  .chain(([before, after]) => fc.string({ maxLength: 6 }).map((end) => before + mark + after + end));
const instant = fc.constant(`2026-01-01T00:00:00.${numberMark}Z`);
const markedNumber = fc.nat({ max: 99 }).map((more) => Number(`${numberMark}.${more}`));
const value = fc.oneof({ weight: 4, arbitrary: markedText }, instant, markedNumber, fc.boolean(), fc.constant(null));

const names = [
  'userName',
  'emails',
  'type',
  'value',
  'name.givenName',
  'password',
  'x',
  '$ref',
  'path',
  'filter',
  'count',
];
const name = fc.constantFrom(
  ...names,
  'urn:ietf:params:scim:schemas:core:2.0:User:emails.type',
  'schemas',
  'op',
  'method',
);

const compare: fc.Arbitrary<Filter<AttributePath>> = fc.record({
  kind: fc.constant('compare' as const),
  path: name.map((text) => ({ text })),
  op: fc.constantFrom('eq' as const, 'co' as const, 'gt' as const),
  value,
});
const { filter } = fc.letrec<{ filter: Filter<AttributePath> }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    compare,
    fc.record({ kind: fc.constant('not' as const), operand: tie('filter') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('valuePath' as const), path: fc.constant({ text: 'emails' }), filter: compare }),
  ),
}));
const path = fc
  .tuple(compare, fc.constantFrom('', '.value', '.type'))
  .map(([inner, sub]) => `emails[${printFilter(inner)}]${sub}`);

const key = fc.oneof(
  { weight: 5, arbitrary: name },
  { weight: 1, arbitrary: markedText },
  { weight: 1, arbitrary: path },
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    value,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 5 }),
    fc.record({
      schemas: fc.array(markedText),
      userName: markedText,
      emails: fc.array(fc.record({ value: markedText, type: markedText })),
    }),
  ),
}));
const operation = fc.record({
  op: fc.oneof(fc.constantFrom('add', 'Replace'), markedText),
  path: fc.oneof(path, name, markedText),
  value: json,
});
const patch = fc.record({
  schemas: fc.array(markedText, { maxLength: 1 }),
  Operations: fc.array(operation, { maxLength: 3 }),
});
const bulk = fc.record({
  Operations: fc.array(
    fc.record({
      method: fc.oneof(fc.constant('POST'), markedText),
      path: fc.oneof(
        fc.constant('/Users'),
        markedText.map((id) => `/Users/${id}`),
        markedText,
      ),
      bulkId: markedText,
      data: fc.oneof(json, patch),
    }),
    { maxLength: 3 },
  ),
});
const search = fc.record({
  filter: fc.oneof(
    filter.map((one) => printFilter(one)),
    markedText,
  ),
  attributes: fc.oneof(fc.array(fc.oneof(name, path, markedText)), markedText),
  sortBy: fc.oneof(path, markedText),
  sortOrder: markedText,
  count: fc.constantFrom(5, 'x'),
});
const bodies: fc.Arbitrary<readonly [unknown, OperationName]> = fc.oneof(
  fc.tuple(json, fc.constantFrom<OperationName>('create', 'replace', 'none', 'patch', 'bulk', 'search')),
  fc.tuple(patch, fc.constant<OperationName>('patch')),
  fc.tuple(bulk, fc.constant<OperationName>('bulk')),
  fc.tuple(search, fc.constant<OperationName>('search')),
);

describe('masking', () => {
  it('leaves no value in a filter, and the same filter otherwise [7644-7.5.2-02]', () => {
    fc.assert(
      fc.property(filter, (original) => {
        const text = printFilter(original);
        const parsed = parseFilter(text, tolerantDialect);
        const masked = maskFilter(parsed, new Placeholders());
        expect(leaks(masked)).toBe(false);
        // With the values taken out of both there is no difference.
        const bare = (one: Filter<AttributePath>): unknown =>
          JSON.parse(JSON.stringify(one, (property, part: unknown) => (property === 'value' ? 0 : part)));
        expect(bare(parseFilter(masked, tolerantDialect))).toEqual(bare(parsed));
      }),
      { numRuns: propertyRuns(500) },
    );
  });

  it('leaves no value in the path of a PATCH', () => {
    fc.assert(
      fc.property(fc.oneof(path, markedText), (text) => {
        expect(leaks(maskPath(text, new Placeholders()))).toBe(false);
      }),
      { numRuns: propertyRuns(500) },
    );
  });

  it('leaves no value in the shape of a body, whatever it is [7643-4.1.1-pw-01]', () => {
    fc.assert(
      fc.property(bodies, ([body, kind]) => {
        const shape = shapeOf(body, kind, new Placeholders());
        expect(leaks(shape)).toBe(false);
        expect(() => JSON.parse(shape)).not.toThrow();
      }),
      { numRuns: propertyRuns(1500) },
    );
  });

  it('leaves no secret in the values of a body', () => {
    const secrets = fc.constantFrom('password', 'clientSecret', 'apiKey', 'accessToken', 'urn:acme:User:passwordHash');
    const secretive = fc.tuple(secrets, markedText).map(([secret, text]) => [
      { [secret]: text, nested: { [secret]: [text, { deep: text }] } },
      {
        Operations: [
          { op: 'add', path: secret, value: text },
          { op: 'add', value: { [secret]: text } },
        ],
      },
    ]);
    fc.assert(
      fc.property(secretive, ([plain, patched]) => {
        expect(leaks(valuesOf(plain, 'create'))).toBe(false);
        expect(leaks(valuesOf(patched, 'patch'))).toBe(false);
        const inBulk = { Operations: [{ method: 'PATCH', path: '/Users/1', data: patched }] };
        expect(leaks(valuesOf(inBulk, 'bulk'))).toBe(false);
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  it('leaves no literal in a text that quotes a comparison', () => {
    fc.assert(
      fc.property(filter, (original) => {
        const text = `remove emails[${printFilter(original)}] was not carried out`;
        const withoutNumbers = !JSON.stringify(original).includes(String(numberMark));
        fc.pre(withoutNumbers);
        expect(leaks(maskComparisons(text))).toBe(false);
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  it('gives the same value the same placeholder, and different values different ones', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(markedText, instant, markedNumber), { maxLength: 20 }), (values) => {
        const placeholders = new Placeholders();
        const given = values.map((one) => placeholders.of(one));
        expect(new Set(given).size).toBe(new Set(values).size);
        expect(values.map((one) => placeholders.of(one))).toEqual(given);
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  it.each(['userName eq', 'userName eq "§', '§', 'a[b', ''])('does not repeat what is no filter: %j', (text) => {
    expect(readFilter(text)).toBeUndefined();
  });

  it.each([
    'scimb_0123456789012345678901234567890123456789012345678',
    'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl',
    'Bearer 0123456789',
    'Basic c2NpbTp0b2tlbg==',
  ])('takes a credential for a secret wherever it stands: %s', (text) => {
    expect(valuesOf({ title: text, notes: [`see ${text}`] }, 'create')).not.toContain(text);
  });
});
