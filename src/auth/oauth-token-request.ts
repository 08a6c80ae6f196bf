import { parseBasic } from './basic.js';

/** A request to the token endpoint, as far as HTTP has read it. */
export interface TokenEndpointRequest {
  readonly method: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** Error codes of RFC 6749 §5.2 that can occur here. */
export type OauthErrorCode = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope';

/** What is wrong with a token request. */
export class OauthError extends Error {
  override readonly name = 'OauthError';
  readonly code: OauthErrorCode;
  /** For the log: more exact than the message, which is for the client. */
  readonly reason: string;
  /** Whose client it is, once that is known. */
  readonly gateway: string;
  constructor(code: OauthErrorCode, message: string, reason: string = message, gateway = '') {
    super(message);
    this.code = code;
    this.reason = reason;
    this.gateway = gateway;
  }
}

export interface ClientCredentialsRequest {
  readonly clientId: string;
  readonly secret: string;
  readonly scopes: readonly string[] | undefined;
}

/**
 * @throws OauthError
 * @see RFC 6749 §2.3.1, §3.2, §4.4.2
 */
export function parseTokenRequest({
  contentType,
  authorization,
  body,
}: TokenEndpointRequest): ClientCredentialsRequest {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/x-www-form-urlencoded') {
    throw new OauthError('invalid_request', 'The body is expected as application/x-www-form-urlencoded');
  }
  const parameters = parseForm(body);
  const client = findClient(authorization, parameters);
  const grantType = parameters.get('grant_type');
  if (grantType === undefined) throw new OauthError('invalid_request', 'grant_type is missing');
  if (grantType !== 'client_credentials') {
    throw new OauthError('unsupported_grant_type', 'The only grant_type here is client_credentials');
  }
  return { ...client, scopes: parameters.get('scope')?.split(' ').filter(Boolean) };
}

/** Empty parameters count as left out, repeated ones are refused (RFC 6749 §3.2). */
function parseForm(body: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (parameters.has(name)) {
      throw new OauthError('invalid_request', 'A parameter came twice', 'a parameter of the token request came twice');
    }
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return parameters;
}

/** Either by HTTP Basic or in the body, never both (RFC 6749 §2.3). */
function findClient(
  authorization: string | undefined,
  parameters: ReadonlyMap<string, string>,
): Pick<ClientCredentialsRequest, 'clientId' | 'secret'> {
  const clientId = parameters.get('client_id');
  const secret = parameters.get('client_secret');
  if (authorization === undefined) {
    if (clientId === undefined || secret === undefined) {
      throw new OauthError('invalid_client', 'The client id and its secret are missing');
    }
    return { clientId, secret };
  }
  if (secret !== undefined) {
    throw new OauthError('invalid_request', 'The client secret came both in the Authorization header and in the body');
  }
  const basic = parseClientBasic(authorization);
  if (clientId !== undefined && clientId !== basic.clientId) {
    throw new OauthError('invalid_request', 'client_id is not the client of the Authorization header');
  }
  return basic;
}

/** Both are form-urlencoded before they are put together (RFC 6749 §2.3.1). */
function parseClientBasic(authorization: string): Pick<ClientCredentialsRequest, 'clientId' | 'secret'> {
  const value = /^basic +(\S+)$/i.exec(authorization)?.[1];
  const credentials = value === undefined ? undefined : parseBasic(value);
  if (credentials === undefined) {
    throw new OauthError('invalid_client', 'HTTP Basic with the client id and its secret is expected');
  }
  try {
    return { clientId: decodeForm(credentials.user), secret: decodeForm(credentials.password) };
  } catch {
    throw new OauthError('invalid_client', 'The client id or its secret is not form-urlencoded');
  }
}

function decodeForm(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
