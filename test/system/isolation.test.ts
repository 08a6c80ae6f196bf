import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

/** Two tenants on one store of each kind. They are asked about each other's resources and about what is nowhere. */
const configs = {
  'the managed store': `version: 1
adapters:
  store: { type: sqlite }
gateways:
  north: &gateway
    resources:
      User: { adapter: store, use: [scim] }
      Group: { adapter: store, use: [scim] }
  south: *gateway
`,
  'records in memory': `version: 1
adapters:
  one: { type: memory }
  two: { type: memory }
gateways:
  north:
    resources: { User: { adapter: one, use: [scim] }, Group: { adapter: one, use: [scim] } }
  south:
    resources: { User: { adapter: two, use: [scim] }, Group: { adapter: two, use: [scim] } }
`,
};

const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const bulkUri = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
const searchUri = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

type Ask = (gateway: TestGateway, id: string) => Promise<Answer>;

const patchOf = (...operations: readonly object[]) => ({ schemas: [patchUri], Operations: operations });
const send =
  (method: string, path: (id: string) => string, body?: (id: string) => unknown): Ask =>
  (gateway, id) =>
    gateway.request(method, path(id), body === undefined ? {} : { body: body(id) });

/** Every way to bring an id along. */
const asks: Readonly<Record<string, Ask>> = {
  'GET User': send('GET', (id) => `/Users/${id}`),
  'GET Group': send('GET', (id) => `/Groups/${id}`),
  'GET with attributes': send('GET', (id) => `/Users/${id}?attributes=userName`),
  'HEAD User': send('HEAD', (id) => `/Users/${id}`),
  'GET below v2': send('GET', (id) => `/v2/Users/${id}`),
  'PUT User': send(
    'PUT',
    (id) => `/Users/${id}`,
    () => ({ userName: 'replaced' }),
  ),
  'PUT Group': send(
    'PUT',
    (id) => `/Groups/${id}`,
    () => ({ displayName: 'replaced' }),
  ),
  'PATCH User': send(
    'PATCH',
    (id) => `/Users/${id}`,
    () => patchOf({ op: 'replace', path: 'active', value: false }),
  ),
  'PATCH User, nothing': send(
    'PATCH',
    (id) => `/Users/${id}`,
    () => patchOf(),
  ),
  'PATCH Group': send(
    'PATCH',
    (id) => `/Groups/${id}`,
    (id) => patchOf({ op: 'add', path: 'members', value: [{ value: id }] }),
  ),
  'DELETE User': send('DELETE', (id) => `/Users/${id}`),
  'DELETE Group': send('DELETE', (id) => `/Groups/${id}`),
  'DELETE with If-Match': (gateway, id) => gateway.request('DELETE', `/Users/${id}`, { headers: { 'if-match': '*' } }),
  'filter by id': send('GET', (id) => `/Users?filter=${encodeURIComponent(`id eq "${id}"`)}`),
  'filter by member': send('GET', (id) => `/Groups?filter=${encodeURIComponent(`members.value eq "${id}"`)}`),
  'filter by group': send('GET', (id) => `/Users?filter=${encodeURIComponent(`groups.value eq "${id}"`)}`),
  'filter by manager': send('GET', (id) => `/Users?filter=${encodeURIComponent(`manager.value eq "${id}"`)}`),
  'filter at the root': send('GET', (id) => `/?filter=${encodeURIComponent(`id eq "${id}"`)}`),
  'POST .search': send(
    'POST',
    () => '/Users/.search',
    (id) => ({ schemas: [searchUri], filter: `id eq "${id}"` }),
  ),
  'POST root .search': send(
    'POST',
    () => '/.search',
    (id) => ({ schemas: [searchUri], filter: `id eq "${id}"` }),
  ),
  'bulk DELETE': send(
    'POST',
    () => '/Bulk',
    (id) => ({
      schemas: [bulkUri],
      Operations: [{ method: 'DELETE', path: `/Users/${id}` }],
    }),
  ),
  'bulk PATCH': send(
    'POST',
    () => '/Bulk',
    (id) => ({
      schemas: [bulkUri],
      Operations: [
        { method: 'PATCH', path: `/Groups/${id}`, data: patchOf({ op: 'remove', path: 'members' }) },
        { method: 'PUT', path: `/Users/${id}`, data: { userName: 'replaced' } },
      ],
    }),
  ),
  'discovery by id': send('GET', (id) => `/Schemas/${id}`),
  'a path of its own': send('GET', (id) => `/${id}`),
};

/** An answer without what differs anyway: the request's own id and the id that was asked for. */
function comparable(answer: Answer, id: string): object {
  const requestId = answer.headers.get('x-request-id') ?? '';
  const text = answer.text.replaceAll(requestId, '<request>').replaceAll(id, '<id>');
  const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id');
  return { status: answer.status, text, headers: JSON.stringify(headers).replaceAll(id, '<id>') };
}

describe.each(Object.entries(configs))('two gateways in one process, with %s', (_, config) => {
  let server: TestServer;
  let north: TestGateway;
  let south: TestGateway;
  let ids: readonly string[];

  beforeAll(async () => {
    server = await startServer({ config });
    [north, south] = [await server.gateway('north'), await server.gateway('south')];
    const person = { userName: 'known', externalId: 'x1', active: true };
    const { body: user } = await north.request('POST', '/Users', { body: person });
    const members = [{ value: user.id }];
    const { body: group } = await north.request('POST', '/Groups', { body: { displayName: 'team', members } });
    ids = [user.id, group.id];
  });
  afterAll(() => server.close());

  it.each(Object.entries(asks))(
    'the other one answers of its ids what it answers of ids that are nowhere: %s [7644-6-01 7644-6.2-01]',
    async (_name, ask) => {
      const nowhere = randomUUID();
      const expected = comparable(await ask(south, nowhere), nowhere);
      for (const id of ids) expect(comparable(await ask(south, id), id)).toEqual(expected);
    },
  );

  it('nothing of what was asked changed anything [7644-6.2-02]', async () => {
    const [userId = '', groupId = ''] = ids;
    const user = await north.request('GET', `/Users/${userId}`);
    expect(user.body).toMatchObject({ userName: 'known', active: true, groups: [{ value: groupId }] });
    expect((await north.request('GET', `/Groups/${groupId}`)).body.members).toMatchObject([{ value: userId }]);
    expect((await south.request('GET', '/Users?count=0')).body.totalResults).toBe(0);
  });

  it('names that one has taken are free in the other, in references too [7644-6-02 7644-6.2-02]', async () => {
    const [userId = ''] = ids;
    const { status, body } = await south.request('POST', '/Users', { body: { userName: 'known', externalId: 'x1' } });
    expect(status).toBe(201);
    const members = [{ value: userId }, { value: body.id }];
    const group = await south.request('POST', '/Groups', { body: { displayName: 'team', members } });
    expect(group.status).toBe(201);
    expect((await north.request('GET', `/Users/${userId}`)).body.groups).toHaveLength(1);
    const [stranger] = (group.body.members ?? []).filter(({ value }) => value === userId);
    expect(JSON.stringify(stranger ?? {})).not.toContain('known');
    await south.request('DELETE', `/Groups/${group.body.id}`);
    await south.request('DELETE', `/Users/${body.id}`);
  });

  it.each(['GET /Users', 'GET /ServiceProviderConfig', 'GET /Schemas', 'POST /Users', 'POST /Bulk', 'GET /nowhere'])(
    'a credential of one is to the other like one that never was: %s [capabilities-4 7644-6.1-01 7644-6.1-02]',
    async (request) => {
      const [method = '', path = ''] = request.split(' ');
      const invented = `scimb_${'A'.repeat(49)}`;
      const expected = comparable(await south.withToken(invented).request(method, path, {}), invented);
      expect(comparable(await south.withToken(north.token).request(method, path, {}), north.token)).toEqual(expected);
    },
  );

  it('cursors and ETags of one open nothing in the other [9865-5.2-01]', async () => {
    await north.request('POST', '/Users', { body: { userName: 'second' } });
    const page = await north.request('GET', '/Users?cursor&count=1');
    const cursor = encodeURIComponent(page.body.nextCursor ?? '');
    const strange = await south.request('GET', `/Users?cursor=${cursor}&count=1`);
    expect(strange.body).toMatchObject({ status: '400', scimType: 'invalidCursor' });
    const invented = await south.request('GET', '/Users?cursor=bm90aGluZw&count=1');
    expect(comparable(strange, cursor)).toEqual(comparable(invented, 'bm90aGluZw'));
  });

  it('discovery says nothing of the other gateway', async () => {
    for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas']) {
      expect((await south.request('GET', path)).text).not.toMatch(/north/i);
    }
  });
});
