import { describe, expect, it } from 'vitest';
import {
  expectError,
  list,
  memberIds,
  newGroup,
  newUser,
  patch,
  patchBody,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { useServer } from './server.js';

const server = useServer('north', 'south');

describe('AA. Two gateways', () => {
  it('are told apart by their address [7644-6-01]', async () => {
    const [north, south] = [server.gateway('north'), server.gateway('south')];
    expect(north.base).not.toBe(south.base);
    const resource = await newUser(north);
    expect(resource.meta.location).toBe(`${north.base}/Users/${resource.id}`);
    expect(await readUser(north, resource)).toEqual(resource);
    expectError(await south.request('GET', `/Users/${resource.id}`), 404);
  });

  it('refuse the credentials of each other [7644-6.1-01 7644-6.1-02]', async () => {
    const [north, south] = [server.gateway('north'), server.gateway('south')];
    const { id } = await newUser(south);
    for (const path of ['/Users', `/Users/${id}`, '/Schemas']) {
      expectError(await south.withToken(north.token).request('GET', path), 401);
    }
    expectError(await south.withToken(north.token).request('POST', '/Users', { body: user() }), 401);
    const headers = { 'x-tenant': 'south', 'x-forwarded-host': 'south.example.com', host: 'south.example.com' };
    const answer = await north.request('GET', '/Users', { query: { filter: `id eq "${id}"` }, headers });
    expect(answer.body.totalResults).toBe(0);
  });

  it('never meet at an id [7644-6.2-01 7643-9.3-01]', async () => {
    const [north, south] = [server.gateway('north'), server.gateway('south')];
    const resource = await newUser(north);
    const path = `/Users/${resource.id}`;
    expectError(await patch(south, path, { op: 'add', path: 'title', value: 'T' }), 404);
    const body = { schemas: [urn.user], userName: resource.userName };
    expectError(await south.request('PUT', path, { body }), 404);
    expectError(await south.request('DELETE', path), 404);
    expect(await readUser(north, resource)).toEqual(resource);
    const same = await newUser(south, { userName: resource.userName });
    expect(same.id).not.toBe(resource.id);
  });

  it('keep lists, counts, names, references and cursors apart [7644-6-02 7644-6.2-02]', async () => {
    const [north, south] = [server.gateway('north'), server.gateway('south')];
    const [externalId, userName] = [unique('ext'), unique('user')];
    const [a, b] = [await newUser(north, { externalId, userName }), await newUser(south, { externalId, userName })];
    for (const [gateway, resource] of [
      [north, a],
      [south, b],
    ] as const) {
      for (const filter of [`externalId eq "${externalId}"`, `userName eq "${userName}"`, `id eq "${resource.id}"`]) {
        expect(await selected(gateway, filter)).toEqual([resource.id]);
        expect(await selected(gateway, filter, '/')).toEqual([resource.id]);
      }
    }
    expect((await list(south, '/Users', { filter: `id eq "${a.id}"`, count: 0 })).totalResults).toBe(0);
    const team = await newGroup(south, { members: [{ value: a.id }] });
    expect(memberIds(team)).toEqual([a.id]);
    expect(Object.keys(await readUser(north, a))).not.toContain('groups');
    expectError(await south.request('GET', `/Users/${a.id}`), 404);
    await newUser(north, { externalId });
    const { body: page } = await north.request('GET', '/Users', {
      query: { filter: `externalId eq "${externalId}"`, count: 1, cursor: '' },
    });
    const query = { filter: `externalId eq "${externalId}"`, count: 1, cursor: page.nextCursor ?? '' };
    expectError(await south.request('GET', '/Users', { query }), 400, 'invalidCursor');
  });

  it('keep bulk jobs apart [7644-6-02]', async () => {
    const [north, south] = [server.gateway('north'), server.gateway('south')];
    const resource = await newUser(north);
    const data = patchBody({ op: 'add', path: 'title', value: 'T' });
    const Operations = [{ method: 'PATCH', path: `/Users/${resource.id}`, data }];
    const answer = await south.request('POST', '/Bulk', { body: { schemas: [urn.bulkRequest], Operations } });
    expect(answer.body.Operations).toMatchObject([{ status: '404' }]);
    expect(await readUser(north, resource)).toEqual(resource);
  });
});
