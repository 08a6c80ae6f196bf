import { setTimeout } from 'node:timers/promises';
import type { AdapterLog } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import type { TlsSettings } from '../tls-section.js';
import type { BindConfig } from './config.js';
import { Connection } from './connection.js';
import type { Directory, Lease, Operations, SearchAnswer, SearchRequest, WireContext } from './directory.js';
import { Leases } from './leases.js';
import { readServerProfile } from './read-profile.js';
import { RoutedOperations } from './routed-operations.js';
import type { ProfileOverrides, ServerProfile } from './server-kind.js';
import type { ServerAddress } from './tls-options.js';
import { hasResultCode, resultCode } from './wire-errors.js';
import { within } from './within.js';

export interface PoolSettings {
  /** In the order in which they are tried. */
  readonly addresses: readonly ServerAddress[];
  readonly tls: TlsSettings;
  readonly bind: BindConfig;
  /** Shared connections. */
  readonly connections: number;
  /** Operations on one connection at the same time: more take another one, or wait. */
  readonly pipeline: number;
  /** Connections beside those, each for one user alone. */
  readonly leases: number;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly idleProbeMs: number;
  readonly overrides?: ProfileOverrides;
  /** How often a server that comes before the one in use is tried. Default 30,000 ms. */
  readonly returnEveryMs?: number;
  readonly log: AdapterLog;
}

const waits = {
  /** After a failure to connect, nobody tries again for so long; doubled with each failure. */
  unavailableMs: { first: 100, most: 2_000 },
  /** Accounts get locked by wrong passwords. */
  deniedMs: { first: 2_000, most: 60_000 },
  returnEveryMs: 30_000,
  profileKeptMs: 300_000,
  /** How long a connection that was silent may take to answer before a new one is made. */
  probeMs: 300,
  growAgainMs: 5_000,
} as const;

/** A server, its connections, and what it is. */
interface Server {
  readonly address: ServerAddress;
  readonly connections: Set<Connection>;
  profile: ServerProfile | undefined;
  profiledAtMs: number;
}

/**
 * Shared connections to the server in use. An operation gets one that is open; when none is, all wait for the one attempt
 * to connect that is under way. A server that fails is left for the next, and taken up again once it answers.
 */
export class DirectoryPool extends RoutedOperations implements Directory {
  readonly isConfidential: boolean;
  private readonly settings: PoolSettings;
  private readonly servers: readonly Server[];
  private readonly leases: Leases;
  private readonly closing = new AbortController();
  private current = 0;
  private connecting: Promise<Connection> | undefined;
  private refusal: { readonly error: AdapterError; readonly untilMs: number; readonly waitMs: number } | undefined;
  private growing = false;
  private growAgainAtMs = 0;
  private returnTimer: NodeJS.Timeout | undefined;

  constructor(settings: PoolSettings) {
    super();
    this.settings = settings;
    this.servers = settings.addresses.map((address) => {
      return { address, connections: new Set<Connection>(), profile: undefined, profiledAtMs: 0 };
    });
    this.isConfidential = settings.addresses.every((address) => address.isConfidential);
    this.leases = new Leases(settings.leases, (context) => this.openForLease(context));
  }

  get server(): ServerProfile | undefined {
    return this.serverInUse.profile;
  }

  async connect(context: WireContext): Promise<ServerProfile> {
    if (this.server === undefined || this.idlest() === undefined) await this.acquire(context);
    return this.server ?? Promise.reject(new AdapterError('unavailable', 'The directory cannot be reached.'));
  }

  async check(context: WireContext): Promise<void> {
    const connection = await this.acquire(context);
    if (!(await within(connection.probe(), context))) {
      throw new AdapterError('unavailable', 'The directory does not answer.');
    }
  }

  override search(request: SearchRequest, context: WireContext): Promise<SearchAnswer> {
    if (request.page?.cookie === undefined) return super.search(request, context);
    const message = 'A further page is only there on the connection of the first.';
    return Promise.reject(new AdapterError('unsupported', message));
  }

  lease(context: WireContext): Promise<Lease> {
    return this.leases.take(context);
  }

  async *searchPages(
    request: Omit<SearchRequest, 'page'>,
    pageSize: number,
    context: WireContext,
  ): AsyncGenerator<SearchAnswer, void, undefined> {
    const lease = await this.lease(context);
    let isAsking = false;
    try {
      let cookie: Uint8Array | undefined;
      do {
        const page = cookie === undefined ? { size: pageSize } : { size: pageSize, cookie };
        isAsking = true;
        const answer = await lease.search({ ...request, page }, context);
        isAsking = false;
        yield answer;
        ({ cookie } = answer);
      } while (cookie !== undefined);
    } finally {
      // A search that was given up may still run there, and its cookie may be half used.
      if (isAsking) lease.cut();
      else lease.release();
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.returnTimer);
    this.leases.close();
    for (const { connections } of this.servers) for (const connection of [...connections]) connection.close();
    await this.connecting?.catch(() => undefined);
  }

  private get serverInUse(): Server {
    return this.servers[this.current] as Server;
  }

  /** A read that a connection took with it when it dropped is asked once more on another one; a write never is. */
  protected async route<T>(isRead: boolean, context: WireContext, ask: (chosen: Operations) => Promise<T>): Promise<T> {
    const connection = this.idlest() ?? (await this.acquire(context));
    if (!isRead) return ask(connection);
    try {
      return await ask(connection);
    } catch (error) {
      if (!isWorthAnotherTry(error) || hasEnded(context) || this.closing.signal.aborted) throw error;
      return ask(await this.acquire(context));
    }
  }

  /** The open connection with the least to do, unless it has been silent for long; another is made when all are busy. */
  private idlest(): Connection | undefined {
    const { connections } = this.serverInUse;
    let best: Connection | undefined;
    for (const connection of connections) {
      if (!connection.isOpen || connection.isSuspect) continue;
      if (best === undefined || connection.inFlight < best.inFlight) best = connection;
    }
    if (best === undefined || (best.inFlight === 0 && best.silentForMs > this.settings.idleProbeMs)) return undefined;
    if (best.inFlight >= this.settings.pipeline && connections.size < this.settings.connections) this.grow();
    return best;
  }

  /** A connection that is known to work. Ends with the context at the latest. */
  private async acquire(context: WireContext): Promise<Connection> {
    if (hasEnded(context)) {
      throw new AdapterError('timeout', 'The request ended before the directory was asked.', { applied: 'no' });
    }
    const open = this.idlest();
    if (open !== undefined) return open;
    return within(this.awaken(), context);
  }

  /** One that was silent for long, when it answers quickly, else a new one. */
  private async awaken(): Promise<Connection> {
    const silent = [...this.serverInUse.connections].filter(({ isOpen }) => isOpen);
    if (silent.length === 0) return this.connectShared();
    const answers = silent.map(async (connection) => {
      if (await connection.probe()) return connection;
      throw new AdapterError('unavailable', 'The directory does not answer.');
    });
    let isAwake = false;
    const anew = setTimeout(waits.probeMs, undefined, { ref: false }).then(() => {
      if (isAwake) throw closed();
      return this.connectShared();
    });
    try {
      return await Promise.any([...answers, anew]);
    } catch {
      return await this.connectShared();
    } finally {
      isAwake = true;
    }
  }

  /** One more connection to the server in use, for those that come later. */
  private grow(): void {
    if (this.growing || performance.now() < this.growAgainAtMs || this.closing.signal.aborted) return;
    this.growing = true;
    this.openOn(this.serverInUse)
      .catch(() => {
        this.growAgainAtMs = performance.now() + waits.growAgainMs;
      })
      .finally(() => {
        this.growing = false;
      });
  }

  private connectShared(): Promise<Connection> {
    this.connecting ??= this.connectAny().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  /** Tries the server in use first, then the others in their order. */
  private async connectAny(): Promise<Connection> {
    if (this.closing.signal.aborted) throw closed();
    const now = performance.now();
    if (this.refusal !== undefined && now < this.refusal.untilMs) throw stillRefused(this.refusal, now);
    const order = [this.current, ...this.servers.keys()].filter((at, index, all) => all.indexOf(at) === index);
    let failure: unknown;
    for (const at of order) {
      try {
        const connection = await this.openOn(this.servers[at] as Server);
        if (this.refusal !== undefined) this.settings.log.info({ server: at + 1 }, 'The directory answers again.');
        this.refusal = undefined;
        this.use(at);
        return connection;
      } catch (error) {
        failure = error;
        // The others would refuse the account as well, and count it.
        if (error instanceof AdapterError && error.kind === 'denied') break;
      }
    }
    throw this.refuse(failure);
  }

  private async openOn(server: Server): Promise<Connection> {
    const connection = await this.openRaw(server);
    server.connections.add(connection);
    connection.onEnd(() => server.connections.delete(connection));
    return connection;
  }

  /** Connects and binds, and learns what the server is when that isn't known or may have changed. */
  private async openRaw(server: Server): Promise<Connection> {
    const { tls, bind, connectTimeoutMs, timeoutMs, pipeline, overrides } = this.settings;
    const { address } = server;
    const signal = this.closing.signal;
    const connection = await Connection.open({ address, tls, bind, connectTimeoutMs, timeoutMs, pipeline }, signal);
    try {
      const now = performance.now();
      if (server.profile === undefined || now - server.profiledAtMs > waits.profileKeptMs) {
        server.profile = await readServerProfile(connection, { signal, deadlineMs: now + timeoutMs }, overrides);
        server.profiledAtMs = now;
        const { kind, product } = server.profile;
        const { encryption } = address;
        this.settings.log.info(
          { server: this.servers.indexOf(server) + 1, kind, product, encryption },
          'The directory answers.',
        );
      }
      connection.useServer(server.profile);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private async openForLease(context: WireContext): Promise<Connection> {
    await this.connect(context);
    return within(this.openRaw(this.serverInUse), context, (late) => late.close());
  }

  /** Remembers that nobody is let in, so that not every operation knocks. */
  private refuse(failure: unknown): AdapterError {
    const error =
      failure instanceof AdapterError
        ? failure
        : new AdapterError('unavailable', 'The directory cannot be reached.', { cause: failure });
    if (this.closing.signal.aborted) return closed();
    const { first, most } = error.kind === 'denied' ? waits.deniedMs : waits.unavailableMs;
    const waitMs = Math.min(most, this.refusal === undefined ? first : Math.max(first, this.refusal.waitMs * 2));
    this.refusal = { error, waitMs, untilMs: performance.now() + waitMs * (0.75 + Math.random() / 2) };
    this.settings.log.warn({ kind: error.kind, err: logged(error.cause), retryAfterMs: waitMs }, error.message);
    return stillRefused(this.refusal, performance.now());
  }

  /** From now on operations go to this server; those under way elsewhere end there. */
  private use(at: number): void {
    const left = this.current;
    if (at !== left) {
      this.current = at;
      this.settings.log.warn(
        { server: at + 1, before: left + 1 },
        'Another server of the directory is used from now on.',
      );
      this.leases.dropIdle();
      for (const connection of [...(this.servers[left] as Server).connections]) retire(connection);
    }
    if (this.current > 0) this.watchForReturn();
  }

  private watchForReturn(): void {
    if (this.returnTimer !== undefined || this.closing.signal.aborted) return;
    this.returnTimer = globalThis.setTimeout(() => {
      this.returnTimer = undefined;
      void this.tryReturn();
    }, this.settings.returnEveryMs ?? waits.returnEveryMs);
    this.returnTimer.unref();
  }

  private async tryReturn(): Promise<void> {
    for (let at = 0; at < this.current; at++) {
      try {
        await this.openOn(this.servers[at] as Server);
        this.use(at);
        return;
      } catch {
        // Still down: the next one, or later.
      }
    }
    if (this.current > 0) this.watchForReturn();
  }
}

/** Closed once what is under way on it has ended. */
function retire(connection: Connection): void {
  if (connection.inFlight === 0) {
    connection.close();
    return;
  }
  const timer = setInterval(() => {
    if (connection.inFlight > 0 && connection.isOpen) return;
    clearInterval(timer);
    connection.close();
  }, 200);
  timer.unref();
}

function isWorthAnotherTry(error: unknown): boolean {
  if (hasResultCode(error, resultCode.busy, resultCode.unavailable)) return true;
  return error instanceof AdapterError && error.kind === 'unavailable' && error.applied === 'no';
}

function stillRefused(refusal: { readonly error: AdapterError; readonly untilMs: number }, now: number): AdapterError {
  const { error, untilMs } = refusal;
  const retryAfterSeconds = Math.max(1, Math.ceil((untilMs - now) / 1000));
  return new AdapterError(error.kind, error.message, { retryAfterSeconds, applied: 'no', cause: error.cause ?? error });
}

function closed(): AdapterError {
  return new AdapterError('unavailable', 'The directory is not used any more.');
}

/** What may be logged of what was underneath: codes, and no text of a server. */
function logged(cause: unknown): object | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined;
  const { name, code } = cause as { readonly name?: unknown; readonly code?: unknown };
  return { name, code };
}
