import { describe, expect, it } from 'vitest';
import {
  created,
  expectError,
  idsOf,
  list,
  newGroup,
  newUser,
  newUsers,
  patchBody,
  patchedUser,
  read,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'north', 'south');

describe('C. id', () => {
  it(
    'is in every representation [7643-3.1-id-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      expect((await read(gateway, `/Users/${id}`, { attributes: 'userName' })).id).toBe(id);
      const query = { filter: `id eq "${id}"`, attributes: 'userName' };
      expect((await list(gateway, '/Users', query)).Resources.map((resource) => resource.id)).toEqual([id]);
      expect(id).not.toBe('');
    }),
  );

  it('is not used twice, over all types [7643-3.1-id-02]', async () => {
    const gateway = server.gateway('default');
    const users = await newUsers(gateway, 100);
    const groups = await Promise.all(Array.from({ length: 100 }, () => newGroup(gateway)));
    expect(new Set(idsOf(...users, ...groups)).size).toBe(200);
  });

  it(
    'is never used again [7643-3.1-id-03]',
    inBoth(server, async (gateway) => {
      const first = await newUser(gateway);
      await gateway.request('DELETE', `/Users/${first.id}`);
      const second = await newUser(gateway, { userName: first.userName });
      expect(second.id).not.toBe(first.id);
      const patched = await patchedUser(gateway, second, { op: 'replace', path: 'userName', value: unique('renamed') });
      expect(patched.id).toBe(second.id);
    }),
  );

  it(
    'is never set by the client [7643-3.1-id-04]',
    inBoth(server, async (gateway) => {
      const wanted = unique('id');
      const resource = await newUser(gateway, { id: wanted });
      expect(resource.id).not.toBe(wanted);
      expectError(await gateway.request('GET', `/Users/${wanted}`), 404);
    }),
  );

  it(
    'never contains "bulkId" [7643-3.1-id-05]',
    inBoth(server, async (gateway) => {
      expect((await newUser(gateway, { id: 'bulkId:1' })).id.toLowerCase()).not.toContain('bulkid');
    }),
  );

  it(
    'is compared with its case, and given even when excluded [7643-3.1-id-06]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const flipped = id.replace(/[a-z]/g, (letter) => letter.toUpperCase());
      if (flipped !== id) {
        expectError(await gateway.request('GET', `/Users/${flipped}`), 404);
        expect(await selected(gateway, `id eq "${flipped}"`)).toEqual([]);
      }
      expect((await read(gateway, `/Users/${id}`, { excludedAttributes: 'id' })).id).toBe(id);
    }),
  );
});

describe('C. externalId', () => {
  it(
    'is never issued by the server [7643-3.1-ext-01]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      expect(Object.keys(resource)).not.toContain('externalId');
      expect(Object.keys(await readUser(gateway, resource))).not.toContain('externalId');
    }),
  );

  it("is read within the client's tenant [7643-3.1-ext-02 7643-9.3-03 7644-6.2-02]", async () => {
    const externalId = unique('ext');
    const [north, south] = [server.gateway('north'), server.gateway('south')];
    const [a, b] = [await newUser(north, { externalId }), await newUser(south, { externalId })];
    expect(await selected(north, `externalId eq "${externalId}"`)).toEqual([a.id]);
    expect(await selected(south, `externalId eq "${externalId}"`)).toEqual([b.id]);
  });

  it(
    'is case-exact and may be changed [7643-3.1-ext-03]',
    inBoth(server, async (gateway) => {
      const externalId = unique('Ext');
      const resource = await newUser(gateway, { externalId });
      expect(await selected(gateway, `externalId eq "${externalId.toUpperCase()}"`)).toEqual([]);
      expect(await selected(gateway, `externalId eq "${externalId}"`)).toEqual([resource.id]);
      const patched = await patchedUser(gateway, resource, { op: 'replace', path: 'externalId', value: 'New' });
      expect(patched.externalId).toBe('New');
    }),
  );

  it(
    'need not be unique [7643-3.1-ext-04]',
    inBoth(server, async (gateway) => {
      const externalId = unique('ext');
      const users = [await newUser(gateway, { externalId }), await newUser(gateway, { externalId })];
      expect(await selected(gateway, `externalId eq "${externalId}"`)).toEqual(idsOf(...users));
    }),
  );
});

describe('C. meta', () => {
  const ancient = { resourceType: 'Dog', created: '1999-01-01T00:00:00Z', location: 'http://evil/', version: 'W/"x"' };

  it(
    'is ignored when the client sends it [7643-3.1-meta-01]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { meta: ancient });
      expect(resource.meta).not.toMatchObject({ created: ancient.created });
      const body = { schemas: [urn.user], userName: resource.userName, title: 'T', meta: ancient };
      const { body: replaced } = await gateway.request('PUT', `/Users/${resource.id}`, { body });
      for (const { meta } of [resource, replaced]) {
        expect(meta.resourceType).toBe('User');
        expect(meta.created).toBe(resource.meta.created);
        expect(meta.location).toBe(`${gateway.base}/Users/${resource.id}`);
        expect(meta.version).not.toBe(ancient.version);
      }
    }),
  );

  it(
    'is set by the server, returned by default and left out when excluded [7643-3.1-meta-02]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      expect((await read(gateway, `/Users/${id}`)).meta).toEqual({
        resourceType: 'User',
        created: expect.any(String),
        lastModified: expect.any(String),
        location: `${gateway.base}/Users/${id}`,
        version: expect.any(String),
      });
      expect(Object.keys(await read(gateway, `/Users/${id}`, { excludedAttributes: 'meta' }))).not.toContain('meta');
      const answer = await gateway.request('PATCH', `/Users/${id}`, {
        body: patchBody({ op: 'replace', path: 'meta.created', value: ancient.created }),
      });
      expectError(answer, 400, 'mutability');
    }),
  );

  it(
    'names the resource type, case-exact [7643-3.1-meta-03]',
    inBoth(server, async (gateway) => {
      const [person, team] = [await newUser(gateway), await newGroup(gateway)];
      expect([person.meta.resourceType, team.meta.resourceType]).toEqual(['User', 'Group']);
      const only = `id eq "${person.id}" and meta.resourceType eq`;
      expect(await selected(gateway, `${only} "User"`)).toEqual([person.id]);
      expect(await selected(gateway, `${only} "user"`)).toEqual([]);
    }),
  );

  it(
    'has equal times until the first change, and keeps created after it [7643-3.1-meta-04]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const { created: createdAt, lastModified } = resource.meta;
      expect(createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
      expect(lastModified).toBe(createdAt);
      await later();
      const patched = await patchedUser(gateway, resource, { op: 'add', path: 'title', value: 'T' });
      expect(patched.meta.created).toBe(createdAt);
      expect(Date.parse(patched.meta.lastModified)).toBeGreaterThan(Date.parse(createdAt));
    }),
  );

  it(
    'has the location that the headers have [7643-3.1-meta-05]',
    inBoth(server, async (gateway) => {
      const post = await gateway.request('POST', '/Users', { body: user() });
      const { id, userName, meta } = created(post);
      expect(post.headers.get('location')).toBe(meta.location);
      const get = await gateway.request('GET', `/Users/${id}`);
      const put = await gateway.request('PUT', `/Users/${id}`, { body: { schemas: [urn.user], userName } });
      for (const answer of [get, put]) {
        expect(answer.body.meta.location).toBe(meta.location);
        const header = answer.headers.get('content-location') ?? answer.headers.get('location') ?? meta.location;
        expect(header).toBe(meta.location);
      }
    }),
  );

  it(
    'has the version that the ETag has [7643-3.1-meta-06 7643-3.1-meta-07]',
    inBoth(server, async (gateway) => {
      const post = await gateway.request('POST', '/Users', { body: user() });
      const { id, userName } = created(post);
      const answers = [
        post,
        await gateway.request('GET', `/Users/${id}`),
        await gateway.request('PUT', `/Users/${id}`, { body: { schemas: [urn.user], userName, title: 'T' } }),
        await gateway.request('PATCH', `/Users/${id}`, { body: patchBody({ op: 'remove', path: 'title' }) }),
      ];
      for (const { headers, body } of answers) {
        expect(headers.get('etag')).toMatch(/^(W\/)?".+"$/);
        expect(body.meta.version).toBe(headers.get('etag'));
      }
    }),
  );

  it(
    'has a case-exact version [7643-3.1-meta-08]',
    inBoth(server, async (gateway) => {
      const { id, meta } = await newUser(gateway);
      const opaque = /"(.+)"/.exec(meta.version)?.[1] ?? '';
      const flipped = /[a-z]/.test(opaque) ? opaque.toUpperCase() : opaque.toLowerCase();
      const headers = { 'if-match': meta.version.replace(opaque, flipped === opaque ? `${opaque}x` : flipped) };
      const answer = await gateway.request('PATCH', `/Users/${id}`, {
        body: patchBody({ op: 'add', path: 'title', value: 'T' }),
        headers,
      });
      expectError(answer, 412);
    }),
  );
});

/** Until the clock shows another millisecond, so that two times can be told apart. */
async function later(): Promise<void> {
  const start = Date.now();
  while (Date.now() <= start + 1) await new Promise((resolve) => setImmediate(resolve));
}
