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
