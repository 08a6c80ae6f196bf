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

await describeOnSql('mysql', 'columns and child tables', async (name) => {
  describeAdapterContract(name, await sqlSubject('mysql', schema, tables, contractEntities));
});
