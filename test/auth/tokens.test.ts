import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Authenticator } from '../../src/auth/authentication.js';
import { createTokenAuthenticator, generateToken, hashToken, issueToken } from '../../src/auth/tokens.js';
import { type CountingStore, createCountingStore } from './counting-store.js';

const day = 86_400_000;
let nowMs: number;
let store: CountingStore;

beforeEach(() => {
  nowMs = Date.UTC(2030, 0, 1);
  store = createCountingStore();
  vi.useFakeTimers({ toFake: ['setImmediate'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function authenticator(): Authenticator {
  return createTokenAuthenticator({ gateway: 'corp', store, now: () => nowMs });
}

async function issue(label = 'Entra', gateway = 'corp'): Promise<string> {
  return (await issueToken(store, { gateway, label }, nowMs)).token;
}

describe('generateToken', () => {
  it('gives 256 random bits behind a prefix, in URL-safe characters [7644-7.4-01]', () => {
    const tokens = Array.from({ length: 200 }, generateToken);
    expect(new Set(tokens).size).toBe(200);
    for (const token of tokens) {
      expect(token).toMatch(/^scimb_[\w-]{49}$/);
      expect(Buffer.from(token.slice(6, 49), 'base64url')).toHaveLength(32);
    }
  });
});

describe('issueToken', () => {
  it('keeps a hash, never the token', async () => {
    const token = await issue();
    expect(store.dump()).not.toContain(token.slice(6, 40));
    expect(store.dump()).toContain(hashToken(token));
  });

  it('always sets an end: 365 days unless asked otherwise [7644-7.4-03]', async () => {
    expect((await issueToken(store, { gateway: 'corp', label: 'a' }, nowMs)).expiresAtMs).toBe(nowMs + 365 * day);
    const longer = await issueToken(store, { gateway: 'corp', label: 'b', validityDays: 730 }, nowMs);
    expect(longer.expiresAtMs).toBe(nowMs + 730 * day);
  });

  it.each([89, 731, 100.5, Number.NaN])('refuses a validity of %d days [7644-7.4-03]', async (validityDays) => {
    await expect(issueToken(store, { gateway: 'corp', label: 'a', validityDays }, nowMs)).rejects.toThrow(RangeError);
  });

  it.each(['', ' a', 'a\nb', 'x'.repeat(101)])('refuses the label %j', async (label) => {
    await expect(issueToken(store, { gateway: 'corp', label }, nowMs)).rejects.toThrow(RangeError);
  });
});

describe('createTokenAuthenticator', () => {
  it('knows the caller by the label of the token', async () => {
    const token = await issue('Entra production');
    expect(await authenticator().verify(token)).toEqual({ caller: { id: 'token:Entra production' } });
  });

  it('answers at once, without a look-up, while a check is fresh', async () => {
    const token = await issue();
    const { verify } = authenticator();
    await verify(token);
    nowMs += 499;
    expect(verify(token)).toEqual({ caller: { id: 'token:Entra' } });
    expect(store.finds()).toBe(1);
  });

  it('refuses a revoked token within a second, and says so in the log only', async () => {
    const token = await issue();
    const { verify } = authenticator();
    await verify(token);
    await store.revoke('corp', 'Entra', nowMs);
    nowMs += 1000;
    expect(await verify(token)).toEqual({ reason: 'token "Entra" was revoked' });
  });

  it('refuses a token at its end, also when it was checked just before [7644-7.4-03]', async () => {
    const token = await issue();
    const { verify } = authenticator();
    nowMs += 365 * day - 1;
    expect(await verify(token)).toMatchObject({ caller: { id: 'token:Entra' } });
    nowMs += 1;
    expect(await verify(token)).toEqual({ reason: 'token "Entra" expired', description: 'The token expired' });
  });

  it('refuses a token of another gateway [7644-6.1-01]', async () => {
    const token = await issue('Entra', 'other');
    expect(await authenticator().verify(token)).toEqual({ reason: 'token "Entra" belongs to gateway "other"' });
  });

  it('tells a mistyped token from an unknown one without looking it up', async () => {
    const token = await issue();
    const last = token.at(-1) === 'A' ? 'B' : 'A';
    for (const mistyped of [token.slice(0, -1) + last, token.slice(0, -5), `${token}x`]) {
      expect(await authenticator().verify(mistyped)).toEqual({
        reason: 'the token is cut or mistyped: its checksum is wrong',
      });
    }
    expect(store.finds()).toBe(0);
    expect(await authenticator().verify(generateToken())).toEqual({ reason: 'the token is unknown' });
  });

  it('leaves credentials of other kinds to other authenticators', () => {
    expect(authenticator().verify('eyJhbGciOiJSUzI1NiJ9.e30.x')).toBeUndefined();
  });

  it('notes the use of a token at most once a minute, after the answer', async () => {
    const token = await issue();
    const { verify } = authenticator();
    const startedAtMs = nowMs;
    await verify(token);
    expect(store.uses()).toEqual([]);
    for (let second = 0; second < 61; second++) {
      await verify(token);
      vi.runAllTicks();
      vi.advanceTimersByTime(0);
      nowMs += 1000;
    }
    expect(store.uses()).toEqual([startedAtMs, startedAtMs + 60_000]);
  });
});
