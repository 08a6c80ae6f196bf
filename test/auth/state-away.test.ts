import { beforeEach, describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/auth/authentication.js';
import { generateSecret } from '../../src/auth/generated-secret.js';
import { createTokenEndpoint } from '../../src/auth/oauth-token-endpoint.js';
import { createTokenAuthenticator, issueToken } from '../../src/auth/tokens.js';
import { StateUnavailableError, type TokenRecord } from '../../src/state/state.js';
import { type CountingStore, createCountingStore } from './counting-store.js';

let nowMs: number;
let store: CountingStore;
let isAway: boolean;

beforeEach(() => {
  nowMs = Date.UTC(2030, 0, 1);
  store = createCountingStore();
  isAway = false;
});

/** A store that can be asked or not. */
function reachable() {
  return {
    ...store,
    find: async (hash: string): Promise<TokenRecord | undefined> => {
      const found = await store.find(hash);
      if (isAway) throw new StateUnavailableError('away');
      return found;
    },
  };
}

function authenticator(graceMs?: number) {
  const options = { gateway: 'corp', store: reachable(), now: () => nowMs };
  return createTokenAuthenticator(graceMs === undefined ? options : { ...options, graceMs });
}

async function issue(): Promise<string> {
  return (await issueToken(store, { gateway: 'corp', label: 'Entra' }, nowMs)).token;
}

const isTaken = (verdict: Verdict): boolean => verdict?.caller !== undefined;
const isUnavailable = expect.objectContaining({ status: 503, retryAfterSeconds: expect.any(Number) });

describe('while the state is away', () => {
  it('a token that was valid a moment ago is taken for as long as is configured, and no longer', async () => {
    const { verify } = authenticator(60_000);
    const token = await issue();
    expect(isTaken(await verify(token))).toBe(true);
    isAway = true;
    for (const passedMs of [600, 30_000, 29_000]) {
      nowMs += passedMs;
      expect(isTaken(await verify(token))).toBe(true);
    }
    nowMs += 1000;
    await expect(verify(token)).rejects.toThrow(isUnavailable);
    isAway = false;
    expect(isTaken(await verify(token))).toBe(true);
  });

  it('a token that nobody asked for yet is 503 and never 401, be it right or wrong', async () => {
    const { verify } = authenticator(60_000);
    const token = await issue();
    isAway = true;
    await expect(verify(token)).rejects.toThrow(isUnavailable);
    await expect(verify(generateSecret('scimb_'))).rejects.toThrow(isUnavailable);
    isAway = false;
    expect(isTaken(await verify(token))).toBe(true);
  });

  it('a token that was refused, or has expired, is not taken', async () => {
    const { verify } = authenticator(3_600_000_000_000);
    const token = await issue();
    expect(isTaken(await verify(token))).toBe(true);
    isAway = true;
    nowMs += 366 * 86_400_000;
    await expect(verify(token)).rejects.toThrow(isUnavailable);
    isAway = false;
    expect(isTaken(await verify(token))).toBe(false);
    isAway = true;
    await expect(verify(token)).rejects.toThrow(isUnavailable);
  });

  it('nothing is taken without a lookup where no time is configured', async () => {
    const { verify } = authenticator();
    const token = await issue();
    expect(isTaken(await verify(token))).toBe(true);
    isAway = true;
    nowMs += 600;
    await expect(verify(token)).rejects.toThrow(isUnavailable);
  });

  it('the token endpoint answers 503 with Retry-After, not that the client is wrong', async () => {
    const { token: secret } = await issueToken(store, { gateway: 'corp', label: 'app', clientId: 'c1' }, nowMs);
    const endpoint = createTokenEndpoint({
      gateways: [{ id: 'corp', tokenMinutes: 60 }],
      tokens: reachable(),
      key: new Uint8Array(32),
      now: () => nowMs,
    });
    isAway = true;
    const body = `grant_type=client_credentials&client_id=c1&client_secret=${secret}`;
    const contentType = 'application/x-www-form-urlencoded';
    expect(await endpoint({ method: 'POST', contentType, authorization: undefined, body })).toMatchObject({
      status: 503,
      headers: { 'Retry-After': expect.stringMatching(/^\d+$/), 'Cache-Control': 'no-store' },
      body: expect.stringContaining('temporarily_unavailable'),
    });
  });
});

describe('requests that come together', () => {
  it('wait for one look-up of their token', async () => {
    const { verify } = authenticator(60_000);
    const token = await issue();
    const before = store.finds();
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verify(token)));
    expect(verdicts.every(isTaken)).toBe(true);
    expect(store.finds() - before).toBe(1);
  });
});
