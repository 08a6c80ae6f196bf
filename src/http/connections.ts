import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/**
 * Enough for every replica of every identity provider, and for thousands of connections that balancers keep open. An
 * idle one costs some 10 KB, one with TLS some 40 KB.
 */
const usualMost = 10_000;
/** The rest is for backends, databases and files. */
const shareOfDescriptors = 0.8;
const makeRoomEveryMs = 1000;

/** What `Connections` needs of a server. */
interface ClosesIdle {
  closeIdleConnections(): void;
}

/**
 * The connections of a server, bounded. Beyond the bound a newcomer takes the place of the one that has been silent for
 * the longest time: so whoever opens connections and says nothing keeps nobody out.
 */
export class Connections {
  readonly #most: number;
  readonly #server: ClosesIdle;
  readonly #open = new Set<Socket>();
  /** Those without a first request, by age. */
  readonly #fresh = new Set<Socket>();
  #madeRoomAtMs = Number.NEGATIVE_INFINITY;

  constructor(server: ClosesIdle, most: number | undefined) {
    this.#server = server;
    this.#most = most ?? mostConnections();
  }

  get size(): number {
    return this.#open.size;
  }

  add(socket: Socket): void {
    this.#open.add(socket);
    this.#fresh.add(socket);
    socket.once('close', () => this.#remove(socket));
    if (this.#open.size > this.#most) this.#makeRoom(socket);
  }

  /** The handshake is done: what was added as a bare connection is known as its TLS socket from now on. */
  secured(socket: Socket, tls: Socket): void {
    if (!this.#open.has(socket)) return;
    this.#remove(socket);
    this.#open.add(tls);
    this.#fresh.add(tls);
    tls.once('close', () => this.#remove(tls));
  }

  /** A request came: from now on, it is the server that knows when the connection is idle. */
  hasSpoken(socket: Socket): void {
    this.#fresh.delete(socket);
  }

  /** Ends those that have sent nothing at all, for which a server that stops would wait in vain. */
  closeSilent(): void {
    for (const socket of this.#fresh) if (socket.bytesRead === 0) this.#end(socket);
  }

  closeAll(): void {
    for (const socket of this.#open) this.#end(socket);
  }

  #makeRoom(newcomer: Socket): void {
    const [oldest] = this.#fresh;
    if (oldest !== undefined && oldest !== newcomer) {
      this.#end(oldest);
      return;
    }
    // All others have spoken: the idle ones among them may go, their clients open new ones.
    const now = performance.now();
    if (now - this.#madeRoomAtMs < makeRoomEveryMs) {
      this.#end(newcomer);
      return;
    }
    this.#madeRoomAtMs = now;
    this.#server.closeIdleConnections();
    for (const socket of this.#open) if (socket.destroyed) this.#remove(socket);
    if (this.#open.size > this.#most) this.#end(newcomer);
  }

  #end(socket: Socket): void {
    socket.destroy();
    this.#remove(socket);
  }

  #remove(socket: Socket): void {
    this.#open.delete(socket);
    this.#fresh.delete(socket);
  }
}

/** 10,000, or less where the process may open fewer files. */
export function mostConnections(limits: () => string = readLimits): number {
  let files: number;
  try {
    files = Number(/^Max open files +(\d+)/m.exec(limits())?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    // Not Linux.
    return usualMost;
  }
  return Math.min(usualMost, Math.max(Math.floor(files * shareOfDescriptors), 1));
}

function readLimits(): string {
  return readFileSync('/proc/self/limits', 'utf8');
}
