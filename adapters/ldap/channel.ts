import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import type { TlsSettings } from '../tls-section.js';
import { BerError, BerReader, berTag, MessageSplitter } from './ber.js';
import { type Encode, encodeAbandon, encodeUnbind } from './codec.js';
import type { Entry, ResponseControl, WireContext } from './directory.js';
import { EntryReader, readControls } from './entry.js';
import type { DirectorySchema } from './schema.js';
import { type ServerAddress, tlsOptionsFor } from './tls-options.js';
import type { LdapOperation } from './wire-errors.js';
import { lookEveryMs } from './within.js';

/** The end of an operation (RFC 4511 section 4.1.9), whatever its kind and code, with what came before. */
export interface Reply {
  readonly code: number;
  readonly matchedDn: string;
  readonly diagnostic: string;
  readonly referrals: readonly string[];
  /** Of an extended operation. */
  readonly value: Uint8Array | undefined;
  readonly controls: readonly ResponseControl[];
  readonly entries: readonly Entry[];
  /** Search references, which are not followed. */
  readonly references: number;
}

interface Request {
  readonly operation: LdapOperation;
  readonly encode: Encode;
  readonly context: WireContext | undefined;
  readonly deadlineMs: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

interface Pending extends Request {
  readonly sentAtMs: number;
  readonly entries: Entry[];
  references: number;
}

/** What servers bear on one connection. */
export interface ChannelLimits {
  /** Requests under way at the same time; more wait. OpenLDAP ends a connection with more than 1,000. */
  readonly requests: number;
  /** The size of one request. Servers end the connection of a larger one. */
  readonly requestBytes: number;
}

const responseTag = { entry: 0x64, reference: 0x73, extended: 0x78, intermediate: 0x79 } as const;
const partTag = { referral: 0xa3, extendedValue: 0x8b } as const;
const maxMessageBytes = 256 * 1024 * 1024;
const maxMessageId = 2 ** 31 - 1;
const keepAliveMs = 30_000;

/**
 * One socket to a server, its requests under way and their answers. It knows nothing of who may send what. It ends once,
 * by whatever comes first, and every request on it with it; an answer that doesn't come ends that request alone.
 */
export class Channel {
  private readonly address: ServerAddress;
  private readonly tls: TlsSettings;
  private readonly pending = new Map<number, Pending>();
  private readonly waiting: Request[] = [];
  private readonly splitter = new MessageSplitter(maxMessageBytes);
  private readonly endListeners: (() => void)[] = [];
  private readonly onSilence: () => void;
  /** More than one once a plain one has been encrypted. */
  private readonly sockets: Socket[] = [];
  private socket: Socket;
  private messageId = 0;
  private reason: Error | undefined;
  private entryReader = new EntryReader(undefined);
  private watch: NodeJS.Timeout | undefined;
  private isCorked = false;
  private heardAtMs = performance.now();
  private limits: ChannelLimits;

  /** @param onSilence a request's time ran out, and nothing at all has come since it was sent */
  constructor(address: ServerAddress, tls: TlsSettings, limits: ChannelLimits, onSilence: () => void) {
    this.address = address;
    this.tls = tls;
    this.limits = limits;
    this.onSilence = onSilence;
    const { host, port, encryption } = address;
    this.socket =
      encryption === 'tls'
        ? connectTls({ ...tlsOptionsFor(host, tls), port })
        : connectSocket({ host, port, noDelay: true });
    this.attach(this.socket);
  }

  /** Why it ended; undefined while it hasn't. */
  get endedBy(): Error | undefined {
    return this.reason;
  }

  /** Requests under way, and those that wait. */
  get inFlight(): number {
    return this.pending.size + this.waiting.length;
  }

  get silentForMs(): number {
    return performance.now() - this.heardAtMs;
  }

  /** Called once, when it ends; at once when it has already. */
  onEnd(listener: () => void): void {
    if (this.reason !== undefined) listener();
    else this.endListeners.push(listener);
  }

  /** What the server is has become known. */
  useServer(schema: DirectorySchema, requestBytes: number): void {
    this.entryReader = new EntryReader(schema);
    this.limits = { ...this.limits, requestBytes };
  }

  readEntry(controlValue: Uint8Array): Entry {
    return this.entryReader.readControlValue(controlValue);
  }

  /** Resolves when the socket is connected, and encrypted where that comes first. */
  async connected(): Promise<void> {
    await this.happened(this.address.encryption === 'tls' ? 'secureConnect' : 'connect');
    this.socket.setKeepAlive(true, keepAliveMs);
  }

  /** Encrypts what was plain so far. What came in clear text beyond the agreement to do so is not believed. */
  async encrypt(): Promise<void> {
    const plain = this.socket;
    plain.removeAllListeners('data');
    if (!this.splitter.isEmpty) throw new BerError('something in clear text after encryption was agreed on');
    this.socket = connectTls({ ...tlsOptionsFor(this.address.host, this.tls), socket: plain });
    this.attach(this.socket);
    await this.happened('secureConnect');
  }

  /** @param context whose caller may leave before the answer comes */
  send(operation: LdapOperation, encode: Encode, deadlineMs: number, context?: WireContext): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.reason !== undefined) {
        reject(this.reason);
        return;
      }
      this.watch ??= setInterval(() => this.look(), lookEveryMs).unref();
      const request = { operation, encode, context, deadlineMs, resolve, reject };
      if (this.pending.size < this.limits.requests) this.begin(request);
      else this.waiting.push(request);
    });
  }

  /** Says goodbye, and ends. */
  unbind(): void {
    if (this.reason === undefined) this.socket.write(encodeUnbind(this.nextMessageId()));
    this.end(new AdapterError('unavailable', 'The connection to the directory was closed.'));
  }

  end(error: Error): void {
    if (this.reason !== undefined) return;
    this.reason = error;
    clearInterval(this.watch);
    // What was written (a goodbye) may leave; a server that doesn't take it is not waited for.
    this.socket.destroySoon();
    setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, lookEveryMs).unref();
    const all = [...this.pending.values()];
    this.pending.clear();
    for (const { operation, reject } of all) reject(dropped(operation, error));
    for (const { reject } of this.waiting.splice(0)) reject(error);
    for (const listener of this.endListeners.splice(0)) listener();
  }

  private begin(request: Request): void {
    const messageId = this.nextMessageId();
    try {
      const bytes = request.encode(messageId);
      if (bytes.length > this.limits.requestBytes) throw tooLarge(this.limits.requestBytes);
      this.pending.set(messageId, { ...request, sentAtMs: performance.now(), entries: [], references: 0 });
      this.put(bytes);
    } catch (error) {
      request.reject(error instanceof Error ? error : lost(error));
    }
  }

  /** A place has become free. */
  private beginNext(): void {
    while (this.waiting.length > 0 && this.pending.size < this.limits.requests) {
      const next = this.waiting.shift();
      if (next !== undefined) this.begin(next);
    }
  }

  private happened(event: 'connect' | 'secureConnect'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once(event, () => resolve());
      this.onEnd(() => reject(this.reason));
    });
  }

  private attach(socket: Socket): void {
    this.sockets.push(socket);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.end(lost(error)));
    // A server that says it is done with us answers nothing more: waiting for our own end would be for nothing.
    socket.on('end', () => this.end(lost(undefined)));
    socket.on('close', () => this.end(lost(undefined)));
  }

  /** What is sent within one turn of the event loop goes out together. */
  private put(bytes: Buffer): void {
    const { socket } = this;
    if (!this.isCorked) {
      this.isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.isCorked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
  }

  private nextMessageId(): number {
    do {
      this.messageId = this.messageId >= maxMessageId ? 1 : this.messageId + 1;
    } while (this.pending.has(this.messageId));
    return this.messageId;
  }

  private receive(chunk: Buffer): void {
    this.heardAtMs = performance.now();
    if (this.reason !== undefined) return;
    try {
      this.splitter.push(chunk, (message) => this.handle(message));
    } catch (error) {
      const what = error instanceof BerError ? error.message : 'nonsense';
      this.end(new AdapterError('unavailable', `The directory sent ${what}.`, { cause: error }));
    }
  }

  private handle(bytes: Buffer): void {
    const message = new BerReader(bytes).enter(berTag.sequence);
    const messageId = message.integer();
    const kind = message.peek();
    const content = message.enter();
    const pending = this.pending.get(messageId);
    if (messageId === 0) {
      // The notice of disconnection (RFC 4511 section 4.4.1).
      this.end(lost(undefined));
    } else if (pending === undefined || kind === responseTag.intermediate) {
      // An answer that nobody waits for any more, or news on the way, which only controls ask for that are not used.
    } else if (kind === responseTag.entry) {
      pending.entries.push(this.entryReader.read(content, readControls(message)));
    } else if (kind === responseTag.reference) {
      pending.references++;
    } else {
      const reply = readReply(kind, content, message, pending);
      this.pending.delete(messageId);
      pending.resolve(reply);
      if (this.waiting.length > 0) this.beginNext();
    }
  }

  /** One timer for all requests under way: those whose time is over, or whose caller has left, end here. */
  private look(): void {
    const now = performance.now();
    for (const [messageId, request] of this.pending) {
      if (!isDone(request, now)) continue;
      const { operation, sentAtMs, deadlineMs, reject } = request;
      this.pending.delete(messageId);
      const isRead = operation === 'search' || operation === 'compare';
      if (isRead) this.put(encodeAbandon(this.nextMessageId(), messageId));
      reject(tooLate(operation, isRead ? 'no' : 'unknown'));
      if (now >= deadlineMs && this.heardAtMs < sentAtMs) this.onSilence();
    }
    for (const request of this.waiting.filter((one) => isDone(one, now))) {
      this.waiting.splice(this.waiting.indexOf(request), 1);
      request.reject(tooLate(request.operation, 'no'));
    }
    this.beginNext();
    if (this.inFlight > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
  }
}

/** Nobody waits for it any more. */
function isDone({ deadlineMs, context }: Request, now: number): boolean {
  return now >= deadlineMs || (context !== undefined && hasEnded(context));
}

function tooLarge(bytes: number): AdapterError {
  const reason = `It is larger than what the directory takes in one request (${bytes.toLocaleString('en')} bytes).`;
  return new AdapterError('rejected', reason, { reason });
}

function readReply(
  kind: number,
  content: BerReader,
  rest: BerReader,
  { entries, references }: Pick<Pending, 'entries' | 'references'>,
): Reply {
  const code = content.integer(berTag.enumerated);
  const matchedDn = content.text();
  const diagnostic = content.text();
  const referrals: string[] = [];
  let value: Uint8Array | undefined;
  while (!content.isAtEnd) {
    const next = content.peek();
    if (next === partTag.referral) {
      const list = content.enter();
      while (!list.isAtEnd) referrals.push(list.text());
    } else if (next === partTag.extendedValue && kind === responseTag.extended) {
      value = content.octets(partTag.extendedValue);
    } else {
      content.skip();
    }
  }
  return { code, matchedDn, diagnostic, referrals, value, controls: readControls(rest), entries, references };
}

export function lost(cause: unknown): AdapterError {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const why = typeof code === 'string' ? ` (${code})` : '';
  const what = certificateCode.test(why)
    ? "The directory's certificate is not accepted"
    : 'The directory cannot be reached';
  return new AdapterError('unavailable', `${what}${why}.`, { cause, retryAfterSeconds: 1 });
}

/** Of Node's TLS errors those that are about who the other end is. */
const certificateCode = /CERT|ALTNAME|ISSUER|SIGNATURE/;

/** How an operation ends that was under way when the connection ended. */
function dropped(operation: LdapOperation, cause: Error): Error {
  if (operation === 'bind') return cause;
  const applied = operation === 'search' || operation === 'compare' ? 'no' : 'unknown';
  const message = 'The connection to the directory broke before the answer came.';
  return new AdapterError('unavailable', message, { applied, cause, retryAfterSeconds: 1 });
}

export function tooLate(operation: LdapOperation, applied: 'no' | 'unknown'): AdapterError {
  return new AdapterError('timeout', `The directory gave no answer to ${operation} in time.`, { applied });
}
