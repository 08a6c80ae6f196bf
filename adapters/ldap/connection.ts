import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import { BerError, BerReader, berElement, berSequence, berTag, MessageSplitter } from './ber.js';
import {
  type Encode,
  encodeAbandon,
  encodeAdd,
  encodeCompare,
  encodeDelete,
  encodeExtended,
  encodeExternalBind,
  encodeModify,
  encodeModifyDn,
  encodeSearch,
  encodeSimpleBind,
  encodeUnbind,
  pagedResultsOid,
} from './codec.js';
import type { BindConfig } from './config.js';
import type {
  Attribute,
  AttributeValue,
  Entry,
  Modification,
  Operations,
  Rename,
  RequestControl,
  ResponseControl,
  SearchAnswer,
  SearchRequest,
  WireContext,
  WriteAnswer,
} from './directory.js';
import { EntryReader, readControls } from './entry.js';
import { everything } from './ldap-filter.js';
import type { DirectorySchema } from './schema.js';
import { oid } from './server-kind.js';
import { type ServerAddress, type TlsSettings, tlsOptionsFor } from './tls-options.js';
import { adapterErrorOf, type LdapOperation, LdapResultError, resultCode } from './wire-errors.js';

export interface ConnectionSettings {
  readonly address: ServerAddress;
  readonly tls: TlsSettings;
  readonly bind: BindConfig;
  /** For connecting, encrypting and binding together. */
  readonly connectTimeoutMs: number;
  /** For one operation, where the context's deadline isn't earlier. */
  readonly timeoutMs: number;
}

/** The end of an operation (RFC 4511 section 4.1.9), whatever its kind. */
interface Result {
  readonly code: number;
  readonly matchedDn: string;
  readonly diagnostic: string;
  readonly referrals: readonly string[];
  /** Of an extended operation. */
  readonly value: Uint8Array | undefined;
  readonly controls: readonly ResponseControl[];
}

interface Pending {
  readonly operation: LdapOperation;
  readonly context: WireContext | undefined;
  readonly sentAtMs: number;
  readonly deadlineMs: number;
  readonly entries: Entry[];
  references: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

const responseTag = { entry: 0x64, reference: 0x73, searchDone: 0x65, extended: 0x78, intermediate: 0x79 } as const;
const tag = { referral: 0xa3, extendedName: 0x8a, extendedValue: 0x8b } as const;
const maxMessageBytes = 256 * 1024 * 1024;
const maxMessageId = 2 ** 31 - 1;
const lookEveryMs = 50;
const keepAliveMs = 30_000;

/**
 * One bound connection, which many operations use at the same time. It is connected, encrypted and bound once, before
 * anybody gets it, and when it ends it is thrown away: nothing on it is ever sent unbound. Every operation ends when its
 * time is over or the connection does; a late answer to one leaves the others alone.
 */
export class Connection implements Operations {
  readonly address: ServerAddress;
  private readonly settings: ConnectionSettings;
  private readonly pending = new Map<number, Pending>();
  private readonly splitter = new MessageSplitter(maxMessageBytes);
  private readonly endListeners: (() => void)[] = [];
  private socket: Socket;
  private messageId = 0;
  private state: 'opening' | 'bound' | 'ended' = 'opening';
  private endedBy: Error | undefined;
  private entryReader = new EntryReader(undefined);
  private watch: NodeJS.Timeout | undefined;
  private isCorked = false;
  private probing: Promise<boolean> | undefined;
  private heardAtMs = performance.now();

  /** Rejects with AdapterError `unavailable`, `timeout` or `denied`, and leaves no socket behind then. */
  static async open(settings: ConnectionSettings, signal?: AbortSignal): Promise<Connection> {
    const connection = new Connection(settings);
    const timer = setTimeout(() => {
      connection.end(new AdapterError('unavailable', 'The directory did not let the gateway in in time.'));
    }, settings.connectTimeoutMs);
    const abort = (): void =>
      connection.end(new AdapterError('unavailable', 'Connecting to the directory was given up.'));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (signal?.aborted === true) abort();
      await connection.establish();
      return connection;
    } catch (error) {
      connection.end(error instanceof Error ? error : new Error(String(error)));
      throw adapterErrorOf(connection.endedBy ?? error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  private constructor(settings: ConnectionSettings) {
    this.settings = settings;
    this.address = settings.address;
    const { host, port, encryption } = settings.address;
    this.socket =
      encryption === 'tls'
        ? connectTls({ ...tlsOptionsFor(host, settings.tls), port })
        : connectSocket({ host, port, noDelay: true });
    this.attach(this.socket);
  }

  get isOpen(): boolean {
    return this.state === 'bound';
  }

  get inFlight(): number {
    return this.pending.size;
  }

  /** How long nothing has come, in milliseconds. */
  get silentForMs(): number {
    return performance.now() - this.heardAtMs;
  }

  /** A question waits for its answer that tells whether the other end is still there. */
  get isSuspect(): boolean {
    return this.probing !== undefined;
  }

  /** Called once, when the connection has ended; at once when it has already. */
  onEnd(listener: () => void): void {
    if (this.state === 'ended') listener();
    else this.endListeners.push(listener);
  }

  /** From now on values of attributes are text or bytes as this schema says. */
  useSchema(schema: DirectorySchema): void {
    this.entryReader = new EntryReader(schema);
  }

  async search(request: SearchRequest, context: WireContext): Promise<SearchAnswer> {
    const entries: Entry[] = [];
    let references = 0;
    const deadlineMs = this.deadlineOf(context);
    const seconds = Math.max(1, Math.floor((deadlineMs - performance.now()) / 1000));
    const result = await this.ask('search', encodeSearch(request, seconds), context, entries, (count) => {
      references = count;
    });
    const isLimited = result.code === resultCode.sizeLimitExceeded;
    if (result.code !== resultCode.success && !isLimited) throw failed('search', result);
    const cookie = request.page === undefined ? undefined : cookieIn(result.controls);
    const answer = { entries, limited: isLimited, references, controls: result.controls };
    return cookie === undefined ? answer : { ...answer, cookie };
  }

  add(
    dn: string,
    attributes: readonly Attribute[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.write('add', () => encodeAdd(dn, attributes, controls), context);
  }

  modify(
    dn: string,
    modifications: readonly Modification[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.write('modify', () => encodeModify(dn, modifications, controls), context);
  }

  modifyDn(
    dn: string,
    rename: Rename,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.write('modifyDn', () => encodeModifyDn(dn, rename, controls), context);
  }

  delete(dn: string, controls: readonly RequestControl[], context: WireContext): Promise<WriteAnswer> {
    return this.write('delete', () => encodeDelete(dn, controls), context);
  }

  async compare(dn: string, attribute: string, value: AttributeValue, context: WireContext): Promise<boolean> {
    const result = await this.ask('compare', encodeCompare(dn, attribute, value), context);
    if (result.code === resultCode.compareTrue) return true;
    if (result.code === resultCode.compareFalse) return false;
    throw failed('compare', result);
  }

  async passwordModify(dn: string, newPassword: string, context: WireContext): Promise<void> {
    if (!this.address.isConfidential) {
      throw new AdapterError('unsupported', 'Passwords are not sent over connections that are not encrypted.');
    }
    const value = berSequence(berElement(0x80, Buffer.from(dn)), berElement(0x82, Buffer.from(newPassword)));
    const result = await this.ask('passwordModify', encodeExtended(oid.passwordModify, value), context);
    if (result.code !== resultCode.success) throw failed('passwordModify', result);
  }

  async extended(
    name: string,
    value: Uint8Array | undefined,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<Uint8Array | undefined> {
    const result = await this.ask('extended', encodeExtended(name, value, controls), context);
    if (result.code !== resultCode.success) throw failed('extended', result);
    return result.value;
  }

  /**
   * Asks the server something small. An answer within the time for connecting proves that it is there; without one the
   * connection ends.
   */
  probe(): Promise<boolean> {
    this.probing ??= this.askProbe().finally(() => {
      this.probing = undefined;
    });
    return this.probing;
  }

  /** Says goodbye. What is still under way fails as if the connection had dropped. */
  close(): void {
    if (this.state === 'bound') this.socket.write(encodeUnbind(this.nextMessageId()));
    this.end(new AdapterError('unavailable', 'The connection to the directory was closed.'));
  }

  private async askProbe(): Promise<boolean> {
    const request: SearchRequest = { base: '', scope: 'base', filter: everything, attributes: [] };
    const ends = performance.now() + Math.min(this.settings.connectTimeoutMs, this.settings.timeoutMs);
    try {
      await this.send('search', encodeSearch(request, 5), undefined, ends, []);
      return true;
    } catch {
      this.end(new AdapterError('unavailable', 'The directory has fallen silent.'));
      return false;
    }
  }

  private async establish(): Promise<void> {
    const { encryption } = this.address;
    await this.opened(this.socket, encryption === 'tls' ? 'secureConnect' : 'connect');
    if (encryption === 'startTls') await this.startTls();
    this.socket.setKeepAlive(true, keepAliveMs);
    const { bind } = this.settings;
    const request = 'external' in bind ? encodeExternalBind() : encodeSimpleBind(bind.dn, bind.password);
    const result = await this.send('bind', request, undefined, Number.POSITIVE_INFINITY, []);
    if (result.code !== resultCode.success) throw failed('bind', result);
    if (this.state === 'opening') this.state = 'bound';
    if (this.state !== 'bound') throw this.endedBy ?? lost(undefined);
  }

  /** RFC 4511 section 4.14. Nothing else has been sent before, and what came in clear text is not believed. */
  private async startTls(): Promise<void> {
    const result = await this.send(
      'extended',
      encodeExtended(oid.startTls, undefined),
      undefined,
      Number.POSITIVE_INFINITY,
      [],
    );
    if (result.code !== resultCode.success) {
      throw new AdapterError('denied', 'The directory refuses to encrypt the connection (StartTLS).', {
        cause: failed('extended', result),
      });
    }
    const plain = this.socket;
    plain.removeAllListeners('data');
    if (!this.splitter.isEmpty) throw new BerError('something in clear text after encryption was agreed on');
    this.socket = connectTls({ ...tlsOptionsFor(this.address.host, this.settings.tls), socket: plain });
    this.attach(this.socket);
    await this.opened(this.socket, 'secureConnect');
  }

  private opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.once(event, () => resolve());
      this.onEnd(() => reject(this.endedBy ?? lost(undefined)));
    });
  }

  private attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.end(lost(error)));
    // A server that says it is done with us answers nothing more: waiting for our own end would be for nothing.
    socket.on('end', () => this.end(lost(undefined)));
    socket.on('close', () => this.end(lost(undefined)));
  }

  private async write(operation: LdapOperation, encode: () => Encode, context: WireContext): Promise<WriteAnswer> {
    const result = await this.ask(operation, encode(), context);
    if (result.code !== resultCode.success) throw failed(operation, result);
    const preRead = this.readEntryIn(result.controls, oid.preRead);
    const postRead = this.readEntryIn(result.controls, oid.postRead);
    return {
      controls: result.controls,
      ...(preRead === undefined ? {} : { preRead }),
      ...(postRead === undefined ? {} : { postRead }),
    };
  }

  private readEntryIn(controls: readonly ResponseControl[], name: string): Entry | undefined {
    const value = controls.find((control) => control.oid === name)?.value;
    return value === undefined ? undefined : this.entryReader.readControlValue(value);
  }

  /** Sends on behalf of a caller: only over a connection that is bound. */
  private ask(
    operation: LdapOperation,
    encode: Encode,
    context: WireContext,
    entries: Entry[] = [],
    onReferences?: (count: number) => void,
  ): Promise<Result> {
    if (this.state !== 'bound') return Promise.reject(this.endedBy ?? lost(undefined));
    if (hasEnded(context)) return Promise.reject(tooLate(operation, 'no'));
    return this.send(operation, encode, context, this.deadlineOf(context), entries, onReferences);
  }

  private deadlineOf(context: WireContext): number {
    const own = performance.now() + this.settings.timeoutMs;
    return context.deadlineMs === undefined ? own : Math.min(own, context.deadlineMs);
  }

  private send(
    operation: LdapOperation,
    encode: Encode,
    context: WireContext | undefined,
    deadlineMs: number,
    entries: Entry[],
    onReferences?: (count: number) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.state === 'ended') {
        reject(this.endedBy ?? lost(undefined));
        return;
      }
      const messageId = this.nextMessageId();
      const bytes = encode(messageId);
      const pending: Pending = {
        operation,
        context,
        sentAtMs: performance.now(),
        deadlineMs,
        entries,
        references: 0,
        resolve: (result) => {
          onReferences?.(pending.references);
          resolve(result);
        },
        reject,
      };
      this.pending.set(messageId, pending);
      this.arm();
      this.put(bytes);
    });
  }

  /** What is sent within one turn of the event loop goes out together. */
  private put(bytes: Buffer): void {
    if (!this.isCorked) {
      this.isCorked = true;
      const { socket } = this;
      socket.cork();
      process.nextTick(() => {
        this.isCorked = false;
        socket.uncork();
      });
    }
    this.socket.write(bytes);
  }

  private nextMessageId(): number {
    do {
      this.messageId = this.messageId >= maxMessageId ? 1 : this.messageId + 1;
    } while (this.pending.has(this.messageId));
    return this.messageId;
  }

  private receive(chunk: Buffer): void {
    this.heardAtMs = performance.now();
    if (this.state === 'ended') return;
    try {
      this.splitter.push(chunk, (message) => this.handle(message));
    } catch (error) {
      const message =
        error instanceof BerError ? `The directory sent ${error.message}.` : 'The directory sent nonsense.';
      this.end(new AdapterError('unavailable', message, { cause: error }));
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
      this.pending.delete(messageId);
      pending.resolve(readResult(kind, content, readControls(message)));
    }
  }

  private arm(): void {
    this.watch ??= setInterval(() => this.look(), lookEveryMs).unref();
  }

  /** One timer for all operations under way: those whose time is over, or whose caller has left, end here. */
  private look(): void {
    const now = performance.now();
    for (const [messageId, pending] of this.pending) {
      const isOver = now >= pending.deadlineMs;
      if (!isOver && (pending.context === undefined || !hasEnded(pending.context))) continue;
      this.pending.delete(messageId);
      const isRead = pending.operation === 'search' || pending.operation === 'compare';
      if (isRead && this.state === 'bound') this.put(encodeAbandon(this.nextMessageId(), messageId));
      pending.reject(tooLate(pending.operation, isRead ? 'no' : 'unknown'));
      if (isOver && this.heardAtMs < pending.sentAtMs && this.state === 'bound') void this.probe();
    }
    if (this.pending.size > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
  }

  private end(error: Error): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.endedBy = error;
    clearInterval(this.watch);
    this.socket.end();
    this.socket.destroySoon();
    setTimeout(() => this.socket.destroy(), lookEveryMs).unref();
    const all = [...this.pending.values()];
    this.pending.clear();
    for (const { operation, reject } of all) reject(dropped(operation, error));
    for (const listener of this.endListeners.splice(0)) listener();
  }
}

function readResult(kind: number, content: BerReader, controls: readonly ResponseControl[]): Result {
  const code = content.integer(berTag.enumerated);
  const matchedDn = content.text();
  const diagnostic = content.text();
  const referrals: string[] = [];
  let value: Uint8Array | undefined;
  while (!content.isAtEnd) {
    const next = content.peek();
    if (next === tag.referral) {
      const list = content.enter(tag.referral);
      while (!list.isAtEnd) referrals.push(list.text());
    } else if (next === tag.extendedValue && kind === responseTag.extended) {
      value = content.octets(tag.extendedValue);
    } else {
      content.skip();
    }
  }
  return { code, matchedDn, diagnostic, referrals, value, controls };
}

/** RFC 2696: an empty cookie says that this was the last page. */
function cookieIn(controls: readonly ResponseControl[]): Uint8Array | undefined {
  const value = controls.find((control) => control.oid === pagedResultsOid)?.value;
  if (value === undefined) return undefined;
  const content = new BerReader(Buffer.from(value)).enter(berTag.sequence);
  content.skip();
  const cookie = content.octets();
  return cookie.length === 0 ? undefined : cookie;
}

function failed(operation: LdapOperation, result: Result): LdapResultError {
  return new LdapResultError(operation, result, result.referrals);
}

function lost(cause: unknown): AdapterError {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const why = typeof code === 'string' ? ` (${code})` : '';
  return new AdapterError('unavailable', `The directory cannot be reached${why}.`, { cause, retryAfterSeconds: 1 });
}

/** How an operation ends that was under way when the connection ended. */
function dropped(operation: LdapOperation, cause: Error): Error {
  if (operation === 'bind') return cause;
  const applied = operation === 'search' || operation === 'compare' ? 'no' : 'unknown';
  const message = 'The connection to the directory broke before the answer came.';
  return new AdapterError('unavailable', message, { applied, cause, retryAfterSeconds: 1 });
}

function tooLate(operation: LdapOperation, applied: 'no' | 'unknown'): AdapterError {
  return new AdapterError('timeout', `The directory gave no answer to ${operation} in time.`, { applied });
}
