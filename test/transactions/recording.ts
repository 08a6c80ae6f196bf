import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTransactionRecorder } from '../../src/transactions/recorder.js';
import { RequestRecord, type TransactionRecorder } from '../../src/transactions/request-record.js';
import { searchTransactions } from '../../src/transactions/search.js';
import type { Transaction, TransactionQuery } from '../../src/transactions/transaction.js';

type Noted = Partial<Omit<RequestRecord, 'gateway' | 'requestId' | 'method' | 'route' | 'startedAtMs'>>;

export interface Said {
  readonly fields: { readonly lost: number; readonly problem?: string };
  readonly message: string;
}

/** A recorder over a folder of its own, and what it leaves there. */
export class Recording {
  readonly folder = mkdtempSync(join(tmpdir(), 'transactions-'));
  readonly dataDir: string;
  readonly key: Uint8Array;
  readonly said: Said[] = [];
  /** Gateways whose values are recorded. */
  readonly recordsValues = new Set<string>();
  readonly #open: TransactionRecorder[] = [];
  #requests = 0;

  /** @param dataDir a folder that another one makes and removes */
  constructor(dataDir?: string, key: Uint8Array = Buffer.alloc(32, 7)) {
    this.dataDir = dataDir ?? join(this.folder, 'data');
    this.key = key;
  }

  start(keepDays = 30): TransactionRecorder {
    const recorder = openTransactionRecorder({
      dataDir: this.dataDir,
      key: this.key,
      keepDays,
      recordsValues: (gateway) => this.recordsValues.has(gateway),
      log: { warn: (fields, message) => void this.said.push({ fields, message } as Said) },
    });
    this.#open.push(recorder);
    return recorder;
  }

  /** A request as HTTP notes it: by default a read of a user by its id. */
  noted(noted: Noted = {}, method = 'GET', route = 'resource', gateway = 'corp'): RequestRecord {
    this.#requests++;
    const record = new RequestRecord(gateway, `request-${this.#requests}`, method, route, performance.now());
    return Object.assign(record, { caller: { id: 'token:Entra' }, address: '192.0.2.1', resourceType: 'User' }, noted);
  }

  search(query: Partial<TransactionQuery> = {}): readonly Transaction[] {
    return searchTransactions(this.dataDir, this.key, { limit: 100_000, ...query });
  }

  /** Everything that is on the disk, as text. */
  bytes(): string {
    return readdirSync(this.dataDir)
      .map((name) => readFileSync(join(this.dataDir, name), 'latin1'))
      .join('\n');
  }

  async end(): Promise<void> {
    for (const recorder of this.#open) await recorder.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const someId = '2819c223-7f76-453a-919d-413861904646';
