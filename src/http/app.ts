import { Hono } from 'hono';
import type { Logger } from 'pino';
import { ScimError } from '../scim/error.js';
import { errorResponse } from './answer.js';
import { Exchange, type HttpEnv, rawPath } from './exchange.js';
import { createGatewayHandler } from './gateway-handler.js';
import type { HttpGateway } from './http-gateway.js';
import { InFlight } from './in-flight.js';
import { createRefusalLog } from './refusal-log.js';

/** What /health/ready tells. No hosts, no error texts: it is open to everybody. */
export interface Health {
  /** Requests are served. Backends do not count: with one down, the gateway is there and says so. */
  readonly ready: boolean;
  readonly gateways: readonly GatewayHealth[];
}

export interface GatewayHealth {
  readonly id: string;
  readonly enabled: boolean;
  readonly adapters: readonly { readonly name: string; readonly state: 'up' | 'down' | 'unknown' }[];
}

export interface AppOptions {
  readonly gateways: readonly HttpGateway[];
  readonly log: Logger;
  /** Scheme and host that the outside world uses, without a trailing slash: `https://scim.example.com`. */
  readonly publicUrl?: string;
  readonly health: () => Health;
}

/** The whole of HTTP: health for the platform, and each gateway below its address. */
export function createApp(options: AppOptions): Hono<HttpEnv> {
  const { log } = options;
  const app = new Hono<HttpEnv>({ getPath: rawPath });
  const shared = {
    log,
    inFlight: new InFlight(),
    logRefusal: createRefusalLog(log),
    publicUrl: options.publicUrl?.replace(/\/+$/, ''),
  };

  app.get('/health/live', () => healthResponse(200, { status: 'live' }));
  app.get('/health/ready', () => {
    const { ready, gateways } = options.health();
    return healthResponse(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', gateways });
  });

  // The longest address first: one may lie below another.
  for (const gateway of options.gateways.toSorted((one, other) => other.address.length - one.address.length)) {
    app.all(`${gateway.address}/*`, createGatewayHandler(gateway, shared));
  }
  app.notFound((context) =>
    errorResponse(new Exchange(context), ScimError.notFound('There is no gateway at this address.')),
  );
  app.onError((error, context) => {
    const exchange = new Exchange(context);
    log.error({ requestId: exchange.requestId, path: exchange.path, err: error }, 'A request failed unexpectedly.');
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
