import { randomUUID } from 'node:crypto';
import { Database, type Query } from '../../state/postgresql/database.js';
import { isOfValues, reasonOf } from '../../state/postgresql/errors.js';
import { lockUntilEnd, migrate, tryLockUntilEnd } from '../../state/postgresql/migrations.js';
import { type DatabasePlace, describeDatabase } from '../../state/state-place.js';
import type { PreparedBatch, TransactionWriter } from '../transaction-store.js';
import { toJsonText } from './json-text.js';
import { NativeOperations } from './native-operations.js';
import { transactionSchema } from './schema.js';

const writeMs = 10_000;
const deleteStep = 500;
/** A process that has written nothing for so long writes no batch again that is older. */
const forgetRecorderMs = 86_400_000;

const columns = [
  ['at', 'bigint'],
  ['duration_us', 'bigint'],
  ['gateway', 'text'],
  ['operation', 'text'],
  ['outcome', 'text'],
  ['status', 'integer'],
  ['count', 'bigint'],
  ['request_id', 'text'],
  ['trace_id', 'text'],
  ['caller', 'text'],
  ['address', 'text'],
  ['resource_type', 'text'],
  ['resource_id', 'text'],
  ['filter', 'text'],
  ['meant', 'text'],
  ['dropped', 'text'],
  ['backend', 'text'],
  ['reason', 'text'],
  ['shape', 'text'],
  ['recorded', 'text'],
  ['hashes', 'bigint[]'],
] as const;

/** @throws Error with a sentence for the operator when the database cannot be used now */
export async function openPostgresqlWriter(place: DatabasePlace): Promise<TransactionWriter> {
  // One for batches, one for the deletion of old ones.
  const database = new Database({ ...place, connections: 2 });
  try {
    await migrate(database, 'transactions', transactionSchema);
    return new PostgresqlTransactionWriter(database, await NativeOperations.load(database));
  } catch (error) {
    await database.close();
    throw new Error(`The transactions in ${describeDatabase(place)} cannot be written: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

class PostgresqlTransactionWriter implements TransactionWriter {
  /** Connections are made again by themselves, and the numbers of batches go on. */
  readonly reopens = false;
  readonly #id = randomUUID();
  readonly #database: Database;
  readonly #operations: NativeOperations;

  constructor(database: Database, operations: NativeOperations) {
    this.#database = database;
    this.#operations = operations;
  }

  async write(batch: PreparedBatch, number?: number): Promise<void> {
    const { schema } = this.#database;
    try {
      await this.#database.transaction(async (query) => {
        // Numbers are then committed in their order, so that who follows misses none.
        await lockUntilEnd(query, `transactions of ${schema}`);
        if (number !== undefined && !(await this.#isNew(query, number))) return;
        await this.#insert(query, batch);
        await this.#count(query, batch);
      }, writeMs);
      this.#operations.committed();
    } catch (error) {
      this.#operations.undone();
      throw error;
    }
  }

  isOfRows(error: unknown): boolean {
    return isOfValues(error);
  }

  async deleteSome(beforeMs: number): Promise<boolean> {
    const { schema } = this.#database;
    return this.#database.transaction(async (query) => {
      if (!(await tryLockUntilEnd(query, `old transactions of ${schema}`))) return false;
      const { count } = await query(
        `DELETE FROM ${schema}.transactions WHERE seq IN (
           SELECT seq FROM ${schema}.transactions WHERE at < $1 ORDER BY at LIMIT ${deleteStep})`,
        [beforeMs],
      );
      if (count < deleteStep) {
        await query(`DELETE FROM ${schema}.recorders WHERE at < $1`, [Date.now() - forgetRecorderMs]);
      }
      return count === deleteStep;
    }, writeMs);
  }

  /** A commit that was acknowledged is on the disk. */
  async sync(): Promise<void> {
    // Nothing is held back.
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  /** Notes the batch, unless it was written already by a commit whose answer was lost. */
  async #isNew(query: Query, number: number): Promise<boolean> {
    const { count } = await query(
      `INSERT INTO ${this.#database.schema}.recorders AS known (id, last_batch, at) VALUES ($1, $2, $3)
       ON CONFLICT (id) DO UPDATE SET last_batch = excluded.last_batch, at = excluded.at
       WHERE known.last_batch < excluded.last_batch`,
      [this.#id, number, Date.now()],
    );
    return count > 0;
  }

  async #insert(query: Query, { rows, acts }: PreparedBatch): Promise<void> {
    await this.#operations.add(query, rows);
    const stored = [
      ...rows.map(({ durationUs, requestId, traceId, resourceType, resourceId, backend, ...row }) => ({
        ...row,
        duration_us: durationUs,
        request_id: requestId,
        trace_id: traceId,
        resource_type: resourceType,
        resource_id: resourceId,
        backend: backend === null ? null : this.#operations.textOf(backend),
        hashes: row.hashes.length === 0 ? null : row.hashes,
      })),
      ...acts.map((act) => ({ ...act, duration_us: 0, outcome: 'act', status: 0, request_id: '' })),
    ];
    if (stored.length === 0) return;
    const names = columns.map(([name]) => name).join(', ');
    await query(
      `INSERT INTO ${this.#database.schema}.transactions (${names})
       SELECT ${names} FROM json_to_recordset($1::json) AS one (${columns.map((column) => column.join(' ')).join(', ')})`,
      [toJsonText(stored)],
    );
  }

  /** Additive, so that several processes may count. */
  async #count(query: Query, { activity }: PreparedBatch): Promise<void> {
    for (const { gateway, lastAt, lastOutcome, lastStatus, ok, refused, rejected, failed } of activity) {
      await query(
        `INSERT INTO ${this.#database.schema}.activity AS known
           (gateway, last_at, last_outcome, last_status, ok, refused, rejected, failed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (gateway) DO UPDATE SET
           last_outcome = CASE WHEN excluded.last_at >= known.last_at THEN excluded.last_outcome ELSE known.last_outcome END,
           last_status = CASE WHEN excluded.last_at >= known.last_at THEN excluded.last_status ELSE known.last_status END,
           last_at = greatest(known.last_at, excluded.last_at),
           ok = known.ok + excluded.ok, refused = known.refused + excluded.refused,
           rejected = known.rejected + excluded.rejected, failed = known.failed + excluded.failed`,
        [gateway, lastAt, lastOutcome, lastStatus, ok, refused, rejected, failed],
      );
    }
  }
}
