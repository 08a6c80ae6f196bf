import type { TablesConfig } from '../../adapters/sql/config.js';
import type { EntityUse } from '../../src/backend/adapter.js';
import { describeAdapterContract } from '../contract/adapter-contract.js';
import { contractEntities } from '../contract/contract-entities.js';
import { openTables, StoreAdapter } from './tables-fixture.js';

const normalized = `
  CREATE TABLE users (
    id TEXT PRIMARY KEY, user_name TEXT NOT NULL, user_name_folded TEXT UNIQUE, full_name TEXT, badge_no TEXT,
    age INTEGER, is_active BOOLEAN, hired_on TEXT, photo BLOB, manager_id TEXT REFERENCES users (id),
    version INTEGER NOT NULL, created_at TEXT, modified_at TEXT
  );
  CREATE INDEX users_manager ON users (manager_id);
  CREATE TABLE user_mail (user_id TEXT NOT NULL REFERENCES users (id), address TEXT, PRIMARY KEY (user_id, address)) WITHOUT ROWID;
  CREATE TABLE user_tags (user_id TEXT NOT NULL, tag TEXT, tag_folded TEXT);
  CREATE INDEX user_tags_user ON user_tags (user_id);
  CREATE TABLE user_emails (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, address TEXT, kind TEXT, is_primary INTEGER, pos INTEGER, tenant TEXT);
  CREATE INDEX user_emails_user ON user_emails (user_id);
  CREATE TABLE "group" (
    id TEXT PRIMARY KEY, title TEXT, title_folded TEXT UNIQUE, contact TEXT, version INTEGER, created_at TEXT, modified_at TEXT
  );
  CREATE TABLE memberships (group_id TEXT NOT NULL, member_id TEXT NOT NULL, UNIQUE (group_id, member_id));
  CREATE INDEX memberships_member ON memberships (member_id);
  CREATE TABLE owners (group_id TEXT NOT NULL, owner_id TEXT, kind TEXT);
  CREATE INDEX owners_group ON owners (group_id);
`;

const normalizedTables: TablesConfig = {
  people: {
    table: 'users',
    key: 'id',
    version: 'version',
    created: 'created_at',
    modified: 'modified_at',
    fields: {
      login: { column: 'user_name', folded: 'user_name_folded' },
      name: 'full_name',
      badge: 'badge_no',
      mail: { table: 'user_mail', parent: 'user_id', column: 'address' },
      tags: { table: 'user_tags', parent: 'user_id', column: { column: 'tag', folded: 'tag_folded' } },
      age: 'age',
      enabled: { column: 'is_active' },
      hired: 'hired_on',
      photo: 'photo',
      mails: {
        table: 'user_emails',
        parent: 'user_id',
        columns: { value: 'address', type: 'kind', primary: 'is_primary' },
        fixed: { tenant: 'a' },
        position: 'pos',
      },
      manager: 'manager_id',
      memberOf: { table: 'memberships', parent: 'member_id', column: 'group_id', readOnly: true },
    },
  },
  groups: {
    table: 'group',
    key: 'id',
    version: 'version',
    created: 'created_at',
    modified: 'modified_at',
    fields: {
      title: { column: 'title', folded: 'title_folded' },
      members: { table: 'memberships', parent: 'group_id', column: 'member_id' },
      contact: 'contact',
      owners: { table: 'owners', parent: 'group_id', columns: { value: 'owner_id', type: 'kind' } },
    },
  },
};

const document = `
  CREATE TABLE people (
    no INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT COLLATE NOCASE, doc TEXT, more TEXT, hired INTEGER, v INTEGER, born INTEGER, touched REAL,
    gone INTEGER
  );
  CREATE UNIQUE INDEX people_login ON people (login) WHERE gone IS NULL;
  CREATE TABLE teams (no INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT, v INTEGER, gone TEXT);
  CREATE TABLE team_members (team INTEGER NOT NULL REFERENCES teams (no), member TEXT NOT NULL);
  CREATE INDEX team_members_team ON team_members (team);
  CREATE INDEX team_members_member ON team_members (member);
`;

const documentTables: TablesConfig = {
  people: {
    table: 'people',
    key: 'no',
    version: 'v',
    created: { column: 'born', format: 'epochMillis' },
    modified: { column: 'touched', format: 'epochMillis' },
    softDelete: { column: 'gone', format: 'epochSeconds' },
    fields: {
      login: 'login',
      name: { column: 'doc', json: '$.name.full' },
      badge: { column: 'doc', json: '$.badge' },
      mail: { column: 'doc', json: '$.mail' },
      tags: { column: 'more', json: '$."the tags"' },
      age: { column: 'doc', json: '$.age' },
      enabled: { column: 'doc', json: '$.enabled' },
      hired: { column: 'hired', format: 'epochMillis' },
      photo: { column: 'doc', json: '$.photo' },
      mails: { column: 'doc', json: '$.mails' },
      manager: { column: 'more', json: '$.manager' },
    },
  },
  groups: {
    table: 'teams',
    key: 'no',
    version: 'v',
    softDelete: 'gone',
    fields: {
      title: { column: 'doc', json: '$.title' },
      members: { table: 'team_members', parent: 'team', column: 'member' },
      contact: { column: 'doc', json: '$.contact' },
      owners: { column: 'doc', json: '$.owners' },
    },
  },
};

const prefixed: readonly EntityUse[] = contractEntities.map((entity) => ({
  ...entity,
  idPrefix: entity.entity === 'people' ? 'p' : 'g',
}));

const cases: readonly (readonly [string, string, TablesConfig, readonly EntityUse[]])[] = [
  ['columns and child tables', normalized, normalizedTables, contractEntities],
  ['JSON columns, integer keys and soft deletion', document, documentTables, prefixed],
];

for (const [kind, schema, tables, entities] of cases) {
  describeAdapterContract(`sqlite, existing tables: ${kind}`, {
    entities,
    open: async () => new StoreAdapter(openTables(schema, entities, tables), entities),
  });
}
