import { describe, expect, it } from 'vitest';
import type { Message, TestGateway } from '../support/gateway.js';
import { expectError, type Fields, list, newUser, newUsers, read, unique, urn } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

/** Creates users with these fields and gives `sorted`, which names them by their position here. */
async function population(gateway: TestGateway, all: readonly Fields[]) {
  const userType = unique('type');
  const users: Message[] = [];
  for (const fields of all) users.push(await newUser(gateway, { userType, ...fields }));
  return async (query: Readonly<Record<string, string | number>>): Promise<readonly number[]> => {
    const { Resources } = await list(gateway, '/Users', { filter: `userType eq "${userType}"`, ...query });
    return Resources.map(({ id }) => users.findIndex((user) => user.id === id));
  };
}

describe('N. Sorting', () => {
  it(
    'is offered, says so, and orders by the attribute [7644-3.4.2.3-01 7644-3.4.2.3-02]',
    inBoth(server, async (gateway) => {
      expect((await read(gateway, '/ServiceProviderConfig')).sort).toMatchObject({ supported: true });
      const mark = unique('x');
      const sorted = await population(
        gateway,
        ['c', 'a', 'b'].map((letter) => ({ userName: `${letter}-${mark}` })),
      );
      expect(await sorted({ sortBy: 'userName' })).toEqual([1, 2, 0]);
      expect(await sorted({ sortBy: `${urn.user}:userName` })).toEqual([1, 2, 0]);
      expect(await sorted({ sortBy: 'USERNAME', sortOrder: 'descending' })).toEqual([0, 2, 1]);
    }),
  );

  it(
    'takes the primary value of a multi-valued attribute, else the first [7644-3.4.2.3-03]',
    inBoth(server, async (gateway) => {
      const sorted = await population(gateway, [
        { emails: [{ value: 'a@x.example' }, { value: 'z@x.example', primary: true }] },
        { emails: [{ value: 'm@x.example' }, { value: 'a@x.example' }] },
        { emails: [{ value: 'b@x.example' }] },
      ]);
      expect(await sorted({ sortBy: 'emails.value' })).toEqual([2, 1, 0]);
      expect(await sorted({ sortBy: 'emails' })).toEqual([2, 1, 0]);
    }),
  );

  it(
    'wants a sub-attribute of a complex attribute [7644-3.4.2.3-04]',
    inBoth(server, async (gateway) => {
      const names = ['Mandy', 'Barbara'].map((givenName) => ({ name: { givenName } }));
      const sorted = await population(gateway, names);
      expect(await sorted({ sortBy: 'name.givenName' })).toEqual([1, 0]);
      for (const sortBy of ['name', 'meta']) {
        const answer = await gateway.request('GET', '/Users', { query: { sortBy } });
        expectError(answer, 400, 'invalidPath', 'invalidValue');
      }
    }),
  );

  it(
    'refuses attributes that no schema has [7644-3.4.2.3-04]',
    inBoth(server, async (gateway) => {
      for (const sortBy of ['nosuch', 'name.nosuch', 'emails[type eq "work"']) {
        const answer = await gateway.request('GET', '/Users', { query: { sortBy } });
        expectError(answer, 400, 'invalidPath', 'invalidValue');
      }
    }),
  );

  it(
    'puts resources without a value last, and first when descending [7644-3.4.2.3-05]',
    inBoth(server, async (gateway) => {
      const sorted = await population(gateway, [{}, { title: 'B' }, { title: 'A' }]);
      expect(await sorted({ sortBy: 'title' })).toEqual([2, 1, 0]);
      expect(await sorted({ sortBy: 'title', sortOrder: 'descending' })).toEqual([0, 1, 2]);
    }),
  );

  it(
    'goes up or down, up by default, and no other way [7644-3.4.2.3-06]',
    inBoth(server, async (gateway) => {
      const sorted = await population(gateway, [{ title: 'B' }, { title: 'A' }]);
      expect(await sorted({ sortBy: 'title' })).toEqual([1, 0]);
      expect(await sorted({ sortBy: 'title', sortOrder: 'ascending' })).toEqual([1, 0]);
      expect(await sorted({ sortBy: 'title', sortOrder: 'descending' })).toEqual([0, 1]);
      const answer = await gateway.request('GET', '/Users', { query: { sortBy: 'title', sortOrder: 'up' } });
      expectError(answer, 400, 'invalidValue');
    }),
  );

  it(
    'goes by type and case rule: text folded, case-exact text by code point, dates by time [7644-3.4.2.3-07]',
    inBoth(server, async (gateway) => {
      const titles = await population(
        gateway,
        ['c', 'B', 'a', 'É', 'z'].map((title) => ({ title })),
      );
      expect(await titles({ sortBy: 'title' })).toEqual([2, 1, 0, 4, 3]);
      const exact = await population(
        gateway,
        ['c', 'B', 'a'].map((externalId) => ({ externalId })),
      );
      expect(await exact({ sortBy: 'externalId' })).toEqual([1, 2, 0]);
      const dated = await population(gateway, [{}, {}, {}]);
      const byTime = await dated({ sortBy: 'meta.created' });
      expect(byTime).toEqual([0, 1, 2]);
    }),
  );

  it('sorts numbers as numbers and true after false [7644-3.4.2.3-07]', async () => {
    const gateway = server.gateway('rich');
    const kinds = (fields: object) => ({ schemas: [urn.user, urn.kinds], [urn.kinds]: fields });
    const sorted = await population(
      gateway,
      [10, 9, -1].map((whole) => kinds({ whole })),
    );
    expect(await sorted({ sortBy: `${urn.kinds}:whole` })).toEqual([2, 1, 0]);
    const flags = await population(
      gateway,
      [true, false].map((flag) => kinds({ flag })),
    );
    expect(await flags({ sortBy: `${urn.kinds}:flag` })).toEqual([1, 0]);
  });

  it(
    'keeps the order of equal values over pages [7644-3.4.2.3-08]',
    inBoth(server, async (gateway) => {
      const userType = unique('type');
      await newUsers(gateway, 7, { userType, title: 'same' });
      const query = { filter: `userType eq "${userType}"`, sortBy: 'title' };
      const whole = (await list(gateway, '/Users', query)).Resources.map(({ id }) => id);
      const paged: string[] = [];
      for (let startIndex = 1; startIndex <= 7; startIndex += 2) {
        const page = await list(gateway, '/Users', { ...query, startIndex, count: 2 });
        paged.push(...page.Resources.map(({ id }) => id));
      }
      expect(paged).toEqual(whole);
    }),
  );
});
