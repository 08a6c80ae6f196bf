import { describe, expect, it } from 'vitest';
import {
  expectError,
  memberIds,
  newGroup,
  newUser,
  newUsers,
  patch,
  patchedGroup,
  patchedUser,
  readUser,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

const work = { value: 'work@example.com', type: 'work', primary: true };
const home = { value: 'home@example.com', type: 'home' };

describe('T. add', () => {
  it(
    'needs a value [7644-3.5.2.1-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      expectError(await patch(gateway, `/Users/${id}`, { op: 'add', path: 'title' }), 400, 'invalidValue');
      expectError(await patch(gateway, `/Users/${id}`, { op: 'add' }), 400, 'invalidValue');
    }),
  );

  it(
    'without a path: adds a set of attributes [7644-3.5.2.1-02 7644-3.5.2.1-11]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { emails: [work], title: 'T' });
      // The example of RFC 7644 §3.5.2.1 with the brace of erratum 8096.
      const value = { emails: [{ value: 'babs@jensen.org', type: 'home' }], nickname: 'Babs' };
      const patched = await patchedUser(gateway, resource, { op: 'add', value });
      expect(patched).toMatchObject({ nickName: 'Babs', title: 'T' });
      expect(patched.emails).toEqual(
        expect.arrayContaining([expect.objectContaining(work), expect.objectContaining(value.emails[0])]),
      );
      expect(patched.emails).toHaveLength(2);
    }),
  );

  it(
    'without a path: refuses a value that is no object [7644-3.5.2.1-03]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      for (const value of ['x', 7, ['title'], true, null]) {
        expectError(await patch(gateway, `/Users/${id}`, { op: 'add', value }), 400, 'invalidSyntax', 'invalidValue');
      }
    }),
  );

  it(
    'sets what was absent and replaces a single value [7644-3.5.2.1-04 7644-3.5.2.1-07]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      expect((await patchedUser(gateway, resource, { op: 'add', path: 'title', value: 'A' })).title).toBe('A');
      expect((await patchedUser(gateway, resource, { op: 'add', path: 'title', value: 'B' })).title).toBe('B');
    }),
  );

  it(
    'merges sub-attributes into a complex attribute [7644-3.5.2.1-05]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { name: { familyName: 'F', givenName: 'G' } });
      const value = { givenName: 'H', middleName: 'M' };
      const patched = await patchedUser(gateway, resource, { op: 'add', path: 'name', value });
      expect(patched.name).toEqual({ familyName: 'F', givenName: 'H', middleName: 'M' });
    }),
  );

  it(
    'appends to a multi-valued attribute [7644-3.5.2.1-06]',
    inBoth(server, async (gateway) => {
      const [a, b, c] = await newUsers(gateway, 3);
      const team = await newGroup(gateway, { members: [{ value: a?.id }] });
      const value = [{ value: b?.id }, { value: c?.id }];
      const patched = await patchedGroup(gateway, team, { op: 'add', path: 'members', value });
      expect(memberIds(patched)).toEqual([a?.id, b?.id, c?.id].sort());
      const resource = await newUser(gateway, { emails: [work] });
      const added = await patchedUser(gateway, resource, { op: 'add', path: 'emails', value: [home] });
      expect(added.emails).toMatchObject([work, home]);
    }),
  );

  it(
    'changes neither time nor version when the value is there [7644-3.5.2.1-08]',
    inBoth(server, async (gateway) => {
      const person = await newUser(gateway, { title: 'T', emails: [work] });
      const team = await newGroup(gateway, { members: [{ value: person.id }] });
      const value = [{ value: person.id }];
      expect(await patchedGroup(gateway, team, { op: 'add', path: 'members', value })).toEqual(team);
      const before = await readUser(gateway, person);
      for (const operation of [
        { op: 'add', path: 'title', value: 'T' },
        { op: 'add', path: 'emails', value: [work] },
        { op: 'add', value: { title: 'T' } },
      ]) {
        expect(await patchedUser(gateway, person, operation)).toEqual(before);
      }
    }),
  );

  it(
    'creates the parent of a sub-attribute [7644-3.5.2.1-09]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const patched = await patchedUser(gateway, resource, { op: 'add', path: 'name.givenName', value: 'A' });
      expect(patched.name).toEqual({ givenName: 'A' });
    }),
  );

  it('with a value path that matches nothing: creates the element (default, rule 3) [7644-3.5.2.1-10 GAP-05]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway, { emails: [home] });
    const path = 'emails[type eq "work"].value';
    const patched = await patchedUser(gateway, resource, { op: 'add', path, value: 'new@example.com' });
    expect(patched.emails).toMatchObject([home, { type: 'work', value: 'new@example.com' }]);
    const unclear = { op: 'add', path: 'emails[type eq "a" or type eq "b"].value', value: 'x@example.com' };
    expectError(await patch(gateway, `/Users/${resource.id}`, unclear), 400, 'noTarget');
  });

  it('with a value path that matches nothing: has no target (strict) [7644-3.5.2.1-10]', async () => {
    const gateway = server.gateway('strict');
    const { id } = await newUser(gateway, { emails: [home] });
    const operation = { op: 'add', path: 'emails[type eq "work"].value', value: 'new@example.com' };
    expectError(await patch(gateway, `/Users/${id}`, operation), 400, 'noTarget');
  });
});
