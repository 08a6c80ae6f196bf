import { beforeEach, describe, expect, it } from 'vitest';
import { hashSecret } from '../../src/auth/generated-secret.js';
import { createAccessTokenAuthenticator, createAccessTokens } from '../../src/auth/oauth-access-token.js';
import { createTokenEndpoint } from '../../src/auth/oauth-token-endpoint.js';
import { issueToken, rotateToken } from '../../src/auth/tokens.js';
import { type CountingStore, createCountingStore } from './counting-store.js';

const key = new Uint8Array(32).fill(7);
let nowMs: number;
let store: CountingStore;
let secret: string;

beforeEach(async () => {
  nowMs = Date.UTC(2030, 0, 1);
  store = createCountingStore();
  secret = (await issueToken(store, { gateway: 'corp', label: 'Okta', clientId: 'c1', resourceTypes: ['User'] }, nowMs))
    .token;
});

async function accessToken(scope = 'write', clientSecret = secret): Promise<string> {
  const endpoint = createTokenEndpoint({ gateways: [{ id: 'corp', tokenMinutes: 60 }], tokens: store, key, now });
  const { body } = await endpoint({
    method: 'POST',
    contentType: 'application/x-www-form-urlencoded',
    authorization: undefined,
    body: `grant_type=client_credentials&client_id=c1&client_secret=${clientSecret}&scope=${scope}`,
  });
  return (JSON.parse(body) as { access_token: string }).access_token;
}
const now = () => nowMs;
const authenticator = (gateway = 'corp') => createAccessTokenAuthenticator({ gateway, store, key, now });

describe('createAccessTokenAuthenticator', () => {
  it('knows the client, with its limits and those of the scope [7644-2-02 7644-2.1-02]', async () => {
    expect(await authenticator().verify(await accessToken())).toEqual({
      caller: { id: 'client:c1', resourceTypes: ['User'] },
    });
    expect(await authenticator().verify(await accessToken('read'))).toEqual({
      caller: { id: 'client:c1', resourceTypes: ['User'], readOnly: true },
    });
  });

  it('answers at once, without a look-up, while a check is fresh', async () => {
    const token = await accessToken();
    const { verify } = authenticator();
    await verify(token);
    const finds = store.finds();
    nowMs += 499;
    expect(verify(token)).toHaveProperty('caller');
    expect(store.finds()).toBe(finds);
  });

  it('refuses it at its end [7644-7.4-03]', async () => {
    const token = await accessToken();
    const { verify } = authenticator();
    nowMs += 3_600_000 - 1;
    expect(await verify(token)).toHaveProperty('caller');
    nowMs += 1;
    expect(await verify(token)).toEqual({ reason: 'the access token expired', description: 'The token expired' });
  });

  it('refuses it within a second of the end of the client', async () => {
    const token = await accessToken();
    const { verify } = authenticator();
    await verify(token);
    await store.revoke('corp', 'Okta', nowMs);
    nowMs += 1000;
    expect(await verify(token)).toEqual({ reason: 'client "Okta" was revoked' });
  });

  it('holds as long as the secret that it was got with', async () => {
    const former = await accessToken();
    const rotated = await rotateToken(
      store,
      { gateway: 'corp', label: 'Okta', kind: 'client' },
      { overlapDays: 1 },
      nowMs,
    );
    expect(await authenticator().verify(former)).toHaveProperty('caller');
    await rotateToken(store, { gateway: 'corp', label: 'Okta', kind: 'client' }, { overlapDays: 0 }, nowMs);
    expect(await authenticator().verify(former)).not.toHaveProperty('caller');
    expect(await authenticator().verify(rotated?.token ?? '')).toBeUndefined();
  });

  it('refuses one of another gateway, and every changed one [7644-2.1-01 7644-7.3-01]', async () => {
    const token = await accessToken();
    const refused = { reason: 'the access token is not of this gateway, or was changed' };
    expect(await authenticator('lab').verify(token)).toEqual(refused);
    const { verify } = authenticator();
    for (let index = 7; index < token.length; index += 9) {
      const other = token[index] === 'A' ? 'B' : 'A';
      expect(await verify(token.slice(0, index) + other + token.slice(index + 1))).toEqual(refused);
    }
    for (const wrong of ['scimba_', 'scimba_x', `${token}x`, `scimba_${'A'.repeat(100_000)}`]) {
      expect(await verify(wrong)).toEqual(refused);
    }
  });

  it("leaves other credentials to others, a client's secret among them", () => {
    for (const value of [secret, 'scimb_x', 'a.b.c', 'x']) expect(authenticator().verify(value)).toBeUndefined();
  });

  it('refuses one that was got with what is no client', async () => {
    const { token } = await issueToken(store, { gateway: 'corp', label: 'Entra' }, nowMs);
    const forged = createAccessTokens(key, 'corp').seal({
      secretHash: hashSecret(token),
      expiresAtMs: nowMs + 1000,
      readOnly: false,
    });
    expect(await authenticator().verify(forged)).toEqual({ reason: '"Entra" is no client' });
  });

  it('keeps only so many opened tokens at hand, and takes the others all the same', async () => {
    const { verify } = authenticator();
    const first = await accessToken();
    await verify(first);
    const sealed = createAccessTokens(key, 'corp');
    for (let index = 0; index < 1100; index++) {
      const value = sealed.seal({ secretHash: hashSecret(secret), expiresAtMs: nowMs + 1000, readOnly: false });
      expect(await verify(value)).toHaveProperty('caller');
    }
    expect(await verify(first)).toHaveProperty('caller');
  });
});
