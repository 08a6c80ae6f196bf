import { afterAll, beforeAll, expect, it } from 'vitest';
import { readMysqlSchemas } from '../../adapters/sql/mysql/schema.js';
import type { SqlConnection, SqlPool } from '../../adapters/sql/pool.js';
import { readPostgresqlSchemas } from '../../adapters/sql/postgresql/schema.js';
import type { ColumnSchema, TableSchema } from '../../adapters/sql/table-schema.js';
import { describeOnSql, startSql } from '../support/sql/available.js';
import { openPool, within } from '../support/sql/open-pool.js';
import type { SqlKind, SqlServer } from '../support/sql/sql-server.js';

const read = { postgresql: readPostgresqlSchemas, mysql: readMysqlSchemas };

/** @returns the tables, and how many statements it took */
async function schemasOf(kind: SqlKind, server: SqlServer, schema: string, tables: readonly string[]) {
  const database = await server.createDatabase(schema);
  const pool: SqlPool = await openPool(server, database);
  try {
    let statements = 0;
    const found = await pool.read((connection) => {
      const counting: SqlConnection = {
        run: (statement) => {
          statements++;
          return connection.run(statement);
        },
      };
      return read[kind](counting, tables);
    }, within(10_000));
    return { found, statements };
  } finally {
    await pool.close();
  }
}

function column(table: TableSchema | undefined, name: string): ColumnSchema | undefined {
  return table?.columns.get(name);
}

await describeOnSql('postgresql', 'what tables are like', () => {
  let server: SqlServer;
  let found: readonly TableSchema[];
  let statements: number;
  beforeAll(async () => {
    server = await startSql('postgresql');
    const schema = `
      CREATE EXTENSION citext;
      CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE DOMAIN short AS varchar(8) NOT NULL;
      CREATE TYPE mood AS ENUM ('good', 'bad');
      CREATE SCHEMA hr; GRANT USAGE ON SCHEMA hr TO scim;
      CREATE TABLE hr.units (code text PRIMARY KEY);
      CREATE TABLE "People" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uid uuid DEFAULT gen_random_uuid() UNIQUE, login varchar(20) NOT NULL,
        nick citext, other text COLLATE nocase, fixed char(3), code short, mood mood, note text NOT NULL DEFAULT '', initial text GENERATED ALWAYS AS (left(login, 1)) STORED,
        small smallint, ok boolean, doc jsonb, at timestamptz(3), local timestamp, photo bytea, unit text REFERENCES hr.units, tags text[], deleted timestamptz);
      CREATE UNIQUE INDEX login_ci ON "People" (lower(login), unit);
      CREATE UNIQUE INDEX alive ON "People" (nick) WHERE deleted IS NULL;
      CREATE INDEX c_order ON "People" (other COLLATE "C");
      CREATE TABLE links (a bigint REFERENCES "People" ON DELETE CASCADE, b bigint REFERENCES "People", PRIMARY KEY (b, a));
      CREATE VIEW names AS SELECT login FROM "People"`;
    const tables = ['People', 'links', 'names', 'hr.units', 'people', 'no\'such"table'];
    ({ found, statements } = await schemasOf('postgresql', server, schema, tables));
  });
  afterAll(() => server?.close());

  it('all tables are read in one round trip, in the order of their names; one that is not there is said to be missing', () => {
    expect(statements).toBe(1);
    expect(found.map(({ name, exists, isView }) => [name, exists, isView])).toEqual([
      ['People', true, false],
      ['links', true, false],
      ['names', true, true],
      ['hr.units', true, false],
      ['people', false, false],
      ['no\'such"table', false, false],
    ]);
  });

  it.each([
    ['id', { kind: 'integer', notNull: true, isGivenByDatabase: true, range: [-(2n ** 63n), 2n ** 63n - 1n] }],
    ['uid', { kind: 'uuid', isGivenByDatabase: true }],
    [
      'login',
      { kind: 'text', collation: 'binary', maxLength: 20, declaredType: 'character varying(20)', notNull: true },
    ],
    ['nick', { kind: 'text', collation: 'other', ignoresCase: true }],
    ['other', { kind: 'text', collation: 'other', ignoresCase: true }],
    ['fixed', { kind: 'text', collation: 'other', ignoresCase: false, maxLength: 3 }],
    ['code', { kind: 'text', maxLength: 8, notNull: true }],
    ['mood', { kind: 'other' }],
    ['note', { kind: 'text', defaultsToEmptyText: true }],
    ['initial', { isGenerated: true }],
    ['small', { kind: 'integer', range: [-32768n, 32767n], isGivenByDatabase: false }],
    ['ok', { kind: 'boolean' }],
    ['doc', { kind: 'json' }],
    ['at', { kind: 'instant', fractionDigits: 3 }],
    ['local', { kind: 'localTime', fractionDigits: 6 }],
    ['photo', { kind: 'bytes' }],
    ['tags', { kind: 'other' }],
  ] as const)('column %s', (name, expected) => {
    expect(column(found[0], name)).toMatchObject({ name, ...expected });
  });

  it('keys and indexes, with expressions, conditions and collations of their own', () => {
    const [people, links] = found;
    expect(people?.primaryKey).toEqual(['id']);
    expect(links?.primaryKey).toEqual(['b', 'a']);
    const index = (name: string) => people?.indexes.find((each) => each.name === name);
    expect(index('People_uid_key')).toMatchObject({ unique: true, partial: false, columns: ['uid'] });
    expect(index('People_uid_key')).not.toHaveProperty('sql');
    expect(index('login_ci')).toMatchObject({
      unique: true,
      columns: [undefined, 'unit'],
      expressions: ['lower((login)::text)', undefined],
    });
    expect(index('alive')).toMatchObject({
      unique: true,
      partial: true,
      predicate: '(deleted IS NULL)',
      columns: ['nick'],
    });
    expect(index('c_order')).toMatchObject({ unique: false, columns: [undefined] });
  });

  it('foreign keys', () => {
    expect(found[0]?.foreignKeys).toMatchObject([{ columns: ['unit'], table: 'hr.units', references: ['code'] }]);
    expect(found[1]?.foreignKeys?.map(({ columns, table, references }) => [columns, table, references])).toEqual([
      [['a'], 'People', ['id']],
      [['b'], 'People', ['id']],
    ]);
  });
});

await describeOnSql('mysql', 'what tables are like', () => {
  let server: SqlServer;
  let found: readonly TableSchema[];
  let statements: number;
  beforeAll(async () => {
    server = await startSql('mysql');
    const schema = `
      CREATE DATABASE hr CHARACTER SET utf8mb4; GRANT ALL ON hr.* TO scim;
      CREATE TABLE hr.units (code varchar(10) COLLATE utf8mb4_nopad_bin PRIMARY KEY);
      CREATE TABLE People (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, uid uuid DEFAULT uuid() UNIQUE, login varchar(20) NOT NULL COLLATE utf8mb4_unicode_ci,
        exact varchar(20) COLLATE utf8mb4_bin, really varchar(20) COLLATE utf8mb4_nopad_bin, note text, empty varchar(9) NOT NULL DEFAULT '', initial varchar(1) AS (left(login, 1)),
        small smallint, ok tinyint(1), bool bit(1), doc json, at timestamp(3) NULL, local datetime, photo mediumblob, unit varchar(10) COLLATE utf8mb4_nopad_bin, mood enum('good', 'bad'),
        UNIQUE login_key (login, unit), INDEX part (note(10)), FOREIGN KEY to_unit (unit) REFERENCES hr.units (code));
      CREATE TABLE links (a bigint unsigned, b bigint unsigned, PRIMARY KEY (b, a), FOREIGN KEY (a) REFERENCES People (id));
      CREATE VIEW names AS SELECT login FROM People;
      CREATE TABLE old (id integer PRIMARY KEY) ENGINE MyISAM`;
    const tables = ['People', 'links', 'names', 'hr.units', 'peoples', "no'such`table", 'old'];
    ({ found, statements } = await schemasOf('mysql', server, schema, tables));
  });
  afterAll(() => server?.close());

  it('all tables are read in one round trip, in the order of their names; one that is not there is said to be missing', () => {
    expect(statements).toBe(1);
    expect(found.map(({ name, exists, isView }) => [name, exists, isView])).toEqual([
      ['People', true, false],
      ['links', true, false],
      ['names', true, true],
      ['hr.units', true, false],
      ['peoples', false, false],
      ["no'such`table", false, false],
      ['old', true, false],
    ]);
  });

  it.each([
    ['id', { kind: 'integer', notNull: true, isGivenByDatabase: true, range: [0n, 2n ** 64n - 1n] }],
    ['uid', { kind: 'uuid', isGivenByDatabase: true }],
    ['login', { kind: 'text', collation: 'other', ignoresCase: true, maxLength: 20, notNull: true }],
    ['exact', { kind: 'text', collation: 'other', ignoresCase: false }],
    ['really', { kind: 'text', collation: 'binary' }],
    ['note', { kind: 'text', maxBytes: 65_535, defaultsToEmptyText: false }],
    ['empty', { defaultsToEmptyText: true }],
    ['initial', { isGenerated: true }],
    ['small', { kind: 'integer', range: [-32768n, 32767n], isGivenByDatabase: false }],
    ['ok', { kind: 'integer', declaredType: 'tinyint(1)' }],
    ['bool', { kind: 'boolean' }],
    ['at', { kind: 'instant', fractionDigits: 3 }],
    ['local', { kind: 'localTime', fractionDigits: 0 }],
    ['photo', { kind: 'bytes', maxBytes: 16_777_215 }],
    ['mood', { kind: 'other' }],
  ] as const)('column %s', (name, expected) => {
    expect(column(found[0], name)).toMatchObject({ name, ...expected });
  });

  it('keys and indexes; of a text of which only the beginning is indexed, no column is told', () => {
    const [people, links] = found;
    expect(people?.primaryKey).toEqual(['id']);
    expect(links?.primaryKey).toEqual(['b', 'a']);
    const index = (name: string) => people?.indexes.find((each) => each.name === name);
    expect(index('login_key')).toMatchObject({ unique: true, columns: ['login', 'unit'] });
    expect(index('part')).toMatchObject({ unique: false, columns: [undefined] });
    expect(index('PRIMARY')).toMatchObject({ unique: true, columns: ['id'] });
  });

  it('engines without transactions are named', () => {
    expect(found.map(({ engineWithoutTransactions }) => engineWithoutTransactions)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      'MyISAM',
    ]);
  });

  it('foreign keys', () => {
    expect(found[0]?.foreignKeys).toMatchObject([{ columns: ['unit'], table: 'hr.units', references: ['code'] }]);
    expect(found[1]?.foreignKeys).toMatchObject([{ columns: ['a'], table: 'People', references: ['id'] }]);
  });
});
