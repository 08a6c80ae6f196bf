import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { mysqlKind } from '../../adapters/sql/mysql/kind.js';
import { postgresqlKind } from '../../adapters/sql/postgresql/kind.js';
import { openServerAdapter } from '../../adapters/sql/server-adapter.js';
import type { Adapter, Condition, EntityUse } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
import { environmentIn } from '../contract/contract-entities.js';
import { openTables, StoreAdapter, use } from '../sqlite/tables-fixture.js';
import { describeOnSql, startSql } from '../support/sql/available.js';
import { openPool, within } from '../support/sql/open-pool.js';
import type { SqlDatabase, SqlKind, SqlServer } from '../support/sql/sql-server.js';

const rows = `
  INSERT INTO depts VALUES (1, 'Research'), (2, 'Sales');
  INSERT INTO staff (id, first_name, last_name, dept, joined, v) VALUES
    ('a', 'Ada', 'Lovelace', 1, '2026-07-01 12:00:00', 1), ('b', 'Bob', 'Babbage', 2, '2026-01-01 12:00:00', 1);`;

const schemas: Readonly<Record<SqlKind | 'sqlite', string>> = {
  postgresql: `
    CREATE TABLE depts (no integer PRIMARY KEY, title text);
    CREATE TABLE staff (id text PRIMARY KEY, first_name text, last_name text, dept integer, joined timestamp, gone timestamptz, v integer);
    CREATE VIEW people AS SELECT s.*, d.title AS dept_title FROM staff s LEFT JOIN depts d ON d.no = s.dept;
    ${rows}`,
  mysql: `
    CREATE TABLE depts (no int PRIMARY KEY, title varchar(50)) COLLATE utf8mb4_nopad_bin;
    CREATE TABLE staff (id varchar(40) PRIMARY KEY, first_name varchar(50), last_name varchar(50), dept int, joined datetime(6), gone datetime, v int) COLLATE utf8mb4_nopad_bin;
    CREATE VIEW people AS SELECT s.*, d.title AS dept_title FROM staff s LEFT JOIN depts d ON d.no = s.dept;
    ${rows}`,
  sqlite: `
    CREATE TABLE depts (no INTEGER PRIMARY KEY, title TEXT);
    CREATE TABLE staff (id TEXT PRIMARY KEY, first_name TEXT, last_name TEXT, dept INTEGER, joined TEXT, gone TEXT, v INTEGER);
    CREATE VIEW people AS SELECT s.*, d.title AS dept_title FROM staff s LEFT JOIN depts d ON d.no = s.dept;
    ${rows}`,
};

const exact = { comparison: 'exact' } as const;
const entities = (isServer: boolean): readonly EntityUse[] => [
  {
    entity: 'people',
    fields: [
      use('first', exact),
      use('last', exact),
      use('full', { ...exact, written: false }),
      use('letters', { type: 'number', written: false }),
      use('isResearcher', { type: 'boolean', written: false }),
      use('kind', { ...exact, written: false }),
      use('dept', { type: 'number' }),
      use('deptTitle', { ...exact, written: false }),
      ...(isServer ? [use('joined', { type: 'instant' })] : []),
    ],
  },
];

const tablesOf = (kind: SqlKind | 'sqlite', zone: string): TablesConfig => ({
  people: {
    table: 'people',
    writeTable: 'staff',
    key: 'id',
    version: 'v',
    softDelete: 'gone',
    fields: {
      first: 'first_name',
      last: 'last_name',
      full: {
        expression:
          kind === 'mysql'
            ? "concat(`first_name`, ' ', last_name) -- ? both"
            : `"first_name" || ' ' || last_name -- ? both`,
      },
      letters: { expression: 'length(first_name) + length(last_name)' },
      isResearcher: { expression: "dept_title = 'Research'" },
      kind: { constant: "Employee's" },
      dept: 'dept',
      deptTitle: 'dept_title',
      ...(kind === 'sqlite' ? {} : { joined: { column: 'joined', timeZone: zone } }),
    },
  },
});

const inAllKinds = (title: string, open: () => Promise<Adapter>, close: () => Promise<void>): void => {
  describe(title, () => {
    let adapter: Adapter;
    beforeAll(async () => {
      adapter = await open();
      await adapter.check(within(60_000));
    }, 120_000);
    afterAll(async () => {
      await adapter?.close();
      await close();
    });

    const find = async (filter: Condition) =>
      (
        await adapter.search({ entity: 'people', fields: [], limit: 10, wantTotal: false, filter }, within(60_000))
      ).records
        .map(idOf)
        .sort();
    const compare = (path: string, op: 'eq' | 'co' | 'gt', value: string | number | boolean): Condition => ({
      kind: 'compare',
      path,
      op,
      value,
    });

    it('reads what the database computes, and what is the same for all', async () => {
      const fields = ['full', 'letters', 'isResearcher', 'kind', 'deptTitle'];
      expect(await adapter.get('people', 'a', { fields }, within(60_000))).toEqual({
        $id: 'a',
        full: 'Ada Lovelace',
        letters: 11,
        isResearcher: true,
        kind: "Employee's",
        deptTitle: 'Research',
      });
    });

    it('filters and sorts by it [7644-3.4.2.2-02]', async () => {
      expect(await find(compare('full', 'eq', 'Bob Babbage'))).toEqual(['b']);
      expect(await find(compare('full', 'co', ' L'))).toEqual(['a']);
      expect(await find(compare('letters', 'gt', 10))).toEqual(['a']);
      expect(await find(compare('isResearcher', 'eq', false))).toEqual(['b']);
      expect(await find(compare('kind', 'eq', "Employee's"))).toEqual(['a', 'b']);
      expect(await find(compare('kind', 'eq', 'Guest'))).toEqual([]);
      expect(await find({ kind: 'not', operand: compare('deptTitle', 'eq', 'Sales') })).toEqual(['a']);
      const query = { entity: 'people', fields: [], limit: 10, wantTotal: false };
      const sort = { field: 'full', descending: true };
      expect((await adapter.search({ ...query, sort }, within(60_000))).records.map(idOf)).toEqual(['b', 'a']);
    });

    it('never writes it', async () => {
      for (const field of ['full', 'kind', 'deptTitle']) {
        const change = { op: 'set', field, values: ['x'] } as const;
        await expect(
          adapter.update('people', 'a', [change], { fields: [] }, within(60_000)),
          field,
        ).rejects.toMatchObject({ kind: 'rejected', field });
      }
    });

    it('writes the table behind a view, and answers with the view', async () => {
      const record = { first: 'Cy', last: 'Young', dept: 1 };
      const made = await adapter.create(
        'people',
        record,
        { fields: ['full', 'deptTitle', '$revision'] },
        within(60_000),
      );
      expect(made).toMatchObject({ full: 'Cy Young', deptTitle: 'Research', $revision: '1' });
      const change = { op: 'set', field: 'dept', values: [2] } as const;
      const options = { fields: ['deptTitle', '$revision'], ifRevision: '1' };
      const updated = await adapter.update('people', idOf(made), [change], options, within(60_000));
      expect(updated).toMatchObject({ changed: true, record: { deptTitle: 'Sales', $revision: '2' } });
      await expect(
        adapter.update('people', idOf(made), [{ ...change, values: [1] }], options, within(60_000)),
      ).rejects.toMatchObject({ kind: 'revisionMismatch' });
      await adapter.delete('people', idOf(made), {}, within(60_000));
      expect(await adapter.get('people', idOf(made), { fields: [] }, within(60_000))).toBeUndefined();
    });

    it('has nothing to say against the configuration', async () => {
      const { problems } = await adapter.inspect(within(60_000));
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    });
  });
};

const tablesOnSqlite = tablesOf('sqlite', '');
inAllKinds(
  'SQLite: computed fields and views',
  async () => new StoreAdapter(openTables(schemas.sqlite, entities(false), tablesOnSqlite), entities(false)),
  async () => undefined,
);

for (const kind of ['postgresql', 'mysql'] as const) {
  await describeOnSql(kind, 'computed fields and views', (title) => {
    let server: SqlServer;
    let database: SqlDatabase;
    const open = async (zone: string): Promise<Adapter> =>
      openServerAdapter({
        kind: kind === 'postgresql' ? postgresqlKind : mysqlKind,
        pool: await openPool(server, database),
        tables: tablesOf(kind, zone),
        environment: environmentIn('/', entities(true)),
      });
    beforeAll(async () => {
      server = await startSql(kind);
      database = await server.createDatabase(schemas[kind]);
      if (kind === 'postgresql') await database.run(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${server.user}`);
    }, 120_000);
    afterAll(() => server?.close());

    inAllKinds(
      title,
      () => open('+02:00'),
      async () => undefined,
    );

    const zones: readonly (readonly [string, string, string])[] = [
      ['+02:00', '2026-07-01T10:00:00Z', '2026-01-01T10:00:00Z'],
      // The test server of MariaDB has no tables of zones.
      ...(kind === 'postgresql' ? [['Europe/Berlin', '2026-07-01T10:00:00Z', '2026-01-01T11:00:00Z'] as const] : []),
    ];
    it.each(zones)(
      '%s: takes a time without a zone for one there, to read, find and write',
      async (zone, summer, winter) => {
        const adapter = await open(zone);
        const read = async (id: string) =>
          (await adapter.get('people', id, { fields: ['joined'] }, within(60_000)))?.joined;
        expect([await read('a'), await read('b')]).toEqual([summer, winter]);
        const filter = { kind: 'compare', path: 'joined', op: 'eq', value: summer } as const;
        const query = { entity: 'people', fields: [], limit: 10, wantTotal: false };
        expect((await adapter.search({ ...query, filter }, within(60_000))).records.map(idOf)).toEqual(['a']);
        const change = { op: 'set', field: 'joined', values: ['2026-07-01T10:00:00.25Z'] } as const;
        await adapter.update('people', 'b', [change], { fields: [] }, within(60_000));
        expect(await database.run("SELECT CAST(joined AS char(22)) FROM staff WHERE id = 'b'")).toEqual([
          ['2026-07-01 12:00:00.25'],
        ]);
        expect(await read('b')).toBe('2026-07-01T10:00:00.25Z');
        await database.run("UPDATE staff SET joined = '2026-01-01 12:00:00' WHERE id = 'b'");
        await adapter.close();
      },
    );

    if (kind === 'mysql') {
      it('says that a zone cannot be used where the server knows none', async () => {
        const adapter = await open('Europe/Berlin');
        const { problems } = await adapter.inspect(within(60_000));
        expect(problems).toContainEqual(
          expect.objectContaining({ severity: 'error', message: expect.stringContaining('timeZone') as unknown }),
        );
        await adapter.close();
      });
    }
  });
}
