import type { TablesConfig } from '../../adapters/sql/config.js';
import { describeOnSql } from '../support/sql/available.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities } from './contract-entities.js';
import { sqlSubject } from './sql-tables.js';

/** Tables of MariaDB whose texts are compared by their characters, and by folded copies. */
const schema = `
  CREATE TABLE users (
    id char(36) CHARACTER SET ascii PRIMARY KEY, user_name text NOT NULL, user_name_folded varchar(700) COLLATE utf8mb4_bin UNIQUE,
    full_name varchar(6000) COLLATE utf8mb4_nopad_bin, badge_no text COLLATE utf8mb4_bin,
    age bigint, is_active tinyint(1), hired_on datetime(6), photo mediumblob, manager_id char(36) CHARACTER SET ascii,
    version bigint NOT NULL, created_at datetime(6), modified_at timestamp(3) NULL,
    FOREIGN KEY (manager_id) REFERENCES users (id)
  ) CHARACTER SET utf8mb4;
  CREATE TABLE user_mail (
    user_id char(36) CHARACTER SET ascii NOT NULL, address text COLLATE utf8mb4_nopad_bin, KEY (user_id, address(100))
  ) CHARACTER SET utf8mb4;
  CREATE TABLE user_tags (
    user_id char(36) CHARACTER SET ascii NOT NULL, tag text, tag_folded text COLLATE utf8mb4_nopad_bin, KEY (user_id)
  ) CHARACTER SET utf8mb4;
  CREATE TABLE user_emails (
    id bigint AUTO_INCREMENT PRIMARY KEY, user_id char(36) CHARACTER SET ascii NOT NULL, address text, kind text,
    is_primary boolean, pos int, tenant varchar(10), KEY (user_id)
  ) CHARACTER SET utf8mb4;
  CREATE TABLE \`group\` (
    id char(36) CHARACTER SET ascii PRIMARY KEY, title text, title_folded varchar(700) COLLATE utf8mb4_nopad_bin UNIQUE, contact text, version int,
    created_at datetime(6), modified_at datetime
  ) CHARACTER SET utf8mb4;
  CREATE TABLE memberships (
    group_id char(36) CHARACTER SET ascii NOT NULL, member_id varchar(64) CHARACTER SET ascii NOT NULL,
    UNIQUE (group_id, member_id), KEY (member_id), FOREIGN KEY (group_id) REFERENCES \`group\` (id)
  );
  CREATE TABLE owners (
    group_id char(36) CHARACTER SET ascii NOT NULL, owner_id varchar(64), kind text, KEY (group_id)
  ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
`;

const tables: TablesConfig = {
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
      enabled: 'is_active',
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

/** Numbered rows, texts in the collations that most databases were made with, documents, and a mark instead of deleting. */
const oldSchema = `
  CREATE TABLE people (
    no int AUTO_INCREMENT PRIMARY KEY, login varchar(6000) COLLATE utf8mb4_general_ci NOT NULL, full_name text COLLATE utf8mb4_unicode_ci, doc json, more longtext,
    hired bigint, touched datetime(3), gone bigint, KEY (login(50))
  ) CHARACTER SET utf8mb4;
  CREATE TABLE teams (no bigint unsigned AUTO_INCREMENT PRIMARY KEY, title varchar(700) COLLATE utf8mb4_general_ci UNIQUE, doc json, v int, gone datetime);
  CREATE TABLE team_members (team bigint unsigned NOT NULL, member varchar(60) COLLATE utf8mb4_swedish_ci NOT NULL, KEY (team), KEY (member), FOREIGN KEY (team) REFERENCES teams (no));
`;

const oldTables: TablesConfig = {
  people: {
    table: 'people',
    key: 'no',
    modified: 'touched',
    softDelete: { column: 'gone', format: 'epochMillis' },
    fields: {
      login: 'login',
      name: 'full_name',
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
    fields: {
      title: 'title',
      members: { table: 'team_members', parent: 'team', column: 'member' },
      contact: { column: 'doc', json: '$.contact' },
      owners: { column: 'doc', json: '$.owners' },
    },
  },
};

await describeOnSql('mysql', 'an old application', async (name) => {
  const entities = contractEntities.map((use) => ({ ...use, idPrefix: `${use.entity}-` }));
  describeAdapterContract(name, await sqlSubject('mysql', oldSchema, oldTables, entities));
});

await describeOnSql('mysql', 'columns and child tables', async (name) => {
  describeAdapterContract(name, await sqlSubject('mysql', schema, tables, contractEntities));
});
