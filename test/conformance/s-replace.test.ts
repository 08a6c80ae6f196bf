import { describe, expect, it } from 'vitest';
import type { Message, TestGateway } from '../support/gateway.js';
import {
  expectError,
  extension,
  type Fields,
  memberIds,
  newGroup,
  newUser,
  newUsers,
  nobody,
  readGroup,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

function put(gateway: TestGateway, resource: Message, fields: Fields) {
  const body = { schemas: [urn.user], userName: resource.userName, ...fields };
  return gateway.request('PUT', `/Users/${resource.id}`, { body });
}

describe('S. PUT', () => {
  it(
    'replaces what it brings and answers 200 with the whole [7644-3.5-01 7644-3.5.1-02 7644-3.5.1-09]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { title: 'A', emails: [{ value: 'a@example.com', type: 'work' }] });
      const emails = [{ value: 'b@example.com', type: 'home' }];
      const answer = await put(gateway, resource, { title: 'B', emails, userName: unique('renamed') });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id: resource.id, title: 'B', emails });
      expect(answer.body.emails).toHaveLength(1);
      expect(answer.headers.get('etag')).toBe(answer.body.meta.version);
      expect(answer.body.meta.version).not.toBe(resource.meta.version);
      expect(await readUser(gateway, resource)).toEqual(answer.body);
    }),
  );

  it(
    'never creates [7644-3.5.1-01]',
    inBoth(server, async (gateway) => {
      const body = user();
      expectError(await gateway.request('PUT', `/Users/${nobody}`, { body }), 404);
      expect(await selected(gateway, `userName eq "${body.userName}"`)).toEqual([]);
    }),
  );

  it(
    'clears what it leaves out or sets to nothing [7644-3.5.1-03 7644-3.5.1-04 GAP-10]',
    inBoth(server, async (gateway) => {
      const fields = {
        schemas: [urn.user, urn.enterprise],
        nickName: 'N',
        title: 'T',
        name: { givenName: 'G', familyName: 'F' },
        emails: [{ value: 'a@example.com' }],
        [urn.enterprise]: { department: 'D' },
      };
      const resource = await newUser(gateway, fields);
      const answer = await put(gateway, resource, { emails: [], title: null, name: { givenName: 'G' } });
      expect(answer.status).toBe(200);
      const fresh = await readUser(gateway, resource);
      for (const name of ['nickName', 'emails', 'title', urn.enterprise])
        expect(Object.keys(fresh)).not.toContain(name);
      expect(fresh.name).toEqual({ givenName: 'G' });
      expect(fresh.schemas).toEqual([urn.user]);
    }),
  );

  it('keeps an immutable value, and refuses another [7644-3.5.1-05 7644-3.5.1-06]', async () => {
    const gateway = server.gateway('rich');
    const kinds = (fields: object) => ({ schemas: [urn.user, urn.kinds], [urn.kinds]: fields });
    const resource = await newUser(gateway, { title: 'A' });
    expect((await put(gateway, resource, kinds({ badge: 'B1' }))).status).toBe(200);
    expect(extension(await readUser(gateway, resource), urn.kinds)).toEqual({ badge: 'B1' });
    expectError(await put(gateway, resource, { title: 'B', ...kinds({ badge: 'B2' }) }), 400, 'mutability');
    expect((await put(gateway, resource, kinds({ badge: 'B1' }))).status).toBe(200);
    expect(extension(await readUser(gateway, resource), urn.kinds)).toEqual({ badge: 'B1' });
  });

  it(
    'ignores what is readOnly [7644-3.5.1-07]',
    inBoth(server, async (gateway) => {
      const [resource, team] = [await newUser(gateway), await newGroup(gateway)];
      const meta = { created: '1999-01-01T00:00:00Z', version: 'W/"x"' };
      const answer = await put(gateway, resource, { id: nobody, meta, groups: [{ value: team.id }], title: 'T' });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id: resource.id, title: 'T' });
      expect(answer.body.meta.created).toBe(resource.meta.created);
      expect(Object.keys(answer.body)).not.toContain('groups');
    }),
  );

  it(
    'wants required attributes, and changes nothing without them [7644-3.5.1-08]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { title: 'A' });
      for (const userName of [undefined, null, '']) {
        expectError(await put(gateway, resource, { userName, title: 'B' }), 400, 'invalidValue');
      }
      expect(await readUser(gateway, resource)).toEqual(resource);
    }),
  );

  it(
    'answers a taken name with 409 uniqueness [7644-3.5.1-10 GAP-12]',
    inBoth(server, async (gateway) => {
      const [first, second] = [await newUser(gateway), await newUser(gateway)];
      expectError(await put(gateway, second, { userName: first.userName }), 409, 'uniqueness');
      expect((await put(gateway, first, { userName: String(first.userName).toUpperCase() })).status).toBe(200);
    }),
  );

  it(
    'changes neither time nor version when it changes nothing [7644-3.5.1-12]',
    inBoth(server, async (gateway) => {
      const fields = { title: 'A', emails: [{ value: 'a@example.com', type: 'work', primary: true }], active: true };
      const resource = await newUser(gateway, fields);
      const answer = await gateway.request('PUT', `/Users/${resource.id}`, { body: resource });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(resource);
      expect(await readUser(gateway, resource)).toEqual(resource);
    }),
  );

  it(
    'replaces all members of a group [7644-3.5.1-02]',
    inBoth(server, async (gateway) => {
      const [a, b, c] = await newUsers(gateway, 3);
      const members = (...users: readonly (Message | undefined)[]) => users.map((member) => ({ value: member?.id }));
      const team = await newGroup(gateway, { members: members(a, b) });
      const replace = async (value: unknown) => {
        const body = { schemas: [urn.group], displayName: team.displayName, members: value };
        expect((await gateway.request('PUT', `/Groups/${team.id}`, { body })).status).toBe(200);
        return memberIds(await readGroup(gateway, team));
      };
      expect(await replace(members(b, c))).toEqual([b?.id, c?.id].sort());
      expect(await replace(undefined)).toEqual([]);
    }),
  );
});
