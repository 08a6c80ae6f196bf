import { afterAll, beforeAll, expect, it } from 'vitest';
import { guidText } from '../../adapters/ldap/guid.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { runTool } from '../support/ldap/run-tool.js';
import { patchOf, startPresetGateway } from './preset-gateway.js';

const idAttribute = { openldap: 'entryUUID', samba: 'objectGUID', '389-ds': 'nsUniqueId' } as const;

/** What is like a person and a group, and lies outside the entities' bases. */
function outsiders({ kind, disabledDn }: LdapServer): string {
  const [person, group] = kind === 'samba' ? ['user', 'group'] : ['inetOrgPerson', 'groupOfNames'];
  const demanded = kind === 'samba' ? '' : 'sn: outside\n';
  const member = kind === 'samba' ? '' : `member: cn=outside,${disabledDn}\n`;
  return `dn: cn=outside,${disabledDn}
objectClass: ${person}
cn: outside
${demanded}
dn: cn=outside group,${disabledDn}
objectClass: ${group}
cn: outside group
${member}`;
}

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'the borders of an entity', async () => {
    const directory = await startLdap(kind);
    await directory.add(outsiders(directory));
    const api = await startPresetGateway(directory);
    afterAll(async () => {
      await api.close();
      await directory.close();
    });
    const nameOf = (name: string): string => (kind === 'samba' ? `${name}@samdom.test` : name);
    let user = '';
    let group = '';
    let ids: Readonly<Record<'Users' | 'Groups', readonly string[]>> = { Users: [], Groups: [] };

    beforeAll(async () => {
      user = (await api.request('POST', '/Users', { userName: nameOf('inside') })).body.id;
      group = (await api.request('POST', '/Groups', { displayName: 'inside', members: [{ value: user }] })).body.id;
      const rdn = kind === 'samba' ? `CN=${nameOf('inside')}` : 'uid=inside';
      const never = [
        '*',
        `${user.slice(0, -1)}*`,
        `${user}*`,
        `${user})(objectClass=*`,
        `${user}>`,
        `${user} `,
        ` ${user}`,
        `\\${user}`,
        `${user}\0`,
        user.toUpperCase() === user ? user.toLowerCase() : user.toUpperCase(),
        `${rdn},${directory.peopleDn}`,
        `cn=inside,${directory.groupsDn}`,
        `cn=outside,${directory.disabledDn}`,
        directory.bindDn,
        directory.baseDn,
        `<GUID=${user}>`,
        '../Groups',
        '',
      ];
      const places = [directory.baseDn, directory.peopleDn, directory.groupsDn, directory.disabledDn];
      const outside = await Promise.all([
        rawId(directory, directory.disabledDn, '(cn=outside)'),
        rawId(directory, directory.disabledDn, '(cn=outside group)'),
        ...places.map((dn) => rawId(directory, dn, '(objectClass=*)', 'base')),
      ]);
      expect(outside.filter((id) => id.length >= 35)).toHaveLength(6);
      ids = { Users: [group, ...outside, ...never], Groups: [user, ...outside, ...never] };
    });

    const whatIsThere = async (): Promise<readonly unknown[]> =>
      (await directory.search({ attributes: ['*', 'modifyTimestamp'] }))
        .filter(({ dn }) => /inside|outside|^ou=/i.test(dn))
        .map(({ dn, attributes }) => {
          const { lastLogon: _, lastLogonTimestamp: __, logonCount: ___, ...rest } = attributes;
          return [dn, rest];
        });

    it('are crossed by no id: of the other entity, of entries outside, of names, of wildcards', async () => {
      const before = await whatIsThere();
      for (const [type, attribute] of [
        ['Users', 'userName'],
        ['Groups', 'displayName'],
      ] as const) {
        for (const id of ids[type]) {
          if (id === '') continue;
          const path = `/${type}/${encodeURIComponent(id)}`;
          const change = patchOf({ op: 'replace', path: attribute, value: nameOf('taken') });
          const answers = [
            await api.request('GET', path),
            await api.request('PUT', path, { [attribute]: nameOf('taken') }),
            await api.request('PATCH', path, change),
            await api.request('DELETE', path),
          ];
          expect(
            answers.map(({ status }) => status),
            JSON.stringify(id),
          ).toEqual([404, 404, 404, 404]);
        }
      }
      expect(await whatIsThere()).toEqual(before);
    });

    it('are crossed by no filter', async () => {
      const find = async (type: string, filter: string): Promise<number> => {
        const answer = await api.request('GET', `/${type}?filter=${encodeURIComponent(filter)}`);
        expect(answer.status, `${filter}: ${answer.text}`).toBe(200);
        return answer.body.totalResults;
      };
      for (const type of ['Users', 'Groups'] as const) {
        for (const id of ids[type]) {
          expect(await find(type, `id eq ${JSON.stringify(id)}`), JSON.stringify(id)).toBe(0);
        }
      }
      const [inner, member] = [(ids.Users as string[]).filter((id) => id !== group), 'members.value'];
      for (const id of inner) expect(await find('Groups', `${member} eq ${JSON.stringify(id)}`)).toBe(0);
      for (const name of ['*', 'ins*', '*)(objectClass=*', 'outside', `outside)(cn=*`]) {
        expect(await find('Users', `userName eq ${JSON.stringify(name)}`)).toBe(0);
        expect(await find('Groups', `displayName eq ${JSON.stringify(name)}`)).toBe(0);
      }
      expect([await find('Users', 'userName pr'), await find('Groups', 'displayName pr')]).toEqual([1, 1]);
    });

    it('are crossed by no member and no manager', async () => {
      const before = await whatIsThere();
      const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
      for (const id of ids.Users.slice(1)) {
        const add = patchOf({ op: 'add', path: 'members', value: [{ value: id }] });
        const added = await api.request('PATCH', `/Groups/${group}`, add);
        expect([204, 400], `${JSON.stringify(id)}: ${added.text}`).toContain(added.status);
        const manager = patchOf({ op: 'add', path: `${enterprise}:manager`, value: { value: id } });
        const managed = await api.request('PATCH', `/Users/${user}`, manager);
        expect([200, 400], `${JSON.stringify(id)}: ${managed.text}`).toContain(managed.status);
      }
      expect(await whatIsThere()).toEqual(before);
      expect((await api.request('GET', `/Groups/${group}`)).body.members).toMatchObject([{ value: user }]);
    });
  });
}

/** The id as the gateway writes it. */
async function rawId(
  { kind, urls, bindDn, password, caFile }: LdapServer,
  base: string,
  filter: string,
  scope: 'base' | 'sub' = 'sub',
): Promise<string> {
  const what = ['-b', base, '-s', scope, filter, idAttribute[kind]];
  const args = ['-x', '-LLL', '-H', urls.ldaps, '-D', bindDn, '-w', password, ...what];
  const text = await runTool('ldapsearch', args, { env: { LDAPTLS_CACERT: caFile } });
  const [, colon, value = ''] = /^(?:entryUUID|objectGUID|nsUniqueId):(:?) (.+)$/im.exec(text) ?? [];
  return colon === ':' ? (guidText(Buffer.from(value, 'base64')) ?? '') : value;
}
