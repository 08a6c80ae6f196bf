import { describe, expect, it } from 'vitest';
import {
  created,
  expectError,
  expectSuccess,
  extension,
  group,
  memberIds,
  newGroup,
  newUser,
  patch,
  patchedGroup,
  read,
  readGroup,
  readUser,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'policy');
const enterprise = (fields: object) => ({ schemas: [urn.user, urn.enterprise], [urn.enterprise]: fields });

describe('G. Group', () => {
  it(
    'has its schema URI [7643-4.2-01]',
    inBoth(server, async (gateway) => {
      expect((await readGroup(gateway, await newGroup(gateway))).schemas).toEqual([urn.group]);
    }),
  );

  it(
    'needs a displayName [7643-4.2-02]',
    inBoth(server, async (gateway) => {
      for (const displayName of [undefined, null, '']) {
        expectError(await gateway.request('POST', '/Groups', { body: group({ displayName }) }), 400, 'invalidValue');
      }
      const schema = await read(gateway, `/Schemas/${urn.group}`);
      const attributes = schema.attributes as readonly { readonly name: string }[];
      expect(attributes.find(({ name }) => name === 'displayName')).toMatchObject({ required: true });
    }),
  );

  it(
    'has members with id, type and URI [7643-4.2-03]',
    inBoth(server, async (gateway) => {
      const [person, inner] = [await newUser(gateway), await newGroup(gateway)];
      const team = await newGroup(gateway, { members: [{ value: person.id }, { value: inner.id }] });
      const members = (await readGroup(gateway, team)).members ?? [];
      expect(members).toHaveLength(2);
      for (const [resource, type] of [
        [person, 'User'],
        [inner, 'Group'],
      ] as const) {
        const member = members.find(({ value }) => value === resource.id);
        expect(member).toMatchObject({ type });
        const url = new URL(member?.$ref ?? '', `${gateway.base}/Groups/`).href;
        expect((await gateway.request('GET', url)).body.id).toBe(resource.id);
      }
    }),
  );

  it(
    'has members of the type that they are, whatever the client says [7643-4.2-03 7643-2.3.7-05]',
    inBoth(server, async (gateway) => {
      const person = await newUser(gateway);
      for (const type of ['Group', 'Unicorn']) {
        const members = [{ value: person.id, type }];
        const answer = await gateway.request('POST', '/Groups', { body: group({ members }) });
        if (answer.status === 400) {
          expectError(answer, 400, 'invalidValue');
          continue;
        }
        const [member] = (await readGroup(gateway, created(answer))).members ?? [];
        expect(member).toMatchObject({ value: person.id, type: 'User', $ref: person.meta.location });
      }
    }),
  );

  it(
    'may hold groups, in circles too [7643-4.2-05]',
    inBoth(server, async (gateway) => {
      const inner = await newGroup(gateway);
      const outer = await newGroup(gateway, { members: [{ value: inner.id, type: 'Group' }] });
      const circular = { op: 'add', path: 'members', value: [{ value: outer.id, type: 'Group' }] };
      expect(memberIds(await patchedGroup(gateway, inner, circular))).toEqual([outer.id]);
      expect(memberIds(await readGroup(gateway, outer))).toEqual([inner.id]);
      const self = { op: 'add', path: 'members', value: [{ value: outer.id }] };
      const answer = await patch(gateway, `/Groups/${outer.id}`, self);
      expect([200, 204, 400]).toContain(answer.status);
      expect((await gateway.request('DELETE', `/Groups/${outer.id}`)).status).toBe(204);
    }),
  );

  it(
    'takes members with a display name [7643-4.2-06]',
    inBoth(server, async (gateway) => {
      const person = await newUser(gateway);
      const team = await newGroup(gateway);
      const value = [{ value: person.id, display: 'Babs Jensen' }];
      const patched = await patchedGroup(gateway, team, { op: 'add', path: 'members', value });
      expect(memberIds(patched)).toEqual([person.id]);
    }),
  );

  it('may need members where the mapping says so [7643-4.2-07]', async () => {
    const gateway = server.gateway('policy');
    expectError(await gateway.request('POST', '/Groups', { body: group() }), 400, 'invalidValue');
    const person = created(await gateway.request('POST', '/Users', { body: user() }));
    created(await gateway.request('POST', '/Groups', { body: group({ members: [{ value: person.id }] }) }));
  });

  it(
    'may be created without members [7643-4.2-08]',
    inBoth(server, async (gateway) => {
      expect(Object.keys(await newGroup(gateway))).not.toContain('members');
      expect(Object.keys(await newGroup(gateway, { members: [] }))).not.toContain('members');
    }),
  );
});

describe('G. Enterprise User', () => {
  const singular = {
    employeeNumber: '701984',
    costCenter: '4130',
    organization: 'Universal Studios',
    division: 'Theme Park',
    department: 'Tour Operations',
  };

  it(
    'has its attributes under its schema URI only [7643-4.3-01 7643-4.3-02]',
    inBoth(server, async (gateway) => {
      const resource = await readUser(gateway, await newUser(gateway, enterprise(singular)));
      expect(extension(resource, urn.enterprise)).toEqual(singular);
      for (const name of Object.keys(singular)) expect(Object.keys(resource)).not.toContain(name);
      const wrong = user(enterprise({ department: ['a', 'b'] }));
      expectError(await gateway.request('POST', '/Users', { body: wrong }), 400, 'invalidValue', 'invalidSyntax');
    }),
  );

  it(
    'has a manager with id and URI [7643-4.3-03]',
    inBoth(server, async (gateway) => {
      const boss = await newUser(gateway);
      const resource = await readUser(gateway, await newUser(gateway, enterprise({ manager: { value: boss.id } })));
      const manager = extension(resource, urn.enterprise).manager as { value: string; $ref: string };
      expect(manager.value).toBe(boss.id);
      const url = new URL(manager.$ref, `${gateway.base}/Users/`).href;
      expect((await gateway.request('GET', url)).body.id).toBe(boss.id);
      const schema = await read(gateway, `/Schemas/${urn.enterprise}`);
      const attributes = schema.attributes as readonly { name: string; subAttributes?: readonly { name: string }[] }[];
      const declared = attributes.find(({ name }) => name === 'manager')?.subAttributes;
      expect(declared?.find(({ name }) => name === 'value')).toMatchObject({ caseExact: true });
    }),
  );

  it(
    "has a manager whose displayName is the server's [7643-4.3-04]",
    inBoth(server, async (gateway) => {
      const boss = await newUser(gateway, { displayName: 'The Boss' });
      const manager = { value: boss.id, displayName: 'Somebody Else' };
      const resource = await newUser(gateway, enterprise({ manager }));
      expect(JSON.stringify(await readUser(gateway, resource))).not.toContain('Somebody Else');
      const path = `${urn.enterprise}:manager.displayName`;
      const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'replace', path, value: 'Somebody Else' });
      expectError(answer, 400, 'mutability');
      const body = { userName: resource.userName, ...enterprise({ manager }) };
      expectSuccess(await gateway.request('PUT', `/Users/${resource.id}`, { body }));
      expect(JSON.stringify(await readUser(gateway, resource))).not.toContain('Somebody Else');
    }),
  );

  it(
    'has one manager, not a list [7643-4.3-05]',
    inBoth(server, async (gateway) => {
      const boss = await newUser(gateway);
      const body = user(enterprise({ manager: [{ value: boss.id }] }));
      expectError(await gateway.request('POST', '/Users', { body }), 400, 'invalidValue', 'invalidSyntax');
    }),
  );
});
