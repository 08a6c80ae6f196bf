import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { describeOnSql } from '../support/sql/available.js';
import type { SqlKind } from '../support/sql/sql-server.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';
import { sqlSubject } from './sql-tables.js';

/** Tables that tenants share: every key begins with the tenant, and what refers to a row names both columns. */
const schema = `
  CREATE TABLE users (
    tenant varchar(40) NOT NULL, id varchar(40) NOT NULL, user_name varchar(700), user_name_folded varchar(700), full_name varchar(6000), badge_no varchar(6000),
    boss varchar(40), version integer, PRIMARY KEY (tenant, id), UNIQUE (tenant, user_name_folded)
  );
  CREATE TABLE user_mail (tenant varchar(40) NOT NULL, user_id varchar(40) NOT NULL, address varchar(6000));
  CREATE INDEX user_mail_of ON user_mail (tenant, user_id);
  CREATE TABLE user_emails (tenant varchar(40) NOT NULL, user_id varchar(40) NOT NULL, address varchar(6000), kind varchar(6000), is_primary boolean);
  CREATE INDEX user_emails_of ON user_emails (tenant, user_id);
  CREATE TABLE teams (
    tenant varchar(40) NOT NULL, id varchar(40) NOT NULL, title varchar(700), title_folded varchar(700), version integer,
    PRIMARY KEY (tenant, id), UNIQUE (tenant, title_folded)
  );
  CREATE TABLE memberships (tenant varchar(40) NOT NULL, team_id varchar(40) NOT NULL, member varchar(200) NOT NULL, PRIMARY KEY (tenant, team_id, member));
  CREATE INDEX memberships_of ON memberships (member);
  CREATE TABLE owners (tenant varchar(40) NOT NULL, team_id varchar(40) NOT NULL, user_id varchar(40), kind varchar(6000));
  CREATE INDEX owners_of ON owners (tenant, team_id);
`;

const tables: TablesConfig = {
  people: {
    table: 'users',
    key: ['tenant', 'id'],
    fixed: { tenant: 'häuser & söhne' },
    version: 'version',
    fields: {
      login: { column: 'user_name', folded: 'user_name_folded' },
      name: 'full_name',
      badge: 'badge_no',
      mail: { table: 'user_mail', parent: ['tenant', 'user_id'], column: 'address' },
      mails: {
        table: 'user_emails',
        parent: ['tenant', 'user_id'],
        columns: { value: 'address', type: 'kind', primary: 'is_primary' },
      },
      manager: ['tenant', 'boss'],
    },
  },
  groups: {
    table: 'teams',
    key: ['tenant', 'id'],
    fixed: { tenant: 'häuser & söhne' },
    version: 'version',
    fields: {
      title: { column: 'title', folded: 'title_folded' },
      members: { table: 'memberships', parent: ['tenant', 'team_id'], column: 'member' }, // whole ids, of people and groups
      owners: {
        table: 'owners',
        parent: ['tenant', 'team_id'],
        columns: { value: ['tenant', 'user_id'], type: 'kind' },
      },
    },
  },
};

const toPeople = { targets: ['people'], by: '$id' } as const;
const known = new Set([...Object.values(tables).flatMap(({ fields }) => Object.keys(fields))]);
const entities = contractEntities.map((entity) => ({
  ...entity,
  idPrefix: `${entity.entity}-`,
  fields: entity.fields
    .filter(({ name }) => known.has(name))
    .map((field) => {
      if (field.name !== 'owners') return field;
      const children = field.children?.map((child) =>
        child.reference === undefined ? child : { ...child, reference: toPeople },
      );
      return { ...field, ...(children === undefined ? {} : { children }) };
    }),
}));

const folder = await mkdtemp(join(tmpdir(), 'scimbridge-tables-'));
const file = join(folder, 'tenants.db');
const setup = new Database(file);
setup.exec(schema);
setup.close();

describeAdapterContract('sqlite, keys of several columns', {
  entities,
  open: () => sqliteModule.open({ type: 'sqlite', file, entities: tables }, environmentIn(folder, entities)),
  reset: (adapter) => deleteEverything(adapter, entities),
  close: () => rm(folder, { recursive: true }),
});

/** MariaDB: texts are told apart by their characters. */
const bytewise = schema
  .replaceAll('varchar(6000)', 'text')
  .replaceAll(/\n {2}\);|\)\);|\);/g, (end) => end.replace(';', ' CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;'));
const schemas: Readonly<Record<SqlKind, string>> = {
  postgresql: schema,
  mysql: bytewise.replaceAll(/(CREATE INDEX .*?\)) CHARACTER SET.*?;/g, '$1;'),
};
for (const kind of ['postgresql', 'mysql'] as const) {
  await describeOnSql(kind, 'keys of several columns', async (name) => {
    describeAdapterContract(name, await sqlSubject(kind, schemas[kind], tables, entities));
  });
}
