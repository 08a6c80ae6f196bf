import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  extension,
  memberIds,
  newGroup,
  newUser,
  patch,
  patchedGroup,
  patchedUser,
  read,
  readGroup,
  readUser,
  selected,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');
const withKinds = (fields: object) => ({ schemas: [urn.user, urn.kinds], [urn.kinds]: fields });

describe('E. Elements', () => {
  it('may be plain values or objects [7643-2.4-01]', async () => {
    const gateway = server.gateway('rich');
    const emails = [{ value: 'a@example.com' }, { value: 'b@example.com' }];
    const resource = await newUser(gateway, { ...withKinds({ tags: ['a', 'b'], numbers: [1, 2] }), emails });
    const fresh = await readUser(gateway, resource);
    expect(extension(fresh, urn.kinds)).toEqual({ tags: ['a', 'b'], numbers: [1, 2] });
    expect(fresh.emails).toMatchObject(emails);
    const path = `${urn.kinds}:tags`;
    const added = await patchedUser(gateway, resource, { op: 'add', path, value: ['c'] });
    expect(extension(added, urn.kinds).tags).toEqual(['a', 'b', 'c']);
    expect(await selected(gateway, `${path} eq "C" and id eq "${resource.id}"`)).toEqual([resource.id]);
    const removed = await patchedUser(gateway, resource, { op: 'remove', path });
    expect(extension(removed, urn.kinds)).toEqual({ numbers: [1, 2] });
  });

  it('are not objects in a multi-valued simple attribute [7643-2.4-02]', async () => {
    for (const tags of [[{ value: 'a' }], ['a', { b: 1 }], [['a']]]) {
      const answer = await server.gateway('rich').request('POST', '/Users', { body: user(withKinds({ tags })) });
      expectError(answer, 400, 'invalidValue');
    }
  });

  it(
    'name the same resource however the URI is written [7643-2.4-03 7643-2.4-08]',
    inBoth(server, async (gateway) => {
      const member = await newUser(gateway);
      const team = await newGroup(gateway, { members: [{ value: member.id }] });
      const { host, protocol, pathname } = new URL(gateway.base);
      const port = host.includes(':') ? '' : ':80';
      const references = [
        `${gateway.base}/Users/${member.id}`,
        `${protocol}//${host.toUpperCase()}${port}${pathname}/Users/${member.id}`,
        `${gateway.base}/v2/Users/${member.id}`,
        `${gateway.base}/./Users/${member.id}`,
      ];
      for (const $ref of references) {
        const value = [{ value: member.id, $ref }];
        const patched = await patchedGroup(gateway, team, { op: 'add', path: 'members', value });
        expect(memberIds(patched), $ref).toEqual([member.id]);
      }
    }),
  );

  it(
    'have the default sub-attributes with their meaning [7643-2.4-04]',
    inBoth(server, async (gateway) => {
      const schema = await read(gateway, `/Schemas/${urn.user}`);
      const attributes = schema.attributes as readonly { name: string; subAttributes?: readonly object[] }[];
      for (const name of ['emails', 'phoneNumbers', 'ims', 'photos', 'entitlements', 'roles', 'x509Certificates']) {
        const subAttributes = attributes.find((attribute) => attribute.name === name)?.subAttributes;
        expect(subAttributes, name).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ name: 'type', type: 'string' }),
            expect.objectContaining({ name: 'primary', type: 'boolean' }),
            expect.objectContaining({ name: 'display', type: 'string' }),
            expect.objectContaining({ name: 'value' }),
          ]),
        );
      }
    }),
  );
});

describe('E. primary', () => {
  it(
    'is true at most once [7643-2.4-05]',
    inBoth(server, async (gateway) => {
      const emails = [
        { value: 'a@example.com', type: 'work', primary: true },
        { value: 'b@example.com', type: 'home', primary: true },
      ];
      expectError(await gateway.request('POST', '/Users', { body: user({ emails }) }), 400, 'invalidValue');
      const { id, userName } = await newUser(gateway, { emails: emails.slice(0, 1) });
      const body = { schemas: [urn.user], userName, emails };
      expectError(await gateway.request('PUT', `/Users/${id}`, { body }), 400, 'invalidValue');
      expect((await readUser(gateway, { id })).emails).toHaveLength(1);
    }),
  );

  it(
    'counts as false when missing [7643-2.4-06]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { emails: [{ value: 'a@example.com', type: 'work' }] });
      const only = `id eq "${resource.id}" and`;
      expect(await selected(gateway, `${only} emails[type eq "work" and primary eq false]`)).toEqual([resource.id]);
      expect(await selected(gateway, `${only} emails[primary eq true]`)).toEqual([]);
      expect(await selected(gateway, `${only} emails[primary ne true]`)).toEqual([resource.id]);
    }),
  );
});

describe('E. display, and values given twice', () => {
  it(
    'lets display be changed where the schema says readWrite [7643-2.4-07]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { emails: [{ value: 'a@example.com', type: 'work', display: 'A' }] });
      const path = 'emails[type eq "work"].display';
      const patched = await patchedUser(gateway, resource, { op: 'replace', path, value: 'B' });
      expect(patched.emails).toMatchObject([{ value: 'a@example.com', display: 'B' }]);
    }),
  );

  it(
    'gives values back as they came [7643-2.4-09]',
    inBoth(server, async (gateway) => {
      const fields = {
        emails: [{ value: 'Barbara.JENSEN@Example.COM', type: 'work' }],
        phoneNumbers: [{ value: '+1 (201) 555-0123', type: 'work' }],
        ims: [{ value: ' Some One ', type: 'skype' }],
      };
      expect(await readUser(gateway, await newUser(gateway, fields))).toMatchObject(fields);
    }),
  );

  it(
    'keeps one of two elements with equal type and value [7643-2.4-10]',
    inBoth(server, async (gateway) => {
      const email = { value: 'a@example.com', type: 'work' };
      const resource = await newUser(gateway, { emails: [email, email] });
      expect((await readUser(gateway, resource)).emails).toHaveLength(1);
      const patched = await patchedUser(gateway, resource, { op: 'add', path: 'emails', value: [email] });
      expect(patched.emails).toHaveLength(1);
    }),
  );

  it(
    'keeps one value under two types [7643-2.4-11]',
    inBoth(server, async (gateway) => {
      const emails = [
        { value: 'a@example.com', type: 'work' },
        { value: 'a@example.com', type: 'home' },
      ];
      expect((await readUser(gateway, await newUser(gateway, { emails }))).emails).toHaveLength(2);
    }),
  );

  it(
    'lets members be added and removed, not changed in place [7643-4.2-mv-01 7643-4.2-04]',
    inBoth(server, async (gateway) => {
      const [a, b] = [await newUser(gateway), await newUser(gateway)];
      const team = await newGroup(gateway, { members: [{ value: a.id }] });
      const path = `members[value eq "${a.id}"].value`;
      expectError(await patch(gateway, `/Groups/${team.id}`, { op: 'replace', path, value: b.id }), 400, 'mutability');
      expect(memberIds(await readGroup(gateway, team))).toEqual([a.id]);
      expectSuccess(
        await patch(gateway, `/Groups/${team.id}`, { op: 'add', path: 'members', value: [{ value: b.id }] }),
      );
      const remove = { op: 'remove', path: `members[value eq "${a.id}"]` };
      expect(memberIds(await patchedGroup(gateway, team, remove))).toEqual([b.id]);
    }),
  );
});
