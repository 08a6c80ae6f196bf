import { describe, expect, it } from 'vitest';
import { type Dialect, strictDialect, tolerantDialect } from '../../src/scim/dialect.js';
import { ScimError } from '../../src/scim/error.js';
import { isAlways, isNever } from '../../src/scim/filter.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { printFilter } from '../../src/scim/filter-printer.js';
import { resolveElementFilter, resolveFilter } from '../../src/scim/filter-resolve.js';
import { acmeUrn, enterpriseUrn, personType, userUrn } from './person-type.js';

type Options = { dialect?: Dialect; unknown?: 'reject' | 'absent' };
const resolve = (text: string, { dialect = tolerantDialect, unknown = 'reject' }: Options = {}) =>
  resolveFilter(parseFilter(text, dialect), personType, { dialect, unknown });
/** The resolved filter in SCIM's words: attributes come out in the schema's spelling. */
const printed = (text: string, options?: Options): string => printFilter(resolve(text, options));

function refusalOf(action: () => unknown): ScimError {
  try {
    action();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const refusedFilter = { status: 400, scimType: 'invalidFilter' };

describe('resolveFilter: names', () => {
  it.each([
    ['USERNAME eq "a"', 'userName eq "a"'],
    [`${userUrn}:userName eq "a"`, 'userName eq "a"'],
    [`${userUrn.toUpperCase()}:USERNAME eq "a"`, 'userName eq "a"'],
    [`${userUrn}:name.givenName eq "A"`, 'name.givenName eq "A"'],
    ['Name.GivenName eq "A"', 'name.givenName eq "A"'],
    [`${enterpriseUrn}:department eq "X"`, `${enterpriseUrn}:department eq "X"`],
    [`${enterpriseUrn}:manager.displayName pr`, `${enterpriseUrn}:manager.displayName pr`],
    [`${acmeUrn}:$mark pr`, `${acmeUrn}:$mark pr`],
    ['EMAILS[TYPE eq "work"]', 'emails[type eq "work"]'],
    ['meta.lastModified pr', 'meta.lastModified pr'],
    [`${userUrn}:id eq "1"`, 'id eq "1"'],
  ])('finds %s as %s [7644-3.10-01 7644-3.10-02 7644-3.10-03 7644-3.10-04 7644-3.4.2.2-30]', (text, expected) => {
    expect(printed(text, { dialect: strictDialect })).toBe(expected);
  });

  it('finds extension attributes without their URN by tolerance only [7644-3.10-03]', () => {
    expect(printed('department eq "X"')).toBe(`${enterpriseUrn}:department eq "X"`);
    expect(refusalOf(() => resolve('department eq "X"', { dialect: strictDialect }))).toMatchObject(refusedFilter);
  });

  it.each([
    'nosuch eq "x"',
    'name.nosuch pr',
    'userName.value pr',
    `${enterpriseUrn}:userName pr`,
    'urn:x:y:userName pr',
    `${enterpriseUrn} pr`,
  ])('refuses %s [7644-3.4.2.2-31]', (text) => {
    expect(refusalOf(() => resolve(text))).toMatchObject(refusedFilter);
  });

  it('names every unknown attribute in one detail [7644-3.4.2.2-31]', () => {
    const text = 'nosuch eq "x" or active gt true and (Other pr or emails[what eq "y" and why pr]) or nosuch pr';
    expect(refusalOf(() => resolve(text)).message).toBe(
      'The resource type User has no attributes "nosuch", "Other". "emails" has no sub-attributes "what", "why".',
    );
    expect(refusalOf(() => resolve('nosuch eq "x"')).message).toBe('The resource type User has no attribute "nosuch".');
  });

  it.each(['emails[userName eq "a"]', 'emails[emails.type eq "a"]', `emails[${userUrn}:emails.type eq "a"]`])(
    'takes only sub-attributes inside brackets: %s [7644-3.4.2.2-19]',
    (text) => {
      expect(refusalOf(() => resolve(text))).toMatchObject(refusedFilter);
    },
  );
});

describe('resolveFilter: an unknown attribute in a query over several types counts as absent', () => {
  const absent = (text: string) => resolve(text, { unknown: 'absent' });
  it.each([
    'nosuch eq "x"',
    'nosuch pr',
    'nosuch gt 1',
    'nosuch co "x"',
    'nosuch ne null',
    'nosuch gt null',
    'nosuch[a eq "x"]',
    'emails[nosuch eq "x"]',
    'userName pr and nosuch pr',
  ])('%s never matches', (text) => {
    expect(isNever(absent(text))).toBe(true);
  });
  it.each(['nosuch ne "x"', 'nosuch eq null', 'not (nosuch pr)', 'not (nosuch eq "x") or userName pr'])(
    '%s always matches',
    (text) => {
      expect(isAlways(absent(text))).toBe(true);
    },
  );
  it('leaves what is known', () => {
    expect(printFilter(absent('nosuch eq "x" or userName eq "a"'))).toBe('userName eq "a"');
    expect(printFilter(absent('emails[nosuch ne "x"]'))).toBe('emails pr');
    expect(refusalOf(() => absent('nosuch eq "x" or active gt true'))).toMatchObject(refusedFilter);
  });
});

describe('resolveFilter: complex attributes', () => {
  it('takes a multi-valued one as its value [7644-3.4.2.2-25]', () => {
    expect(printed('emails co "example.com"', { dialect: strictDialect })).toBe('emails.value co "example.com"');
    expect(printed('groups eq "id"')).toBe('groups.value eq "id"');
  });

  it('takes a single one with a value sub-attribute by tolerance only', () => {
    expect(printed('manager eq "id"')).toBe(`${enterpriseUrn}:manager.value eq "id"`);
    expect(refusalOf(() => resolve(`${enterpriseUrn}:manager eq "id"`, { dialect: strictDialect }))).toMatchObject(
      refusedFilter,
    );
  });

  it.each(['name eq "x"', 'meta gt "2011-05-13T04:42:34Z"', 'addresses eq "x"'])(
    'refuses %s [7644-3.4.2.2-25]',
    (text) => {
      const refusal = refusalOf(() => resolve(text));
      expect(refusal).toMatchObject(refusedFilter);
      expect(refusal.message).toContain('name a sub-attribute, such as');
    },
  );

  it('takes pr on any attribute [7644-3.4.2.2-11]', () => {
    expect(printed('name pr and emails pr and manager pr')).toBe(
      `name pr and emails pr and ${enterpriseUrn}:manager pr`,
    );
  });

  it('takes brackets after a single complex attribute, as after one element', () => {
    expect(printed('name[givenName eq "A" and familyName pr]')).toBe('name[givenName eq "A" and familyName pr]');
  });

  it('takes brackets after a simple multi-valued attribute by tolerance, where a value is called "value"', () => {
    expect(printed('schemas[VALUE eq "urn:x"]')).toBe('schemas[value eq "urn:x"]');
    expect(refusalOf(() => resolve('schemas[type eq "x"]')).message).toBe('"schemas" has no sub-attribute "type".');
    expect(refusalOf(() => resolve('schemas[value eq "x"]', { dialect: strictDialect }))).toMatchObject(refusedFilter);
  });

  it('refuses brackets after a simple single attribute', () => {
    expect(refusalOf(() => resolve('userName[value eq "x"]'))).toMatchObject(refusedFilter);
  });
});

describe('resolveFilter: operators and types', () => {
  it.each(
    ['gt', 'ge', 'lt', 'le'].flatMap((op) => [`active ${op} true`, `${acmeUrn}:key ${op} "AbCd"`, `active ${op} null`]),
  )('refuses %s [7644-3.4.2.2-13 7644-T9-01]', (text) => {
    expect(refusalOf(() => resolve(text))).toMatchObject(refusedFilter);
  });

  it.each(
    ['co', 'sw', 'ew'].flatMap((op) => [
      `active ${op} "tr"`,
      `${acmeUrn}:level ${op} "1"`,
      `${acmeUrn}:rate ${op} 1`,
      `meta.created ${op} "2011"`,
    ]),
  )('refuses %s [7644-T9-01]', (text) => {
    const refusal = refusalOf(() => resolve(text));
    expect(refusal).toMatchObject(refusedFilter);
    expect(refusal.message).toMatch(/^The operator "(co|sw|ew)" does not go with/);
  });

  it.each([
    'x509Certificates.value co "Ab"',
    'profileUrl sw "https"',
    'userName gt "a"',
    'scores ge 3',
    'profileUrl lt "x"',
  ])('takes %s', (text) => {
    expect(() => resolve(text)).not.toThrow();
  });

  it.each([
    'active eq 1',
    'userName eq 1',
    'userName eq true',
    'userName gt 5',
    `${acmeUrn}:level eq "9"`,
    `${acmeUrn}:level gt "9"`,
    'meta.created eq 5',
    'userName co null',
    'userName gt null',
    'emails[value eq 5]',
    'not (userName ne 1)',
  ])('lets %s never match (GAP-03, GAP-02)', (text) => {
    expect(isNever(resolve(text))).toBe(true);
  });

  it('lets ne with a literal of another type always match (GAP-01, GAP-03)', () => {
    expect(isAlways(resolve('userName ne 1'))).toBe(true);
    expect(isAlways(resolve(`${acmeUrn}:level ne "9"`))).toBe(true);
    expect(printed('emails[value ne 5]')).toBe('emails pr');
  });

  it('takes eq null as not pr and ne null as pr (GAP-02)', () => {
    expect(printed('title eq null')).toBe('not (title pr)');
    expect(printed('title ne null')).toBe('title pr');
    expect(printed('emails eq null or name ne null')).toBe('not (emails pr) or name pr');
    expect(printed('emails[type eq null]')).toBe('emails[not (type pr)]');
  });

  it('wants dateTime literals that are date and time', () => {
    expect(printed('meta.lastModified ge "2011-05-13T04:42:34+02:00"')).toBe(
      'meta.lastModified ge "2011-05-13T04:42:34+02:00"',
    );
    for (const literal of ['2011-05-13', 'yesterday', '', '2011-13-01T00:00:00Z']) {
      expect(refusalOf(() => resolve(`meta.lastModified ge "${literal}"`))).toMatchObject(refusedFilter);
    }
  });
});

describe('resolveFilter: booleans as text', () => {
  it.each(['"True"', '"true"', '"TRUE"'])('takes %s for a boolean by tolerance', (literal) => {
    expect(printed(`active eq ${literal}`)).toBe('active eq true');
    expect(printed(`roles[primary eq ${literal}]`)).toBe('roles[primary eq true]');
    expect(isNever(resolve(`active eq ${literal}`, { dialect: strictDialect }))).toBe(true);
  });

  it('takes "False" too', () => {
    expect(printed('active eq "False"')).toBe('active eq false');
    expect(printed('active ne "False"')).toBe('active ne false');
  });

  it('refuses other words, and never turns the text of a string attribute into a boolean', () => {
    expect(refusalOf(() => resolve('active eq "yes"'))).toMatchObject(refusedFilter);
    expect(printed('userName eq "True"')).toBe('userName eq "True"');
  });
});

describe('resolveFilter: primary [7643-2.4-06]', () => {
  it.each([
    ['emails[primary eq false]', 'emails[not (primary eq true)]'],
    ['emails[primary eq "False"]', 'emails[not (primary eq true)]'],
    ['emails[primary ne false]', 'emails[primary eq true]'],
    ['emails[primary ne true]', 'emails[primary ne true]'],
    ['emails.primary eq false', 'emails[not (primary eq true)]'],
    ['emails.primary ne false', 'not (emails[not (primary eq true)])'],
    ['emails.primary eq true', 'emails.primary eq true'],
    ['emails[type eq "work"].primary eq false', 'emails[type eq "work" and not (primary eq true)]'],
    ['emails[primary pr]', 'emails[primary pr]'],
    [`${acmeUrn}:desks.primary eq false`, `${acmeUrn}:desks[not (primary eq true)]`],
  ])('takes %s as %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  it('leaves other booleans as they are', () => {
    expect(printed('active eq false')).toBe('active eq false');
  });
});

describe('resolveFilter: what is never returned', () => {
  it.each([
    'password eq "hunter2"',
    'password sw "h"',
    'password pr',
    'password eq null',
    `${userUrn}:PASSWORD eq "hunter2"`,
    `${acmeUrn}:pin eq "hunter2"`,
    `${acmeUrn}:desks.code eq "hunter2"`,
    `${acmeUrn}:desks[code eq "hunter2"]`,
    'not (password eq "hunter2")',
  ])('refuses %s without repeating the value [7643-4.1.1-pw-06]', (text) => {
    for (const unknown of ['reject', 'absent'] as const) {
      const refusal = refusalOf(() => resolve(text, { unknown }));
      expect(refusal).toMatchObject(refusedFilter);
      expect(refusal.message).not.toContain('hunter2');
    }
  });
});

describe('resolveFilter: structure', () => {
  it('keeps what the client wrote', () => {
    const text = 'not (not (title pr)) and (userName sw "a" or not (userName ew "b" and active eq true))';
    expect(printed(text)).toBe(text);
  });
});

describe('resolveElementFilter', () => {
  const emails = personType.coreAttribute('emails');
  const schemas = personType.coreAttribute('schemas');
  if (emails === undefined || schemas === undefined) throw new Error('the User schema has both');
  const within = (text: string, attribute = emails, dialect = tolerantDialect) =>
    resolveElementFilter(parseFilter(text, dialect), attribute, dialect);

  it('resolves sub-attributes', () => {
    expect(within('TYPE eq "work"')).toMatchObject({ path: { attribute: { name: 'emails' }, sub: { name: 'type' } } });
    expect(
      printFilter({
        kind: 'valuePath',
        path: { attribute: emails, sub: undefined },
        filter: within('primary eq "False"'),
      }),
    ).toBe('emails[not (primary eq true)]');
  });

  it('calls the values of a simple attribute "value" [7644-3.5.2-08]', () => {
    expect(within('value eq "urn:x"', schemas)).toEqual({
      kind: 'compare',
      path: { attribute: schemas, sub: undefined },
      op: 'eq',
      value: 'urn:x',
    });
  });

  it('refuses what is no sub-attribute, naming all [7644-3.4.2.2-19]', () => {
    const refusal = refusalOf(() => within('userName eq "a" or nosuch pr'));
    expect(refusal).toMatchObject(refusedFilter);
    expect(refusal.message).toBe('"emails" has no sub-attributes "userName", "nosuch".');
  });

  it('refuses a value path [7644-3.4.2.2-20]', () => {
    const refusal = refusalOf(() => within('value[type eq "a"]'));
    expect(refusal).toMatchObject(refusedFilter);
  });
});
