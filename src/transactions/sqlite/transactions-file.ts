import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database, { type Database as Connection } from 'better-sqlite3';
import { makeDataFolder } from '../../state/data-folder.js';
import { migrate } from '../../state/sqlite/migrations.js';

const busyTimeoutMs = 5000;

/** Steps of the file, in order. Never change one that was released. */
const migrations: readonly string[] = [
  // `seq` counts as rows are committed, so that who follows misses none. The newest row is never deleted, so no number is
  // given twice. `subjects` leads from the keyed hash of a value to the rows that it occurs in; `hashes` leads back.
  // `backend` names its operations by their number in `native_operations`. Ids and hashes come in no order: they are
  // indexed in slices of 4096 rows, so that what is written together stands together. That halves the cost of a row, and
  // a search looks into each slice.
  `CREATE TABLE transactions (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     duration_us INTEGER NOT NULL,
     gateway TEXT NOT NULL,
     operation TEXT NOT NULL,
     outcome TEXT NOT NULL,
     status INTEGER NOT NULL,
     count INTEGER,
     request_id TEXT NOT NULL,
     trace_id TEXT,
     caller TEXT,
     address TEXT,
     resource_type TEXT,
     resource_id TEXT,
     filter TEXT,
     meant TEXT,
     dropped TEXT,
     backend TEXT,
     reason TEXT,
     shape TEXT,
     recorded TEXT,
     hashes TEXT
   ) STRICT;
   CREATE INDEX transactions_at ON transactions (at);
   CREATE INDEX transactions_request ON transactions (seq >> 12, request_id);
   CREATE INDEX transactions_resource ON transactions (seq >> 12, resource_id) WHERE resource_id IS NOT NULL;
   CREATE INDEX transactions_troubled ON transactions (at) WHERE outcome <> 'ok';
   CREATE TABLE subjects (
     slice INTEGER NOT NULL,
     hash INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     PRIMARY KEY (slice, hash, seq)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE native_operations (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE activity (
     gateway TEXT PRIMARY KEY,
     last_at INTEGER NOT NULL,
     last_outcome TEXT NOT NULL,
     last_status INTEGER NOT NULL,
     ok INTEGER NOT NULL,
     refused INTEGER NOT NULL,
     rejected INTEGER NOT NULL,
     failed INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];

function fileIn(dataDir: string): string {
  return join(dataDir, 'transactions.db');
}

/**
 * Opens `transactions.db` in the data folder to write; both are made when missing, for the owner only. Several processes
 * may share it.
 * @throws Error with a sentence for the operator when the folder or the file cannot be used
 */
export function openTransactionsFile(dataDir: string): Connection {
  const file = fileIn(dataDir);
  let db: Connection | undefined;
  try {
    makeDataFolder(dataDir);
    // SQLite gives its other files (-wal, -shm) the mode of this one.
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    db = new Database(file, { timeout: busyTimeoutMs });
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    migrate(db, migrations);
    return db;
  } catch (error) {
    db?.close();
    throw unusable(file, error);
  }
}

/**
 * Opens the file to read only, while others write. Nothing is made that stays.
 * @returns undefined when there is no file yet
 * @throws Error with a sentence for the operator when it cannot be used
 */
export function openTransactionsToRead(dataDir: string): Connection | undefined {
  const file = fileIn(dataDir);
  if (!existsSync(file)) return undefined;
  let db: Connection | undefined;
  try {
    // Where nobody writes, a connection that may not write would leave the -wal file that it needs behind.
    db = new Database(file, { timeout: busyTimeoutMs, fileMustExist: true, readonly: existsSync(`${file}-wal`) });
    db.pragma('query_only = ON');
    const version = Number(db.pragma('user_version', { simple: true }));
    if (version === migrations.length) return db;
    db.close();
    if (version === 0) return undefined; // it is being made
    throw new Error('it was written by another version of scimbridge: use that version, or serve with this one first.');
  } catch (error) {
    db?.close();
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`The transactions "${file}" cannot be used: ${reason}`, { cause: error });
}
