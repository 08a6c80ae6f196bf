import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { idOf } from '../../src/backend/record.js';
import { expectKind } from '../contract/contract-fixture.js';
import {
  context,
  entities,
  groups,
  is,
  openManaged,
  openStore,
  people,
  rowsChangedBy,
  testFolder,
} from './managed-fixture.js';

describe('the file of a managed store', () => {
  it('is readable by its owner only', async () => {
    const folder = await testFolder();
    await openManaged(folder);
    const { mode } = await stat(join(folder, 'store.db'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('holds no value of a field that is only written: a password is not kept', async () => {
    const folder = await testFolder();
    const adapter = await openManaged(folder);
    const record = await adapter.create('people', { login: 'a', password: 'Sesame-4711' }, { fields: [] }, context());
    const change = { op: 'set', field: 'password', values: ['Sesame-4711'] } as const;
    expect(await adapter.update('people', idOf(record), [change], { fields: [] }, context())).toMatchObject({
      changed: false,
    });
    for (const name of await readdir(folder)) {
      expect((await readFile(join(folder, name))).includes('Sesame'), name).toBe(false);
    }
  });

  it('keeps gateways apart', async () => {
    const folder = await testFolder();
    const [one, other] = [
      await openManaged(folder, { gateway: 'one' }),
      await openManaged(folder, { gateway: 'other' }),
    ];
    const id = idOf(await one.create('people', { login: 'a' }, { fields: [] }, context()));
    await other.create('people', { login: 'A' }, { fields: [] }, context());
    expect(await other.get('people', id, { fields: [] }, context())).toBeUndefined();
    await expectKind(other.delete('people', id, {}, context()), 'notFound');
    const query = { entity: 'people', filter: is('login', 'a'), fields: [], limit: 10, wantTotal: true };
    expect(await other.search(query, context())).toMatchObject({ total: 1 });
    expect(await one.search({ ...query, filter: is('$id', id) }, context())).toMatchObject({ total: 1 });
    expect(await other.search({ ...query, filter: is('$id', id) }, context())).toMatchObject({ total: 0 });
    expect(await other.lookup('people', { by: '$id', values: [id], fields: [] }, context())).toEqual([]);
  });

  it('of a newer release is refused when opened', async () => {
    const folder = await testFolder();
    const { db } = await openStore(folder);
    db.pragma('user_version = 99');
    const error = await expectKind(openManaged(folder), 'unsupported');
    expect(error.message).toContain('newer release');
  });

  it('that belongs to something else is refused and left alone', async () => {
    const folder = await testFolder();
    const db = new Database(join(folder, 'store.db'));
    db.exec('CREATE TABLE invoices (id INTEGER PRIMARY KEY)');
    await expectKind(openManaged(folder), 'unsupported');
    expect(db.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['invoices']);
    db.close();
  });

  it('that cannot be opened makes operations unavailable, not the start', async () => {
    const folder = await testFolder();
    const blocked = join(folder, 'blocked');
    await writeFile(blocked, '');
    const adapter = await openManaged(folder, { dataDir: join(blocked, 'below') });
    await expectKind(adapter.check(context()), 'unavailable');
    await expectKind(adapter.create('people', { login: 'a' }, { fields: [] }, context()), 'unavailable');
  });

  it('is missed by the health check when it was replaced', async () => {
    const folder = await testFolder();
    const adapter = await openManaged(folder);
    await adapter.check(context());
    for (const name of await readdir(folder)) await rm(join(folder, name));
    await openManaged(folder);
    await expectKind(adapter.check(context()), 'unavailable');
  });
});

describe('a record of a managed store', () => {
  it('has a random id, behind the prefix of its entity', async () => {
    const { db, store } = await openStore(await testFolder());
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}';
    db.transaction(() => {
      expect(idOf(store.create('people', { login: 'a' }, { fields: [] }))).toMatch(new RegExp(`^${uuid}$`));
      expect(idOf(store.create('groups', { title: 'a' }, { fields: [] }))).toMatch(new RegExp(`^g-${uuid}$`));
    }).immediate();
  });

  it('changes its revision and time with every change, and nothing at all without one', async () => {
    const opened = await openStore(await testFolder());
    const { store } = opened;
    const fields = ['$revision', '$modified', '$created'];
    let record = {};
    rowsChangedBy(opened, () => {
      record = store.create('people', { login: 'a', title: 'x', mails: [{ value: 'v', type: 't' }] }, { fields });
    });
    const id = idOf(record);
    const times = [String(store.get('people', id, { fields })?.$modified)];
    for (let n = 2; n < 5; n++) {
      rowsChangedBy(opened, () =>
        store.update('people', id, [{ op: 'set', field: 'title', values: [`${n}`] }], { fields }),
      );
      const after = store.get('people', id, { fields });
      expect(after).toMatchObject({ $revision: String(n), $created: times[0] });
      times.push(String(after?.$modified));
    }
    expect([...new Set(times)].sort()).toEqual(times);
    const same = [
      { op: 'set', field: 'title', values: ['4'] },
      { op: 'add', field: 'mails', values: [{ type: 't', value: 'v' }] },
      { op: 'removeWhere', field: 'mails', where: is('type', 'other') },
      { op: 'set', field: 'title', values: ['5'] },
      { op: 'set', field: 'title', values: ['4'] },
    ] as const;
    expect(rowsChangedBy(opened, () => store.update('people', id, same, { fields }))).toBe(0);
    expect(store.get('people', id, { fields })).toMatchObject({ $revision: '4' });
  });

  it('that goes is taken out of every reference to it, and those who referred to it get a new revision', async () => {
    const opened = await openStore(await testFolder());
    const { store } = opened;
    rowsChangedBy(opened, () => {
      const gone = idOf(store.create('people', { login: 'gone' }, { fields: [] }));
      const stays = idOf(store.create('people', { login: 'stays', manager: gone }, { fields: [] }));
      const members = [{ value: gone, type: 'User' }, { value: stays }, { value: 'unknown' }];
      const group = idOf(store.create('groups', { title: 'one', members }, { fields: [] }));
      const other = idOf(store.create('groups', { title: 'two', members: [{ value: stays }] }, { fields: [] }));
      store.delete('people', gone, {});
      expect(store.get('people', stays, { fields: ['$revision', 'manager'] })).toEqual({ $id: stays, $revision: '2' });
      expect(store.get('groups', other, { fields: ['$revision'] })).toMatchObject({ $revision: '1' });
      const left = store.get('groups', group, { fields: ['$revision', 'members'] });
      expect(left).toMatchObject({ $revision: '2' });
      expect(left?.members).toHaveLength(2);
    });
  });
});

describe('a group of a managed store', () => {
  const member = (n: number | string) => ({ value: `member-${n}`, type: 'User' });

  it('is changed by as many rows, whether it has 10 members or 20,000', async () => {
    const opened = await openStore(await testFolder());
    const { store } = opened;
    const costs = [10, 20_000].map((size) => {
      const members = Array.from({ length: size }, (_, n) => member(n));
      let id = '';
      rowsChangedBy(opened, () => {
        id = idOf(store.create('groups', { title: `of ${size}`, members }, { fields: [] }));
      });
      const update = (change: Parameters<typeof store.update>[2][number]) =>
        rowsChangedBy(opened, () => store.update('groups', id, [change], { fields: ['$revision'] }));
      return [
        update({ op: 'add', field: 'members', values: [member('new')] }),
        update({ op: 'add', field: 'members', values: [member('new')] }),
        update({ op: 'remove', field: 'members', values: [{ value: 'member-new' }] }),
        update({ op: 'removeWhere', field: 'members', where: is('value', 'MEMBER-1') }),
        update({ op: 'updateWhere', field: 'members', where: is('value', 'member-2'), set: { type: 'Group' } }),
        update({ op: 'remove', field: 'members', values: [{ value: 'stranger' }] }),
      ];
    });
    expect(costs[0]).toEqual([2, 0, 2, 2, 3, 0]);
    expect(costs[1]).toEqual(costs[0]);
  });

  it('that is replaced as a whole is changed by the difference only', async () => {
    const opened = await openStore(await testFolder());
    const { store } = opened;
    const members = Array.from({ length: 50 }, (_, n) => member(n));
    let id = '';
    rowsChangedBy(opened, () => {
      id = idOf(store.create('groups', { title: 'a', members }, { fields: [] }));
    });
    const set = (values: typeof members) =>
      rowsChangedBy(opened, () =>
        store.update('groups', id, [{ op: 'set', field: 'members', values }], { fields: [] }),
      );
    expect(set([...members.slice(1), member('new')])).toBe(3);
    expect(set([member('new'), ...members.slice(1)])).toBe(0);
    expect(set([])).toBe(51);
    expect(store.get('groups', id, { fields: ['members', '$revision'] })).toEqual({ $id: id, $revision: '3' });
  });
});

describe('another mapping of the same entity', () => {
  const values = { login: 'Anna', title: 'Ärztin', manager: 'somebody' };
  const withField = (name: string, use: object) => [
    { ...people, fields: people.fields.map((field) => (field.name === name ? { ...field, ...use } : field)) },
    groups,
  ];
  const count = (opened: Awaited<ReturnType<typeof openStore>>, path: string, value: string) =>
    opened.store.search({ entity: 'people', filter: is(path, value), fields: [], limit: 10, wantTotal: true }).total;

  it('compares what is there as it says itself', async () => {
    const folder = await testFolder();
    const before = await openStore(folder);
    rowsChangedBy(before, () => before.store.create('people', values, { fields: [] }));
    expect([count(before, 'title', 'ÄRZTIN'), count(before, 'title', 'Ärztin')]).toEqual([1, 1]);
    const after = await openStore(folder, withField('title', { comparison: 'exact' }));
    expect([count(after, 'title', 'ÄRZTIN'), count(after, 'title', 'Ärztin')]).toEqual([0, 1]);
  });

  it('makes references of plain values, and plain values of references', async () => {
    const folder = await testFolder();
    const plain = withField('manager', { reference: undefined });
    const first = await openStore(folder, plain);
    let [manager, id] = ['', ''];
    rowsChangedBy(first, () => {
      manager = idOf(first.store.create('people', { login: 'boss' }, { fields: [] }));
      id = idOf(first.store.create('people', { ...values, manager }, { fields: [] }));
    });
    const second = await openStore(folder, entities);
    expect(count(second, 'manager', manager)).toBe(1);
    const third = await openStore(folder, plain);
    expect(third.store.get('people', id, { fields: ['manager'] })).toEqual({ $id: id, manager });
    const fourth = await openStore(folder, entities);
    rowsChangedBy(fourth, () => fourth.store.delete('people', manager, {}));
    expect(fourth.store.get('people', id, { fields: ['manager'] })).toEqual({ $id: id });
  });

  it('stops a process that still has the one before from writing', async () => {
    const folder = await testFolder();
    const adapter = await openManaged(folder, { gateway: 'test' });
    await adapter.create('people', values, { fields: [] }, context());
    await openStore(folder, withField('title', { comparison: 'exact' }));
    const error = await expectKind(adapter.create('people', { login: 'b' }, { fields: [] }, context()), 'unavailable');
    expect(error.message).toContain('Restart');
  });

  it('lets a process write that uses none of the fields which are kept in another way', async () => {
    const folder = await testFolder();
    const before = await openStore(folder);
    rowsChangedBy(before, () => before.store.create('people', values, { fields: [] }));
    const untitled = [{ ...people, fields: people.fields.filter(({ name }) => name !== 'title') }, groups];
    const adapter = await openManaged(folder, { gateway: 'test', entities: untitled });
    await adapter.create('people', { login: 'b' }, { fields: [] }, context());
    await openStore(folder, withField('title', { comparison: 'exact' }));
    for (const login of ['c', 'd']) await adapter.create('people', { login }, { fields: [] }, context());
    expect(await adapter.lookup('people', { by: 'login', values: ['d'], fields: [] }, context())).toHaveLength(1);
  });

  it.each([
    ['another comparison', withField('title', { comparison: 'exact' }), 'people.title'],
    ['plain values instead of references', withField('manager', { reference: undefined }), 'people.manager'],
    ['a field less', [{ ...people, fields: people.fields.slice(1) }, groups], undefined],
    ['no difference', [people, groups], undefined],
  ])('%s: cannot be opened beside the one in use if it keeps a field otherwise', (_, next, field) => {
    const config = { type: 'sqlite' as const };
    const reason = sqliteModule.excludes?.({ config, entities: [people, groups] }, { config, entities: next });
    if (field === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(field);
    const other = { ...config, file: 'other.db' };
    expect(sqliteModule.excludes?.({ config: other, entities: [people, groups] }, { config, entities: next })).toBe(
      undefined,
    );
  });
});

describe('describing an operation on a managed store', () => {
  it('spells the SQL out, with quotes doubled', async () => {
    const { store } = await openStore(await testFolder());
    const query = { entity: 'people', filter: is('login', "O'Malley"), fields: ['title'], limit: 10, wantTotal: true };
    const text = store.describe({ kind: 'search', query });
    expect(text).toContain("v.key = 'o''malley'");
    expect(text).not.toContain('?');
    const update = store.describe({
      kind: 'update',
      entity: 'groups',
      id: 'g-1',
      changes: [
        { op: 'add', field: 'members', values: [{ value: 'x' }] },
        { op: 'set', field: 'title', values: ['y'] },
      ],
    });
    expect(update).toContain('INSERT INTO link (owner, field, key, rest) VALUES (@seq, ');
    expect(update).toContain("WHERE id = 'g-1'");
    expect(store.describe({ kind: 'create', entity: 'people', record: { login: 'A' } })).toContain(`'{"login":"A"}'`);
  });
});
