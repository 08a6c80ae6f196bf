import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { ScimError } from '../scim/error.js';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** `createApp(…).fetch` */
  readonly fetch: Parameters<typeof getRequestListener>[0];
}

export interface HttpServer {
  readonly port: number;
  /** Takes no more connections, lets requests finish for so long, then ends them. */
  stop(graceMs: number): Promise<void>;
}

/** Longer than balancers keep idle connections (60 seconds as a rule), so that none is closed under a request. */
const keepAliveMs = 75_000;
/** For slow senders: the whole head, and the whole request. */
const headersMs = 20_000;
const requestMs = 120_000;
/** Room for a large JWT beside a long filter. */
const maxHeadBytes = 32_768;
const idleSweepMs = 50;

/** @throws Error with a sentence for the operator when the address cannot be listened on */
export async function startServer({ host, port, fetch }: ServerOptions): Promise<HttpServer> {
  const server = createServer(
    {
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      maxHeaderSize: maxHeadBytes,
      connectionsCheckingInterval: 5000,
    },
    // Health checks in HTTP/1.0 send no Host.
    getRequestListener(fetch, { hostname: 'localhost', errorHandler: () => malformed() }),
  );
  server.on('clientError', answerUnparsable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, host, port)));
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, stop: (graceMs) => stop(server, graceMs) };
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // Connections are kept alive, so that one becomes idle when its last answer is out.
  const sweep = setInterval(() => server.closeIdleConnections(), idleSweepMs);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use by another program. Stop that program, or choose another port with --listen HOST:PORT.`,
    EACCES: `this user may not use port ${port}. Choose a port above 1023 with --listen HOST:PORT.`,
    EADDRNOTAVAIL: `this machine does not have the address ${host}. Use 0.0.0.0 for all of its addresses.`,
    ENOTFOUND: `the name ${host} has no address.`,
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause: error });
}

/** What Node let through but is no URL: a wrong Host header, a backslash in the path. */
function malformed(): Response {
  const error = ScimError.badRequest('invalidSyntax', 'The URL or the Host header is malformed.');
  return new Response(JSON.stringify(error.toBody()), {
    status: 400,
    headers: { 'Content-Type': 'application/scim+json', Connection: 'close' },
  });
}

const unparsable: Readonly<Record<string, readonly [status: number, phrase: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    `The URL and the headers are larger than ${maxHeadBytes} bytes: send long queries as POST to "/.search".`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
};

/** Node refuses what is no HTTP before any handler sees it; the answer is in SCIM's form all the same. */
function answerUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, phrase, detail] = unparsable[error.code ?? ''] ?? [400, 'Bad Request', 'This is not valid HTTP.'];
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  const body = JSON.stringify({ schemas, status: String(status), detail });
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\nContent-Type: application/scim+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
