import type { Dispatcher } from 'undici';
import type { OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import type { Pace } from '../../src/backend/pace.js';
import type { Credentials } from './auth.js';
import type { Json } from './json.js';
import { networkError } from './network-error.js';
import { type Headers, headerOf, noticeOf } from './notices.js';
import { type RefusalPlan, type Refused, refusalError } from './refusal.js';
import { type ResponseBody, readBody } from './response-body.js';
import type { Method } from './template.js';

/** One request to the target. */
export interface HttpRequest extends Partial<Omit<Refused, 'operation' | 'isWrite'>> {
  readonly method: Method;
  /** Path and query below the base URL, encoded; or with `isAbsolute` from the root of the origin. */
  readonly path: string;
  readonly isAbsolute?: boolean;
  /** Without values: what logs, traces and errors show. */
  readonly operation: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly text: string; readonly contentType: string };
  /** A read that is not made by GET would be a write. */
  readonly isWrite?: boolean;
  /** Statuses that are an answer here, beside 2xx. */
  readonly accepted?: readonly number[];
  /** The answer is of no use without JSON in it. */
  readonly needsBody?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when there was none, or none that is JSON. */
  readonly body: Json | undefined;
}

export interface ClientParts {
  /** Scheme, host and port: nothing is sent anywhere else. */
  readonly origin: string;
  /** Before each path: `/api/v2`, or nothing. */
  readonly basePath: string;
  readonly dispatcher: Dispatcher;
  readonly credentials: Credentials;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly refusals: RefusalPlan;
  /** What no reason may repeat, even where a target does. */
  readonly secrets: readonly string[];
  readonly pace: Pace;
  readonly now?: () => number;
}

/** Speaks HTTP with the target: one method, for one exchange. */
export class Client {
  readonly origin: string;
  readonly basePath: string;
  private readonly parts: ClientParts;
  private readonly now: () => number;

  constructor(parts: ClientParts) {
    this.parts = parts;
    this.origin = parts.origin;
    this.basePath = parts.basePath;
    this.now = parts.now ?? Date.now;
  }

  /**
   * Sends a request and reads the answer to its end. An access token that the target does not take is got anew, once.
   * @throws AdapterError for everything but a success or an accepted status
   */
  async send(request: HttpRequest, context: OperationContext): Promise<HttpAnswer> {
    const first = await this.exchange(request, context);
    if (first.status !== 401 || !this.parts.credentials.renew(first.credentials)) return this.judge(request, first);
    return this.judge(request, await this.exchange(request, context));
  }

  private judge(request: HttpRequest, exchanged: Exchanged): HttpAnswer {
    const { status, headers, body } = exchanged;
    const isSuccess = (status >= 200 && status < 300) || request.accepted?.includes(status) === true;
    const { operation, isWrite = request.method !== 'GET' } = request;
    if (!isSuccess) {
      const sent = [...(request.sent ?? []), ...this.parts.secrets, ...this.parts.credentials.secrets()];
      const refused: Refused = { isRepeatable: !isWrite, ...request, isWrite, sent };
      throw refusalError(this.parts.refusals, { status, headers, body }, refused, this.now());
    }
    if (body.kind === 'json') return { status, headers, body: body.value };
    const isNeeded = request.needsBody === true && request.accepted?.includes(status) !== true;
    // Of a page for people nobody knows who sent it: often a proxy that wants a login.
    if (isNeeded || body.kind === 'tooLong' || (body.kind === 'other' && body.isHtml)) {
      throw unusable(operation, isWrite, body);
    }
    return { status, headers, body: undefined };
  }

  private async exchange(request: HttpRequest, context: OperationContext): Promise<Exchanged> {
    const { parts } = this;
    const { operation, method, isWrite = method !== 'GET' } = request;
    checkNotEnded(operation, context);
    await parts.pace.take(context);
    const credentials = await parts.credentials.get(context);
    checkNotEnded(operation, context);
    const path = withQuery(
      request.isAbsolute === true ? request.path : `${parts.basePath}${request.path}`,
      credentials,
    );
    const limit = new TimeLimit(context, parts.timeoutMs);
    const startedAt = performance.now();
    let outcome = 'no answer';
    try {
      const response = await parts.dispatcher.request({
        origin: parts.origin,
        path,
        method,
        headers: {
          ...parts.headers,
          ...credentials.headers,
          ...request.headers,
          ...(request.body === undefined ? {} : { 'content-type': request.body.contentType }),
        },
        ...(request.body === undefined ? {} : { body: request.body.text }),
        signal: limit.signal,
      });
      const headers = response.headers as Headers;
      outcome = String(response.statusCode);
      const notice = noticeOf(response.statusCode, headers, this.now());
      if (notice !== undefined) parts.pace.learn(notice);
      const body = await readBody(response.body, headers, parts.maxResponseBytes);
      return { status: response.statusCode, headers, body, credentials: credentials.version };
    } catch (error) {
      const { ended } = limit;
      throw networkError({ operation, isWrite, error, ...(ended === undefined ? {} : { ended }) });
    } finally {
      limit.clear();
      context.trace?.({ operation: `${operation}: ${outcome}`, durationMs: performance.now() - startedAt });
    }
  }

  /**
   * The path and query of a link in an answer.
   * @throws AdapterError when it leads to another origin, or is none
   */
  pathOfLink(link: string, from: string): string {
    const base = new URL(from, this.origin).href;
    const url = URL.canParse(link, base) ? new URL(link, base) : undefined;
    if (url === undefined || url.origin !== this.origin || url.username !== '' || url.password !== '') {
      throw new AdapterError('unavailable', 'The target names a page at another address, which is not followed.');
    }
    return `${url.pathname}${url.search}`;
  }

  close(): Promise<void> {
    return this.parts.dispatcher.destroy();
  }
}

interface Exchanged {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ResponseBody;
  readonly credentials: number;
}

function withQuery(path: string, { query }: { readonly query?: string | undefined }): string {
  if (query === undefined) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

function checkNotEnded(operation: string, context: OperationContext): void {
  if (!hasEnded(context)) return;
  throw new AdapterError('timeout', `The request ended before ${operation} was sent.`, {
    applied: 'no',
    cause: context.signal.reason,
  });
}

function unusable(operation: string, isWrite: boolean, body: ResponseBody): AdapterError {
  const details = { applied: isWrite ? 'unknown' : 'no' } as const;
  if (body.kind === 'tooLong') {
    return new AdapterError('unavailable', `The answer to ${operation} is longer than "maxResponseBytes".`, details);
  }
  const what = body.kind === 'other' ? `of the type "${body.mediaType.slice(0, 80)}" or cut off` : 'empty';
  const message = `The answer to ${operation} is not JSON but ${what}; perhaps something in between gave it.`;
  return new AdapterError('unavailable', message, details);
}

/** Ends an exchange with the request that it is for, or after its own time. */
class TimeLimit {
  ended: 'timeout' | 'request' | undefined;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly parent: AbortSignal;
  private readonly onAbort: () => void;

  constructor({ signal }: OperationContext, timeoutMs: number) {
    this.parent = signal;
    this.onAbort = () => this.end('request');
    this.timer = setTimeout(() => this.end('timeout'), timeoutMs);
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  clear(): void {
    clearTimeout(this.timer);
    this.parent.removeEventListener('abort', this.onAbort);
  }

  private end(why: 'timeout' | 'request'): void {
    this.ended ??= why;
    this.controller.abort();
  }
}

/** A header that an answer may have, as one text. */
export function answerHeader(answer: HttpAnswer, name: string): string | undefined {
  return headerOf(answer.headers, name);
}
