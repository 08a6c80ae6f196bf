import type { ResourceAnswer } from '../provisioning/service.js';
import type { ScimError } from '../scim/error.js';
import type { Resource } from '../scim/schema.js';
import type { Exchange } from './exchange.js';

type Headers = Record<string, string>;

/** The answer about one resource. Location is its permanent URI, also when it was reached as /Me (RFC 7644 §3.11). */
export function resourceResponse(exchange: Exchange, answer: ResourceAnswer): Response {
  const headers: Headers = { 'X-Request-Id': exchange.requestId, Location: answer.location };
  if (answer.version !== undefined) headers.ETag = answer.version;
  if (answer.resource === undefined) return new Response(null, { status: answer.status, headers });
  headers['Content-Type'] = exchange.mediaType;
  return new Response(JSON.stringify(answer.resource), { status: answer.status, headers });
}

/** A document of its own: a list, a bulk response, discovery. */
export function documentResponse(exchange: Exchange, document: Resource): Response {
  return new Response(JSON.stringify(document), {
    status: 200,
    headers: { 'X-Request-Id': exchange.requestId, 'Content-Type': exchange.mediaType },
  });
}

export function emptyResponse(exchange: Exchange, more: Headers = {}): Response {
  return new Response(null, { status: 204, headers: { 'X-Request-Id': exchange.requestId, ...more } });
}

/** A refusal in SCIM's form (RFC 7644 §3.12). Its detail ends with the request id, by which the log can be searched. */
export function errorResponse(exchange: Exchange, error: ScimError, more: Headers = {}): Response {
  const headers: Headers = { 'X-Request-Id': exchange.requestId, 'Content-Type': exchange.mediaType, ...more };
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(Math.ceil(error.retryAfterSeconds));
  if (error.allow !== undefined) headers.Allow = error.allow.join(', ');
  const body = { ...error.toBody(), detail: `${error.message} [request ${exchange.requestId}]` };
  return new Response(JSON.stringify(body), { status: error.status, headers });
}
