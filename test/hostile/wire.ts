import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';

/** One answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Exchanged {
  readonly answers: readonly WireAnswer[];
  /** The server closed the connection, or reset it. */
  readonly isClosed: boolean;
  readonly durationMs: number;
}

export interface ExchangeOptions {
  /** Done when so many answers are there. Default 1. */
  readonly answers?: number;
}

/** Opens a connection to the server at that origin. Being reset is no error here. */
export function openSocket(origin: string): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  return socket;
}

/** Sends bytes as they are, and gives what comes back until there are enough answers or the server closes. */
export function exchange(origin: string, bytes: string | Buffer, options: ExchangeOptions = {}): Promise<Exchanged> {
  const wanted = options.answers ?? 1;
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const reader = new AnswerReader();
    const socket = openSocket(origin);
    const end = (isClosed: boolean): void => {
      socket.destroy();
      resolve({ answers: reader.answers, isClosed, durationMs: performance.now() - startedAtMs });
    };
    socket.on('data', (data) => {
      reader.add(data);
      if (reader.answers.length >= wanted) end(false);
    });
    socket.once('close', () => end(true));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
  });
}

/** Cuts a stream into answers. All answers of the gateway tell their length. */
export class AnswerReader {
  readonly answers: WireAnswer[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** No answer ends before so many bytes are there. */
  #needed = 0;

  add(data: Buffer): void {
    this.#chunks.push(data);
    this.#bytes += data.length;
    while (this.#bytes >= this.#needed) {
      const buffer = Buffer.concat(this.#chunks);
      const rest = this.#take(buffer);
      this.#chunks = [rest];
      this.#bytes = rest.length;
      if (rest === buffer) return;
    }
  }

  /** @returns what is left: the same buffer when no answer is complete */
  #take(buffer: Buffer): Buffer {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#needed = buffer.length + 1;
      return buffer;
    }
    const [statusLine = '', ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new Error(`This is no answer: ${statusLine.slice(0, 200)}`);
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    this.#needed = end + 4 + Number(headers.get('content-length') ?? 0);
    if (buffer.length < this.#needed) return buffer;
    const body = buffer.toString('utf8', end + 4, this.#needed);
    // 100 Continue is no answer yet.
    if (status !== 100) this.answers.push({ status, headers, body });
    const rest = buffer.subarray(this.#needed);
    this.#needed = 0;
    return rest;
  }
}

/** A connection that is kept alive: one request after another, and opened anew when the server has closed it. */
export class KeptConnection {
  readonly #origin: string;
  #socket: Socket | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** @returns undefined when the connection was closed instead of an answer */
  ask(bytes: string | Buffer): Promise<WireAnswer | undefined> {
    const socket = this.#socket ?? openSocket(this.#origin);
    this.#socket = socket;
    const reader = new AnswerReader();
    return new Promise((resolve) => {
      const end = (answer: WireAnswer | undefined): void => {
        socket.off('data', read);
        socket.off('close', close);
        resolve(answer);
      };
      const close = (): void => {
        this.#socket = undefined;
        end(undefined);
      };
      const read = (data: Buffer): void => {
        reader.add(data);
        const [answer] = reader.answers;
        if (answer === undefined) return;
        if (answer.headers.get('connection') === 'close') this.close();
        end(answer);
      };
      socket.on('data', read);
      socket.once('close', close);
      socket.write(bytes);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

export interface RequestParts {
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

/** A well-formed request around hostile parts. */
export function requestBytes(token: string, { method, path, headers = [], body }: RequestParts): Buffer {
  const content = body === undefined ? undefined : Buffer.from(body);
  const hasType = headers.some((line) => /^content-type:/i.test(line));
  const head = [
    `${method ?? (body === undefined ? 'GET' : 'POST')} ${path} HTTP/1.1`,
    'Host: gateway.example',
    `Authorization: Bearer ${token}`,
    ...(content === undefined ? [] : [`Content-Length: ${content.length}`]),
    ...(content === undefined || hasType ? [] : ['Content-Type: application/scim+json']),
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'utf8'), content ?? Buffer.alloc(0)]);
}

/** Holds an answer against RFC 7644 §3.12. Never 500: nothing that a caller sends is a fault of ours. */
export function expectScimError(answer: WireAnswer | undefined, status?: number | readonly number[]): void {
  expect(answer, 'an answer').toBeDefined();
  if (answer === undefined) return;
  const allowed = status === undefined ? undefined : [status].flat();
  if (allowed === undefined) expect(answer.status, answer.body).toSatisfy((code: number) => code >= 400 && code < 500);
  else expect(allowed, answer.body).toContain(answer.status);
  expect(answer.headers.get('content-type')).toBe('application/scim+json');
  const body = JSON.parse(answer.body) as { schemas: unknown; status: unknown; detail: unknown };
  expect(body.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:Error']);
  expect(body.status).toBe(String(answer.status));
  expect(typeof body.detail).toBe('string');
}
