import type { Database } from 'better-sqlite3';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { isWritable } from '../database.js';

/** "scmb": tells a managed store from other SQLite files. */
const applicationId = 0x73636d62;
export const storeVersion = 1;

/**
 * - `record`: what was given, but for references, as JSON in `doc`. `seq` is the order of creation.
 * - `value`: the comparison key of every value, so that every filter finds an index. Fields are numbers, one for each
 *   field of each scope; `ord` counts the values of a field, or the child records that a child's field belongs to.
 * - `link`: one row for each value that refers to another record. `rest` has the child record's other fields.
 * - `bucket`: how many records there are in each run of sequence numbers: totals, and pages far from the start.
 */
const tables = `
CREATE TABLE scope (
  id INTEGER PRIMARY KEY,
  gateway TEXT NOT NULL,
  entity TEXT NOT NULL,
  generation INTEGER NOT NULL DEFAULT 1,
  UNIQUE (gateway, entity)
) STRICT;
CREATE TABLE field (
  id INTEGER PRIMARY KEY,
  scope INTEGER NOT NULL REFERENCES scope,
  name TEXT NOT NULL,
  child TEXT NOT NULL,
  layout TEXT NOT NULL,
  UNIQUE (scope, name, child)
) STRICT;
CREATE TABLE record (
  seq INTEGER PRIMARY KEY,
  scope INTEGER NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  doc TEXT NOT NULL,
  UNIQUE (id, scope)
) STRICT;
CREATE INDEX record_order ON record (scope, seq, created);
CREATE INDEX record_modified ON record (scope, modified);
CREATE TABLE value (
  seq INTEGER NOT NULL,
  field INTEGER NOT NULL,
  ord INTEGER NOT NULL,
  key ANY,
  PRIMARY KEY (seq, field, ord)
) STRICT, WITHOUT ROWID;
CREATE INDEX value_key ON value (field, key, seq, ord);
CREATE TABLE link (
  owner INTEGER NOT NULL,
  field INTEGER NOT NULL,
  key TEXT NOT NULL,
  rest TEXT NOT NULL,
  PRIMARY KEY (owner, field, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_key ON link (field, key, owner);
CREATE TABLE bucket (
  scope INTEGER NOT NULL,
  run INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (scope, run)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${storeVersion};
`;

/**
 * Creates the tables where the file is empty and the connection may write.
 * @throws AdapterError unsupported when the file is of a newer version or something else, unavailable when it is empty
 */
export function prepareTables(db: Database): void {
  if (isPrepared(db)) return;
  if (!isWritable(db)) throw new AdapterError('unavailable', 'The managed store has not been set up yet.');
  const prepare = db.transaction(() => {
    if (!isPrepared(db)) db.exec(tables);
  });
  prepare.immediate();
}

function isPrepared(db: Database): boolean {
  const application = db.pragma('application_id', { simple: true });
  const version = Number(db.pragma('user_version', { simple: true }));
  if (application === applicationId) {
    if (version === storeVersion) return true;
    throw new AdapterError(
      'unsupported',
      `The managed store was written by a newer release (its version is ${version}, this release knows ${storeVersion}).`,
    );
  }
  const isEmpty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
  if (application === 0 && version === 0 && isEmpty) return false;
  throw new AdapterError('unsupported', 'The file is a SQLite database of something else, not a managed store.');
}
