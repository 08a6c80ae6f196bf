import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SqliteError } from 'better-sqlite3';
import type { ActRow } from './acts.js';
import { BatchDecoder } from './batch.js';
import { RefusalFloods } from './refusal-floods.js';
import { type TransactionRow, toRow } from './transaction-row.js';
import { activityOf, type PreparedBatch, TransactionWriter } from './transaction-writer.js';
import { openTransactionsFile } from './transactions-file.js';

export interface RecordWorkerData {
  readonly dataDir: string;
  readonly key: Uint8Array;
  readonly keepDays: number;
}

export type WorkerMessage =
  | { readonly batch: string }
  | { readonly act: ActRow }
  | { readonly flush: number }
  | { readonly close: true };

interface Settled {
  readonly settled: true;
  readonly lost: number;
  readonly problem?: string;
}

/** `settled`: the oldest batch or act needs no more waiting. `problem`: what the disk says, for the operator. */
export type WorkerReply =
  | Settled
  | { readonly flushed: number; readonly problem?: string }
  | { readonly problem: string };

const retryMs = 1000;
const floodsMs = 5000;
const dayMs = 86_400_000;
const sweepMs = 3_600_000;
/** Between steps of deleting, so that batches come in between. */
const stepMs = 20;

/** The thread that turns what was noted into rows, and writes them. */
class RecordWorker {
  readonly #port: MessagePort;
  readonly #data: RecordWorkerData;
  readonly #decoder = new BatchDecoder();
  readonly #floods = new RefusalFloods();
  #writer: TransactionWriter | undefined;
  /** Oldest first. `isAsked`: the main thread waits for it to be settled. */
  #queue: { batch: PreparedBatch; readonly isAsked: boolean }[] = [];
  #retry: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[];

  constructor(port: MessagePort, data: RecordWorkerData) {
    this.#port = port;
    this.#data = data;
    this.#timers = [
      setInterval(() => this.#writeFloods('over'), floodsMs),
      setInterval(() => this.#sweep(), sweepMs),
      setTimeout(() => this.#sweep(), 0),
    ];
  }

  take(message: WorkerMessage): void {
    if ('batch' in message) this.#add(this.#prepare(message.batch), true);
    else if ('act' in message) this.#add({ rows: [], acts: [message.act], activity: [] }, true);
    else if ('flush' in message) this.#flush(message.flush);
    else this.#close();
  }

  #prepare(text: string): PreparedBatch {
    const requests = this.#decoder.decode(text);
    const rows: TransactionRow[] = [];
    for (const request of requests) {
      const { status } = request;
      const isRefused = status === 401 || status === 403 || status === 429;
      const told = isRefused ? this.#floods.add(request) : request;
      if (told !== undefined) rows.push(toRow(told, this.#data.key));
    }
    return { rows, acts: [], activity: activityOf(requests) };
  }

  #add(batch: PreparedBatch, isAsked: boolean): void {
    this.#queue.push({ batch, isAsked });
    // While the disk does not take anything, the next attempt is the timer's.
    if (this.#retry === undefined) this.#run();
  }

  /** Writes what waits. @returns what is wrong when it could not */
  #run(): string | undefined {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      let result: Pick<Settled, 'lost' | 'problem'>;
      try {
        this.#writer ??= new TransactionWriter(openTransactionsFile(this.#data.dataDir));
        result = this.#write(this.#writer, next.batch);
      } catch (error) {
        const problem = messageOf(error);
        // The file may have been moved, or another one put into its place.
        this.#writer?.close();
        this.#writer = undefined;
        this.#retry = setTimeout(() => this.#run(), retryMs);
        this.#reply({ problem });
        return problem;
      }
      this.#queue.shift();
      if (next.isAsked) this.#reply({ settled: true, ...result });
    }
    return undefined;
  }

  /** @returns how many rows cannot be written, whatever the disk does */
  #write(writer: TransactionWriter, batch: PreparedBatch): Pick<Settled, 'lost' | 'problem'> {
    try {
      writer.write(batch);
      return { lost: 0 };
    } catch (error) {
      if (isOfTheDisk(error)) throw error;
    }
    // One of them is at fault: the others are not to be lost with it.
    writer.write({ ...batch, rows: [] });
    let lost = 0;
    let problem = '';
    for (const row of batch.rows) {
      try {
        writer.write({ rows: [row], acts: [], activity: [] });
      } catch (error) {
        if (isOfTheDisk(error)) throw error;
        lost++;
        problem = messageOf(error);
      }
    }
    return lost === 0 ? { lost } : { lost, problem };
  }

  #writeFloods(which: 'over' | 'all'): void {
    const rows = this.#floods.take(Date.now(), which);
    if (rows.length > 0) this.#add({ rows, acts: [], activity: [] }, false);
  }

  #flush(flushed: number): void {
    this.#writeFloods('all');
    const problem = this.#run() ?? this.#sync();
    this.#reply({ flushed, ...(problem === undefined ? {} : { problem }) });
  }

  #sync(): string | undefined {
    try {
      this.#writer?.sync();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #close(): void {
    this.#writeFloods('all');
    this.#run();
    clearTimeout(this.#retry);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#writer?.close();
    this.#port.close();
  }

  /** Deletes what is too old, a little at a time. */
  #sweep(): void {
    try {
      this.#writer ??= new TransactionWriter(openTransactionsFile(this.#data.dataDir));
      const beforeMs = Date.now() - this.#data.keepDays * dayMs;
      if (this.#writer.deleteSome(beforeMs)) this.#timers[2] = setTimeout(() => this.#sweep(), stepMs);
    } catch (error) {
      this.#reply({ problem: messageOf(error) });
    }
  }

  #reply(reply: WorkerReply): void {
    this.#port.postMessage(reply);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Trouble that may pass, as against a row that cannot be written. */
function isOfTheDisk(error: unknown): boolean {
  return error instanceof SqliteError && !/^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE|MISUSE)/.test(error.code);
}

if (parentPort !== null) {
  const port = parentPort;
  const worker = new RecordWorker(port, workerData as RecordWorkerData);
  port.on('message', (message: WorkerMessage) => worker.take(message));
}
