import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type Answer, repositoryRoot } from '../support/gateway.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { patchOf, startPresetGateway } from './preset-gateway.js';

const guide = readFileSync(join(repositoryRoot, 'docs/backends/ldap.md'), 'utf8');
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** The disabled live in a unit of their own, beside the lock: `employeeType` says which, and the name is made of it. */
function entitiesOf({ kind, baseDn }: LdapServer): string {
  return kind === 'samba'
    ? `
      people:
        base: ${baseDn}
        filter: (&(objectCategory=person)(objectClass=user)(employeeType=*))
        create: { dn: "CN={userPrincipalName},OU={employeeType}", objectClasses: [user] }
      groups: { base: OU=groups, create: { dn: "CN={cn},OU=groups", objectClasses: [group] } }`
    : `
      people:
        base: ${baseDn}
        filter: (objectClass=inetOrgPerson)
        create: { dn: "uid={uid},ou={employeeType}", objectClasses: [inetOrgPerson] }
      groups: { base: ou=groups, create: { dn: "cn={cn},ou=groups", objectClasses: [groupOfNames] } }`;
}

/** The rule as docs/backends/ldap.md writes it. */
const userMapping = `{ ${guide
  .split('\n')
  .find((line) => line.includes("template: '{active}'"))
  ?.trim()} }`;

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'moves between units', async () => {
    const directory = await startLdap(kind);
    const api = await startPresetGateway(directory, { entities: entitiesOf(directory), userMapping });
    afterAll(async () => {
      await api.close();
      await directory.close();
    });
    const nameOf = (name: string): string => (kind === 'samba' ? `${name}@samdom.test` : name);
    const rdnOf = (name: string): string => (kind === 'samba' ? `CN=${nameOf(name)}` : `uid=${name}`);
    const unitOf = (unit: 'people' | 'disabled'): string =>
      unit === 'people' ? directory.peopleDn : directory.disabledDn;
    const password = 'First.Secret-1';
    const create = async (name: string, more: object = {}): Promise<string> => {
      const made = await api.request('POST', '/Users', { userName: nameOf(name), password, ...more });
      expect(made.status, made.text).toBe(201);
      return made.body.id;
    };
    const patch = async (id: string, ...operations: readonly object[]): Promise<Answer> => {
      const answer = await api.request('PATCH', `/Users/${id}`, patchOf(...operations));
      expect(answer.status, answer.text).toBe(200);
      return answer;
    };
    const setActive = (id: string, value: boolean) => patch(id, { op: 'replace', path: 'active', value });
    const expectIn = async (name: string, unit: 'people' | 'disabled'): Promise<void> => {
      const found = await directory.search({ base: unitOf(unit), scope: 'one', attributes: ['1.1'] });
      expect(found.map(({ dn }) => dn.toLowerCase())).toContain(`${rdnOf(name)},${unitOf(unit)}`.toLowerCase());
    };
    /** A person with a manager, somebody to manage, and a group. */
    const world = async (name: string) => {
      const boss = await create(`${name}.boss`);
      const id = await create(name, { [enterprise]: { manager: { value: boss } } });
      const report = await create(`${name}.report`, { [enterprise]: { manager: { value: id } } });
      const members = [{ value: id }, { value: boss }];
      const group = await api.request('POST', '/Groups', { displayName: `${name}'s`, members });
      expect(group.status, group.text).toBe(201);
      const expectKept = async (isManagerKept = true): Promise<void> => {
        const { body } = await api.request('GET', `/Users/${id}`);
        expect(body.groups).toMatchObject([{ value: group.body.id }]);
        expect(body[enterprise]).toMatchObject({ manager: { value: boss } });
        const other = await api.request('GET', `/Users/${report}`);
        if (isManagerKept) expect(other.body[enterprise]).toMatchObject({ manager: { value: id } });
        const kept = (await api.request('GET', `/Groups/${group.body.id}`)).body.members ?? [];
        expect(kept.map(({ value }) => value).sort()).toEqual([id, boss].sort());
        const filter = encodeURIComponent(`members.value eq "${id}"`);
        expect((await api.request('GET', `/Groups?filter=${filter}`)).body.totalResults).toBe(1);
      };
      return { id, expectKept };
    };

    it('disable somebody into another unit and enable back: id, groups and managers stay, and signing in follows', async () => {
      const { id, expectKept } = await world('ann');
      await expectIn('ann', 'people');
      expect(await api.canSignIn(nameOf('ann'), password)).toBe(true);
      for (let round = 0; round < 2; round++) {
        expect((await setActive(id, false)).body).toMatchObject({ id, active: false });
        await expectIn('ann', 'disabled');
        await expectKept();
        expect(await api.canSignIn(nameOf('ann'), password)).toBe(false);
        expect((await setActive(id, true)).body).toMatchObject({ id, active: true });
        await expectIn('ann', 'people');
        await expectKept();
        expect(await api.canSignIn(nameOf('ann'), password)).toBe(true);
      }
    });

    it('go together with a new name, and are found under it', async () => {
      const { id, expectKept } = await world('cid');
      const rename = { op: 'replace', path: 'userName', value: nameOf('cyd') };
      const answer = await patch(id, rename, { op: 'replace', path: 'active', value: false });
      expect(answer.body).toMatchObject({ id, userName: nameOf('cyd'), active: false });
      await expectIn('cyd', 'disabled');
      await expectKept();
      const filter = encodeURIComponent(`userName eq "${nameOf('cyd')}" and active eq false`);
      expect((await api.request('GET', `/Users?filter=${filter}`)).body.Resources?.[0]?.id).toBe(id);
    });

    it('are refused where the other unit has the name already, and nothing changes', async () => {
      const { id, expectKept } = await world('dan');
      const taken = kind === 'samba' ? 'objectClass: user' : 'objectClass: inetOrgPerson\ncn: x\nsn: x';
      const own = kind === 'samba' ? 'sAMAccountName: dan.other' : 'uid: dan';
      await directory.add(`dn: ${rdnOf('dan')},${directory.disabledDn}\n${taken}\n${own}\n`);
      const off = patchOf({ op: 'replace', path: 'active', value: false });
      const answer = await api.request('PATCH', `/Users/${id}`, off);
      expect(answer.status, answer.text).toBe(409);
      expect((await api.request('GET', `/Users/${id}`)).body.active).toBe(true);
      await expectIn('dan', 'people');
      await expectKept();
      expect(await api.canSignIn(nameOf('dan'), password)).toBe(true);
    });

    // Its plug-in for referential integrity follows members and no managers, unless it is told to.
    const keepsManagers = kind !== '389-ds';

    it('by another hand leave the resource what it is, and the next change reaches it', async () => {
      const { id, expectKept } = await world('eve');
      await directory.modify(
        `dn: ${rdnOf('eve')},${directory.peopleDn}\nchangetype: modrdn\nnewrdn: ${rdnOf('eve')}\ndeleteoldrdn: 1\nnewsuperior: ${directory.disabledDn}\n`,
      );
      await expectKept(keepsManagers);
      const title = await patch(id, { op: 'replace', path: 'title', value: 'Moved' });
      expect(title.body).toMatchObject({ id, title: 'Moved' });
      await expectIn('eve', 'disabled');
      await setActive(id, false);
      await setActive(id, true);
      await expectIn('eve', 'people');
      await expectKept(keepsManagers);
    });

    it('start in the unit of the disabled for who is created disabled', async () => {
      const id = await create('fay', { active: false });
      await expectIn('fay', 'disabled');
      expect(await api.canSignIn(nameOf('fay'), password)).toBe(false);
      await setActive(id, true);
      await expectIn('fay', 'people');
      expect(await api.canSignIn(nameOf('fay'), password)).toBe(true);
      expect((await api.request('DELETE', `/Users/${id}`)).status).toBe(204);
    });
  });
}
