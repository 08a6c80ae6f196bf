import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Connection } from './connection.js';
import type { Lease, Operations, WireContext } from './directory.js';
import { RoutedOperations } from './routed-operations.js';
import { isOver, lookEveryMs } from './within.js';

const idleKeptMs = 60_000;

interface Waiter {
  readonly context: WireContext;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Connections that have one user at a time. Those given back are kept for the next for a while. */
export class Leases {
  private readonly most: number;
  private readonly open: (context: WireContext) => Promise<Connection>;
  private readonly idle: { readonly connection: Connection; readonly sinceMs: number }[] = [];
  private readonly out = new Set<Connection>();
  private readonly waiting: Waiter[] = [];
  /** Out, or being opened. */
  private taken = 0;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(most: number, open: (context: WireContext) => Promise<Connection>) {
    this.most = most;
    this.open = open;
  }

  async take(context: WireContext): Promise<Lease> {
    await this.enter(context);
    try {
      const connection = this.takeIdle() ?? (await this.open(context));
      if (this.isClosed) {
        connection.close();
        throw gone();
      }
      this.out.add(connection);
      return new LeasedConnection(connection, (isUsable) => this.giveBack(connection, isUsable));
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** Connections that nobody has are closed: to a server that isn't used any more. */
  dropIdle(): void {
    for (const { connection } of this.idle.splice(0)) connection.close();
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
    this.dropIdle();
    for (const { reject } of this.waiting.splice(0)) reject(gone());
    for (const connection of this.out) connection.close();
  }

  private takeIdle(): Connection | undefined {
    for (let kept = this.idle.pop(); kept !== undefined; kept = this.idle.pop()) {
      if (kept.connection.isOpen && performance.now() - kept.sinceMs < idleKeptMs) return kept.connection;
      kept.connection.close();
    }
    return undefined;
  }

  private giveBack(connection: Connection, isUsable: boolean): void {
    this.out.delete(connection);
    if (isUsable && connection.isOpen && !this.isClosed) {
      this.idle.push({ connection, sinceMs: performance.now() });
      this.arm();
    } else {
      connection.close();
    }
    this.leave();
  }

  private enter(context: WireContext): Promise<void> {
    if (this.isClosed) return Promise.reject(gone());
    if (this.taken < this.most) {
      this.taken++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ context, resolve, reject });
      this.arm();
    });
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.taken--;
    else next.resolve();
  }

  private arm(): void {
    this.timer ??= setInterval(() => this.look(), lookEveryMs).unref();
  }

  /** Ends what has waited too long, and closes what was idle for too long. */
  private look(): void {
    const now = performance.now();
    for (const waiter of [...this.waiting]) {
      if (!isOver(waiter.context)) continue;
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
      const message = 'All connections for long searches were in use.';
      waiter.reject(new AdapterError('timeout', message, { applied: 'no', retryAfterSeconds: 1 }));
    }
    while (this.idle[0] !== undefined && now - this.idle[0].sinceMs > idleKeptMs) this.idle.shift()?.connection.close();
    if (this.waiting.length > 0 || this.idle.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

function gone(): AdapterError {
  return new AdapterError('unavailable', 'The directory is not used any more.');
}

/** A connection until it is given back; after that, every use of it is refused. */
class LeasedConnection extends RoutedOperations implements Lease {
  private connection: Connection | undefined;
  private readonly onEnd: (isUsable: boolean) => void;

  constructor(connection: Connection, onEnd: (isUsable: boolean) => void) {
    super();
    this.connection = connection;
    this.onEnd = onEnd;
  }

  get isOpen(): boolean {
    return this.connection?.isOpen === true;
  }

  release(): void {
    this.end(this.connection?.inFlight === 0);
  }

  cut(): void {
    this.end(false);
  }

  protected route<T>(_isRead: boolean, _context: WireContext, ask: (chosen: Operations) => Promise<T>): Promise<T> {
    const { connection } = this;
    if (connection !== undefined) return ask(connection);
    return Promise.reject(new AdapterError('unsupported', 'The connection was given back already.'));
  }

  private end(isUsable: boolean): void {
    if (this.connection === undefined) return;
    this.connection = undefined;
    this.onEnd(isUsable);
  }
}
