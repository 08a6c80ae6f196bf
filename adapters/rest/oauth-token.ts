import { createPrivateKey, randomUUID } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import type { Dispatcher } from 'undici';
import type { OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { CredentialSet, Credentials } from './auth.js';
import type { OauthConfig } from './auth-config.js';
import { isObject } from './json.js';
import { networkError } from './network-error.js';
import { type Headers, retryAfterOf } from './notices.js';
import { readBody } from './response-body.js';

export interface TokenParts {
  /** Makes connections to the token endpoint, whose origin may be another one. */
  readonly dispatcher: () => Dispatcher;
  readonly timeoutMs: number;
  readonly now?: () => number;
}

const operation = 'the request for an access token';
const maxTokenBytes = 1_048_576;
const assertionSeconds = 300;
/** Of a token whose end the server does not tell. */
const usualLifeSeconds = 300;

interface AccessToken extends CredentialSet {
  readonly renewAtMs: number;
}

/** Access tokens by client credentials: one request at a time for all who wait, renewed before they expire. */
export class AccessTokens implements Credentials {
  private readonly config: OauthConfig;
  private readonly parts: TokenParts;
  private readonly now: () => number;
  private current: AccessToken | undefined;
  private pending: Promise<AccessToken> | undefined;
  private versions = 0;

  constructor(config: OauthConfig, parts: TokenParts) {
    this.config = config;
    this.parts = parts;
    this.now = parts.now ?? Date.now;
    checkOauth(config);
  }

  get(context: OperationContext): CredentialSet | Promise<CredentialSet> {
    const { current } = this;
    if (current !== undefined && this.now() < current.renewAtMs) return current;
    this.pending ??= this.fetch().finally(() => {
      this.pending = undefined;
    });
    return untilEnded(this.pending, context);
  }

  renew(version: number): boolean {
    if (this.current?.version === version) this.current = undefined;
    return true;
  }

  secrets(): readonly string[] {
    const { clientSecret } = this.config;
    const token = this.current?.headers.authorization?.slice('Bearer '.length);
    return [clientSecret, token].filter((secret) => secret !== undefined);
  }

  private async fetch(): Promise<AccessToken> {
    const { tokenUrl } = this.config;
    const url = new URL(tokenUrl);
    const { body, headers } = await this.tokenRequest();
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.parts.dispatcher().request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: body.toString(),
        signal: AbortSignal.timeout(this.parts.timeoutMs),
      });
      return this.tokenIn(answer, await readBody(answer.body, answer.headers as Headers, maxTokenBytes));
    } catch (error) {
      if (error instanceof AdapterError) throw error;
      throw networkError({ operation, isWrite: false, error });
    }
  }

  private tokenIn(
    { statusCode, headers }: Dispatcher.ResponseData,
    body: Awaited<ReturnType<typeof readBody>>,
  ): AccessToken {
    const answer = body.kind === 'json' && isObject(body.value) ? body.value : {};
    if (statusCode !== 200) throw tokenRefusal(statusCode, answer.error, headers as Headers, this.now());
    const { access_token: token, token_type: type, expires_in: life } = answer;
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw new AdapterError('unavailable', `The answer to ${operation} holds no token.`);
    }
    if (typeof type === 'string' && type.toLowerCase() !== 'bearer') {
      throw new AdapterError('unsupported', 'The authorization server gives tokens of a type that is not "Bearer".');
    }
    const seconds = Number(life ?? usualLifeSeconds);
    const lifeSeconds = Number.isFinite(seconds) && seconds > 0 ? seconds : usualLifeSeconds;
    const spareSeconds = Math.min(60, lifeSeconds * 0.2);
    this.current = {
      headers: { authorization: `Bearer ${token}` },
      version: ++this.versions,
      renewAtMs: this.now() + (lifeSeconds - spareSeconds) * 1_000,
    };
    return this.current;
  }

  private async tokenRequest(): Promise<{
    readonly body: URLSearchParams;
    readonly headers: Readonly<Record<string, string>>;
  }> {
    const { clientId, clientSecret = '', scope, parameters } = this.config;
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    if (scope !== undefined) body.set('scope', scope);
    for (const [name, value] of Object.entries(parameters ?? {})) body.set(name, value);
    switch (methodOf(this.config)) {
      case 'client_secret_basic': {
        const pair = Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64');
        return { body, headers: { authorization: `Basic ${pair}` } };
      }
      case 'client_secret_post':
        body.set('client_id', clientId);
        body.set('client_secret', clientSecret);
        return { body, headers: {} };
      case 'private_key_jwt':
        body.set('client_id', clientId);
        body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
        body.set('client_assertion', await this.assertion());
        return { body, headers: {} };
    }
  }

  /** @see RFC 7523 §2.2 */
  private async assertion(): Promise<string> {
    const { clientId, privateKey = '', keyId, algorithm = 'RS256', audience, tokenUrl } = this.config;
    const key = await importPKCS8(privateKey, algorithm);
    const nowSeconds = Math.floor(this.now() / 1_000);
    return new SignJWT({})
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(audience ?? tokenUrl)
      .setJti(randomUUID())
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + assertionSeconds)
      .sign(key);
  }
}

function methodOf(config: OauthConfig): NonNullable<OauthConfig['method']> {
  return config.method ?? (config.privateKey === undefined ? 'client_secret_basic' : 'private_key_jwt');
}

function checkOauth(config: OauthConfig): void {
  const { clientSecret, privateKey, tokenUrl } = config;
  const wrong = (message: string): AdapterError => new AdapterError('unsupported', message);
  if (!URL.canParse(tokenUrl)) throw wrong('"auth.tokenUrl" is no URL.');
  if (methodOf(config) !== 'private_key_jwt') {
    if (clientSecret === undefined) throw wrong('"auth" needs a "clientSecret", or a "privateKey".');
    return;
  }
  if (privateKey === undefined) throw wrong('"auth" needs a "privateKey" for private_key_jwt.');
  try {
    createPrivateKey(privateKey);
  } catch {
    throw wrong('"auth.privateKey" is no private key in PEM (PKCS #8).');
  }
}

/** Names and secrets are form-encoded before they become Basic. @see RFC 6749 §2.3.1 */
function formEncoded(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2);
}

function tokenRefusal(status: number, code: unknown, headers: Headers, nowMs: number): AdapterError {
  const named = typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? ` (${code})` : '';
  const message = `The authorization server answered ${operation} with ${status}${named}.`;
  if (status >= 500 || status === 429 || status === 408) {
    const retryAfterSeconds = retryAfterOf(headers, nowMs);
    return new AdapterError('unavailable', message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
  }
  return new AdapterError(status >= 400 ? 'denied' : 'unavailable', message);
}

/** One fetch serves many; each waits no longer than its own request. */
function untilEnded<T>(work: Promise<T>, { signal }: OperationContext): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      const details = { applied: 'no', cause: signal.reason } as const;
      reject(new AdapterError('timeout', `The request ended while it waited for ${operation}.`, details));
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
