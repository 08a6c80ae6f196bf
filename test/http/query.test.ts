import { describe, expect, it } from 'vitest';
import { namesSensitiveAttribute } from '../../src/http/sensitive-filter.js';
import { strictDialect, tolerantDialect } from '../../src/scim/dialect.js';
import { createTestApp, errorOf, json } from './test-app.js';

const searchRequest = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

async function searchedWith(query: string): Promise<unknown> {
  const { send, service } = createTestApp();
  expect((await send(`/scim/Users?${query}`)).status).toBe(200);
  return service.calls[0]?.arguments[1];
}

async function refusal(query: string): Promise<{ status: number; scimType: string | undefined }> {
  const { send, service } = createTestApp();
  const response = await send(`/scim/Users?${query}`);
  expect(service.calls).toEqual([]);
  return { status: response.status, scimType: (await errorOf(response)).scimType };
}

describe('query parameters', () => {
  it('go to the service with their types [7644-3.4.2.5-01]', async () => {
    const query =
      'filter=userName%20eq%20%22a%22&sortBy=name.familyName&sortOrder=descending&startIndex=11&count=10&attributes=userName,emails.value';
    expect(await searchedWith(query)).toEqual({
      filter: 'userName eq "a"',
      sortBy: 'name.familyName',
      sortOrder: 'descending',
      startIndex: 11,
      count: 10,
      attributes: ['userName', 'emails.value'],
    });
  });

  it('count in any case of their names, as Entra ID sends them', async () => {
    expect(await searchedWith('FILTER=a%20pr&startindex=0&Count=5&excludedattributes=members')).toEqual({
      filter: 'a pr',
      startIndex: 0,
      count: 5,
      excludedAttributes: ['members'],
    });
  });

  it('may have escaped names', async () => {
    expect(await searchedWith('%66ilter=a%20pr')).toEqual({ filter: 'a pr' });
  });

  it('of other names are ignored, whatever is in them', async () => {
    expect(await searchedWith('aadOptscim062020&x=%zz&x=1&x=2&%zz=1&count=1')).toEqual({ count: 1 });
  });

  it('have "+" for a space, and "%2B" for a plus', async () => {
    expect(await searchedWith('filter=userName+eq+%22a%2Bb%22')).toEqual({ filter: 'userName eq "a+b"' });
  });

  it.each(['attributes=&excludedAttributes=&sortBy=&sortOrder=', 'attributes=,%20,', ''])(
    'without a value count as absent: "%s"',
    async (query) => {
      expect(await searchedWith(query)).toEqual({});
    },
  );

  it('keep an empty filter, so that it is refused as a filter and never means "all"', async () => {
    expect(await searchedWith('filter=')).toEqual({ filter: '' });
    expect(await searchedWith('filter')).toEqual({ filter: '' });
  });

  it.each(['cursor&count=10', 'cursor=&count=10'])('"%s" asks for the first page [9865-2-01]', async (query) => {
    expect(await searchedWith(query)).toEqual({ cursor: '', count: 10 });
  });

  it.each(['count=x', 'count=1.5', 'count=', 'startIndex=one', 'startIndex=1e3', 'count=0x10'])(
    '"%s" is 400 invalidValue [9865-2.1-01]',
    async (query) => {
      expect(await refusal(query)).toEqual({ status: 400, scimType: 'invalidValue' });
    },
  );

  it('a count that is no number beside a cursor is invalidCount', async () => {
    expect(await refusal('cursor=&count=x')).toEqual({ status: 400, scimType: 'invalidCount' });
  });

  it('numbers may be negative or huge; the service decides', async () => {
    expect(await searchedWith('startIndex=-5&count=-1')).toEqual({ startIndex: -5, count: -1 });
    expect(await searchedWith(`count=${'9'.repeat(30)}`)).toEqual({ count: Number.MAX_SAFE_INTEGER });
  });

  it.each(['count=1&count=2', 'filter=a&FILTER=b'])('"%s" is ambiguous: 400', async (query) => {
    expect(await refusal(query)).toEqual({ status: 400, scimType: 'invalidValue' });
  });

  it.each(['filter=%zz', 'attributes=%C3%28'])('"%s" has a wrong percent escape: 400', async (query) => {
    expect(await refusal(query)).toEqual({ status: 400, scimType: 'invalidValue' });
  });

  it('a filter longer than the limit is 400 invalidFilter', async () => {
    expect(await refusal(`filter=${'a'.repeat(101)}`)).toEqual({ status: 400, scimType: 'invalidFilter' });
    expect(await searchedWith(`filter=${'a'.repeat(100)}`)).toBeDefined();
  });
});

describe('sensitive attributes', () => {
  const gateway = { sensitiveFilters: ['userName', 'emails'] };

  it('in a filter in the URL are 403 sensitive [7644-T9-11 7644-7.5.2-01]', async () => {
    const { send, service } = createTestApp({ gateway });
    const response = await send('/scim/Users?filter=USERNAME%20eq%20%22a%22');
    expect(response.status).toBe(403);
    expect((await errorOf(response)).scimType).toBe('sensitive');
    expect(service.calls).toEqual([]);
  });

  it('may stand in the body of a POST [7644-7.5.2-01]', async () => {
    const { send } = createTestApp({ gateway });
    const body = { schemas: [searchRequest], filter: 'userName eq "a"' };
    expect((await send('/scim/Users/.search', json('POST', body))).status).toBe(200);
  });

  it.each([
    ['userName eq "a"', true],
    ['active eq true and not (UserName pr)', true],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a"', true],
    ['emails[type eq "work" and value eq "x"]', true],
    ['emails.value eq "x"', true],
    ['displayName eq "userName"', false],
    ['displayName eq "say \\"userName\\" now"', false],
    ['userNames eq "a"', false],
    ['externalId eq "a"', false],
  ])('%s: %s', (filter, expected) => {
    expect(namesSensitiveAttribute(filter, gateway.sensitiveFilters)).toBe(expected);
  });
});

describe('POST /.search', () => {
  const post = async (body: unknown, path = '/scim/Users/.search', dialect = tolerantDialect) => {
    const { send, service } = createTestApp({ gateway: { dialect } });
    const response = await send(path, json('POST', body));
    return { response, calls: service.calls };
  };

  it.each([
    ['/scim/.search', undefined],
    ['/scim/Users/.search', 'User'],
    ['/scim/v2/Groups/.search', 'Group'],
  ])('%s is a query, and 200 [7644-3.4.3-01 7644-3.4.3-05]', async (path, type) => {
    const { response, calls } = await post({ schemas: [searchRequest], count: 1 }, path);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'] });
    expect(calls).toEqual([{ method: 'search', arguments: [type, { count: 1 }] }]);
  });

  it('takes what a GET takes [7644-3.4.3-03 9865-3-01]', async () => {
    const search = {
      attributes: ['userName', 'name'],
      excludedAttributes: ['emails'],
      filter: 'userName pr',
      sortBy: 'userName',
      sortOrder: 'ascending',
      startIndex: 1,
      count: 10,
      cursor: '',
    };
    const { calls } = await post({ schemas: [searchRequest], ...search });
    expect(calls[0]?.arguments[1]).toEqual(search);
  });

  it.each([{}, { schemas: [] }, { schemas: ['urn:x:y'] }, { schemas: searchRequest }, [], 'text', null])(
    'without the message URI is 400 invalidSyntax: %j [7644-3.4.3-02 7644-T9-06]',
    async (body) => {
      const { response, calls } = await post(body);
      expect(response.status).toBe(400);
      expect((await errorOf(response)).scimType).toBe('invalidSyntax');
      expect(calls).toEqual([]);
    },
  );

  it('counts the body only, not the URL [7644-3.4.3-07]', async () => {
    const { calls } = await post({ schemas: [searchRequest], count: 5 }, '/scim/Users/.search?count=1&filter=a');
    expect(calls[0]?.arguments[1]).toEqual({ count: 5 });
  });

  it('ignores members that it does not know, and null [7644-3.4.3-08]', async () => {
    const { calls } = await post({ schemas: [searchRequest], foo: 1, filter: null });
    expect(calls[0]?.arguments[1]).toEqual({});
  });

  it.each([{ filter: 1 }, { count: '5' }, { count: 1.5 }, { attributes: [1] }, { sortBy: ['a'] }, { cursor: 1 }])(
    'refuses the type of %j with invalidValue [7644-3.4.3-04]',
    async (member) => {
      const { response } = await post({ schemas: [searchRequest], ...member });
      expect(response.status).toBe(400);
      expect((await errorOf(response)).scimType).toBe('invalidValue');
    },
  );

  it('takes member names in any case, unless it is strict', async () => {
    const body = { SCHEMAS: [searchRequest], Filter: 'a pr' };
    expect((await post(body)).calls[0]?.arguments[1]).toEqual({ filter: 'a pr' });
    expect((await post(body, undefined, strictDialect)).response.status).toBe(400);
    const exact = { schemas: [searchRequest], Filter: 'a pr' };
    expect((await post(exact, undefined, strictDialect)).calls[0]?.arguments[1]).toEqual({});
  });
});
