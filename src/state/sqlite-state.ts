import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database, { type Database as Connection, SqliteError } from 'better-sqlite3';
import { migrate } from './migrations.js';
import { type NewToken, type State, TokenLabelTakenError, type TokenRecord, type TokenStore } from './state.js';

const busyTimeoutMs = 5000;

/**
 * Opens `state.db` in the data folder; both are made when missing, for the owner only. Several processes may share it.
 * @throws Error with a sentence for the operator when the folder or the file cannot be used
 */
export function openState(dataDir: string): State {
  const file = join(dataDir, 'state.db');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
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
    async key(name) {
      const found = findKey.get(name);
      if (found !== undefined) return found.key;
      addKey.run(name, randomBytes(32));
      return findKey.get(name)!.key;
    },
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

interface TokenRow {
  readonly gateway: string;
  readonly label: string;
  readonly created: number;
  readonly expires: number;
  readonly last_used: number | null;
  readonly revoked: number | null;
}

function createTokenStore(db: Connection, notes: Connection): TokenStore {
  const columns = 'gateway, label, created, expires, last_used, revoked';
  const insert = db.prepare<NewToken>(
    `INSERT INTO tokens (gateway, label, hash, created, expires)
     VALUES (@gateway, @label, @hash, @createdAtMs, @expiresAtMs)`,
  );
  const byHash = db.prepare<[string], TokenRow>(`SELECT ${columns} FROM tokens WHERE hash = ?`);
  const byGateway = db.prepare<[string], TokenRow>(`SELECT ${columns} FROM tokens WHERE gateway = ? ORDER BY id`);
  const revoke = db.prepare<[number, string, string]>(
    'UPDATE tokens SET revoked = ? WHERE gateway = ? AND label = ? AND revoked IS NULL',
  );
  const noteUse = notes.prepare<[number, string]>('UPDATE tokens SET last_used = ? WHERE hash = ?');
  return {
    async create(token) {
      try {
        insert.run(token);
      } catch (error) {
        if (isConflict(error)) throw new TokenLabelTakenError(token.gateway, token.label);
        throw error;
      }
    },
    async find(hash) {
      const row = byHash.get(hash);
      return row === undefined ? undefined : toRecord(row);
    },
    async recordUse(hash, usedAtMs) {
      // It runs after the answer, so the state may have been closed meanwhile.
      if (!notes.open) return;
      try {
        noteUse.run(usedAtMs, hash);
      } catch (error) {
        if (!(error instanceof SqliteError)) throw error;
      }
    },
    async list(gateway) {
      return byGateway.all(gateway).map(toRecord);
    },
    async revoke(gateway, label, revokedAtMs) {
      return revoke.run(revokedAtMs, gateway, label).changes > 0;
    },
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof SqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE';
}

function toRecord(row: TokenRow): TokenRecord {
  return {
    gateway: row.gateway,
    label: row.label,
    createdAtMs: row.created,
    expiresAtMs: row.expires,
    lastUsedAtMs: row.last_used ?? undefined,
    revokedAtMs: row.revoked ?? undefined,
  };
}
