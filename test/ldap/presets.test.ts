import { afterAll, expect, it } from 'vitest';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapKind, LdapServer } from '../support/ldap/ldap-server.js';
import { type PresetGateway, startPresetGateway } from './preset-gateway.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const securityEnabled = 'urn:ietf:params:scim:schemas:extension:unifybroker:2.0:Group';

/** The 26 attributes of users, less what the standard schema of a server has no home for. */
function person(userName: string, kind: LdapKind): Record<string, unknown> {
  const isActiveDirectory = kind === 'samba';
  return {
    userName,
    displayName: 'Zoë Ångström, Dr.',
    name: { givenName: 'Zoë', familyName: 'Ångström', formatted: 'Zoë Ångström' },
    active: true,
    title: 'Head of #1 "Unit"',
    preferredLanguage: 'sv-SE',
    emails: [
      { value: `${userName.split('@')[0]}@example.com`, type: 'work' },
      ...(isActiveDirectory ? [{ value: 'zoe@home.example', type: 'other' }] : []),
    ],
    phoneNumbers: [
      { value: '+46 8 1', type: 'work' },
      { value: '+46 70 2', type: 'mobile' },
      { value: '+46 8 3', type: 'fax' },
    ],
    addresses: [
      {
        type: 'work',
        streetAddress: 'Gata 1',
        locality: 'Örebro',
        region: 'Närke',
        postalCode: '702 10',
        ...(isActiveDirectory ? { country: 'SE' } : {}),
      },
      { type: 'other', formatted: 'Box 5, Örebro' },
    ],
    [enterprise]: {
      employeeNumber: '4711',
      department: 'Research',
      organization: 'Example',
      division: 'North',
      ...(isActiveDirectory ? { costCenter: '42' } : {}),
    },
  };
}

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'the preset', async () => {
    const directory: LdapServer = await startLdap(kind);
    const api: PresetGateway = await startPresetGateway(directory);
    afterAll(async () => {
      await api.close();
      await directory.close();
    });
    const nameOf = (name: string): string => (kind === 'samba' ? `${name}@samdom.test` : name);

    it('keeps every attribute that it maps', async () => {
      const wanted = person(nameOf('zoe'), kind);
      const created = await api.request('POST', '/Users', wanted);
      expect(created.status).toBe(201);
      const read = await api.request('GET', `/Users/${created.body.id}`);
      expect(read.body).toMatchObject(wanted);
    });

    it('finds the disabled and the enabled, in the directory itself', async () => {
      const { body } = await api.request('POST', '/Users', { ...person(nameOf('off'), kind), active: false });
      expect(body.active).toBe(false);
      const found = async (active: boolean) => {
        const filter = encodeURIComponent(`active eq ${active} and userName eq "${nameOf('off')}"`);
        return (await api.request('GET', `/Users?filter=${filter}`)).body.totalResults;
      };
      expect([await found(false), await found(true)]).toEqual([1, 0]);
      const operations = [{ op: 'replace', path: 'active', value: true }];
      const patched = await api.request('PATCH', `/Users/${body.id}`, operationsBody(operations));
      expect(patched.body.active).toBe(true);
      expect([await found(false), await found(true)]).toEqual([0, 1]);
    });

    it('makes groups, with members and without, and shows them at the user', async () => {
      const user = await api.request('POST', '/Users', person(nameOf('member'), kind));
      const group = await api.request('POST', '/Groups', { displayName: 'Staff, all + more' });
      expect(group.status).toBe(201);
      expect(group.body.members).toBeUndefined();
      const add = [{ op: 'add', path: 'members', value: [{ value: user.body.id }] }];
      expect((await api.request('PATCH', `/Groups/${group.body.id}`, operationsBody(add))).status).toBe(204);
      const read = await api.request('GET', `/Groups/${group.body.id}`);
      expect(read.body.members).toMatchObject([{ value: user.body.id, type: 'User' }]);
      if (kind === 'samba') expect(read.body[securityEnabled]).toEqual({ securityEnabled: true });
      expect((await api.request('GET', `/Users/${user.body.id}`)).body.groups).toMatchObject([
        { value: group.body.id },
      ]);
      const remove = [{ op: 'remove', path: `members[value eq "${user.body.id}"]` }];
      expect((await api.request('PATCH', `/Groups/${group.body.id}`, operationsBody(remove))).status).toBe(204);
      expect((await api.request('GET', `/Groups/${group.body.id}`)).body.members).toBeUndefined();
    });

    it('keeps id and memberships of a renamed user, and gives a name that is used again no old rights', async () => {
      const { body: user } = await api.request('POST', '/Users', person(nameOf('before'), kind));
      const members = [{ value: user.id }];
      const { body: group } = await api.request('POST', '/Groups', { displayName: 'Renamed', members });
      const rename = [{ op: 'replace', path: 'userName', value: nameOf('after') }];
      const renamed = await api.request('PATCH', `/Users/${user.id}`, operationsBody(rename));
      expect(renamed).toMatchObject({ status: 200, body: { id: user.id, userName: nameOf('after') } });
      expect(renamed.body.groups).toMatchObject([{ value: group.id }]);
      expect((await api.request('GET', `/Groups/${group.id}`)).body.members).toMatchObject([{ value: user.id }]);
      expect((await api.request('DELETE', `/Users/${user.id}`)).status).toBe(204);
      const again = await api.request('POST', '/Users', person(nameOf('after'), kind));
      expect(again.body.groups).toBeUndefined();
      expect((await api.request('GET', `/Groups/${group.id}`)).body.members).toBeUndefined();
    });

    it('sets passwords with which one can sign in, and keeps the disabled out', async () => {
      const password = 'First.Secret-1';
      const { body } = await api.request('POST', '/Users', { ...person(nameOf('login'), kind), password });
      expect(body.password).toBeUndefined();
      const userName = nameOf('login');
      expect(await api.canSignIn(userName, password)).toBe(true);
      const off = [{ op: 'replace', path: 'active', value: false }];
      await api.request('PATCH', `/Users/${body.id}`, operationsBody(off));
      expect(await api.canSignIn(userName, password)).toBe(false);
      const change = [{ op: 'replace', path: 'password', value: 'Second.Secret-2' }];
      expect((await api.request('PATCH', `/Users/${body.id}`, operationsBody(change))).status).toBe(200);
      expect(await api.canSignIn(userName, 'Second.Secret-2')).toBe(false);
      expect((await api.request('GET', `/Users/${body.id}`)).body.active).toBe(false);
      const on = [{ op: 'replace', path: 'active', value: true }];
      await api.request('PATCH', `/Users/${body.id}`, operationsBody(on));
      expect(await api.canSignIn(userName, 'Second.Secret-2')).toBe(true);
    });
  });
}

function operationsBody(operations: readonly object[]): object {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations };
}
