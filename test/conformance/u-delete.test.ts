import { describe, expect, it } from 'vitest';
import {
  expectError,
  list,
  memberIds,
  newGroup,
  newUser,
  patch,
  patchedUser,
  readGroup,
  readUser,
  selected,
  unique,
  urn,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

describe('U. DELETE', () => {
  it(
    'answers 204 without a body [7644-3.6-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const answer = await gateway.request('DELETE', `/Users/${id}`);
      expect([answer.status, answer.text]).toEqual([204, '']);
    }),
  );

  it(
    'leaves 404 for every operation on the resource [7644-3.6-02]',
    inBoth(server, async (gateway) => {
      const { id, userName } = await newUser(gateway);
      await gateway.request('DELETE', `/Users/${id}`);
      const path = `/Users/${id}`;
      expectError(await gateway.request('GET', path), 404);
      expectError(await gateway.request('PUT', path, { body: { schemas: [urn.user], userName } }), 404);
      expectError(await patch(gateway, path, { op: 'add', path: 'title', value: 'T' }), 404);
      expectError(await gateway.request('DELETE', path), 404);
    }),
  );

  it(
    'takes the resource out of lists, counts and members [7644-3.6-03 7644-3.6-06]',
    inBoth(server, async (gateway) => {
      const userType = unique('type');
      const [gone, kept] = [await newUser(gateway, { userType }), await newUser(gateway, { userType })];
      const team = await newGroup(gateway, { members: [{ value: gone.id }, { value: kept.id }] });
      await gateway.request('DELETE', `/Users/${gone.id}`);
      const rest = await list(gateway, '/Users', { filter: `userType eq "${userType}"` });
      expect([rest.totalResults, rest.Resources.map(({ id }) => id)]).toEqual([1, [kept.id]]);
      expect(memberIds(await readGroup(gateway, team))).toEqual([kept.id]);
      expect(await selected(gateway, `members.value eq "${gone.id}"`, '/Groups')).toEqual([]);
      await gateway.request('DELETE', `/Groups/${team.id}`);
      expect(Object.keys(await readUser(gateway, kept))).not.toContain('groups');
    }),
  );

  it(
    'leaves the name free [7644-3.6-04]',
    inBoth(server, async (gateway) => {
      const { id, userName } = await newUser(gateway);
      const team = await newGroup(gateway, { members: [{ value: id }] });
      await gateway.request('DELETE', `/Users/${id}`);
      const again = await newUser(gateway, { userName });
      expect(Object.keys(await readUser(gateway, again))).not.toContain('groups');
      expect(memberIds(await readGroup(gateway, team))).toEqual([]);
    }),
  );

  it(
    'minds If-Match [7644-3.14-del-01]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const old = { 'if-match': resource.meta.version };
      const changed = await patchedUser(gateway, resource, { op: 'add', path: 'title', value: 'T' });
      expectError(await gateway.request('DELETE', `/Users/${resource.id}`, { headers: old }), 412);
      expect(await readUser(gateway, resource)).toEqual(changed);
      const current = { 'if-match': changed.meta.version };
      expect((await gateway.request('DELETE', `/Users/${resource.id}`, { headers: current })).status).toBe(204);
    }),
  );
});
