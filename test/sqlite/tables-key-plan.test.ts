import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statementsOf } from '../../adapters/sqlite/database.js';
import type { EntityUse } from '../../src/backend/adapter.js';
import { openTables, type TablesFixture, use } from './tables-fixture.js';

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      use('number', { type: 'number' }),
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
      use('title', { comparison: 'exact' }),
      use('members', { multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
    ],
  },
];

let fixture: TablesFixture;
beforeAll(() => {
  fixture = openTables(
    `
      CREATE TABLE users (tenant TEXT, no INTEGER, gone TEXT, PRIMARY KEY (tenant, no)) WITHOUT ROWID;
      CREATE TABLE teams (tenant TEXT, code TEXT, title TEXT, PRIMARY KEY (tenant, code)) WITHOUT ROWID;
      CREATE TABLE links (tenant TEXT, team TEXT, usr INTEGER, PRIMARY KEY (tenant, team, usr)) WITHOUT ROWID;
      CREATE INDEX links_usr ON links (tenant, usr);
      INSERT INTO users (tenant, no) VALUES ('a', 1), ('a', 2), ('b', 1), ('b', 2);
      INSERT INTO teams VALUES ('a', 'x', 'X'), ('b', 'x', 'X');
      INSERT INTO links VALUES ('a', 'x', 1), ('b', 'x', 2);
    `,
    entities,
    {
      people: { table: 'users', key: ['tenant', 'no'], softDelete: 'gone', fields: { number: 'no' } },
      groups: {
        table: 'teams',
        key: ['tenant', 'code'],
        fields: {
          title: 'title',
          members: { table: 'links', parent: ['tenant', 'team'], column: ['tenant', 'usr'] },
        },
      },
    },
  );
});
afterAll(() => fixture.close());

/** What SQLite does for the statements, apart from looking at lists of parameters. */
function stepsOf(run: () => unknown): readonly string[] {
  const statements = statementsOf(fixture.db);
  statements.recorder = [];
  run();
  const recorded = statements.recorder ?? [];
  statements.recorder = undefined;
  return recorded
    .filter((text) => /^(SELECT|UPDATE|DELETE|INSERT)/.test(text))
    .flatMap((text) => {
      const count = (text.match(/\?/g) ?? []).length;
      const explain = fixture.db.prepare(`EXPLAIN QUERY PLAN ${text}`);
      return explain
        .all(...Array.from({ length: count }, () => '1'))
        .map((step) => (step as { detail: string }).detail);
    })
    .filter((step) => /^(SCAN|SEARCH)/.test(step) && !/json_each|CONSTANT/.test(step));
}

describe('keys of several columns are found by their index', () => {
  it.each<readonly [string, () => unknown, string]>([
    ['an id', () => fixture.store.get('people', 'a.1', { fields: [] }), '(tenant=? AND no=?)'],
    [
      'many ids',
      () => fixture.store.lookup('people', { by: '$id', values: ['a.1', 'a.2', 'b.1'], fields: [] }),
      '(tenant=? AND no=?)',
    ],
    [
      'the members of a group',
      () => fixture.store.get('groups', 'a.x', { fields: ['members'] }),
      '(tenant=? AND team=?)',
    ],
    [
      'the groups of a person',
      () => fixture.store.get('people', 'a.1', { fields: ['groups'] }),
      '(tenant=? AND usr=?)',
    ],
    [
      'the groups that have a member',
      () => fixture.find('groups', { kind: 'compare', path: 'members', op: 'eq', value: 'a.1' }),
      '(tenant=? AND usr=?)',
    ],
    [
      'a member that is added',
      () => fixture.update('groups', 'a.x', { op: 'add', field: 'members', values: ['a.2'] }),
      '(tenant=? AND team=? AND usr=?)',
    ],
    [
      'a member that is removed',
      () => fixture.update('groups', 'a.x', { op: 'remove', field: 'members', values: ['a.2'] }),
      '(tenant=? AND team=? AND usr=?)',
    ],
    [
      'the next page',
      () => {
        const after = Buffer.from('[1,"[\\"a\\",\\"1\\"]",null]').toString('base64url');
        fixture.store.search({ entity: 'people', fields: [], limit: 1, wantTotal: false, after });
      },
      '((tenant,no)>(?,?))',
    ],
  ])('%s', (_, run, terms) => {
    const steps = stepsOf(run);
    expect(steps.filter((step) => step.includes(terms))).not.toEqual([]);
    expect(steps.filter((step) => step.startsWith('SCAN'))).toEqual([]);
  });
});
