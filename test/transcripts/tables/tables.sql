-- An application's own tables, as it made them: keys of its own making, child tables for what repeats, a link table for
-- members, and a JSON column for the rest.
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  user_name TEXT NOT NULL,
  user_name_folded TEXT NOT NULL UNIQUE,
  external_id TEXT,
  display_name TEXT,
  given_name TEXT,
  family_name TEXT,
  job_title TEXT,
  enabled INTEGER NOT NULL DEFAULT 1,
  employee_number TEXT,
  department TEXT,
  manager_id TEXT,
  more TEXT,
  row_version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT,
  modified_at TEXT
);
CREATE INDEX users_external_id ON users (external_id);

CREATE TABLE user_emails (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  address TEXT,
  kind TEXT,
  is_primary INTEGER,
  label TEXT,
  place INTEGER
);
CREATE INDEX user_emails_user ON user_emails (user_id);
CREATE INDEX user_emails_address ON user_emails (address);

CREATE TABLE user_phones (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  number TEXT,
  kind TEXT,
  is_primary INTEGER,
  label TEXT,
  place INTEGER
);
CREATE INDEX user_phones_user ON user_phones (user_id);

CREATE TABLE user_addresses (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind TEXT,
  is_primary INTEGER,
  formatted TEXT,
  street TEXT,
  city TEXT,
  region TEXT,
  zip TEXT,
  country TEXT,
  place INTEGER
);
CREATE INDEX user_addresses_user ON user_addresses (user_id);

CREATE TABLE user_roles (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT,
  kind TEXT,
  is_primary INTEGER,
  label TEXT,
  place INTEGER
);
CREATE INDEX user_roles_user ON user_roles (user_id);

CREATE TABLE teams (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL UNIQUE,
  external_id TEXT,
  row_version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER,
  modified_at INTEGER
);

CREATE TABLE memberships (
  team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  member_id TEXT NOT NULL,
  member_kind TEXT,
  PRIMARY KEY (team_id, member_id)
);
CREATE INDEX memberships_member ON memberships (member_id);
