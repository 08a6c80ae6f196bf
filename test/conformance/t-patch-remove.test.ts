import { describe, expect, it } from 'vitest';
import {
  expectError,
  memberIds,
  newGroup,
  newUser,
  newUsers,
  nobody,
  patch,
  patchedGroup,
  patchedUser,
  readGroup,
  readUser,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

const work = { value: 'work@example.com', type: 'work', primary: true };
const home = { value: 'home@example.com', type: 'home' };

describe('T. remove', () => {
  it(
    'unassigns a single-valued attribute [7644-3.5.2.2-01]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { nickName: 'N', name: { givenName: 'G' }, title: 'T' });
      const patched = await patchedUser(
        gateway,
        resource,
        { op: 'remove', path: 'nickName' },
        { op: 'remove', path: 'name' },
      );
      expect(Object.keys(patched)).not.toContain('nickName');
      expect(Object.keys(patched)).not.toContain('name');
      expect(patched.title).toBe('T');
    }),
  );

  it(
    'takes all values of a multi-valued attribute without a filter [7644-3.5.2.2-02]',
    inBoth(server, async (gateway) => {
      const users = await newUsers(gateway, 2);
      const team = await newGroup(gateway, { members: users.map(({ id }) => ({ value: id })) });
      const patched = await patchedGroup(gateway, team, { op: 'remove', path: 'members' });
      expect(Object.keys(patched)).not.toContain('members');
    }),
  );

  it(
    'takes the values that a filter selects [7644-3.5.2.2-03 7644-3.5.2.2-04]',
    inBoth(server, async (gateway) => {
      const [a, b] = await newUsers(gateway, 2);
      const team = await newGroup(gateway, { members: [{ value: a?.id }, { value: b?.id }] });
      const remove = (id: string | undefined) => ({ op: 'remove', path: `members[value eq "${id}"]` });
      expect(memberIds(await patchedGroup(gateway, team, remove(a?.id)))).toEqual([b?.id]);
      expect(Object.keys(await patchedGroup(gateway, team, remove(b?.id)))).not.toContain('members');
      const resource = await newUser(gateway, { emails: [work, home, { value: 'x@other.org', type: 'work' }] });
      const path = 'emails[type eq "work" and value ew "example.com"]';
      const patched = await patchedUser(gateway, resource, { op: 'remove', path });
      expect(patched.emails).toHaveLength(2);
      expect(patched.emails?.map(({ value }) => value).sort()).toEqual(['home@example.com', 'x@other.org']);
    }),
  );

  it(
    'takes a sub-attribute of the elements that a filter selects [7644-3.5.2.2-05]',
    inBoth(server, async (gateway) => {
      const addresses = [
        { type: 'work', postalCode: '1', locality: 'L' },
        { type: 'home', postalCode: '2' },
      ];
      const resource = await newUser(gateway, { addresses });
      const path = 'addresses[type eq "work"].postalCode';
      const patched = await patchedUser(gateway, resource, { op: 'remove', path });
      const stored = patched.addresses as readonly Record<string, unknown>[];
      expect(stored.find(({ type }) => type === 'work')).toEqual({ type: 'work', locality: 'L' });
      expect(stored.find(({ type }) => type === 'home')).toMatchObject({ postalCode: '2' });
    }),
  );

  it(
    'refuses required and readOnly attributes with mutability [7644-3.5.2.2-06]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      for (const path of ['userName', 'id', 'meta', 'meta.created', 'groups']) {
        const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'remove', path });
        expectError(answer, 400, 'mutability');
      }
      expect(await readUser(gateway, resource)).toEqual(resource);
      const team = await newGroup(gateway);
      const answer = await patch(gateway, `/Groups/${team.id}`, { op: 'remove', path: 'displayName' });
      expectError(answer, 400, 'mutability');
    }),
  );

  it(
    'succeeds and changes nothing where there is nothing [7644-3.5.2.2-07 7644-3.5.2.2-08 GAP-06]',
    inBoth(server, async (gateway) => {
      const person = await newUser(gateway);
      const team = await newGroup(gateway, { members: [{ value: person.id }] });
      const remove = { op: 'remove', path: `members[value eq "${nobody}"]` };
      expect(await patchedGroup(gateway, team, remove)).toEqual(team);
      const before = await readUser(gateway, person);
      for (const path of ['nickName', 'name.givenName', 'emails', 'emails[type eq "work"]']) {
        expect(await patchedUser(gateway, person, { op: 'remove', path })).toEqual(before);
      }
    }),
  );

  it('with a value list: takes only the listed (default, rule 4) [7644-3.5.2.2-09]', async () => {
    const gateway = server.gateway('default');
    const [a, b] = await newUsers(gateway, 2);
    const team = await newGroup(gateway, { members: [{ value: a?.id }, { value: b?.id }] });
    const remove = (value: unknown) => patchedGroup(gateway, team, { op: 'remove', path: 'members', value });
    for (const value of [[], null, [{ value: nobody }], [{}], [{ $ref: null }]]) {
      expect(memberIds(await remove(value)), JSON.stringify(value)).toEqual([a?.id, b?.id].sort());
    }
    expect(memberIds(await remove([{ value: a?.id }, { value: nobody }]))).toEqual([b?.id]);
  });

  it('with a value list: never takes all members (strict) [7644-3.5.2.2-09]', async () => {
    const gateway = server.gateway('strict');
    const [a, b] = await newUsers(gateway, 2);
    const team = await newGroup(gateway, { members: [{ value: a?.id }, { value: b?.id }] });
    for (const value of [[{ value: a?.id }], [], null]) {
      await patch(gateway, `/Groups/${team.id}`, { op: 'remove', path: 'members', value });
      expect(memberIds(await readGroup(gateway, team))).toContain(b?.id);
    }
  });

  it(
    'never takes all members when its filter is broken [7644-3.5.2.2-02]',
    inBoth(server, async (gateway) => {
      const person = await newUser(gateway);
      const team = await newGroup(gateway, { members: [{ value: person.id }] });
      for (const path of ['members[value eq ]', 'members[', 'members[]', 'members[value]', 'members[nosuch eq "x"]']) {
        const answer = await patch(gateway, `/Groups/${team.id}`, { op: 'remove', path });
        expectError(answer, 400, 'invalidPath', 'invalidFilter');
      }
      expect(memberIds(await readGroup(gateway, team))).toEqual([person.id]);
    }),
  );
});
