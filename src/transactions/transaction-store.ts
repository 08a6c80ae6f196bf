import type { ActivityRow } from './activity-row.js';
import type { ActRow } from './acts.js';
import type { GatewayActivity, Transaction, TransactionQuery } from './transaction.js';
import type { TransactionRow } from './transaction-row.js';

/** What is written in one step. */
export interface PreparedBatch {
  readonly rows: readonly TransactionRow[];
  readonly acts: readonly ActRow[];
  readonly activity: readonly ActivityRow[];
}

/** Writes transactions to where they lie. */
export interface TransactionWriter {
  /**
   * All of a batch or nothing. Batches come one after the other.
   * @param number one more with each batch of this writer. A batch that comes again with its number, because nobody knows
   * whether it was written, is written once.
   */
  write(batch: PreparedBatch, number?: number): Promise<void>;
  /** Whether an error of `write` is the fault of a row, which can never be written; others may pass. */
  isOfRows(error: unknown): boolean;
  /** After an error it is closed and opened again: a file may have been moved, or another one put into its place. */
  readonly reopens: boolean;
  /**
   * Deletes some of those that began before. One process at a time does.
   * @returns whether there may be more for this one to delete
   */
  deleteSome(beforeMs: number): Promise<boolean>;
  /** What was written so far survives a loss of power from now on. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What was recorded, while others write. */
export interface TransactionReader {
  /** Newest first, or after a transaction and oldest first. */
  search(query: TransactionQuery): Promise<readonly Transaction[]>;
  /** The id of the one that was written last, to follow from; empty when there is none. */
  latestId(): Promise<string>;
  /** What the gateways did last, by the gateway's id. */
  activity(): Promise<ReadonlyMap<string, GatewayActivity>>;
  close(): Promise<void>;
}
