import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { mysqlKind } from '../../adapters/sql/mysql/kind.js';
import { postgresqlKind } from '../../adapters/sql/postgresql/kind.js';
import { openServerAdapter } from '../../adapters/sql/server-adapter.js';
import type { Adapter, BackendRecord, Change, EntityUse, OperationContext, Scalar } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
import { environmentIn } from '../contract/contract-entities.js';
import { use } from '../sqlite/tables-fixture.js';
import { describeOnSql, startSql } from '../support/sql/available.js';
import { openPool, within } from '../support/sql/open-pool.js';
import type { SqlDatabase, SqlKind, SqlServer } from '../support/sql/sql-server.js';

const schemas: Readonly<Record<SqlKind, string>> = {
  postgresql: `
    CREATE TABLE users (
      id uuid PRIMARY KEY, login varchar(20) NOT NULL, age smallint, boss uuid, joined date, seen timestamptz(0), code char(4), bio text
    );
    CREATE UNIQUE INDEX ON users (lower(login));
    CREATE TABLE groups (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL UNIQUE, v integer);
    CREATE TABLE members (grp bigint NOT NULL REFERENCES groups (id), usr text NOT NULL, PRIMARY KEY (grp, usr));
    CREATE INDEX ON members (usr)`,
  mysql: `
    CREATE TABLE users (
      id char(36) CHARACTER SET ascii PRIMARY KEY, login varchar(20) NOT NULL UNIQUE, age smallint, boss uuid, joined date, seen datetime, code char(4), bio text
    ) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
    CREATE TABLE \`groups\` (id bigint AUTO_INCREMENT PRIMARY KEY, title varchar(200) COLLATE utf8mb4_nopad_bin NOT NULL UNIQUE, v int);
    CREATE TABLE members (
      grp bigint NOT NULL, usr varchar(64) CHARACTER SET ascii NOT NULL, PRIMARY KEY (grp, usr), KEY (usr),
      FOREIGN KEY (grp) REFERENCES \`groups\` (id)
    )`,
};

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      use('login', { unique: true }),
      use('age', { type: 'number' }),
      use('boss', { comparison: 'exact' }),
      use('joined', { type: 'instant' }),
      use('seen', { type: 'instant' }),
      use('code', { comparison: 'exact' }),
      use('bio'),
    ],
  },
  {
    entity: 'groups',
    fields: [
      use('title', { unique: true, comparison: 'exact' }),
      use('members', { multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
    ],
  },
];

const tables: TablesConfig = {
  people: {
    table: 'users',
    key: 'id',
    fields: {
      login: 'login',
      age: 'age',
      boss: 'boss',
      joined: 'joined',
      seen: 'seen',
      code: 'code',
      bio: 'bio',
    },
  },
  groups: {
    table: 'groups',
    key: 'id',
    version: 'v',
    fields: { title: 'title', members: { table: 'members', parent: 'grp', column: 'usr' } },
  },
};

for (const kind of ['postgresql', 'mysql'] as const) {
  await describeOnSql(kind, 'writing tables', (title) => {
    let server: SqlServer;
    let database: SqlDatabase;
    let adapter: Adapter;
    let traced: string[] = [];

    beforeAll(async () => {
      server = await startSql(kind);
      database = await server.createDatabase(schemas[kind]);
      if (kind === 'postgresql') {
        await database.run(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${server.user}`);
        await database.run(`ALTER TABLE users OWNER TO ${server.user}`);
      }
      adapter = await openServerAdapter({
        kind: kind === 'postgresql' ? postgresqlKind : mysqlKind,
        pool: await openPool(server, database),
        tables,
        environment: environmentIn('/', entities),
      });
      await adapter.check(context());
    }, 120_000);
    afterAll(async () => {
      await adapter?.close();
      await server?.close();
    });

    const context = (): OperationContext => {
      traced = [];
      return { ...within(60_000), trace: ({ operation }) => traced.push(operation) };
    };
    const create = async (entity: string, record: BackendRecord, ...fields: readonly string[]) =>
      adapter.create(entity, record, { fields }, context());
    const update = (entity: string, id: string, ...changes: readonly Change[]) =>
      adapter.update(entity, id, changes, { fields: [] }, context());
    const add = (id: string, ...values: readonly Scalar[]) =>
      update('groups', id, { op: 'add', field: 'members', values });
    const numbers = async (statement: string): Promise<number> => Number((await database.run(statement))[0]?.[0]);
    const groups = kind === 'postgresql' ? 'groups' : '`groups`';
    const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

    describe(title, () => {
      it('refuses what a column cannot hold, with the field, and keeps nothing of it', async () => {
        const before = await numbers('SELECT count(*) FROM users');
        const wrong: readonly (readonly [string, Scalar])[] = [
          ['login', 'x'.repeat(21)],
          ['age', 40_000],
          ['age', 1.5],
          ['boss', 'nobody'],
          ['boss', '8E6BD3A0-0000-4000-8000-00000000000A'],
          ['joined', '2011-05-13T04:42:34Z'],
          ['code', 'ab '],
          ['bio', 'nul\0byte'],
          ['bio', 'half \ud800'],
        ];
        for (const [field, value] of wrong) {
          const record = field === 'login' ? { login: value } : { login: 'wrong', [field]: value };
          await expect(create('people', record), field).rejects.toMatchObject({ kind: 'rejected', field });
        }
        await expect(create('people', { age: 5 })).rejects.toMatchObject({ kind: 'rejected', field: 'login' });
        expect(await numbers('SELECT count(*) FROM users')).toBe(before);
      });

      it('finds nothing by what a column cannot hold [7644-3.4.2.2-02]', async () => {
        const find = async (path: string, value: string | number, op: 'eq' | 'co' = 'eq') =>
          (
            await adapter.search(
              {
                entity: 'people',
                fields: [],
                limit: 10,
                wantTotal: false,
                filter: { kind: 'compare', path, op, value },
              },
              context(),
            )
          ).records;
        for (const value of ['nobody', '8E6BD3A0-0000-4000-8000-00000000000A', 'nul\0byte', 'é'.repeat(5_000), '']) {
          expect(await find('boss', value)).toEqual([]);
          expect(await find('login', value)).toEqual([]);
          expect(await find('$id', value)).toEqual([]);
        }
        for (const value of [1e300, -1e300, 2 ** 63, 0.5]) expect(await find('age', value)).toEqual([]);
        expect(await adapter.get('people', 'nul\0byte', { fields: [] }, context())).toBeUndefined();
        const lookup = { by: '$id', values: ['nobody', 'nul\0byte', '\ud800', uuid(1).toUpperCase()], fields: [] };
        expect(await adapter.lookup('people', lookup, context())).toEqual([]);
      });

      it('keeps whole days and whole seconds in columns that hold no more', async () => {
        const record = { login: 'times', joined: '2011-05-13T00:00:00Z', seen: '2011-05-13T04:42:34.987Z' };
        const made = await create('people', record, 'joined', 'seen');
        expect(made).toMatchObject({ joined: '2011-05-13T00:00:00Z', seen: '2011-05-13T04:42:34Z' });
        const later = { kind: 'compare', path: 'seen', op: 'gt', value: '2011-05-13T04:42:34.5Z' } as const;
        const query = { entity: 'people', fields: [], limit: 10, wantTotal: false, filter: later };
        expect((await adapter.search(query, context())).records).toEqual([]);
        const earlier = { ...query, filter: { ...later, op: 'le' as const } };
        expect((await adapter.search(earlier, context())).records.map(idOf)).toEqual([idOf(made)]);
      });

      it('lets exactly one of many writers have a unique value [7644-3.5.2-25]', async () => {
        expect(adapter.capabilities.entities.people?.enforcesUnique).toBe(true);
        for (let race = 0; race < 15; race++) {
          const logins = [`race${race}`, `RACE${race}`, `Race${race}`, `race${race}`];
          const results = await Promise.allSettled(
            logins.map((login) => adapter.create('people', { login }, { fields: [] }, within(60_000))),
          );
          const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
          expect(lost).toHaveLength(3);
          for (const reason of lost) expect(reason).toMatchObject({ kind: 'conflict', field: 'login' });
        }
      });

      it('loses none of many changes of one group at the same time [7644-3.5.2.1-06]', async () => {
        const group = idOf(await create('groups', { title: 'busy', members: [uuid(900)] }, '$revision'));
        const adds = Array.from({ length: 40 }, (_, n) =>
          adapter.update(
            'groups',
            group,
            [{ op: 'add', field: 'members', values: [uuid(n), uuid(900)] }],
            { fields: [] },
            within(60_000),
          ),
        );
        const results = await Promise.all(adds);
        expect(results.every(({ changed }) => changed)).toBe(true);
        const read = await adapter.get('groups', group, { fields: ['members', '$revision'] }, context());
        expect(read?.members).toHaveLength(41);
        expect(read?.$revision).toBe('41');
      });

      it('gives one of two writers with the same revision the change, and tells the other [7644-3.14-05]', async () => {
        const made = await create('groups', { title: 'twice' }, '$revision');
        const ifRevision = String(made.$revision);
        const write = (title: string) =>
          adapter.update(
            'groups',
            idOf(made),
            [{ op: 'set', field: 'title', values: [title] }],
            { fields: [], ifRevision },
            within(60_000),
          );
        const results = await Promise.allSettled([write('one'), write('two')]);
        expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        const [lost] = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
        expect(lost).toMatchObject({ kind: 'revisionMismatch' });
      });

      it(
        kind === 'postgresql'
          ? 'tells states of a row apart where no column counts them [7644-3.14-02]'
          : 'has no revisions where no column counts them',
        async () => {
          const made = await create('people', { login: 'rows' }, '$revision');
          expect(adapter.capabilities.entities.people?.revision).toBe(kind === 'postgresql');
          if (kind !== 'postgresql') {
            expect(made).not.toHaveProperty('$revision');
            return;
          }
          const revision = async () =>
            (await adapter.get('people', idOf(made), { fields: ['$revision'] }, context()))?.$revision;
          expect(await revision()).toBe(made.$revision);
          const set: Change = { op: 'set', field: 'age', values: [7] };
          const changed = await adapter.update('people', idOf(made), [set], { fields: ['$revision'] }, context());
          expect(changed.record.$revision).not.toBe(made.$revision);
          expect(await revision()).toBe(changed.record.$revision);
          expect((await adapter.update('people', idOf(made), [set], { fields: [] }, context())).changed).toBe(false);
          expect(await revision()).toBe(changed.record.$revision);
        },
      );

      it('adds and removes a member of 100,000 without reading the others [7644-3.5.2.1-06 7644-3.5.2.2-07]', async () => {
        const group = idOf(await create('groups', { title: 'huge' }));
        const series =
          kind === 'postgresql'
            ? "SELECT i, 'm' || n FROM (SELECT id AS i FROM groups WHERE title = 'huge') g, generate_series(1, 100000) AS n"
            : "SELECT i, concat('m', seq) FROM (SELECT id AS i FROM `groups` WHERE title = 'huge') g, seq_1_to_100000";
        await database.run(`INSERT INTO members (grp, usr) ${series}`);
        const statements = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
          await work();
          return traced;
        };
        const small = idOf(await create('groups', { title: 'small', members: [uuid(1)] }));
        for (const values of [[uuid(5)], [uuid(6), uuid(7), uuid(8)]]) {
          const few = await statements(() => add(small, ...values));
          const many = await statements(() => add(group, ...values));
          expect(many).toEqual(few);
          expect(many.length).toBeLessThanOrEqual(6); // BEGIN and COMMIT among them
        }
        expect(await numbers(`SELECT count(*) FROM members WHERE grp = ${group}`)).toBe(100_004);
        expect((await add(group, uuid(5), uuid(6))).changed).toBe(false);
        const removed = await update('groups', group, {
          op: 'remove',
          field: 'members',
          values: [uuid(5), 'm7', 'm8'],
        });
        expect(removed.changed).toBe(true);
        expect(await numbers(`SELECT count(*) FROM members WHERE grp = ${group}`)).toBe(100_001);
      }, 120_000);

      it('adds thousands of members in few statements', async () => {
        const group = idOf(await create('groups', { title: 'grown' }));
        await add(group, ...Array.from({ length: 4_000 }, (_, n) => uuid(n)));
        expect(traced.length).toBeLessThan(15);
        await add(group, ...Array.from({ length: 4_001 }, (_, n) => uuid(n)));
        expect(await numbers(`SELECT count(*) FROM members WHERE grp = ${group}`)).toBe(4_001);
        const lookup = { by: 'members', values: Array.from({ length: 40_000 }, (_, n) => uuid(n)), fields: [] };
        expect((await adapter.lookup('groups', lookup, context())).map(idOf)).toContain(group);
      }, 60_000);

      it('reads a record with one statement, and creates one with an INSERT and a SELECT in a transaction', async () => {
        const made = await create('people', { login: 'counted' }, 'login', 'age');
        expect(traced.map((statement) => statement.split(' ')[0])).toEqual(['BEGIN', 'INSERT', 'SELECT', 'COMMIT']);
        await adapter.get('people', idOf(made), { fields: ['login', 'age'] }, context());
        expect(traced).toHaveLength(1);
      });

      it('goes to a later page from where the one before it ended, instead of walking over all of it', async () => {
        await database.run(`DELETE FROM members`);
        await database.run(`DELETE FROM ${groups}`);
        for (let n = 0; n < 12; n++) await create('groups', { title: `page ${String(n).padStart(2, '0')}` });
        const query = { entity: 'groups', fields: ['title'], limit: 5, wantTotal: true };
        const first = await adapter.search({ ...query, offset: 0 }, context());
        const second = await adapter.search({ ...query, offset: 5 }, context());
        expect(traced.join()).not.toContain('OFFSET');
        const third = await adapter.search({ ...query, offset: 10 }, context());
        expect(traced.join()).not.toContain('OFFSET');
        const titles = [first, second, third].flatMap(({ records }) => records.map(({ title: own }) => own));
        expect(titles).toHaveLength(12);
        expect(new Set(titles).size).toBe(12);
        await create('groups', { title: 'another' });
        await adapter.search({ ...query, offset: 5 }, context());
        expect(traced.join()).toContain('OFFSET');
      });

      it('notices a column that came or went while it runs', async () => {
        const { version } = adapter.capabilities;
        await database.run('ALTER TABLE users DROP COLUMN bio');
        await expect(create('people', { login: 'nobio', bio: 'x' })).rejects.toMatchObject({
          kind: 'unavailable',
          reason: expect.stringContaining('other tables') as unknown,
        });
        const inspected = await adapter.inspect(context());
        expect(inspected.problems).toContainEqual(
          expect.objectContaining({ severity: 'error', configPath: ['entities', 'people', 'fields', 'bio'] }),
        );
        await database.run('ALTER TABLE users ADD COLUMN bio text');
        expect(await create('people', { login: 'bio', bio: 'x' }, 'bio')).toMatchObject({ bio: 'x' });
        expect(adapter.capabilities.version).toBeGreaterThan(version);
      });

      it('finds nothing to say about tables that fit, but for what could be better', async () => {
        const { problems } = await adapter.inspect(context());
        expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      });
    });
  });
}
