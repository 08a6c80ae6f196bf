import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { AuthResult, Refused } from '../auth/authentication.js';
import type { Caller } from '../provisioning/service.js';
import { ScimError } from '../scim/error.js';
import { errorResponse } from './answer.js';
import { Exchange, type HttpEnv } from './exchange.js';
import type { HttpGateway } from './http-gateway.js';
import { Flight, type InFlight } from './in-flight.js';
import { type Endpoint, operate } from './operations.js';
import { hasTokenParameter } from './query.js';
import type { Refusal } from './refusal-log.js';
import { HttpRequestContext } from './request-context.js';
import { createRouter, type Route } from './route.js';

export interface HandlerOptions {
  readonly log: Logger;
  readonly inFlight: InFlight;
  readonly logRefusal: (refusal: Refusal) => void;
  /** The URL that the outside world uses, without the address. Without it, locations repeat the request's own origin. */
  readonly publicUrl: string | undefined;
}

const anonymous: Caller = { id: 'anonymous' };
const lateRetrySeconds = 30;
const disabledRetrySeconds = 300;

/** Everything below one gateway's address. Whatever happens, it gives an answer in SCIM's form and does not throw. */
export function createGatewayHandler(
  gateway: HttpGateway,
  options: HandlerOptions,
): (context: Context<HttpEnv>) => Promise<Response> {
  const { log, inFlight } = options;
  const router = createRouter(gateway.service);
  const fixedBaseUrl = options.publicUrl === undefined ? undefined : options.publicUrl + gateway.address;
  const budgetMs = gateway.limits.requestSeconds * 1000;
  const isDebugging = log.isLevelEnabled('debug');

  const refuse = (exchange: Exchange, refused: Refused): Response => {
    const { requestId, remoteAddress } = exchange;
    options.logRefusal({ gateway: gateway.id, requestId, remoteAddress, reason: refused.reason });
    return errorResponse(exchange, toError(refused), { 'WWW-Authenticate': refused.challenge });
  };

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

  const logDropped = (requestId: string, what: string, why: string): void => {
    if (isDebugging) log.debug({ gateway: gateway.id, requestId, what, why }, 'Dropped.');
  };

  const work = async (exchange: Exchange, route: Route, flight: Flight): Promise<Response> => {
    let caller: Caller | undefined;
    try {
      const admission = admit(exchange, route);
      const result = admission instanceof Promise ? await admission : admission;
      caller = result.caller;
      if (caller === undefined) return refuse(exchange, result as Refused);
      const endpoint = checkEndpoint(gateway, exchange, route);
      const baseUrl = fixedBaseUrl ?? exchange.origin + gateway.address;
      const context = new HttpRequestContext(caller, exchange.requestId, baseUrl, logDropped, flight);
      return await operate({ gateway, exchange, context }, endpoint);
    } catch (error) {
      return fail(exchange, error, flight, caller);
    }
  };

  const fail = (exchange: Exchange, error: unknown, flight: Flight, caller: Caller | undefined): Response => {
    const scimError =
      error instanceof ScimError ? error : flight.endedBy ? late(gateway, error) : ScimError.internal(error);
    if (scimError.status >= 500 && scimError.status !== 501) {
      log.error(
        { ...describe(gateway, exchange), caller: caller?.id, status: scimError.status, err: scimError },
        scimError.message,
      );
    }
    const isLimited = caller?.readOnly !== undefined || caller?.resourceTypes !== undefined;
    if (scimError.status === 403 && scimError.scimType === undefined && isLimited) {
      const challenge = `Bearer realm="${gateway.id}", error="insufficient_scope"`;
      return errorResponse(exchange, scimError, { 'WWW-Authenticate': challenge });
    }
    return errorResponse(exchange, scimError);
  };

  const answer = async (exchange: Exchange): Promise<Response> => {
    const flight = new Flight(exchange.startedAtMs + budgetMs, exchange.outgoing);
    const route = router(exchange.path.slice(gateway.address.length));
    return inFlight.track(flight, work(exchange, route, flight), () => {
      const error = late(gateway, undefined);
      log.error({ ...describe(gateway, exchange), status: error.status }, 'The work went on after its deadline.');
      return errorResponse(exchange, error);
    });
  };

  if (!isDebugging) return (context) => answer(new Exchange(context));
  return async (context) => {
    const exchange = new Exchange(context);
    const response = await answer(exchange);
    const durationMs = Math.round(performance.now() - exchange.startedAtMs);
    log.debug({ ...describe(gateway, exchange), status: response.status, durationMs }, 'Answered.');
    return response;
  };
}

/** What an allowed caller has to be told before anything is done. */
function checkEndpoint(gateway: HttpGateway, exchange: Exchange, route: Route): Endpoint {
  if (!gateway.enabled()) throw ScimError.unavailable('This gateway is switched off.', disabledRetrySeconds);
  if (route.kind === 'refused') throw route.error;
  if (!exchange.isAcceptable) {
    throw ScimError.notAcceptable(
      'Answers are "application/scim+json" or "application/json": "Accept" allows neither.',
    );
  }
  return route;
}

/** The path without its query, which may hold personal values. */
function describe(gateway: HttpGateway, exchange: Exchange): object {
  return { gateway: gateway.id, requestId: exchange.requestId, method: exchange.request.method, path: exchange.path };
}

function late(gateway: HttpGateway, cause: unknown): ScimError {
  const detail = `The request was not finished within ${gateway.limits.requestSeconds} seconds, and may have been carried out in part.`;
  return ScimError.unavailable(detail, lateRetrySeconds, cause);
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
