import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import type { TlsSettings } from '../tls-section.js';
import { BerReader, berElement, berSequence, berTag } from './ber.js';
import { Channel, lost, type Reply, tooLate } from './channel.js';
import {
  type Encode,
  encodeAdd,
  encodeCompare,
  encodeDelete,
  encodeExtended,
  encodeExternalBind,
  encodeModify,
  encodeModifyDn,
  encodeSearch,
  encodeSimpleBind,
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
import { everything } from './ldap-filter.js';
import { oid, type ServerProfile } from './server-kind.js';
import type { ServerAddress } from './tls-options.js';
import { adapterErrorOf, type LdapOperation, LdapResultError, resultCode } from './wire-errors.js';

export interface ConnectionSettings {
  readonly address: ServerAddress;
  readonly tls: TlsSettings;
  readonly bind: BindConfig;
  /** For connecting, encrypting and binding together. */
  readonly connectTimeoutMs: number;
  /** For one operation, where the context's deadline isn't earlier. */
  readonly timeoutMs: number;
  /** Operations under way at the same time; more wait. */
  readonly pipeline: number;
}

/** While it isn't known what the server is. */
const smallestLimit = 65_536;

/**
 * One bound connection, which many operations use at the same time. It is connected, encrypted and bound once, before
 * anybody gets it, and when it ends it is thrown away: nothing on it is ever sent unbound.
 */
export class Connection implements Operations {
  readonly address: ServerAddress;
  private readonly settings: ConnectionSettings;
  private readonly channel: Channel;
  private isBound = false;
  private probing: Promise<boolean> | undefined;

  /** Rejects with AdapterError `unavailable` or `denied`, and leaves no socket behind then. */
  static async open(settings: ConnectionSettings, signal?: AbortSignal): Promise<Connection> {
    const connection = new Connection(settings);
    const giveUp = (message: string) => (): void => connection.channel.end(new AdapterError('unavailable', message));
    const abort = giveUp('Connecting to the directory was given up.');
    const late = giveUp('The directory did not let the gateway in in time.');
    const timer = setTimeout(late, settings.connectTimeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (signal?.aborted === true) abort();
      await connection.establish();
      return connection;
    } catch (error) {
      connection.channel.end(error instanceof Error ? error : lost(error));
      throw adapterErrorOf(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  private constructor(settings: ConnectionSettings) {
    this.settings = settings;
    this.address = settings.address;
    const limits = { requests: settings.pipeline, requestBytes: smallestLimit };
    this.channel = new Channel(settings.address, settings.tls, limits, () => {
      if (this.isOpen) void this.probe();
    });
  }

  get isOpen(): boolean {
    return this.isBound && this.channel.endedBy === undefined;
  }

  get inFlight(): number {
    return this.channel.inFlight;
  }

  /** How long nothing has come, in milliseconds. */
  get silentForMs(): number {
    return this.channel.silentForMs;
  }

  /** A question waits for its answer that tells whether the other end is still there. */
  get isSuspect(): boolean {
    return this.probing !== undefined;
  }

  /** Called once, when the connection has ended; at once when it has already. */
  onEnd(listener: () => void): void {
    this.channel.onEnd(listener);
  }

  /** From now on values are text or bytes as the server's schema says, and requests as large as it takes them. */
  useServer({ schema, maxRequestBytes }: Pick<ServerProfile, 'schema' | 'maxRequestBytes'>): void {
    this.channel.useServer(schema, maxRequestBytes);
  }

  /** Says goodbye. What is still under way fails as if the connection had dropped. */
  close(): void {
    this.channel.unbind();
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

  async search(request: SearchRequest, context: WireContext): Promise<SearchAnswer> {
    const deadlineMs = this.deadlineOf(context);
    const seconds = Math.max(1, Math.floor((deadlineMs - performance.now()) / 1000));
    const reply = await this.ask('search', encodeSearch(request, seconds), context, deadlineMs);
    const limited = reply.code === resultCode.sizeLimitExceeded;
    if (reply.code !== resultCode.success && !limited) throw failed('search', reply);
    const { entries, references, controls } = reply;
    const cookie = request.page === undefined ? undefined : cookieIn(controls);
    return { entries, limited, references, controls, ...(cookie === undefined ? {} : { cookie }) };
  }

  async compare(dn: string, attribute: string, value: AttributeValue, context: WireContext): Promise<boolean> {
    const reply = await this.ask('compare', encodeCompare(dn, attribute, value), context);
    if (reply.code === resultCode.compareTrue) return true;
    if (reply.code === resultCode.compareFalse) return false;
    throw failed('compare', reply);
  }

  async add(
    dn: string,
    attributes: readonly Attribute[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.write('add', encodeAdd(dn, attributes, controls), context);
  }

  async modify(
    dn: string,
    modifications: readonly Modification[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.write('modify', encodeModify(dn, modifications, controls), context);
  }

  async modifyDn(
    dn: string,
    rename: Rename,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.write('modifyDn', encodeModifyDn(dn, rename, controls), context);
  }

  async delete(dn: string, controls: readonly RequestControl[], context: WireContext): Promise<WriteAnswer> {
    return this.write('delete', encodeDelete(dn, controls), context);
  }

  async passwordModify(dn: string, newPassword: string, context: WireContext): Promise<void> {
    if (!this.address.isConfidential) {
      throw new AdapterError('unsupported', 'Passwords are not sent over connections that are not encrypted.');
    }
    const value = berSequence(berElement(0x80, Buffer.from(dn)), berElement(0x82, Buffer.from(newPassword)));
    const reply = await this.ask('passwordModify', encodeExtended(oid.passwordModify, value), context);
    if (reply.code !== resultCode.success) throw failed('passwordModify', reply);
  }

  async extended(
    name: string,
    value: Uint8Array | undefined,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<Uint8Array | undefined> {
    const reply = await this.ask('extended', encodeExtended(name, value, controls), context);
    if (reply.code !== resultCode.success) throw failed('extended', reply);
    return reply.value;
  }

  private async establish(): Promise<void> {
    await this.channel.connected();
    if (this.address.encryption === 'startTls') await this.startTls();
    const { bind } = this.settings;
    const request = 'external' in bind ? encodeExternalBind() : encodeSimpleBind(bind.dn, bind.password);
    const reply = await this.channel.send('bind', request, Number.POSITIVE_INFINITY);
    if (reply.code !== resultCode.success) throw failed('bind', reply);
    if (this.channel.endedBy !== undefined) throw this.channel.endedBy;
    this.isBound = true;
  }

  /** RFC 4511 section 4.14: before anything else is sent. */
  private async startTls(): Promise<void> {
    const reply = await this.channel.send(
      'extended',
      encodeExtended(oid.startTls, undefined),
      Number.POSITIVE_INFINITY,
    );
    if (reply.code !== resultCode.success) {
      throw new AdapterError('denied', 'The directory refuses to encrypt the connection (StartTLS).', {
        cause: failed('extended', reply),
      });
    }
    await this.channel.encrypt();
  }

  private async askProbe(): Promise<boolean> {
    const request: SearchRequest = { base: '', scope: 'base', filter: everything, attributes: [] };
    const deadlineMs = performance.now() + Math.min(this.settings.connectTimeoutMs, this.settings.timeoutMs);
    try {
      await this.channel.send('search', encodeSearch(request, 5), deadlineMs);
      return true;
    } catch {
      this.channel.end(new AdapterError('unavailable', 'The directory has fallen silent.'));
      return false;
    }
  }

  private async write(operation: LdapOperation, encode: Encode, context: WireContext): Promise<WriteAnswer> {
    const reply = await this.ask(operation, encode, context);
    if (reply.code !== resultCode.success) throw failed(operation, reply);
    const { controls } = reply;
    const preRead = this.readEntryIn(controls, oid.preRead);
    const postRead = this.readEntryIn(controls, oid.postRead);
    return {
      controls,
      ...(preRead === undefined ? {} : { preRead }),
      ...(postRead === undefined ? {} : { postRead }),
    };
  }

  private readEntryIn(controls: readonly ResponseControl[], name: string): Entry | undefined {
    const value = controls.find((control) => control.oid === name)?.value;
    return value === undefined ? undefined : this.channel.readEntry(value);
  }

  /** Sends on behalf of a caller: only over a connection that is bound. */
  private ask(
    operation: LdapOperation,
    encode: Encode,
    context: WireContext,
    deadlineMs = this.deadlineOf(context),
  ): Promise<Reply> {
    if (!this.isOpen) return Promise.reject(this.channel.endedBy ?? lost(undefined));
    if (hasEnded(context)) return Promise.reject(tooLate(operation, 'no'));
    return this.channel.send(operation, encode, deadlineMs, context);
  }

  private deadlineOf(context: WireContext): number {
    const own = performance.now() + this.settings.timeoutMs;
    return context.deadlineMs === undefined ? own : Math.min(own, context.deadlineMs);
  }
}

/** RFC 2696: an empty cookie says that this was the last page. */
function cookieIn(controls: readonly ResponseControl[]): Uint8Array | undefined {
  const value = controls.find((control) => control.oid === oid.pagedResults)?.value;
  if (value === undefined) return undefined;
  const content = new BerReader(Buffer.from(value)).enter(berTag.sequence);
  content.skip();
  const cookie = content.octets();
  return cookie.length === 0 ? undefined : cookie;
}

function failed(operation: LdapOperation, reply: Reply): LdapResultError {
  return new LdapResultError(operation, reply, reply.referrals);
}
