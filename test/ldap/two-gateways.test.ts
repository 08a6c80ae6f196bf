import { afterAll, expect, it } from 'vitest';
import type { Answer } from '../support/gateway.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { startFaultProxy } from '../support/ldap/fault-proxy.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { type PresetGateway, patchOf, peopleLdif, startPresetGateway } from './preset-gateway.js';

const names = Array.from({ length: 480 }, (_, n) => `u${n}`);
const add = (...ids: readonly string[]) => ({ op: 'add', path: 'members', value: ids.map((value) => ({ value })) });
const remove = (...ids: readonly string[]) => ({ ...add(...ids), op: 'remove' });
const removeOne = (id: string) => ({ op: 'remove', path: `members[value eq "${id}"]` });

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'two gateways of one directory', async () => {
    const directory = await startLdap(kind);
    await directory.add(peopleLdif(directory, names));
    const gateways = [await startPresetGateway(directory), await startPresetGateway(directory)] as const;
    const [one, other] = gateways;
    afterAll(async () => {
      await one.close();
      await other.close();
      await directory.close();
    });

    it('carry 200 changes of one group out at the same time, and lose and double none', async () => {
      const { body } = await one.request('GET', '/Users?count=1000&attributes=userName');
      const ids = (body.Resources ?? []).map(({ id }) => id);
      expect(ids).toHaveLength(names.length);
      const take = (count: number): string[] => ids.splice(0, count);
      const inside = take(240);
      const there = [...inside];
      const leaving = (count: number): readonly string[] => inside.splice(0, count);
      const expected = new Set<string>();
      const joining = (count: number): readonly string[] => {
        const some = take(count);
        for (const id of some) expected.add(id);
        return some;
      };
      const created = await one.request('POST', '/Groups', {
        displayName: 'contended',
        members: there.map((value) => ({ value })),
      });
      expect(created.status).toBe(201);

      const changes: (readonly object[])[] = [];
      const both = (operations: readonly object[]) => changes.push(operations, operations);
      for (let n = 0; n < 20; n++) {
        changes.push([add(...joining(1))], leaving(1).map(removeOne));
        changes.push([add(...joining(4))], [remove(...leaving(4))]);
        changes.push([add(...joining(1)), remove(...leaving(1))], [remove(...leaving(2)), add(...joining(2))]);
        both([add(...joining(1))]);
        both(leaving(1).map(removeOne));
      }
      for (const id of inside) expected.add(id);
      expect(changes).toHaveLength(200);

      const path = `/Groups/${created.body.id}`;
      const answers = await Promise.all(
        changes.map((operations, n) => gateways[n % 2 === 0 ? 0 : 1].request('PATCH', path, patchOf(...operations))),
      );
      expect(answers.filter(({ status }) => status !== 204).map(({ status, text }) => [status, text])).toEqual([]);
      for (const gateway of gateways) {
        const { members = [] } = (await gateway.request('GET', path)).body;
        expect(members.map(({ value }) => value).sort()).toEqual([...expected].sort());
      }
      expect(await memberCount(directory)).toBe(expected.size);
      const left = there.find((id) => !expected.has(id)) ?? '';
      const [stayed = ''] = expected;
      expect((await other.request('GET', `/Users/${left}`)).body.groups).toBeUndefined();
      expect((await other.request('GET', `/Users/${stayed}`)).body.groups).toMatchObject([{ value: created.body.id }]);
    });

    it("follow each other's renames: a member that one has just renamed is the same to the other", async () => {
      const nameOf = (name: string): string => (kind === 'samba' ? `${name}@samdom.test` : name);
      const user = (await one.request('POST', '/Users', { userName: nameOf('ann') })).body;
      const manager = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager';
      const group = (await other.request('POST', '/Groups', { displayName: 'known', members: [{ value: user.id }] }))
        .body;
      const next = (await other.request('POST', '/Groups', { displayName: 'next' })).body;
      const boss = (await other.request('POST', '/Users', { userName: nameOf('boss') })).body;
      expect(group.members ?? []).toHaveLength(1);

      const rename = patchOf({ op: 'replace', path: 'userName', value: nameOf('anna') });
      expect((await one.request('PATCH', `/Users/${user.id}`, rename)).status).toBe(200);
      // Somebody else gets the name that the other gateway still knows her by.
      const namesake = (await one.request('POST', '/Users', { userName: nameOf('ann') })).body;
      expect((await other.request('PATCH', `/Groups/${next.id}`, patchOf(add(user.id)))).status).toBe(204);
      const managed = patchOf({ op: 'add', path: manager, value: { value: user.id } });
      expect((await other.request('PATCH', `/Users/${boss.id}`, managed)).status).toBe(200);
      for (const gateway of gateways) {
        const { members = [] } = (await gateway.request('GET', `/Groups/${next.id}`)).body;
        expect(members.map(({ value }) => value)).toEqual([user.id]);
        const found = await gateway.request('GET', `/Users/${namesake.id}`);
        expect(found.body.groups).toBeUndefined();
        const { body } = await gateway.request('GET', `/Users/${boss.id}`);
        expect(body['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User']).toMatchObject({
          manager: { value: user.id },
        });
      }

      expect((await one.request('DELETE', `/Users/${user.id}`)).status).toBe(204);
      const late = await other.request('PATCH', `/Groups/${next.id}`, patchOf(add(user.id, namesake.id)));
      expect([204, 400], late.text).toContain(late.status);
      const { members = [] } = (await other.request('GET', `/Groups/${next.id}`)).body;
      expect(members.map(({ value }) => value)).toEqual(late.status === 204 ? [namesake.id] : []);
    });

    it.each(['renames', 'deletes'])(
      'put right what the other %s between the look at a name and the write',
      async (act) => {
        const proxy = await startFaultProxy(directory);
        const slow = await startPresetGateway(directory, { url: proxy.urls.ldaps });
        try {
          const nameOf = (name: string): string => (kind === 'samba' ? `${name}@samdom.test` : name);
          const user = (await slow.request('POST', '/Users', { userName: nameOf(act) })).body;
          const members = [{ value: user.id }];
          await slow.request('POST', '/Groups', { displayName: `${act} before`, members });
          const group = (await slow.request('POST', '/Groups', { displayName: `${act} late` })).body;
          const held = proxy.inject({ kind: 'delayAnswer', of: ['search'], ms: 1_500 }, 2);
          const adding = slow.request('PATCH', `/Groups/${group.id}`, patchOf(add(user.id)));
          await held.happened;
          const path = `/Users/${user.id}`;
          const renamed = patchOf({ op: 'replace', path: 'userName', value: nameOf(`${act}2`) });
          const done = await (act === 'renames' ? one.request('PATCH', path, renamed) : one.request('DELETE', path));
          expect(done.status, done.text).toBeLessThan(300);
          const namesake = (await one.request('POST', '/Users', { userName: nameOf(act) })).body;
          const added = await adding;
          expect([204, 400], added.text).toContain(added.status);
          for (const gateway of [slow, one]) {
            const now = (await gateway.request('GET', `/Groups/${group.id}`)).body.members ?? [];
            expect(now.map(({ value }) => value)).toEqual(act === 'renames' ? [user.id] : []);
            expect((await gateway.request('GET', `/Users/${namesake.id}`)).body.groups).toBeUndefined();
          }
        } finally {
          await slow.close();
          await proxy.close();
        }
      },
    );

    it('take the last two members out and put two in at the same time, again and again', async () => {
      const { body } = await one.request('GET', '/Users?count=4&attributes=userName');
      const [ann = '', ben = '', cid = '', dan = ''] = (body.Resources ?? []).map(({ id }) => id);
      const { id } = (
        await one.request('POST', '/Groups', { displayName: 'emptied', members: [{ value: ann }, { value: ben }] })
      ).body;
      const change = (gateway: PresetGateway, ...operations: readonly object[]): Promise<Answer> =>
        gateway.request('PATCH', `/Groups/${id}`, patchOf(...operations));
      const expectMembers = async (...expected: readonly string[]): Promise<void> => {
        const { members = [] } = (await other.request('GET', `/Groups/${id}`)).body;
        expect(members.map(({ value }) => value).sort()).toEqual([...expected].sort());
      };
      for (let round = 0; round < 10; round++) {
        const emptied = await Promise.all([change(one, remove(ann)), change(other, remove(ben))]);
        expect(emptied.map(({ status }) => status)).toEqual([204, 204]);
        await expectMembers();
        const filled = await Promise.all([change(one, add(cid)), change(other, add(dan))]);
        expect(filled.map(({ status }) => status)).toEqual([204, 204]);
        await expectMembers(cid, dan);
        const swapped = await Promise.all([
          ...[cid, dan].map((value, n) => change(gateways[n === 0 ? 0 : 1], remove(value))),
          change(one, add(ann)),
          change(other, add(ben)),
        ]);
        expect(swapped.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
        await expectMembers(ann, ben);
      }
    });
  });
}

async function memberCount(directory: LdapServer): Promise<number> {
  const [group] = await directory.search({ base: directory.groupsDn, filter: '(cn=contended)' });
  return (group?.attributes.member ?? []).filter((dn) => dn !== '').length;
}
