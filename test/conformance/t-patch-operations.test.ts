import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  extension,
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
  urn,
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

describe('T. replace', () => {
  it(
    'without a path: replaces the attributes named, and no others [7644-3.5.2.3-01 7644-3.5.2.3-02]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { title: 'A', nickName: 'N', emails: [work, home] });
      const patched = await patchedUser(gateway, resource, { op: 'replace', value: { title: 'B', emails: [home] } });
      expect(patched).toMatchObject({ title: 'B', nickName: 'N', userName: resource.userName });
      expect(patched.emails).toMatchObject([home]);
      expect(patched.emails).toHaveLength(1);
      const single = await patchedUser(gateway, resource, { op: 'replace', path: 'title', value: 'C' });
      expect(single.title).toBe('C');
    }),
  );

  it(
    'replaces all values of a multi-valued attribute [7644-3.5.2.3-03]',
    inBoth(server, async (gateway) => {
      const [a, b, c] = await newUsers(gateway, 3);
      const team = await newGroup(gateway, { members: [{ value: a?.id }] });
      const replace = (value: unknown) => patchedGroup(gateway, team, { op: 'replace', path: 'members', value });
      expect(memberIds(await replace([{ value: b?.id }, { value: c?.id }]))).toEqual([b?.id, c?.id].sort());
      expect(memberIds(await replace([]))).toEqual([]);
    }),
  );

  it(
    'adds what was absent [7644-3.5.2.3-04]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const patched = await patchedUser(
        gateway,
        resource,
        { op: 'replace', path: 'nickName', value: 'N' },
        { op: 'replace', path: 'name.givenName', value: 'G' },
        { op: 'replace', path: 'emails', value: [work] },
      );
      expect(patched).toMatchObject({ nickName: 'N', name: { givenName: 'G' }, emails: [work] });
    }),
  );

  it(
    'changes the sub-attributes of a complex attribute that are given [7644-3.5.2.3-05 GAP-08]',
    inBoth(server, async (gateway) => {
      const name = { familyName: 'F', givenName: 'G' };
      for (const operation of [
        { op: 'replace', path: 'name', value: { givenName: 'H', middleName: 'M' } },
        { op: 'replace', value: { name: { givenName: 'H', middleName: 'M' } } },
      ]) {
        const patched = await patchedUser(gateway, await newUser(gateway, { name }), operation);
        expect(patched.name).toEqual({ familyName: 'F', givenName: 'H', middleName: 'M' });
      }
    }),
  );

  it(
    'changes every element that a value path selects, and merges into it [7644-3.5.2.3-06 GAP-07]',
    inBoth(server, async (gateway) => {
      const addresses = [
        { type: 'work', locality: 'A', region: 'RA' },
        { type: 'work', locality: 'B', region: 'RB' },
        { type: 'home', locality: 'C' },
      ];
      const operation = { op: 'replace', path: 'addresses[type eq "work"]', value: { country: 'US' } };
      const patched = await patchedUser(gateway, await newUser(gateway, { addresses }), operation);
      expect(patched.addresses).toHaveLength(3);
      expect(patched.addresses).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ type: 'work', locality: 'A', region: 'RA', country: 'US' }),
          expect.objectContaining({ type: 'work', locality: 'B', region: 'RB', country: 'US' }),
          { type: 'home', locality: 'C' },
        ]),
      );
    }),
  );

  it(
    'changes a sub-attribute of every element that a value path selects [7644-3.5.2.3-07]',
    inBoth(server, async (gateway) => {
      const addresses = [
        { type: 'work', streetAddress: 'A', locality: 'LA' },
        { type: 'work', streetAddress: 'B', locality: 'LB' },
        { type: 'home', streetAddress: 'C' },
      ];
      const operation = { op: 'replace', path: 'addresses[type eq "work"].streetAddress', value: 'X' };
      const patched = await patchedUser(gateway, await newUser(gateway, { addresses }), operation);
      const streets = (patched.addresses as readonly { streetAddress: string }[]).map((each) => each.streetAddress);
      expect(streets.sort()).toEqual(['C', 'X', 'X']);
    }),
  );

  it('with a value path that matches nothing: has no target (strict) [7644-3.5.2.3-08 7644-T9-08]', async () => {
    const gateway = server.gateway('strict');
    const resource = await newUser(gateway, { emails: [home] });
    for (const path of ['emails[type eq "none"].value', 'emails[type eq "none"]', 'emails[value eq "x"].type']) {
      const value = path.endsWith(']') ? { value: 'x@example.com' } : 'x@example.com';
      expectError(await patch(gateway, `/Users/${resource.id}`, { op: 'replace', path, value }), 400, 'noTarget');
    }
    expect(await readUser(gateway, resource)).toEqual(resource);
  });

  it('with a value path that matches nothing: creates the element where eq says what it is (default, rule 3) [7644-3.5.2.3-08]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway, { emails: [home] });
    const path = 'emails[type eq "work"].value';
    const patched = await patchedUser(gateway, resource, { op: 'replace', path, value: 'new@example.com' });
    expect(patched.emails).toMatchObject([home, { type: 'work', value: 'new@example.com' }]);
    for (const unclear of [
      'emails[type ne "home" and type ne "work"].value',
      'emails[value eq "x"].type',
      'emails[type eq "none"]',
    ]) {
      const value = unclear.endsWith(']') ? { value: 'x@example.com' } : 'x';
      const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'replace', path: unclear, value });
      expectError(answer, 400, 'noTarget');
    }
  });

  it('without a path: keys may be paths (default, rule 5) [7644-3.5.2.3-09]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway, { name: { familyName: 'F' } });
    const value = {
      'name.givenName': 'A',
      [`${urn.enterprise}:employeeNumber`]: '1',
      'emails[type eq "work"].value': 'new@example.com',
    };
    const patched = await patchedUser(gateway, resource, { op: 'replace', value });
    expect(patched.name).toEqual({ familyName: 'F', givenName: 'A' });
    expect(extension(patched, urn.enterprise)).toEqual({ employeeNumber: '1' });
    expect(patched.emails).toMatchObject([{ type: 'work', value: 'new@example.com' }]);
    for (const key of Object.keys(value)) expect(Object.keys(patched)).not.toContain(key);
  });

  it('without a path: keys are names (strict) [7644-3.5.2.3-09]', async () => {
    const gateway = server.gateway('strict');
    const resource = await newUser(gateway);
    const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'replace', value: { 'name.givenName': 'A' } });
    expectError(answer, 400, 'invalidPath', 'invalidSyntax');
    expect(await readUser(gateway, resource)).toEqual(resource);
  });

  it(
    'changes neither time nor version when it brings what is there [7644-3.5.2.3-10]',
    inBoth(server, async (gateway) => {
      const person = await newUser(gateway, { title: 'T', emails: [work] });
      const team = await newGroup(gateway, { members: [{ value: person.id }] });
      const value = [{ value: person.id }];
      expect(await patchedGroup(gateway, team, { op: 'replace', path: 'members', value })).toEqual(team);
      const before = await readUser(gateway, person);
      for (const operation of [
        { op: 'replace', path: 'title', value: 'T' },
        { op: 'replace', path: 'emails[type eq "work"].value', value: work.value },
        { op: 'replace', path: 'emails', value: [work] },
      ]) {
        expect(await patchedUser(gateway, person, operation)).toEqual(before);
      }
    }),
  );

  it(
    'unassigns with null, but not what is required [7644-3.5.2.3-11]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { title: 'T' });
      const patched = await patchedUser(gateway, resource, { op: 'replace', path: 'title', value: null });
      expect(Object.keys(patched)).not.toContain('title');
      const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'replace', path: 'userName', value: null });
      expectError(answer, 400, 'invalidValue', 'mutability');
      expectSuccess(await patch(gateway, `/Users/${resource.id}`, { op: 'replace', path: 'title', value: 'U' }));
    }),
  );
});
