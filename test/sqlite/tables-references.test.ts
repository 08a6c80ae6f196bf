import { afterEach, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import type { EntityUse, FieldUse } from '../../src/backend/adapter.js';
import { errorOf, ids, openTables, type TablesFixture, use } from './tables-fixture.js';

const toPeople: Partial<FieldUse> = { comparison: 'exact', reference: { targets: ['people'], by: '$id' } };

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      use('login', { unique: true }),
      use('boss', toPeople),
      use('deputies', { ...toPeople, multiple: true }),
      use('memberOf', {
        multiple: true,
        comparison: 'exact',
        written: false,
        reference: { targets: ['groups'], by: '$id' },
        inverseOf: { entity: 'groups', field: 'members' },
      }),
    ],
  },
  {
    entity: 'groups',
    fields: [
      use('title'),
      use('members', { ...toPeople, multiple: true }),
      use('contact', { reference: { targets: ['people'], by: 'login' } }),
      use('owners', { type: 'records', children: [use('value', toPeople), use('role')] }),
    ],
  },
];

const tables: TablesConfig = {
  people: {
    table: 'users',
    key: 'id',
    version: 'v',
    fields: {
      login: { column: 'login', folded: 'login_fold' },
      boss: 'boss_id',
      deputies: { column: 'doc', json: '$.deputies' },
    },
  },
  groups: {
    table: 'teams',
    key: 'id',
    version: 'v',
    fields: {
      title: 'title',
      members: { table: 'links', parent: 'team_id', column: 'user_id' },
      contact: 'contact',
      owners: { column: 'doc', json: '$.owners' },
    },
  },
};

function schemaWith(onDelete: string): string {
  return `
    CREATE TABLE users (
      id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT, login_fold TEXT UNIQUE, boss_id INTEGER REFERENCES users (id) ${onDelete}, doc TEXT, v INT
    );
    CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, contact TEXT, doc TEXT, v INT);
    CREATE TABLE links (
      team_id INTEGER REFERENCES teams (id) ${onDelete}, user_id INTEGER REFERENCES users (id) ${onDelete}, PRIMARY KEY (team_id, user_id)
    ) WITHOUT ROWID;
    CREATE TABLE badges (user_id INTEGER REFERENCES users (id));
  `;
}

let fixture: TablesFixture;
afterEach(() => fixture.close());

function build(onDelete: string): { readonly boss: string; readonly clerk: string; readonly team: string } {
  fixture = openTables(schemaWith(onDelete), entities, tables);
  const boss = String(fixture.create('people', { login: 'Boss' }).$id);
  const clerk = String(fixture.create('people', { login: 'clerk', boss, deputies: [boss] }).$id);
  const owners = [
    { value: boss, role: 'first' },
    { value: clerk, role: 'second' },
  ];
  const record = { title: 'team', members: [boss, clerk], contact: 'boss', owners };
  return { boss, clerk, team: String(fixture.create('groups', record).$id) };
}

const read = (entity: string, id: string, ...fields: readonly string[]) => fixture.store.get(entity, id, { fields });

describe('references in existing tables', () => {
  it.each(['', 'ON DELETE CASCADE', 'ON DELETE SET NULL'])(
    'are mended when a record is deleted, with foreign keys "%s"',
    (action) => {
      const { boss, clerk, team } = build(action.replace('SET NULL', 'CASCADE'));
      const before = read('groups', team, '$revision');
      expect(fixture.store.capabilities.people?.referentialIntegrity).toBe(true);
      fixture.write((store) => store.delete('people', boss, {}));
      expect(read('people', clerk, 'boss', 'deputies')).toEqual({ $id: clerk });
      expect(read('groups', team, 'members', 'contact', 'owners')).toEqual({
        $id: team,
        members: [clerk],
        owners: [{ value: clerk, role: 'second' }],
      });
      expect(read('groups', team, '$revision')).not.toEqual(before);
      expect(read('people', clerk, '$revision')).not.toEqual({ $id: clerk, $revision: '1' });
    },
  );

  it('follow a renamed record', () => {
    const { boss, team } = build('');
    fixture.update('people', boss, { op: 'set', field: 'login', values: ['Chief'] });
    expect(read('groups', team, 'contact')).toEqual({ $id: team, contact: 'Chief' });
  });

  it('show their other end without a declaration of its own', () => {
    const { boss, team } = build('');
    expect(read('people', boss, 'memberOf')).toEqual({ $id: boss, memberOf: [team] });
    const other = String(fixture.create('people', { login: 'x' }).$id);
    const belongs = { kind: 'compare', path: 'memberOf', op: 'eq', value: team } as const;
    expect(ids(fixture.find('people', { kind: 'not', operand: belongs }))).toEqual([other]);
    const found = fixture.store.lookup('people', { by: 'memberOf', values: [team], fields: [] });
    expect(found.map(({ $id }) => $id)).toHaveLength(2);
    const write = () => fixture.update('people', boss, { op: 'set', field: 'memberOf', values: [] });
    expect(errorOf(write)).toMatchObject({ kind: 'rejected', field: 'memberOf' });
  });

  it('from tables that are not declared keep the record from being deleted, without naming them', () => {
    const { boss, team } = build('');
    fixture.db.prepare('INSERT INTO badges VALUES (?)').run(Number(boss));
    const error = errorOf(() => fixture.write((store) => store.delete('people', boss, {})));
    expect(error).toMatchObject({ kind: 'rejected', reason: 'Other data still refers to the record.' });
    expect(read('groups', team, 'members')?.members).toHaveLength(2);
  });

  it('that the adapter may not write are said not to be mended', () => {
    const readOnly: TablesConfig = {
      ...tables,
      people: { ...tables.people!, fields: { ...tables.people!.fields, boss: { column: 'boss_id', readOnly: true } } },
    };
    fixture = openTables(schemaWith(''), entities, readOnly);
    expect(fixture.store.capabilities.people?.referentialIntegrity).toBe(false);
    expect(fixture.store.capabilities.groups?.referentialIntegrity).toBe(true);
  });

  it('may hold the field that the mapping names as the id', () => {
    const byField = entities.map((entity) => ({
      ...entity,
      idPrefix: entity.entity === 'people' ? 'U-' : 'G-',
      ...(entity.entity === 'people' ? { id: 'uid' } : {}),
      fields: entity.fields.map((field) =>
        field.name === 'members'
          ? use('members', { ...toPeople, multiple: true, reference: { targets: ['people'], by: 'uid' } })
          : field,
      ),
    }));
    fixture = openTables(schemaWith(''), byField, tables);
    const boss = String(fixture.create('people', { login: 'Boss' }).$id);
    expect(read('people', boss, 'uid')).toEqual({ $id: 'U-1', uid: '1' });
    const team = String(fixture.create('groups', { title: 't', members: ['1'] }).$id);
    expect(fixture.store.lookup('people', { by: 'uid', values: ['1', 'x'], fields: [] })).toEqual([{ $id: 'U-1' }]);
    fixture.write((store) => store.delete('people', boss, {}));
    expect(read('groups', team, 'members')).toEqual({ $id: team });
  });

  it('hold ids with a prefix, the columns bare keys', () => {
    const prefixed = entities.map((entity) => ({ ...entity, idPrefix: entity.entity === 'people' ? 'U-' : 'G-' }));
    fixture = openTables(schemaWith(''), prefixed, tables);
    const boss = String(fixture.create('people', { login: 'Boss' }).$id);
    const clerk = String(fixture.create('people', { login: 'c', boss }).$id);
    const team = String(fixture.create('groups', { title: 't', members: [boss, clerk] }).$id);
    expect([boss, clerk, team]).toEqual(['U-1', 'U-2', 'G-1']);
    expect(fixture.column('SELECT user_id FROM links')).toEqual([1, 2]);
    expect(read('groups', team, 'members')?.members).toEqual([boss, clerk]);
    expect(read('people', clerk, 'boss', 'memberOf')).toEqual({ $id: clerk, boss, memberOf: [team] });
    for (const id of ['1', 'G-1', 'U-', 'U-01', 'u-1']) expect(read('people', id)).toBeUndefined();
    const starts = { kind: 'compare', path: '$id', op: 'sw', value: 'U-' } as const;
    expect(ids(fixture.find('people', starts))).toEqual([boss, clerk]);
    expect(fixture.store.lookup('people', { by: '$id', values: ['1', boss, team], fields: [] })).toEqual([
      { $id: boss },
    ]);
    const unknown = () => fixture.update('groups', team, { op: 'add', field: 'members', values: [team] });
    expect(errorOf(unknown)).toMatchObject({ kind: 'rejected', field: 'members' });
    fixture.write((store) => store.delete('people', boss, {}));
    expect(read('groups', team, 'members')?.members).toEqual([clerk]);
  });
});
