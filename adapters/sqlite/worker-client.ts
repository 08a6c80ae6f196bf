import { setMaxListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import { type ErrorMessage, fromErrorMessage, toAdapterError } from './errors.js';
import type { StoreDefinition } from './store.js';

/** What goes to a worker. Calls that are made together travel together. */
export type WorkerRequest<Call> =
  | { readonly calls: readonly { readonly id: number; readonly call: Call }[] }
  | { readonly cancel: number }
  | { readonly close: true };

export type WorkerReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorMessage };

export interface WorkerClientOptions {
  /** The compiled module beside this one: `write-worker.js`. */
  readonly script: string;
  readonly definition: StoreDefinition;
  /** A call whose signal ends after it was sent: `leave` it at once (a read), or wait for what became of it (a write). */
  readonly whenAborted: 'leave' | 'wait';
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly context: CallContext;
  isSent: boolean;
  /** Takes the listener off the signal; undefined while the signal is not listened to. */
  forget: (() => void) | undefined;
}

type CallContext = Pick<OperationContext, 'signal' | 'hasEnded'>;

/** A call that takes longer is ended with its request; for the others a signal would cost more than it is worth. */
const listenAfterMs = 20;

/** How long a write whose caller has gone is waited for before its fate is called unknown. */
const waitAfterAbortMs = 1000;

/**
 * Runs calls in one worker thread, which is started by the first one and again after it died. The process may end while
 * the worker is idle.
 */
export class WorkerClient<Call> {
  private readonly options: WorkerClientOptions;
  private readonly pending = new Map<number, Pending>();
  private outbox: { readonly id: number; readonly call: Call }[] = [];
  private worker: Worker | undefined;
  private lastId = 0;
  private isClosed = false;
  private isListeningSoon = false;

  constructor(options: WorkerClientOptions) {
    this.options = options;
  }

  /** Starts the worker ahead of the first call. */
  start(): void {
    if (this.isClosed) return;
    this.worker ??= this.spawn();
  }

  /** Rejects with AdapterError. */
  call(call: Call, context: CallContext): Promise<unknown> {
    if (this.isClosed) return Promise.reject(new AdapterError('unavailable', 'The adapter was closed.'));
    if (hasEnded(context)) return Promise.reject(endedEarly(context.signal));
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      if (this.pending.size === 0) this.worker?.ref();
      this.pending.set(id, { resolve, reject, context, isSent: false, forget: undefined });
      this.listenSoon();
      this.outbox.push({ id, call });
      if (this.outbox.length === 1) queueMicrotask(() => this.send());
    });
  }

  /** Waits for the calls under way. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const { worker } = this;
    if (worker === undefined) return;
    worker.ref();
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    this.send();
    worker.postMessage({ close: true } satisfies WorkerRequest<Call>);
    await ended;
  }

  private send(): void {
    if (this.outbox.length === 0) return;
    const calls = this.outbox;
    this.outbox = [];
    for (const { id } of calls) {
      const pending = this.pending.get(id);
      if (pending !== undefined) pending.isSent = true;
    }
    this.worker ??= this.spawn();
    try {
      this.worker.postMessage({ calls } satisfies WorkerRequest<Call>);
    } catch (error) {
      for (const { id } of calls) this.settle(id, (pending) => pending.reject(toAdapterError(error)));
    }
  }

  private spawn(): Worker {
    const worker = new Worker(workerUrl(this.options.script), { workerData: this.options.definition, execArgv: [] });
    worker.unref();
    if (this.pending.size > 0) worker.ref();
    worker.on('message', (replies: readonly WorkerReply[]) => {
      for (const reply of replies) {
        this.settle(reply.id, ({ resolve, reject }) => {
          if ('error' in reply) reject(fromErrorMessage(reply.error));
          else resolve(reply.value);
        });
      }
    });
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
      this.failAll(cause);
    });
    return worker;
  }

  private listenSoon(): void {
    if (this.isListeningSoon) return;
    this.isListeningSoon = true;
    setTimeout(() => this.listen(), listenAfterMs).unref();
  }

  private listen(): void {
    this.isListeningSoon = false;
    for (const [id, pending] of this.pending) {
      if (pending.forget !== undefined) continue;
      const { signal } = pending.context;
      const onAbort = (): void => this.abort(id, signal);
      setMaxListeners(0, signal); // a request may have many calls under way
      signal.addEventListener('abort', onAbort, { once: true });
      pending.forget = () => signal.removeEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
    }
    if (this.pending.size > 0) this.listenSoon();
  }

  private settle(id: number, answer: (pending: Pending) => void): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    this.pending.delete(id);
    pending.forget?.();
    if (this.pending.size === 0) this.worker?.unref();
    answer(pending);
  }

  private failAll(cause: unknown): void {
    for (const [id, { isSent }] of this.pending) {
      if (!isSent) continue;
      const applied = this.options.whenAborted === 'wait' ? 'unknown' : 'no';
      const error = new AdapterError('unavailable', 'The database thread ended.', { applied, cause });
      this.settle(id, ({ reject }) => reject(error));
    }
  }

  private abort(id: number, signal: AbortSignal): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    if (!pending.isSent) this.outbox = this.outbox.filter((entry) => entry.id !== id);
    else this.worker?.postMessage({ cancel: id } satisfies WorkerRequest<Call>);
    if (!pending.isSent || this.options.whenAborted === 'leave') {
      this.settle(id, ({ reject }) => reject(endedEarly(signal)));
      return;
    }
    const late = new AdapterError('timeout', 'The database did not answer in time.', { cause: signal.reason });
    setTimeout(() => this.settle(id, ({ reject }) => reject(late)), waitAfterAbortMs).unref();
  }
}

function endedEarly(signal: AbortSignal): AdapterError {
  return new AdapterError('timeout', 'The request ended before the operation began.', {
    applied: 'no',
    cause: signal.reason,
  });
}

/** Under a test runner that reads TypeScript itself, workers are taken from the build. */
function workerUrl(script: string): URL {
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/adapters/sqlite/' : './';
  return new URL(`${folder}${script}`, import.meta.url);
}
