import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { Connections } from './connections.js';
import { explainListen } from './listen-error.js';
import {
  answerUnparsable,
  malformed,
  maxHeadBytes,
  maxHeaders,
  refuseAmbiguous,
  refuseExpectation,
} from './malformed.js';
import { readTlsPair, type TlsFiles, type TlsPair } from './tls.js';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** `createApp(…).fetch` */
  readonly fetch: Parameters<typeof getRequestListener>[0];
  /** HTTPS instead of HTTP. */
  readonly tls?: TlsFiles;
  readonly log?: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Open at the same time. Default: 10,000, or less where the process may open fewer files. */
  readonly maxConnections?: number;
  /** For slow clients; the defaults suit all that are known. */
  readonly patience?: Partial<Patience>;
}

export interface Patience {
  /** For a request's line and headers, or a TLS handshake. */
  readonly headMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** For a client that takes nothing of its answer. */
  readonly stalledMs: number;
  /** How often heads and requests are looked at. */
  readonly checkEveryMs: number;
}

export interface HttpServer {
  readonly port: number;
  /** From now on, each connection is closed after its next answer, so that clients and balancers look for another one. */
  drain(): void;
  /** Takes no more connections, lets requests finish for so long, then ends them. */
  stop(graceMs: number): Promise<void>;
  /**
   * Reads the certificate and its key again: new connections get them, the others go on as they are. A pair that cannot
   * be used is logged and changes nothing. Never rejects.
   * @returns whether the pair is in use
   */
  reloadTls(): Promise<boolean>;
  /** For metrics: how many are open. */
  connections(): number;
  /** For metrics: until when the certificate in use is valid. */
  certificateExpiresAtMs(): number | undefined;
}

/** Longer than balancers keep idle connections (60 seconds as a rule), so that none is closed under a request. */
const keepAliveMs = 75_000;
const usualPatience: Patience = { headMs: 20_000, requestMs: 120_000, stalledMs: 60_000, checkEveryMs: 5000 };
const idleSweepMs = 50;
/** A year (RFC 6797). */
const strictTransportSecurity = 'max-age=31536000';
const sameFailureOnceInMs = 60_000;

/** @throws Error with a sentence for the operator when the address cannot be listened on, or TLS has no usable files */
export async function startServer(options: ServerOptions): Promise<HttpServer> {
  const { host, port, tls, log } = options;
  let pair = tls === undefined ? undefined : await readTlsPair(tls);
  if (pair !== undefined) describePair(pair, log);
  const patience = { ...usualPatience, ...options.patience };
  let isDraining = false;
  const { server, connections } = create(options, pair, patience, () => isDraining);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explainListen(error, host, port, '--listen HOST:PORT')));
    server.listen(port, host, resolve);
  });

  const reloadTls = async (): Promise<boolean> => {
    if (tls === undefined) return false;
    try {
      const next = await readTlsPair(tls);
      if (next.expiresAtMs < Date.now() && pair !== undefined && pair.expiresAtMs > Date.now()) {
        throw new Error(`The certificate ${tls.certificate} has expired.`);
      }
      (server as HttpsServer).setSecureContext(next.options);
      pair = next;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log?.error({ reason }, 'The new certificate is not used; the one before stays in use.');
      return false;
    }
    describePair(pair, log);
    return true;
  };

  return {
    port: (server.address() as AddressInfo).port,
    drain: () => {
      isDraining = true;
    },
    stop: (graceMs) => stop(server, connections, graceMs),
    reloadTls,
    connections: () => connections.size,
    certificateExpiresAtMs: () => pair?.expiresAtMs,
  };
}

function describePair({ names, expiresAtMs }: TlsPair, log: ServerOptions['log']): void {
  const fields = { names, expires: new Date(expiresAtMs).toISOString() };
  if (expiresAtMs < Date.now()) log?.warn(fields, 'The certificate in use has expired: no client will connect.');
  else log?.info(fields, 'The certificate is in use.');
}

interface Created {
  readonly server: Server | HttpsServer;
  readonly connections: Connections;
}

function create(
  { fetch, log, maxConnections }: ServerOptions,
  pair: TlsPair | undefined,
  patience: Patience,
  isDraining: () => boolean,
): Created {
  const settings = {
    keepAliveTimeout: keepAliveMs,
    headersTimeout: patience.headMs,
    requestTimeout: patience.requestMs,
    maxHeaderSize: maxHeadBytes,
    connectionsCheckingInterval: patience.checkEveryMs,
    // It is refused here, in SCIM's form.
    requireHostHeader: false,
  };
  // Health checks in HTTP/1.0 send no Host.
  const handle = getRequestListener(fetch, { hostname: 'localhost', errorHandler: () => malformed() });
  const server =
    pair === undefined
      ? createPlainServer(settings)
      : createTlsServer({
          ...settings,
          ...pair.options,
          handshakeTimeout: patience.headMs,
          ALPNProtocols: ['http/1.1'],
        });
  server.maxHeadersCount = maxHeaders;
  const connections = new Connections(server, maxConnections);
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    connections.hasSpoken(request.socket);
    if (isDraining()) response.shouldKeepAlive = false;
    if (pair !== undefined) response.setHeader('Strict-Transport-Security', strictTransportSecurity);
    if (!refuseAmbiguous(request, response)) void handle(request, response);
  };
  server.on('request', listener);
  server.on('connection', (socket) => connections.add(socket));
  server.on('clientError', answerUnparsable);
  server.on('checkExpectation', refuseExpectation);
  endStalled(server, patience.stalledMs);
  if (pair !== undefined) followHandshakes(server, connections, log);
  return { server, connections };
}

/** Ends connections whose client takes nothing of its answer; those that wait for an answer are not silent by their fault. */
function endStalled(server: Server | HttpsServer, stalledMs: number): void {
  server.timeout = stalledMs;
  server.on('timeout', (socket: Socket) => {
    // While a connection is idle its own time-out is in force, that of `keepAliveTimeout`.
    const isIdle = socket.timeout !== stalledMs;
    if (isIdle || socket.writableLength > 0) socket.destroy();
  });
}

/** Tells connections and their TLS sockets apart, and the operator why handshakes fail: once a minute for each reason. */
function followHandshakes(server: Server | HttpsServer, connections: Connections, log: ServerOptions['log']): void {
  const shaking = new Map<string, Socket>();
  const nameOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;
  const toldAtMs = new Map<string, number>();
  server.on('connection', (socket) => {
    const name = nameOf(socket);
    shaking.set(name, socket);
    socket.once('close', () => {
      if (shaking.get(name) === socket) shaking.delete(name);
    });
  });
  server.on('secureConnection', (tls: TLSSocket) => {
    const name = nameOf(tls);
    const socket = shaking.get(name);
    shaking.delete(name);
    if (socket !== undefined) connections.secured(socket, tls);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, tls: TLSSocket) => {
    // A time-out does not end it by itself.
    tls.destroy();
    const reason = error.code ?? 'unknown';
    const now = performance.now();
    if (reason === 'ECONNRESET' || now - (toldAtMs.get(reason) ?? Number.NEGATIVE_INFINITY) < sameFailureOnceInMs)
      return;
    // OpenSSL's reasons are few.
    toldAtMs.set(reason, now);
    log?.warn({ reason, remoteAddress: tls.remoteAddress }, 'A TLS handshake failed.');
  });
}

async function stop(server: Server | HttpsServer, connections: Connections, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // Connections are kept alive, so that one becomes idle when its last answer is out.
  const endIdle = (): void => {
    server.closeIdleConnections();
    connections.closeSilent();
  };
  endIdle();
  const sweep = setInterval(endIdle, idleSweepMs);
  const force = setTimeout(() => {
    server.closeAllConnections();
    connections.closeAll();
  }, graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}
