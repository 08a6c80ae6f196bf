import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Admission, createAdmission } from '../../src/http/admission.js';
import { ScimError } from '../../src/scim/error.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Entered = 'in' | 'waiting' | 'refused';

/** Enters and tells what became of it, now and after each turn of the clock. */
function enter(admission: Admission, signal?: AbortSignal): { state: Entered; reason?: unknown } {
  const told: { state: Entered; reason?: unknown } = { state: 'waiting' };
  try {
    const entry = admission.enter(signal && { signal });
    if (entry === undefined) told.state = 'in';
    else {
      entry.then(
        () => {
          told.state = 'in';
        },
        (reason: unknown) => {
          told.state = 'refused';
          told.reason = reason;
        },
      );
    }
  } catch (error) {
    told.state = 'refused';
    told.reason = error;
  }
  return told;
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const count = (entries: readonly { state: Entered }[], state: Entered): number =>
  entries.filter((entry) => entry.state === state).length;

describe('the rate', () => {
  it('lets a burst in at once, by default of ten seconds, and no more', async () => {
    const admission = createAdmission({ requestsPerSecond: 10, concurrentRequests: 1000 });
    const entries = Array.from({ length: 100 }, () => enter(admission));
    expect(count(entries, 'in')).toBe(100);
    expect(enter(admission).state).toBe('waiting');
    expect(admission.state()).toEqual({ atWork: 100, waiting: 1, refused: 0 });
  });

  it('slows a client that sends one after another down to the rate, and never refuses it', async () => {
    const admission = createAdmission({ requestsPerSecond: 25, burst: 5, concurrentRequests: 10 });
    const startedAtMs = performance.now();
    const client = (async () => {
      for (let sent = 0; sent < 105; sent++) {
        await admission.enter();
        admission.leave();
      }
      return performance.now() - startedAtMs;
    })();
    await pass(10_000);
    // Five at once, then 25 a second.
    expect(await client).toBeGreaterThanOrEqual(4000);
    expect(await client).toBeLessThan(4200);
    expect(admission.state().refused).toBe(0);
  });

  it.each([1, 3, 7, 1000])('serves %i a second in the long run, whatever comes', async (requestsPerSecond) => {
    const admission = createAdmission({ requestsPerSecond, burst: 1, concurrentRequests: 20_000 });
    const entries: { state: Entered }[] = [];
    for (let tick = 0; tick < 100; tick++) {
      for (let n = 0; n < Math.ceil(requestsPerSecond / 5); n++) entries.push(enter(admission));
      await pass(100);
    }
    const served = count(entries, 'in');
    expect(served).toBeGreaterThanOrEqual(requestsPerSecond * 9.9);
    expect(served).toBeLessThanOrEqual(requestsPerSecond * 10 + 1);
  });

  it('fills up again while nobody comes, but not beyond the burst', async () => {
    const admission = createAdmission({ requestsPerSecond: 10, burst: 20, concurrentRequests: 1000 });
    for (let n = 0; n < 20; n++) expect(enter(admission).state).toBe('in');
    await pass(1000);
    const afterOneSecond = Array.from({ length: 11 }, () => enter(admission));
    expect(count(afterOneSecond, 'in')).toBe(10);
    await pass(3_600_000);
    const afterAnHour = Array.from({ length: 21 }, () => enter(admission));
    expect(count(afterAnHour, 'in')).toBe(20);
  });

  it('is not there when it is 0', () => {
    const admission = createAdmission({ requestsPerSecond: 0, concurrentRequests: 10 });
    for (let n = 0; n < 10_000; n++) {
      expect(enter(admission).state).toBe('in');
      admission.leave();
    }
  });
});

describe('requests at work', () => {
  it('are bounded; the next comes in when one leaves, in order of arrival', async () => {
    const admission = createAdmission({ requestsPerSecond: 0, concurrentRequests: 2 });
    const entries = Array.from({ length: 4 }, () => enter(admission));
    expect(entries.map(({ state }) => state)).toEqual(['in', 'in', 'waiting', 'waiting']);
    admission.leave();
    await pass(0);
    expect(entries.map(({ state }) => state)).toEqual(['in', 'in', 'in', 'waiting']);
    // Whoever comes now does not overtake.
    const last = enter(admission);
    admission.leave();
    await pass(0);
    expect(entries[3]?.state).toBe('in');
    expect(last.state).toBe('waiting');
  });

  it('are not more than they may be, whatever the rate allows', async () => {
    const admission = createAdmission({ requestsPerSecond: 100, concurrentRequests: 3 });
    const entries = Array.from({ length: 20 }, () => enter(admission));
    expect(count(entries, 'in')).toBe(3);
    await pass(900);
    expect(admission.state()).toMatchObject({ atWork: 3, waiting: 17 });
  });
});

describe('too many', () => {
  it('are refused at once with 429 and Retry-After when more wait than a second can serve', async () => {
    const admission = createAdmission({ requestsPerSecond: 10, burst: 1, concurrentRequests: 100 });
    const entries = Array.from({ length: 12 }, () => enter(admission));
    expect(entries.map(({ state }) => state)).toEqual(['in', ...Array(10).fill('waiting'), 'refused']);
    const { reason } = entries[11] ?? {};
    expect(reason).toBeInstanceOf(ScimError);
    expect(reason).toMatchObject({ status: 429, retryAfterSeconds: 2 });
    expect((reason as ScimError).message).toContain('10 requests a second');
    await pass(1000);
    expect(count(entries, 'in')).toBe(11);
    expect(admission.state()).toEqual({ atWork: 11, waiting: 0, refused: 1 });
  });

  it('are refused after a second when nobody leaves', async () => {
    const admission = createAdmission({ requestsPerSecond: 0, concurrentRequests: 1 });
    enter(admission);
    const entry = enter(admission);
    await pass(999);
    expect(entry.state).toBe('waiting');
    await pass(1);
    expect(entry.state).toBe('refused');
    expect(entry.reason).toMatchObject({ status: 429, retryAfterSeconds: 1 });
    expect((entry.reason as ScimError).message).toContain('1 requests at the same time');
  });

  it('of one gateway do not make the callers of another wait', () => {
    const flooded = createAdmission({ requestsPerSecond: 10, concurrentRequests: 10 });
    const other = createAdmission({ requestsPerSecond: 10, concurrentRequests: 10 });
    for (let n = 0; n < 1000; n++) enter(flooded);
    expect(enter(flooded).state).toBe('refused');
    expect(enter(other).state).toBe('in');
  });
});

describe('a client that leaves while it waits', () => {
  it('frees its place, and uses up nothing of the rate', async () => {
    const admission = createAdmission({ requestsPerSecond: 2, burst: 1, concurrentRequests: 10 });
    enter(admission);
    const client = new AbortController();
    const left = enter(admission, client.signal);
    const stays = enter(admission);
    expect(enter(admission).state).toBe('refused');
    client.abort(new Error('gone'));
    await pass(0);
    expect(left).toMatchObject({ state: 'refused', reason: { message: 'gone' } });
    expect(enter(admission).state).toBe('waiting');
    await pass(500);
    expect(stays.state).toBe('in');
    expect(admission.state().atWork).toBe(2);
  });

  it('or has left before, is not let in', () => {
    const admission = createAdmission({ requestsPerSecond: 0, concurrentRequests: 1 });
    enter(admission);
    expect(enter(admission, AbortSignal.abort(new Error('gone'))).state).toBe('refused');
    expect(admission.state()).toEqual({ atWork: 1, waiting: 0, refused: 0 });
  });

  it('leaves no timer behind', async () => {
    const admission = createAdmission({ requestsPerSecond: 10, burst: 1, concurrentRequests: 1 });
    enter(admission);
    const client = new AbortController();
    enter(admission, client.signal);
    expect(vi.getTimerCount()).toBe(1);
    client.abort();
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an admission that need not wait', () => {
  it('makes no promise and no signal', () => {
    const admission = createAdmission({ requestsPerSecond: 10, concurrentRequests: 10 });
    const waiter = {
      get signal(): AbortSignal {
        throw new Error('It was made.');
      },
    };
    expect(admission.enter(waiter)).toBeUndefined();
  });
});
