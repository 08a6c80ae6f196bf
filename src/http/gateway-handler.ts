import type { Context } from 'hono';
import type { AuthResult, Refused } from '../auth/authentication.js';
import type { Caller } from '../provisioning/service.js';
import { ScimError } from '../scim/error.js';
import { RequestRecord } from '../transactions/request-record.js';
import { errorResponse } from './answer.js';
import { releaseBody } from './body.js';
import { Exchange, type HttpEnv } from './exchange.js';
import type { HttpGateway } from './http-gateway.js';
import { Flight } from './in-flight.js';
import type { Observer } from './observer.js';
import { type Endpoint, operate } from './operations.js';
import { hasTokenParameter } from './query.js';
import type { RefusalDelay } from './refusals.js';
import { HttpRequestContext } from './request-context.js';
import { createRouter, type Route } from './route.js';
import { formatTraceparent, parseTraceparent } from './trace-context.js';
import { type Forwarding, forwardedOrigin, type ProxyTrust } from './trusted-proxies.js';

export interface HandlerOptions {
  readonly observer: Observer;
  readonly refusals: RefusalDelay;
  /** The URL that the outside world uses, without the address. Without it, locations repeat the request's own origin. */
  readonly publicUrl?: string | undefined;
  /** Whose word counts about where a request came from. */
  readonly proxies?: ProxyTrust | undefined;
}

const anonymous: Caller = { id: 'anonymous' };
const lateRetrySeconds = 30;
const disabledRetrySeconds = 300;

/** Everything below one gateway's address. Whatever happens, it gives an answer in SCIM's form and does not throw. */
export function createGatewayHandler(
  gateway: HttpGateway,
  options: HandlerOptions,
): (context: Context<HttpEnv>) => Promise<Response> {
  const { observer, refusals, proxies } = options;
  const router = createRouter(gateway.service);
  const fixedBaseUrl = options.publicUrl === undefined ? undefined : options.publicUrl + gateway.address;
  const budgetMs = gateway.limits.requestSeconds * 1000;

  const admit = (exchange: Exchange, route: Route): AuthResult | Promise<AuthResult> => {
    const authorization = exchange.header('authorization');
    if (authorization === undefined) {
      const isPublic = gateway.publicDiscovery && route.kind === 'serviceProviderConfig' && exchange.method === 'GET';
      if (isPublic) return { caller: anonymous };
    } else if (exchange.query !== '' && hasTokenParameter(exchange.query)) {
      return twoTokens(gateway.id);
    }
    return gateway.authenticate(authorization);
  };

  const refuse = async (exchange: Exchange, refused: Refused, flight: Flight, record: RequestRecord) => {
    record.reason = refused.reason;
    const delay = refusals.delay(record.address, flight);
    if (delay !== undefined) await delay;
    return errorResponse(exchange, toError(refused), { 'WWW-Authenticate': refused.challenge });
  };

  const baseUrlOf = ({ origin }: Exchange, forwarding: Forwarding | undefined): string =>
    (forwarding === undefined ? origin : forwardedOrigin(origin, forwarding)) + gateway.address;

  const work = async (
    exchange: Exchange,
    route: Route,
    flight: Flight,
    record: RequestRecord,
    forwarding: Forwarding | undefined,
  ): Promise<Response> => {
    try {
      const admission = admit(exchange, route);
      const result = admission instanceof Promise ? await admission : admission;
      if (result.caller === undefined) return await refuse(exchange, result, flight, record);
      record.caller = result.caller;
      if (!gateway.enabled()) throw ScimError.unavailable('This gateway is switched off.', disabledRetrySeconds);
      const entrance = gateway.admission.enter(flight);
      if (entrance !== undefined) await entrance;
      try {
        const endpoint = checkEndpoint(exchange, route);
        const baseUrl = fixedBaseUrl ?? baseUrlOf(exchange, forwarding);
        const context = new HttpRequestContext(result.caller, baseUrl, record, flight, observer.isRecording);
        return await operate({ gateway, exchange, context, record }, endpoint);
      } finally {
        gateway.admission.leave();
        releaseBody(exchange);
      }
    } catch (error) {
      return fail(exchange, error, flight, record);
    }
  };

  const fail = (exchange: Exchange, error: unknown, flight: Flight, record: RequestRecord): Response => {
    const scimError =
      error instanceof ScimError ? error : flight.endedBy ? late(gateway, error) : ScimError.internal(error);
    const { caller } = record;
    record.reason ??= scimError.message;
    if (scimError.status >= 500 && scimError.status !== 501) observer.failed(gateway, record, scimError);
    const isLimited = caller?.readOnly !== undefined || caller?.resourceTypes !== undefined;
    if (scimError.status === 403 && scimError.scimType === undefined && isLimited) {
      const challenge = `Bearer realm="${gateway.id}", error="insufficient_scope"`;
      return errorResponse(exchange, scimError, { 'WWW-Authenticate': challenge });
    }
    return errorResponse(exchange, scimError);
  };

  return async (context) => {
    const exchange = new Exchange(context, proxies);
    const route = router(exchange.path.slice(gateway.address.length));
    const record = noteOf(gateway, exchange, route);
    const forwarding = proxies?.read(exchange.remoteAddress, (name) => exchange.header(name));
    record.address = forwarding === undefined ? exchange.remoteAddress : forwarding.address;
    const trace = parseTraceparent(exchange.header('traceparent'));
    record.traceId = trace?.traceId;
    const flight = new Flight(exchange.startedAtMs + budgetMs, exchange.outgoing);
    const response = await gateway.inFlight.track(flight, work(exchange, route, flight, record, forwarding), () => {
      if (exchange.isReceiving) return refuseSlowBody(gateway, exchange, record);
      const error = late(gateway, undefined);
      record.reason = 'the work went on after its deadline';
      observer.failed(gateway, record, error);
      return errorResponse(exchange, error);
    });
    observer.answered(gateway, record, response.status);
    if (trace !== undefined) response.headers.set('traceparent', formatTraceparent(trace));
    return response;
  };
}

function noteOf(gateway: HttpGateway, exchange: Exchange, route: Route): RequestRecord {
  const { requestId, startedAtMs, request } = exchange;
  const record = new RequestRecord(gateway.id, requestId, request.method, route.kind, startedAtMs);
  if ('type' in route) record.resourceType = route.type;
  if (route.kind === 'resource') record.resourceId = route.id;
  return record;
}

/** What an allowed caller has to be told before anything is done. */
function checkEndpoint(exchange: Exchange, route: Route): Endpoint {
  if (route.kind === 'refused') throw route.error;
  if (!exchange.isAcceptable) {
    throw ScimError.notAcceptable(
      'Answers are "application/scim+json" or "application/json": "Accept" allows neither.',
    );
  }
  return route;
}

function late(gateway: HttpGateway, cause: unknown): ScimError {
  const detail = `The request was not finished within ${gateway.limits.requestSeconds} seconds, and may have been carried out in part.`;
  return ScimError.unavailable(detail, lateRetrySeconds, cause);
}

/** Not our fault, so no line among the errors; nothing was carried out yet. */
function refuseSlowBody(gateway: HttpGateway, exchange: Exchange, record: RequestRecord): Response {
  record.reason = 'the body did not arrive in time';
  const detail = `The body did not arrive within ${gateway.limits.requestSeconds} seconds.`;
  return errorResponse(exchange, ScimError.requestTimeout(detail));
}

function twoTokens(realm: string): Refused {
  return {
    status: 400,
    detail: 'Credentials came twice: send them in the Authorization header only.',
    challenge: `Bearer realm="${realm}", error="invalid_request"`,
    reason: 'an Authorization header and an access_token parameter came together',
  };
}

function toError(refused: Refused): ScimError {
  if (refused.status === 400) return ScimError.badRequest('invalidSyntax', refused.detail);
  return refused.status === 401 ? ScimError.unauthorized(refused.detail) : ScimError.forbidden(refused.detail);
}
