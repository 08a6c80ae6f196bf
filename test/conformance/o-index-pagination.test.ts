import { describe, expect, it } from 'vitest';
import type { TestGateway } from '../support/gateway.js';
import { expectError, idsOf, list, newUsers, read, unique } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'paged');

/** Seven users, and a query for exactly them. */
async function seven(gateway: TestGateway) {
  const userType = unique('type');
  const users = await newUsers(gateway, 7, { userType });
  return { users, filter: `userType eq "${userType}"` };
}

describe('O. Paging by index', () => {
  it(
    'starts at 1, whatever lies below [7644-3.4.2.4-01]',
    inBoth(server, async (gateway) => {
      const { filter } = await seven(gateway);
      const first = await list(gateway, '/Users', { filter, count: 3 });
      for (const startIndex of [1, 0, -5]) {
        const page = await list(gateway, '/Users', { filter, count: 3, startIndex });
        expect(page.startIndex).toBe(1);
        expect(page.Resources.map(({ id }) => id)).toEqual(first.Resources.map(({ id }) => id));
      }
    }),
  );

  it(
    'never gives more than count [7644-3.4.2.4-02]',
    inBoth(server, async (gateway) => {
      const { filter } = await seven(gateway);
      for (const count of [1, 2, 6]) {
        expect((await list(gateway, '/Users', { filter, count })).Resources).toHaveLength(count);
      }
    }),
  );

  it(
    'gives only the total for a count of zero or less [7644-3.4.2.4-03 7644-3.4.2.4-04]',
    inBoth(server, async (gateway) => {
      const { filter } = await seven(gateway);
      for (const count of [0, -1]) {
        const page = await read(gateway, '/Users', { filter, count });
        expect(page.Resources ?? []).toEqual([]);
        expect(page.totalResults).toBe(7);
      }
    }),
  );

  it('gives a page of its own size without a count, and never more than its maximum [7644-3.4.2.4-05]', async () => {
    const gateway = server.gateway('paged');
    const { filter } = await seven(gateway);
    const config = await read(gateway, '/ServiceProviderConfig');
    expect(config.filter).toMatchObject({ maxResults: 5 });
    const page = await list(gateway, '/Users', { filter, startIndex: 1 });
    expect(page).toMatchObject({ totalResults: 7, itemsPerPage: 3 });
    expect((await list(gateway, '/Users', { filter, startIndex: 1, count: 100 })).Resources).toHaveLength(5);
  });

  it(
    'tells truthfully where it is [7644-3.4.2.4-06]',
    inBoth(server, async (gateway) => {
      const { filter } = await seven(gateway);
      for (const [startIndex, items] of [
        [1, 3],
        [4, 3],
        [7, 1],
      ] as const) {
        const page = await list(gateway, '/Users', { filter, startIndex, count: 3 });
        expect(page).toMatchObject({ startIndex, itemsPerPage: items, totalResults: 7 });
        expect(page.Resources).toHaveLength(items);
      }
    }),
  );

  it(
    'gives nothing beyond the end, with the true total [7644-3.4.2.4-07]',
    inBoth(server, async (gateway) => {
      const { filter } = await seven(gateway);
      const page = await read(gateway, '/Users', { filter, startIndex: 999, count: 3 });
      expect(page.totalResults).toBe(7);
      expect(page.Resources ?? []).toEqual([]);
    }),
  );

  it(
    'refuses what is no whole number [7644-3.4.2.4-08]',
    inBoth(server, async (gateway) => {
      for (const query of [{ count: 'abc' }, { count: '1.5' }, { startIndex: 'x' }, { startIndex: '1e1' }]) {
        expectError(await gateway.request('GET', '/Users', { query }), 400, 'invalidValue', 'invalidCount');
      }
    }),
  );

  it(
    'gives every resource once, whatever the page size [7644-3.4.2.4-09]',
    inBoth(server, async (gateway) => {
      const { users, filter } = await seven(gateway);
      for (const count of [1, 2, 7, 10]) {
        const found: string[] = [];
        for (let startIndex = 1; startIndex <= 7; startIndex += count) {
          const page = await list(gateway, '/Users', { filter, startIndex, count });
          found.push(...page.Resources.map(({ id }) => id));
        }
        expect(found.sort(), `pages of ${count}`).toEqual(idsOf(...users));
      }
    }),
  );
});
