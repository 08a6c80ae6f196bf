import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { mysqlKind } from '../../adapters/sql/mysql/kind.js';
import { postgresqlKind } from '../../adapters/sql/postgresql/kind.js';
import { openServerAdapter } from '../../adapters/sql/server-adapter.js';
import type { Adapter, EntityUse } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
import { environmentIn } from '../contract/contract-entities.js';
import { openTables, StoreAdapter, use } from '../sqlite/tables-fixture.js';
import { describeOnSql, startSql } from '../support/sql/available.js';
import { openPool, within } from '../support/sql/open-pool.js';

/** What somebody else keeps in the same tables, under the same keys. */
const others = `
  INSERT INTO users VALUES ('b', 1, 'ada', 'ada', FALSE, 5), ('b', 2, 'bob', 'bob', FALSE, 5), ('a', 3, 'guest', 'guest', TRUE, 5);
  INSERT INTO teams VALUES ('b', 1, 'all', 5);
  INSERT INTO links VALUES ('b', 1, '1'), ('b', 1, '2');`;

const schema = `
  CREATE TABLE users (tenant varchar(10), no integer, login varchar(50), login_folded varchar(50), guest boolean, v integer,
    PRIMARY KEY (tenant, no), UNIQUE (tenant, login_folded));
  CREATE TABLE teams (tenant varchar(10), no integer, title varchar(50), v integer, PRIMARY KEY (tenant, no));
  CREATE TABLE links (tenant varchar(10), team integer, usr varchar(20), PRIMARY KEY (tenant, team, usr));
  ${others}`;

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [use('number', { type: 'number' }), use('login', { unique: true })],
  },
  {
    entity: 'groups',
    fields: [
      use('number', { type: 'number' }),
      use('title', { comparison: 'exact' }),
      use('members', { multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
    ],
  },
];

const tables: TablesConfig = {
  people: {
    table: 'users',
    key: 'no',
    fixed: { tenant: 'a', guest: false },
    generateKey: 'database',
    version: 'v',
    fields: { number: 'no', login: { column: 'login', folded: 'login_folded' } },
  },
  groups: {
    table: 'teams',
    key: 'no',
    fixed: { tenant: 'a' },
    generateKey: 'database',
    version: 'v',
    fields: {
      number: 'no',
      title: 'title',
      members: { table: 'links', parent: 'team', column: 'usr', fixed: { tenant: 'a' } },
    },
  },
};

function behaves(title: string, open: () => Promise<Adapter>, everything: () => Promise<unknown>): void {
  describe(title, () => {
    let adapter: Adapter;
    beforeAll(async () => {
      adapter = await open();
      await adapter.check(within(60_000));
    }, 120_000);
    afterAll(() => adapter?.close());

    it('leaves rows of others alone, whatever is done to ours with the same keys', async () => {
      const before = await everything();
      const context = () => within(60_000);
      const make = async (entity: string, record: Parameters<Adapter['create']>[1]) =>
        idOf(await adapter.create(entity, record, { fields: [] }, context()));
      expect(await make('people', { number: 1, login: 'ADA' })).toBe('1');
      await make('people', { number: 2, login: 'bob' });
      await expect(make('people', { number: 4, login: 'Ada' })).rejects.toMatchObject({
        kind: 'conflict',
        field: 'login',
      });
      expect(await make('groups', { number: 1, title: 'ours', members: ['1'] })).toBe('1');

      const add = { op: 'add', field: 'members', values: ['2'] } as const;
      await adapter.update('groups', '1', [add], { fields: [] }, context());
      const rename = { op: 'set', field: 'login', values: ['ada.l'] } as const;
      const options = { fields: ['login', '$revision'], ifRevision: '1' };
      expect(await adapter.update('people', '1', [rename], options, context())).toEqual({
        changed: true,
        record: { $id: '1', login: 'ada.l', $revision: '2' },
      });
      const all = { entity: 'people', fields: ['login'], limit: 10, wantTotal: true };
      expect(await adapter.search(all, context())).toEqual({
        records: [
          { $id: '1', login: 'ada.l' },
          { $id: '2', login: 'bob' },
        ],
        total: 2,
      });
      expect(await adapter.get('people', '3', { fields: [] }, context())).toBeUndefined(); // a guest
      expect(await adapter.lookup('people', { by: '$id', values: ['1', '3'], fields: [] }, context())).toHaveLength(1);
      await adapter.delete('people', '2', {}, context());
      const group = await adapter.get('groups', '1', { fields: ['members', '$revision'] }, context());
      expect(group).toEqual({ $id: '1', members: ['1'], $revision: '3' });
      await adapter.delete('groups', '1', {}, context());
      await adapter.delete('people', '1', {}, context());
      expect(await everything()).toEqual(before);
    });

    it('has a unique value kept by an index that begins with the fixed column', async () => {
      expect(adapter.capabilities.entities.people?.enforcesUnique).toBe(true);
      const { problems } = await adapter.inspect(within(60_000));
      expect(problems.filter(({ configPath }) => configPath.includes('login'))).toEqual([]);
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    });
  });
}

const select = ['users', 'teams', 'links'].map((table) => `SELECT * FROM ${table} ORDER BY 1, 2, 3`);

const fixture = openTables(schema, entities, tables);
behaves(
  'SQLite: tables that tenants share',
  async () => new StoreAdapter(fixture, entities),
  async () => select.map((statement) => fixture.db.prepare(statement).all()),
);

for (const kind of ['postgresql', 'mysql'] as const) {
  await describeOnSql(kind, 'tables that tenants share', async (title) => {
    const server = await startSql(kind);
    const database = await server.createDatabase(schema);
    if (kind === 'postgresql') await database.run(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${server.user}`);
    afterAll(() => server.close());
    behaves(
      title,
      async () =>
        openServerAdapter({
          kind: kind === 'postgresql' ? postgresqlKind : mysqlKind,
          pool: await openPool(server, database),
          tables,
          environment: environmentIn('/', entities),
        }),
      async () => Promise.all(select.map((statement) => database.run(statement))),
    );
  });
}
