import { describe, expect, it } from 'vitest';
import type { OperationContext, TraceEntry } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { BackendPace, isPaceRefusal, type PaceOptions } from '../../src/backend/pace.js';
import { FakeClock, settled } from './fake-clock.js';
import { watch } from './guard-harness.js';

function paced(options: PaceOptions = {}) {
  const clock = new FakeClock();
  const pace = new BackendPace({ clock, ...options });
  let operations = 0;
  const context = (inMs = 20_000, more: Partial<OperationContext> = {}): OperationContext => ({
    signal: new AbortController().signal,
    requestId: 'r1',
    operationId: `o${++operations}`,
    deadlineMs: clock.now() + inMs,
    ...more,
  });
  const take = (inMs?: number, more?: Partial<OperationContext>) => watch(pace.take(context(inMs, more)));
  const takes = (count: number) => Array.from({ length: count }, () => take());
  return { clock, pace, context, take, takes };
}

const passed = (all: readonly { readonly isSettled: boolean }[]) => all.filter(({ isSettled }) => isSettled).length;

describe('pace: a declared rate', () => {
  it('lets as many through at once as it says, and the next ones when the first are so long ago', async () => {
    const { clock, takes } = paced({ rate: { requests: 3, perSeconds: 2 } });
    const all = takes(8);
    await settled();
    expect(passed(all)).toBe(3);
    await clock.pass(1_999);
    expect(passed(all)).toBe(3);
    await clock.pass(1);
    expect(passed(all)).toBe(6);
    await clock.pass(2_000);
    expect(passed(all)).toBe(8);
  });

  it('is never exceeded in any span of its length, whenever requests come', async () => {
    const { clock, pace, context } = paced({ rate: { requests: 5, perSeconds: 1 } });
    const sentAtMs: number[] = [];
    for (let n = 0; n < 60; n++) {
      void pace.take(context(60_000)).then(() => sentAtMs.push(clock.now()));
      await clock.pass((n * 37) % 211);
    }
    await clock.pass(60_000);
    expect(sentAtMs).toHaveLength(60);
    for (const [index, atMs] of sentAtMs.entries()) {
      const fifthBefore = sentAtMs[index - 5];
      if (fifthBefore !== undefined) expect(atMs - fifthBefore).toBeGreaterThanOrEqual(1_000);
    }
  });

  it('lets go in the order in which they came', async () => {
    const { clock, pace, context } = paced({ rate: { requests: 1, perSeconds: 1 } });
    const order: number[] = [];
    for (const n of [0, 1, 2, 3]) void pace.take(context()).then(() => order.push(n));
    await clock.pass(5_000);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('refuses at once what would wait beyond its deadline, and says when to come again', async () => {
    const { take, takes, pace } = paced({ rate: { requests: 2, perSeconds: 10 } });
    takes(6);
    const late = take(15_000);
    await settled();
    expect(late.error).toMatchObject({
      name: 'AdapterError',
      kind: 'unavailable',
      applied: 'no',
      retryAfterSeconds: 20,
    });
    expect(isPaceRefusal(late.error)).toBe(true);
    expect(pace.state).toEqual({ waiting: 2, pausedForMs: 0, rate: { requests: 2, perSeconds: 10 } });
  });

  it('lets so many wait and no more', async () => {
    const { takes, take, pace } = paced({ rate: { requests: 1, perSeconds: 0.001 }, maxWaiting: 3 });
    takes(4);
    const more = take();
    await settled();
    expect(more.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 1 });
    expect(pace.state.waiting).toBe(3);
  });

  it('forgets an operation that ends while it waits', async () => {
    const { clock, takes, take, pace } = paced({ rate: { requests: 1, perSeconds: 1 } });
    takes(1);
    const controller = new AbortController();
    const leaving = take(20_000, { signal: controller.signal });
    const staying = take();
    controller.abort(new Error('left'));
    await settled();
    expect(leaving.error).toMatchObject({ kind: 'timeout', applied: 'no' });
    expect(pace.state.waiting).toBe(1);
    await clock.pass(1_000);
    expect(staying.isSettled).toBe(true);
  });

  it('does not begin to wait for an operation that has ended', async () => {
    const { takes, take } = paced({ rate: { requests: 1, perSeconds: 1 } });
    takes(1);
    const ended = take(20_000, { signal: AbortSignal.abort(), hasEnded: true });
    await settled();
    expect(ended.error).toMatchObject({ kind: 'timeout', applied: 'no' });
  });

  it('notes the wait in the trace, and nothing where there was none', async () => {
    const { clock, take } = paced({ rate: { requests: 1, perSeconds: 3 } });
    const trace: TraceEntry[] = [];
    const more = { trace: (entry: TraceEntry) => trace.push(entry) };
    take(20_000, more);
    take(20_000, more);
    await clock.pass(3_000);
    expect(trace).toEqual([{ operation: "wait for the backend's pace", durationMs: 3_000 }]);
  });
});

describe('pace: a pause', () => {
  it('holds everything up until then, then lets one go first and the others after its end', async () => {
    const { clock, pace, takes, context } = paced();
    pace.learn({ retryAfterSeconds: 5 });
    const first = context();
    const probe = watch(pace.take(first));
    const others = takes(3);
    await clock.pass(4_999);
    expect(pace.state).toMatchObject({ waiting: 4, pausedForMs: 1 });
    expect(probe.isSettled).toBe(false);
    await clock.pass(1);
    expect(probe.isSettled).toBe(true);
    expect(passed(others)).toBe(0);
    pace.ended(first.operationId, 'healthy');
    await settled();
    expect(passed(others)).toBe(3);
    expect(pace.state).toEqual({ waiting: 0, pausedForMs: 0 });
  });

  it('lets the others follow when the one that goes first asks again, for its first request was answered then', async () => {
    const { clock, pace, takes, context } = paced();
    pace.learn({ retryAfterSeconds: 1 });
    const first = context();
    watch(pace.take(first));
    const others = takes(2);
    await clock.pass(1_000);
    const second = watch(pace.take(first));
    await settled();
    expect(second.isSettled).toBe(true);
    expect(passed(others)).toBe(2);
  });

  it('begins anew when the one that goes first is told to wait again', async () => {
    const { clock, pace, takes, context } = paced();
    pace.learn({ retryAfterSeconds: 1 });
    const first = context();
    watch(pace.take(first));
    const others = takes(2);
    await clock.pass(1_000);
    pace.learn({ retryAfterSeconds: 2 });
    pace.ended(first.operationId, 'neutral');
    await clock.pass(1_999);
    expect(passed(others)).toBe(0);
    await clock.pass(1);
    expect(passed(others)).toBe(1);
  });

  it('waits no longer than ten seconds for news of the one that went first', async () => {
    const { clock, pace, takes } = paced();
    pace.learn({ retryAfterSeconds: 1 });
    const all = takes(3);
    await clock.pass(10_999);
    expect(passed(all)).toBe(1);
    await clock.pass(1);
    expect(passed(all)).toBe(3);
  });

  it('lets another go first when the caller of the first one left', async () => {
    const { clock, pace, takes, context } = paced();
    pace.learn({ retryAfterSeconds: 1 });
    const first = context();
    watch(pace.take(first));
    const others = takes(2);
    await clock.pass(1_000);
    pace.ended(first.operationId, 'neutral');
    await settled();
    expect(passed(others)).toBe(1);
  });

  it('refuses with its own end what waits or comes and cannot wait so long', async () => {
    const { clock, pace, take } = paced({ rate: { requests: 1, perSeconds: 4 } });
    take();
    const waiting = take(8_000);
    await settled();
    expect(waiting.isSettled).toBe(false);
    pace.learn({ retryAfterSeconds: 30 });
    await settled();
    expect(waiting.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 30 });
    await clock.pass(500);
    const later = take(20_000);
    await settled();
    expect(later.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 30 });
    expect(pace.isPaused).toBe(true);
  });

  it('is not shortened by a later, shorter one', async () => {
    const { pace } = paced();
    pace.learn({ retryAfterSeconds: 9 });
    pace.learn({ retryAfterSeconds: 2 });
    expect(pace.state.pausedForMs).toBe(9_000);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -3])('is not made by %d seconds', async (retryAfterSeconds) => {
    const { pace, take } = paced();
    pace.learn({ retryAfterSeconds });
    const one = take();
    await settled();
    expect(one.isSettled).toBe(true);
    expect(pace.isFree).toBe(true);
  });

  it('ends after an hour, whatever the backend said', async () => {
    const { pace } = paced();
    pace.learn({ retryAfterSeconds: 1_795_000_000 });
    expect(pace.state.pausedForMs).toBe(3_600_000);
  });

  it('leaves nothing behind: asking costs nothing again', async () => {
    const { clock, pace, context } = paced();
    pace.learn({ retryAfterSeconds: 1 });
    await clock.pass(1_000);
    const first = context();
    await pace.take(first);
    pace.ended(first.operationId, 'healthy');
    await pace.take(context());
    expect(pace.isFree).toBe(true);
  });
});

describe('pace: what remains until a reset', () => {
  it('lets the first half go as it comes, and spreads the rest over the time', async () => {
    const { clock, pace, takes } = paced();
    pace.learn({ remaining: 10, resetSeconds: 10 });
    const all = takes(10);
    await settled();
    // The five of the first half, and one more whose distance is measured from now on.
    expect(passed(all)).toBeGreaterThanOrEqual(5);
    expect(passed(all)).toBeLessThanOrEqual(6);
    await clock.pass(5_000);
    expect(passed(all)).toBeLessThan(10);
    await clock.pass(5_000);
    expect(passed(all)).toBe(10);
  });

  it('holds everything up when nothing remains, before the backend has to say so', async () => {
    const { clock, pace, take } = paced();
    pace.learn({ remaining: 0, resetSeconds: 7 });
    expect(pace.isPaused).toBe(true);
    const one = take();
    const hurried = take(5_000);
    await settled();
    expect(hurried.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 7 });
    await clock.pass(6_999);
    expect(one.isSettled).toBe(false);
    await clock.pass(1);
    expect(one.isSettled).toBe(true);
    expect(pace.isFree).toBe(true);
  });

  it('counts what is under way, of which the backend does not know yet', async () => {
    const { pace, takes } = paced();
    pace.learn({ remaining: 2, resetSeconds: 15 });
    takes(2);
    await settled();
    pace.learn({ remaining: 1, resetSeconds: 15 });
    expect(pace.isPaused).toBe(true);
  });

  it('refuses nobody while something remains', async () => {
    const { clock, pace, take } = paced();
    pace.learn({ remaining: 1_000, resetSeconds: 3_600 });
    pace.learn({ remaining: 3, resetSeconds: 3_590 });
    const one = take();
    const other = take();
    await clock.pass(2_000);
    expect([one, other].map(({ isSettled, error }) => [isSettled, error])).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
  });

  it('says nothing without a reset', async () => {
    const { pace, take } = paced();
    pace.learn({ remaining: 0 });
    const one = take();
    await settled();
    expect(one.isSettled).toBe(true);
  });
});

describe('pace: its own refusals', () => {
  it('are known again when an adapter has wrapped them', async () => {
    const { pace, context } = paced();
    pace.learn({ retryAfterSeconds: 60 });
    const error = await pace.take(context()).catch((reason: unknown) => reason);
    expect(isPaceRefusal(new AdapterError('unavailable', 'wrapped', { cause: error }))).toBe(true);
    expect(isPaceRefusal(new AdapterError('unavailable', 'the backend', { retryAfterSeconds: 60 }))).toBe(false);
    expect(isPaceRefusal(undefined)).toBe(false);
  });
});
