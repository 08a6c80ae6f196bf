import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database, { type Database as Connection } from 'better-sqlite3';
import { makeDataFolder } from '../data-folder.js';
import type { State } from '../state.js';
import { createControlStore } from './control-store.js';
import { migrate } from './migrations.js';
import { createTokenStore } from './token-store.js';

const busyTimeoutMs = 5000;

/**
 * Opens `state.db` in the data folder; both are made when missing, for the owner only. Several processes may share it.
 * @throws Error with a sentence for the operator when the folder or the file cannot be used
 */
export function openState(dataDir: string): State {
  const file = join(dataDir, 'state.db');
  try {
    makeDataFolder(dataDir);
    // SQLite gives its other files (-wal, -shm) the mode of this one.
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    return createSqliteState(file);
  } catch (error) {
    throw new Error(`The state file "${file}" cannot be used: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function createSqliteState(file: string): State {
  const db = connect(file, 'FULL', busyTimeoutMs);
  migrate(db);
  // Notes of use may be lost, so they neither wait for the disk nor for another process.
  const notes = connect(file, 'NORMAL', 0);
  const findKey = db.prepare<[string], { key: Buffer }>('SELECT key FROM keys WHERE name = ?');
  const addKey = db.prepare<[string, Buffer]>('INSERT INTO keys (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING');
  return {
    tokens: createTokenStore(db, notes),
    controls: createControlStore(db),
    async key(name) {
      const found = findKey.get(name);
      if (found !== undefined) return found.key;
      addKey.run(name, randomBytes(32));
      return findKey.get(name)!.key;
    },
    isUp: () => true,
    async close() {
      notes.close();
      db.close();
    },
  };
}

function connect(file: string, synchronous: 'FULL' | 'NORMAL', timeoutMs: number): Connection {
  const db = new Database(file, { timeout: timeoutMs });
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synchronous}`);
  return db;
}
