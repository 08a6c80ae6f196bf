import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Flight, InFlight } from '../../src/http/in-flight.js';
import { createFakeService } from './fake-service.js';
import { createTestApp, errorOf, testLimits } from './test-app.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new Promise<string>(() => undefined);

describe('InFlight', () => {
  it('gives the answer of the work', async () => {
    const flight = new Flight(performance.now() + 1000, undefined);
    expect(await new InFlight().track(flight, Promise.resolve('done'), () => 'late')).toBe('done');
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(250);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fires the signal at the deadline, and gives up a second later', async () => {
    const flight = new Flight(performance.now() + 1000, undefined);
    const { signal } = flight;
    const answer = new InFlight().track(flight, never, () => 'late');
    vi.advanceTimersByTime(750);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(250);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
    expect(flight.endedBy).toBe('deadline');
    vi.advanceTimersByTime(1000);
    expect(await answer).toBe('late');
  });

  it('fires the signal when the client left', () => {
    const outgoing = { destroyed: false };
    const flight = new Flight(performance.now() + 10_000, outgoing);
    void new InFlight().track(flight, never, () => 'late');
    vi.advanceTimersByTime(500);
    expect(flight.endedBy).toBeUndefined();
    outgoing.destroyed = true;
    vi.advanceTimersByTime(250);
    expect(flight.endedBy).toBe('client');
    // Asked for only now: it has fired already.
    expect(flight.signal.reason).toMatchObject({ name: 'AbortError' });
  });

  it('looks after many requests that come and go in any order', async () => {
    const inFlight = new InFlight();
    const flights = Array.from({ length: 20 }, (_, index) => {
      const flight = new Flight(performance.now() + 1000, undefined);
      let finish: (text: string) => void = () => undefined;
      const work = new Promise<string>((resolve) => {
        finish = resolve;
      });
      return { index, flight, finish, answer: inFlight.track(flight, work, () => `late ${index}`) };
    });
    for (const { index, finish } of flights) if (index % 3 === 0) finish(`done ${index}`);
    await Promise.all(flights.filter(({ index }) => index % 3 === 0).map(({ answer }) => answer));
    vi.advanceTimersByTime(2000);
    const answers = await Promise.all(flights.map(({ answer }) => answer));
    expect(answers).toEqual(flights.map(({ index }) => (index % 3 === 0 ? `done ${index}` : `late ${index}`)));
    vi.advanceTimersByTime(250);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a request that takes too long', () => {
  const limits = { ...testLimits, requestSeconds: 5 };

  it('has its signal fired, and what the service then says is answered', async () => {
    const service = createFakeService({
      search: (_type, _request, context) =>
        new Promise((_resolve, reject) => {
          context.signal.addEventListener('abort', () => reject(context.signal.reason));
        }),
    });
    const { send } = createTestApp({ service, gateway: { limits } });
    const answer = send('/scim/Users');
    await vi.advanceTimersByTimeAsync(5000);
    const response = await answer;
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await errorOf(response)).detail).toContain('not finished within 5 seconds');
  });

  it('is answered even when the service never ends', async () => {
    const service = createFakeService({ search: () => new Promise(() => undefined) });
    const { send, logged } = createTestApp({ service, gateway: { limits } });
    const answer = send('/scim/Users');
    await vi.advanceTimersByTimeAsync(6000);
    expect((await answer).status).toBe(503);
    expect(logged).toMatchObject([{ msg: expect.stringContaining('not finished within'), operation: 'search' }]);
  });
});
