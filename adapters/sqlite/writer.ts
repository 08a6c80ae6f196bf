import type { Database } from 'better-sqlite3';
import type { BackendRecord, Change, ReadOptions, UpdateOptions } from '../../src/backend/adapter.js';
import { openDatabase, type Statements, statementsOf } from './database.js';
import { isBusy, isConstraint, toAdapterError, toErrorMessage } from './errors.js';
import type { CreateStore, Store, StoreDefinition } from './store.js';
import type { WorkerReply } from './worker-client.js';

export type WriteCall =
  | { readonly kind: 'create'; readonly entity: string; readonly record: BackendRecord; readonly options: ReadOptions }
  | {
      readonly kind: 'update';
      readonly entity: string;
      readonly id: string;
      readonly changes: readonly Change[];
      readonly options: UpdateOptions;
    }
  | {
      readonly kind: 'delete';
      readonly entity: string;
      readonly id: string;
      readonly options: { readonly ifRevision?: string };
    };

interface Waiting {
  readonly id: number;
  readonly call: WriteCall;
  readonly since: number;
}

/** A transaction takes no further calls after so long, so that those in it are answered. */
const maxTransactionMs = 20;
const maxCallsPerTransaction = 256;
/** How long calls wait for another process's transaction to end, unless their callers give up earlier. */
const maxBusyMs = 10_000;
const busyPauseMs = { least: 1, most: 12 };

/**
 * Group commit: all calls that wait share one transaction and one flush to the disk, and are answered after it. Each has
 * a savepoint of its own, so that one that fails leaves no trace and does not disturb the others.
 */
export class Writer {
  private readonly definition: StoreDefinition;
  private readonly createStore: CreateStore;
  private readonly send: (replies: readonly WorkerReply[]) => void;
  private readonly now: () => number;
  private open: { readonly db: Database; readonly store: Store; readonly statements: Statements } | undefined;
  private waiting: Waiting[] = [];
  private isScheduled = false;
  private finished: (() => void) | undefined;

  constructor(
    definition: StoreDefinition,
    createStore: CreateStore,
    send: (replies: readonly WorkerReply[]) => void,
    now: () => number = () => performance.now(),
  ) {
    this.definition = definition;
    this.createStore = createStore;
    this.send = send;
    this.now = now;
  }

  add(calls: readonly { readonly id: number; readonly call: WriteCall }[]): void {
    const since = this.now();
    for (const { id, call } of calls) this.waiting.push({ id, call, since });
  }

  /** Leaves the call out if it has not begun. */
  cancel(id: number): void {
    const index = this.waiting.findIndex((candidate) => candidate.id === id);
    const [cancelled] = index < 0 ? [] : this.waiting.splice(index, 1);
    if (cancelled !== undefined)
      this.send([failed(cancelled, new Error('The caller gave up before the write began.'))]);
  }

  /** Closes the connection after the calls that wait. */
  finish(done: () => void): void {
    this.finished = done;
  }

  run(): void {
    if (this.isScheduled) return;
    if (this.waiting.length > 0) this.transact();
    if (this.waiting.length === 0 && this.finished !== undefined) {
      this.disconnect();
      this.finished();
    }
  }

  private transact(): void {
    const calls = this.waiting;
    this.waiting = [];
    try {
      this.connect().statements.get('BEGIN IMMEDIATE').run();
    } catch (error) {
      if (isBusy(error)) this.postpone(calls, error);
      else this.send(calls.map((call) => failed(call, error)));
      return;
    }
    this.send(this.carryOutTogether(calls));
    if (this.waiting.length > 0) this.schedule(0);
  }

  /** Inside a transaction that has begun, and which it ends. Calls for which there is no time are put back. */
  private carryOutTogether(calls: readonly Waiting[]): readonly WorkerReply[] {
    const { db, statements } = this.connect();
    const until = this.now() + maxTransactionMs;
    const replies: WorkerReply[] = [];
    const taken: Waiting[] = [];
    try {
      for (const call of calls) {
        if (taken.length >= maxCallsPerTransaction || this.now() > until) break;
        taken.push(call);
        replies.push(this.carryOut(call));
      }
    } catch (error) {
      // The database has given up the whole transaction: a full disk, an error while reading or writing.
      this.waiting = [...calls.slice(taken.length), ...this.waiting];
      this.disconnect();
      return taken.map((call) => failed(call, error));
    }
    this.waiting = [...calls.slice(taken.length), ...this.waiting];
    try {
      statements.get('COMMIT').run();
      return replies;
    } catch (error) {
      if (db.inTransaction) statements.get('ROLLBACK').run();
      if (isConstraint(error) && taken.length > 1) return taken.flatMap((call) => this.carryOutAlone(call));
      const applied = isConstraint(error) ? 'no' : 'unknown';
      this.disconnect();
      return taken.map((call) => failed(call, error, applied));
    }
  }

  /** When a deferred constraint refuses the common transaction: which call was it? */
  private carryOutAlone(call: Waiting): readonly WorkerReply[] {
    try {
      this.connect().statements.get('BEGIN IMMEDIATE').run();
    } catch (error) {
      return [failed(call, error)];
    }
    return this.carryOutTogether([call]);
  }

  /** @throws when there is no transaction any more */
  private carryOut(waiting: Waiting): WorkerReply {
    const { db, store, statements } = this.connect();
    statements.get('SAVEPOINT call').run();
    try {
      const value = perform(store, waiting.call);
      statements.get('RELEASE call').run();
      return { id: waiting.id, value };
    } catch (error) {
      if (!db.inTransaction) throw error;
      statements.get('ROLLBACK TO call').run();
      statements.get('RELEASE call').run();
      return failed(waiting, error);
    }
  }

  private connect() {
    if (this.open === undefined) {
      const db = openDatabase(this.definition.file, 'write', false);
      try {
        db.pragma('query_only = ON'); // setting the store up is the main thread's
        const store = this.createStore(db, this.definition);
        db.pragma('query_only = OFF');
        this.open = { db, store, statements: statementsOf(db) };
      } catch (error) {
        db.close();
        throw error;
      }
    }
    return this.open;
  }

  private disconnect(): void {
    this.open?.db.close();
    this.open = undefined;
  }

  private postpone(calls: readonly Waiting[], error: unknown): void {
    const now = this.now();
    const isLate = ({ since }: Waiting): boolean => now - since > maxBusyMs;
    const late = calls.filter(isLate);
    if (late.length > 0) this.send(late.map((call) => failed(call, error)));
    this.waiting = [...calls.filter((call) => !isLate(call)), ...this.waiting];
    const { least, most } = busyPauseMs;
    this.schedule(least + Math.random() * (most - least));
  }

  /** A pause lets messages in: more calls, and cancellations. */
  private schedule(pauseMs: number): void {
    this.isScheduled = true;
    const goOn = (): void => {
      this.isScheduled = false;
      this.run();
    };
    if (pauseMs === 0) setImmediate(goOn);
    else setTimeout(goOn, pauseMs);
  }
}

function perform(store: Store, call: WriteCall): unknown {
  switch (call.kind) {
    case 'create':
      return store.create(call.entity, call.record, call.options);
    case 'update':
      return store.update(call.entity, call.id, call.changes, call.options);
    case 'delete':
      return store.delete(call.entity, call.id, call.options);
  }
}

function failed({ id }: Waiting, error: unknown, applied: 'no' | 'unknown' = 'no'): WorkerReply {
  return { id, error: toErrorMessage(toAdapterError(error, applied)) };
}
