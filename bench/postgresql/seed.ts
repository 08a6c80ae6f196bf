import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type UserDocument, userDocument } from '../documents.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const chunk = 5_000;

/** Indexes as docs/backends/sql.md has them. */
const tables = `
CREATE TABLE users (
  id uuid PRIMARY KEY, user_name text NOT NULL, external_id text, given_name text, family_name text, display_name text, title text,
  is_active boolean NOT NULL DEFAULT true, email text, phone text, department text,
  row_version integer NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now(), modified_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX users_user_name ON users (lower(user_name));
CREATE INDEX users_external_id ON users (external_id);
CREATE TABLE teams (id uuid PRIMARY KEY, name text NOT NULL, row_version integer NOT NULL DEFAULT 1, modified_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX teams_name ON teams (lower(name));
CREATE TABLE memberships (
  team_id uuid NOT NULL REFERENCES teams ON DELETE CASCADE, user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  PRIMARY KEY (team_id, user_id));
CREATE INDEX memberships_user ON memberships (user_id);`;

export const columns = [
  ...[
    'id',
    'user_name',
    'external_id',
    'given_name',
    'family_name',
    'display_name',
    'title',
    'is_active',
    'email',
    'phone',
  ],
  'department',
] as const;

/** What is in the database: ids of users 0, 1, 2 …, of small groups of ten, and of the one that all are in. */
export interface Seeded {
  readonly userIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly largeId: string;
}

/** The row that the gateway makes of the same document, in the order of `columns`. */
export function userRow(n: number, id: string): readonly (string | boolean)[] {
  const user = userDocument(n) as UserDocument & {
    readonly externalId: string;
    readonly name: { readonly givenName: string; readonly familyName: string };
    readonly displayName: string;
    readonly title: string;
    readonly emails: readonly [{ readonly value: string }];
    readonly phoneNumbers: readonly [{ readonly value: string }];
    readonly [enterprise]: { readonly department: string };
  };
  const { givenName, familyName } = user.name;
  const [{ value: email }] = user.emails;
  const [{ value: phone }] = user.phoneNumbers;
  const { department } = user[enterprise];
  return [
    id,
    user.userName,
    user.externalId,
    givenName,
    familyName,
    user.displayName,
    user.title,
    true,
    email,
    phone,
    department,
  ];
}

export async function seed(url: string, { users, groups }: { users: number; groups: number }): Promise<Seeded> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(tables);
    const userIds = Array.from({ length: users }, () => randomUUID());
    for (let from = 0; from < users; from += chunk) {
      const rows = userIds.slice(from, from + chunk).map((id, at) => userRow(from + at, id));
      const records = rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
      const select = `SELECT ${columns.join(', ')} FROM json_populate_recordset(NULL::users, $1)`;
      await client.query(`INSERT INTO users (${columns.join(', ')}) ${select}`, [JSON.stringify(records)]);
    }
    const [largeId = '', ...groupIds] = Array.from({ length: groups + 1 }, () => randomUUID());
    for (const [at, id] of [largeId, ...groupIds].entries()) {
      await client.query('INSERT INTO teams (id, name) VALUES ($1, $2)', [id, at === 0 ? 'large' : `group-${at}`]);
    }
    await client.query('INSERT INTO memberships SELECT $1, id FROM users', [largeId]);
    const link = 'INSERT INTO memberships SELECT $1, m::uuid FROM unnest($2::text[]) m';
    for (const [at, id] of groupIds.entries()) await client.query(link, [id, userIds.slice(at * 10, at * 10 + 10)]);
    await client.query('VACUUM ANALYZE');
    return { userIds, groupIds, largeId };
  } finally {
    await client.end();
  }
}
