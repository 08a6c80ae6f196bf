import { type Database as Connection, SqliteError } from 'better-sqlite3';
import {
  type NewToken,
  StateUnavailableError,
  TokenLabelTakenError,
  type TokenRecord,
  type TokenStore,
} from '../state.js';

interface TokenRow {
  readonly id: number;
  readonly gateway: string;
  readonly label: string;
  readonly created: number;
  readonly expires: number;
  readonly last_used: number | null;
  readonly revoked: number | null;
  readonly client_id: string | null;
  readonly read_only: number;
  readonly resource_types: string | null;
  readonly replaced: number | null;
  readonly successor: number | null;
}

const columns =
  'id, gateway, label, created, expires, last_used, revoked, client_id, read_only, resource_types, replaced, successor';

/** A first use waits no longer for other processes than a request can: it is noted with a later one then. */
const proofTimeoutMs = 250;

/**
 * @param db for what must not be lost
 * @param notes a connection that neither waits for the disk nor for other processes
 */
export function createTokenStore(db: Connection, notes: Connection): TokenStore {
  const writer = createTokenWriter(db);
  const byHash = db.prepare<[string], TokenRow>(`SELECT ${columns} FROM tokens WHERE hash = ?`);
  const byGateway = db.prepare<[string], TokenRow>(`SELECT ${columns} FROM tokens WHERE gateway = ? ORDER BY id`);
  const revoke = db.prepare<[{ gateway: string; label: string; revokedAtMs: number }]>(
    `UPDATE tokens SET revoked = @revokedAtMs
     WHERE gateway = @gateway AND label = @label AND revoked IS NULL AND expires > @revokedAtMs`,
  );
  const noteUse = notes.prepare<[number, string]>('UPDATE tokens SET last_used = ? WHERE hash = ?');
  return {
    async create(token, options = {}) {
      writer.create(token, options.single === true);
    },
    async rotate(token, formerUntilMs) {
      const former = writer.rotate(token, formerUntilMs);
      return former === undefined ? undefined : toRecord(former);
    },
    async find(hash) {
      try {
        const row = byHash.get(hash);
        return row === undefined ? undefined : toRecord(row);
      } catch (error) {
        if (!(error instanceof SqliteError)) throw error;
        throw new StateUnavailableError(`The state file cannot be read: ${error.message}`, { cause: error });
      }
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
    async prove(hash, usedAtMs) {
      const usualTimeoutMs = Number(db.pragma('busy_timeout', { simple: true }));
      db.pragma(`busy_timeout = ${proofTimeoutMs}`);
      try {
        writer.prove(hash, usedAtMs);
      } finally {
        db.pragma(`busy_timeout = ${usualTimeoutMs}`);
      }
    },
    async list(gateway) {
      return byGateway.all(gateway).map(toRecord);
    },
    async revoke(gateway, label, revokedAtMs) {
      return revoke.run({ gateway, label, revokedAtMs }).changes > 0;
    },
  };
}

/** The steps that must happen together or not at all. */
function createTokenWriter(db: Connection) {
  const insert = db.prepare(
    `INSERT INTO tokens (gateway, label, hash, created, expires, client_id, read_only, resource_types)
     VALUES (@gateway, @label, @hash, @createdAtMs, @expiresAtMs, @clientId, @readOnly, @resourceTypes)`,
  );
  const freeLabel = db.prepare<NewToken>(
    `UPDATE tokens SET replaced = @createdAtMs
     WHERE gateway = @gateway AND label = @label AND replaced IS NULL AND revoked IS NULL AND expires <= @createdAtMs`,
  );
  const revokeOthers = db.prepare<NewToken>(
    `UPDATE tokens SET revoked = @createdAtMs
     WHERE gateway = @gateway AND client_id IS NULL AND revoked IS NULL AND expires > @createdAtMs`,
  );
  const current = db.prepare<NewToken, { id: number }>(
    `SELECT id FROM tokens
     WHERE gateway = @gateway AND label = @label AND replaced IS NULL AND revoked IS NULL AND expires > @createdAtMs`,
  );
  const byId = db.prepare<[number], TokenRow>(`SELECT ${columns} FROM tokens WHERE id = ?`);
  const replace = db.prepare<[number, number]>('UPDATE tokens SET replaced = ? WHERE id = ?');
  const follow = db.prepare<[number | bigint, number]>('UPDATE tokens SET successor = ? WHERE id = ?');
  const endFormer = db.prepare<[number, string, string]>(
    `UPDATE tokens SET expires = min(expires, ?)
     WHERE gateway = ? AND label = ? AND replaced IS NOT NULL AND revoked IS NULL`,
  );
  // A former one may itself have been unproven, so the whole chain ends.
  const revokeFormer = db.prepare<{ hash: string; usedAtMs: number }>(
    `WITH RECURSIVE former (id) AS (
       SELECT id FROM tokens WHERE successor = (SELECT id FROM tokens WHERE hash = @hash)
       UNION SELECT tokens.id FROM tokens JOIN former ON tokens.successor = former.id
     )
     UPDATE tokens SET revoked = @usedAtMs WHERE revoked IS NULL AND id IN (SELECT id FROM former)`,
  );
  const firstUse = db.prepare<{ hash: string; usedAtMs: number }>(
    'UPDATE tokens SET last_used = @usedAtMs WHERE hash = @hash AND last_used IS NULL',
  );
  const add = (token: NewToken): number | bigint => {
    try {
      return insert.run(toParameters(token)).lastInsertRowid;
    } catch (error) {
      if (isConflict(error)) throw new TokenLabelTakenError(token.gateway, token.label);
      throw error;
    }
  };

  const create = db.transaction((token: NewToken, isSingle: boolean): void => {
    if (isSingle) revokeOthers.run(token);
    freeLabel.run(token);
    add(token);
  });
  const rotate = db.transaction((token: NewToken, formerUntilMs: number | 'proven'): TokenRow | undefined => {
    const former = current.get(token);
    if (former === undefined) return undefined;
    replace.run(token.createdAtMs, former.id);
    const id = add(token);
    if (formerUntilMs === 'proven') follow.run(id, former.id);
    else endFormer.run(formerUntilMs, token.gateway, token.label);
    return byId.get(former.id);
  });
  const prove = db.transaction((hash: string, usedAtMs: number): void => {
    revokeFormer.run({ hash, usedAtMs });
    firstUse.run({ hash, usedAtMs });
  });
  return { create: create.immediate, rotate: rotate.immediate, prove: prove.immediate };
}

function isConflict(error: unknown): boolean {
  return error instanceof SqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE';
}

function toParameters(token: NewToken) {
  const { gateway, label, hash, createdAtMs, expiresAtMs, clientId, readOnly, resourceTypes } = token;
  return {
    gateway,
    label,
    hash,
    createdAtMs,
    expiresAtMs,
    clientId: clientId ?? null,
    readOnly: readOnly === true ? 1 : 0,
    resourceTypes: resourceTypes === undefined ? null : JSON.stringify(resourceTypes),
  };
}

function toRecord(row: TokenRow): TokenRecord {
  return {
    gateway: row.gateway,
    label: row.label,
    createdAtMs: row.created,
    expiresAtMs: row.expires,
    lastUsedAtMs: row.last_used ?? undefined,
    revokedAtMs: row.revoked ?? undefined,
    replacedAtMs: row.replaced ?? undefined,
    awaitsProof: row.successor !== null && row.revoked === null,
    ...(row.client_id === null ? {} : { clientId: row.client_id }),
    ...(row.read_only === 1 ? { readOnly: true } : {}),
    ...(row.resource_types === null ? {} : { resourceTypes: JSON.parse(row.resource_types) as readonly string[] }),
  };
}
