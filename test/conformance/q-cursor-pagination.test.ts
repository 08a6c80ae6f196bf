import { describe, expect, it } from 'vitest';
import type { Message, TestGateway } from '../support/gateway.js';
import { expectError, idsOf, list, newGroup, newUsers, read, unique, urn } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'paged', 'north', 'south');

/** Users that a filter selects, and nobody else. */
async function population(gateway: TestGateway, size: number) {
  const userType = unique('type');
  const users = await newUsers(gateway, size, { userType });
  return { users, filter: `userType eq "${userType}"` };
}

interface Walk {
  readonly filter: string;
  readonly count: number;
  readonly sortBy?: string;
}

/** All pages from the first to the last. */
async function walk(gateway: TestGateway, query: Walk): Promise<readonly Message[]> {
  const pages = [await read(gateway, '/Users', { ...query, cursor: '' })];
  for (let cursor = pages[0]?.nextCursor; cursor !== undefined; cursor = pages.at(-1)?.nextCursor) {
    pages.push(await read(gateway, '/Users', { ...query, cursor }));
    expect(pages.length, 'pages without end').toBeLessThan(100);
  }
  return pages;
}

async function firstCursor(gateway: TestGateway, filter: string, count = 2): Promise<string> {
  const { nextCursor } = await read(gateway, '/Users', { filter, count, cursor: '' });
  expect(nextCursor).toMatch(/./);
  return nextCursor ?? '';
}

describe('Q. Paging by cursor', () => {
  it(
    'begins with an empty cursor, with or without "=" [9865-2-01]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 3);
      for (const cursor of ['', null]) {
        const page = await list(gateway, '/Users', { filter, cursor, count: 2 });
        expect(page).toMatchObject({ schemas: [urn.list], totalResults: 3, itemsPerPage: 2 });
        expect(page.Resources).toHaveLength(2);
        expect(page.nextCursor).toBeTypeOf('string');
      }
    }),
  );

  it(
    'gives cursors that need no encoding in a URL [9865-2-02]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 5);
      for (const { nextCursor, previousCursor } of await walk(gateway, { filter, count: 2 })) {
        for (const cursor of [nextCursor, previousCursor]) expect(cursor ?? 'x').toMatch(/^[A-Za-z0-9\-._~]+$/);
      }
    }),
  );

  it(
    'never gives more than count, and only the total for none [9865-2-03]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 3);
      for (const count of [0, -1]) {
        const page = await read(gateway, '/Users', { filter, cursor: '', count });
        expect(page.totalResults).toBe(3);
        expect(page.Resources ?? []).toEqual([]);
      }
      for (const page of await walk(gateway, { filter, count: 2 })) {
        expect(page.Resources?.length ?? 0).toBeLessThanOrEqual(2);
      }
    }),
  );

  it(
    'gives every resource once, with a next cursor on every page but the last [9865-2-04 9865-2-05 9865-2-10]',
    inBoth(server, async (gateway) => {
      const { users, filter } = await population(gateway, 6);
      for (const count of [1, 2, 3, 4, 6, 7]) {
        const pages = await walk(gateway, { filter, count });
        const found = pages.flatMap(({ Resources }) => Resources ?? []);
        expect(idsOf(...found), `pages of ${count}`).toEqual(idsOf(...users));
        for (const page of pages) expect(page.totalResults).toBe(6);
        for (const page of pages.slice(0, -1)) expect(page.Resources?.length).toBeGreaterThan(0);
      }
    }),
  );

  it(
    'goes back by a previous cursor where it gives one, never from the first page [9865-2-06 9865-2-07]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 5);
      const pages = await walk(gateway, { filter, count: 2 });
      expect(pages[0]?.previousCursor).toBeUndefined();
      const { previousCursor } = pages[1] as Message;
      if (previousCursor === undefined) return;
      const back = await read(gateway, '/Users', { filter, count: 2, cursor: previousCursor });
      expect(back.Resources).toEqual(pages[0]?.Resources);
    }),
  );

  it(
    'refuses a cursor with another query [9865-2-08]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 5);
      const cursor = await firstCursor(gateway, filter);
      const other = { filter: 'userName pr', count: 2, cursor };
      expectError(await gateway.request('GET', '/Users', { query: other }), 400, 'invalidCursor');
      const sorted = { filter, count: 2, cursor, sortBy: 'userName' };
      expectError(await gateway.request('GET', '/Users', { query: sorted }), 400, 'invalidCursor');
      expectError(await gateway.request('GET', '/Groups', { query: { count: 2, cursor } }), 400, 'invalidCursor');
    }),
  );

  it(
    'refuses another count with an old cursor [9865-2-09]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 5);
      const query = { filter, count: 3, cursor: await firstCursor(gateway, filter, 2) };
      expectError(await gateway.request('GET', '/Users', { query }), 400, 'invalidCount');
    }),
  );

  it(
    'refuses bad parameters with a SCIM error [9865-2.1-01 9865-2.1-02]',
    inBoth(server, async (gateway) => {
      for (const cursor of ['xyz', '1', '../..', 'a'.repeat(5_000), 'Zoë']) {
        expectError(await gateway.request('GET', '/Users', { query: { cursor } }), 400, 'invalidCursor');
      }
      const answer = await gateway.request('GET', '/Users', { query: { cursor: '', count: 'many' } });
      expectError(answer, 400, 'invalidCount', 'invalidValue');
    }),
  );

  it('caps a count beyond the maximum [9865-2.1-04 GAP-13]', async () => {
    const gateway = server.gateway('paged');
    const { filter } = await population(gateway, 7);
    const page = await list(gateway, '/Users', { filter, cursor: '', count: 99_999 });
    expect(page.Resources).toHaveLength(5);
    const next = await list(gateway, '/Users', { filter, cursor: page.nextCursor ?? '', count: 99_999 });
    expect(next.Resources).toHaveLength(2);
    expect(next.nextCursor).toBeUndefined();
  });

  it(
    'keeps the order that was asked for over all pages [9865-2.2-01]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 7);
      const query = { filter, sortBy: 'userName', sortOrder: 'descending' };
      const whole = (await list(gateway, '/Users', query)).Resources.map(({ id }) => id);
      const paged = (await walk(gateway, { ...query, count: 2 })).flatMap(({ Resources }) => Resources ?? []);
      expect(paged.map(({ id }) => id)).toEqual(whole);
    }),
  );

  it('pages by cursor without being asked, where that is the default [9865-2.3-01 9865-2.4-01]', async () => {
    const gateway = server.gateway('paged');
    const { filter } = await population(gateway, 7);
    expect((await read(gateway, '/ServiceProviderConfig')).pagination).toMatchObject({
      defaultPaginationMethod: 'cursor',
    });
    const first = await list(gateway, '/Users', { filter });
    expect(first.Resources).toHaveLength(3);
    expect(first.nextCursor).toBeTypeOf('string');
    const byIndex = await list(gateway, '/Users', { filter, startIndex: 4 });
    expect(byIndex).toMatchObject({ startIndex: 4, itemsPerPage: 3 });
    expect(byIndex.nextCursor).toBeUndefined();
  });

  it(
    'pages by index by default [9865-2.4-01 9865-2.4-02]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 3);
      const { pagination } = await read(gateway, '/ServiceProviderConfig');
      expect(pagination).toMatchObject({ defaultPaginationMethod: 'index' });
      const page = await list(gateway, '/Users', { filter, count: 2 });
      expect(page).toMatchObject({ startIndex: 1, itemsPerPage: 2 });
      expect(page.nextCursor).toBeUndefined();
    }),
  );

  it(
    'refuses both methods at once [9865-2.4-03]',
    inBoth(server, async (gateway) => {
      const answer = await gateway.request('GET', '/Users', { query: { cursor: '', startIndex: 1 } });
      expectError(answer, 400, 'invalidValue');
    }),
  );

  it(
    'goes by POST /.search too [9865-3-01]',
    inBoth(server, async (gateway) => {
      const { users, filter } = await population(gateway, 3);
      const search = async (cursor: string) => {
        const body = { schemas: [urn.search], filter, cursor, count: 2, attributes: ['userName'] };
        return (await gateway.request('POST', '/Users/.search', { body })).body;
      };
      const first = await search('');
      expect(first).toMatchObject({ totalResults: 3, itemsPerPage: 2 });
      const second = await search(first.nextCursor ?? '');
      expect(second.nextCursor).toBeUndefined();
      expect(idsOf(...(first.Resources ?? []), ...(second.Resources ?? []))).toEqual(idsOf(...users));
    }),
  );

  it(
    'goes over all types at the root [9865-2-04]',
    inBoth(server, async (gateway) => {
      const externalId = unique('ext');
      const resources = [
        ...(await newUsers(gateway, 3, { externalId })),
        await newGroup(gateway, { externalId }),
        await newGroup(gateway, { externalId }),
      ];
      const found: Message[] = [];
      let cursor: string | undefined = '';
      while (cursor !== undefined) {
        const page: Message = await read(gateway, '/', { filter: `externalId eq "${externalId}"`, count: 2, cursor });
        found.push(...(page.Resources ?? []));
        cursor = page.nextCursor;
      }
      expect(idsOf(...found)).toEqual(idsOf(...resources));
    }),
  );
});

describe('Q. What is said of it', () => {
  it(
    'is in ServiceProviderConfig, truthfully [9865-4-01 9865-4-02 9865-4-03]',
    inBoth(server, async (gateway) => {
      const { pagination } = await read(gateway, '/ServiceProviderConfig');
      expect(pagination).toMatchObject({ cursor: true, index: true });
      const { defaultPageSize, maxPageSize, cursorTimeout } = pagination as Readonly<Record<string, unknown>>;
      for (const size of [defaultPageSize, maxPageSize, cursorTimeout]) {
        if (size !== undefined) expect(Number.isInteger(size) && Number(size) > 0).toBe(true);
      }
    }),
  );

  it('holds: page sizes are those that are published [9865-4-03 9865-5.3-02]', async () => {
    const gateway = server.gateway('paged');
    const { pagination } = await read(gateway, '/ServiceProviderConfig');
    expect(pagination).toMatchObject({ defaultPageSize: 3, maxPageSize: 5, cursorTimeout: 60 });
    const { filter } = await population(gateway, 7);
    expect((await list(gateway, '/Users', { filter, cursor: '' })).Resources).toHaveLength(3);
    expect((await list(gateway, '/Users', { filter, cursor: '', count: 7 })).Resources).toHaveLength(5);
  });
});

describe('Q. Security of cursors', () => {
  it('refuses a cursor of another tenant, and a cursor of another caller [9865-5.2-01 9865-5.2-05]', async () => {
    const [north, south] = [server.gateway('north'), server.gateway('south')];
    const { filter } = await population(north, 5);
    const cursor = await firstCursor(north, filter);
    const foreign = await south.request('GET', '/Users', { query: { filter, count: 2, cursor } });
    expectError(foreign, 400, 'invalidCursor');
    const made = await south.request('GET', '/Users', { query: { filter, count: 2, cursor: `${cursor.slice(1)}A` } });
    const { detail: foreignDetail } = foreign.body;
    const withoutId = (detail: string | undefined) => detail?.replace(/\[request [^\]]+\]/, '');
    expect(withoutId(foreignDetail)).toBe(withoutId(made.body.detail));
    const colleague = north.withToken(await server.server.createToken('north', unique('colleague')));
    const answer = await colleague.request('GET', '/Users', { query: { filter, count: 2, cursor } });
    if (answer.status === 200) expect(answer.body.totalResults).toBe(5);
    else expectError(answer, 400, 'invalidCursor');
  });

  it('asks who is calling on every page [9865-5.2-02]', async () => {
    const gateway = server.gateway('default');
    const { filter } = await population(gateway, 5);
    const query = { filter, count: 2, cursor: await firstCursor(gateway, filter) };
    expectError(await gateway.withToken('no-longer-valid').request('GET', '/Users', { query }), 401);
    expectError(await gateway.request('GET', '/Users', { query, headers: { authorization: null } }), 401);
  });

  it(
    'notices every forged character [9865-5.2-04]',
    inBoth(server, async (gateway) => {
      const { filter } = await population(gateway, 5);
      const cursor = await firstCursor(gateway, filter);
      const positions = new Set([0, 1, Math.floor(cursor.length / 2), cursor.length - 2]);
      for (const position of positions) {
        const other = cursor[position] === 'A' ? 'B' : 'A';
        const forged = cursor.slice(0, position) + other + cursor.slice(position + 1);
        const answer = await gateway.request('GET', '/Users', { query: { filter, count: 2, cursor: forged } });
        expectError(answer, 400, 'invalidCursor');
      }
      expect(cursor).not.toContain(filter);
      expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('userType');
    }),
  );

  it('gives nothing to the anonymous [9865-5.3-03]', async () => {
    const headers = { authorization: null };
    const answer = await server.gateway('default').request('GET', '/Users', { query: { cursor: '' }, headers });
    expectError(answer, 401);
  });
});
