import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { statementsOf } from '../../adapters/sqlite/database.js';
import type { Change, EntityUse, Scalar } from '../../src/backend/adapter.js';
import { errorOf, ids, openTables, type TablesFixture, use } from './tables-fixture.js';

const schema = `
  CREATE TABLE users (
    id TEXT PRIMARY KEY, user_name TEXT NOT NULL, folded TEXT UNIQUE, email TEXT, emp_no INTEGER, short TEXT CHECK (length(short) < 4),
    note TEXT NOT NULL DEFAULT '', lang TEXT DEFAULT 'en', is_active INTEGER NOT NULL DEFAULT 1, score REAL, boss TEXT REFERENCES users (id),
    initials TEXT AS (substr(user_name, 1, 1)), doc TEXT, hired INTEGER, version INTEGER, created_at TEXT, modified_at TEXT
  );
  CREATE UNIQUE INDEX users_email ON users (lower(email));
  CREATE TABLE mails (user_id TEXT NOT NULL REFERENCES users (id), address TEXT, kind TEXT, is_primary INTEGER, pos INTEGER, tenant TEXT, seen TEXT DEFAULT 'no');
  CREATE INDEX mails_user ON mails (user_id);
  CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, changed INTEGER);
  CREATE TABLE links (team INTEGER NOT NULL REFERENCES teams (id), member TEXT NOT NULL);
  CREATE INDEX links_both ON links (team, member);
`;

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      use('login', { unique: true }),
      use('mail', { unique: true }),
      use('number', { comparison: 'exact' }),
      use('short'),
      use('note'),
      use('lang'),
      use('enabled', { type: 'boolean' }),
      use('score', { type: 'number' }),
      use('boss', { comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
      use('initials'),
      use('nick'),
      use('street'),
      use('labels', { multiple: true }),
      use('phones', { type: 'records', children: [use('value'), use('type')] }),
      use('hired', { type: 'instant' }),
      use('mails', { type: 'records', children: [use('value'), use('type'), use('primary', { type: 'boolean' })] }),
    ],
  },
  {
    entity: 'groups',
    fields: [
      use('title'),
      use('members', {
        multiple: true,
        comparison: 'exact',
        reference: { targets: ['people'], by: '$id' },
      }),
    ],
  },
];

const tables: TablesConfig = {
  people: {
    table: 'users',
    key: 'id',
    version: 'version',
    created: 'created_at',
    modified: 'modified_at',
    fields: {
      login: { column: 'user_name', folded: 'folded' },
      mail: 'email',
      number: 'emp_no',
      short: 'short',
      note: 'note',
      lang: 'lang',
      enabled: 'is_active',
      score: 'score',
      boss: 'boss',
      initials: 'initials',
      nick: { column: 'doc', json: '$.nick' },
      street: { column: 'doc', json: '$.home.street' },
      labels: { column: 'doc', json: '$.labels' },
      phones: { column: 'doc', json: '$.phones' },
      hired: { column: 'hired', format: 'epochSeconds' },
      mails: {
        table: 'mails',
        parent: 'user_id',
        columns: { value: 'address', type: 'kind', primary: 'is_primary' },
        fixed: { tenant: 'a' },
        position: 'pos',
      },
    },
  },
  groups: {
    table: 'teams',
    key: 'id',
    modified: { column: 'changed', format: 'epochMillis' },
    fields: { title: 'title', members: { table: 'links', parent: 'team', column: 'member' } },
  },
};

let fixture: TablesFixture;
beforeEach(() => {
  fixture = openTables(schema, entities, tables);
});
afterEach(() => fixture.close());

const set = (field: string, ...values: readonly Scalar[]): Change => ({ op: 'set', field, values });
const add = (field: string, ...values: readonly Scalar[]): Change => ({ op: 'add', field, values });
const person = (login = 'Alice') => String(fixture.create('people', { login }).$id);
const readPerson = (id: string, ...fields: readonly string[]) => fixture.store.get('people', id, { fields });
const written = () => fixture.column('SELECT total_changes()')[0];

describe('create', () => {
  it('gives a random key, version 1 and both times, and writes the folded copy', () => {
    const created = fixture.create('people', { login: 'ÅSA' }, '$revision', '$created', '$modified', 'login');
    expect(created).toMatchObject({ login: 'ÅSA', $revision: '1' });
    expect(created.$id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(created.$created).toBe(created.$modified);
    expect(fixture.column('SELECT folded FROM users')).toEqual(['åsa']);
  });

  it('takes the key that the database gives, and never one again', () => {
    const first = fixture.create('groups', { title: 'a' }, 'title');
    expect(first).toEqual({ $id: '1', title: 'a' });
    fixture.write((store) => store.delete('groups', '1', {}));
    expect(fixture.create('groups', { title: 'b' }).$id).toBe('2');
  });

  it('leaves columns without a value to their defaults, and says so', () => {
    expect(fixture.create('people', { login: 'a' }, 'lang', 'enabled', 'note')).toMatchObject({
      lang: 'en',
      enabled: true,
    });
  });

  it('stores whole numbers, truth values and times in the types of their columns', () => {
    fixture.create('people', { login: 'a', enabled: false, score: 3, number: '12', hired: '1970-01-01T00:01:00.9Z' });
    const row = fixture.db.prepare('SELECT is_active, score, typeof(score) AS t, emp_no, hired FROM users').get();
    expect(row).toEqual({ is_active: 0, score: 3, t: 'real', emp_no: 12, hired: 60 });
  });

  it('counts an empty text as no value', () => {
    fixture.create('people', { login: 'a', mail: '', nick: '' });
    fixture.create('people', { login: 'b', mail: '', nick: '' });
    expect(fixture.column('SELECT count(*) FROM users WHERE email IS NULL AND doc IS NULL')).toEqual([2]);
  });
});

describe('what the database refuses', () => {
  it('is a conflict of the field, not of the column, for a unique value [7644-3.5.2-25]', () => {
    person('Alice');
    const error = errorOf(() => fixture.create('people', { login: 'ALICE' }));
    expect(error).toMatchObject({ kind: 'conflict', field: 'login' });
  });

  it('is a conflict of the field whose column is in a unique index over an expression', () => {
    fixture.create('people', { login: 'a', mail: 'É@x' });
    const error = errorOf(() => fixture.create('people', { login: 'b', mail: 'É@X' }));
    expect(error).toMatchObject({ kind: 'conflict', field: 'mail' });
    const index = entities.map((entity) => ({
      ...entity,
      fields: entity.fields.map((field) => ({ ...field, unique: false })),
    }));
    fixture.close();
    fixture = openTables(schema, index, tables);
    fixture.create('people', { login: 'a', mail: 'a@x' });
    expect(errorOf(() => fixture.create('people', { login: 'b', mail: 'A@x' }))).toMatchObject({
      kind: 'conflict',
      field: 'mail',
    });
  });

  it.each([
    ['a missing value', { login: '' }, 'login'],
    ['a broken rule', { login: 'a', short: 'too long' }, 'short'],
    ['a reference to nobody', { login: 'a', boss: 'nobody' }, 'boss'],
    ['a text that a number column would change', { login: 'a', number: '007' }, 'number'],
    ['half a character', { login: 'a\ud83d' }, 'login'],
    ['a null character', { login: 'a\0' }, 'login'],
    ['a value of another type', { login: 'a', score: 'many' }, 'score'],
    ['a generated column', { login: 'a', initials: 'x' }, 'initials'],
    ['two values for one', { login: 'a', mail: ['a', 'b'] }, 'mail'],
  ])('is "rejected" with the field for %s, and nothing stays', (_, record, field) => {
    const error = errorOf(() => fixture.create('people', record));
    expect(error).toMatchObject({ kind: 'rejected', field });
    expect(error.reason).toMatch(/^[A-Z].*\.$/);
    expect(`${error.reason}${error.message}`).not.toMatch(/SQL|constraint|users|user_name/i);
    expect(fixture.column('SELECT count(*) FROM users')).toEqual([0]);
  });

  it('is a member that does not exist', () => {
    fixture.close();
    fixture = openTables(
      schema.replace('member TEXT NOT NULL', 'member TEXT NOT NULL REFERENCES users (id)'),
      entities,
      tables,
    );
    const error = errorOf(() => fixture.create('groups', { title: 'x', members: ['nobody'] }));
    expect(error).toMatchObject({ kind: 'rejected', field: 'members' });
    expect(fixture.column('SELECT count(*) FROM teams')).toEqual([0]);
  });
});

describe('update', () => {
  it('changes the row, its version and its time in one step, once for many changes', () => {
    const id = person();
    const before = readPerson(id, '$modified', '$created');
    fixture.db.exec("UPDATE users SET modified_at = '2001-01-01T00:00:00Z'");
    expect(fixture.update('people', id, set('mail', 'a@x'), set('note', 'n'), set('nick', 'Al')).changed).toBe(true);
    const after = readPerson(id, '$revision', '$modified', '$created', 'mail', 'note', 'nick');
    expect(after).toMatchObject({ $revision: '2', mail: 'a@x', note: 'n', nick: 'Al', $created: before?.$created });
    expect(Date.parse(String(after?.$modified))).toBeGreaterThanOrEqual(Date.parse(String(before?.$modified)));
  });

  it('writes nothing when nothing changes', () => {
    const id = person();
    const mails = [{ value: 'a@x', type: 'work' }];
    fixture.update('people', id, { op: 'set', field: 'mails', values: mails }, set('labels', 'x'), set('score', 1.5));
    const before = written();
    const result = fixture.update(
      'people',
      id,
      set('login', 'Alice'),
      set('labels', 'x'),
      set('score', 1.5),
      set('mail'),
      { op: 'set', field: 'mails', values: mails },
      { op: 'add', field: 'mails', values: [{ value: 'A@X', type: 'WORK' }] },
      { op: 'remove', field: 'mails', values: [{ value: 'b@x' }] },
      { op: 'removeWhere', field: 'mails', where: { kind: 'compare', path: 'type', op: 'eq', value: 'home' } },
      { op: 'updateWhere', field: 'mails', where: { kind: 'present', path: 'type' }, set: { type: 'work' } },
    );
    expect(result.changed).toBe(false);
    expect(written()).toBe(before);
    expect(readPerson(id, '$revision')?.$revision).toBe('2');
  });

  it('leaves revision and rows alone when a value is added and taken back', () => {
    const id = person();
    const result = fixture.update('people', id, add('labels', 'x'), { op: 'remove', field: 'labels', values: ['x'] });
    expect(result.changed).toBe(false);
    expect(readPerson(id, '$revision')?.$revision).toBe('1');
  });

  it('counts a change of child rows alone as a change of the record', () => {
    const id = person();
    fixture.update('people', id, { op: 'add', field: 'mails', values: [{ value: 'a@x' }] });
    expect(readPerson(id, '$revision')?.$revision).toBe('2');
    fixture.update('people', id, { op: 'removeWhere', field: 'mails', where: { kind: 'present', path: 'value' } });
    expect(readPerson(id, '$revision', 'mails')).toEqual({ $id: id, $revision: '3' });
  });

  it('clears to the empty text where the column takes no NULL and says what is empty', () => {
    const id = person();
    fixture.update('people', id, set('note', 'x'));
    fixture.update('people', id, set('note'));
    expect(fixture.column('SELECT note FROM users')).toEqual(['']);
    expect(errorOf(() => fixture.update('people', id, set('login')))).toMatchObject({
      kind: 'rejected',
      field: 'login',
    });
  });

  it('checks the revision with the write [7644-3.14-05]', () => {
    const id = person();
    const at = (ifRevision: string) => () =>
      fixture.write((store) => store.update('people', id, [set('note', ifRevision)], { fields: [], ifRevision }));
    at('1')();
    expect(errorOf(at('1'))).toMatchObject({ kind: 'revisionMismatch' });
    expect(fixture.store.capabilities.groups?.revision).toBe(false);
    const group = String(fixture.create('groups', { title: 'x' }).$id);
    const conditional = () => fixture.write((store) => store.delete('groups', group, { ifRevision: '1' }));
    expect(errorOf(conditional)).toMatchObject({ kind: 'unsupported' });
  });

  it('adds to a full single field only by an error', () => {
    const id = person();
    expect(errorOf(() => fixture.update('people', id, add('login', 'Bob')))).toMatchObject({
      kind: 'rejected',
      field: 'login',
    });
    expect(fixture.update('people', id, add('login', 'ALICE')).changed).toBe(false);
  });

  it('takes the removal of what cannot be there for a success', () => {
    const id = person();
    const gone: Change = { op: 'remove', field: 'number', values: ['007'] };
    expect(fixture.update('people', id, gone, { op: 'remove', field: 'labels', values: ['a\0'] }).changed).toBe(false);
  });
});

describe('child rows', () => {
  const rows = () =>
    fixture.db.prepare('SELECT address, kind, pos, tenant, seen FROM mails ORDER BY tenant, pos').all();

  it('are inserted and deleted one by one; rows of others and columns not declared stay', () => {
    const id = person();
    fixture.db.prepare("INSERT INTO mails VALUES (?, 'b@x', 'work', 0, 0, 'b', 'yes')").run(id);
    fixture.update('people', id, {
      op: 'add',
      field: 'mails',
      values: [{ value: 'a@x', type: 'work' }, { value: 'c@x' }],
    });
    fixture.db.exec("UPDATE mails SET seen = 'yes' WHERE address = 'a@x'");
    const values = [{ value: 'a@x', type: 'work' }, { value: 'd@x' }];
    fixture.update('people', id, { op: 'set', field: 'mails', values });
    expect(rows()).toEqual([
      { address: 'a@x', kind: 'work', pos: 0, tenant: 'a', seen: 'yes' },
      { address: 'd@x', kind: null, pos: 1, tenant: 'a', seen: 'no' },
      { address: 'b@x', kind: 'work', pos: 0, tenant: 'b', seen: 'yes' },
    ]);
    expect(readPerson(id, 'mails')).toEqual({ $id: id, mails: values });
  });

  it('that become equal to another become one', () => {
    const id = person();
    const values = [
      { value: 'a@x', type: 'work' },
      { value: 'a@x', type: 'home' },
    ];
    fixture.update('people', id, { op: 'set', field: 'mails', values });
    const where = { kind: 'compare', path: 'type', op: 'eq', value: 'home' } as const;
    fixture.update('people', id, { op: 'updateWhere', field: 'mails', where, set: { type: 'work' } });
    expect(readPerson(id, 'mails')?.mails).toEqual([{ value: 'a@x', type: 'work' }]);
    const all = { kind: 'and', operands: [] } as const;
    fixture.update('people', id, { op: 'updateWhere', field: 'mails', where: all, set: { value: null, type: null } });
    expect(readPerson(id, 'mails')).toEqual({ $id: id });
  });

  it('go with their record', () => {
    const id = person();
    fixture.update('people', id, { op: 'set', field: 'mails', values: [{ value: 'a@x' }] });
    fixture.write((store) => store.delete('people', id, {}));
    expect(rows()).toEqual([]);
  });

  it('are never put in twice, even where no index forbids it', () => {
    const group = String(fixture.create('groups', { title: 'x', members: ['m1'] }).$id);
    expect(fixture.update('groups', group, add('members', 'm1', 'm2', 'm2')).changed).toBe(true);
    expect(fixture.update('groups', group, add('members', 'm1', 'm2')).changed).toBe(false);
    expect(fixture.column('SELECT member FROM links ORDER BY 1')).toEqual(['m1', 'm2']);
    fixture.db.exec("INSERT INTO links VALUES (1, 'm1')");
    expect(fixture.store.get('groups', group, { fields: ['members'] })?.members).toEqual(['m1', 'm2']);
  });

  it('are added and removed without reading the others, whatever their number', () => {
    const group = String(fixture.create('groups', { title: 'x', members: ['m1'] }).$id);
    const statements = statementsOf(fixture.db);
    statements.recorder = [];
    fixture.update('groups', group, add('members', 'm2'), { op: 'remove', field: 'members', values: ['m1'] });
    const about = statements.recorder.filter((text) => text.includes('"links"'));
    statements.recorder = undefined;
    expect(about.map((text) => text.slice(0, 6))).toEqual(['INSERT', 'DELETE']);
    for (const text of about) {
      const values = text
        .split('?')
        .slice(1)
        .map(() => 'm1');
      const plan = fixture.db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`).all(...values);
      expect(plan.map(({ detail }) => detail).join()).toMatch(
        /SEARCH (c|links) USING .*INDEX links_both \(team=\? AND member=\?\)/,
      );
    }
  });
});

describe('members of a JSON column', () => {
  const doc = () => fixture.column('SELECT doc FROM users')[0];
  const withDoc = (text: string | null) => {
    const id = person();
    fixture.db.prepare('UPDATE users SET doc = ?').run(text);
    return id;
  };

  it('leave the rest of the document as it is, long numbers included', () => {
    const id = withDoc('{"serial":12345678901234567890,"nick":"a","other":{"x":1.50}}');
    fixture.update('people', id, set('nick', 'B'), set('street', 'Main "St"'), set('labels', 'x', 'y'));
    expect(doc()).toBe(
      '{"serial":12345678901234567890,"nick":"B","other":{"x":1.50},"home":{"street":"Main \\"St\\""},"labels":["x","y"]}',
    );
    fixture.update('people', id, set('nick'), set('street'), set('labels'));
    expect(doc()).toBe('{"serial":12345678901234567890,"other":{"x":1.50},"home":{}}');
  });

  it.each([null, '', 'null', '{}', '{"home":null}', '{"home":5}'])(
    'make the objects around them where %j has none',
    (text) => {
      const id = withDoc(text);
      fixture.update('people', id, set('street', 'Main'), set('nick', 'n'));
      expect(JSON.parse(String(doc()))).toEqual({ home: { street: 'Main' }, nick: 'n' });
    },
  );

  it.each(['[1]', '"text"', '{broken'])('are not written over %j', (text) => {
    const id = withDoc(text);
    expect(readPerson(id, 'nick', 'labels', 'phones')).toEqual({ $id: id });
    expect(errorOf(() => fixture.update('people', id, set('nick', 'n')))).toMatchObject({
      kind: 'rejected',
      field: 'nick',
    });
    expect(fixture.update('people', id, set('note', 'x')).changed).toBe(true);
    expect(doc()).toBe(text);
  });

  it('keep what the mapping does not know of an element', () => {
    const id = withDoc('{"phones":[{"value":"1","type":"work","checked":true},{"value":"2"},7,{"only":"unknown"}]}');
    const where = { kind: 'compare', path: 'type', op: 'eq', value: 'WORK' } as const;
    fixture.update('people', id, { op: 'updateWhere', field: 'phones', where, set: { value: '9', type: null } });
    expect(JSON.parse(String(doc())).phones).toEqual([
      { value: '9', checked: true },
      { value: '2' },
      7,
      { only: 'unknown' },
    ]);
    fixture.update('people', id, { op: 'remove', field: 'phones', values: [{ value: '2' }] });
    fixture.update('people', id, { op: 'add', field: 'phones', values: [{ value: '3', type: 'x' }] });
    expect(readPerson(id, 'phones')?.phones).toEqual([{ value: '9' }, { value: '3', type: 'x' }]);
  });
});

describe('soft deletion', () => {
  const soft: TablesConfig = { ...tables, people: { ...tables.people!, softDelete: 'gone' } };
  const softSchema = schema
    .replace('hired INTEGER', 'gone TEXT, hired INTEGER')
    .replace('folded TEXT UNIQUE', 'folded TEXT')
    .concat('CREATE UNIQUE INDEX folded ON users (folded) WHERE gone IS NULL;');

  it('hides the record from everything, frees its unique values, and takes it out of groups', () => {
    fixture.close();
    fixture = openTables(softSchema, entities, soft);
    const id = person();
    const group = String(fixture.create('groups', { title: 'x', members: [id] }).$id);
    fixture.write((store) => store.delete('people', id, {}));
    expect(fixture.column('SELECT gone IS NOT NULL FROM users')).toEqual([1]);
    expect(readPerson(id)).toBeUndefined();
    expect(errorOf(() => fixture.update('people', id, set('note', 'x'))).kind).toBe('notFound');
    expect(errorOf(() => fixture.write((store) => store.delete('people', id, {}))).kind).toBe('notFound');
    expect(fixture.find('people', { kind: 'and', operands: [] }, { wantTotal: true })).toEqual({
      records: [],
      total: 0,
    });
    expect(fixture.store.lookup('people', { by: 'login', values: ['Alice'], fields: [] })).toEqual([]);
    expect(fixture.store.get('groups', group, { fields: ['members'] })).toEqual({ $id: group });
    person('alice');
  });

  it('leaves a value taken where the index counts deleted rows too', () => {
    fixture.close();
    fixture = openTables(schema.replace('hired INTEGER', 'gone TEXT, hired INTEGER'), entities, soft);
    const id = person();
    fixture.write((store) => store.delete('people', id, {}));
    expect(errorOf(() => person('ALICE'))).toMatchObject({ kind: 'conflict', field: 'login' });
  });

  it('hides members that somebody else deleted', () => {
    fixture.close();
    fixture = openTables(softSchema, entities, soft);
    const [alice, bob] = [person('a'), person('b')];
    const group = String(fixture.create('groups', { title: 'x', members: [alice, bob] }).$id);
    fixture.db.prepare("UPDATE users SET gone = 'x' WHERE id = ?").run(alice);
    expect(fixture.store.get('groups', group, { fields: ['members'] })?.members).toEqual([bob]);
    const holds = (value: string) => ids(fixture.find('groups', { kind: 'compare', path: 'members', op: 'eq', value }));
    expect([holds(alice), holds(bob)]).toEqual([[], [group]]);
  });
});
