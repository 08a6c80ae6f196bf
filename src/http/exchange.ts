import { randomBytes } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { type MediaType, negotiate } from './negotiation.js';
import type { ProxyTrust } from './trusted-proxies.js';

/** Node's own request and response. */
export interface HttpEnv {
  Bindings: HttpBindings;
}

/** One request and what its answer needs. Reads what Node has parsed already instead of building a `Headers`. */
export class Exchange {
  readonly request: Request;
  /** HEAD counts as GET: Hono leaves the body out. */
  readonly method: string;
  readonly requestId: string;
  /** As it came, percent escapes included. */
  readonly path: string;
  /** As it came, without the question mark. */
  readonly query: string;
  /** The type to answer in. */
  readonly mediaType: MediaType;
  /** False when the client takes neither of our types. */
  readonly isAcceptable: boolean;
  readonly startedAtMs: number;
  /** True while the client's body is waited for: what takes long then is the client. */
  isReceiving = false;
  /** Of the budget for large bodies. */
  heldBytes = 0;
  readonly #bindings: HttpBindings | undefined;

  /** @param proxies who may name requests; without them anybody may */
  constructor(context: Context<HttpEnv>, proxies?: Pick<ProxyTrust, 'mayName'>) {
    this.startedAtMs = performance.now();
    this.request = context.req.raw;
    // There is none in tests that call `app.request()`.
    this.#bindings = context.env as HttpBindings | undefined;
    this.method = this.request.method === 'HEAD' ? 'GET' : this.request.method;
    this.path = context.req.path;
    const { url } = this.request;
    const mark = url.indexOf('?', firstSlashFrom);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    const named = takeOver(this.header('x-request-id'));
    const isBelieved = named !== undefined && (proxies === undefined || proxies.mayName(this.remoteAddress));
    this.requestId = isBelieved ? named : nextRequestId();
    const mediaType = negotiate(this.header('accept'));
    this.mediaType = mediaType ?? 'application/scim+json';
    this.isAcceptable = mediaType !== undefined;
  }

  /** @param name in lower case */
  header(name: string): string | undefined {
    const incoming = this.#bindings?.incoming;
    if (incoming === undefined) return this.request.headers.get(name) ?? undefined;
    const value = incoming.headers[name];
    return typeof value === 'string' ? value : value?.join(', ');
  }

  get outgoing(): HttpBindings['outgoing'] | undefined {
    return this.#bindings?.outgoing;
  }

  get remoteAddress(): string | undefined {
    return this.#bindings?.incoming.socket.remoteAddress;
  }

  /** `http://host:port`, as the client spelled it. */
  get origin(): string {
    const { url } = this.request;
    return url.slice(0, url.indexOf('/', firstSlashFrom));
  }
}

/** Where the path's slash may be at the earliest: behind `https://` or `http://x`. */
const firstSlashFrom = 8;

/** The path as it came. Hono's own would be decoded, and ids are to be decoded once and by us. */
export function rawPath(request: Request): string {
  const { url } = request;
  const start = url.indexOf('/', firstSlashFrom);
  const end = url.indexOf('?', start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

const processMark = randomBytes(6).toString('hex');
let lastRequest = 0;

function nextRequestId(): string {
  lastRequest++;
  return `${processMark}-${lastRequest.toString(36)}`;
}

/** A proxy's request id goes through the whole chain, if it cannot do harm in a header or a log, nor be anybody's address. */
function takeOver(requestId: string | undefined): string | undefined {
  return requestId !== undefined && /^[\w.:/+=-]{1,128}$/.test(requestId) ? requestId : undefined;
}
