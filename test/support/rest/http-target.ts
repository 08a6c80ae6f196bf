import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, Faults } from './fault.js';
import type { TargetAnswer, TargetRequest } from './http-exchange.js';

/** A request and what became of it. */
export interface SeenRequest extends TargetRequest {
  /** The status that was answered, or would have been. */
  readonly status: number;
}

/** An HTTP server for tests: it records what it is asked, and every fault can be put in front of it. */
export interface HttpTarget {
  readonly origin: string;
  readonly faults: Faults;
  /** In the order in which they came. */
  readonly seen: readonly SeenRequest[];
  /** Forgets what it has seen. */
  forget(): void;
  /** Ends all connections that are open. */
  cutAll(): void;
  /** Refuses connections until `accept`, which takes the same port again. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
}

export type Handle = (request: TargetRequest) => TargetAnswer | Promise<TargetAnswer>;

/** @param handle carries a request out; it must not throw */
export async function startHttpTarget(handle: Handle): Promise<HttpTarget> {
  const faults = new Faults();
  const seen: SeenRequest[] = [];
  const pending = new Set<NodeJS.Timeout>();
  const later = (ms: number, act: () => void): void => {
    const timer = setTimeout(() => {
      pending.delete(timer);
      act();
    }, ms);
    pending.add(timer);
  };
  const server = createServer((message, response) => {
    void answerOne(message, response, { handle, faults, seen, later }).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    for (const timer of pending) clearTimeout(timer);
    pending.clear();
    if (!server.listening) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    faults,
    seen,
    forget: () => {
      seen.length = 0;
    },
    cutAll: () => server.closeAllConnections(),
    refuse: stop,
    accept: () => listen(server, port),
    close: stop,
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

interface Parts {
  readonly handle: Handle;
  readonly faults: Faults;
  readonly seen: SeenRequest[];
  readonly later: (ms: number, act: () => void) => void;
}

async function answerOne(message: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  const request = await readRequest(message);
  const fault = parts.faults.take(request);
  if (fault?.kind === 'blackHole' || fault?.kind === 'loseRequest') {
    parts.seen.push({ ...request, status: 0 });
    if (fault.kind === 'loseRequest') message.socket.destroy();
    return;
  }
  const answer = fault?.kind === 'answer' ? fault.answer : await parts.handle(request);
  parts.seen.push({ ...request, status: answer.status });
  giveAnswer(request, answer, response, fault, parts.later);
}

function giveAnswer(
  request: TargetRequest,
  answer: TargetAnswer,
  response: ServerResponse,
  fault: Fault | undefined,
  later: Parts['later'],
): void {
  switch (fault?.kind) {
    case 'silentAnswer':
      return;
    case 'loseAnswer':
      response.socket?.destroy();
      return;
    case 'cutBody':
      cut(answer, response, fault.bytes);
      return;
    case 'slow':
      later(fault.ms, () => send(answer, response));
      return;
    case 'alter':
      send(fault.alter(answer, request), response);
      return;
    case 'oversize':
      sendTooMuch(answer, response, fault.bytes);
      return;
    default:
      send(answer, response);
  }
}

function send({ status, headers = {}, body = '' }: TargetAnswer, response: ServerResponse): void {
  const bytes = Buffer.from(body);
  const length = status === 204 ? {} : { 'content-length': String(bytes.length) };
  response.writeHead(status, { ...length, ...headers });
  response.end(status === 204 ? undefined : bytes);
}

function cut({ status, headers = {}, body = '' }: TargetAnswer, response: ServerResponse, bytes: number): void {
  const whole = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': String(whole.length + 1) });
  response.write(whole.subarray(0, bytes), () => response.socket?.destroy());
}

const filler = Buffer.alloc(65_536, ' ');

/** White space without end before the body: what reads it all needs the memory. */
function sendTooMuch({ status, headers = {}, body = '' }: TargetAnswer, response: ServerResponse, bytes: number): void {
  response.writeHead(status, headers);
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= filler.length;
      if (!response.write(filler)) {
        response.once('drain', more);
        return;
      }
    }
    if (!response.destroyed) response.end(body);
  };
  more();
}

async function readRequest(message: IncomingMessage): Promise<TargetRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const [rawPath = '', ...rest] = (message.url ?? '').split('?');
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
  return {
    method: message.method ?? '',
    rawPath,
    rawQuery: rest.join('?'),
    headers,
    body: Buffer.concat(chunks),
  };
}
