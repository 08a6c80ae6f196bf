import type { TablesConfig } from '../../adapters/sql/config.js';
import { describeOnSql } from '../support/sql/available.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities } from './contract-entities.js';
import { sqlSubject } from './sql-tables.js';

/** Tables as an application on PostgreSQL has them, with what the gateway can use beside them. */
const schema = `
  CREATE TABLE users (
    id uuid PRIMARY KEY, user_name text NOT NULL, user_name_folded text UNIQUE, full_name varchar(6000), badge_no text,
    age integer, is_active boolean, hired_on timestamptz, photo bytea, manager_id uuid REFERENCES users (id),
    version bigint NOT NULL, created_at timestamptz, modified_at timestamptz
  );
  CREATE INDEX ON users (manager_id);
  CREATE TABLE user_mail (user_id uuid NOT NULL REFERENCES users (id), address text, PRIMARY KEY (user_id, address));
  CREATE TABLE user_tags (user_id uuid NOT NULL, tag text, tag_folded text);
  CREATE INDEX ON user_tags (user_id);
  CREATE TABLE user_emails (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid NOT NULL, address text, kind text, is_primary boolean, pos integer, tenant text
  );
  CREATE INDEX ON user_emails (user_id);
  CREATE TABLE "group" (
    id uuid PRIMARY KEY, title text, title_folded text UNIQUE, contact text, version integer,
    created_at timestamptz, modified_at timestamp
  );
  CREATE TABLE memberships (group_id uuid NOT NULL REFERENCES "group" (id), member_id text NOT NULL, UNIQUE (group_id, member_id));
  CREATE INDEX ON memberships (member_id);
  CREATE TABLE owners (group_id uuid NOT NULL, owner_id text, kind text);
  CREATE INDEX ON owners (group_id);
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

await describeOnSql('postgresql', 'PostgreSQL, columns and child tables', async (name) => {
  describeAdapterContract(name, await sqlSubject('postgresql', schema, tables, contractEntities));
});
