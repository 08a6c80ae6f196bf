import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What goes wrong with one request: bytes from the client that hold the text. */
export interface TcpFault {
  /** The fault waits for this text in what the client sends; the text must not be encrypted. */
  readonly when: string;
  /**
   * `loseRequest`: the server never sees it. `loseAnswer`: the server carries it out, and no byte of the answer arrives.
   * `cutInAnswer`: so many bytes of the answer arrive.
   */
  readonly kind: 'loseRequest' | 'loseAnswer' | 'cutInAnswer';
  readonly bytes?: number;
  /** The connection is reset, or stays open and nothing passes any more. */
  readonly by: 'cut' | 'silence';
}

export interface InjectedTcpFault {
  readonly hits: number;
  /** Resolves when it happens for the first time. */
  readonly happened: Promise<void>;
}

/** Stands in front of a server, passes bytes on, and makes things go wrong. */
export interface TcpFaultProxy {
  readonly port: number;
  /** Connections that are open now. */
  readonly openConnections: number;
  /** Connections that were ever made. */
  readonly madeConnections: number;
  /** @param times how often it happens; default once */
  inject(fault: TcpFault, times?: number): InjectedTcpFault;
  /** Forgets all faults that have not happened yet, and lets new connections through. */
  heal(): void;
  /** Resets every open connection. */
  cutAll(): void;
  /** Nothing passes any more on the connections that are open now, and on new ones neither until `heal`. */
  blackHole(): void;
  /** Connections are refused and the open ones reset, until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
}

interface Pending {
  readonly fault: TcpFault;
  remaining: number;
  hits: number;
  readonly happened: Promise<void>;
  readonly resolve: () => void;
}

/** @param onRequest sees everything that clients send */
export async function startTcpFaultProxy(
  target: { readonly host: string; readonly port: number },
  onRequest?: (bytes: Buffer) => void,
): Promise<TcpFaultProxy> {
  const pending: Pending[] = [];
  const open = new Set<ProxiedSocket>();
  let made = 0;
  let isSilent = false;
  let port = 0;
  const take = (bytes: Buffer): TcpFault | undefined => {
    onRequest?.(bytes);
    const found = pending.find(({ fault, remaining }) => remaining > 0 && bytes.includes(fault.when));
    if (found === undefined) return undefined;
    found.remaining--;
    found.hits++;
    found.resolve();
    return found.fault;
  };
  const listener = createServer((client) => {
    made++;
    const socket = new ProxiedSocket(client, target, take);
    if (isSilent) socket.silence();
    open.add(socket);
    client.once('close', () => open.delete(socket));
  });
  const accept = async (): Promise<void> => {
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    port = (listener.address() as AddressInfo).port;
  };
  const cutAll = (): void => {
    for (const socket of [...open]) socket.cut();
  };
  const refuse = async (): Promise<void> => {
    const closed = listener.listening ? once(listener, 'close') : undefined;
    if (closed !== undefined) listener.close();
    cutAll();
    await closed;
  };
  await accept();
  return {
    port,
    get openConnections() {
      return open.size;
    },
    get madeConnections() {
      return made;
    },
    inject: (fault, times = 1) => {
      let resolve = (): void => undefined;
      const happened = new Promise<void>((done) => {
        resolve = done;
      });
      const added: Pending = { fault, remaining: times, hits: 0, happened, resolve };
      pending.push(added);
      return {
        happened,
        get hits() {
          return added.hits;
        },
      };
    },
    heal: () => {
      pending.length = 0;
      isSilent = false;
    },
    cutAll,
    blackHole: () => {
      isSilent = true;
      for (const socket of open) socket.silence();
    },
    refuse,
    accept,
    close: refuse,
  };
}

/** Passes bytes between one client and the server, as the faults let it. */
class ProxiedSocket {
  private readonly upstream: Socket;
  private isSilent = false;
  /** Bytes of answers that may still pass. */
  private allowance: { bytes: number; readonly by: TcpFault['by'] } | undefined;

  constructor(
    private readonly client: Socket,
    target: { readonly host: string; readonly port: number },
    private readonly take: (bytes: Buffer) => TcpFault | undefined,
  ) {
    this.upstream = connect(target.port, target.host);
    for (const socket of [client, this.upstream]) {
      socket.setNoDelay();
      socket.on('error', () => this.cut());
    }
    client.on('data', (bytes) => this.onRequest(bytes));
    client.once('close', () => this.upstream.destroy());
    this.upstream.on('data', (bytes) => this.onAnswer(bytes));
    this.upstream.once('close', () => {
      if (!this.isSilent) client.end();
    });
  }

  cut(): void {
    if (!this.client.destroyed) this.client.resetAndDestroy();
    this.upstream.destroy();
  }

  silence(): void {
    this.isSilent = true;
  }

  private lose(by: TcpFault['by']): void {
    if (by === 'cut') this.cut();
    else this.silence();
  }

  private onRequest(bytes: Buffer): void {
    if (this.isSilent) return;
    const fault = this.take(bytes);
    if (fault?.kind === 'loseRequest') {
      this.lose(fault.by);
      return;
    }
    if (fault !== undefined)
      this.allowance = { bytes: fault.kind === 'loseAnswer' ? 0 : (fault.bytes ?? 1), by: fault.by };
    if (this.upstream.writable) this.upstream.write(bytes);
  }

  private onAnswer(bytes: Buffer): void {
    if (this.isSilent || !this.client.writable) return;
    const { allowance } = this;
    if (allowance === undefined) {
      this.client.write(bytes);
      return;
    }
    const passed = bytes.subarray(0, allowance.bytes);
    allowance.bytes -= passed.length;
    if (passed.length > 0) this.client.write(passed);
    if (bytes.length > passed.length) setImmediate(() => this.lose(allowance.by));
  }
}
