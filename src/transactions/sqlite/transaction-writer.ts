import { type Database as Connection, SqliteError, type Statement } from 'better-sqlite3';
import type { TransactionRow } from '../transaction-row.js';
import type { PreparedBatch, TransactionWriter } from '../transaction-store.js';

const insertRow = `INSERT INTO transactions
  (at, duration_us, gateway, operation, outcome, status, count, request_id, trace_id, caller, address, resource_type,
   resource_id, filter, meant, dropped, backend, reason, shape, recorded, hashes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const insertAct = `INSERT INTO transactions
  (at, duration_us, gateway, operation, outcome, status, request_id, caller, meant)
  VALUES (@at, 0, @gateway, @operation, 'act', 0, '', @caller, @meant)`;

/** Additive, so that several processes may count. */
const addActivity = `INSERT INTO activity (gateway, last_at, last_outcome, last_status, ok, refused, rejected, failed)
  VALUES (@gateway, @lastAt, @lastOutcome, @lastStatus, @ok, @refused, @rejected, @failed)
  ON CONFLICT (gateway) DO UPDATE SET
    last_outcome = iif(excluded.last_at >= last_at, excluded.last_outcome, last_outcome),
    last_status = iif(excluded.last_at >= last_at, excluded.last_status, last_status),
    last_at = max(last_at, excluded.last_at),
    ok = ok + excluded.ok, refused = refused + excluded.refused,
    rejected = rejected + excluded.rejected, failed = failed + excluded.failed`;

const maxOperationChars = 4000;
/** Native operations that are kept once for all rows; adapters that put ids into them have more. */
const maxOperations = 5000;
const deleteStep = 500;

/** Writes to one open file. Throws what SQLite throws; nothing of a batch is written then. */
export class SqliteTransactionWriter implements TransactionWriter {
  readonly reopens = true;
  readonly #db: Connection;
  readonly #insert: Statement;
  readonly #insertSubject: Statement;
  readonly #insertAct: Statement;
  readonly #addActivity: Statement;
  readonly #insertOperation: Statement;
  readonly #findOperation: Statement<[string], { id: number }>;
  readonly #operations = new Map<string, number>();
  /** Those of the step that is being written. */
  #newOperations: string[] = [];

  constructor(db: Connection) {
    this.#db = db;
    // What is deleted, recorded values among it, is not to be found in the file's free pages.
    db.pragma('secure_delete = ON');
    this.#insert = db.prepare(insertRow);
    this.#insertSubject = db.prepare(
      'INSERT INTO subjects (slice, hash, seq) VALUES (? >> 12, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#insertAct = db.prepare(insertAct);
    this.#addActivity = db.prepare(addActivity);
    this.#insertOperation = db.prepare('INSERT INTO native_operations (text) VALUES (?) ON CONFLICT DO NOTHING');
    this.#findOperation = db.prepare('SELECT id FROM native_operations WHERE text = ?');
    const all = db.prepare<[], { id: number; text: string }>('SELECT id, text FROM native_operations');
    for (const { id, text } of all.iterate()) this.#operations.set(text, id);
  }

  async write(batch: PreparedBatch): Promise<void> {
    this.#transaction(() => {
      for (const row of batch.rows) this.#writeRow(row);
      for (const act of batch.acts) this.#insertAct.run(act);
      for (const row of batch.activity) this.#addActivity.run(row);
    });
  }

  isOfRows(error: unknown): boolean {
    // All else is the disk's.
    return !(error instanceof SqliteError) || /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE|MISUSE)/.test(error.code);
  }

  async deleteSome(beforeMs: number): Promise<boolean> {
    let deleted = 0;
    this.#transaction(() => {
      const old =
        'SELECT seq FROM transactions WHERE at < ? AND seq < (SELECT max(seq) FROM transactions) ORDER BY at LIMIT ?';
      const seqs = this.#db.prepare<[number, number]>(old).pluck().all(beforeMs, deleteStep) as number[];
      if (seqs.length === 0) return;
      const list = JSON.stringify(seqs);
      this.#db
        .prepare(
          `DELETE FROM subjects WHERE (slice, hash, seq) IN (
             SELECT seq >> 12, hash.value, seq FROM transactions, json_each(hashes) AS hash
             WHERE hashes IS NOT NULL AND seq IN (SELECT value FROM json_each(?)))`,
        )
        .run(list);
      this.#db.prepare('DELETE FROM transactions WHERE seq IN (SELECT value FROM json_each(?))').run(list);
      deleted = seqs.length;
    });
    return deleted === deleteStep;
  }

  async sync(): Promise<void> {
    this.#db.pragma('wal_checkpoint(PASSIVE)');
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #transaction(work: () => void): void {
    this.#newOperations = [];
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      for (const text of this.#newOperations) this.#operations.delete(text);
      throw error;
    }
  }

  #writeRow(row: TransactionRow): void {
    const { hashes } = row;
    const { lastInsertRowid } = this.#insert.run(
      row.at,
      row.durationUs,
      row.gateway,
      row.operation,
      row.outcome,
      row.status,
      row.count,
      row.requestId,
      row.traceId,
      row.caller,
      row.address,
      row.resourceType,
      row.resourceId,
      row.filter,
      row.meant,
      row.dropped,
      row.backend === null ? null : this.#backendText(row.backend),
      row.reason,
      row.shape,
      row.recorded,
      hashes.length === 0 ? null : JSON.stringify(hashes),
    );
    for (const hash of hashes) this.#insertSubject.run(lastInsertRowid, hash, lastInsertRowid);
  }

  #backendText(backend: readonly (string | number)[]): string {
    return JSON.stringify(backend.map((part) => (typeof part === 'string' ? this.#operation(part) : part)));
  }

  /** The number of a native operation, or its text when there are too many of them. */
  #operation(text: string): number | string {
    const known = this.#operations.get(text);
    if (known !== undefined) return known;
    const short = text.length > maxOperationChars ? `${text.slice(0, maxOperationChars - 1)}…` : text;
    if (this.#operations.size >= maxOperations) return short;
    this.#insertOperation.run(short);
    const id = this.#findOperation.get(short)?.id;
    if (id === undefined) return short;
    this.#operations.set(text, id);
    this.#newOperations.push(text);
    return id;
  }
}
