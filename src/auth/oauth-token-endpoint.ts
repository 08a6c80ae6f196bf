import { timingSafeEqual } from 'node:crypto';
import { StateUnavailableError, type TokenRecord, type TokenStore } from '../state/state.js';
import { hashSecret, isIntact, prefixes } from './generated-secret.js';
import { createAccessTokens } from './oauth-access-token.js';
import {
  type ClientCredentialsRequest,
  OauthError,
  parseTokenRequest,
  type TokenEndpointRequest,
} from './oauth-token-request.js';
import { createUseNotes, judgeToken } from './token-check.js';

export interface TokenEndpointOptions {
  /** Those whose `auth.oauth` is on. */
  readonly gateways: readonly {
    readonly id: string;
    readonly tokenMinutes: number;
    /** False while an operator has switched the gateway off: no access tokens then. Default: always on. */
    readonly enabled?: () => boolean;
  }[];
  readonly tokens: Pick<TokenStore, 'find' | 'list' | 'recordUse' | 'prove'>;
  /** The state's key named `oauth`. */
  readonly key: Uint8Array;
  readonly now?: () => number;
}

export interface TokenEndpointResponse {
  readonly status: 200 | 400 | 401 | 405 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  /** For the transaction: whose client got an access token. */
  readonly granted?: { readonly gateway: string; readonly caller: string };
  /** For the transaction: exactly what was wrong. `gateway` is empty when it cannot be told. */
  readonly refusal?: { readonly gateway: string; readonly reason: string };
}

/** Answers POST /oauth/token. */
export type TokenEndpoint = (request: TokenEndpointRequest) => Promise<TokenEndpointResponse>;

/** RFC 6749 §5.1. */
const commonHeaders = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' } as const;

/**
 * The client credentials grant, for clients that `scimbridge client create` made. The secret tells the gateway, so there
 * is one endpoint for all.
 * @see RFC 6749 §4.4
 */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const { tokens, key, now = Date.now } = options;
  const gateways = new Map(
    options.gateways.map(({ id, tokenMinutes, enabled }) => [
      id,
      { tokenMinutes, enabled, accessTokens: createAccessTokens(key, id) },
    ]),
  );
  const uses = createUseNotes(tokens);

  /** Whose record a refusal goes to. Clients are few, and it is asked for refusals only, which are slowed. */
  const gatewayOfClient = async (clientId: string): Promise<string> => {
    for (const id of gateways.keys()) {
      if ((await tokens.list(id)).some((record) => record.clientId === clientId)) return id;
    }
    return '';
  };

  const grant = async (request: ClientCredentialsRequest): Promise<TokenEndpointResponse> => {
    const nowMs = now();
    const hash = hashSecret(request.secret);
    const record = isIntact(request.secret, prefixes.clientSecret) ? await tokens.find(hash) : undefined;
    if (record === undefined) {
      const owner = await gatewayOfClient(request.clientId);
      throw new OauthError('invalid_client', unknownClient, "the client's secret is unknown", owner);
    }
    const client = judgeClient(record, request.clientId, nowMs);
    const gateway = gateways.get(client.gateway);
    if (gateway === undefined) {
      throw new OauthError('invalid_client', unknownClient, 'auth.oauth is off for this gateway', client.gateway);
    }
    if (gateway.enabled?.() === false) return switchedOff(client.gateway);
    const readOnly = isReadOnly(client, request.scopes);
    await uses.note(hash, client, nowMs);
    const expiresAtMs = Math.min(nowMs + gateway.tokenMinutes * 60_000, client.expiresAtMs);
    return {
      status: 200,
      headers: commonHeaders,
      body: JSON.stringify({
        access_token: gateway.accessTokens.seal({ secretHash: hash, expiresAtMs, readOnly }),
        token_type: 'Bearer',
        expires_in: Math.floor((expiresAtMs - nowMs) / 1000),
        scope: readOnly ? 'read' : 'read write',
      }),
      granted: { gateway: client.gateway, caller: `client:${request.clientId}` },
    };
  };

  return async (request) => {
    if (request.method !== 'POST') return methodNotAllowed;
    try {
      return await grant(parseTokenRequest(request));
    } catch (error) {
      if (error instanceof OauthError) return toResponse(error);
      if (error instanceof StateUnavailableError) return stateAway(error);
      throw error;
    }
  };
}

const unknownClient = 'The client is not known, or its secret is not valid';

/** @throws OauthError when it is not the secret of a client with this id, or no longer */
function judgeClient(record: TokenRecord, clientId: string, nowMs: number): TokenRecord {
  const { gateway } = record;
  const verdict = judgeToken(record, 'client', gateway, nowMs);
  if (verdict.caller === undefined) {
    const isExpired = verdict.description !== undefined;
    throw new OauthError(
      'invalid_client',
      isExpired ? "The client's secret expired" : unknownClient,
      verdict.reason,
      gateway,
    );
  }
  if (!isEqual(clientId, record.clientId ?? '')) {
    throw new OauthError(
      'invalid_client',
      unknownClient,
      `the secret of client "${record.label}" came with another id`,
      gateway,
    );
  }
  return record;
}

/**
 * `read`, or `write`, which holds it. Without a scope the client gets all that it may have.
 * @throws OauthError for other scopes, and for more than the client may have (RFC 6749 §5.2)
 */
function isReadOnly(client: TokenRecord, scopes: readonly string[] | undefined): boolean {
  const mayWrite = client.readOnly !== true;
  if (scopes === undefined || scopes.length === 0) return !mayWrite;
  if (scopes.some((scope) => scope !== 'read' && scope !== 'write')) {
    throw new OauthError(
      'invalid_scope',
      'The scopes here are read and write',
      'an unknown scope was asked for',
      client.gateway,
    );
  }
  if (scopes.includes('write') && !mayWrite) {
    throw new OauthError(
      'invalid_scope',
      'This client may only read',
      `client "${client.label}" is read-only`,
      client.gateway,
    );
  }
  return !scopes.includes('write');
}

function isEqual(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(left)), Buffer.from(hashSecret(right)));
}

/** RFC 6749 §5.2. */
function toResponse({ code, message, reason, gateway }: OauthError): TokenEndpointResponse {
  const isUnauthorized = code === 'invalid_client';
  return {
    status: isUnauthorized ? 401 : 400,
    headers: isUnauthorized ? { ...commonHeaders, 'WWW-Authenticate': 'Basic realm="oauth"' } : commonHeaders,
    body: JSON.stringify({ error: code, error_description: message }),
    refusal: { gateway, reason },
  };
}

function switchedOff(gateway: string): TokenEndpointResponse {
  return {
    status: 503,
    headers: { ...commonHeaders, 'Retry-After': '300' },
    body: JSON.stringify({
      error: 'temporarily_unavailable',
      error_description: 'This gateway is switched off',
    }),
    refusal: { gateway, reason: 'the gateway is switched off' },
  };
}

/** RFC 6749 §5.2 has no word for it at this endpoint; that of §4.1.2.1 says what is meant. */
function stateAway({ retryAfterSeconds }: StateUnavailableError): TokenEndpointResponse {
  return {
    status: 503,
    headers: { ...commonHeaders, 'Retry-After': String(retryAfterSeconds) },
    body: JSON.stringify({
      error: 'temporarily_unavailable',
      error_description: 'The client cannot be checked now. Try again later',
    }),
    refusal: { gateway: '', reason: 'the state is not there, so that the client cannot be checked' },
  };
}

const methodNotAllowed: TokenEndpointResponse = {
  status: 405,
  headers: { ...commonHeaders, Allow: 'POST' },
  body: JSON.stringify({ error: 'invalid_request', error_description: 'POST is expected' }),
  refusal: { gateway: '', reason: 'the token endpoint was asked with another method than POST' },
};
