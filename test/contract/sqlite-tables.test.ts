import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

/** Tables as an old application has them: numbered rows, no version, no times, case left to the collation. */
const schema = `
  CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user_name TEXT NOT NULL COLLATE NOCASE UNIQUE, full_name TEXT COLLATE NOCASE,
    badge_no TEXT, age INTEGER, is_active BOOLEAN, hired_on TEXT, photo BLOB, manager_id INTEGER
  );
  CREATE TABLE user_mail (user_id INTEGER NOT NULL REFERENCES users (id), address TEXT NOT NULL, UNIQUE (user_id, address));
  CREATE TABLE user_emails (user_id INTEGER NOT NULL, address TEXT, kind TEXT, is_primary BOOLEAN);
  CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL COLLATE NOCASE UNIQUE);
  CREATE TABLE memberships (team_id INTEGER NOT NULL, member TEXT NOT NULL, UNIQUE (team_id, member));
`;

const tables: TablesConfig = {
  people: {
    table: 'users',
    key: 'id',
    fields: {
      login: 'user_name',
      name: 'full_name',
      badge: 'badge_no',
      age: 'age',
      enabled: 'is_active',
      hired: 'hired_on',
      photo: 'photo',
      mail: { table: 'user_mail', parent: 'user_id', column: 'address' },
      mails: {
        table: 'user_emails',
        parent: 'user_id',
        columns: { value: 'address', type: 'kind', primary: 'is_primary' },
      },
    },
  },
  groups: {
    table: 'teams',
    key: 'id',
    fields: { title: 'title', members: { table: 'memberships', parent: 'team_id', column: 'member' } },
  },
};

/** Both tables number their rows, so that ids need a prefix. */
const entities = contractEntities.map((use) => {
  const known = new Set(Object.keys(tables[use.entity]?.fields ?? {}));
  return { ...use, idPrefix: `${use.entity}-`, fields: use.fields.filter(({ name }) => known.has(name)) };
});

const folder = await mkdtemp(join(tmpdir(), 'scimbridge-tables-'));
const file = join(folder, 'old.db');
const setup = new Database(file);
setup.exec(schema);
setup.close();

describeAdapterContract('sqlite, existing tables', {
  entities,
  open: () => sqliteModule.open({ type: 'sqlite', file, entities: tables }, environmentIn(folder, entities)),
  reset: (adapter) => deleteEverything(adapter, entities),
  close: () => rm(folder, { recursive: true }),
});
