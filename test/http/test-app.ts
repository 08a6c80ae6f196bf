import type { Hono } from 'hono';
import { pino } from 'pino';
import type { Authenticate } from '../../src/auth/authentication.js';
import { createAdmission } from '../../src/http/admission.js';
import { type AppOptions, createApp } from '../../src/http/app.js';
import type { HttpEnv } from '../../src/http/exchange.js';
import type { HttpGateway } from '../../src/http/http-gateway.js';
import { InFlight } from '../../src/http/in-flight.js';
import { tolerantDialect } from '../../src/scim/dialect.js';
import { createFakeService, type FakeService } from './fake-service.js';

export interface TestApp {
  readonly app: Hono<HttpEnv>;
  readonly service: FakeService;
  /** What was logged, as objects. */
  readonly logged: readonly Record<string, unknown>[];
  /** Sends with the token that the test gateway accepts. */
  send(path: string, init?: RequestInit): Promise<Response>;
}

export interface TestAppOptions {
  readonly service?: FakeService;
  readonly gateway?: Partial<HttpGateway>;
  readonly more?: readonly HttpGateway[];
  readonly app?: Partial<AppOptions>;
  readonly level?: string;
  /** Null: none, so that locations repeat the request's own origin. */
  readonly publicUrl?: string | null;
}

export const acceptAny: Authenticate = (authorization) =>
  authorization === undefined
    ? { status: 401, detail: 'No credentials.', challenge: 'Bearer realm="test"', reason: 'no Authorization header' }
    : { caller: { id: 'token:test' } };

export const testLimits = { bodyBytes: 1000, bulkBytes: 2000, requestSeconds: 20, filterLength: 100, jsonDepth: 64 };

export function testGateway(service: FakeService, override: Partial<HttpGateway> = {}): HttpGateway {
  return {
    id: 'test',
    address: '/scim',
    service,
    authenticate: acceptAny,
    log: pino({ level: 'silent' }),
    inFlight: new InFlight(),
    admission: createAdmission({ requestsPerSecond: 0, concurrentRequests: 1000 }),
    limits: testLimits,
    dialect: tolerantDialect,
    enabled: () => true,
    publicDiscovery: true,
    sensitiveFilters: [],
    requireIfMatch: false,
    ...override,
  };
}

export function createTestApp(options: TestAppOptions = {}): TestApp {
  const service = options.service ?? createFakeService();
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: options.level ?? 'info' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const gateways = [testGateway(service, { log, ...options.gateway }), ...(options.more ?? [])];
  const { publicUrl = 'https://scim.example.com' } = options;
  const served = { gateways, publicUrl: publicUrl ?? undefined };
  const app = createApp({
    served: () => served,
    log,
    health: () => ({ ready: true, gateways: [] }),
    ...options.app,
  });
  return {
    app,
    service,
    logged,
    send: async (path, init = {}) =>
      app.request(path, {
        ...init,
        headers: { authorization: 'Bearer t', ...(init.headers as Record<string, string>) },
      }),
  };
}

/** A request with a JSON body. */
export function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/scim+json', ...headers },
  };
}

/** The body of a refusal. */
export async function errorOf(response: Response): Promise<{ detail: string; status: string; scimType?: string }> {
  return (await response.json()) as { detail: string; status: string; scimType?: string };
}
