import type { TokenStore } from '../state/state.js';
import { type Authenticate, type Authenticator, createAuthentication } from './authentication.js';
import { createBasicAuthenticator } from './basic.js';
import { createAccessTokenAuthenticator } from './oauth-access-token.js';
import { createTokenAuthenticator } from './tokens.js';

export interface GatewayAuthenticationOptions {
  readonly gateway: {
    readonly id: string;
    readonly auth: {
      readonly tokens: { readonly enabled: boolean; readonly bare: boolean };
      readonly basic?: { readonly user: string };
      readonly oauth?: object;
    };
  };
  readonly tokens: Pick<TokenStore, 'find' | 'recordUse' | 'prove'>;
  /** The key named `oauth` of the state, with which access tokens are sealed. */
  readonly oauthKey: Uint8Array;
  readonly jwtAuthenticators: readonly Authenticator[];
  /** How long known tokens are taken on while the state cannot be asked. Default: not at all. */
  readonly graceMs?: number;
}

/** Every way to authenticate that the gateway's `auth` switches on: those that know their tokens by a prefix come first. */
export function createGatewayAuthentication(options: GatewayAuthenticationOptions): Authenticate {
  const { id, auth } = options.gateway;
  const grace = options.graceMs === undefined ? {} : { graceMs: options.graceMs };
  const tokens = createTokenAuthenticator({ gateway: id, store: options.tokens, ...grace });
  const authenticators: Authenticator[] = [];
  const expects: string[] = [];
  if (auth.tokens.enabled) {
    authenticators.push(tokens);
    expects.push('a generated token');
  }
  if (auth.oauth !== undefined) {
    const parts = { gateway: id, store: options.tokens, key: options.oauthKey, ...grace };
    authenticators.push(createAccessTokenAuthenticator(parts));
    expects.push('an access token of /oauth/token');
  }
  if (options.jwtAuthenticators.length > 0) {
    authenticators.push(...options.jwtAuthenticators);
    expects.push('a JWT');
  }
  if (auth.basic !== undefined) authenticators.push(createBasicAuthenticator({ user: auth.basic.user, tokens }));
  return createAuthentication({
    realm: id,
    authenticators,
    expects,
    ...(auth.tokens.enabled && auth.tokens.bare ? { bare: tokens } : {}),
  });
}
