import { Worker } from 'node:worker_threads';
import type { StatePlace } from '../state/state-place.js';
import { type Act, actRow, operator } from './acts.js';
import { BatchEncoder, type FinishedRequest } from './batch.js';
import type { RecordWorkerData, WorkerMessage, WorkerReply } from './record-worker.js';
import type { RequestRecord, TransactionRecorder } from './request-record.js';

export interface RecorderOptions {
  /** Where the state lies: transactions lie beside it. */
  readonly place: StatePlace;
  /** 32 bytes, equal in every replica: what hashes of user names and the like are made with. */
  readonly key: Uint8Array;
  readonly keepDays: number;
  /** Whether the values of the gateway's requests are recorded now. */
  readonly recordsValues: (gateway: string) => boolean;
  readonly log: { warn(fields: object, message: string): void };
}

/** The longest that a finished request waits here. */
const batchMs = 200;
const batchSize = 500;
/** Bodies and filters that come together end a batch too. In UTF-16 code units, as all sizes here. */
const batchChars = 1_048_576;
/** A larger body stays here; only its size is recorded. */
const maxBodyChars = 1_048_576;
const maxFilterChars = 65_536;
/** What may wait to be written, the thread's own queue included. What comes beyond is lost, and counted. */
const maxWaiting = 50_000;
const maxWaitingChars = 67_108_864;
const tellAfterMs = 60_000;
/** How long a stop waits for a disk that does not answer. */
const closeWithinMs = 10_000;

/**
 * Starts to record. Requests never wait for it: what the disk does not take is kept for a while, within bounds, and then
 * lost, with a warning once a minute.
 */
export function openTransactionRecorder(options: RecorderOptions): TransactionRecorder {
  return new Recorder(options);
}

interface Flush {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

class Recorder implements TransactionRecorder {
  readonly #options: RecorderOptions;
  #worker: Worker | undefined;
  #encoder = new BatchEncoder();
  #batch: FinishedRequest[] = [];
  #batchChars = 0;
  /** Refused requests of this batch, by what they have in common. */
  #refused = new Map<string, FinishedRequest>();
  #timer: NodeJS.Timeout | undefined;
  /** Batches that the thread has not settled, oldest first. */
  #sent: { readonly records: number; readonly chars: number }[] = [];
  #waiting = 0;
  #waitingChars = 0;
  readonly #flushes = new Map<number, Flush>();
  #lastFlush = 0;
  #lost = 0;
  #problem: string | undefined;
  #tellAtMs = 0;
  #closed: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#worker = this.#spawn();
  }

  finished(record: RequestRecord, status: number): void {
    if (this.#closed !== undefined || this.#waiting >= maxWaiting) {
      this.#lose(1);
      return;
    }
    if (status === 401 || status === 403 || status === 429) {
      const key = `${status} ${record.gateway} ${record.address} ${record.caller?.id} ${record.reason}`;
      const alike = this.#refused.get(key);
      if (alike !== undefined) {
        alike.repeats++;
        return;
      }
      this.#add(record, status);
      this.#refused.set(key, this.#batch.at(-1) as FinishedRequest);
    } else {
      this.#add(record, status);
    }
    if (this.#batch.length >= batchSize || this.#batchChars >= batchChars) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), batchMs).unref();
  }

  #add(record: RequestRecord, status: number): void {
    this.#waiting++;
    let bodyLeftOut = 0;
    let recordsValues = false;
    if (record.body !== undefined) {
      const { length } = record.body;
      if (length > maxBodyChars || this.#waitingChars + length > maxWaitingChars) {
        // The text is let go of now, since so many requests may wait.
        bodyLeftOut = length;
        record.body = undefined;
      } else {
        this.#hold(length);
      }
    }
    if (record.filter !== undefined) {
      if (record.filter.length > maxFilterChars) record.filter = '';
      else this.#hold(record.filter.length);
    }
    if (record.body !== undefined || record.filter !== undefined) {
      recordsValues = this.#options.recordsValues(record.gateway);
    }
    this.#batch.push({ record, status, endedAtMs: performance.now(), recordsValues, bodyLeftOut, repeats: 0 });
  }

  #hold(chars: number): void {
    this.#batchChars += chars;
    this.#waitingChars += chars;
  }

  act(act: Act): void {
    if (this.#closed !== undefined) {
      this.#lose(1);
      return;
    }
    this.#send();
    this.#waiting++;
    this.#sent.push({ records: 1, chars: 0 });
    this.#post({ act: actRow(act, operator(), Date.now()) });
  }

  async flush(): Promise<void> {
    this.#send();
    const number = ++this.#lastFlush;
    await new Promise<void>((resolve, reject) => {
      this.#flushes.set(number, { resolve, reject });
      this.#post({ flush: number });
      this.#worker?.ref();
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#send();
    const worker = this.#worker;
    if (worker !== undefined) {
      worker.ref();
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      const late = setTimeout(() => void worker.terminate(), closeWithinMs);
      this.#post({ close: true });
      await ended;
      clearTimeout(late);
    }
    this.#tellAtMs = 0;
    this.#tell();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#refused = new Map();
    const chars = this.#batchChars;
    this.#batchChars = 0;
    this.#worker ??= this.#spawn();
    this.#sent.push({ records: batch.length, chars });
    this.#post({ batch: this.#encoder.encode(batch) });
    this.#tell();
  }

  #post(message: WorkerMessage): void {
    this.#worker ??= this.#spawn();
    this.#worker.postMessage(message);
  }

  #spawn(): Worker {
    const { place, key, keepDays } = this.#options;
    const workerData: RecordWorkerData = { place, key, keepDays };
    const worker = new Worker(workerUrl(), { workerData, execArgv: [] });
    this.#encoder = new BatchEncoder();
    worker.unref();
    worker.on('message', (reply: WorkerReply) => this.#take(reply));
    worker.on('error', (error) => {
      this.#problem = String(error);
    });
    worker.on('exit', () => this.#gone(worker));
    return worker;
  }

  #take(reply: WorkerReply): void {
    if (reply.problem !== undefined) this.#problem = reply.problem;
    if ('settled' in reply) {
      const batch = this.#sent.shift();
      this.#waiting -= batch?.records ?? 0;
      this.#waitingChars -= batch?.chars ?? 0;
      if (reply.lost > 0) this.#lose(reply.lost);
    } else if ('flushed' in reply) {
      const flush = this.#flushes.get(reply.flushed);
      this.#flushes.delete(reply.flushed);
      if (this.#flushes.size === 0 && this.#closed === undefined) this.#worker?.unref();
      if (reply.problem === undefined) flush?.resolve();
      else flush?.reject(new Error(`Transactions could not be written: ${reply.problem}`));
    }
    this.#tell();
  }

  /** The thread ended, in order or not. The next batch starts another one. */
  #gone(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    let lost = 0;
    for (const { records, chars } of this.#sent.splice(0)) {
      lost += records;
      this.#waitingChars -= chars;
    }
    this.#waiting -= lost;
    if (lost > 0) this.#lose(lost);
    for (const { reject } of this.#flushes.values()) reject(new Error('The thread that writes transactions ended.'));
    this.#flushes.clear();
  }

  #lose(count: number): void {
    this.#lost += count;
    this.#tell();
  }

  /** Warns of what went wrong, at most once a minute. */
  #tell(): void {
    if ((this.#lost === 0 && this.#problem === undefined) || performance.now() < this.#tellAtMs) return;
    this.#tellAtMs = performance.now() + tellAfterMs;
    const { log } = this.#options;
    const fields = { lost: this.#lost, ...(this.#problem === undefined ? {} : { problem: this.#problem }) };
    log.warn(fields, this.#lost > 0 ? 'Transactions were lost.' : 'Transactions cannot be written, and wait.');
    this.#lost = 0;
    this.#problem = undefined;
  }
}

/** Under a test runner that reads TypeScript itself, the worker is taken from the build. */
function workerUrl(): URL {
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/src/transactions/' : './';
  return new URL(`${folder}record-worker.js`, import.meta.url);
}
