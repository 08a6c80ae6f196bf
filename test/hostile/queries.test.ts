import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, type Target } from './target.js';
import { expectScimError, type WireAnswer } from './wire.js';

/** No filter, however odd, may hold the process up for longer. A good one takes some milliseconds. */
const longestMs = 1500;
const searchUri = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
  for (let n = 0; n < 20; n++) {
    const userName = `${'a'.repeat(30)}${n}!`;
    const emails = [{ value: `${'a.'.repeat(20)}${n}@example.com`, type: 'work' }];
    await target.send({ path: '/scim/Users', body: JSON.stringify({ userName, title: 'a'.repeat(2000), emails }) });
  }
});
afterAll(async () => {
  await target.expectUnharmed();
  await target.server.close();
});

const byQuery = (filter: string): Promise<WireAnswer | undefined> =>
  target.send({ path: `/scim/Users?filter=${encodeURIComponent(filter)}` });
const bySearch = (filter: string): Promise<WireAnswer | undefined> =>
  target.send({ path: '/scim/Users/.search', body: JSON.stringify({ schemas: [searchUri], filter }) });

async function timed(work: () => Promise<WireAnswer | undefined>): Promise<WireAnswer | undefined> {
  const startedAtMs = performance.now();
  const answer = await work();
  expect(performance.now() - startedAtMs).toBeLessThan(longestMs);
  return answer;
}

/** Either a list, or an error that says what is wrong with the filter. */
function expectListOrError(answer: WireAnswer | undefined): void {
  if (answer?.status !== 200) expectScimError(answer, 400);
}

const nested = (depth: number, open = '('): string => `${open.repeat(depth)}id pr${')'.repeat(depth)}`;

/** Long texts would fill the report: a name holds the beginning. */
const named = (texts: readonly string[]): readonly (readonly [name: string, text: string])[] =>
  texts.map((text) => [text.slice(0, 50), text]);

describe('filters that are too much', () => {
  it('are 431 in a URL of 100 KB, which says how to send them, and 400 in a body', async () => {
    const filter = `userName eq "${'x'.repeat(100_000)}"`;
    const answer = await byQuery(filter);
    expectScimError(answer, 431);
    expect(answer?.body).toContain('/.search');
    expectScimError(await timed(() => bySearch(filter)), 400);
  });

  it.each([
    ['10,000 terms', Array.from({ length: 10_000 }, (_, n) => `userName eq "${n}"`).join(' or ')],
    ['10,000 parentheses', nested(10_000)],
    ['a megabyte of blanks', `${' '.repeat(1_000_000)}id pr`],
    ['a megabyte of one name', 'a'.repeat(1_000_000)],
  ])('are 400 at once: %s', async (_name, filter) => {
    const answer = await timed(() => bySearch(filter));
    expectScimError(answer, 400);
    expect(answer?.body).toContain('"scimType":"invalidFilter"');
  });

  it.each([
    ['parentheses', nested(4000)],
    ['parentheses that do not close', '('.repeat(8000)],
    ['negations', nested(1500, 'not (')],
    ['negations without a blank', nested(1500, 'not(')],
    ['value paths', `${'emails['.repeat(1000)}value pr${']'.repeat(1000)}`],
    ['a little more than may be', nested(65)],
  ])('are 400 when they are nested too deep: %s', async (_name, filter) => {
    const answer = await timed(() => bySearch(filter));
    expectScimError(answer, 400);
    expect(answer?.body).toContain('"scimType":"invalidFilter"');
  });

  it.each([
    ['as deep as may be', nested(60)],
    ['as many terms as fit, of one field', `${'userName eq "x" or '.repeat(420)}id pr`],
    ['as many terms as fit, of several', `${'emails[value co "x"] or '.repeat(330)}id pr`],
    ['as many as fit, all of them needed', `${'userName co "a" and '.repeat(400)}id pr`],
    ['alternating', `${'(userName co "a" or not (title co "b")) and '.repeat(180)}id pr`],
    ['negations of negations', nested(30, 'not (')],
    [
      'what a normal form would multiply',
      Array(20).fill('(userName eq "a" or title eq "b" or nickName eq "c")').join(' and '),
    ],
    ['and negated', `not (${Array(20).fill('(userName eq "a" and title eq "b" and nickName eq "c")').join(' or ')})`],
  ])('are answered quickly: %s', async (_name, filter) => {
    expect(filter.length).toBeLessThan(8192);
    expectListOrError(await timed(() => bySearch(filter)));
  });
});

describe('filters against regular expressions and patterns', () => {
  it.each(
    named([
      `userName co "${'a'.repeat(5000)}!"`,
      'userName sw "((((a+)+)+)+)+$"',
      'userName co "(a|a)*b"',
      `userName co "${'%_'.repeat(2000)}"`,
      `title co "${'%a'.repeat(1000)}"`,
      `title ew "${'_'.repeat(1999)}b"`,
      `title co "${'*?['.repeat(1000)}"`,
      `userName eq "${'\\\\'.repeat(3000)}"`,
      `userName eq "${'\\u0041'.repeat(1000)}"`,
      `emails[value co "${'a.'.repeat(1000)}@"]`,
      `emails.value co "${'a.'.repeat(1000)}@"`,
    ]),
  )('are plain texts: %s', async (_name, filter) => {
    expectListOrError(await timed(() => bySearch(filter)));
  });

  it.each(
    named([
      `${'a:'.repeat(3000)}x eq 1`,
      `${'a.'.repeat(3000)}x eq 1`,
      `${'urn:ietf:params:scim:schemas:core:2.0:'.repeat(200)}User:userName eq "x"`,
      `userName eq ${'1'.repeat(5000)}`,
      `userName eq ${'-'.repeat(5000)}1`,
      `userName eq "${'\\'.repeat(4001)}`,
      'userName eq "x',
      "userName eq 'x'",
      'userName eq "\\x41"',
      'userName eq "\\u00"',
      '__proto__ eq "x"',
      'constructor.prototype eq "x"',
      'emails[__proto__ eq 1]',
      'emails[constructor pr]',
      'userName eq "\u0000"',
      'userName\u0000 eq "x"',
      '" or 1=1--',
      '*)(uid=*',
      'userName eq "x" ; drop table users',
      'userName eq "x" or',
      'or',
      '()',
      '[]',
      'not',
      'pr',
    ]),
  )('are 400: %s [7644-7.7-01]', async (_name, filter) => {
    const answer = await timed(() => bySearch(filter));
    expectScimError(answer, 400);
    expect(answer?.body).toContain('"scimType":"invalidFilter"');
  });

  it.each(named(["' or ''='", '*)(uid=*', 'x"; --', '%', '_', '\ufeff', '\u202e', '\u{1f600}', 'İ', 'ß'.repeat(2000)]))(
    'find nobody by a value that means something elsewhere: %s [7644-7.7-01]',
    async (_name, text) => {
      const answer = await timed(() => bySearch(`userName eq ${JSON.stringify(text)}`));
      expect(answer?.status).toBe(200);
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ totalResults: 0 });
    },
  );
});

describe('query parameters', () => {
  it.each([
    ['10,000 unknown ones', 'a&'.repeat(10_000), 200],
    ['with names that are special', '__proto__=1&constructor=2&__proto__[filter]=3', 200],
    ['NUL', '%00=%00', 200],
    ['escapes that are none, in a name', '%zz=1&%=2', 200],
    ['one known 2,000 times', 'attributes=a&'.repeat(2000), 400],
    ['a filter twice', 'filter=id%20pr&filter=id%20pr', 400],
    ['a filter twice, in different spellings', 'filter=id%20pr&FILTER=id%20pr', 400],
    ['a filter twice, one escaped', 'filter=id%20pr&%66ilter=id%20pr', 400],
    ['escapes that are none', 'filter=%zz', 400],
    ['bytes that are no UTF-8', 'filter=%ff%fe', 400],
    ['an overlong escape', 'filter=%c0%af', 400],
    ['NUL for a filter', 'filter=%00', 400],
    ['NUL to sort by', 'sortBy=%00', 400],
    ['a special name to sort by', 'sortBy=__proto__', 400],
    ['a number that is none', 'count=NaN', 400],
    ['a number with an exponent', 'count=1e9', 400],
    ['a number in hexadecimal', 'startIndex=0x10', 400],
    ['a number beyond all', 'count=99999999999999999999', 200],
    ['an index beyond all', 'startIndex=99999999999999999999', 200],
    ['less than nothing', 'count=-99999999999999999999&startIndex=-5', 200],
    ['a cursor of 20 KB', `cursor=${'A'.repeat(20_000)}`, 400],
    ['a cursor of NULs', `cursor=${'%00'.repeat(100)}`, 400],
    ['14,000 attributes', `attributes=${'a,'.repeat(14_000)}`, 200],
    ['one attribute 3,000 times', `attributes=${'userName,'.repeat(3000)}`, 200],
    ['special attributes', 'attributes=__proto__,constructor,toString', 200],
    ['special attributes left out', 'excludedAttributes=__proto__,constructor,toString', 200],
  ])('%s', async (_name, query, status) => {
    const answer = await timed(() => target.send({ path: `/scim/Users?${query}` }));
    expect(answer?.status, answer?.body).toBe(status);
    if (status !== 200) expectScimError(answer, status);
  });
});

describe('paths', () => {
  it.each(
    (
      [
        ['/scim/../../etc/passwd', 404],
        ['/scim/Users/..%2f..%2fetc%2fpasswd', 404],
        ['/scim/Users/%2e%2e%2f%2e%2e%2fetc%2fpasswd', 404],
        ['/scim/Users/....//....//etc/passwd', 404],
        ['/scim/Users/%00', 404],
        ['/scim/Users/%E0%A4%A', 400],
        ['/scim/Users/%c0%ae%c0%ae', 400],
        ['/scim/Users/%', 400],
        ['/scim/Users/a\\b', 400],
        ['/scim\\Users', 400],
        ['/scim//Users', 404],
        ['//evil.example/scim/Users', 404],
        ['/scim/Users/1/2/3', 404],
        ['/scim/Users#fragment', 404],
        ['/scim/Users;a=b', 404],
        [`/scim/Users/${'x'.repeat(30_000)}`, 404],
        [`/scim/${'/'.repeat(20_000)}Users`, 404],
        [`/${'a/'.repeat(15_000)}`, 404],
        [`/scim/Schemas/${'%2f'.repeat(9000)}`, 404],
        [`/scim/v2.${'0'.repeat(20_000)}/Users`, 400],
        ['/SCIM/Users', 404],
        ['/health/../scim/Userz', 404],
      ] as const
    ).map(([path, status]) => [path.slice(0, 50), path, status] as const),
  )('that lead nowhere: %s', async (_name, path, status) => {
    expectScimError(await timed(() => target.send({ path })), status);
  });

  it.each([
    'http://evil.example/scim/ServiceProviderConfig',
    'http://user:pass@evil.example/scim/ServiceProviderConfig',
    'https://evil.example:8443/scim/ServiceProviderConfig',
  ])('may be whole URLs, whose user is never repeated: %s [7644-7.1-01]', async (path) => {
    const answer = await target.send({ path });
    if (answer?.status !== 200) expectScimError(answer, 400);
    expect(answer?.body).not.toMatch(/user:pass|user@|pass@/);
  });

  it.each([
    'ftp://x/scim/Users',
    'http://',
    'http://[/scim/Users',
    'http://a b/scim',
    '*',
    'scim/Users',
    'evil.example:443',
  ])('are 400 when they are none: %s', async (path) => {
    expectScimError(await target.send({ path }), 400);
  });
});
