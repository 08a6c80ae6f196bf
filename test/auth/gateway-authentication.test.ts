import { beforeEach, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../src/auth/authentication.js';
import { createGatewayAuthentication } from '../../src/auth/gateway-authentication.js';
import { hashSecret } from '../../src/auth/generated-secret.js';
import { createAccessTokens } from '../../src/auth/oauth-access-token.js';
import { issueToken } from '../../src/auth/tokens.js';
import { type CountingStore, createCountingStore } from './counting-store.js';

let store: CountingStore;
let token: string;
beforeEach(async () => {
  store = createCountingStore();
  token = (await issueToken(store, { gateway: 'corp', label: 'Entra' })).token;
});

const jwt: Authenticator = {
  scheme: 'Bearer',
  verify: (value) => (value === 'a.b.c' ? { caller: { id: 'jwt:1' } } : undefined),
};

function authentication(
  auth: { enabled?: boolean; bare?: boolean; basic?: { user: string }; oauth?: object },
  jwtAuthenticators: readonly Authenticator[] = [],
) {
  const { enabled = true, bare = false, ...others } = auth;
  return createGatewayAuthentication({
    gateway: { id: 'corp', auth: { tokens: { enabled, bare }, ...others } },
    tokens: store,
    oauthKey: new Uint8Array(32),
    jwtAuthenticators,
  });
}
const basicOf = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('createGatewayAuthentication', () => {
  it('takes generated tokens by default, and nothing else [capabilities-17 7644-2-05 7644-2-06]', async () => {
    const authenticate = authentication({});
    expect(await authenticate(`Bearer ${token}`)).toEqual({ caller: { id: 'token:Entra' } });
    expect(authenticate(`Bearer ${token}`)).toEqual({ caller: { id: 'token:Entra' } });
    for (const header of [token, basicOf('scim', token), 'Bearer a.b.c', undefined]) {
      expect(await authenticate(header)).toMatchObject({
        status: 401,
        challenge: expect.stringMatching(/^Bearer realm="corp"/),
      });
    }
  });

  it('takes nothing that is short or guessed [7644-2-04 7644-7.4-01]', async () => {
    const authenticate = authentication({ bare: true, basic: { user: 'scim' } });
    for (const secret of ['', 'x', 'password', 'scimb_', 'scimb_password', `scimb_${'A'.repeat(49)}`]) {
      for (const header of [`Bearer ${secret}`, secret, basicOf('scim', secret)]) {
        expect(await authenticate(header)).toMatchObject({ status: 401 });
      }
    }
  });

  it('takes several ways side by side [capabilities-17 capabilities-18 capabilities-19]', async () => {
    const authenticate = authentication({ bare: true, basic: { user: 'scim' } }, [jwt]);
    for (const header of [`Bearer ${token}`, token, basicOf('scim', token)]) {
      expect(await authenticate(header)).toEqual({ caller: { id: 'token:Entra' } });
    }
    expect(await authenticate('Bearer a.b.c')).toEqual({ caller: { id: 'jwt:1' } });
    expect(await authenticate(basicOf('root', token))).toMatchObject({
      status: 401,
      detail: 'The credentials are not valid.',
      challenge: 'Bearer realm="corp", Basic realm="corp"',
    });
  });

  it('with JWTs only, says that a JWT is expected when a generated token comes [capabilities-23]', async () => {
    const refused = await authentication({ enabled: false, bare: true }, [jwt])(`Bearer ${token}`);
    expect(refused).toMatchObject({
      status: 401,
      detail: 'The token is not valid: a JWT is expected.',
      reason: 'a generated token came, this gateway expects a JWT',
    });
    expect(JSON.stringify(refused)).not.toContain(token);
    expect(await authentication({ enabled: false, bare: true }, [jwt])(token)).toMatchObject({ status: 401 });
  });

  it('takes a token as the Basic password also where it is refused as a bearer token', async () => {
    const authenticate = authentication({ enabled: false, basic: { user: 'scim' } });
    expect(await authenticate(basicOf('scim', token))).toHaveProperty('caller');
    expect(await authenticate(`Bearer ${token}`)).toMatchObject({
      status: 401,
      reason: 'the scheme "bearer" came, this gateway takes Basic',
    });
  });

  it('takes access tokens of the token endpoint where OAuth is on', async () => {
    const oauthKey = new Uint8Array(32);
    const { token: secret } = await issueToken(store, { gateway: 'corp', label: 'Okta', clientId: 'c1' });
    const secretHash = hashSecret(secret);
    const accessToken = createAccessTokens(oauthKey, 'corp').seal({
      secretHash,
      expiresAtMs: Date.now() + 60_000,
      readOnly: false,
    });
    const header = `Bearer ${accessToken}`;
    expect(await authentication({ oauth: {} })(header)).toEqual({ caller: { id: 'client:c1' } });
    expect(await authentication({})(header)).toMatchObject({
      status: 401,
      reason: 'an access token of /oauth/token came, this gateway expects a generated token',
    });
    expect(await authentication({ oauth: {} })(`Bearer ${secret}`)).toMatchObject({
      status: 401,
      reason: "a client's secret came, this gateway expects a generated token or an access token of /oauth/token",
    });
  });
});
