import type { TestServer } from '../gateway.js';
import { startServer } from '../in-process-server.js';
import type { SqlDatabase, SqlKind, SqlServer } from './sql-server.js';

/** Users and groups as an application keeps them, with a link table between them. */
export const tablesSchema: Readonly<Record<SqlKind, string>> = {
  postgresql: `
    CREATE TABLE users (id uuid PRIMARY KEY, user_name text NOT NULL, display_name text, title text, is_active boolean NOT NULL DEFAULT true, row_version integer NOT NULL DEFAULT 1);
    CREATE UNIQUE INDEX users_user_name ON users (lower(user_name));
    CREATE TABLE teams (id uuid PRIMARY KEY, name text NOT NULL, row_version integer NOT NULL DEFAULT 1);
    CREATE UNIQUE INDEX teams_name ON teams (lower(name));
    CREATE TABLE memberships (team_id uuid REFERENCES teams ON DELETE CASCADE, user_id uuid REFERENCES users ON DELETE CASCADE, PRIMARY KEY (team_id, user_id));
    CREATE INDEX memberships_user ON memberships (user_id);
    GRANT SELECT, INSERT, UPDATE, DELETE ON users, teams, memberships TO scim`,
  mysql: `
    CREATE TABLE users (id char(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, user_name varchar(200) NOT NULL UNIQUE, display_name varchar(200), title varchar(200), is_active tinyint(1) NOT NULL DEFAULT 1,
      row_version integer NOT NULL DEFAULT 1) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
    CREATE TABLE teams (id char(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, name varchar(200) NOT NULL UNIQUE, row_version integer NOT NULL DEFAULT 1) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
    CREATE TABLE memberships (team_id char(36) CHARACTER SET ascii COLLATE ascii_bin, user_id char(36) CHARACTER SET ascii COLLATE ascii_bin, PRIMARY KEY (team_id, user_id), INDEX (user_id),
      FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)`,
};

export interface TablesGatewayOptions {
  /** Where the gateway finds the database. Default: the server's own port. */
  readonly port?: number;
  /** Further lines of the adapter's section: `connectTimeoutMs: 1000`. */
  readonly adapterLines?: readonly string[];
  readonly requestSeconds?: number;
}

/** A gateway over `tablesSchema`. */
export function startTablesGateway(
  server: SqlServer,
  database: SqlDatabase,
  { port = server.port, adapterLines = [], requestSeconds = 25 }: TablesGatewayOptions = {},
): Promise<TestServer> {
  process.env.TEST_SQL_PASSWORD = server.password;
  const config = `
version: 1
adapters:
  tables:
    type: ${server.kind}
    url: ${database.url.replace(/:\d+\//, `:${port}/`)}
    password: \${env:TEST_SQL_PASSWORD}
${adapterLines.map((line) => `    ${line}\n`).join('')}
    entities:
      users:
        table: users
        key: id
        version: row_version
        fields: { user_name: user_name, display_name: display_name, title: title, is_active: is_active }
      teams:
        table: teams
        key: id
        version: row_version
        fields: { name: name, members: { table: memberships, parent: team_id, column: user_id } }
gateways:
  default:
    address: /scim
    level: debug
    limits: { requestSeconds: ${requestSeconds}, requestsPerSecond: 0 }
    resources:
      User:
        adapter: tables
        entity: users
        mapping:
          userName: { field: user_name, required: true, unique: true }
          displayName: display_name
          title: title
          active: { field: is_active, default: true }
          groups: { field: groups, readOnly: true, reference: { to: [Group], inverseOf: Group.members } }
      Group:
        adapter: tables
        entity: teams
        mapping:
          displayName: { field: name, required: true, unique: true }
          members: { field: members, reference: { to: [User] } }
`;
  return startServer({ config });
}
