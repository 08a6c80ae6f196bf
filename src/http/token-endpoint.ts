import type { TokenEndpoint } from '../auth/oauth-token-endpoint.js';
import { ScimError } from '../scim/error.js';
import { RequestRecord } from '../transactions/request-record.js';
import { readBytes } from './body.js';
import type { Exchange } from './exchange.js';
import type { RefusalDelay } from './refusals.js';

/** A form with a client id, a secret and a scope needs a tenth of it. */
const maxBytes = 8192;

export interface TokenRequestParts {
  readonly endpoint: TokenEndpoint;
  readonly refusals: RefusalDelay;
  /** Where the request came from. */
  readonly address: string | undefined;
  readonly finished: (record: RequestRecord, status: number) => void;
}

/** Answers at /oauth/token in OAuth's own form, not in SCIM's (RFC 6749 §5). */
export async function answerTokenRequest(exchange: Exchange, parts: TokenRequestParts): Promise<Response> {
  const { endpoint, refusals, address, finished } = parts;
  const headers = { 'X-Request-Id': exchange.requestId };
  try {
    const response = await endpoint({
      method: exchange.request.method,
      contentType: exchange.header('content-type'),
      authorization: exchange.header('authorization'),
      body: (await readBytes(exchange, { maxBytes, name: 'the limit' })).toString('utf8'),
    });
    const { granted, refusal, status } = response;
    const gateway = granted?.gateway ?? refusal?.gateway ?? '';
    const record = new RequestRecord(gateway, exchange.requestId, 'POST', 'token', exchange.startedAtMs);
    record.address = address;
    record.reason = refusal?.reason;
    if (granted !== undefined) record.caller = { id: granted.caller };
    if (status === 401) await refusals.delay(address);
    finished(record, status);
    return new Response(response.body, { status, headers: { ...response.headers, ...headers } });
  } catch (error) {
    const { status, message } = error instanceof ScimError ? error : ScimError.internal(error);
    const body = JSON.stringify({
      error: status < 500 ? 'invalid_request' : 'server_error',
      error_description: message,
    });
    return new Response(body, {
      status,
      headers: { ...headers, 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    });
  }
}
