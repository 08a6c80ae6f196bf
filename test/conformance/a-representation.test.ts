import { describe, expect, it } from 'vitest';
import {
  created,
  expectError,
  expectInvalidFilter,
  expectSuccess,
  list,
  newGroup,
  newUser,
  patch,
  patchedUser,
  read,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

describe('A. Resources and attribute names', () => {
  it(
    'answers every resource as a JSON object that names its schemas [7643-2.1-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      expect((await readUser(gateway, { id })).schemas).toEqual([urn.user]);
      const { id: groupId } = await newGroup(gateway);
      expect((await read(gateway, `/Groups/${groupId}`)).schemas).toEqual([urn.group]);
      const listed = await list(gateway, '/Users', { filter: `id eq "${id}"` });
      expect(listed.Resources[0]?.schemas).toEqual([urn.user]);
    }),
  );

  it(
    'takes attribute names in any case and gives back their own spelling [7643-2.1-02]',
    inBoth(server, async (gateway) => {
      const userName = unique('case');
      const body = { SCHEMAS: [urn.user], USERNAME: userName, Emails: [{ VALUE: 'a@example.com', Type: 'work' }] };
      const resource = created(await gateway.request('POST', '/Users', { body }));
      expect(await readUser(gateway, resource)).toMatchObject({
        userName,
        emails: [{ value: 'a@example.com', type: 'work' }],
      });
      expect(Object.keys(resource)).not.toContain('USERNAME');
      expect(Object.keys(resource)).not.toContain('Emails');
    }),
  );

  it.each(['1abc', 'a.b', 'a b', 'ä'])(
    'never keeps an attribute whose name is no name: %j (default, rule 9) [7643-2.1-03]',
    async (name) => {
      const gateway = server.gateway('default');
      const resource = await newUser(gateway, { [name]: 'x' });
      expect(Object.keys(await readUser(gateway, resource))).not.toContain(name);
    },
  );

  it.each(['1abc', 'a.b', 'a b', 'ä'])(
    'refuses an attribute whose name is no name: %j (strict) [7643-2.1-03]',
    async (name) => {
      const answer = await server.gateway('strict').request('POST', '/Users', { body: user({ [name]: 'x' }) });
      expectError(answer, 400, 'invalidSyntax');
    },
  );

  it(
    'refuses malformed names in filters and PATCH paths [7643-2.1-03]',
    inBoth(server, async (gateway) => {
      await expectInvalidFilter(gateway, '1abc eq "x"');
      const { id } = await newUser(gateway);
      expectError(await patch(gateway, `/Users/${id}`, { op: 'add', path: '1abc', value: 'x' }), 400, 'invalidPath');
    }),
  );

  it(
    'knows "$ref" as a name in filters and paths [7643-2.1-04]',
    inBoth(server, async (gateway) => {
      const member = await newUser(gateway);
      const resource = await newGroup(gateway, { members: [{ value: member.id }] });
      const filter = `members.$ref pr and displayName eq "${resource.displayName}"`;
      expect(await selected(gateway, filter, '/Groups')).toEqual([resource.id]);
      const path = `${urn.enterprise}:manager.$ref`;
      expectSuccess(
        await patch(gateway, `/Users/${member.id}`, { op: 'add', path, value: `${gateway.base}/Users/${member.id}` }),
      );
    }),
  );

  it('fills in the defaults of characteristics that a schema leaves out [7643-2.2-01]', async () => {
    const schema = await read(server.gateway('rich'), `/Schemas/${urn.kinds}`);
    const attributes = schema.attributes as readonly { readonly name: string }[];
    expect(attributes.find(({ name }) => name === 'bare')).toMatchObject({
      type: 'string',
      multiValued: false,
      required: false,
      caseExact: false,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'none',
    });
  });

  it(
    'refuses sub-attributes of a simple attribute [7643-1.2-01]',
    inBoth(server, async (gateway) => {
      const answer = await gateway.request('POST', '/Users', { body: user({ title: { a: 1 } }) });
      expectError(answer, 400, 'invalidValue');
    }),
  );
});

describe('A. No value', () => {
  it(
    'takes null and the empty array for no value [7643-2.5-01 7643-2.5-03]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { nickName: null, emails: [], title: 'T' });
      const fresh = await readUser(gateway, resource);
      expect(Object.keys(fresh)).not.toContain('nickName');
      expect(Object.keys(fresh)).not.toContain('emails');
      const only = `id eq "${resource.id}"`;
      expect(await selected(gateway, `${only} and nickName pr`)).toEqual([]);
      expect(await selected(gateway, `${only} and emails pr`)).toEqual([]);
      expect(await selected(gateway, `${only} and title pr`)).toEqual([resource.id]);
    }),
  );

  it(
    'unassigns what is set to null or the empty array [7643-2.5-02]',
    inBoth(server, async (gateway) => {
      const fields = { nickName: 'N', title: 'T', emails: [{ value: 'a@example.com', type: 'work' }] };
      const resource = await newUser(gateway, fields);
      await patchedUser(gateway, resource, { op: 'replace', path: 'nickName', value: null });
      const patched = await patchedUser(gateway, resource, { op: 'replace', path: 'emails', value: [] });
      expect(Object.keys(patched)).not.toContain('nickName');
      expect(Object.keys(patched)).not.toContain('emails');
      const body = { schemas: [urn.user], userName: resource.userName, title: null };
      expect((await gateway.request('PUT', `/Users/${resource.id}`, { body })).status).toBe(200);
      expect(Object.keys(await readUser(gateway, resource))).not.toContain('title');
    }),
  );

  it(
    'gives no nulls and no empty arrays [7643-2.5-03]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, { name: { givenName: null, familyName: 'F' }, roles: [], title: null });
      const { text } = await gateway.request('GET', `/Users/${id}`);
      expect(text).not.toMatch(/:\s*null|:\s*\[\]|:\s*\{\}/);
    }),
  );
});
