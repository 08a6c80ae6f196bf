import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  extension,
  group,
  memberIds,
  newGroup,
  newUser,
  newUsers,
  nobody,
  patch,
  patchBody,
  patchedUser,
  read,
  readGroup,
  readUser,
  unique,
  urn,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

describe('T. Fit and order', () => {
  it(
    'refuses what does not fit mutability or schema, with its keyword [7644-3.5.2-10 7644-3.5.2-12 7644-3.5.2-20]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const refused = async (operation: object, scimType: string) => {
        const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'replace', ...operation });
        expectError(answer, 400, scimType);
      };
      await refused({ path: 'id', value: nobody }, 'mutability');
      await refused({ path: 'meta.created', value: '1999-01-01T00:00:00Z' }, 'mutability');
      await refused({ path: 'active', value: 'yes' }, 'invalidValue');
      await refused({ path: 'title', value: { a: 1 } }, 'invalidValue');
      await refused({ path: 'title', value: ['a', 'b'] }, 'invalidValue');
      await refused({ path: 'name', value: 'x' }, 'invalidValue');
      await refused({ path: 'userName', value: '' }, 'invalidValue');
      expect(await readUser(gateway, resource)).toEqual(resource);
    }),
  );

  it('may add an immutable attribute once [7644-3.5.2-11]', async () => {
    const gateway = server.gateway('rich');
    const resource = await newUser(gateway);
    const path = `${urn.kinds}:badge`;
    const patched = await patchedUser(gateway, resource, { op: 'add', path, value: 'B1' });
    expect(extension(patched, urn.kinds)).toEqual({ badge: 'B1' });
    expectError(await patch(gateway, `/Users/${resource.id}`, { op: 'add', path, value: 'B2' }), 400, 'mutability');
    expectSuccess(await patch(gateway, `/Users/${resource.id}`, { op: 'add', path, value: 'B1' }));
  });

  it(
    'takes the stored schemas for granted, and adds and drops extensions [7644-3.5.2-13 7644-3.5.2-14 7644-3.5.2-15]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const path = `${urn.enterprise}:employeeNumber`;
      const withUrn = await patchedUser(
        gateway,
        resource,
        { op: 'add', path: 'schemas', value: [urn.enterprise] },
        { op: 'add', path, value: '1' },
      );
      expect(withUrn.schemas).toEqual([urn.user, urn.enterprise]);
      const other = await newUser(gateway);
      const added = await patchedUser(gateway, other, { op: 'add', path, value: '2' });
      expect(added.schemas).toEqual([urn.user, urn.enterprise]);
      expect(extension(added, urn.enterprise)).toEqual({ employeeNumber: '2' });
      expect((await patchedUser(gateway, other, { op: 'remove', path })).schemas).toEqual([urn.user]);
    }),
  );

  it(
    'carries out operations in order, each on the result of the one before [7644-3.5.2-16]',
    inBoth(server, async (gateway) => {
      const patched = await patchedUser(
        gateway,
        await newUser(gateway),
        { op: 'add', path: 'emails', value: [{ value: 'a@example.com', type: 'work' }] },
        { op: 'replace', path: 'emails[type eq "work"].value', value: 'b@example.com' },
        { op: 'add', path: 'title', value: 'A' },
        { op: 'remove', path: 'title' },
        { op: 'replace', path: 'nickName', value: 'x' },
        { op: 'replace', path: 'nickName', value: 'y' },
      );
      expect(patched.emails).toMatchObject([{ value: 'b@example.com', type: 'work' }]);
      expect(Object.keys(patched)).not.toContain('title');
      expect(patched.nickName).toBe('y');
    }),
  );

  it(
    'leaves one primary, the one set last [7644-3.5.2-17]',
    inBoth(server, async (gateway) => {
      const emails = [
        { value: 'a@example.com', type: 'work', primary: true },
        { value: 'b@example.com', type: 'home' },
      ];
      const primaries = (resource: { emails?: readonly { value?: string; primary?: boolean }[] }) =>
        (resource.emails ?? []).filter(({ primary }) => primary === true).map(({ value }) => value);
      const added = await patchedUser(gateway, await newUser(gateway, { emails }), {
        op: 'add',
        path: 'emails',
        value: [{ value: 'c@example.com', type: 'other', primary: true }],
      });
      expect(added.emails).toHaveLength(3);
      expect(primaries(added)).toEqual(['c@example.com']);
      const byPath = await patchedUser(gateway, await newUser(gateway, { emails }), {
        op: 'replace',
        path: 'emails[type eq "home"].primary',
        value: true,
      });
      expect(primaries(byPath)).toEqual(['b@example.com']);
      const byElement = await patchedUser(gateway, await newUser(gateway, { emails }), {
        op: 'replace',
        path: 'emails[type eq "home"]',
        value: { value: 'd@example.com', primary: true },
      });
      expect(primaries(byElement)).toEqual(['d@example.com']);
    }),
  );

  it(
    'refuses two primaries in one operation; a later operation wins [7644-3.5.2-18 GAP-11]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const value = ['a@example.com', 'b@example.com'].map((address, index) => ({
        value: address,
        type: index === 0 ? 'work' : 'home',
        primary: true,
      }));
      for (const op of ['add', 'replace']) {
        expectError(await patch(gateway, `/Users/${resource.id}`, { op, path: 'emails', value }), 400, 'invalidValue');
      }
      const [first, second] = value.map((email) => ({ op: 'add', path: 'emails', value: [email] }));
      const patched = await patchedUser(gateway, resource, first as never, second as never);
      expect(patched.emails?.filter(({ primary }) => primary)).toMatchObject([{ value: 'b@example.com' }]);
    }),
  );

  it(
    'makes up no new primary when the primary element goes [GAP-19]',
    inBoth(server, async (gateway) => {
      const emails = [{ value: 'a@example.com', primary: true }, { value: 'b@example.com' }];
      const remove = { op: 'remove', path: 'emails[primary eq true]' };
      const patched = await patchedUser(gateway, await newUser(gateway, { emails }), remove);
      expect(patched.emails).toHaveLength(1);
      expect(patched.emails?.[0]?.primary ?? false).toBe(false);
    }),
  );

  it(
    'is all or nothing [7644-3.5.2-19]',
    inBoth(server, async (gateway) => {
      const [resource, other] = await newUsers(gateway, 2, { title: 'A' });
      const good = { op: 'replace', path: 'title', value: 'B' };
      const bad = [
        { op: 'replace', path: 'id', value: nobody },
        { op: 'replace', path: 'userName', value: other?.userName },
        { op: 'replace', path: 'nosuch', value: 'x' },
        { op: 'replace', path: 'emails[type eq "none" or type eq "x"].value', value: 'x@example.com' },
      ];
      for (const operation of bad) {
        const answer = await patch(gateway, `/Users/${resource?.id}`, good, operation);
        expectError(answer, operation.path === 'userName' ? 409 : 400);
        expect(await readUser(gateway, resource as never)).toEqual(resource);
      }
    }),
  );
});

describe('T. Answers', () => {
  it(
    'are 200 with the whole resource, or 204 without a body; either way with the new ETag [7644-3.5.2-21]',
    inBoth(server, async (gateway) => {
      for (const path of [`/Users/${(await newUser(gateway)).id}`, `/Groups/${(await newGroup(gateway)).id}`]) {
        const answer = await patch(gateway, path, { op: 'add', path: 'externalId', value: unique('ext') });
        const fresh = await read(gateway, path);
        expect(answer.headers.get('etag')).toBe(fresh.meta.version);
        if (answer.status === 204) expect(answer.text).toBe('');
        else expect([answer.status, answer.body]).toEqual([200, fresh]);
      }
    }),
  );

  it(
    'are 200 and projected when attributes or excludedAttributes are given [7644-3.5.2-22 7644-3.5.2-23]',
    inBoth(server, async (gateway) => {
      const team = await newGroup(gateway);
      const body = patchBody({ op: 'add', path: 'externalId', value: 'x' });
      const named = await gateway.request('PATCH', `/Groups/${team.id}?attributes=externalId`, { body });
      expect([named.status, named.body]).toEqual([200, { schemas: [urn.group], id: team.id, externalId: 'x' }]);
      const excluded = await gateway.request('PATCH', `/Groups/${team.id}?excludedAttributes=members,meta`, { body });
      expect(excluded.status).toBe(200);
      expect(Object.keys(excluded.body).sort()).toEqual(['displayName', 'externalId', 'id', 'schemas']);
    }),
  );

  it(
    'hold no Authorization header [7644-3.5.2-24]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const answer = await patch(gateway, `/Users/${id}`, { op: 'add', path: 'title', value: 'T' });
      expect(answer.headers.has('authorization')).toBe(false);
    }),
  );

  it(
    'are 409 for a taken name, 404 for an unknown id [7644-3.5.2-25 7644-3.5.2-28 GAP-12]',
    inBoth(server, async (gateway) => {
      const [a, b] = await newUsers(gateway, 2);
      const rename = { op: 'replace', path: 'userName', value: a?.userName };
      expectError(await patch(gateway, `/Users/${b?.id}`, rename), 409, 'uniqueness');
      expectError(
        await patch(gateway, `/Users/${b?.id}`, { op: 'replace', value: { userName: a?.userName } }),
        409,
        'uniqueness',
      );
      expectError(await patch(gateway, `/Users/${nobody}`, { op: 'add', path: 'title', value: 'T' }), 404);
    }),
  );

  it('are 400 mutability for another id in a value without a path (default, rule 5) [7644-3.5.2-26]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway);
    const other = { op: 'replace', value: { id: nobody, title: 'T' } };
    expectError(await patch(gateway, `/Users/${resource.id}`, other), 400, 'mutability');
    expect(await readUser(gateway, resource)).toEqual(resource);
    const same = { op: 'replace', value: { id: resource.id, schemas: [urn.user], title: 'T' } };
    expect((await patchedUser(gateway, resource, same)).title).toBe('T');
  });

  it('are 400 mutability for an id in a value without a path (strict) [7644-3.5.2-26]', async () => {
    const gateway = server.gateway('strict');
    const resource = await newUser(gateway);
    for (const id of [nobody, resource.id]) {
      const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'replace', value: { id, title: 'T' } });
      expectError(answer, 400, 'mutability');
    }
  });
});

describe('T. Many at once', () => {
  it(
    'loses no member when many are added in parallel [7644-3.5.2-29]',
    inBoth(server, async (gateway) => {
      const [users, team] = [await newUsers(gateway, 100), await newGroup(gateway)];
      const answers = await Promise.all(
        users.map(({ id }) =>
          patch(gateway, `/Groups/${team.id}`, { op: 'add', path: 'members', value: [{ value: id }] }),
        ),
      );
      for (const answer of answers) expectSuccess(answer);
      expect(memberIds(await readGroup(gateway, team))).toEqual(users.map(({ id }) => id).sort());
    }),
  );

  it(
    'takes a thousand members in one request, and fifty operations [7644-3.5.2-30]',
    inBoth(server, async (gateway) => {
      const members = Array.from({ length: 1_000 }, (_, index) => ({
        value: `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`,
      }));
      const team = await newGroup(gateway, group());
      const start = performance.now();
      expectSuccess(await patch(gateway, `/Groups/${team.id}`, { op: 'add', path: 'members', value: members }));
      const removals = members
        .slice(0, 50)
        .map(({ value }) => ({ op: 'remove', path: `members[value eq "${value}"]` }));
      expectSuccess(await patch(gateway, `/Groups/${team.id}`, ...removals));
      expect(performance.now() - start).toBeLessThan(10_000);
      expect((await readGroup(gateway, team)).members).toHaveLength(950);
    }),
  );
});
