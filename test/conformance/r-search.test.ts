import { describe, expect, it } from 'vitest';
import { expectError, idsOf, newGroup, newUser, newUsers, unique, urn } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

describe('R. POST /.search', () => {
  it(
    'asks the root and each endpoint, and answers like GET [7644-3.4.3-01 7644-3.4.3-05]',
    inBoth(server, async (gateway) => {
      const externalId = unique('ext');
      const [person, team] = [await newUser(gateway, { externalId }), await newGroup(gateway, { externalId })];
      for (const [path, wanted] of [
        ['/.search', idsOf(person, team)],
        ['/Users/.search', [person.id]],
        ['/Groups/.search', [team.id]],
      ] as const) {
        const body = { schemas: [urn.search], filter: `externalId eq "${externalId}"` };
        const answer = await gateway.request('POST', path, { body });
        expect(answer.status, path).toBe(200);
        expect(answer.body).toMatchObject({ schemas: [urn.list], totalResults: wanted.length });
        expect(idsOf(...(answer.body.Resources ?? []))).toEqual(wanted);
        const endpoint = path.slice(0, -'/.search'.length);
        const got = await gateway.request('GET', endpoint, { query: { filter: body.filter } });
        expect(got.body.Resources).toEqual(answer.body.Resources);
      }
      expectError(await gateway.request('POST', '/Unicorns/.search', { body: { schemas: [urn.search] } }), 404);
    }),
  );

  it('wants the schema of a search request (strict) [7644-3.4.3-02]', async () => {
    for (const schemas of [undefined, [], [urn.list], [urn.user]]) {
      const answer = await server.gateway('strict').request('POST', '/Users/.search', { body: { schemas, count: 1 } });
      expectError(answer, 400, 'invalidSyntax');
    }
  });

  it('refuses another schema than that of a search request (default, rule 9) [7644-3.4.3-02]', async () => {
    const body = { schemas: [urn.list], count: 1 };
    expectError(await server.gateway('default').request('POST', '/Users/.search', { body }), 400, 'invalidSyntax');
  });

  it(
    'takes every parameter of a query [7644-3.4.3-03]',
    inBoth(server, async (gateway) => {
      const userType = unique('type');
      const users = await newUsers(gateway, 5, { userType, title: 'T' });
      const filter = `userType eq "${userType}"`;
      const names = users.map(({ userName }) => String(userName)).sort((a, b) => (a < b ? 1 : -1));
      const search = async (more: object) => {
        const body = { schemas: [urn.search], filter, sortBy: 'userName', sortOrder: 'descending', ...more };
        return (await gateway.request('POST', '/Users/.search', { body })).body;
      };
      const page = await search({ startIndex: 2, count: 2, attributes: ['userName'] });
      expect(page).toMatchObject({ totalResults: 5, startIndex: 2, itemsPerPage: 2 });
      expect(page.Resources?.map(({ userName }) => userName)).toEqual(names.slice(1, 3));
      expect(Object.keys(page.Resources?.[0] ?? {}).sort()).toEqual(['id', 'schemas', 'userName']);
      const excluded = await search({ excludedAttributes: ['userName', 'meta', 'title', 'userType'] });
      expect(Object.keys(excluded.Resources?.[0] ?? {}).sort()).toEqual(['id', 'schemas']);
    }),
  );

  it(
    'refuses a bad filter or sort [7644-3.4.3-04]',
    inBoth(server, async (gateway) => {
      const search = (more: object) =>
        gateway.request('POST', '/Users/.search', { body: { schemas: [urn.search], ...more } });
      expectError(await search({ filter: 'userName eq' }), 400, 'invalidFilter');
      expectError(await search({ filter: 7 }), 400, 'invalidFilter', 'invalidValue', 'invalidSyntax');
      expectError(await search({ sortBy: 'nosuch' }), 400, 'invalidPath', 'invalidValue');
      expectError(await search({ count: 'x' }), 400, 'invalidValue', 'invalidSyntax', 'invalidCount');
      expectError(await search({ attributes: 7 }), 400, 'invalidValue', 'invalidSyntax');
      expectError(await gateway.request('POST', '/Users/.search', { rawBody: '{' }), 400, 'invalidSyntax');
    }),
  );

  it(
    'leaves what is always returned [7644-3.4.3-06]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const body = { schemas: [urn.search], filter: `id eq "${id}"`, excludedAttributes: ['id'] };
      expect((await gateway.request('POST', '/Users/.search', { body })).body.Resources).toMatchObject([{ id }]);
    }),
  );

  it(
    'reads the body, not the URL [7644-3.4.3-07]',
    inBoth(server, async (gateway) => {
      const userType = unique('type');
      await newUsers(gateway, 3, { userType });
      const body = { schemas: [urn.search], filter: `userType eq "${userType}"`, count: 2 };
      const answer = await gateway.request('POST', '/Users/.search?count=1&filter=bad', { body });
      expect(answer.body).toMatchObject({ totalResults: 3, itemsPerPage: 2 });
    }),
  );

  it(
    'ignores members it does not know [7644-3.4.3-08]',
    inBoth(server, async (gateway) => {
      const body = { schemas: [urn.search], count: 1, foo: 1 };
      expect((await gateway.request('POST', '/Users/.search', { body })).status).toBe(200);
    }),
  );
});
