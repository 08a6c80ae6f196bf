import type { StatePlace } from '../state/state-place.js';
import { latestTransactionId, readActivity, searchTransactions } from './sqlite/search.js';
import { SqliteTransactionWriter } from './sqlite/transaction-writer.js';
import { openTransactionsFile } from './sqlite/transactions-file.js';
import type { TransactionReader, TransactionWriter } from './transaction-store.js';

/**
 * Opens the transactions beside the state to write. What is missing is made.
 * @throws Error with a sentence for the operator when that cannot be done now
 */
export async function openTransactionWriter({ dataDir, database }: StatePlace): Promise<TransactionWriter> {
  if (database === undefined) return new SqliteTransactionWriter(openTransactionsFile(dataDir));
  const { openPostgresqlWriter } = await import('./postgresql/transaction-writer.js');
  return openPostgresqlWriter(database);
}

/**
 * Opens the transactions beside the state to read.
 * @param key the one that the servers record with
 * @throws Error with a sentence for the operator when they cannot be read
 */
export async function openTransactionReader(
  { dataDir, database }: StatePlace,
  key: Uint8Array,
): Promise<TransactionReader> {
  if (database === undefined) {
    // The file is opened for each question: it may not be there yet.
    return {
      search: async (query) => searchTransactions(dataDir, key, query),
      latestId: async () => latestTransactionId(dataDir),
      activity: async () => readActivity(dataDir),
      close: async () => undefined,
    };
  }
  const { openPostgresqlReader } = await import('./postgresql/transaction-reader.js');
  return openPostgresqlReader(database, key);
}
