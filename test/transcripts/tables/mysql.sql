-- The tables of tables.sql as MariaDB's users make them: bounded texts where an index is, times without a zone, JSON.
CREATE TABLE users (
  id char(36) PRIMARY KEY,
  user_name varchar(255) NOT NULL,
  user_name_folded varchar(255) COLLATE utf8mb4_bin NOT NULL UNIQUE,
  external_id varchar(255),
  display_name text,
  given_name text,
  family_name text,
  job_title text,
  enabled boolean NOT NULL DEFAULT true,
  employee_number varchar(255),
  department varchar(255),
  manager_id varchar(255),
  more json,
  row_version bigint NOT NULL DEFAULT 1,
  created_at datetime(6),
  modified_at datetime(6),
  INDEX (external_id)
) CHARACTER SET utf8mb4;

CREATE TABLE user_emails (
  user_id char(36) NOT NULL,
  address varchar(320),
  kind varchar(64),
  is_primary boolean,
  label text,
  place integer,
  INDEX (address),
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;

CREATE TABLE user_phones (
  user_id char(36) NOT NULL,
  number varchar(128),
  kind varchar(64),
  is_primary boolean,
  label text,
  place integer,
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;

CREATE TABLE user_addresses (
  user_id char(36) NOT NULL,
  kind varchar(64),
  is_primary boolean,
  formatted text,
  street text,
  city text,
  region text,
  zip varchar(64),
  country varchar(128),
  place integer,
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;

CREATE TABLE user_roles (
  user_id char(36) NOT NULL,
  role text,
  kind varchar(64),
  is_primary boolean,
  label text,
  place integer,
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;

CREATE TABLE teams (
  id char(36) PRIMARY KEY,
  name varchar(255) NOT NULL,
  name_folded varchar(255) COLLATE utf8mb4_bin NOT NULL UNIQUE,
  external_id varchar(255),
  row_version integer NOT NULL DEFAULT 1,
  created_at bigint,
  modified_at bigint
) CHARACTER SET utf8mb4;

CREATE TABLE memberships (
  team_id char(36) NOT NULL,
  member_id varchar(255) COLLATE utf8mb4_bin NOT NULL,
  member_kind varchar(64),
  PRIMARY KEY (team_id, member_id),
  INDEX (member_id),
  FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;
