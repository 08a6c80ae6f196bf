import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  newGroup,
  newUser,
  nobody,
  patchBody,
  read,
  readUser,
  urn,
  user,
} from '../conformance/resources.js';
import { inBoth, useServer } from '../conformance/server.js';

const server = useServer('default', 'strict', 'policy');
const retitle = (value: string) => patchBody({ op: 'replace', path: 'title', value });

describe('If-Match', () => {
  it(
    'on a resource that is not there is 404, whatever it names [7644-3.5.2-28 7644-3.5.1-01 7644-3.6-02]',
    inBoth(server, async (gateway) => {
      const { id, meta } = await newUser(gateway);
      expectSuccess(await gateway.request('DELETE', `/Users/${id}`));
      for (const missing of [id, nobody]) {
        for (const tag of [meta.version, 'W/"x"', '"x", W/"y"', '*']) {
          const headers = { 'if-match': tag };
          const path = `/Users/${missing}`;
          expectError(await gateway.request('PUT', path, { body: user(), headers }), 404);
          expectError(await gateway.request('PATCH', path, { body: retitle('A'), headers }), 404);
          expectError(await gateway.request('DELETE', path, { headers }), 404);
        }
      }
    }),
  );

  it(
    'that no version can match is 412 and changes nothing [7644-3.14-05 7644-3.14-del-01]',
    inBoth(server, async (gateway) => {
      const before = await newUser(gateway, { title: 'A' });
      const path = `/Users/${before.id}`;
      for (const tag of ['W/"x"', '"x", W/"y"', 'x']) {
        const headers = { 'if-match': tag };
        expectError(await gateway.request('PUT', path, { body: user(), headers }), 412);
        expectError(await gateway.request('PATCH', path, { body: retitle('B'), headers }), 412);
        expectError(await gateway.request('PATCH', path, { body: retitle('A'), headers }), 412);
        expectError(await gateway.request('DELETE', path, { headers }), 412);
      }
      expect(await readUser(gateway, before)).toEqual(before);
    }),
  );

  it('is asked for in bulk as well, as "version" [7644-3.14-09]', async () => {
    const gateway = server.gateway('policy');
    const { id, meta } = await newUser(gateway, { title: 'A' });
    const path = `/Users/${id}`;
    const operations = [
      { method: 'PATCH', path, data: retitle('B') },
      { method: 'PUT', path, data: { schemas: [urn.user], userName: 'other' } },
      { method: 'PATCH', path, version: meta.version, data: retitle('C') },
      { method: 'POST', path: '/Users', bulkId: 'new', data: user() },
    ];
    const answer = await gateway.request('POST', '/Bulk', {
      body: { schemas: [urn.bulkRequest], Operations: operations },
    });
    const results = answer.body.Operations as readonly { readonly status: string }[];
    expect(results.map(({ status }) => status)).toEqual(['428', '428', '200', '201']);
    expect((await read(gateway, path)).title).toBe('C');
  });
});

describe('References in a strict gateway', () => {
  it('"" is nobody’s id: it neither joins a group nor empties it [7644-3.5.2-10 7644-3.5.2.3-03]', async () => {
    const gateway = server.gateway('strict');
    const { id: value } = await newUser(gateway);
    const team = await newGroup(gateway, { members: [{ value }] });
    for (const op of ['add', 'replace']) {
      const body = patchBody({ op, path: 'members', value: [{ value: '' }] });
      expectError(await gateway.request('PATCH', `/Groups/${team.id}`, { body }), 400, 'invalidValue');
    }
    expect((await read(gateway, `/Groups/${team.id}`)).members).toEqual(team.members);
  });
});

describe('If-None-Match on a change', () => {
  it(
    'is 412 for "*" and for the present version, and lets through what names another one [7644-3.14-05]',
    inBoth(server, async (gateway) => {
      const before = await newUser(gateway, { title: 'A' });
      const path = `/Users/${before.id}`;
      for (const tag of ['*', before.meta.version, `"x", ${before.meta.version}`]) {
        const headers = { 'if-none-match': tag };
        expectError(await gateway.request('PUT', path, { body: user(), headers }), 412);
        expectError(await gateway.request('PATCH', path, { body: retitle('B'), headers }), 412);
        expectError(await gateway.request('DELETE', path, { headers }), 412);
      }
      expect(await readUser(gateway, before)).toEqual(before);
      const headers = { 'if-none-match': 'W/"x"' };
      expectSuccess(await gateway.request('PATCH', path, { body: retitle('B'), headers }));
      expectSuccess(await gateway.request('DELETE', path, { headers }));
      for (const tag of ['*', before.meta.version]) {
        expectError(await gateway.request('DELETE', path, { headers: { 'if-none-match': tag } }), 404);
      }
    }),
  );
});
