import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import type { Connection } from './connection.js';
import type {
  Attribute,
  AttributeValue,
  Lease,
  Modification,
  Rename,
  RequestControl,
  SearchAnswer,
  SearchRequest,
  WireContext,
  WriteAnswer,
} from './directory.js';

const idleKeptMs = 60_000;
const lookEveryMs = 50;

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
      const { context } = waiter;
      if (!hasEnded(context) && (context.deadlineMs === undefined || now < context.deadlineMs)) continue;
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
class LeasedConnection implements Lease {
  private connection: Connection | undefined;
  private readonly onEnd: (isUsable: boolean) => void;

  constructor(connection: Connection, onEnd: (isUsable: boolean) => void) {
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

  async search(request: SearchRequest, context: WireContext): Promise<SearchAnswer> {
    return this.held.search(request, context);
  }

  async compare(dn: string, attribute: string, value: AttributeValue, context: WireContext): Promise<boolean> {
    return this.held.compare(dn, attribute, value, context);
  }

  async add(
    dn: string,
    attributes: readonly Attribute[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.held.add(dn, attributes, controls, context);
  }

  async modify(
    dn: string,
    modifications: readonly Modification[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.held.modify(dn, modifications, controls, context);
  }

  async modifyDn(
    dn: string,
    rename: Rename,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.held.modifyDn(dn, rename, controls, context);
  }

  async delete(dn: string, controls: readonly RequestControl[], context: WireContext): Promise<WriteAnswer> {
    return this.held.delete(dn, controls, context);
  }

  async passwordModify(dn: string, newPassword: string, context: WireContext): Promise<void> {
    return this.held.passwordModify(dn, newPassword, context);
  }

  async extended(
    oid: string,
    value: Uint8Array | undefined,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<Uint8Array | undefined> {
    return this.held.extended(oid, value, controls, context);
  }

  private get held(): Connection {
    if (this.connection === undefined) throw new AdapterError('unsupported', 'The connection was given back already.');
    return this.connection;
  }

  private end(isUsable: boolean): void {
    if (this.connection === undefined) return;
    this.connection = undefined;
    this.onEnd(isUsable);
  }
}
