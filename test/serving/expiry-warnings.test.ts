import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startExpiryWarnings, warnOfExpiry } from '../../src/serving/expiry-warnings.js';
import type { TokenRecord } from '../../src/state/state.js';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 10, 1);

function token(label: string, days: number, more: Partial<TokenRecord> = {}): TokenRecord {
  return {
    gateway: 'corp',
    label,
    createdAtMs: nowMs - dayMs,
    expiresAtMs: nowMs + days * dayMs,
    lastUsedAtMs: undefined,
    revokedAtMs: undefined,
    replacedAtMs: undefined,
    awaitsProof: false,
    ...more,
  };
}

async function warned(...records: readonly TokenRecord[]): Promise<readonly (readonly [object, string])[]> {
  const lines: (readonly [object, string])[] = [];
  const log = { warn: (fields: object, message: string) => void lines.push([fields, message]) };
  await warnOfExpiry({
    gateways: () => [{ id: 'corp', log: log as never }],
    tokens: { list: async (gateway) => records.filter((record) => record.gateway === gateway) },
    now: () => nowMs,
  });
  return lines;
}

describe('tokens that expire', () => {
  it('within 30 days are warned of by their label and their day, in UTC [capabilities-14 capabilities-110]', async () => {
    expect(await warned(token('Entra', 12))).toEqual([
      [
        { label: 'Entra', expires: '2026-11-13T00:00:00.000Z' },
        'The token "Entra" expires in 12 days: make its successor with "scimbridge token rotate corp --label …".',
      ],
    ]);
  });

  it.each([
    ['in 30 days', token('a', 30), 'in 30 days'],
    ['within a day', token('a', 0.5), 'in a day'],
    ['as the secret of a client', token('a', 3, { clientId: 'c' }), 'client rotate'],
  ])('%s are warned of', async (_, record, text) => {
    expect((await warned(record))[0]?.[1]).toContain(text);
  });

  it.each([
    ['later', token('a', 30.1)],
    ['already', token('a', 0)],
    ['after they were revoked', token('a', 3, { revokedAtMs: nowMs - 1 })],
    ['since another has taken their place', token('a', 3, { replacedAtMs: nowMs - 1 })],
    ['for a gateway that is not served', token('a', 3, { gateway: 'other' })],
  ])('%s are not', async (_, record) => {
    expect(await warned(record)).toEqual([]);
  });
});

describe('the warnings', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('come at the start and once a day, until they are ended', async () => {
    const warn = vi.fn();
    const log = { warn };
    const end = startExpiryWarnings({
      gateways: () => [{ id: 'corp', log }],
      tokens: { list: async () => [token('a', 12)] },
      log,
      now: () => nowMs,
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(warn).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2 * dayMs);
    expect(warn).toHaveBeenCalledTimes(3);
    end();
    await vi.advanceTimersByTimeAsync(2 * dayMs);
    expect(warn).toHaveBeenCalledTimes(3);
  });

  it('say when the tokens cannot be read, and go on', async () => {
    const warn = vi.fn();
    const end = startExpiryWarnings({
      gateways: () => [{ id: 'corp', log: { warn } }],
      tokens: { list: () => Promise.reject(new Error('busy')) },
      log: { warn },
    });
    await vi.advanceTimersByTimeAsync(dayMs);
    expect(warn).toHaveBeenCalledTimes(2);
    end();
  });
});
