import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** How the server answers: well, or like one that has a bad day. */
export type Mood =
  | 'well'
  /** Connections are cut. */
  | 'down'
  | 'error'
  | 'garbage'
  | 'noKeys'
  | 'wrongIssuer'
  | 'huge'
  /** Answers when `release` is called. */
  | 'slow'
  | 'redirectAway'
  | 'redirectAround'
  | 'redirectOnce';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export interface TokenOptions {
  /** Default: the newest key. */
  readonly key?: SigningKey;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Default: the server's own tenant. */
  readonly tenant?: string;
}

export const tenantId = '11111111-2222-4333-8444-555555555555';
export const otherTenantId = '99999999-8888-4777-a666-555555555555';

/**
 * A real authorization server with several tenants that share its keys, as Entra ID's do: OpenID discovery for each, and
 * one key set for all. It keeps what was asked of it.
 */
export class AuthorizationServer {
  mood: Mood = 'well';
  /** Paths in the order in which they were asked for. */
  readonly requests: string[] = [];
  /** What is published, in place of the keys' own JWKs. */
  publish: ((keys: readonly JWK[]) => readonly object[]) | undefined;
  readonly #http: Server;
  readonly #keys: SigningKey[] = [];
  readonly #waiting: (() => void)[] = [];
  #requested: () => void = () => undefined;

  private constructor(http: Server) {
    this.#http = http;
    http.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(alg = 'RS256'): Promise<AuthorizationServer> {
    const server = new AuthorizationServer(createServer());
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    await server.addKey(alg);
    return server;
  }

  async stop(): Promise<void> {
    for (const release of this.#waiting.splice(0)) release();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  get jwksUrl(): string {
    return `${this.url}/common/discovery/keys`;
  }

  get key(): SigningKey {
    const newest = this.#keys.at(-1);
    if (newest === undefined) throw new Error('There is no key.');
    return newest;
  }

  issuer(tenant = tenantId): string {
    return `${this.url}/${tenant}/`;
  }

  /** A further key, which signs from now on. */
  async addKey(alg = 'RS256', kid = `key-${this.#keys.length + 1}-${alg}`): Promise<SigningKey> {
    const key = await createSigningKey(alg, kid);
    this.#keys.push(key);
    return key;
  }

  /** The key is withdrawn: it is no longer published. */
  removeKey(key: SigningKey): void {
    this.#keys.splice(this.#keys.indexOf(key), 1);
  }

  /** A token as Entra ID makes them for provisioning; claims that are undefined are left out. */
  async token(claims: Readonly<Record<string, unknown>> = {}, options: TokenOptions = {}): Promise<string> {
    const tenant = options.tenant ?? tenantId;
    const now = Math.floor(Date.now() / 1000);
    const all = {
      iss: this.issuer(tenant),
      aud: '8adf8e6e-67b2-4cf2-a259-e3dc5476c621',
      tid: tenant,
      sub: 'c0ffee00-1111-4222-8333-444444444444',
      iat: now,
      nbf: now,
      exp: now + 3600,
      ...claims,
    };
    return sign(all, options.key ?? this.key, options.header);
  }

  /** Lets those go on that wait since the mood was `slow`. */
  release(): void {
    this.mood = 'well';
    for (const release of this.#waiting.splice(0)) release();
  }

  /** Settles with the next request. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => {
      this.#requested = resolve;
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push(path);
    if (this.mood === 'slow') this.#waiting.push(() => this.#send(path, response));
    else if (this.mood === 'down') request.socket.destroy();
    else this.#send(path, response);
    this.#requested();
  }

  #send(path: string, response: ServerResponse): void {
    if (this.mood === 'error') return void response.writeHead(500).end('{"error":"server_error"}');
    if (this.mood === 'garbage') return void response.end('<html>It works!</html>');
    if (this.mood === 'huge') return void response.end(`{"keys":[${' '.repeat(600_000)}]}`);
    if (this.mood === 'redirectAway') {
      const location = this.url.replace('127.0.0.1', 'localhost') + path;
      return void response.writeHead(302, { location }).end();
    }
    if (this.mood === 'redirectAround') return void response.writeHead(302, { location: path }).end();
    if (this.mood === 'redirectOnce' && !path.endsWith('?moved')) {
      return void response.writeHead(307, { location: `${path}?moved` }).end();
    }
    const [, tenant] = /^\/([^/]+)\/\.well-known\/openid-configuration(?:\?moved)?$/.exec(path) ?? [];
    if (tenant !== undefined) return void response.end(JSON.stringify(this.#configuration(tenant)));
    if (path.startsWith('/common/discovery/keys')) return void response.end(JSON.stringify(this.#keySet()));
    response.writeHead(404).end();
  }

  #configuration(tenant: string): object {
    const named = this.mood === 'wrongIssuer' ? otherTenantId : tenant === 'common' ? '{tenantid}' : tenant;
    return { issuer: this.issuer(named), jwks_uri: this.jwksUrl };
  }

  #keySet(): object {
    if (this.mood === 'noKeys') return { keys: [] };
    const keys = this.#keys.map(({ publicJwk }) => publicJwk);
    return { keys: this.publish?.(keys) ?? keys };
  }
}

export async function createSigningKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** A signed token with exactly these claims. */
export function sign(
  claims: Readonly<Record<string, unknown>>,
  key: SigningKey | { readonly alg: string; readonly secret: Uint8Array },
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const own = 'kid' in key ? { kid: key.kid } : {};
  const all = { alg: key.alg, ...own, typ: 'JWT', ...header };
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(claims)
    .setProtectedHeader(present as { alg: string })
    .sign('kid' in key ? key.privateKey : key.secret);
}

/** The parts put together, whatever they are. */
export function assemble(header: unknown, claims: unknown, signature = ''): string {
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

export function encode(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}
