import { describe, expect, it } from 'vitest';
import { expectError, newGroup, newUser, nobody, patch, read, readGroup, readUser, urn } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

describe('K. GET of one resource', () => {
  it(
    'answers 200 with the resource [7644-3.4.1-01]',
    inBoth(server, async (gateway) => {
      const [person, team] = [await newUser(gateway), await newGroup(gateway)];
      expect(await readUser(gateway, person)).toEqual(person);
      expect(await readGroup(gateway, team)).toEqual(team);
      expect((await read(gateway, `/Schemas/${urn.user}`)).id).toBe(urn.user);
    }),
  );

  it(
    'answers an unknown id with 404, also the id of another type [7644-3.4.1-02]',
    inBoth(server, async (gateway) => {
      expectError(await gateway.request('GET', `/Users/${nobody}`), 404);
      expectError(await gateway.request('GET', '/Users/none'), 404);
      const team = await newGroup(gateway);
      expectError(await gateway.request('GET', `/Users/${team.id}`), 404);
    }),
  );

  it(
    'gives the always and default attributes [7644-3.4-02 7644-3.4.1-03]',
    inBoth(server, async (gateway) => {
      const fields = { title: 'T', password: 'Secret-1234', nickName: 'N', name: { givenName: 'G' } };
      const { id } = await newUser(gateway, fields);
      const expected = ['id', 'meta', 'name', 'nickName', 'schemas', 'title', 'userName'];
      expect(Object.keys(await readUser(gateway, { id })).sort()).toEqual(expected);
      const projected = await read(gateway, `/Users/${id}`, { attributes: 'title' });
      expect(Object.keys(projected).sort()).toEqual(['id', 'schemas', 'title']);
    }),
  );

  it(
    'answers 304 without a body to the current ETag [7644-3.14-get-01]',
    inBoth(server, async (gateway) => {
      const { id, meta } = await newUser(gateway);
      const unchanged = await gateway.request('GET', `/Users/${id}`, { headers: { 'if-none-match': meta.version } });
      expect([unchanged.status, unchanged.text]).toEqual([304, '']);
      await patch(gateway, `/Users/${id}`, { op: 'add', path: 'title', value: 'T' });
      const changed = await gateway.request('GET', `/Users/${id}`, { headers: { 'if-none-match': meta.version } });
      expect([changed.status, changed.body.title]).toEqual([200, 'T']);
    }),
  );
});
