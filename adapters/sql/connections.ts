import type { AdapterLog, OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import type { Driver, DriverConnection } from './driver.js';

export type WaitContext = Pick<OperationContext, 'signal' | 'hasEnded' | 'deadlineMs'>;

export interface ConnectionsSettings {
  readonly driver: Driver;
  readonly connections: number;
  readonly waitMs: number;
  readonly idleMs: number;
  readonly maxAgeMs: number;
  readonly log: AdapterLog;
}

/** A connection that is lent to one operation at a time. */
export interface Pooled {
  readonly connection: DriverConnection;
  readonly openedAtMs: number;
  idleSinceMs: number;
  /** Nothing was asked of it yet. */
  isNew: boolean;
}

/** Something under way that has to be looked after. */
export interface Looked {
  look(nowMs: number): void;
}

interface Waiter {
  readonly context: WaitContext;
  readonly untilMs: number;
  readonly resolve: (pooled: Pooled) => void;
  readonly reject: (error: AdapterError) => void;
}

const waits = {
  /** How often it is looked whether what is under way has taken long enough. */
  lookEveryMs: 50,
  /** A connection that was idle for longer has to show that it lives; a firewall may have forgotten it. */
  probeAfterMs: 15_000,
  probeMs: 1_000,
  /** After a failure to connect, nobody tries again for so long; doubled with each failure. */
  unavailableMs: { first: 100, most: 2_000 },
  /** Accounts get locked by wrong passwords. */
  deniedMs: { first: 2_000, most: 60_000 },
} as const;

/** Whether a caller waits no more: its time is over, or it has left. */
export function isOver(context: WaitContext, nowMs = performance.now()): boolean {
  return hasEnded(context) || (context.deadlineMs !== undefined && nowMs >= context.deadlineMs);
}

/** The connections to one server: made when they are wanted, lent to one at a time, closed when nobody wants them. */
export class Connections {
  private readonly settings: ConnectionsSettings;
  private readonly all = new Set<Pooled>();
  /** The one used last is used first, so that the others may go. */
  private readonly idle: Pooled[] = [];
  private readonly waiting: Waiter[] = [];
  private readonly looked = new Set<Looked>();
  private connecting = 0;
  private refusal: { readonly error: AdapterError; readonly untilMs: number; readonly waitMs: number } | undefined;
  private looking: NodeJS.Timeout | undefined;
  private tidying: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(settings: ConnectionsSettings) {
    this.settings = settings;
  }

  /** A connection that nobody else uses, to be given back by `release` or `discard`. */
  async acquire(context: WaitContext): Promise<Pooled> {
    for (;;) {
      if (this.isClosed) throw closed();
      if (isOver(context)) throw tooLate();
      const pooled = this.takeIdle();
      if (pooled === undefined) return this.wait(context);
      if (performance.now() - pooled.idleSinceMs < waits.probeAfterMs || (await answers(pooled.connection))) {
        return pooled;
      }
      this.discard(pooled);
    }
  }

  release(pooled: Pooled): void {
    const { connection, openedAtMs } = pooled;
    const now = performance.now();
    const isOld = now - openedAtMs > this.settings.maxAgeMs;
    if (this.isClosed || !this.all.has(pooled) || !connection.isOpen || connection.isWorn || isOld) {
      this.discard(pooled);
      return;
    }
    pooled.isNew = false;
    pooled.idleSinceMs = now;
    this.idle.push(pooled);
    this.serve();
  }

  /** The connection is not to be used any more. @param how `cut`: something may still run on it */
  discard(pooled: Pooled, how: 'close' | 'cut' = 'close'): void {
    this.forget(pooled);
    if (how === 'cut') pooled.connection.abandon();
    else pooled.connection.close();
  }

  /** One connection was found dead: those that are as old are not trusted. */
  dropIdle(): void {
    for (const pooled of [...this.idle]) this.discard(pooled);
  }

  /** @returns call to end it */
  watch(looked: Looked): () => void {
    this.looked.add(looked);
    this.lookRegularly();
    return () => this.looked.delete(looked);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.looking);
    clearInterval(this.tidying);
    for (const waiter of this.waiting.splice(0)) waiter.reject(closed());
    for (const pooled of [...this.all]) this.discard(pooled, this.idle.includes(pooled) ? 'close' : 'cut');
  }

  private takeIdle(): Pooled | undefined {
    const now = performance.now();
    for (let pooled = this.idle.pop(); pooled !== undefined; pooled = this.idle.pop()) {
      if (pooled.connection.isOpen && now - pooled.openedAtMs <= this.settings.maxAgeMs) return pooled;
      this.discard(pooled);
    }
    return undefined;
  }

  private wait(context: WaitContext): Promise<Pooled> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ context, untilMs: performance.now() + this.settings.waitMs, resolve, reject });
      this.lookRegularly();
      this.serve();
    });
  }

  /** Gives idle connections to those that wait, and makes more where they do not suffice. */
  private serve(): void {
    while (this.waiting.length > 0) {
      const pooled = this.takeIdle();
      if (pooled === undefined) break;
      this.waiting.shift()?.resolve(pooled);
    }
    const now = performance.now();
    if (this.refusal !== undefined && now < this.refusal.untilMs) {
      if (this.all.size + this.connecting > 0) return; // Those may become free.
      for (const waiter of this.waiting.splice(0)) waiter.reject(stillRefused(this.refusal, now));
      return;
    }
    while (this.waiting.length > this.connecting && this.all.size + this.connecting < this.settings.connections) {
      this.connect();
    }
  }

  private connect(): void {
    this.connecting++;
    this.settings.driver.connect().then(
      (connection) => {
        this.connecting--;
        if (this.isClosed) {
          connection.close();
          return;
        }
        if (this.refusal !== undefined) this.settings.log.info({}, 'The database answers again.');
        this.refusal = undefined;
        this.add(connection);
        this.serve();
      },
      (error: unknown) => {
        this.connecting--;
        if (this.isClosed) return;
        this.refuse(error);
        this.serve();
      },
    );
  }

  private add(connection: DriverConnection): void {
    const now = performance.now();
    const pooled: Pooled = { connection, openedAtMs: now, idleSinceMs: now, isNew: true };
    this.all.add(pooled);
    this.idle.push(pooled);
    connection.onEnd(() => {
      this.forget(pooled);
      if (!this.isClosed) this.serve();
    });
    if (this.tidying !== undefined) return;
    this.tidying = setInterval(() => this.tidy(), Math.max(1_000, this.settings.idleMs / 4));
    this.tidying.unref();
  }

  private forget(pooled: Pooled): void {
    this.all.delete(pooled);
    const at = this.idle.indexOf(pooled);
    if (at >= 0) this.idle.splice(at, 1);
  }

  private tidy(): void {
    const now = performance.now();
    for (const pooled of [...this.idle]) {
      if (now - pooled.idleSinceMs > this.settings.idleMs) this.discard(pooled);
    }
    if (this.all.size > 0) return;
    clearInterval(this.tidying);
    this.tidying = undefined;
  }

  /** Remembers that nobody is let in, so that not every operation knocks. */
  private refuse(failure: unknown): void {
    const error =
      failure instanceof AdapterError
        ? failure
        : new AdapterError('unavailable', 'The database cannot be reached.', { cause: failure });
    const { first, most } = error.kind === 'denied' ? waits.deniedMs : waits.unavailableMs;
    const waitMs = Math.min(most, this.refusal === undefined ? first : Math.max(first, this.refusal.waitMs * 2));
    this.refusal = { error, waitMs, untilMs: performance.now() + waitMs * (0.75 + Math.random() / 2) };
    this.settings.log.warn({ kind: error.kind, code: codeOf(error.cause), retryAfterMs: waitMs }, error.message);
  }

  /** One timer for all that is under way; an operation that is answered quickly has none of its own. */
  private lookRegularly(): void {
    if (this.looking !== undefined || this.isClosed) return;
    this.looking = setInterval(() => {
      const now = performance.now();
      for (const looked of [...this.looked]) looked.look(now);
      this.lookAtWaiting(now);
      if (this.looked.size + this.waiting.length > 0) return;
      clearInterval(this.looking);
      this.looking = undefined;
    }, waits.lookEveryMs);
    this.looking.unref();
  }

  private lookAtWaiting(now: number): void {
    for (const waiter of [...this.waiting]) {
      const error = isOver(waiter.context, now) ? tooLate() : now >= waiter.untilMs ? this.allInUse() : undefined;
      if (error === undefined) continue;
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
      waiter.reject(error);
    }
    if (this.waiting.length > 0) this.serve();
  }

  private allInUse(): AdapterError {
    const { connections, waitMs } = this.settings;
    const why = this.refusal?.error ?? undefined;
    const message =
      why?.message ?? `All ${connections} connections were in use for ${waitMs} ms: see \`pool.connections\`.`;
    return new AdapterError('unavailable', message, { retryAfterSeconds: 1, cause: why?.cause });
  }
}

async function answers(connection: DriverConnection): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, waits.probeMs, false);
  });
  const alive = connection.probe().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([alive, late]);
  } finally {
    clearTimeout(timer);
  }
}

function stillRefused(refusal: { readonly error: AdapterError; readonly untilMs: number }, now: number): AdapterError {
  const { kind, message, cause } = refusal.error;
  const retryAfterSeconds = Math.max(1, Math.ceil((refusal.untilMs - now) / 1_000));
  return new AdapterError(kind, message, { retryAfterSeconds, applied: 'no', cause: cause ?? refusal.error });
}

function tooLate(): AdapterError {
  return new AdapterError('timeout', 'The request ended before the database was asked.', { applied: 'no' });
}

function closed(): AdapterError {
  return new AdapterError('unavailable', 'The database is not used any more.');
}

/** What may be logged of what was underneath: its code, and no text of a server. */
function codeOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
