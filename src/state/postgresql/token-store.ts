import {
  type NewToken,
  StateUnavailableError,
  TokenLabelTakenError,
  type TokenRecord,
  type TokenStore,
} from '../state.js';
import type { Database, Query } from './database.js';
import { isUniqueViolation } from './errors.js';
import { lockUntilEnd } from './migrations.js';

type TokenRow = {
  readonly id: number;
  readonly gateway: string;
  readonly label: string;
  readonly created: number;
  readonly expires: number;
  readonly last_used: number | null;
  readonly revoked: number | null;
  readonly client_id: string | null;
  readonly read_only: boolean;
  readonly resource_types: readonly string[] | null;
  readonly replaced: number | null;
  readonly successor: number | null;
};

const columns =
  'id, gateway, label, created, expires, last_used, revoked, client_id, read_only, resource_types, replaced, successor';

/** A request waits for it, and may be let in without. */
const findMs = 2000;
/** Likewise: it is tried again with a later use. */
const proveMs = 1000;

/** @param isDown when it is known that the database is away, so that nobody waits to be told */
export function createTokenStore(database: Database, isDown: () => boolean): TokenStore {
  const tokens = `${database.schema}.tokens`;
  const change = <T>(work: (query: Query) => Promise<T>, timeoutMs?: number): Promise<T> =>
    database.transaction(async (query) => {
      // One at a time, as rules concern all tokens of a gateway. Changes are few.
      await lockUntilEnd(query, `tokens of ${database.schema}`);
      return work(query);
    }, timeoutMs);
  return {
    create: (token, options = {}) => change((query) => create(query, tokens, token, options.single === true)),
    rotate: (token, formerUntilMs) => change((query) => rotate(query, tokens, token, formerUntilMs)),
    async find(hash) {
      if (isDown()) throw new StateUnavailableError('The state database is not there.');
      const { rows } = await database.query<TokenRow>(
        `SELECT ${columns} FROM ${tokens} WHERE hash = $1`,
        [hash],
        findMs,
      );
      return rows[0] === undefined ? undefined : toRecord(rows[0]);
    },
    async recordUse(hash, usedAtMs) {
      if (isDown()) return;
      // Replicas note their uses apart from each other.
      const text = `UPDATE ${tokens} SET last_used = $1 WHERE hash = $2 AND (last_used IS NULL OR last_used < $1)`;
      await database.query(text, [usedAtMs, hash], findMs).catch(() => undefined);
    },
    async prove(hash, usedAtMs) {
      if (isDown()) throw new StateUnavailableError('The state database is not there.');
      await change((query) => prove(query, tokens, hash, usedAtMs), proveMs);
    },
    async list(gateway) {
      const text = `SELECT ${columns} FROM ${tokens} WHERE gateway = $1 ORDER BY id`;
      return (await database.query<TokenRow>(text, [gateway])).rows.map(toRecord);
    },
    async revoke(gateway, label, revokedAtMs) {
      const text = `UPDATE ${tokens} SET revoked = $3
        WHERE gateway = $1 AND label = $2 AND revoked IS NULL AND expires > $3`;
      return change(async (query) => (await query(text, [gateway, label, revokedAtMs])).count > 0);
    },
  };
}

async function create(query: Query, tokens: string, token: NewToken, isSingle: boolean): Promise<void> {
  const { gateway, label, createdAtMs } = token;
  if (isSingle) {
    await query(
      `UPDATE ${tokens} SET revoked = $2
       WHERE gateway = $1 AND client_id IS NULL AND revoked IS NULL AND expires > $2`,
      [gateway, createdAtMs],
    );
  }
  await query(
    `UPDATE ${tokens} SET replaced = $3
     WHERE gateway = $1 AND label = $2 AND replaced IS NULL AND revoked IS NULL AND expires <= $3`,
    [gateway, label, createdAtMs],
  );
  await add(query, tokens, token);
}

async function rotate(
  query: Query,
  tokens: string,
  token: NewToken,
  formerUntilMs: number | 'proven',
): Promise<TokenRecord | undefined> {
  const { gateway, label, createdAtMs } = token;
  const current = await query<{ id: number }>(
    `UPDATE ${tokens} SET replaced = $3
     WHERE gateway = $1 AND label = $2 AND replaced IS NULL AND revoked IS NULL AND expires > $3 RETURNING id`,
    [gateway, label, createdAtMs],
  );
  const former = current.rows[0]?.id;
  if (former === undefined) return undefined;
  const id = await add(query, tokens, token);
  if (formerUntilMs === 'proven') {
    await query(`UPDATE ${tokens} SET successor = $1 WHERE id = $2`, [id, former]);
  } else {
    await query(
      `UPDATE ${tokens} SET expires = least(expires, $1)
       WHERE gateway = $2 AND label = $3 AND replaced IS NOT NULL AND revoked IS NULL`,
      [formerUntilMs, gateway, label],
    );
  }
  const { rows } = await query<TokenRow>(`SELECT ${columns} FROM ${tokens} WHERE id = $1`, [former]);
  return rows[0] === undefined ? undefined : toRecord(rows[0]);
}

/** @returns its id */
async function add(query: Query, tokens: string, token: NewToken): Promise<number | undefined> {
  const { gateway, label, hash, createdAtMs, expiresAtMs, clientId, readOnly, resourceTypes } = token;
  const values = [
    ...[gateway, label, hash, createdAtMs, expiresAtMs],
    ...[clientId ?? null, readOnly === true, resourceTypes ?? null],
  ];
  try {
    const { rows } = await query<{ id: number }>(
      `INSERT INTO ${tokens} (gateway, label, hash, created, expires, client_id, read_only, resource_types)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
      values,
    );
    return rows[0]?.id;
  } catch (error) {
    if (isUniqueViolation(error)) throw new TokenLabelTakenError(gateway, label);
    throw error;
  }
}

async function prove(query: Query, tokens: string, hash: string, usedAtMs: number): Promise<void> {
  // A former one may itself have been unproven, so the whole chain ends.
  await query(
    `WITH RECURSIVE former (id) AS (
       SELECT id FROM ${tokens} WHERE successor = (SELECT id FROM ${tokens} WHERE hash = $1)
       UNION SELECT one.id FROM ${tokens} AS one JOIN former ON one.successor = former.id
     )
     UPDATE ${tokens} SET revoked = $2 WHERE revoked IS NULL AND id IN (SELECT id FROM former)`,
    [hash, usedAtMs],
  );
  await query(`UPDATE ${tokens} SET last_used = $2 WHERE hash = $1 AND last_used IS NULL`, [hash, usedAtMs]);
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
    ...(row.read_only ? { readOnly: true } : {}),
    ...(row.resource_types === null ? {} : { resourceTypes: row.resource_types }),
  };
}
