import { describe, expect, it } from 'vitest';
import { expectError, list, newGroup, newUser, read, user } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

describe('Y. The version in the URL', () => {
  it(
    'is "v2" right before the endpoint, and may be left out [7644-3.13-01 7644-3.13-02 7644-3.13-04]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      for (const path of [`/v2/Users/${id}`, `/Users/${id}`]) {
        const resource = await read(gateway, path);
        expect(resource.id).toBe(id);
        expect(resource.schemas[0]).toContain(':2.0:');
      }
      expectError(await gateway.request('GET', '/Users/v2'), 404);
      expect((await read(gateway, '/v2/ServiceProviderConfig')).schemas[0]).toContain(':2.0:');
    }),
  );

  it(
    'is that of this protocol or refused [7644-3.13-03]',
    inBoth(server, async (gateway) => {
      for (const version of ['v1', 'v3', 'v22', 'v']) {
        const answer = await gateway.request('GET', `/${version}/Users`);
        if (answer.status === 404) expectError(answer, 404);
        else expectError(answer, 400, 'invalidVers');
      }
    }),
  );

  it(
    'has one form in all the URIs of an answer [7644-3.13-05]',
    inBoth(server, async (gateway) => {
      for (const prefix of ['', '/v2']) {
        const post = await gateway.request('POST', `${prefix}/Users`, { body: user() });
        expect(post.status).toBe(201);
        const { id, meta } = post.body;
        expect(post.headers.get('location')).toBe(meta.location);
        await newGroup(gateway, { members: [{ value: id }] });
        const resource = await read(gateway, `${prefix}/Users/${id}`);
        const base = resource.meta.location.slice(0, -`/Users/${id}`.length);
        expect([gateway.base, `${gateway.base}/v2`]).toContain(base);
        expect(resource.groups?.[0]?.$ref ?? '').toContain(`${base}/Groups/`);
        const listed = await list(gateway, `${prefix}/Users`, { filter: `id eq "${id}"` });
        expect(listed.Resources[0]?.meta.location).toBe(resource.meta.location);
      }
    }),
  );
});
