import { resolve } from 'node:path';
import type { AdapterModule } from '../../src/backend/adapter.js';

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly rawBody?: string | undefined;
  /** Added to the defaults; null removes a default. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined;
  /** Percent-encoded and appended; null sends the name alone. */
  readonly query?: Readonly<Record<string, string | number | null>> | undefined;
}

/** An element of a multi-valued attribute. */
export interface MultiValue {
  readonly value?: string;
  readonly type?: string;
  readonly primary?: boolean;
  readonly display?: string;
  readonly $ref?: string;
  readonly [name: string]: unknown;
}

/** An answer's JSON: the members that tests read by name, and any other. */
export interface Message {
  readonly schemas: readonly string[];
  readonly id: string;
  readonly meta: {
    readonly resourceType: string;
    readonly created: string;
    readonly lastModified: string;
    readonly location: string;
    readonly version: string;
  };
  readonly totalResults: number;
  readonly itemsPerPage?: number;
  readonly startIndex?: number;
  readonly nextCursor?: string;
  readonly previousCursor?: string;
  readonly Resources?: readonly Message[];
  readonly detail?: string;
  readonly scimType?: string;
  readonly status?: string;
  readonly members?: readonly MultiValue[];
  readonly emails?: readonly MultiValue[];
  readonly groups?: readonly MultiValue[];
  readonly [name: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; an empty object when there is none. */
  readonly body: Message;
  readonly text: string;
}

/** One gateway (tenant) of a running server, addressed relative to its SCIM base URL. */
export interface TestGateway {
  readonly base: string;
  readonly token: string;
  /** `path` starts with `/`, may already hold an encoded query string, or is a whole URL of this server. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** The same gateway with another credential. */
  withToken(token: string): TestGateway;
}

/** A server that runs for a test file. */
export interface TestServer {
  /** The gateway with that id, with a token of its own. */
  gateway(id?: string): Promise<TestGateway>;
  /** A further token of a gateway, which may be told apart by its label. */
  createToken(id: string, label: string): Promise<string>;
  /** Everything that was logged so far. */
  log(): string;
  /** Its data folder, to look for what must not be kept. */
  readonly dataDir: string;
  close(): Promise<void>;
}

export interface ServerOptions {
  /** The text of gateway.yaml; without one the server's built-in default. */
  readonly config?: string | undefined;
  /** The folder that relative file names in the configuration start from. */
  readonly baseDir?: string | undefined;
  /** Kinds of backends beside the built-in ones; only for a server in this process. */
  readonly modules?: readonly AdapterModule[] | undefined;
}

/** Sends one request to the server. The in-process server and the real one differ only here. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

const mediaType = 'application/scim+json';

export function createTestGateway(base: string, token: string, send: Send): TestGateway {
  const request = async (method: string, path: string, options: RequestOptions = {}): Promise<Answer> => {
    const text = options.rawBody ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    const headers = new Headers({ authorization: `Bearer ${token}`, accept: mediaType });
    if (text !== undefined) headers.set('content-type', mediaType);
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value === null) headers.delete(name);
      else headers.set(name, value);
    }
    const url = withQuery(path.startsWith('http') ? path : base + path, options.query);
    return toAnswer(
      await send(url, { method, headers, redirect: 'manual', ...(text === undefined ? {} : { body: text }) }),
    );
  };
  return { base, token, request, withToken: (other) => createTestGateway(base, other, send) };
}

function withQuery(url: string, query: RequestOptions['query']): string {
  const pairs = Object.entries(query ?? {}).map(([name, value]) =>
    value === null ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return pairs.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parseMessage(text), text };
}

function parseMessage(text: string): Message {
  if (text === '') return {} as Message;
  try {
    return JSON.parse(text) as Message;
  } catch {
    return {} as Message;
  }
}

export const repositoryRoot = resolve(import.meta.dirname, '../..');
