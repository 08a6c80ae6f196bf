import type { Scalar } from '../backend/adapter.js';
import { childrenOf, idOf, scalarsOf } from '../backend/record.js';
import { awkwardTexts } from './contract-entities.js';
import { type ContractFixture, type EntityName, sorted } from './contract-fixture.js';
import { expect } from './expect.js';
import type { Suite } from './suite.js';

const noIntegrity = 'declares referentialIntegrity: false';

/** Finding many records by a value each, and what becomes of the values that name other records. */
export function lookupContract(fixture: ContractFixture, { describe, it }: Suite): void {
  function lookup(entity: EntityName, by: string, values: readonly Scalar[], fields: readonly string[] = []) {
    return fixture.adapter.lookup(entity, { by, values, fields }, fixture.context());
  }

  async function found(entity: EntityName, by: string, values: readonly Scalar[]): Promise<readonly string[]> {
    return sorted((await lookup(entity, by, values)).map(idOf));
  }

  describe('lookup', () => {
    it('goes from ids to a field and from a field to ids; unknown values are simply absent', async () => {
      const alice = await fixture.create('people', { login: 'Alice' });
      const bob = await fixture.create('people', { login: 'Bob' });
      await fixture.create('people', { login: 'carol' });
      const byId = await lookup('people', '$id', [bob, 'no such id', alice], ['login']);
      expect(byId).toHaveLength(2);
      expect(byId).toEqual(
        expect.arrayContaining([
          { $id: alice, login: 'Alice' },
          { $id: bob, login: 'Bob' },
        ]),
      );
      const byLogin = await lookup('people', 'login', ['Bob', 'nobody', 'Alice'], ['login']);
      expect(byLogin).toHaveLength(2);
      expect(byLogin).toEqual(expect.arrayContaining([...byId]));
      expect(await lookup('people', 'login', ['nobody'])).toEqual([]);
      expect(await lookup('people', 'login', [])).toEqual([]);
    });

    it('compares as the field is compared, and gives a record once', async ({ skip }) => {
      fixture.needs(skip, 'people', 'mail');
      const alice = await fixture.create('people', { login: 'alice', mail: ['a@example.com', 'b@example.com'] });
      const spelled = fixture.comparisonOf('people')('login') === 'exact' ? [] : [alice];
      expect(await found('people', 'login', ['ALICE'])).toEqual(spelled);
      expect(await found('people', 'login', ['alice', 'ALICE', 'alice'])).toEqual([alice]);
      expect(await found('people', 'mail', ['a@example.com', 'b@example.com'])).toEqual([alice]);
    });

    it('finds groups by their members', async ({ skip }) => {
      fixture.needs(skip, 'groups', 'members');
      const [alice, bob, carol] = await Promise.all(
        ['alice', 'bob', 'carol'].map((login) => fixture.create('people', { login })),
      );
      const staff = await fixture.create('groups', { title: 'staff', members: [alice!, bob!] });
      const board = await fixture.create('groups', { title: 'board', members: [bob!, carol!] });
      expect(await found('groups', 'members', [bob!])).toEqual(sorted([staff, board]));
      expect(await found('groups', 'members', [alice!, 'no such id'])).toEqual([staff]);
    });

    it('takes any text for what it is [7644-7.7-01]', async () => {
      const id = await fixture.create('people', { login: 'alice' });
      const odd = awkwardTexts.filter((text) => text.length < 100);
      expect(await found('people', 'login', odd)).toEqual([]);
      expect(await found('people', 'login', [...odd, 'alice'])).toEqual([id]);
      expect(await found('people', '$id', [...odd, id])).toEqual([id]);
    });

    it('takes 1,500 values at once', async () => {
      const numbers = Array.from({ length: 1_500 }, (_, n) => n);
      const present = numbers.filter((n) => n % 3 === 0);
      const ids = await Promise.all(present.map((n) => fixture.create('people', { login: `user${n}` })));
      const values = numbers.map((n) => `user${n}`);
      expect(await found('people', 'login', values)).toEqual(sorted(ids));
      const unknown = numbers.slice(500).map((n) => `no such id ${n}`);
      expect(await found('people', '$id', [...ids, ...unknown])).toEqual(sorted(ids));
    });
  });

  describe('references', () => {
    it('shows the other end of a reference, as it is now', async ({ skip }) => {
      fixture.needs(skip, 'people', 'memberOf');
      fixture.needs(skip, 'groups', 'members');
      const groupsOf = async (id: string) =>
        sorted(scalarsOf(await fixture.read('people', id, 'memberOf'), 'memberOf'));
      const alice = await fixture.create('people', { login: 'alice' });
      const bob = await fixture.create('people', { login: 'bob' });
      const staff = await fixture.create('groups', { title: 'staff', members: [alice] });
      const board = await fixture.create('groups', { title: 'board', members: [alice, bob] });
      expect(await groupsOf(alice)).toEqual(sorted([staff, board]));
      await fixture.update('groups', staff, [{ op: 'remove', field: 'members', values: [alice] }]);
      await fixture.update('groups', board, [{ op: 'set', field: 'members', values: [alice] }]);
      expect(await groupsOf(alice)).toEqual([board]);
      expect(await groupsOf(bob)).toEqual([]);
      await fixture.delete('groups', board);
      expect(await fixture.read('people', alice, 'memberOf')).toEqual({ $id: alice });
      const { records } = await fixture.search({ entity: 'people', fields: ['memberOf'] });
      expect(records).toEqual(expect.arrayContaining([{ $id: alice }, { $id: bob }]));
    });

    it('takes a deleted record out of the fields that refer to it', async ({ skip }) => {
      skip(!fixture.can('people').referentialIntegrity, noIntegrity);
      fixture.needs(skip, 'people', 'manager');
      fixture.needs(skip, 'groups', 'members');
      const boss = await fixture.create('people', { login: 'boss' });
      const alice = await fixture.create('people', { login: 'alice', manager: boss });
      const staff = await fixture.create('groups', { title: 'staff', members: [boss, alice] });
      const before = await fixture.revision('groups', staff);
      await fixture.delete('people', boss);
      expect(await fixture.read('groups', staff, 'members')).toEqual({ $id: staff, members: [alice] });
      expect(await fixture.read('people', alice, 'manager')).toEqual({ $id: alice });
      if (before !== undefined) expect(await fixture.revision('groups', staff)).not.toBe(before);
      await fixture.delete('people', alice);
      expect(await fixture.read('groups', staff, 'members')).toEqual({ $id: staff });
    });

    it('takes a deleted group out of the groups that hold it [7643-4.2-05]', async ({ skip }) => {
      skip(!fixture.can('groups').referentialIntegrity, noIntegrity);
      fixture.needs(skip, 'groups', 'members');
      const inner = await fixture.create('groups', { title: 'inner' });
      const outer = await fixture.create('groups', { title: 'outer', members: [inner] });
      await fixture.update('groups', inner, [{ op: 'set', field: 'members', values: [outer] }]);
      await fixture.delete('groups', inner);
      expect(await fixture.read('groups', outer)).toEqual({ $id: outer, title: 'outer' });
      await fixture.create('groups', { title: 'inner' });
      expect(await fixture.read('groups', outer)).toEqual({ $id: outer, title: 'outer' });
    });

    it('takes a deleted record out of child records that refer to it', async ({ skip }) => {
      skip(!fixture.can('people').referentialIntegrity, noIntegrity);
      fixture.needs(skip, 'groups', 'owners');
      const [alice, bob] = [
        await fixture.create('people', { login: 'alice' }),
        await fixture.create('people', { login: 'b' }),
      ];
      const owners = [
        { value: alice, type: 'User' },
        { value: bob, type: 'User' },
      ];
      const staff = await fixture.create('groups', { title: 'staff', owners });
      await fixture.delete('people', alice);
      expect(childrenOf(await fixture.read('groups', staff, 'owners'), 'owners')).toEqual([
        { value: bob, type: 'User' },
      ]);
    });

    it('lets references follow a renamed record, and gives a re-used name no old rights', async ({ skip }) => {
      skip(!fixture.can('people').referentialIntegrity, noIntegrity);
      fixture.needs(skip, 'groups', 'contact');
      const alice = await fixture.create('people', { login: 'alice' });
      const staff = await fixture.create('groups', { title: 'staff', contact: 'alice' });
      await fixture.update('people', alice, [{ op: 'set', field: 'login', values: ['alice.smith'] }]);
      expect(await fixture.read('groups', staff, 'contact')).toEqual({ $id: staff, contact: 'alice.smith' });
      await fixture.delete('people', alice);
      expect(await fixture.read('groups', staff, 'contact')).toEqual({ $id: staff });
      await fixture.create('people', { login: 'alice.smith' });
      expect(await fixture.read('groups', staff, 'contact')).toEqual({ $id: staff });
    });
  });
}
