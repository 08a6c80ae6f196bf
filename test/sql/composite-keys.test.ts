import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { mysqlKind } from '../../adapters/sql/mysql/kind.js';
import { postgresqlKind } from '../../adapters/sql/postgresql/kind.js';
import { openServerAdapter } from '../../adapters/sql/server-adapter.js';
import type { Adapter, BackendRecord, Change, EntityUse, SearchQuery } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
import { environmentIn } from '../contract/contract-entities.js';
import { openTables, StoreAdapter, use } from '../sqlite/tables-fixture.js';
import { describeOnSql, startSql } from '../support/sql/available.js';
import { openPool, within } from '../support/sql/open-pool.js';

/** The number counts within its tenant, and is the database's where there is one tenant only. */
const schema = (counted: string, boss: string): string => `
  CREATE TABLE users (tenant varchar(20) NOT NULL, no integer NOT NULL, login varchar(50), boss_no integer, v integer, gone varchar(30),
    PRIMARY KEY (tenant, no)${boss});
  CREATE TABLE mails (tenant varchar(20) NOT NULL, user_no integer NOT NULL, address varchar(50) NOT NULL, kind varchar(10),
    FOREIGN KEY (tenant, user_no) REFERENCES users (tenant, no));
  CREATE INDEX mails_of ON mails (tenant, user_no);
  CREATE TABLE teams (tenant varchar(20) NOT NULL, code varchar(40) NOT NULL, title varchar(50), v integer, PRIMARY KEY (tenant, code));
  CREATE TABLE links (tenant varchar(20) NOT NULL, team varchar(40) NOT NULL, usr integer NOT NULL,
    PRIMARY KEY (tenant, team, usr),
    FOREIGN KEY (tenant, team) REFERENCES teams (tenant, code), FOREIGN KEY (tenant, usr) REFERENCES users (tenant, no));
  CREATE INDEX links_of ON links (tenant, usr);
  CREATE TABLE badges (site varchar(10) NOT NULL, ${counted}, label varchar(20), ${counted.includes('AUTOINCREMENT') ? 'UNIQUE (site, serial)' : 'PRIMARY KEY (serial, site)'});`;

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    idPrefix: 'u-',
    fields: [
      use('tenant', { comparison: 'exact' }),
      use('number', { type: 'number' }),
      use('login'),
      use('boss', { comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
      use('mails', { type: 'records', children: [use('value'), use('type')] }),
      use('groups', {
        multiple: true,
        written: false,
        comparison: 'exact',
        inverseOf: { entity: 'groups', field: 'members' },
        reference: { targets: ['groups'], by: '$id' },
      }),
    ],
  },
  {
    entity: 'groups',
    fields: [
      use('tenant', { comparison: 'exact' }),
      use('title', { comparison: 'exact' }),
      use('members', { multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
    ],
  },
  { entity: 'badges', fields: [use('label', { comparison: 'exact' })] },
];

const tables: TablesConfig = {
  people: {
    table: 'users',
    key: ['tenant', 'no'],
    version: 'v',
    softDelete: 'gone',
    fields: {
      tenant: 'tenant',
      number: 'no',
      login: 'login',
      boss: ['tenant', 'boss_no'],
      mails: { table: 'mails', parent: ['tenant', 'user_no'], columns: { value: 'address', type: 'kind' } },
    },
  },
  groups: {
    table: 'teams',
    key: ['tenant', 'code'],
    version: 'v',
    fields: {
      tenant: 'tenant',
      title: 'title',
      members: { table: 'links', parent: ['tenant', 'team'], column: ['tenant', 'usr'] },
    },
  },
  badges: {
    table: 'badges',
    key: ['site', 'serial'],
    fixed: { site: 'north' },
    generateKey: 'database',
    fields: { label: 'label' },
  },
};

interface Opened {
  readonly adapter: Adapter;
  readonly run: (statement: string) => Promise<unknown>;
}

function behaves(title: string, open: () => Promise<Opened>): void {
  describe(title, () => {
    let adapter: Adapter;
    let run: Opened['run'];
    let team = '';
    const context = () => within(60_000);
    const make = async (entity: string, record: BackendRecord) =>
      idOf(await adapter.create(entity, record, { fields: [] }, context()));
    const change = (entity: string, id: string, ...changes: readonly Change[]) =>
      adapter.update(entity, id, changes, { fields: [] }, context());
    const find = (query: Omit<SearchQuery, 'limit' | 'wantTotal' | 'fields'> & Partial<SearchQuery>) =>
      adapter.search({ limit: 100, wantTotal: false, fields: [], ...query }, context());
    const read = (entity: string, id: string, ...fields: readonly string[]) =>
      adapter.get(entity, id, { fields }, context());

    beforeAll(async () => {
      ({ adapter, run } = await open());
      await adapter.check(context());
    }, 120_000);
    afterAll(() => adapter?.close());

    it('has an id that is one text of all columns, and reads a record by it', async () => {
      expect(
        await make('people', { tenant: 'acme', number: 1, login: 'ada', mails: [{ value: 'a@x', type: 'work' }] }),
      ).toBe('u-acme.1');
      expect(await make('people', { tenant: 'acme', number: 2, login: 'bob', boss: 'u-acme.1' })).toBe('u-acme.2');
      expect(await make('people', { tenant: 'a.b/ü', number: 1, login: 'eve' })).toBe('u-a~2Eb~2F~C3~BC.1');
      expect(await read('people', 'u-acme.1', 'login', 'mails')).toEqual({
        $id: 'u-acme.1',
        login: 'ada',
        mails: [{ value: 'a@x', type: 'work' }],
      });
      expect(await read('people', 'u-a~2Eb~2F~C3~BC.1', 'login', 'mails')).toEqual({
        $id: 'u-a~2Eb~2F~C3~BC.1',
        login: 'eve',
      });
    });

    it.each([
      'u-acme',
      'acme.1',
      'u-acme.01',
      'u-acme.x',
      'u-acme.1.1',
      'u-ACME.1',
      'u-acm~65.1',
      'u-acme.',
      'u-.',
      'u-~.1',
      '',
    ])('finds nothing by "%s"', async (id) => {
      expect(await read('people', id)).toBeUndefined();
      await expect(change('people', id, { op: 'set', field: 'login', values: ['x'] })).rejects.toMatchObject({
        kind: 'notFound',
      });
      await expect(adapter.delete('people', id, {}, context())).rejects.toMatchObject({ kind: 'notFound' });
      const byId = { kind: 'compare', path: '$id', op: 'eq', value: id } as const;
      expect((await find({ entity: 'people', filter: byId })).records).toEqual([]);
      expect(await adapter.lookup('people', { by: '$id', values: [id], fields: [] }, context())).toEqual([]);
    });

    it('refuses a new record that lacks a part of its key, and one whose key is taken', async () => {
      await expect(make('people', { tenant: 'acme', login: 'x' })).rejects.toMatchObject({
        kind: 'rejected',
        field: 'number',
      });
      await expect(make('people', { tenant: 'acme', number: 1, login: 'x' })).rejects.toMatchObject({
        kind: 'conflict',
      });
      const moved = change('people', 'u-acme.1', { op: 'set', field: 'tenant', values: ['other'] });
      await expect(moved).rejects.toMatchObject({ kind: 'rejected', field: 'tenant' });
    });

    it('gives one part of the key a UUID, or lets the database count it', async () => {
      team = await make('groups', { tenant: 'acme', title: 'staff', members: ['u-acme.1'] });
      expect(team).toMatch(/^acme\.[0-9a-f-]{36}$/);
      expect(await make('badges', { label: 'one' })).toBe('north.1');
      const second = await adapter.create('badges', { label: 'two' }, { fields: ['label'] }, context());
      expect(second).toEqual({ $id: 'north.2', label: 'two' });
      expect((await find({ entity: 'badges', fields: ['label'] })).records).toHaveLength(2);
    });

    it('adds and removes members, and shows the groups of a person', async () => {
      await change('groups', team, { op: 'add', field: 'members', values: ['u-acme.2', 'u-acme.1'] });
      expect(await read('groups', team, 'members', '$revision')).toEqual({
        $id: team,
        members: ['u-acme.1', 'u-acme.2'],
        $revision: '2',
      });
      expect((await find({ entity: 'people', fields: ['groups', 'boss'] })).records).toEqual([
        { $id: 'u-a~2Eb~2F~C3~BC.1' },
        { $id: 'u-acme.1', groups: [team] },
        { $id: 'u-acme.2', groups: [team], boss: 'u-acme.1' },
      ]);
      const member = { kind: 'compare', path: 'members', op: 'eq', value: 'u-acme.2' } as const;
      expect((await find({ entity: 'groups', filter: member })).records).toEqual([{ $id: team }]);
      const of = { kind: 'compare', path: 'groups', op: 'eq', value: team } as const;
      expect((await find({ entity: 'people', filter: of })).records.map(idOf)).toEqual(['u-acme.1', 'u-acme.2']);
      expect((await find({ entity: 'people', filter: { kind: 'not', operand: of } })).records).toHaveLength(1);
      expect(
        await adapter.lookup('groups', { by: 'members', values: ['u-acme.2', 'u-x.2'], fields: [] }, context()),
      ).toEqual([{ $id: team }]);
      await change('groups', team, { op: 'remove', field: 'members', values: ['u-acme.2'] });
      expect(await read('groups', team, 'members')).toEqual({ $id: team, members: ['u-acme.1'] });
      const same = await change('groups', team, { op: 'add', field: 'members', values: ['u-acme.1'] });
      expect(same.changed).toBe(false);
      await change('groups', team, { op: 'set', field: 'members', values: ['u-acme.2', 'u-acme.1'] });
      expect(await read('groups', team, 'members')).toMatchObject({ members: ['u-acme.1', 'u-acme.2'] });
    });

    it('puts no records of two tenants together', async () => {
      for (const values of [['u-a~2Eb~2F~C3~BC.1'], ['u-acme.1', 'u-a~2Eb~2F~C3~BC.1'], ['nobody']]) {
        const added = change('groups', team, { op: 'add', field: 'members', values });
        await expect(added).rejects.toMatchObject({ kind: 'rejected', field: 'members' });
      }
      const boss = change('people', 'u-acme.2', { op: 'set', field: 'boss', values: ['u-a~2Eb~2F~C3~BC.1'] });
      await expect(boss).rejects.toMatchObject({ kind: 'rejected', field: 'boss' });
      expect(await read('groups', team, 'members')).toMatchObject({ members: ['u-acme.1', 'u-acme.2'] });
    });

    it('changes a reference in several columns without touching the key that shares one', async () => {
      await change('people', 'u-acme.2', { op: 'set', field: 'boss', values: [] });
      expect(await read('people', 'u-acme.2', 'boss', 'tenant')).toEqual({ $id: 'u-acme.2', tenant: 'acme' });
      await change('people', 'u-acme.2', { op: 'set', field: 'boss', values: ['u-acme.1'] });
      const boss = { kind: 'compare', path: 'boss', op: 'eq', value: 'u-acme.1' } as const;
      expect((await find({ entity: 'people', filter: boss })).records).toEqual([{ $id: 'u-acme.2' }]);
    });

    it('changes rows of a child table', async () => {
      const add = { op: 'add', field: 'mails', values: [{ value: 'b@x', type: 'home' }] } as const;
      const where = { kind: 'compare', path: 'type', op: 'eq', value: 'work' } as const;
      await change('people', 'u-acme.1', add, { op: 'updateWhere', field: 'mails', where, set: { value: 'c@x' } });
      const filter = { kind: 'valuePath', path: 'mails', filter: where } as const;
      expect((await find({ entity: 'people', filter, fields: ['mails'] })).records).toEqual([
        {
          $id: 'u-acme.1',
          mails: expect.arrayContaining([
            { value: 'b@x', type: 'home' },
            { value: 'c@x', type: 'work' },
          ]),
        },
      ]);
    });

    it('pages in the order of the key, and by it among equals', async () => {
      for (const number of [3, 4, 5, 10])
        await make('people', { tenant: 'acme', number, login: number > 4 ? 'same' : 'cy' });
      await make('people', { tenant: 'zeta', number: 1, login: 'same' });
      const ids = ['u-a~2Eb~2F~C3~BC.1', ...[1, 2, 3, 4, 5, 10].map((number) => `u-acme.${number}`), 'u-zeta.1'];
      const walk = async (query: Partial<SearchQuery>) => {
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page = await find({ entity: 'people', limit: 2, ...query, ...(after === undefined ? {} : { after }) });
          seen.push(...page.records.map(idOf));
          after = page.next;
        } while (after !== undefined);
        return seen;
      };
      expect(await walk({})).toEqual(ids);
      const [eve = '', ada = '', bob = '', ...others] = ids;
      const byLogin = [ada, bob, ...others.slice(0, 2), eve, ...others.slice(2)];
      expect(await walk({ sort: { field: 'login', descending: false } })).toEqual(byLogin);
      expect(await find({ entity: 'people', offset: 6, limit: 5, wantTotal: true })).toEqual({
        records: [{ $id: 'u-acme.10' }, { $id: 'u-zeta.1' }],
        total: 8,
      });
      const forged = find({ entity: 'people', after: Buffer.from('[1,"x",null]').toString('base64url') });
      await expect(forged).rejects.toMatchObject({ kind: 'rejected' });
    });

    it('looks many up at once, of several tenants', async () => {
      const values = ['u-acme.1', 'u-acme.10', 'u-zeta.1', 'u-zeta.2', 'u-acme.x', 'nobody', 'u-a~2Eb~2F~C3~BC.1'];
      const found = await adapter.lookup('people', { by: '$id', values, fields: ['groups'] }, context());
      expect(found.map(idOf).sort()).toEqual(['u-acme.1', 'u-acme.10', 'u-a~2Eb~2F~C3~BC.1', 'u-zeta.1']);
    });

    it('deletes softly, with what referred to the record', async () => {
      await adapter.delete('people', 'u-acme.1', {}, context());
      expect(await read('people', 'u-acme.1')).toBeUndefined();
      expect(await read('people', 'u-acme.2', 'boss', 'groups')).toEqual({ $id: 'u-acme.2', groups: [team] });
      expect(await read('groups', team, 'members')).toEqual({ $id: team, members: ['u-acme.2'] });
      await run("UPDATE users SET gone = '2026-01-01T00:00:00Z' WHERE tenant = 'acme' AND no = 2");
      expect(await read('groups', team, 'members')).toEqual({ $id: team }); // somebody else deleted it
      await adapter.delete('groups', team, {}, context());
      expect(await read('groups', team)).toBeUndefined();
    });

    it('finds nothing wrong with the tables', async () => {
      const { problems } = await adapter.inspect(context());
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    });

    it('explains its statements', () => {
      const filter = { kind: 'compare', path: '$id', op: 'eq', value: 'u-acme.7' } as const;
      const query = { entity: 'people', filter, fields: [], limit: 1, wantTotal: false };
      expect(adapter.describe?.({ kind: 'search', query })).toMatch(
        /tenant.? = 'acme' AND .*no.? (= 7|= CAST\('7'|IN .*\[7,)/,
      );
      const add = { op: 'add', field: 'members', values: ['u-acme.7'] } as const;
      const lines = adapter.describe?.({ kind: 'update', entity: 'groups', id: 'acme.x', changes: [add] }) ?? '';
      expect(lines).toMatch(/INSERT INTO .links. \(.tenant., .team., .usr.\) SELECT 'acme', 'x', /);
      expect(adapter.describe?.({ kind: 'create', entity: 'badges', record: { label: 'x' } })).toContain('INSERT INTO');
    });
  });
}

const fixture = openTables(schema('serial INTEGER PRIMARY KEY AUTOINCREMENT', ''), entities, tables);
behaves('SQLite: keys of several columns', async () => ({
  adapter: new StoreAdapter(fixture, entities),
  run: async (statement) => fixture.db.exec(statement),
}));

for (const kind of ['postgresql', 'mysql'] as const) {
  await describeOnSql(kind, 'keys of several columns', async (title) => {
    const server = await startSql(kind);
    const counted =
      kind === 'postgresql' ? 'serial integer GENERATED BY DEFAULT AS IDENTITY' : 'serial integer AUTO_INCREMENT';
    const database = await server.createDatabase(schema(counted, ''));
    if (kind === 'postgresql') {
      await database.run(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${server.user}`);
      await database.run(`GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${server.user}`);
    }
    afterAll(() => server.close());
    behaves(title, async () => ({
      adapter: await openServerAdapter({
        kind: kind === 'postgresql' ? postgresqlKind : mysqlKind,
        pool: await openPool(server, database),
        tables,
        environment: environmentIn('/', entities),
      }),
      run: (statement) => database.run(statement),
    }));
  });
}
