import type { Database } from 'better-sqlite3';

/** Steps of the state file, in order; `user_version` counts those done. Never change one that was released. */
const migrations: readonly string[] = [
  `CREATE TABLE tokens (
     id INTEGER PRIMARY KEY,
     gateway TEXT NOT NULL,
     label TEXT NOT NULL,
     hash TEXT NOT NULL UNIQUE,
     created INTEGER NOT NULL,
     expires INTEGER NOT NULL,
     last_used INTEGER,
     revoked INTEGER
   ) STRICT;
   CREATE UNIQUE INDEX tokens_label ON tokens (gateway, label) WHERE revoked IS NULL;
   CREATE TABLE keys (name TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;`,
  // `replaced`: another one has the label now. `successor`: the one whose first use revokes this one.
  `ALTER TABLE tokens ADD COLUMN client_id TEXT;
   ALTER TABLE tokens ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE tokens ADD COLUMN resource_types TEXT;
   ALTER TABLE tokens ADD COLUMN replaced INTEGER;
   ALTER TABLE tokens ADD COLUMN successor INTEGER REFERENCES tokens (id);
   DROP INDEX tokens_label;
   CREATE UNIQUE INDEX tokens_label ON tokens (gateway, label) WHERE revoked IS NULL AND replaced IS NULL;
   CREATE INDEX tokens_successor ON tokens (successor) WHERE successor IS NOT NULL;
   CREATE TABLE controls (
     gateway TEXT PRIMARY KEY,
     enabled INTEGER,
     level TEXT,
     record_values_until INTEGER
   ) STRICT, WITHOUT ROWID;`,
];

/** Brings the file up to date. Processes that start together wait for each other. */
export function migrate(db: Database, steps: readonly string[] = migrations): void {
  if (db.pragma('user_version', { simple: true }) === steps.length) return;
  db.transaction(() => {
    const done = Number(db.pragma('user_version', { simple: true }));
    if (done > steps.length) {
      throw new Error(
        `"${db.name}" was written by a newer version of scimbridge: run that version, or use another --data.`,
      );
    }
    for (const step of steps.slice(done)) db.exec(step);
    db.pragma(`user_version = ${steps.length}`);
  }).immediate();
}
