import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { testCertificates } from './certificates.js';
import {
  createAnswer,
  createMessageReader,
  endsOperation,
  isAnonymousBind,
  type LdapMessage,
  type Operation,
  operationOf,
  resultCodeOf,
} from './ldap-message.js';
import type { LdapServer } from './ldap-server.js';

/** What goes wrong. `of` names the operations that it happens to; without it, any but unbind and abandon. */
export type Fault =
  /** A new connection is accepted and nothing is ever said on it. */
  | { readonly kind: 'silentConnect' }
  /** A new connection is reset as soon as the client says something: in the TLS handshake, for ldaps. */
  | { readonly kind: 'cutHandshake' }
  /** The server never sees the request. */
  | { readonly kind: 'loseRequest'; readonly of?: readonly Operation[]; readonly by: 'cut' | 'silence' }
  /** The server has carried out the request; its answer does not arrive. */
  | { readonly kind: 'loseAnswer'; readonly of?: readonly Operation[]; readonly by: 'cut' | 'silence' }
  /** The connection is reset after so many bytes of the answer, or of its first entry. */
  | { readonly kind: 'cutInAnswer'; readonly of?: readonly Operation[]; readonly bytes: number }
  | { readonly kind: 'delayAnswer'; readonly of?: readonly Operation[]; readonly ms: number }
  /** The server never sees the request, and the answer has this result code (51 busy, 52 unavailable …). */
  | { readonly kind: 'answer'; readonly of?: readonly Operation[]; readonly resultCode: number };

export interface InjectedFault {
  /** How often it has happened. */
  readonly hits: number;
  /** Resolves when it happens for the first time. */
  readonly happened: Promise<void>;
}

/** One operation as it came from the client. */
export interface SeenOperation {
  readonly connection: number;
  readonly operation: Operation;
  /** The client's side of the connection was encrypted. */
  readonly isSecure: boolean;
  /** A bind with name and password had succeeded on this connection. */
  readonly isBound: boolean;
  readonly isAnonymousBind: boolean;
}

/** Stands in front of a directory server, reads along, and makes things go wrong. */
export interface FaultProxy {
  readonly urls: { readonly ldap: string; readonly ldaps: string };
  /** Everything that clients sent, in order. */
  readonly seen: readonly SeenOperation[];
  /** Connections that are open now. */
  readonly openConnections: number;
  /** @param times how often it happens; default once */
  inject(fault: Fault, times?: number): InjectedFault;
  /** Forgets all faults that have not happened yet. */
  heal(): void;
  /** Resets every open connection. */
  cutAll(): void;
  /** Nothing passes any more on the connections that are open now, and they stay open. */
  silenceAll(): void;
  /** Connections are refused and the open ones reset, until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** Operations sent in clear text or before a successful bind, anonymous binds: what must never be. */
  violations(): readonly string[];
  close(): Promise<void>;
}

interface PendingFault {
  readonly fault: Fault;
  remaining: number;
  hits: number;
  readonly happened: PromiseWithResolvers;
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  resolve(): void;
}

/** What the connections of one proxy share. */
interface Shared {
  readonly server: LdapServer;
  readonly certificates: { readonly cert: Buffer; readonly key: Buffer };
  readonly seen: SeenOperation[];
  take(operation: Operation | undefined, kinds: readonly Fault['kind'][]): Fault | undefined;
}

/** @param server the real one, which is reached by ldaps whatever the client speaks */
export async function startFaultProxy(server: LdapServer): Promise<FaultProxy> {
  const { certificateFile, keyFile } = await testCertificates();
  const pending: PendingFault[] = [];
  const seen: SeenOperation[] = [];
  const open = new Set<ProxiedConnection>();
  const shared: Shared = {
    server,
    certificates: { cert: readFileSync(certificateFile), key: readFileSync(keyFile) },
    seen,
    take: (operation, kinds) => takeFault(pending, operation, kinds),
  };
  let counted = 0;
  const listeners = [false, true].map((isTls) => {
    return createServer((socket) => {
      const connection = new ProxiedConnection(socket, counted++, shared);
      connection.start(isTls);
      open.add(connection);
      socket.once('close', () => open.delete(connection));
    });
  });
  const ports: number[] = [];
  const accept = async (): Promise<void> => {
    for (const [index, listener] of listeners.entries()) ports[index] = await listen(listener, ports[index] ?? 0);
  };
  const cutAll = (): void => {
    for (const connection of [...open]) connection.cut();
  };
  const refuse = async (): Promise<void> => {
    const closed = listeners.filter(({ listening }) => listening).map((listener) => once(listener, 'close'));
    for (const listener of listeners) listener.close();
    cutAll();
    await Promise.all(closed);
  };
  await accept();
  return {
    urls: { ldap: `ldap://127.0.0.1:${ports[0]}`, ldaps: `ldaps://127.0.0.1:${ports[1]}` },
    seen,
    get openConnections() {
      return open.size;
    },
    inject: (fault, times = 1) => {
      const added: PendingFault = { fault, remaining: times, hits: 0, happened: withResolver() };
      pending.push(added);
      return {
        happened: added.happened.promise,
        get hits() {
          return added.hits;
        },
      };
    },
    heal: () => {
      pending.length = 0;
    },
    cutAll,
    silenceAll: () => {
      for (const connection of open) connection.silence();
    },
    refuse,
    accept,
    violations: () => seen.flatMap(violationOf),
    close: refuse,
  };
}

function takeFault(
  pending: PendingFault[],
  operation: Operation | undefined,
  kinds: readonly Fault['kind'][],
): Fault | undefined {
  const found = pending.find(({ fault, remaining }) => {
    if (remaining === 0 || !kinds.includes(fault.kind)) return false;
    if (operation === undefined || !('of' in fault) || fault.of === undefined) return true;
    return fault.of.includes(operation);
  });
  if (found === undefined) return undefined;
  found.remaining--;
  found.hits++;
  found.happened.resolve();
  return found.fault;
}

function violationOf({ connection, operation, isSecure, isBound, isAnonymousBind }: SeenOperation): readonly string[] {
  if (operation === 'unbind' || operation === 'abandon' || operation === 'startTls') return [];
  const where = `${operation} on connection ${connection}`;
  if (!isSecure) return [`${where}: in clear text`];
  if (operation === 'bind') return isAnonymousBind ? [`${where}: anonymous`] : [];
  return isBound ? [] : [`${where}: before a successful bind`];
}

async function listen(listener: Server, port: number): Promise<number> {
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

function withResolver(): PromiseWithResolvers {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Passes messages between one client and the server, as the faults let it. */
class ProxiedConnection {
  private readonly upstream: TLSSocket;
  private client: Socket;
  private isSilent = false;
  private isBound = false;
  /** Answers that wait for a delayed one. */
  private held: Buffer[] | undefined;
  private readonly inFlight = new Map<number, Pick<SeenOperation, 'operation' | 'isAnonymousBind'>>();

  constructor(
    private readonly raw: Socket,
    private readonly number: number,
    private readonly shared: Shared,
  ) {
    const { host, ports, caFile } = shared.server;
    this.client = raw;
    this.upstream = connectTls({ host, port: ports.ldaps, ca: readFileSync(caFile) });
  }

  start(isTls: boolean): void {
    const { raw, upstream, shared } = this;
    raw.setNoDelay();
    upstream.setNoDelay();
    raw.on('error', () => {});
    raw.once('close', () => upstream.destroy());
    upstream.on('error', () => this.cut());
    upstream.once('close', () => {
      if (!this.isSilent) raw.end();
    });
    const read = createMessageReader();
    upstream.on('data', (chunk: Buffer) => {
      for (const message of read(chunk)) this.onAnswer(message);
    });
    if (shared.take(undefined, ['silentConnect']) !== undefined) {
      this.silence();
      raw.resume();
    } else if (shared.take(undefined, ['cutHandshake']) !== undefined) {
      raw.once('data', () => this.cut());
    } else if (isTls) {
      this.secure();
    } else {
      this.listenTo(raw);
    }
  }

  cut(): void {
    if (!this.raw.destroyed) this.raw.resetAndDestroy();
    this.upstream.destroy();
  }

  silence(): void {
    this.isSilent = true;
  }

  private lose(by: 'cut' | 'silence'): void {
    if (by === 'cut') this.cut();
    else this.silence();
  }

  private secure(): void {
    const secureContext = createSecureContext(this.shared.certificates);
    this.listenTo(new TLSSocket(this.raw, { isServer: true, secureContext }));
  }

  private listenTo(socket: Socket): void {
    this.client = socket;
    const read = createMessageReader();
    socket.on('data', (chunk: Buffer) => {
      for (const message of read(chunk)) this.onRequest(message);
    });
    socket.on('error', () => {});
    socket.on('close', () => this.upstream.destroy());
  }

  private onRequest(message: LdapMessage): void {
    if (this.isSilent) return;
    const operation = operationOf(message);
    const anonymous = operation === 'bind' && isAnonymousBind(message);
    this.shared.seen.push({
      connection: this.number,
      operation,
      isSecure: this.client instanceof TLSSocket,
      isBound: this.isBound,
      isAnonymousBind: anonymous,
    });
    if (operation === 'unbind' || operation === 'abandon') {
      this.toServer(message.bytes);
      return;
    }
    const fault = this.shared.take(operation, ['loseRequest', 'answer']);
    if (fault?.kind === 'loseRequest') this.lose(fault.by);
    else if (fault?.kind === 'answer') this.toClient(createAnswer(message.id, operation, fault.resultCode));
    else if (operation === 'startTls') this.startTls(message);
    else {
      this.inFlight.set(message.id, { operation, isAnonymousBind: anonymous });
      this.toServer(message.bytes);
    }
  }

  /** Answered here: the way to the server is encrypted from the start. */
  private startTls(message: LdapMessage): void {
    this.raw.removeAllListeners('data');
    this.pass('startTls', createAnswer(message.id, 'startTls', 0));
    this.secure();
  }

  private onAnswer(message: LdapMessage): void {
    const request = this.inFlight.get(message.id);
    if (request === undefined) {
      this.toClient(message.bytes);
      return;
    }
    if (endsOperation(message)) {
      this.inFlight.delete(message.id);
      if (request.operation === 'bind') this.isBound = resultCodeOf(message) === 0 && !request.isAnonymousBind;
    }
    this.pass(request.operation, message.bytes);
  }

  private pass(operation: Operation, answer: Buffer): void {
    const fault = this.shared.take(operation, ['loseAnswer', 'cutInAnswer', 'delayAnswer']);
    if (fault?.kind === 'loseAnswer') this.lose(fault.by);
    else if (fault?.kind === 'delayAnswer') this.delay(answer, fault.ms);
    else if (fault?.kind === 'cutInAnswer') {
      this.silence();
      this.client.write(answer.subarray(0, fault.bytes), () => setImmediate(() => this.cut()));
    } else this.toClient(answer);
  }

  /** What comes later waits as well: the order stays. */
  private delay(answer: Buffer, ms: number): void {
    if (this.held !== undefined) {
      this.held.push(answer);
      return;
    }
    const held = [answer];
    this.held = held;
    setTimeout(() => {
      this.held = undefined;
      this.toClient(Buffer.concat(held));
    }, ms);
  }

  private toClient(bytes: Buffer): void {
    if (this.held !== undefined) this.held.push(bytes);
    else if (!this.isSilent && this.client.writable) this.client.write(bytes);
  }

  private toServer(bytes: Buffer): void {
    if (this.upstream.writable) this.upstream.write(bytes);
  }
}
