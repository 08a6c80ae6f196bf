import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type TablesConfig, tablesConfigSchema } from '../../adapters/sql/config.js';
import type { EntityUse, FieldUse, InspectionProblem } from '../../src/backend/adapter.js';
import { errorOf, openTables, use } from './tables-fixture.js';

function inspected(
  schema: string,
  fields: readonly FieldUse[],
  entity: Partial<TablesConfig[string]>,
  more: Partial<EntityUse> = {},
): readonly InspectionProblem[] {
  const config: TablesConfig = { people: { table: 'users', key: 'id', fields: {}, ...entity } };
  const fixture = openTables(schema, [{ entity: 'people', fields, ...more }], config);
  try {
    return fixture.store.inspect();
  } finally {
    fixture.close();
  }
}

const users = 'CREATE TABLE users (id TEXT PRIMARY KEY, user_name TEXT, folded TEXT UNIQUE, email TEXT, v INTEGER);';
const login = use('login', { unique: true });

describe('inspection of existing tables', () => {
  it('finds nothing wrong with tables that fit', () => {
    const fields = { login: { column: 'user_name', folded: 'folded' }, mail: 'EMAIL' };
    expect(inspected(users, [login, use('mail')], { version: 'v', fields })).toEqual([]);
  });

  it.each<readonly [string, string, Partial<TablesConfig[string]>, readonly (string | number)[], string]>([
    [
      'key of several columns',
      users,
      { key: ['id', 'usr_name'] },
      ['entities', 'people', 'key', 1],
      'no column "usr_name". Did you mean "user_name"?',
    ],
    [
      'key of several columns that are not unique together',
      users,
      { key: ['id', 'email'] },
      ['entities', 'people', 'key'],
      'The columns "id", "email" have no UNIQUE index',
    ],
    [
      'child table of a key of several columns',
      `CREATE TABLE users (id TEXT, email TEXT, PRIMARY KEY (id, email)); CREATE TABLE mails (user_id TEXT, m TEXT);`,
      { key: ['id', 'email'], fields: { mail: { table: 'mails', parent: 'user_id', column: 'm' } } },
      ['entities', 'people', 'fields', 'mail'],
      "has 1 column in `parent`, and the record's key has 2",
    ],
    [
      'parent column of a key of several columns',
      `CREATE TABLE users (id TEXT, email TEXT, PRIMARY KEY (id, email)); CREATE TABLE mails (user_id TEXT, user_mail TEXT, m TEXT);`,
      {
        key: ['id', 'email'],
        fixed: { id: 'a' },
        fields: { mail: { table: 'mails', parent: ['user_id', 'usermail'], column: 'm' } },
      },
      ['entities', 'people', 'fields', 'mail', 'parent', 1],
      'no column "usermail". Did you mean "user_mail"?',
    ],
    [
      'field of several columns that is no single reference',
      users,
      { fields: { mail: ['id', 'email'] } },
      ['entities', 'people', 'fields', 'mail'],
      'has several columns, which only a single reference can have.',
    ],
    [
      'table',
      users,
      { table: 'user' },
      ['entities', 'people', 'table'],
      'There is no table "user". Did you mean "users"?',
    ],
    ['key', users, { key: 'uid' }, ['entities', 'people', 'key'], 'no column "uid". Did you mean "id"?'],
    ['version', users, { version: 'version' }, ['entities', 'people', 'version'], 'no column "version".'],
    ['time', users, { created: { column: 'born' } }, ['entities', 'people', 'created'], 'no column "born".'],
    ['soft deletion', users, { softDelete: 'gone' }, ['entities', 'people', 'softDelete'], 'no column "gone".'],
    [
      'field, short form',
      users,
      { fields: { mail: 'e_mail' } },
      ['entities', 'people', 'fields', 'mail'],
      'no column "e_mail". Did you mean "email"?',
    ],
    [
      'field',
      users,
      { fields: { mail: { column: 'emial' } } },
      ['entities', 'people', 'fields', 'mail', 'column'],
      'no column "emial". Did you mean "email"?',
    ],
    [
      'folded copy',
      users,
      { fields: { mail: { column: 'email', folded: 'email_folded' } } },
      ['entities', 'people', 'fields', 'mail', 'folded'],
      'no column "email_folded".',
    ],
    [
      'child table',
      users,
      { fields: { mail: { table: 'mails', parent: 'user_id', column: 'm' } } },
      ['entities', 'people', 'fields', 'mail', 'table'],
      'There is no table "mails".',
    ],
    [
      'column of a child table',
      `${users} CREATE TABLE mails (user_id TEXT PRIMARY KEY, address TEXT);`,
      { fields: { mail: { table: 'mails', parent: 'user_id', column: 'adress' } } },
      ['entities', 'people', 'fields', 'mail', 'column'],
      'no column "adress". Did you mean "address"?',
    ],
    [
      'declaration of a field',
      users,
      { fields: { mial: 'email' } },
      ['entities', 'people', 'fields'],
      'Did you mean "mial"?',
    ],
  ])('tells a missing %s, where it is declared and what is near', (_, schema, entity, configPath, message) => {
    const problems = inspected(schema, [use('mail', { multiple: true })], { fields: { mail: 'email' }, ...entity });
    expect(problems).toEqual([{ severity: 'error', configPath, message: expect.stringContaining(message) }]);
  });

  it('tells a missing entity', () => {
    expect(inspected(users, [], {}, { entity: 'peple' })).toEqual([
      { severity: 'error', configPath: ['entities'], message: expect.stringContaining('Did you mean "people"?') },
    ]);
  });

  it.each<readonly [string, string, readonly FieldUse[], Partial<TablesConfig[string]>, string]>([
    [
      'a unique field without an index on its folded copy',
      users.replace('folded TEXT UNIQUE', 'folded TEXT'),
      [login],
      { fields: { login: { column: 'user_name', folded: 'folded' } } },
      'add one on "folded"',
    ],
    [
      'a unique field without a folded copy',
      users,
      [login],
      { fields: { login: 'user_name' } },
      'add a `folded` column',
    ],
    [
      'a unique index that counts deleted records',
      users.replace('v INTEGER', 'gone TEXT'),
      [login],
      { softDelete: 'gone', fields: { login: { column: 'user_name', folded: 'folded' } } },
      'Make it partial',
    ],
    [
      'a child table without an index on its parent',
      `${users} CREATE TABLE mails (address TEXT, user_id TEXT);`,
      [use('mail', { multiple: true })],
      { fields: { mail: { table: 'mails', parent: 'user_id', column: 'address' } } },
      'no index on "user_id"',
    ],
    [
      'a text in a number column',
      users.replace('email TEXT', 'email INT'),
      [use('mail')],
      { fields: { mail: 'email' } },
      'declared INT',
    ],
    [
      'a column that ignores the case of ASCII only',
      users.replace('email TEXT', 'email TEXT COLLATE NOCASE'),
      [use('mail')],
      { fields: { mail: 'email' } },
      'COLLATE NOCASE',
    ],
    ['keys that come again', 'CREATE TABLE users (id INTEGER PRIMARY KEY);', [], {}, 'no AUTOINCREMENT'],
    [
      'rows with a stale folded copy',
      `${users} INSERT INTO users (id, user_name) VALUES ('1', 'Alice');`,
      [login],
      { fields: { login: { column: 'user_name', folded: 'folded' } } },
      'look-ups miss them',
    ],
    ['a database in UTF-16', `PRAGMA encoding = 'UTF-16'; ${users}`, [], {}, 'UTF-16'],
  ])('warns of %s', (_, schema, fields, entity, message) => {
    const problems = inspected(schema, fields, entity);
    expect(problems).toEqual([
      expect.objectContaining({ severity: 'warning', message: expect.stringContaining(message) }),
    ]);
  });

  it.each<readonly [string, string, readonly FieldUse[], Partial<TablesConfig[string]>, Partial<EntityUse>, string]>([
    ['a key that is not unique', 'CREATE TABLE users (id TEXT);', [], {}, {}, 'no UNIQUE index'],
    ['random ids in an integer key', 'CREATE TABLE users (id INT UNIQUE);', [], {}, {}, 'generateKey: database'],
    [
      'an id that is not the key',
      users,
      [use('mail')],
      { fields: { mail: 'email' } },
      { id: 'mail' },
      'takes the id from',
    ],
    [
      'a read-only field that is written',
      users,
      [use('mail')],
      { fields: { mail: { column: 'email', readOnly: true } } },
      {},
      'read-only here',
    ],
    [
      'child records in a column',
      users,
      [use('m', { type: 'records' })],
      { fields: { m: 'email' } },
      {},
      'needs a child table',
    ],
    [
      'a child record with an undeclared part',
      `${users} CREATE TABLE mails (user_id TEXT PRIMARY KEY, address TEXT);`,
      [use('m', { type: 'records', children: [use('value'), use('type')] })],
      { fields: { m: { table: 'mails', parent: 'user_id', columns: { value: 'address' } } } },
      {},
      'no column for its part "type"',
    ],
  ])('refuses %s', (_, schema, fields, entity, more, message) => {
    const problems = inspected(schema, fields, entity, more);
    expect(problems).toEqual([
      expect.objectContaining({ severity: 'error', message: expect.stringContaining(message) }),
    ]);
  });

  it('does not keep the store from opening: operations say what is missing', () => {
    const uses: readonly EntityUse[] = [
      { entity: 'people', fields: [use('login'), use('mail'), use('other')] },
      { entity: 'groups', fields: [use('title')] },
    ];
    const fixture = openTables(users, uses, {
      people: { table: 'users', key: 'id', fields: { login: 'user_name', mail: 'nope' } },
      groups: { table: 'teams', key: 'id', fields: { title: 'title' } },
    });
    const missing = errorOf(() => fixture.store.get('groups', '1', { fields: ['title'] }));
    expect(missing).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('no table "teams"') });
    expect(missing.reason).not.toMatch(/teams/);
    expect(errorOf(() => fixture.create('groups', { title: 'x' })).kind).toBe('unavailable');
    expect(errorOf(() => fixture.store.get('people', '1', { fields: ['mail'] })).kind).toBe('unavailable');
    expect(errorOf(() => fixture.store.get('people', '1', { fields: ['other'] }))).toMatchObject({
      kind: 'unsupported',
      field: 'other',
    });
    expect(errorOf(() => fixture.store.get('machines', '1', { fields: [] })).kind).toBe('unsupported');
    expect(fixture.store.get('people', '1', { fields: ['login'] })).toBeUndefined();
    fixture.close();
  });

  it('does not promise an order that UTF-16 does not have', () => {
    const fixture = openTables(`PRAGMA encoding = 'UTF-16'; ${users}`, [{ entity: 'people', fields: [use('login')] }], {
      people: { table: 'users', key: 'id', fields: { login: 'user_name' } },
    });
    const login = fixture.store.capabilities.people?.fields.login;
    expect(login).toMatchObject({ sortable: false, operators: { eq: 'exact', co: 'exact' } });
    expect(Object.keys(login?.operators ?? {})).not.toContain('sw');
    fixture.close();
  });

  it('reads views, and writes none', () => {
    const schema = `${users} CREATE VIEW active AS SELECT id, user_name AS login FROM users; INSERT INTO users (id, user_name) VALUES ('1', 'a');`;
    const fixture = openTables(schema, [{ entity: 'people', fields: [use('login', { written: false })] }], {
      people: { table: 'active', key: 'id', fields: { login: 'login' } },
    });
    expect(fixture.store.inspect()).toEqual([]);
    expect(fixture.store.capabilities.people?.write).toBe(false);
    expect(fixture.store.get('people', '1', { fields: ['login'] })).toEqual({ $id: '1', login: 'a' });
    expect(errorOf(() => fixture.create('people', { login: 'b' })).kind).toBe('unsupported');
    fixture.close();
  });
});

describe('the configuration of existing tables', () => {
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(tablesConfigSchema);

  it('takes every form that a field may have', () => {
    const config: unknown = parse(`
      people:
        table: users
        key: id
        generateKey: uuid
        version: version
        created: created_at
        modified: { column: modified_at, format: epochSeconds }
        softDelete: deleted_at
        fields:
          login: { column: user_name, folded: user_name_folded }
          mail: email
          nick: { column: doc, json: $.nickName }
          street: { column: doc, json: '$.home."street name"' }
          code: { column: emp_no, readOnly: true }
          mails: { table: user_emails, parent: user_id, columns: { value: address, primary: { column: is_primary } }, fixed: { tenant: a }, position: pos }
          tags: { table: user_tags, parent: user_id, column: { column: tag, folded: tag_folded } }
    `);
    expect(validate(config), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    ['{ people: { table: users, fields: {} } }'],
    ['{ people: { table: users, key: id, fields: { a: { colunm: x } } } }'],
    ['{ people: { table: users, key: id, fields: { a: { column: x, json: nick } } } }'],
    ['{ people: { table: users, key: id, fields: { a: { column: x, json: "$[0]" } } } }'],
    ['{ people: { table: users, key: id, fields: { a: { table: x } } } }'],
    ['{ people: { table: users, key: id, generateKey: random, fields: {} } }'],
  ])('refuses %s', (yaml) => {
    expect(validate(parse(yaml))).toBe(false);
  });
});
