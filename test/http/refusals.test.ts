import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRefusalDelay, type RefusalDelay } from '../../src/http/refusals.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Refuses one request and waits for its answer. @returns the milliseconds that it was put off */
async function refuse(delays: RefusalDelay, address: string): Promise<number> {
  const startedAtMs = performance.now();
  const wait = delays.delay(address);
  if (wait === undefined) return 0;
  let waitedMs: number | undefined;
  void wait.then(() => {
    waitedMs = performance.now() - startedAtMs;
  });
  while (waitedMs === undefined) await pass(50);
  return waitedMs;
}

async function refuseTimes(delays: RefusalDelay, address: string, times: number): Promise<readonly number[]> {
  const waits: number[] = [];
  for (let n = 0; n < times; n++) waits.push(await refuse(delays, address));
  return waits;
}

describe('repeated refusals', () => {
  it('are slowed down more and more after ten in a minute [7644-7.7-02]', async () => {
    const delays = createRefusalDelay();
    expect(await refuseTimes(delays, '192.0.2.1', 10)).toEqual(Array(10).fill(0));
    expect(await refuseTimes(delays, '192.0.2.1', 8)).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  it('of a client with an old token that tries now and then are not', async () => {
    const delays = createRefusalDelay();
    for (let n = 0; n < 100; n++) {
      expect(delays.delay('192.0.2.1')).toBeUndefined();
      await pass(6000);
    }
  });

  it('are forgiven after two minutes of silence', async () => {
    const delays = createRefusalDelay();
    await refuseTimes(delays, '192.0.2.1', 100);
    expect(await refuse(delays, '192.0.2.1')).toBe(2000);
    await pass(120_000);
    expect(await refuseTimes(delays, '192.0.2.1', 10)).toEqual(Array(10).fill(0));
  });

  it('of one address do not slow down another', async () => {
    const delays = createRefusalDelay();
    await refuseTimes(delays, '192.0.2.1', 20);
    expect(delays.delay('192.0.2.2')).toBeUndefined();
  });

  it('count for the whole /64 of an IPv6 address, and for an IPv4 address however it is written', async () => {
    const delays = createRefusalDelay();
    for (let n = 0; n < 10; n++) expect(delays.delay(`2001:db8:0:1::${n}`)).toBeUndefined();
    expect(delays.delay('2001:db8:0:2::1')).toBeUndefined();
    expect(delays.delay('2001:db8:0:1:ffff::')).toBeInstanceOf(Promise);
    for (let n = 0; n < 10; n++) expect(delays.delay('192.0.2.1')).toBeUndefined();
    expect(delays.delay('::ffff:192.0.2.1')).toBeInstanceOf(Promise);
  });

  it('are no longer put off when the client leaves', async () => {
    const delays = createRefusalDelay();
    await refuseTimes(delays, '192.0.2.1', 16);
    const client = new AbortController();
    const wait = delays.delay('192.0.2.1', client);
    expect(delays.waiting()).toBe(1);
    client.abort();
    await wait;
    expect(delays.waiting()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the refusals that are put off', () => {
  it('are ten of one address at most; the next are 429 at once', async () => {
    const delays = createRefusalDelay();
    await refuseTimes(delays, '192.0.2.1', 20);
    const waits = Array.from({ length: 10 }, () => delays.delay('192.0.2.1'));
    expect(() => delays.delay('192.0.2.1')).toThrow(expect.objectContaining({ status: 429, retryAfterSeconds: 2 }));
    await pass(2000);
    await Promise.all(waits);
    expect(delays.delay('192.0.2.1')).toBeInstanceOf(Promise);
  });

  it('are bounded in all', async () => {
    const delays = createRefusalDelay({ freePerMinute: 1, mostInAll: 30 });
    let refused = 0;
    for (let n = 0; n < 100; n++) {
      expect(delays.delay(`192.0.2.${n}`)).toBeUndefined();
      try {
        delays.delay(`192.0.2.${n}`);
      } catch {
        refused++;
      }
    }
    expect(delays.waiting()).toBe(30);
    expect(refused).toBe(70);
    await pass(2000);
    expect(delays.waiting()).toBe(0);
  });

  it('remember the addresses refused last, and no more of them', () => {
    const delays = createRefusalDelay({ freePerMinute: 1, mostAddresses: 2 });
    for (const address of ['a', 'b', 'c']) expect(delays.delay(address)).toBeUndefined();
    expect(delays.delay('c')).toBeInstanceOf(Promise);
    expect(delays.delay('a')).toBeUndefined();
  });
});
