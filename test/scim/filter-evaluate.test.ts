import { describe, expect, it } from 'vitest';
import { type Comparison, comparisonOf } from '../../src/scim/comparison.js';
import { tolerantDialect } from '../../src/scim/dialect.js';
import { compileFilter, evaluateElement, evaluateFilter } from '../../src/scim/filter-evaluate.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { resolveElementFilter, resolveFilter } from '../../src/scim/filter-resolve.js';
import { type Attribute, createResourceType, type Resource } from '../../src/scim/schema.js';
import { acmeUrn, barbara, enterpriseUrn, personType, schemaOf, userUrn } from './person-type.js';

const resolve = (text: string) =>
  resolveFilter(parseFilter(text, tolerantDialect), personType, { dialect: tolerantDialect, unknown: 'reject' });
const matches = (text: string, resource: Resource = barbara): boolean => evaluateFilter(resolve(text), resource);

/** Filter, whether Barbara matches, and the rows that say so. */
const table: readonly (readonly [filter: string, expected: boolean, rows: string])[] = [
  // eq and ne
  ['userName eq "BJENSEN@EXAMPLE.COM"', true, '7644-3.4.2.2-06 7643-7-case-01 7644-3.4.2.2-28'],
  ['userName eq "bjensen"', false, '7644-3.4.2.2-06'],
  ['externalId eq "AbC"', true, '7643-7-case-01 7644-3.4.2.2-28'],
  ['externalId eq "abc"', false, '7643-7-case-01 7644-3.4.2.2-28'],
  ['id eq "2819C223-7F76-453A-919D-413861904646"', false, '7643-7-case-01'],
  [`${acmeUrn}:key eq "AbCd"`, true, '7643-2.3.6-02'],
  [`${acmeUrn}:key eq "abcd"`, false, '7643-2.3.6-02'],
  [`${acmeUrn}:homepage eq "HTTPS://EX/A"`, false, '7643-2.3.7-03'],
  [`${acmeUrn}:homepage eq "https://ex/a"`, true, '7643-2.3.7-03'],
  ['userType ne "Employee"', false, '7644-3.4.2.2-07'],
  ['userType ne "Intern"', true, '7644-3.4.2.2-07'],
  ['title ne "x"', true, '7644-3.4.2.2-07'],
  ['emails.type ne "work"', false, '7644-3.4.2.2-07'],
  ['emails.type ne "other"', true, '7644-3.4.2.2-07'],
  ['emails[type ne "work"]', true, '7644-3.4.2.2-07'],
  ['active eq true', true, '7644-3.4.2.2-06'],
  ['active ne true', false, '7644-3.4.2.2-07'],
  [`${acmeUrn}:remote eq false`, true, '7644-3.4.2.2-06'],
  [`${acmeUrn}:level eq 9`, true, '7644-3.4.2.2-06'],
  [`${acmeUrn}:level eq 9.0`, true, '7644-3.4.2.2-06'],
  [`${acmeUrn}:rate eq 15e-1`, true, '7644-3.4.2.2-06'],
  ['title eq null', true, '7643-2.5-01'],
  ['nickName eq null', true, '7643-2.5-01'],
  ['userName eq null', false, '7643-2.5-01'],
  ['userName ne null', true, '7643-2.5-01'],
  // co, sw, ew
  ['name.familyName co "ENS"', true, '7644-3.4.2.2-08'],
  [`department co "O'Perations"`, true, '7644-3.4.2.2-08'],
  ['name.familyName co "x"', false, '7644-3.4.2.2-08'],
  ['userName sw "BJ"', true, '7644-3.4.2.2-09'],
  ['userName sw "bjensen@example.com"', true, '7644-3.4.2.2-09'],
  ['userName sw "jensen"', false, '7644-3.4.2.2-09'],
  ['externalId sw "a"', false, '7644-3.4.2.2-09'],
  ['emails.value ew "EXAMPLE.com"', true, '7644-3.4.2.2-10'],
  ['emails.value ew "babs@jensen.org"', true, '7644-3.4.2.2-10'],
  ['emails.value ew "example"', false, '7644-3.4.2.2-10'],
  // pr
  ['userName pr', true, '7644-3.4.2.2-11'],
  ['title pr', false, '7644-3.4.2.2-11'],
  ['nickName pr', false, '7644-3.4.2.2-11'],
  ['name pr', true, '7644-3.4.2.2-11'],
  ['emails pr', true, '7644-3.4.2.2-11'],
  ['phoneNumbers pr', false, '7644-3.4.2.2-11 7643-2.5-01'],
  ['addresses pr', false, '7644-3.4.2.2-11'],
  ['emails.display pr', false, '7644-3.4.2.2-11'],
  [`${acmeUrn}:remote pr`, true, '7644-3.4.2.2-11'],
  [`${enterpriseUrn}:manager pr`, true, '7644-3.4.2.2-11'],
  [`${enterpriseUrn}:costCenter pr`, false, '7644-3.4.2.2-11'],
  // order
  ['meta.lastModified gt "2011-05-13T04:42:33Z"', true, '7644-3.4.2.2-12'],
  ['meta.lastModified gt "2011-05-13T04:42:34Z"', false, '7644-3.4.2.2-12'],
  ['meta.lastModified ge "2011-05-13T06:42:34+02:00"', true, '7644-3.4.2.2-12'],
  ['meta.lastModified eq "2011-05-13T04:42:34.000Z"', true, '7644-3.4.2.2-12'],
  ['meta.lastModified lt "2011-05-13T04:42:34.001Z"', true, '7644-3.4.2.2-12'],
  ['meta.created le "2010-01-23T02:56:22.123Z"', true, '7644-3.4.2.2-12'],
  ['meta.created lt "2010-01-23T02:56:22.123Z"', false, '7644-3.4.2.2-12'],
  ['meta.lastModified ge "0001-01-03T00:00:00.0000000Z"', true, '7644-3.4.2.2-12'],
  [`${acmeUrn}:hired eq "2020-03-01T00:59:59.5Z"`, true, '7644-3.4.2.2-12'],
  [`${acmeUrn}:level lt 10`, true, '7644-3.4.2.2-12'],
  [`${acmeUrn}:level gt 10`, false, '7644-3.4.2.2-12'],
  [`${acmeUrn}:level ge 9 and ${acmeUrn}:level le 9`, true, '7644-3.4.2.2-12'],
  [`${acmeUrn}:rate gt 1.49`, true, '7644-3.4.2.2-12'],
  ['userName gt "BJENSEN"', true, '7644-3.4.2.2-12'],
  ['userName lt "bjf"', true, '7644-3.4.2.2-12'],
  ['externalId lt "abc"', true, '7644-3.4.2.2-12'],
  ['title lt "z"', false, '7644-3.4.2.2-12'],
  ['title gt ""', false, '7644-3.4.2.2-12'],
  // logic
  ['title pr or userName pr', true, '7644-3.4.2.2-14'],
  ['title pr and userName pr', false, '7644-3.4.2.2-14'],
  ['not (title pr) and not(nickName pr)', true, '7644-3.4.2.2-14 7644-3.4.2.2-22'],
  ['not (userName pr or title pr)', false, '7644-3.4.2.2-14'],
  ['userName pr or title pr and nickName pr', true, '7644-3.4.2.2-16'],
  ['(userName pr or title pr) and nickName pr', false, '7644-3.4.2.2-15 7644-3.4.2.2-16'],
  ['not (title pr) or userName pr and title pr', true, '7644-3.4.2.2-16'],
  // multi-valued, value paths
  ['emails.value eq "BABS@jensen.org"', true, '7644-3.4.2.2-24'],
  ['emails co "jensen.org"', true, '7644-3.4.2.2-24 7644-3.4.2.2-25'],
  ['emails eq "nobody@example.com"', false, '7644-3.4.2.2-24'],
  [`${acmeUrn}:nicknames eq "barb"`, true, '7644-3.4.2.2-24'],
  [`${acmeUrn}:scores gt 9`, true, '7644-3.4.2.2-24'],
  [`${acmeUrn}:scores gt 10`, false, '7644-3.4.2.2-24'],
  ['emails[type eq "work" and value co "@example.com"]', true, '7644-3.4.2.2-18'],
  ['emails[type eq "home" and value co "@example.com"]', false, '7644-3.4.2.2-18'],
  ['emails.type eq "home" and emails.value co "@example.com"', true, '7644-3.4.2.2-18'],
  ['emails[type eq "other" or (type eq "home" and value ew "@jensen.org")]', true, '7644-3.4.2.2-21'],
  ['emails[not (type eq "work")]', true, '7644-3.4.2.2-21'],
  ['not (emails[type eq "work"])', false, '7644-3.4.2.2-21'],
  ['phoneNumbers[not (type eq "work")]', false, '7644-3.4.2.2-18'],
  ['addresses[type ne "work"]', false, '7644-3.4.2.2-18'],
  ['name[givenName eq "barbara" and familyName sw "J"]', true, '7644-3.4.2.2-18'],
  ['name[givenName eq "barbara" and familyName sw "K"]', false, '7644-3.4.2.2-18'],
  [`${acmeUrn}:desks[floor ge 3]`, true, '7644-3.4.2.2-18'],
  [`${acmeUrn}:desks[floor ge 3 and value eq "d1"]`, false, '7644-3.4.2.2-18'],
  ['emails[type eq "work"].value sw "bj"', true, '7644-3.4.2.2-18'],
  // primary
  ['emails[primary eq false]', true, '7643-2.4-06'],
  ['emails[type eq "home" and primary eq false]', true, '7643-2.4-06'],
  ['emails[type eq "work" and primary eq false]', false, '7643-2.4-06'],
  ['emails.primary eq false', true, '7643-2.4-06'],
  ['emails.primary eq true', true, '7643-2.4-06'],
  ['ims.primary eq false', true, '7643-2.4-06'],
  ['ims.primary ne false', false, '7643-2.4-06'],
  ['ims[primary pr]', false, '7643-2.4-06'],
  ['photos.primary eq false', false, '7643-2.4-06'],
  ['roles[primary eq "True"]', false, '7643-2.4-06'],
  ['roles[primary eq "False" and value eq "STANDARD"]', true, '7643-2.4-06'],
  // schemas, URNs, extensions
  [`schemas eq "${enterpriseUrn}"`, true, '7644-3.4.2.2-29'],
  ['schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group"', false, '7644-3.4.2.2-29'],
  [`schemas[value eq "${userUrn}"]`, true, '7644-3.4.2.2-29 7644-3.5.2-08'],
  [`${userUrn}:userName sw "B"`, true, '7644-3.10-01 7644-3.10-02 7644-3.4.2.2-30'],
  [`${userUrn}:name.givenName eq "barbara"`, true, '7644-3.10-01'],
  ['URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:USERNAME sw "b"', true, '7644-3.10-04 7644-3.4.2.2-03'],
  [`${enterpriseUrn}:department sw "tour"`, true, '7644-3.10-03'],
  ['department sw "tour"', true, '7644-3.10-03'],
  [`${enterpriseUrn}:manager.displayName eq "john smith"`, true, '7644-3.10-01'],
  ['manager eq "26118915-6090-4610-87e4-49d8ca9f808d"', true, '7644-3.10-03'],
];

describe('evaluateFilter [7644-3.4.2.2-02]', () => {
  it.each(table)('%s: %s [%s]', (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  it('takes unassigned, null, empty text and empty list as one state [7643-2.5-01 7644-3.4.2.2-11]', () => {
    const empty: readonly Resource[] = [
      {},
      { nickName: null, emails: null, name: null },
      { nickName: '', emails: [], name: {} },
      { emails: [{}], name: { givenName: null, familyName: '' } },
      { emails: [null, { value: null }, { value: '', type: [] }] },
    ];
    for (const resource of empty) {
      for (const attribute of ['nickName', 'emails', 'emails.value', 'name', 'name.givenName']) {
        expect(matches(`${attribute} pr`, resource), `${attribute} of ${JSON.stringify(resource)}`).toBe(false);
        expect(matches(`${attribute} eq null`, resource)).toBe(true);
      }
      expect(matches('emails[value pr]', resource)).toBe(false);
    }
    expect(matches('active pr', { active: false })).toBe(true);
    expect(matches(`${acmeUrn}:level pr`, { [acmeUrn]: { level: 0 } })).toBe(true);
  });

  it('compares composed and decomposed, full-width and usual letters as equal [7644-7.8-01 7644-5-01]', () => {
    expect(matches('displayName eq "Zoe\u0308"', { displayName: 'ZO\u00cb' })).toBe(true);
    expect(matches('userName eq "adam"', { userName: '\uff21dam' })).toBe(true);
    expect(matches('userName eq "\uff21DAM"', { userName: 'adam' })).toBe(true);
  });

  it('orders text by code points beyond U+FFFF (GAP-14)', () => {
    expect(matches('externalId gt "\uffee"', { externalId: '😀' })).toBe(true);
  });

  it('finds nothing where stored values are of another type (GAP-03)', () => {
    expect(matches('userName eq "1"', { userName: 1 })).toBe(false);
    expect(matches('active eq true', { active: 'true' })).toBe(false);
    expect(matches('meta.created gt "2011-05-13T04:42:34Z"', { meta: { created: 'today' } })).toBe(false);
    expect(matches('emails.value eq "a"', { emails: 'a' })).toBe(false);
    expect(matches(`${acmeUrn}:level gt 1`, { [acmeUrn]: 'x' })).toBe(false);
  });

  it('compares as the backend does where that is given', () => {
    const exactNames = (leaf: Attribute): Comparison => (leaf.name === 'userName' ? 'exact' : comparisonOf(leaf));
    expect(evaluateFilter(resolve('userName eq "Bjensen@example.com"'), barbara, exactNames)).toBe(false);
    expect(evaluateFilter(resolve('userName eq "bjensen@example.com"'), barbara, exactNames)).toBe(true);
    expect(evaluateFilter(resolve('displayName eq "BABS JENSEN"'), barbara, exactNames)).toBe(true);
  });

  it('compiles once for many resources', () => {
    const predicate = compileFilter(resolve('userName sw "a" or emails[value ew "@x"]'));
    expect([{ userName: 'ab' }, { userName: 'b' }, { emails: [{ value: 'c@X' }] }].map(predicate)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('is not misled by names that every object has by nature', () => {
    const schema = schemaOf(
      { id: 'urn:example:odd', attributes: [{ name: 'constructor' }, { name: 'toString' }] },
      'core',
    );
    const type = createResourceType({ name: 'Odd', endpoint: '/Odd', schema, extensions: [] });
    const odd = (text: string) =>
      resolveFilter(parseFilter(text, tolerantDialect), type, { dialect: tolerantDialect, unknown: 'reject' });
    expect(evaluateFilter(odd('constructor pr or toString pr or toString co ""'), {})).toBe(false);
    expect(evaluateFilter(odd('constructor eq "x"'), { constructor: 'X' })).toBe(true);
  });
});

describe('evaluateElement', () => {
  const attribute = (name: string): Attribute => {
    const found = personType.coreAttribute(name) ?? personType.extensionAttribute(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const element = (name: string, text: string, value: Parameters<typeof evaluateElement>[2]): boolean =>
    evaluateElement(
      resolveElementFilter(parseFilter(text, tolerantDialect), attribute(name), tolerantDialect),
      attribute(name),
      value,
    );

  it('holds one element against the filter', () => {
    expect(element('emails', 'type eq "WORK"', { type: 'work' })).toBe(true);
    expect(element('emails', 'type eq "work" and value pr', { type: 'work' })).toBe(false);
    expect(element('emails', 'primary eq false', { type: 'work' })).toBe(true);
    expect(element('emails', 'primary eq false', { primary: true })).toBe(false);
    expect(element('emails', 'type ne "work"', {})).toBe(true);
  });

  it('takes a simple value as the element itself [7644-3.5.2-08]', () => {
    expect(element('schemas', 'value eq "urn:x:y"', 'urn:x:y')).toBe(true);
    expect(element('schemas', 'value eq "urn:x:Y"', 'urn:x:y')).toBe(false);
    expect(element('nicknames', 'value sw "B" and not (value eq "BABS")', 'barb')).toBe(true);
  });
});
