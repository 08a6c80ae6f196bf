import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { StatePlace } from '../state/state-place.js';
import { activityOf } from './activity-row.js';
import type { ActRow } from './acts.js';
import { BatchDecoder } from './batch.js';
import { openTransactionWriter } from './open-transactions.js';
import { RefusalFloods } from './refusal-floods.js';
import { type TransactionRow, toRow } from './transaction-row.js';
import type { PreparedBatch, TransactionWriter } from './transaction-store.js';

export interface RecordWorkerData {
  readonly place: StatePlace;
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

/** `settled`: the oldest batch or act needs no more waiting. `problem`: what the disk or the database says, for the operator. */
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

/** A batch that is to be written. */
interface Waiting {
  readonly batch: PreparedBatch;
  /** The main thread waits for it to be settled. */
  readonly isAsked: boolean;
  /** What could not be written of the batch that it is, or is part of. */
  readonly failed: { lost: number; problem?: string };
  /** Given when it is first written, and kept. */
  number?: number;
}

/** The thread that turns what was noted into rows, and writes them. */
class RecordWorker {
  readonly #port: MessagePort;
  readonly #data: RecordWorkerData;
  readonly #decoder = new BatchDecoder();
  readonly #floods = new RefusalFloods();
  #writer: TransactionWriter | undefined;
  #opening: Promise<TransactionWriter> | undefined;
  /** Oldest first. */
  #queue: Waiting[] = [];
  #lastNumber = 0;
  #running: Promise<string | undefined> | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[];

  constructor(port: MessagePort, data: RecordWorkerData) {
    this.#port = port;
    this.#data = data;
    this.#timers = [
      setInterval(() => this.#writeFloods('over'), floodsMs),
      setInterval(() => void this.#sweep(), sweepMs),
      setTimeout(() => void this.#sweep(), 0),
    ];
  }

  take(message: WorkerMessage): void {
    if ('batch' in message) this.#add(this.#prepare(message.batch), true);
    else if ('act' in message) this.#add({ rows: [], acts: [message.act], activity: [] }, true);
    else if ('flush' in message) void this.#flush(message.flush);
    else void this.#close();
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
    this.#queue.push({ batch, isAsked, failed: { lost: 0 } });
    // While nothing is taken, the next attempt is the timer's.
    if (this.#retry === undefined) void this.#run();
  }

  /** Writes what waits, also what comes meanwhile. @returns what is wrong when it could not */
  #run(): Promise<string | undefined> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#running ??= this.#writeAll();
    return this.#running;
  }

  async #writeAll(): Promise<string | undefined> {
    // It must not end before `#running` is set.
    await undefined;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      try {
        const writer = await this.#open();
        await this.#write(writer, next);
      } catch (error) {
        this.#running = undefined;
        return this.#failed(error);
      }
    }
    this.#running = undefined;
    return undefined;
  }

  /** What it cannot write stays in the queue, and what nobody can is left out of it. */
  async #write(writer: TransactionWriter, next: Waiting): Promise<void> {
    const { batch, isAsked, failed } = next;
    next.number ??= ++this.#lastNumber;
    try {
      await writer.write(batch, next.number);
    } catch (error) {
      if (!writer.isOfRows(error)) throw error;
      const parts = partsOf(next);
      if (parts.length > 1) {
        // One of them is at fault: the others are not to be lost with it.
        this.#queue.splice(0, 1, ...parts);
        return;
      }
      failed.lost += batch.rows.length + batch.acts.length;
      failed.problem = messageOf(error);
    }
    this.#queue.shift();
    if (isAsked) this.#reply({ settled: true, ...failed });
  }

  async #failed(error: unknown): Promise<string> {
    const problem = messageOf(error);
    const writer = this.#writer;
    if (writer?.reopens === true) {
      this.#writer = undefined;
      await writer.close().catch(() => undefined);
    }
    this.#retry ??= setTimeout(() => void this.#run(), retryMs);
    this.#reply({ problem });
    return problem;
  }

  /** One at a time. */
  async #open(): Promise<TransactionWriter> {
    if (this.#writer !== undefined) return this.#writer;
    this.#opening ??= openTransactionWriter(this.#data.place).finally(() => {
      this.#opening = undefined;
    });
    this.#writer = await this.#opening;
    return this.#writer;
  }

  #writeFloods(which: 'over' | 'all'): void {
    const rows = this.#floods.take(Date.now(), which);
    if (rows.length > 0) this.#add({ rows, acts: [], activity: [] }, false);
  }

  async #flush(flushed: number): Promise<void> {
    this.#writeFloods('all');
    const problem = (await this.#run()) ?? (await this.#sync());
    this.#reply({ flushed, ...(problem === undefined ? {} : { problem }) });
  }

  async #sync(): Promise<string | undefined> {
    try {
      await this.#writer?.sync();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async #close(): Promise<void> {
    this.#writeFloods('all');
    await this.#run();
    clearTimeout(this.#retry);
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#writer?.close();
    this.#port.close();
  }

  /** Deletes what is too old, a little at a time. */
  async #sweep(): Promise<void> {
    try {
      const writer = await this.#open();
      const beforeMs = Date.now() - this.#data.keepDays * dayMs;
      if (await writer.deleteSome(beforeMs)) this.#timers[2] = setTimeout(() => void this.#sweep(), stepMs);
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

/** One for each row; the last of them settles the batch. */
function partsOf({ batch, isAsked, failed }: Waiting): readonly Waiting[] {
  const { rows, acts, activity } = batch;
  const parts: readonly PreparedBatch[] = [
    ...(activity.length === 0 ? [] : [{ rows: [], acts: [], activity }]),
    ...rows.map((row) => ({ rows: [row], acts: [], activity: [] })),
    ...acts.map((act) => ({ rows: [], acts: [act], activity: [] })),
  ];
  return parts.map((part, index) => ({ batch: part, isAsked: isAsked && index === parts.length - 1, failed }));
}

if (parentPort !== null) {
  const port = parentPort;
  const worker = new RecordWorker(port, workerData as RecordWorkerData);
  port.on('message', (message: WorkerMessage) => worker.take(message));
}
