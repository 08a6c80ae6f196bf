import type { Change } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { scalarsOf } from '../backend/record.js';
import { type ContractFixture, expectKind, sorted } from './contract-fixture.js';
import { expect } from './expect.js';
import type { Suite } from './suite.js';

const noUnique = 'declares enforcesUnique: false';
const noRevision = 'declares revision: false';

function setLogin(login: string): Change {
  return { op: 'set', field: 'login', values: [login] };
}

/** What holds when several write: revisions, unique fields, and updates that are whole or not at all. */
export function writeContract(fixture: ContractFixture, { it }: Suite): void {
  /** Which of two logins that differ in case only the backend takes for one. */
  const foldsCase = () => fixture.comparisonOf('people')('login') !== 'exact';

  it('carries out an update or a deletion of the revision that was read [7644-3.14-05]', async ({ skip }) => {
    skip(!fixture.can('people').revision, noRevision);
    const id = await fixture.create('people', { login: 'alice' });
    const first = await fixture.revision('people', id);
    await fixture.update('people', id, [setLogin('bob')], { ...(first && { ifRevision: first }) });
    const second = await fixture.revision('people', id);
    expect(await fixture.read('people', id, 'login')).toEqual({ $id: id, login: 'bob' });
    await fixture.delete('people', id, second);
    expect(await fixture.get('people', id)).toBeUndefined();
  });

  it('refuses an update or a deletion of another revision [7644-3.14-05 7644-3.14-del-01]', async ({ skip }) => {
    skip(!fixture.can('people').revision, noRevision);
    const id = await fixture.create('people', { login: 'alice' });
    const stale = (await fixture.revision('people', id)) ?? '';
    await fixture.update('people', id, [setLogin('bob')]);
    for (const ifRevision of [stale, '', 'no such revision', "'; --"]) {
      await expectKind(fixture.update('people', id, [setLogin('carol')], { ifRevision }), 'revisionMismatch');
      await expectKind(fixture.update('people', id, [setLogin('bob')], { ifRevision }), 'revisionMismatch');
      await expectKind(fixture.delete('people', id, ifRevision), 'revisionMismatch');
    }
    expect(await fixture.read('people', id, 'login')).toEqual({ $id: id, login: 'bob' });
    await fixture.delete('people', id);
    await expectKind(fixture.delete('people', id, stale), 'notFound');
  });

  it('lets one of two writers with the same revision win [7644-3.14-08]', async ({ skip }) => {
    skip(!fixture.can('people').revision, noRevision);
    const id = await fixture.create('people', { login: 'alice' });
    const ifRevision = (await fixture.revision('people', id)) ?? '';
    const logins = ['bob', 'carol', 'dave', 'erin'];
    const outcomes = await Promise.allSettled(
      logins.map((login) => fixture.update('people', id, [setLogin(login)], { ifRevision })),
    );
    const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [logins[index]] : []));
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ kind: 'revisionMismatch' });
    }
    expect(await fixture.read('people', id, 'login')).toEqual({ $id: id, login: winners[0] });
  });

  it('refuses a second record with the value of a unique field, and names the field', async ({ skip }) => {
    skip(!fixture.can('people').enforcesUnique, noUnique);
    const id = await fixture.create('people', { login: 'alice' });
    const error = await expectKind(fixture.create('people', { login: 'alice' }), 'conflict');
    expect(error).toMatchObject({ field: 'login', applied: 'no' });
    expect(error.reason ?? '').not.toMatch(/alice/);
    await fixture.create('groups', { title: 'alice' });
    expect((await expectKind(fixture.create('groups', { title: 'alice' }), 'conflict')).field).toBe('title');
    expect(await fixture.ids('people')).toEqual([id]);
  });

  it('compares a unique field as it compares the field in a filter', async ({ skip }) => {
    skip(!fixture.can('people').enforcesUnique, noUnique);
    await fixture.create('people', { login: 'alice' });
    const other = await fixture.create('people', { login: 'bob' });
    if (foldsCase()) {
      expect((await expectKind(fixture.create('people', { login: 'ALICE' }), 'conflict')).field).toBe('login');
      await expectKind(fixture.update('people', other, [setLogin('Alice')]), 'conflict');
    } else {
      await fixture.create('people', { login: 'ALICE' });
    }
    skip(fixture.comparisonOf('people')('login') !== 'fold', 'login does not compare beyond ASCII');
    await fixture.create('people', { login: 'rené.ångström' });
    await expectKind(fixture.create('people', { login: 'RENÉ.ÅNGSTRÖM' }), 'conflict');
    await fixture.create('people', { login: 'rene.angstrom' });
  });

  it('refuses an update to the value of another record [7644-3.5.2-25]', async ({ skip }) => {
    skip(!fixture.can('people').enforcesUnique, noUnique);
    await fixture.create('people', { login: 'alice' });
    const id = await fixture.create('people', { login: 'bob' });
    const revision = await fixture.revision('people', id);
    const error = await expectKind(fixture.update('people', id, [setLogin('alice')]), 'conflict');
    expect(error).toMatchObject({ field: 'login', applied: 'no' });
    expect(await fixture.read('people', id, 'login')).toEqual({ $id: id, login: 'bob' });
    expect(await fixture.revision('people', id)).toBe(revision);
  });

  it('lets a record keep or re-spell its own unique value, and others have it once it is free', async () => {
    const id = await fixture.create('people', { login: 'alice' });
    await fixture.update('people', id, [setLogin('alice')]);
    await fixture.update('people', id, [setLogin('Alice')]);
    expect(await fixture.read('people', id, 'login')).toEqual({ $id: id, login: 'Alice' });
    await fixture.update('people', id, [setLogin('bob')]);
    const next = await fixture.create('people', { login: 'alice' });
    await fixture.delete('people', next);
    await fixture.create('people', { login: 'ALICE' });
  });

  it('lets exactly one of many creates with one unique value win', async ({ skip }) => {
    skip(!fixture.can('people').enforcesUnique, noUnique);
    for (const login of ['alice', 'bob']) {
      const logins = Array.from({ length: 20 }, (_, index) => (foldsCase() && index % 2 ? login.toUpperCase() : login));
      const outcomes = await Promise.allSettled(logins.map((spelled) => fixture.create('people', { login: spelled })));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ kind: 'conflict', field: 'login' });
      }
    }
    expect(await fixture.ids('people')).toHaveLength(2);
  });

  it('lets exactly one of many renames to one unique value win', async ({ skip }) => {
    skip(!fixture.can('people').enforcesUnique, noUnique);
    const ids = await Promise.all(Array.from({ length: 10 }, (_, n) => fixture.create('people', { login: `p${n}` })));
    const outcomes = await Promise.allSettled(ids.map((id) => fixture.update('people', id, [setLogin('chief')])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const chief = { kind: 'compare', path: 'login', op: 'eq', value: 'chief' } as const;
    expect(await fixture.ids('people', chief)).toHaveLength(1);
  });

  it('leaves nothing of an update whose last change fails [7644-3.5.2-19]', async ({ skip }) => {
    skip(!fixture.can('people').atomicUpdate, 'declares atomicUpdate: false');
    skip(!fixture.can('people').enforcesUnique, noUnique);
    fixture.needs(skip, 'people', 'name', 'mail', 'mails');
    await fixture.create('people', { login: 'alice' });
    const mails = [{ value: 'b@example.com', type: 'work' }];
    const id = await fixture.create('people', { login: 'bob', name: 'Bob', mail: ['b@example.com'], mails });
    const fields = [...fixture.fieldsOf('people'), '$revision', '$modified'];
    const before = await fixture.read('people', id, ...fields);
    const changes: readonly Change[] = [
      { op: 'set', field: 'name', values: ['Robert'] },
      { op: 'add', field: 'mail', values: ['r@example.com'] },
      { op: 'remove', field: 'mail', values: ['b@example.com'] },
      { op: 'add', field: 'mails', values: [{ value: 'r@example.com', type: 'home' }] },
      { op: 'removeWhere', field: 'mails', where: { kind: 'compare', path: 'type', op: 'eq', value: 'work' } },
      setLogin('alice'),
    ];
    await expectKind(fixture.update('people', id, changes), 'conflict');
    expect(await fixture.read('people', id, ...fields)).toEqual(before);
  });

  it('leaves nothing of a create that fails', async ({ skip }) => {
    skip(!fixture.can('people').enforcesUnique, noUnique);
    fixture.needs(skip, 'people', 'mail', 'memberOf');
    fixture.needs(skip, 'groups', 'members');
    const id = await fixture.create('people', { login: 'alice' });
    const staff = await fixture.create('groups', { title: 'staff', members: [id] });
    await expectKind(fixture.create('people', { login: 'alice', mail: ['a@example.com'] }), 'conflict');
    await expectKind(fixture.create('groups', { title: 'staff', members: [id] }), 'conflict');
    expect(await fixture.ids('people')).toEqual([id]);
    expect(scalarsOf(await fixture.read('people', id, 'memberOf'), 'memberOf')).toEqual([staff]);
  });

  it('loses none of many changes to one record at a time [7644-3.5.2-29]', async ({ skip }) => {
    fixture.needs(skip, 'groups', 'members');
    const numbers = Array.from({ length: 25 }, (_, n) => n);
    const people = await Promise.all(numbers.map((n) => fixture.create('people', { login: `p${n}` })));
    const group = await fixture.create('groups', { title: 'staff', members: people.slice(0, 5) });
    const outcomes = await Promise.allSettled([
      ...people.slice(5).map((id) => fixture.update('groups', group, [{ op: 'add', field: 'members', values: [id] }])),
      ...people
        .slice(0, 5)
        .map((id) => fixture.update('groups', group, [{ op: 'remove', field: 'members', values: [id] }])),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(AdapterError);
    }
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    const members = scalarsOf(await fixture.read('groups', group, 'members'), 'members');
    expect(sorted(members)).toEqual(sorted(people.slice(5)));
  });
}
