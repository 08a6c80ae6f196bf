import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statementsOf } from '../../adapters/sqlite/database.js';
import type { Condition, EntityUse, SearchQuery } from '../../src/backend/adapter.js';
import { openTables, type TablesFixture, use } from './tables-fixture.js';

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      use('login', { unique: true }),
      use('name'),
      use('code', { comparison: 'exact' }),
      use('enabled', { type: 'boolean' }),
      use('mails', { type: 'records', children: [use('value', { comparison: 'exact' }), use('type')] }),
      use('tags', { multiple: true }),
    ],
  },
  { entity: 'groups', fields: [use('members', { multiple: true, comparison: 'exact' })] },
];

let fixture: TablesFixture;
beforeAll(() => {
  fixture = openTables(
    `
      CREATE TABLE users (
        id TEXT PRIMARY KEY, login TEXT, login_fold TEXT UNIQUE, name TEXT, code TEXT, active INT, gone TEXT, changed TEXT
      );
      CREATE INDEX users_code ON users (code);
      CREATE INDEX users_active ON users (active);
      CREATE INDEX users_gone ON users (gone);
      CREATE INDEX users_changed ON users (changed);
      CREATE TABLE mails (user_id TEXT, address TEXT, kind TEXT);
      CREATE INDEX mails_user ON mails (user_id);
      CREATE INDEX mails_address ON mails (address);
      CREATE TABLE tags (user_id TEXT, tag TEXT);
      CREATE INDEX tags_user ON tags (user_id);
      CREATE TABLE teams (id INTEGER PRIMARY KEY);
      CREATE TABLE links (team INT, member TEXT, PRIMARY KEY (team, member)) WITHOUT ROWID;
      CREATE INDEX links_member ON links (member);
    `,
    entities,
    {
      people: {
        table: 'users',
        key: 'id',
        modified: 'changed',
        softDelete: 'gone',
        fields: {
          login: { column: 'login', folded: 'login_fold' },
          name: 'name',
          code: 'code',
          enabled: 'active',
          mails: { table: 'mails', parent: 'user_id', columns: { value: 'address', type: 'kind' } },
          tags: { table: 'tags', parent: 'user_id', column: 'tag' },
        },
      },
      groups: { table: 'teams', key: 'id', fields: { members: { table: 'links', parent: 'team', column: 'member' } } },
    },
  );
});
afterAll(() => fixture.close());

const query = (filter?: Condition, more: Partial<SearchQuery> = {}): SearchQuery => ({
  entity: 'people',
  fields: [],
  limit: 100,
  wantTotal: true,
  ...(filter === undefined ? {} : { filter }),
  ...more,
});
const compare = (path: string, op: 'eq' | 'sw' | 'co' | 'gt', value: string | boolean): Condition => ({
  kind: 'compare',
  path,
  op,
  value,
});
const oneMail = (filter: Condition): Condition => ({ kind: 'valuePath', path: 'mails', filter });
const all = (...operands: readonly Condition[]): Condition => ({ kind: 'and', operands });

describe('whether a search of existing tables walks many rows', () => {
  it.each<readonly [string, SearchQuery]>([
    ['an id', query(compare('$id', 'eq', 'x'))],
    ['a folded text', query(compare('login', 'eq', 'Alice'))],
    ['the start of a folded text', query(compare('login', 'sw', 'al'))],
    ['an exact text', query(compare('code', 'eq', 'x'))],
    ['either of two', query({ kind: 'or', operands: [compare('code', 'eq', 'x'), compare('login', 'eq', 'y')] })],
    [
      'a text and anything else',
      query(all(compare('login', 'eq', 'a'), compare('name', 'co', 'x'), compare('tags', 'eq', 't'))),
    ],
    ['a text in any order', query(compare('login', 'eq', 'a'), { sort: { field: 'name', descending: true } })],
    [
      'a child record by an indexed part',
      query(oneMail(all(compare('type', 'eq', 'work'), compare('value', 'eq', 'a@x')))),
    ],
    [
      'either of two children',
      query({ kind: 'or', operands: [oneMail(compare('value', 'eq', 'a')), compare('login', 'eq', 'a')] }),
    ],
    ['a member', query(compare('members', 'eq', 'x'), { entity: 'groups' })],
    ['an exact text of the active', query(all(compare('enabled', 'eq', true), compare('code', 'sw', 'x')))],
    ['what changed since', query(compare('$modified', 'gt', '2026-01-01T00:00:00Z'))],
    ['the first page of all', query()],
    ['a page of all further on', query(undefined, { offset: 1000 })],
    ['all after a position', query(undefined, { after: Buffer.from('[50000,"x",null]').toString('base64url') })],
  ])('is false for %s', (_, search) => {
    expect(fixture.store.isScan(search), fixture.store.describe({ kind: 'search', query: search })).toBe(false);
  });

  it.each<readonly [string, SearchQuery]>([
    ['a part of a text', query(compare('login', 'co', 'li'))],
    ['a text without a folded copy', query(compare('name', 'eq', 'x'))],
    ['a truth value, index or not', query(compare('enabled', 'eq', true))],
    ['a negation', query({ kind: 'not', operand: compare('login', 'eq', 'a') })],
    ['a child record by a part without an index', query(oneMail(compare('type', 'eq', 'work')))],
    ['a tag without an index', query(compare('tags', 'eq', 'x'))],
    ['all in another order', query(undefined, { sort: { field: 'login', descending: false } })],
    ['all from far on', query(undefined, { offset: 50_000 })],
  ])('is true for %s', (_, search) => {
    expect(fixture.store.isScan(search), fixture.store.describe({ kind: 'search', query: search })).toBe(true);
  });

  it('depends on the number of rows where only a count walks them', () => {
    fixture.db.exec("INSERT INTO users (rowid, id) VALUES (200000, 'last')");
    expect(fixture.store.isScan(query())).toBe(true);
    expect(fixture.store.isScan(query(undefined, { wantTotal: false }))).toBe(false);
    fixture.db.exec('DELETE FROM users');
  });
});

describe('statements on existing tables', () => {
  it('read the child rows of a page with one statement for each table, and only when asked', () => {
    for (let n = 0; n < 40; n++) {
      const mails = [{ value: `${n}@x`, type: 'work' }, { value: `${n}@y` }];
      fixture.create('people', { login: `p${n}`, mails, tags: ['a', 'b'] });
    }
    const statements = statementsOf(fixture.db);
    const asked = (...fields: readonly string[]) => {
      statements.recorder = [];
      const { records } = fixture.store.search({ entity: 'people', fields, limit: 30, wantTotal: false });
      const { length } = statements.recorder;
      statements.recorder = undefined;
      return { records, length };
    };
    expect(asked('login').length).toBe(1);
    const { records, length } = asked('login', 'mails', 'tags');
    expect(length).toBe(3);
    expect(records).toHaveLength(30);
    for (const { login, mails, tags } of records) {
      const number = String(login).slice(1);
      expect(mails).toEqual([{ value: `${number}@x`, type: 'work' }, { value: `${number}@y` }]);
      expect(tags).toEqual(['a', 'b']);
    }
  });

  it('are the same text for any values, and for any number of them', () => {
    const statements = statementsOf(fixture.db);
    const texts = (run: () => unknown): readonly string[] => {
      statements.recorder = [];
      run();
      const recorded = statements.recorder;
      statements.recorder = undefined;
      return recorded;
    };
    const lookup = (...values: readonly string[]) =>
      texts(() => fixture.store.lookup('people', { by: 'login', values, fields: ['mails'] }));
    expect(lookup('p1')).toEqual(lookup('p2'));
    expect(lookup('p1', 'p2')[0]).toBe(lookup('p3')[0]);
    expect(texts(() => fixture.find('people', compare('login', 'eq', 'a')))).toEqual(
      texts(() => fixture.find('people', compare('login', 'eq', "'; DROP TABLE users"))),
    );
  });

  it('are described with their values spelled out, and nothing is carried out', () => {
    const text = fixture.store.describe({
      kind: 'search',
      query: query(compare('login', 'eq', "O'Malley"), { limit: 10 }),
    });
    expect(text).toBe(
      `SELECT t."id", t."id" FROM "users" AS t WHERE (t."login_fold" = 'o''malley' AND +t."gone" IS NULL) ORDER BY t."id" LIMIT 11 + 0;\n` +
        `SELECT count(*) FROM "users" AS t WHERE (t."login_fold" = 'o''malley' AND +t."gone" IS NULL);`,
    );
    const changes = [
      { op: 'set', field: 'name', values: ['?'] },
      { op: 'add', field: 'tags', values: ['x'] },
    ] as const;
    const described = fixture.store.describe({ kind: 'update', entity: 'people', id: 'i', changes });
    expect(described).toMatch(/INSERT INTO "tags" \("user_id", "tag"\) SELECT 'i', 'x' WHERE NOT EXISTS/);
    expect(described).toMatch(/UPDATE "users" AS t SET "name" = '\?', "changed" = '.*' WHERE t\."id" = 'i';$/);
    const created = fixture.store.describe({ kind: 'create', entity: 'people', record: { login: 'Å' } });
    expect(created).toMatch(
      /INSERT INTO "users" \("id", "login", "login_fold", "changed"\) VALUES \('<new id>', 'Å', 'å', '.*'\) RETURNING "id";$/,
    );
    expect(fixture.column("SELECT count(*) FROM users WHERE login = 'Å'")).toEqual([0]);
  });
});
