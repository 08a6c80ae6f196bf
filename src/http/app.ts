import { type Context, Hono } from 'hono';
import type { Logger } from 'pino';
import { ScimError } from '../scim/error.js';
import type { TransactionRecorder } from '../transactions/request-record.js';
import { errorResponse } from './answer.js';
import { Exchange, type HttpEnv, rawPath } from './exchange.js';
import { createGatewayHandler } from './gateway-handler.js';
import type { Metrics } from './metrics.js';
import { createMounts, type Served } from './mounts.js';
import { createObserver } from './observer.js';
import { createRefusalLog } from './refusal-log.js';
import { createRefusalDelay } from './refusals.js';
import { answerTokenRequest } from './token-endpoint.js';

/** What /health/ready tells. No hosts, no error texts: it is open to everybody. */
export interface Health {
  /** Requests are served. Backends do not count: with one down, the gateway is there and says so. */
  readonly ready: boolean;
  /** Where tokens are kept. While it is down, known tokens are taken for a while and others answered 503. */
  readonly state?: 'up' | 'down';
  readonly gateways: readonly GatewayHealth[];
}

export interface GatewayHealth {
  readonly id: string;
  readonly enabled: boolean;
  readonly adapters: readonly AdapterHealth[];
}

/** How one backend is dealt with at the moment. */
export interface AdapterHealth {
  readonly name: string;
  /** `down` while it is left alone because it failed repeatedly, `unknown` while it is tried again. */
  readonly state: 'up' | 'down' | 'unknown';
  /** Operations that have a place, those that wait for their moment included. */
  readonly inFlight: number;
  /** Operations that wait for a place. */
  readonly queued: number;
  /** What waits for its moment: the declared rate, or what the backend asked for. */
  readonly waiting: number;
  /** Until when nothing is sent since the backend asked for it, as an instant. */
  readonly pausedUntil?: string;
  /** As declared. */
  readonly rate?: { readonly requests: number; readonly perSeconds: number };
}

export interface AppOptions {
  /** What is served now. Another object holds from the next request on; requests under way finish on theirs. */
  readonly served: () => Served;
  readonly log: Logger;
  readonly health: () => Health;
  readonly recorder?: TransactionRecorder;
  readonly metrics?: Pick<Metrics, 'gateway'>;
}

/** The whole of HTTP: health for the platform, and each gateway below its address. */
export function createApp(options: AppOptions): Hono<HttpEnv> {
  const { log } = options;
  const app = new Hono<HttpEnv>({ getPath: rawPath });
  const { recorder, metrics } = options;
  const observer = createObserver({
    logRefusal: createRefusalLog(log),
    ...(recorder === undefined ? {} : { recorder }),
    ...(metrics === undefined ? {} : { metrics }),
  });
  const refusals = createRefusalDelay();
  const find = createMounts(options.served, (gateway, outside) =>
    createGatewayHandler(gateway, { observer, refusals, ...outside }),
  );
  const notFound = (context: Context<HttpEnv>): Response =>
    errorResponse(new Exchange(context), ScimError.notFound('There is no gateway at this address.'));

  app.get('/health/live', () => healthResponse(200, { status: 'live' }));
  app.get('/health/ready', () => {
    const { ready, ...parts } = options.health();
    return healthResponse(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', ...parts });
  });

  app.all('/oauth/token', (context) => {
    const { tokenEndpoint, proxies, gateways } = options.served();
    const exchange = new Exchange(context, proxies);
    if (tokenEndpoint === undefined) return find(context.req.path)?.(context) ?? notFound(context);
    const { remoteAddress } = exchange;
    const address = proxies?.read(remoteAddress, (name) => exchange.header(name)).address ?? remoteAddress;
    return answerTokenRequest(exchange, {
      endpoint: tokenEndpoint,
      refusals,
      address,
      finished: (record, status) => {
        observer.answered(gateways.find(({ id }) => id === record.gateway) ?? { log }, record, status);
      },
    });
  });
  app.all('*', (context) => find(context.req.path)?.(context) ?? notFound(context));
  app.notFound(notFound);
  app.onError((error, context) => {
    const exchange = new Exchange(context);
    log.error({ requestId: exchange.requestId, err: error }, 'A request failed unexpectedly.');
    return errorResponse(exchange, ScimError.internal(error));
  });
  return app;
}

function healthResponse(status: 200 | 503, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
  });
}
