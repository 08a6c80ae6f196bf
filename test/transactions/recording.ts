import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatePlace } from '../../src/state/state-place.js';
import { openTransactionReader } from '../../src/transactions/open-transactions.js';
import { openTransactionRecorder } from '../../src/transactions/recorder.js';
import { RequestRecord, type TransactionRecorder } from '../../src/transactions/request-record.js';
import { searchTransactions } from '../../src/transactions/sqlite/search.js';
import type { GatewayActivity, Transaction, TransactionQuery } from '../../src/transactions/transaction.js';
import type { TransactionReader } from '../../src/transactions/transaction-store.js';

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

  readonly place: StatePlace;

  /** @param place what another one makes and removes: a folder, or a database */
  constructor(place?: string | StatePlace, key: Uint8Array = Buffer.alloc(32, 7)) {
    this.dataDir = typeof place === 'string' ? place : (place?.dataDir ?? join(this.folder, 'data'));
    this.place = typeof place === 'object' ? place : { dataDir: this.dataDir };
    this.key = key;
  }

  start(keepDays = 30): TransactionRecorder {
    const recorder = openTransactionRecorder({
      place: this.place,
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

  /** Of a file only. */
  search(query: Partial<TransactionQuery> = {}): readonly Transaction[] {
    return searchTransactions(this.dataDir, this.key, { limit: 100_000, ...query });
  }

  /** As `log` does, wherever it lies. */
  find(query: Partial<TransactionQuery> = {}, key = this.key): Promise<readonly Transaction[]> {
    return this.#read((reader) => reader.search({ limit: 100_000, ...query }), key);
  }

  activity(): Promise<ReadonlyMap<string, GatewayActivity>> {
    return this.#read((reader) => reader.activity());
  }

  latestId(): Promise<string> {
    return this.#read((reader) => reader.latestId());
  }

  async #read<T>(ask: (reader: TransactionReader) => Promise<T>, key = this.key): Promise<T> {
    const reader = await openTransactionReader(this.place, key);
    try {
      return await ask(reader);
    } finally {
      await reader.close();
    }
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
