import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import groupJson from '../../schemas/rfc7643/Group.json' with { type: 'json' };
import { type Dialect, strictDialect, tolerantDialect } from '../../src/scim/dialect.js';
import { ScimError } from '../../src/scim/error.js';
import { type Attribute, createResourceType, type ResourceType } from '../../src/scim/schema.js';
import { parseAttributeValue, parseElement, type ValueOptions } from '../../src/scim/value-parser.js';
import { acmeUrn, enterpriseUrn, personType, schemaOf } from './person-type.js';

const groupType = createResourceType({
  name: 'Group',
  endpoint: '/Groups',
  schema: schemaOf(groupJson, 'core'),
  extensions: [],
});

function attribute(name: string, type: ResourceType = personType): Attribute {
  const found = type.coreAttribute(name) ?? type.extensionAttribute(name);
  if (found === undefined) throw new Error(`no attribute ${name}`);
  return found;
}

const parse = (name: string, value: unknown, dialect: Dialect = tolerantDialect, options?: ValueOptions) =>
  parseAttributeValue(attribute(name), value, dialect, name, options);
const members = (value: unknown, dialect: Dialect = tolerantDialect, options?: ValueOptions) =>
  parseAttributeValue(attribute('members', groupType), value, dialect, 'members', options);

function refusalOf(action: () => unknown): ScimError {
  try {
    action();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const refusal = (name: string, value: unknown, dialect?: Dialect, options?: ValueOptions): ScimError =>
  refusalOf(() => parse(name, value, dialect, options));

function expectRefusal(name: string, value: unknown, dialect: Dialect, words: string): void {
  const error = refusal(name, value, dialect);
  expect(error).toMatchObject({ status: 400, scimType: 'invalidValue' });
  expect(error.message.startsWith(name)).toBe(true);
  expect(error.message).toContain(words);
}

function expectFreeText(name: string, good: unknown, bad: unknown): void {
  expect(parse(name, good, strictDialect)).toEqual(good);
  expect(refusal(name, bad, strictDialect)).toMatchObject({ scimType: 'invalidValue' });
  expect(parse(name, bad)).toEqual(bad);
}

const bothDialects = [
  ['tolerant', tolerantDialect],
  ['strict', strictDialect],
] as const;

describe.each(bothDialects)('parseAttributeValue: types (%s)', (_, dialect) => {
  it.each([
    ['remote', true],
    ['active', false],
  ])('%s takes %j as it is [7643-2.3.2-01]', (name, value) => {
    expect(parse(name, value, dialect)).toEqual(value);
  });

  it.each([
    ['active', 'yes', 'must be true or false, not a text'],
    ['active', 1, 'must be true or false'],
  ])('%s refuses %j with invalidValue [7643-2.3.2-01]', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it.each([
    ['rate', 1.5],
    ['rate', 2],
  ])('%s takes %j as it is [7643-2.3.3-01]', (name, value) => {
    expect(parse(name, value, dialect)).toEqual(value);
  });

  it.each([
    ['rate', 'abc', 'must be a number, without quotes'],
    ['rate', true, 'must be a number'],
  ])('%s refuses %j with invalidValue [7643-2.3.3-01]', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it('takes an integer as it is [7643-2.3.4-01]', () => expect(parse('level', -3, dialect)).toBe(-3));

  it.each([
    ['level', 1.5, 'must be an integer'],
    ['level', '5', 'must be an integer, without quotes'],
    ['level', 2 ** 53, 'must be an integer between -(2^53 - 1) and 2^53 - 1'],
  ])('%s refuses %j with invalidValue [7643-2.3.4-01]', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it.each([
    ['hired', '2020-01-01T00:00:00Z'],
    ['hired', '2020-01-01T00:00:00.123456789+02:00'],
    ['hired', '2020-01-01T00:00:00-05:30'],
  ])('%s takes %j as it is [7643-2.3.5-01]', (name, value) => {
    expect(parse(name, value, dialect)).toEqual(value);
  });

  it.each([
    ['hired', '2020-01-01', 'must be a date and time such as "2026-01-31T08:00:00Z"'],
    ['hired', '2020-02-30T00:00:00Z', 'must be a date and time'],
  ])('%s refuses %j with invalidValue [7643-2.3.5-01]', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it.each([
    ['key', 'YQ=='],
    ['key', 'YQ'],
    ['key', 'ab+/'],
  ])('%s takes %j as it is [7643-2.3.6-01]', (name, value) => {
    expect(parse(name, value, dialect)).toEqual(value);
  });

  it.each([
    ['key', '!!', 'must be base64'],
    ['key', 'ab-_', 'must be base64'],
    ['key', 'YQ=', 'must be base64'],
    ['key', 'YWJjZ', 'must be base64'],
  ])('%s refuses %j with invalidValue [7643-2.3.6-01]', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it.each([
    ['homepage', 'https://example.com/a?b=c#d'],
    ['homepage', '../Users/1'],
    ['homepage', 'urn:example:a'],
    ['homepage', 'http://[2001:db8::1]:8080/a'],
    ['homepage', '/wörter?q=ä'],
  ])('%s takes %j as it is [7643-2.3.7-01]', (name, value) => {
    expect(parse(name, value, dialect)).toEqual(value);
  });

  it('takes text as it is, any Unicode, nothing reformatted [7644-3.8-01]', () => {
    const text = ' Zoë 你好 😀\n';
    expect(parse('badge', text, dialect)).toBe(text);
  });

  it('takes newlines in addresses [7643-4.1.2-08]', () => {
    const sent = [{ formatted: 'a\nb', streetAddress: 'c\r\nd' }];
    expect(parse('addresses', sent, dialect)).toEqual(sent);
  });

  it.each([
    ['title', { a: 1 }, 'must be a string, not an object'],
    ['title', ['a'], 'must be one value, not a list'],
  ])('%s refuses %j with invalidValue [7643-1.2-01]', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it.each([
    ['title', 42, 'must be a string; put it in quotes'],
    ['title', true, 'must be a string; put it in quotes'],
  ])('%s refuses %j with invalidValue: a string is never made of something else', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it('takes lists of primitives and of objects [7643-2.4-01]', () => {
    expect(parse('nicknames', ['a', 'b'], dialect)).toEqual(['a', 'b']);
    expect(parse('roles', [{ value: 'x' }], dialect)).toEqual([{ value: 'x' }]);
  });

  it.each([
    ['nicknames', [{ value: 'a' }], 'each element must be a string, not an object'],
    ['emails', [['a@b']], 'must be one value, not a list'],
    ['emails', [7], 'must be an object such as {"value": …}'],
    ['addresses', ['Main Street'], 'must be an object such as {"formatted": …}'],
  ])('%s refuses %j with invalidValue [7643-2.4-02]', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it.each([
    ['name', 'Barbara', 'must be an object such as {"formatted": …}'],
    ['name', [{ givenName: 'A' }], 'must be one value, not a list'],
  ])('%s refuses %j with invalidValue: one complex value', (name, value, words) =>
    expectRefusal(name, value, dialect, words),
  );

  it.each([['manager', [{ value: '1' }], 'must be one value, not a list']])(
    '%s refuses %j with invalidValue [7643-4.3-05]',
    (name, value, words) => expectRefusal(name, value, dialect, words),
  );

  it('reads null and [] as no value [7643-2.5-01 7643-2.5-02]', () => {
    for (const name of ['title', 'active', 'name', 'emails', 'manager', 'nicknames']) {
      expect(parse(name, null, dialect)).toBeUndefined();
      expect(parse(name, [], dialect)).toBeUndefined();
    }
  });

  it('reads objects and lists with nothing in them as no value [7643-2.5-01]', () => {
    expect(parse('name', {}, dialect)).toBeUndefined();
    expect(parse('name', { givenName: null }, dialect)).toBeUndefined();
    expect(parse('emails', [{}, null, { value: null }], dialect)).toBeUndefined();
    expect(parse('emails', [{ value: 'a@b', display: null }], dialect)).toEqual([{ value: 'a@b' }]);
  });

  it('puts names of sub-attributes right [7643-2.1-02]', () => {
    expect(parse('name', { GIVENNAME: 'A', familyname: 'B' }, dialect)).toEqual({ givenName: 'A', familyName: 'B' });
  });

  it('refuses a sub-attribute given twice in different case with invalidSyntax [7643-2.1-02]', () => {
    const error = refusal('name', { givenName: 'A', GivenName: 'B' }, dialect);
    expect(error).toMatchObject({ scimType: 'invalidSyntax', message: 'name.givenName: is given twice.' });
  });

  it('ignores read-only sub-attributes and says so [7643-4.3-04 7644-3.3-01]', () => {
    const ignored: string[] = [];
    const options = { ignored: (path: string, why: string) => ignored.push(`${path}: ${why}`) };
    expect(parse('manager', { value: '26', displayName: 'J' }, dialect, options)).toEqual({ value: '26' });
    expect(ignored).toEqual(['manager.displayName: read-only']);
  });

  it('names the element and sub-attribute in an error', () => {
    const error = refusal('emails', [{ value: 'a@b' }, { value: 'c@d', primary: 'maybe' }], dialect);
    expect(error.message).toBe('emails[1].primary: must be true or false, not a text.');
  });

  it('never repeats a password or a long value in an error [7643-4.1.1-pw-01]', () => {
    expect(refusal('password', 12345678, dialect).message).toBe('password: must be a string; put it in quotes.');
    expect(refusal('password', { clear: 's3cret' }, dialect).message).not.toContain('s3cret');
    expect(refusal('pin', 4711, dialect).message).not.toContain('4711');
    expect(refusal('active', 'y'.repeat(5000), dialect).message.length).toBeLessThan(100);
  });

  it('takes text that looks like a boolean or a number for a string attribute as text', () => {
    expect(parse('title', 'True', dialect)).toBe('True');
    expect(parse('employeeNumber', '007', dialect)).toBe('007');
  });

  it('is not misled by names of object prototypes', () => {
    const hostile: unknown = JSON.parse('{"__proto__": {"givenName": "X"}, "constructor": 1, "givenName": "A"}');
    if (dialect.strict) expect(refusal('name', hostile, dialect)).toMatchObject({ scimType: 'invalidSyntax' });
    else expect(parse('name', hostile, dialect)).toEqual({ givenName: 'A' });
    expect(Object.hasOwn(Object.prototype, 'givenName')).toBe(false);
  });
});

describe('parseAttributeValue: multi-valued attributes', () => {
  it('refuses a second primary: true [7643-2.4-05 GAP-11]', () => {
    const error = refusal('emails', [
      { value: 'a@b', primary: true },
      { value: 'c@d', primary: true },
    ]);
    expect(error).toMatchObject({ scimType: 'invalidValue' });
    expect(error.message).toBe('emails: 2 elements have "primary": true; only one may.');
  });

  it('leaves a missing primary missing [7643-2.4-06]', () => {
    expect(parse('emails', [{ value: 'a@b' }, { value: 'c@d', primary: false }])).toEqual([
      { value: 'a@b' },
      { value: 'c@d', primary: false },
    ]);
  });

  it('keeps one of elements with equal type and value, and what the others add [7643-2.4-10]', () => {
    expect(
      parse('emails', [
        { value: 'a@b', type: 'work', primary: true },
        { value: 'c@d', type: 'work' },
        { value: 'A@B', type: 'Work', display: 'A', primary: true },
      ]),
    ).toEqual([
      { value: 'a@b', type: 'work', display: 'A', primary: true },
      { value: 'c@d', type: 'work' },
    ]);
    expect(parse('nicknames', ['a', 'b', 'A'])).toEqual(['a', 'b']);
    const address = { type: 'work', locality: 'X' };
    expect(parse('addresses', [address, { locality: 'X', type: 'work' }, { ...address, locality: 'Y' }])).toEqual([
      address,
      { type: 'work', locality: 'Y' },
    ]);
  });

  it('keeps one value with different types [7643-2.4-11]', () => {
    const sent = [{ value: 'a@b', type: 'work' }, { value: 'a@b', type: 'home' }, { value: 'a@b' }];
    expect(parse('emails', sent)).toEqual(sent);
  });

  it('tells references apart by their value alone, and by case', () => {
    expect(members([{ value: 'x1' }, { value: 'x1', type: 'User' }, { value: 'X1' }])).toEqual([
      { value: 'x1', type: 'User' },
      { value: 'X1' },
    ]);
  });

  it('takes any type unless canonical values are enforced [7643-2.3.1-01 7643-4.1.2-02 7643-7-canon-01]', () => {
    const sent = [{ value: 'a@b', type: 'billing' }];
    expect(parse('emails', sent)).toEqual(sent);
    const error = refusal('emails', sent, tolerantDialect, { enforceCanonical: true });
    expect(error).toMatchObject({ scimType: 'invalidValue' });
    expect(error.message).toBe('emails[0].type: must be one of work, home, other.');
    const inOtherCase = [{ value: 'a@b', type: 'WORK' }];
    expect(parse('emails', inOtherCase, tolerantDialect, { enforceCanonical: true })).toEqual(inOtherCase);
    expect(parse('roles', [{ value: 'x', type: 'any' }], tolerantDialect, { enforceCanonical: true })).toHaveLength(1);
  });

  it('does not let references without a value empty a list', () => {
    const ignored: string[] = [];
    const options = { ignored: (path: string, why: string) => ignored.push(`${path}: ${why}`) };
    expect(members([{ value: 'a' }, { value: null, $ref: null }, { display: 'B' }], tolerantDialect, options)).toEqual([
      { value: 'a' },
    ]);
    expect(ignored).toEqual(['members[1]: has no value', 'members[2]: has no value']);
    for (const value of [[{}], [null], [{ value: '' }], [''], {}, [{ display: 'B' }]]) {
      expect(refusalOf(() => members(value))).toMatchObject({ scimType: 'invalidValue' });
    }
    expect(refusalOf(() => members([{ value: 'a' }, { $ref: '../Users/b' }])).message).toContain(
      'members[1]: has a "$ref"',
    );
    expect(members([])).toBeUndefined();
    expect(members(null)).toBeUndefined();
  });

  it('reads a list of ten thousand members quickly', () => {
    const sent = Array.from({ length: 10_000 }, (_, index) => ({ value: `id-${index}`, $ref: null }));
    expect(members(sent)).toHaveLength(10_000);
  });
});

describe('parseAttributeValue: what identity providers send beyond the RFC', () => {
  it.each(['True', 'true', 'TRUE', 'tRuE'])('reads %j as true for a boolean, strictly not [7643-2.3.2-01]', (word) => {
    expect(parse('active', word)).toBe(true);
    expect(parse('roles', [{ value: 'r', primary: word }])).toEqual([{ value: 'r', primary: true }]);
    expect(refusal('active', word, strictDialect)).toMatchObject({ scimType: 'invalidValue' });
  });

  it('reads "False" as false', () => expect(parse('active', 'False')).toBe(false));

  it.each([
    [{ value: 'a@b', type: 'work' }, [{ value: 'a@b', type: 'work' }]],
    ['a@b', [{ value: 'a@b' }]],
    [
      ['a@b', 'c@d'],
      [{ value: 'a@b' }, { value: 'c@d' }],
    ],
  ])('reads %j as a list of elements, strictly not [7644-3.8-06]', (value, list) => {
    expect(parse('emails', value)).toEqual(list);
    expect(refusal('emails', value, strictDialect)).toMatchObject({ scimType: 'invalidValue' });
  });

  it('reads one value of a simple multi-valued attribute as a list, strictly not [7644-3.8-06]', () => {
    expect(parse('nicknames', 'Babs')).toEqual(['Babs']);
    expect(refusal('nicknames', 'Babs', strictDialect)).toMatchObject({ scimType: 'invalidValue' });
  });

  it('reads a manager given as text, strictly not', () => {
    expect(parse('manager', '26118915')).toEqual({ value: '26118915' });
    expect(parse('manager', { $ref: null, value: '26118915' })).toEqual({ value: '26118915' });
    expect(refusal('manager', '26118915', strictDialect)).toMatchObject({ scimType: 'invalidValue' });
    expect(refusal('manager', 26118915)).toMatchObject({ scimType: 'invalidValue' });
    // OneLogin's templates use the name of SCIM 1.1.
    expect(parse('manager', { managerId: '1', displayName: 'J' })).toBeUndefined();
  });

  it('reads "" as no value, strictly as text', () => {
    for (const name of ['title', 'active', 'manager', 'emails', 'hired', 'level', 'homepage']) {
      expect(parse(name, '')).toBeUndefined();
    }
    expect(parse('name', { givenName: 'A', middleName: '' })).toEqual({ givenName: 'A' });
    expect(parse('title', '', strictDialect)).toBe('');
    expect(refusal('active', '', strictDialect)).toMatchObject({ scimType: 'invalidValue' });
  });

  it('ignores unknown sub-attributes and reports them, strictly refuses them with invalidSyntax [GAP-17]', () => {
    const ignored: string[] = [];
    const options = { ignored: (path: string, why: string) => ignored.push(`${path}: ${why}`) };
    expect(parse('emails', [{ value: 'a@b', verified: true }], tolerantDialect, options)).toEqual([{ value: 'a@b' }]);
    expect(ignored).toEqual(['emails[0].verified: in no schema']);
    expect(refusal('emails', [{ value: 'a@b', verified: true }], strictDialect)).toMatchObject({
      scimType: 'invalidSyntax',
      message: 'emails[0].verified: no schema of this resource type declares this attribute.',
    });
  });

  it.each([
    ['preferredLanguage', 'en-US, de;q=0.5', 'en_US'],
    ['preferredLanguage', '*', 'en-US;q=2'],
  ])('checks the form of %s only strictly: %j, not %j [7643-4.1.1-08]', expectFreeText);

  it.each([
    ['locale', 'en-US', 'en US'],
    ['locale', 'en_US', 'not a tag'],
  ])('checks the form of %s only strictly: %j, not %j [7643-4.1.1-09]', expectFreeText);

  it.each([
    ['timezone', 'America/Los_Angeles', 'Nowhere/City'],
    ['timezone', 'Europe/Zurich', '+01:00'],
  ])('checks the form of %s only strictly: %j, not %j [7643-4.1.1-10]', expectFreeText);

  it.each([
    ['profileUrl', 'https://example.com/~babs', 'abc def'],
    ['profileUrl', '/people/1', 'https://example.com/%zz'],
    ['profileUrl', 'urn:example:a', '1:a'],
    ['profileUrl', 'a', 'http://['],
    ['profileUrl', '?a=b', 'a<b>'],
  ])('checks the form of %s only strictly: %j, not %j [7643-4.1.1-07 7643-2.3.7-01]', expectFreeText);

  it.each([['emails', [{ value: 'jo@example.com' }], [{ value: 'no-at-sign' }]]])(
    'checks the form of %s only strictly: %j, not %j [7643-4.1.2-01]',
    expectFreeText,
  );

  it.each([['photos', [{ value: 'https://example.com/a.png' }], [{ value: 'a photo' }]]])(
    'checks the form of %s only strictly: %j, not %j [7643-4.1.2-05]',
    expectFreeText,
  );

  it.each([['addresses', [{ country: 'US' }], [{ country: 'USA' }]]])(
    'checks the form of %s only strictly: %j, not %j [7643-4.1.2-07]',
    expectFreeText,
  );

  it.each(['tel:+1-201-555-0123', '555-5555'])('stores the phone number %j as sent [7643-4.1.2-03]', (value) => {
    expect(parse('phoneNumbers', [{ value }], strictDialect)).toEqual([{ value }]);
  });

  it('checks references between resources in any dialect [7643-2.3.7-01 7643-2.3.7-02]', () => {
    for (const $ref of ['https://example.com/scim/Users/1', '../Users/1', 'Users/1']) {
      expect(members([{ value: '1', $ref }])).toEqual([{ value: '1', $ref }]);
    }
    const bad = refusalOf(() => members([{ value: '1', $ref: 'not a uri' }]));
    expect(bad.message).toBe('members[0].$ref: must be a URI without spaces, absolute or relative.');
  });
});

describe('parseElement', () => {
  it('reads one element of a list', () => {
    expect(parseElement(attribute('emails'), { VALUE: 'a@b' }, strictDialect, 'emails')).toEqual({ value: 'a@b' });
    expect(parseElement(attribute('emails'), 'a@b', tolerantDialect, 'emails')).toEqual({ value: 'a@b' });
    expect(parseElement(attribute('nicknames'), 'a', strictDialect, 'nicknames')).toBe('a');
    expect(parseElement(attribute('emails'), null, strictDialect, 'emails')).toBeUndefined();
  });

  it('tells which sub-attributes of a single complex attribute were cleared', () => {
    const cleared: string[] = [];
    const options = { cleared: (sub: Attribute) => cleared.push(sub.path) };
    parse('name', { givenName: 'A', middleName: null, familyName: '' }, tolerantDialect, options);
    parse('manager', { value: null }, tolerantDialect, options);
    parse('emails', [{ value: 'a@b', display: null }], tolerantDialect, options);
    expect(cleared).toEqual(['name.middleName', 'name.familyName', `${enterpriseUrn}:manager.value`]);
  });
});

describe('parseAttributeValue: any JSON', () => {
  it('gives a value or a ScimError with one of two keywords, and what it gave is accepted as it is', () => {
    const names = [
      'title',
      'active',
      'level',
      'hired',
      'key',
      'homepage',
      'name',
      'emails',
      'manager',
      'nicknames',
      'desks',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), fc.boolean(), (name, value, strict) => {
        const dialect = strict ? strictDialect : tolerantDialect;
        try {
          const parsed = parse(name, value, dialect);
          if (parsed !== undefined) expect(parse(name, parsed, dialect)).toEqual(parsed);
        } catch (error) {
          expect(error).toBeInstanceOf(ScimError);
          expect(['invalidValue', 'invalidSyntax']).toContain((error as ScimError).scimType);
        }
      }),
    );
  });

  it('knows the attributes of every extension', () => {
    expect(attribute('desks').path).toBe(`${acmeUrn}:desks`);
  });
});
