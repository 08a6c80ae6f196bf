import type { Database as Connection } from 'better-sqlite3';
import { fromJson, type StoredActivity, type StoredRow, toActivity, toTransaction } from '../stored-row.js';
import { hashResourceId, hashSubject } from '../subjects.js';
import type { GatewayActivity, Outcome, Transaction, TransactionQuery } from '../transaction.js';
import { fromTransactionId, toTransactionId } from '../transaction-id.js';
import { openTransactionsToRead } from './transactions-file.js';

/**
 * What was recorded: newest first, or after a transaction and oldest first. Servers may write meanwhile.
 * @param key the one that the servers record with
 * @throws Error with a sentence for the operator when the file cannot be read
 */
export function searchTransactions(dataDir: string, key: Uint8Array, query: TransactionQuery): readonly Transaction[] {
  return reading(dataDir, [], (db) => {
    const { where, parameters } = conditionsOf(query, key);
    const order = query.afterId === undefined ? 'at DESC, seq DESC' : 'seq';
    const sql = `${slices} SELECT * FROM transactions${where} ORDER BY ${order} LIMIT @limit`;
    const rows = db.prepare<[object], StoredRow>(sql).all({ ...parameters, limit: query.limit });
    const operations = nativeOperations(db, rows);
    return rows.map((row) => toTransaction(row, operations));
  });
}

/** The id of the one that was written last, to follow from; empty when there is none. */
export function latestTransactionId(dataDir: string): string {
  return reading(dataDir, '', (db) => {
    const sql = 'SELECT at, seq FROM transactions ORDER BY seq DESC LIMIT 1';
    const row = db.prepare<[], Pick<StoredRow, 'at' | 'seq'>>(sql).get();
    return row === undefined ? '' : toTransactionId(row.at, row.seq);
  });
}

/** What the gateways did last, by the gateway's id. */
export function readActivity(dataDir: string): ReadonlyMap<string, GatewayActivity> {
  return reading(dataDir, new Map(), (db) => {
    const rows = db.prepare<[], StoredActivity>('SELECT * FROM activity').all();
    return new Map(rows.map((row) => [row.gateway, toActivity(row)]));
  });
}

function reading<T>(dataDir: string, nothing: T, read: (db: Connection) => T): T {
  const db = openTransactionsToRead(dataDir);
  if (db === undefined) return nothing;
  try {
    return db.transaction(() => read(db))();
  } finally {
    db.close();
  }
}

type Parameters = Record<string, string | number>;

function conditionsOf(query: TransactionQuery, key: Uint8Array): { where: string; parameters: Parameters } {
  const conditions: string[] = [];
  const parameters: Parameters = {};
  const add = (condition: string, values: Parameters = {}): void => {
    conditions.push(condition);
    Object.assign(parameters, values);
  };
  const { gateway, user, resourceId, outcome, requestId, caller, fromMs, toMs, afterId, id } = query;
  if (gateway !== undefined) add('gateway = @gateway', { gateway });
  if (user !== undefined) add(aboutUser, { user: hashSubject(key, user) });
  if (resourceId !== undefined) add(onResource, { resourceId, resource: hashResourceId(key, resourceId) });
  if (outcome !== undefined) add(amongOutcomes(outcome), { outcomes: JSON.stringify(outcome) });
  if (requestId !== undefined) add(ofRequest, { requestId });
  if (caller !== undefined) add(byCaller, { caller });
  if (fromMs !== undefined) add('at >= @fromMs', { fromMs });
  if (toMs !== undefined) add('at < @toMs', { toMs });
  if (afterId !== undefined) add('seq > @after', { after: afterId === '' ? 0 : seqOf(afterId) });
  if (id !== undefined) add('seq = @seq', { seq: seqOf(id) });
  return { where: conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`, parameters };
}

/** Ids and hashes are indexed in slices: this names them. */
const slices = `WITH RECURSIVE slice (n) AS (
  SELECT min(seq) >> 12 FROM transactions
  UNION ALL SELECT n + 1 FROM slice WHERE n < (SELECT max(seq) >> 12 FROM transactions))`;

const ofRequest = `seq IN (
  SELECT one.seq FROM slice CROSS JOIN transactions AS one
  WHERE one.seq >> 12 = slice.n AND one.request_id = @requestId)`;

const onResource = `seq IN (
  SELECT one.seq FROM slice CROSS JOIN transactions AS one
  WHERE one.seq >> 12 = slice.n AND one.resource_id = @resourceId
  UNION SELECT subjects.seq FROM slice CROSS JOIN subjects
  WHERE subjects.slice = slice.n AND subjects.hash = @resource)`;

/** Those whose content names the user, and whatever else was done to the resource that it turned out to be. */
const aboutUser = `seq IN (
  WITH named (seq) AS MATERIALIZED (
    SELECT subjects.seq FROM slice CROSS JOIN subjects WHERE subjects.slice = slice.n AND subjects.hash = @user),
  resource (gateway, id) AS MATERIALIZED (
    SELECT DISTINCT gateway, resource_id FROM named CROSS JOIN transactions USING (seq)
    WHERE outcome = 'ok' AND resource_id IS NOT NULL)
  SELECT seq FROM named
  UNION SELECT other.seq FROM resource CROSS JOIN slice CROSS JOIN transactions AS other INDEXED BY transactions_resource
  WHERE other.seq >> 12 = slice.n AND other.resource_id IS NOT NULL AND other.resource_id = resource.id
    AND other.gateway = resource.gateway)`;

const byCaller = `caller IN (@caller, 'token:' || @caller, 'jwt:' || @caller, 'client:' || @caller, 'os:' || @caller)`;

/** There is an index of those that are not ok, used when the condition says so. */
function amongOutcomes(outcome: readonly Outcome[]): string {
  const listed = 'outcome IN (SELECT value FROM json_each(@outcomes))';
  return outcome.includes('ok') ? listed : `outcome <> 'ok' AND ${listed}`;
}

/** Nothing has a negative number. */
function seqOf(id: string): number {
  return fromTransactionId(id)?.seq ?? -1;
}

/** The texts that the rows name by number. */
function nativeOperations(db: Connection, rows: readonly StoredRow[]): ReadonlyMap<number, string> {
  const numbers = rows.flatMap((row) => fromJson<unknown[]>(row.backend).filter((_, index) => index % 2 === 0));
  const listed = JSON.stringify([...new Set(numbers.filter((part) => typeof part === 'number'))]);
  const sql = 'SELECT id, text FROM native_operations WHERE id IN (SELECT value FROM json_each(?))';
  const found = db.prepare<[string], { id: number; text: string }>(sql).all(listed);
  return new Map(found.map(({ id, text }) => [id, text]));
}
