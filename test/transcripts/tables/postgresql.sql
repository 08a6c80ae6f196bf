-- The tables of tables.sql as PostgreSQL's users make them: booleans, timestamps with a zone, a JSON document.
CREATE TABLE users (
  id uuid PRIMARY KEY,
  user_name text NOT NULL,
  user_name_folded text NOT NULL UNIQUE,
  external_id text,
  display_name varchar(512),
  given_name varchar(512),
  family_name varchar(512),
  job_title text,
  enabled boolean NOT NULL DEFAULT true,
  employee_number text,
  department text,
  manager_id text,
  more jsonb,
  row_version bigint NOT NULL DEFAULT 1,
  created_at timestamptz,
  modified_at timestamptz
);
CREATE INDEX users_external_id ON users (external_id);

CREATE TABLE user_emails (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  address text,
  kind text,
  is_primary boolean,
  label text,
  place integer
);
CREATE INDEX user_emails_user ON user_emails (user_id);
CREATE INDEX user_emails_address ON user_emails (lower(address));

CREATE TABLE user_phones (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  number text,
  kind text,
  is_primary boolean,
  label text,
  place integer
);
CREATE INDEX user_phones_user ON user_phones (user_id);

CREATE TABLE user_addresses (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind text,
  is_primary boolean,
  formatted text,
  street text,
  city text,
  region text,
  zip text,
  country text,
  place integer
);
CREATE INDEX user_addresses_user ON user_addresses (user_id);

CREATE TABLE user_roles (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text,
  kind text,
  is_primary boolean,
  label text,
  place integer
);
CREATE INDEX user_roles_user ON user_roles (user_id);

CREATE TABLE teams (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  name_folded text NOT NULL UNIQUE,
  external_id text,
  row_version integer NOT NULL DEFAULT 1,
  created_at bigint,
  modified_at bigint
);

CREATE TABLE memberships (
  team_id uuid NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  member_id text NOT NULL,
  member_kind text,
  PRIMARY KEY (team_id, member_id)
);
CREATE INDEX memberships_member ON memberships (member_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO scim;
