import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { explainListen } from './listen-error.js';
import type { Metrics } from './metrics.js';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
}

export interface MetricsServer {
  readonly port: number;
  /** At once: whoever reads metrics comes again. */
  stop(): Promise<void>;
}

/** Few read metrics; more than these have no business here. */
const mostConnections = 64;
const limits = { headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 2000, maxHeaderSize: 8192 };

/**
 * `/metrics` and nothing else, on a listener of its own, so that it need not be shown to callers.
 * @throws Error with a sentence for the operator when the address cannot be listened on
 */
export async function startMetricsServer({ host, port, metrics }: MetricsServerOptions): Promise<MetricsServer> {
  // Whoever asks while an answer is being made gets the same.
  let making: Promise<string> | undefined;
  const text = (): Promise<string> => {
    making ??= metrics.text().finally(() => {
      making = undefined;
    });
    return making;
  };
  const answer = async ({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (url !== '/metrics' && !url.startsWith('/metrics?')) return end(response, 404, 'Metrics are at /metrics.\n');
    if (method !== 'GET' && method !== 'HEAD') return end(response.setHeader('Allow', 'GET, HEAD'), 405, '');
    try {
      end(response.setHeader('Content-Type', metrics.contentType), 200, await text());
    } catch {
      end(response, 500, 'The metrics could not be collected.\n');
    }
  };
  const server = createServer(limits, (request, response) => void answer(request, response));
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explainListen(error, host, port, '"metrics.listen"')));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function end(response: ServerResponse, status: number, text: string): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(status, { 'Cache-Control': 'no-store' }).end(text);
}
