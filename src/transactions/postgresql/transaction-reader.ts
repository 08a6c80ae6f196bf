import { Database, type Query } from '../../state/postgresql/database.js';
import { reasonOf } from '../../state/postgresql/errors.js';
import { migrate } from '../../state/postgresql/migrations.js';
import { type DatabasePlace, describeDatabase } from '../../state/state-place.js';
import { fromJson, type StoredActivity, type StoredRow, toActivity, toTransaction } from '../stored-row.js';
import { hashResourceId, hashSubject } from '../subjects.js';
import type { Outcome, TransactionQuery } from '../transaction.js';
import { fromTransactionId, toTransactionId } from '../transaction-id.js';
import type { TransactionReader } from '../transaction-store.js';
import { transactionSchema } from './schema.js';

const searchMs = 60_000;

/**
 * @param key the one that the servers record with
 * @throws Error with a sentence for the operator when the database cannot be used now
 */
export async function openPostgresqlReader(place: DatabasePlace, key: Uint8Array): Promise<TransactionReader> {
  const database = new Database({ ...place, connections: 1 });
  const { schema } = place;
  const ask: Query = (text, values) => database.query(text, values, searchMs);
  try {
    await migrate(database, 'transactions', transactionSchema);
  } catch (error) {
    await database.close();
    throw new Error(`The transactions in ${describeDatabase(place)} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return {
    async search(query) {
      const { where, values } = conditionsOf(query, key, schema);
      const order = query.afterId === undefined ? 'at DESC, seq DESC' : 'seq';
      const text = `SELECT * FROM ${schema}.transactions${where} ORDER BY ${order} LIMIT $${values.length + 1}`;
      const { rows } = await ask<StoredRow & Record<string, unknown>>(text, [...values, query.limit]);
      const operations = await nativeOperations(ask, schema, rows);
      return rows.map((row) => toTransaction(row, operations));
    },
    async latestId() {
      const text = `SELECT at, seq FROM ${schema}.transactions ORDER BY seq DESC LIMIT 1`;
      const [row] = (await ask<{ at: number; seq: number }>(text)).rows;
      return row === undefined ? '' : toTransactionId(row.at, row.seq);
    },
    async activity() {
      const { rows } = await ask<StoredActivity & Record<string, unknown>>(`SELECT * FROM ${schema}.activity`);
      return new Map(rows.map((row) => [row.gateway, toActivity(row)]));
    },
    close: () => database.close(),
  };
}

interface Conditions {
  readonly where: string;
  readonly values: readonly unknown[];
}

function conditionsOf(query: TransactionQuery, key: Uint8Array, schema: string): Conditions {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const place = (value: unknown): string => `$${values.push(value)}`;
  const { gateway, user, resourceId, outcome, requestId, caller, fromMs, toMs, afterId, id } = query;
  if (gateway !== undefined) conditions.push(`gateway = ${place(gateway)}`);
  if (user !== undefined) conditions.push(aboutUser(schema, place(hashSubject(key, user))));
  if (resourceId !== undefined) {
    conditions.push(onResource(schema, place(resourceId), place(hashResourceId(key, resourceId))));
  }
  if (outcome !== undefined) conditions.push(amongOutcomes(outcome, place(outcome)));
  if (requestId !== undefined) conditions.push(`request_id = ${place(requestId)}`);
  if (caller !== undefined) {
    const names = ['', 'token:', 'jwt:', 'client:', 'os:'].map((kind) => kind + caller);
    conditions.push(`caller = ANY (${place(names)})`);
  }
  if (fromMs !== undefined) conditions.push(`at >= ${place(Math.ceil(fromMs))}`);
  if (toMs !== undefined) conditions.push(`at < ${place(Math.ceil(toMs))}`);
  if (afterId !== undefined) conditions.push(`seq > ${place(afterId === '' ? 0 : seqOf(afterId))}`);
  if (id !== undefined) conditions.push(`seq = ${place(seqOf(id))}`);
  return { where: conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`, values };
}

function onResource(schema: string, id: string, hash: string): string {
  return `seq IN (
    SELECT seq FROM ${schema}.transactions WHERE resource_id = ${id}
    UNION SELECT seq FROM ${schema}.transactions WHERE hashes @> ARRAY[${hash}::bigint])`;
}

/** Those whose content names the user, and whatever else was done to the resource that it turned out to be. */
function aboutUser(schema: string, hash: string): string {
  return `seq IN (
    WITH named AS MATERIALIZED (
      SELECT seq, gateway, resource_id, outcome FROM ${schema}.transactions WHERE hashes @> ARRAY[${hash}::bigint]),
    resource AS MATERIALIZED (
      SELECT DISTINCT gateway, resource_id FROM named WHERE outcome = 'ok' AND resource_id IS NOT NULL)
    SELECT seq FROM named
    UNION SELECT other.seq FROM resource JOIN ${schema}.transactions AS other USING (gateway, resource_id))`;
}

/** There is an index of those that are not ok, used when the condition says so. */
function amongOutcomes(outcome: readonly Outcome[], place: string): string {
  const listed = `outcome = ANY (${place})`;
  return outcome.includes('ok') ? listed : `outcome <> 'ok' AND ${listed}`;
}

/** Nothing has a negative number. */
function seqOf(id: string): number {
  return fromTransactionId(id)?.seq ?? -1;
}

/** The texts that the rows name by number. */
async function nativeOperations(
  ask: Query,
  schema: string,
  rows: readonly StoredRow[],
): Promise<ReadonlyMap<number, string>> {
  const numbers = new Set<number>();
  for (const { backend } of rows) {
    fromJson<(string | number)[]>(backend).forEach((part, index) => {
      if (index % 2 === 0 && typeof part === 'number') numbers.add(part);
    });
  }
  if (numbers.size === 0) return new Map();
  const text = `SELECT id, text FROM ${schema}.native_operations WHERE id = ANY ($1)`;
  const found = await ask<{ id: number; text: string }>(text, [[...numbers]]);
  return new Map(found.rows.map((row) => [row.id, row.text]));
}
