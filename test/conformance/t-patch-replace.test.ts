import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  extension,
  memberIds,
  newGroup,
  newUser,
  newUsers,
  patch,
  patchedGroup,
  patchedUser,
  readUser,
  urn,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

const work = { value: 'work@example.com', type: 'work', primary: true };
const home = { value: 'home@example.com', type: 'home' };

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
