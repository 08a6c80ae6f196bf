import type { Change, ChildRecord, Condition } from '../backend/adapter.js';
import { childrenOf, scalarsOf } from '../backend/record.js';
import { type ContractFixture, type EntityName, sorted } from './contract-fixture.js';
import { expect } from './expect.js';
import type { Suite } from './suite.js';

const work: ChildRecord = { value: 'w@example.com', type: 'work', primary: true };
const home: ChildRecord = { value: 'h@example.com', type: 'home' };
const other: ChildRecord = { value: 'o@example.com', type: 'other' };

function typeIs(type: string): Condition {
  return { kind: 'compare', path: 'type', op: 'eq', value: type };
}

/** Every kind of change, alone and together. */
export function changeContract(fixture: ContractFixture, { it }: Suite): void {
  const person = () =>
    fixture.create('people', {
      login: 'alice',
      name: 'Alice',
      age: 40,
      enabled: true,
      mail: ['a@example.com', 'b@example.com'],
      mails: [work, home],
    });
  const mailOf = async (id: string) => sorted(scalarsOf(await fixture.read('people', id, 'mail'), 'mail'));
  const mailsOf = async (id: string) => childrenOf(await fixture.read('people', id, 'mails'), 'mails');

  /** The update must change the record, and its revision with it [7644-3.14-07]. */
  async function changes(entity: EntityName, id: string, ...list: readonly Change[]): Promise<void> {
    const before = await fixture.revision(entity, id);
    expect((await fixture.update(entity, id, list)).changed).toBe(true);
    if (before !== undefined) expect(await fixture.revision(entity, id)).not.toBe(before);
  }

  /** The update must succeed and change nothing, not even the revision. */
  async function changesNothing(entity: EntityName, id: string, ...list: readonly Change[]): Promise<void> {
    const before = await fixture.read(entity, id, ...fixture.fieldsOf(entity), '$revision', '$modified');
    const result = await fixture.update(entity, id, list, { fields: ['$revision'] });
    expect(result.changed).toBe(false);
    if (fixture.can(entity).revision) expect(result.record.$revision).toBe(before.$revision);
    expect(await fixture.read(entity, id, ...fixture.fieldsOf(entity), '$revision', '$modified')).toEqual(before);
  }

  it('sets a value, and clears it with an empty list [7643-2.5-02 7644-3.5.2.2-01 7644-3.5.2.3-02]', async ({
    skip,
  }) => {
    fixture.needs(skip, 'people', 'name', 'age');
    const id = await person();
    await changes(
      'people',
      id,
      { op: 'set', field: 'name', values: ['Bob'] },
      { op: 'set', field: 'age', values: [41] },
    );
    expect(await fixture.read('people', id, 'name', 'age')).toEqual({ $id: id, name: 'Bob', age: 41 });
    await changes('people', id, { op: 'set', field: 'name', values: [] });
    expect(await fixture.read('people', id, 'name', 'age')).toEqual({ $id: id, age: 41 });
    await changes('people', id, { op: 'set', field: 'name', values: ['Carol'] });
    expect(await fixture.read('people', id, 'name')).toEqual({ $id: id, name: 'Carol' });
  });

  it('sets a field of another case, even where both compare equal', async ({ skip }) => {
    fixture.needs(skip, 'people', 'name');
    const id = await person();
    await changes('people', id, { op: 'set', field: 'name', values: ['ALICE'] });
    expect(await fixture.read('people', id, 'name')).toEqual({ $id: id, name: 'ALICE' });
  });

  it('sets many values as a whole, and clears them [7644-3.5.2.3-03 7644-3.5.2.2-02]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail');
    const id = await person();
    await changes('people', id, { op: 'set', field: 'mail', values: ['b@example.com', 'c@example.com'] });
    expect(await mailOf(id)).toEqual(['b@example.com', 'c@example.com']);
    await changes('people', id, { op: 'set', field: 'mail', values: [] });
    expect(await fixture.read('people', id, 'mail')).toEqual({ $id: id });
  });

  it('changes nothing by setting what is there [7644-3.5.2.3-10]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'name', 'age', 'enabled', 'mail');
    const id = await person();
    await changesNothing('people', id, { op: 'set', field: 'name', values: ['Alice'] });
    await changesNothing('people', id, { op: 'set', field: 'age', values: [40] });
    await changesNothing('people', id, { op: 'set', field: 'enabled', values: [true] });
    await changesNothing('people', id, { op: 'set', field: 'mail', values: ['b@example.com', 'a@example.com'] });
    await changesNothing('people', id);
  });

  it('changes nothing by clearing what is not there [7644-3.5.2.2-08]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'badge', 'tags');
    const id = await person();
    await changesNothing(
      'people',
      id,
      { op: 'set', field: 'badge', values: [] },
      { op: 'set', field: 'tags', values: [] },
    );
  });

  it('adds values to those there are, and to none [7644-3.5.2.1-04 7644-3.5.2.1-06]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail', 'tags', 'badge');
    const id = await person();
    await changes('people', id, { op: 'add', field: 'mail', values: ['c@example.com', 'a@example.com'] });
    expect(await mailOf(id)).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
    await changes(
      'people',
      id,
      { op: 'add', field: 'tags', values: ['x'] },
      { op: 'add', field: 'badge', values: ['7'] },
    );
    const record = await fixture.read('people', id, 'tags', 'badge');
    expect([scalarsOf(record, 'tags'), scalarsOf(record, 'badge')]).toEqual([['x'], ['7']]);
  });

  it('changes nothing by adding what is there [7644-3.5.2.1-08]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail');
    const id = await person();
    await changesNothing('people', id, { op: 'add', field: 'mail', values: ['b@example.com', 'a@example.com'] });
    await changesNothing('people', id, { op: 'add', field: 'mail', values: [] });
  });

  it('removes values, the last of them too [7644-3.5.2.2-03]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail', 'name');
    const id = await person();
    await changes('people', id, { op: 'remove', field: 'mail', values: ['a@example.com', 'none@example.com'] });
    expect(await mailOf(id)).toEqual(['b@example.com']);
    await changes('people', id, { op: 'remove', field: 'mail', values: ['b@example.com'] });
    await changes('people', id, { op: 'remove', field: 'name', values: ['Alice'] });
    expect(await fixture.read('people', id, 'mail', 'name')).toEqual({ $id: id });
  });

  it('changes nothing by removing what is not there [7644-3.5.2.2-07]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail', 'tags', 'name');
    const id = await person();
    await changesNothing('people', id, { op: 'remove', field: 'mail', values: ['none@example.com', 'A@EXAMPLE.COM'] });
    await changesNothing('people', id, { op: 'remove', field: 'tags', values: ['x'] });
    await changesNothing('people', id, { op: 'remove', field: 'name', values: ['Bob'] });
    await changesNothing('people', id, { op: 'remove', field: 'mail', values: [] });
  });

  it('carries changes out in their order [7644-3.5.2-16]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail', 'name');
    const id = await person();
    const list: readonly Change[] = [
      { op: 'remove', field: 'mail', values: ['a@example.com'] },
      { op: 'add', field: 'mail', values: ['a@example.com', 'c@example.com'] },
      { op: 'remove', field: 'mail', values: ['c@example.com'] },
      { op: 'set', field: 'name', values: ['Bob'] },
      { op: 'set', field: 'name', values: ['Carol'] },
    ];
    await changes('people', id, ...list);
    expect(await mailOf(id)).toEqual(['a@example.com', 'b@example.com']);
    expect(await fixture.read('people', id, 'name')).toEqual({ $id: id, name: 'Carol' });
  });

  it('gives the record as it is after the update', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail', 'name');
    const id = await person();
    const change: Change = { op: 'add', field: 'mail', values: ['c@example.com'] };
    const { record } = await fixture.update('people', id, [change], { fields: ['mail', 'name'] });
    expect(record).toMatchObject({ $id: id, name: 'Alice' });
    expect(sorted(scalarsOf(record, 'mail'))).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
    const none = await fixture.update('people', id, [change], { fields: ['name'] });
    expect(none).toMatchObject({ changed: false, record: { $id: id, name: 'Alice' } });
  });

  it('sets, adds and removes child records', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mails');
    const id = await person();
    await changes('people', id, { op: 'add', field: 'mails', values: [other, work] });
    expect(await mailsOf(id)).toEqual(expect.arrayContaining([work, home, other]));
    expect(await mailsOf(id)).toHaveLength(3);
    await changes('people', id, { op: 'remove', field: 'mails', values: [home] });
    expect(await mailsOf(id)).toEqual(expect.arrayContaining([work, other]));
    expect(await mailsOf(id)).toHaveLength(2);
    await changes('people', id, { op: 'set', field: 'mails', values: [home] });
    expect(await mailsOf(id)).toEqual([home]);
    await changes('people', id, { op: 'set', field: 'mails', values: [] });
    expect(await fixture.read('people', id, 'mails')).toEqual({ $id: id });
  });

  it('takes child records for equal only when all their fields are', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mails');
    const id = await person();
    await changesNothing('people', id, { op: 'add', field: 'mails', values: [home, work] });
    await changesNothing('people', id, { op: 'set', field: 'mails', values: [home, work] });
    const { primary: _, ...less } = work;
    await changesNothing('people', id, { op: 'remove', field: 'mails', values: [less, { ...home, type: 'work' }] });
    await changes('people', id, { op: 'add', field: 'mails', values: [less] });
    expect(await mailsOf(id)).toHaveLength(3);
  });

  it('changes fields of the child records that match, and leaves the rest [7644-3.5.2.2-05 7644-3.5.2.3-07]', async ({
    skip,
  }) => {
    fixture.needs(skip, 'people', 'mails');
    const id = await person();
    const set = { value: 'new@example.com', primary: null };
    await changes('people', id, { op: 'updateWhere', field: 'mails', where: typeIs('work'), set });
    const expected = [{ value: 'new@example.com', type: 'work' }, home];
    expect(await mailsOf(id)).toEqual(expect.arrayContaining(expected));
    expect(await mailsOf(id)).toHaveLength(2);
    const all: Condition = { kind: 'and', operands: [] };
    await changes('people', id, { op: 'updateWhere', field: 'mails', where: all, set: { primary: false } });
    expect(await mailsOf(id)).toEqual(expect.arrayContaining(expected.map((mail) => ({ ...mail, primary: false }))));
  });

  it('changes nothing where no child record matches, or all are so already', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mails');
    const id = await person();
    const none = typeIs('none');
    await changesNothing('people', id, { op: 'updateWhere', field: 'mails', where: none, set: { value: 'x' } });
    await changesNothing('people', id, { op: 'removeWhere', field: 'mails', where: none });
    const same = { value: 'w@example.com' };
    await changesNothing('people', id, { op: 'updateWhere', field: 'mails', where: typeIs('work'), set: same });
    await changesNothing('people', id, {
      op: 'updateWhere',
      field: 'mails',
      where: typeIs('home'),
      set: { primary: null },
    });
  });

  it('removes the child records that match [7644-3.5.2.2-04]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mails');
    const id = await person();
    const value: Condition = { kind: 'compare', path: 'value', op: 'ew', value: '@example.com' };
    const where: Condition = { kind: 'and', operands: [typeIs('work'), value] };
    await changes('people', id, { op: 'removeWhere', field: 'mails', where });
    expect(await mailsOf(id)).toEqual([home]);
    const negated: Condition = { kind: 'not', operand: { kind: 'present', path: 'primary' } };
    await changes('people', id, { op: 'removeWhere', field: 'mails', where: negated });
    expect(await fixture.read('people', id, 'mails')).toEqual({ $id: id });
  });

  it('adds and removes members by their ids alone [7643-4.2-04 7643-4.2-05]', async ({ skip }) => {
    fixture.needs(skip, 'groups', 'members');
    const alice = await fixture.create('people', { login: 'alice' });
    const bob = await fixture.create('people', { login: 'bob' });
    const inner = await fixture.create('groups', { title: 'inner' });
    const id = await fixture.create('groups', { title: 'staff', members: [alice] });
    const membersOf = async () => sorted(scalarsOf(await fixture.read('groups', id, 'members'), 'members'));
    await changes('groups', id, { op: 'add', field: 'members', values: [bob, inner, alice] });
    expect(await membersOf()).toEqual(sorted([alice, bob, inner]));
    await changesNothing('groups', id, { op: 'add', field: 'members', values: [alice, bob] });
    await changes('groups', id, { op: 'remove', field: 'members', values: [alice] });
    expect(await membersOf()).toEqual(sorted([bob, inner]));
    await changesNothing('groups', id, { op: 'remove', field: 'members', values: [alice] });
    await changes('groups', id, { op: 'set', field: 'members', values: [alice] });
    expect(await membersOf()).toEqual([alice]);
  });

  it('knows a child record that refers by what it refers to', async ({ skip }) => {
    fixture.needs(skip, 'groups', 'owners');
    const alice = await fixture.create('people', { login: 'alice' });
    const bob = await fixture.create('people', { login: 'bob' });
    const id = await fixture.create('groups', { title: 'staff', owners: [{ value: alice, type: 'User' }] });
    const ownersOf = async () => childrenOf(await fixture.read('groups', id, 'owners'), 'owners');
    await changesNothing('groups', id, { op: 'add', field: 'owners', values: [{ value: alice }] });
    await changes('groups', id, { op: 'add', field: 'owners', values: [{ value: bob, type: 'User' }] });
    expect(await ownersOf()).toHaveLength(2);
    await changes('groups', id, { op: 'remove', field: 'owners', values: [{ value: alice }] });
    expect(await ownersOf()).toEqual([{ value: bob, type: 'User' }]);
    await changesNothing('groups', id, { op: 'remove', field: 'owners', values: [{ value: alice }] });
  });
}
