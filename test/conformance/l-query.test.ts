import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectInvalidFilter,
  idsOf,
  list,
  newGroup,
  newUser,
  newUsers,
  nobody,
  read,
  selected,
  unique,
  urn,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'policy');

describe('L. ListResponse', () => {
  it(
    'has its schema, the total and the resources [7644-3.4.2-01 7644-3.4.2-02 7644-3.4.2-03]',
    inBoth(server, async (gateway) => {
      const userType = unique('type');
      const users = await newUsers(gateway, 3, { userType });
      const message = await read(gateway, '/Users', { filter: `userType eq "${userType}"` });
      expect(message.schemas).toEqual([urn.list]);
      expect(message.totalResults).toBe(3);
      expect(idsOf(...(message.Resources ?? []))).toEqual(idsOf(...users));
    }),
  );

  it(
    'answers no match with 200 and a total of 0 [7644-3.4.2-04 7644-3.4.2-03]',
    inBoth(server, async (gateway) => {
      const answer = await gateway.request('GET', '/Users', { query: { filter: `userName eq "${unique('none')}"` } });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ schemas: [urn.list], totalResults: 0 });
      expect(answer.body.Resources ?? []).toEqual([]);
    }),
  );

  it(
    'has startIndex and itemsPerPage on a part [7644-3.4.2-05]',
    inBoth(server, async (gateway) => {
      const userType = unique('type');
      await newUsers(gateway, 5, { userType });
      const message = await list(gateway, '/Users', { filter: `userType eq "${userType}"`, count: 2 });
      expect(message).toMatchObject({ totalResults: 5, itemsPerPage: 2, startIndex: 1 });
      expect(message.Resources).toHaveLength(2);
    }),
  );

  it(
    'ignores unknown query parameters [7644-3.4.2-06]',
    inBoth(server, async (gateway) => {
      await read(gateway, '/Users', { foo: 'bar', count: 1 });
      const { id } = await newUser(gateway);
      await read(gateway, `/Users/${id}`, { foo: 'bar' });
    }),
  );

  it(
    'takes parameters for a single resource [7644-3.4.2-07]',
    inBoth(server, async (gateway) => {
      const { id, userName } = await newUser(gateway, { title: 'T' });
      const projected = await read(gateway, `/Users/${id}`, { attributes: 'userName' });
      expect(projected).toEqual({ schemas: [urn.user], id, userName });
    }),
  );
});

describe('L. Too much', () => {
  it('refuses what it would have to search beyond its limit, and names it [7644-3.4.2.1-03 7644-T9-03]', async () => {
    const gateway = server.gateway('policy');
    const mark = unique('mark');
    const [first] = await Promise.all(['a', 'b', 'c'].map((each) => newUser(gateway, { userName: `${each}-${mark}` })));
    expect(await selected(gateway, `displayName eq "A-${mark}"`)).toEqual([first?.id]);
    await newUsers(gateway, 6);
    for (const path of ['/Users', '/']) {
      const answer = await gateway.request('GET', path, { query: { filter: `displayName eq "a-${mark}"` } });
      expectError(answer, 400, 'tooMany');
      expect(answer.body.detail).toContain('displayName');
    }
    expect(await selected(gateway, `userName eq "a-${mark}" and displayName eq "a-${mark}"`)).toEqual([first?.id]);
  });
});

describe('L. The root', () => {
  it(
    'lists the resources of all types [7644-3.4.2.1-01 7644-3.4.2.1-02]',
    inBoth(server, async (gateway) => {
      const externalId = unique('ext');
      const resources = [await newUser(gateway, { externalId }), await newGroup(gateway, { externalId })];
      const message = await list(gateway, '/', { filter: `externalId eq "${externalId}"` });
      expect(message).toMatchObject({ schemas: [urn.list], totalResults: 2 });
      expect(idsOf(...message.Resources)).toEqual(idsOf(...resources));
      const users = await list(gateway, '/', {
        filter: `meta.resourceType eq "User" and externalId eq "${externalId}"`,
      });
      expect(users.Resources.map(({ meta }) => meta.resourceType)).toEqual(['User']);
      expect((await list(gateway, '', { count: 1 })).schemas).toEqual([urn.list]);
    }),
  );

  it(
    'pages over all types without loss [7644-3.4.2.1-02]',
    inBoth(server, async (gateway) => {
      const externalId = unique('ext');
      const users = await newUsers(gateway, 3, { externalId });
      const groups = [await newGroup(gateway, { externalId }), await newGroup(gateway, { externalId })];
      const filter = `externalId eq "${externalId}"`;
      const found: string[] = [];
      for (const startIndex of [1, 3, 5]) {
        const page = await list(gateway, '/', { filter, startIndex, count: 2 });
        expect(page.totalResults).toBe(5);
        found.push(...page.Resources.map(({ id }) => id));
      }
      expect(found.sort()).toEqual(idsOf(...users, ...groups));
    }),
  );

  it(
    'takes an attribute that a type lacks for one without a value [7644-3.4.2.1-04]',
    inBoth(server, async (gateway) => {
      const { id, userName } = await newUser(gateway);
      expect(await selected(gateway, `userName eq "${userName}"`, '/')).toEqual([id]);
      const team = await newGroup(gateway);
      expect(await selected(gateway, `displayName eq "${team.displayName}" and not (userName pr)`, '/')).toEqual([
        team.id,
      ]);
    }),
  );

  it(
    'refuses an unquoted value [7644-3.4.2.1-05]',
    inBoth(server, async (gateway) => {
      await expectInvalidFilter(gateway, 'meta.resourceType eq User', '/');
      await expectInvalidFilter(gateway, 'meta.resourceType eq User');
    }),
  );

  it(
    'never tells a hidden value by the number of matches [7644-3.4.2.1-06]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, { password: 'Secret-1234' });
      for (const path of ['/Users', '/']) {
        const query = { filter: `id eq "${id}" and password eq "Secret-1234"` };
        const answer = await gateway.request('GET', path, { query });
        expectError(answer, answer.status === 403 ? 403 : 400);
      }
      expect(await selected(gateway, `id eq "${nobody}"`)).toEqual([]);
    }),
  );
});
