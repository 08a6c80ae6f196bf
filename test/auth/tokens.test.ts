import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Authenticator } from '../../src/auth/authentication.js';
import { generateSecret, hashSecret } from '../../src/auth/generated-secret.js';
import {
  createTokenAuthenticator,
  defaultTokenPolicy,
  type FormerEnd,
  issueToken,
  rotateToken,
} from '../../src/auth/tokens.js';
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

async function lastUsed(label: string): Promise<number | undefined> {
  return (await store.list('corp')).find((record) => record.label === label)?.lastUsedAtMs;
}

describe('generateSecret', () => {
  it('gives 256 random bits behind a prefix, in URL-safe characters [7644-7.4-01]', () => {
    const tokens = Array.from({ length: 200 }, () => generateSecret('scimb_'));
    expect(new Set(tokens).size).toBe(200);
    for (const token of tokens) {
      expect(token).toMatch(/^scimb_[\w-]{49}$/);
      expect(Buffer.from(token.slice(6, 49), 'base64url')).toHaveLength(32);
    }
  });
});

describe('issueToken', () => {
  it('keeps a hash, never the token [capabilities-7 capabilities-9]', async () => {
    const token = await issue();
    expect(store.dump()).not.toContain(token.slice(6, 40));
    expect(store.dump()).toContain(hashSecret(token));
  });

  it('always sets an end: 365 days unless asked otherwise [7644-7.4-03]', async () => {
    expect((await issueToken(store, { gateway: 'corp', label: 'a' }, nowMs)).expiresAtMs).toBe(nowMs + 365 * day);
    const longer = await issueToken(store, { gateway: 'corp', label: 'b', validityDays: 730 }, nowMs);
    expect(longer.expiresAtMs).toBe(nowMs + 730 * day);
  });

  it.each([89, 731, 100.5, Number.NaN])(
    'refuses a validity of %d days [capabilities-13 7644-7.4-03]',
    async (validityDays) => {
      await expect(issueToken(store, { gateway: 'corp', label: 'a', validityDays }, nowMs)).rejects.toThrow(RangeError);
    },
  );

  it.each([90, 730])('accepts a validity of %d days [capabilities-13]', async (validityDays) => {
    const { expiresAtMs } = await issueToken(store, { gateway: 'corp', label: 'a', validityDays }, nowMs);
    expect(expiresAtMs).toBe(nowMs + validityDays * day);
  });

  it("takes the gateway's own bounds and validity [capabilities-13]", async () => {
    const policy = { validityDays: 10, minimumDays: 7, maximumDays: 14, single: false };
    const issueFor = (label: string, validityDays?: number) =>
      issueToken(
        store,
        { gateway: 'corp', label, policy, ...(validityDays === undefined ? {} : { validityDays }) },
        nowMs,
      );
    expect((await issueFor('a')).expiresAtMs).toBe(nowMs + 10 * day);
    expect((await issueFor('b', 7)).expiresAtMs).toBe(nowMs + 7 * day);
    for (const days of [6, 15]) await expect(issueFor('c', days)).rejects.toThrow('7 to 14 days');
  });

  it.each(['', ' a', 'a\nb', 'x'.repeat(101)])('refuses the label %j', async (label) => {
    await expect(issueToken(store, { gateway: 'corp', label }, nowMs)).rejects.toThrow(RangeError);
  });
});

describe('createTokenAuthenticator', () => {
  it('knows the caller by the label of the token [capabilities-8]', async () => {
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
    expect(await authenticator().verify(generateSecret('scimb_'))).toEqual({ reason: 'the token is unknown' });
  });

  it('leaves credentials of other kinds to other authenticators', () => {
    expect(authenticator().verify('eyJhbGciOiJSUzI1NiJ9.e30.x')).toBeUndefined();
  });

  it('notes the first use at once and durably, later ones at most once a minute, after the answer [capabilities-14]', async () => {
    const token = await issue();
    const { verify } = authenticator();
    const startedAtMs = nowMs;
    await verify(token);
    expect(await lastUsed('Entra')).toBe(startedAtMs);
    for (let second = 0; second < 61; second++) {
      await verify(token);
      vi.runAllTicks();
      vi.advanceTimersByTime(0);
      nowMs += 1000;
    }
    expect(store.uses()).toEqual([startedAtMs + 60_000]);
    expect(await lastUsed('Entra')).toBe(startedAtMs + 60_000);
  });

  it('lets a caller in although the first use cannot be noted, and notes a later one', async () => {
    const token = await issue();
    let isBusy = true;
    const { verify } = createTokenAuthenticator({
      gateway: 'corp',
      store: { ...store, prove: (...use) => (isBusy ? Promise.reject(new Error('busy')) : store.prove(...use)) },
      now: () => nowMs,
    });
    expect(await verify(token)).toMatchObject({ caller: { id: 'token:Entra' } });
    expect(await lastUsed('Entra')).toBeUndefined();
    isBusy = false;
    nowMs += 500;
    await verify(token);
    expect(await lastUsed('Entra')).toBe(nowMs);
  });

  it('tells what a caller is limited to [7644-2-02 7644-2.1-02]', async () => {
    const limits = { readOnly: true, resourceTypes: ['User'] };
    const { token } = await issueToken(store, { gateway: 'corp', label: 'audit', ...limits }, nowMs);
    expect(await authenticator().verify(token)).toEqual({ caller: { id: 'token:audit', ...limits } });
  });

  it("refuses a client's secret, which is for the token endpoint only", async () => {
    const { token: secret } = await issueToken(store, { gateway: 'corp', label: 'Okta', clientId: 'c1' }, nowMs);
    expect(secret).toMatch(/^scimbs_/);
    expect(await authenticator().verify(secret)).toBeUndefined();
  });
});

describe('several tokens, or a single one', () => {
  it('several are valid side by side until they are revoked [capabilities-10]', async () => {
    const [first, second] = [await issue('a'), await issue('b')];
    const { verify } = authenticator();
    for (const token of [first, second]) expect(await verify(token)).toHaveProperty('caller');
    await store.revoke('corp', 'a', nowMs);
    nowMs += 500;
    expect(await verify(first)).not.toHaveProperty('caller');
    expect(await verify(second)).toHaveProperty('caller');
  });

  it('where there is a single one, a new one ends the former at once, whatever its label [capabilities-11]', async () => {
    const policy = { ...defaultTokenPolicy, single: true };
    const first = await issue('a');
    const elsewhere = await issue('a', 'other');
    const { token: second } = await issueToken(store, { gateway: 'corp', label: 'b', policy }, nowMs);
    expect(await authenticator().verify(first)).toEqual({ reason: 'token "a" was revoked' });
    expect(await authenticator().verify(second)).toHaveProperty('caller');
    expect(await store.find(hashSecret(elsewhere))).toMatchObject({ revokedAtMs: undefined });
    const { token: third } = await issueToken(store, { gateway: 'corp', label: 'b', policy }, nowMs);
    expect(await authenticator().verify(second)).not.toHaveProperty('caller');
    expect(await authenticator().verify(third)).toHaveProperty('caller');
  });

  it('where there is a single one, rotation leaves no overlap', async () => {
    const policy = { ...defaultTokenPolicy, single: true };
    const first = await issue('a');
    const rotated = await rotateToken(
      store,
      { gateway: 'corp', label: 'a', kind: 'token', policy },
      { overlapDays: 7 },
      nowMs,
    );
    expect(await authenticator().verify(first)).not.toHaveProperty('caller');
    expect(await authenticator().verify(rotated?.token ?? '')).toHaveProperty('caller');
  });
});

describe('rotateToken', () => {
  const rotate = (formerEnd: FormerEnd, label = 'Entra') =>
    rotateToken(store, { gateway: 'corp', label, kind: 'token' }, formerEnd, nowMs);

  it('gives a new value with the same label, and leaves the former valid for the overlap [capabilities-10 capabilities-12]', async () => {
    const former = await issue();
    const rotated = await rotate({ overlapDays: 7 });
    const fresh = rotated?.token ?? '';
    expect(fresh).not.toBe(former);
    const { verify } = authenticator();
    expect(await verify(former)).toEqual({ caller: { id: 'token:Entra' } });
    expect(await verify(fresh)).toEqual({ caller: { id: 'token:Entra' } });
    expect(rotated?.former).toMatchObject({ replacedAtMs: nowMs, expiresAtMs: nowMs + 7 * day, awaitsProof: false });
    nowMs += 7 * day;
    expect(await verify(fresh)).toHaveProperty('caller');
    expect(await verify(former)).toEqual({
      reason: 'token "Entra" was replaced, and its time beside the new one is over',
      description: 'The token expired',
    });
  });

  it('does not make the former valid for longer than it was', async () => {
    await issue();
    const end = nowMs + 365 * day;
    nowMs += 364 * day;
    expect((await rotate({ overlapDays: 7 }))?.former.expiresAtMs).toBe(end);
  });

  it('until proven: the former ends by itself once the new one has been used [capabilities-10 capabilities-12]', async () => {
    const former = await issue();
    const fresh = (await rotate('proven'))?.token ?? '';
    const { verify } = authenticator();
    nowMs += 100 * day;
    expect(await verify(former)).toHaveProperty('caller');
    expect(await verify(fresh)).toHaveProperty('caller');
    nowMs += 1000;
    expect(await verify(former)).toEqual({ reason: 'token "Entra" was replaced, and is revoked since' });
    expect(await verify(fresh)).toHaveProperty('caller');
  });

  it('keeps the limits', async () => {
    const limits = { readOnly: true, resourceTypes: ['Group'] };
    await issueToken(store, { gateway: 'corp', label: 'Entra', ...limits }, nowMs);
    const fresh = (await rotate({ overlapDays: 0 }))?.token ?? '';
    expect(await authenticator().verify(fresh)).toEqual({ caller: { id: 'token:Entra', ...limits } });
  });

  it('needs a current token with the label', async () => {
    await issueToken(store, { gateway: 'corp', label: 'client', clientId: 'c1' }, nowMs);
    expect(await rotate('proven', 'nobody')).toBeUndefined();
    expect(await rotate('proven', 'client')).toBeUndefined();
    await issue();
    nowMs += 365 * day;
    expect(await rotate('proven')).toBeUndefined();
    // An expired one does not hold its label either.
    expect(await issue()).toMatch(/^scimb_/);
  });

  it.each([-1, 366, Number.NaN])('refuses an overlap of %d days', async (overlapDays) => {
    await issue();
    await expect(rotate({ overlapDays })).rejects.toThrow(RangeError);
  });
});
