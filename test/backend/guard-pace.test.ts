import { describe, expect, it } from 'vitest';
import type { OperationContext, TraceEntry } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { type GuardedAdapter, type GuardOptions, guardAdapter } from '../../src/backend/guard.js';
import { BackendPace, type PaceOptions } from '../../src/backend/pace.js';
import { FakeClock, settled } from './fake-clock.js';
import { contextOf, get, remove, watch } from './guard-harness.js';
import { alice, answer, fail, hang, later, ScriptedAdapter, type Step } from './scripted-adapter.js';

function paced(steps: readonly Step[], options: GuardOptions = {}, paceOptions: PaceOptions = {}) {
  const clock = new FakeClock();
  const adapter = new ScriptedAdapter(...steps);
  const pace = new BackendPace({ clock, ...paceOptions });
  return { clock, adapter, pace, guard: guardAdapter(adapter, { clock, pace, ...options }) };
}

const overloaded = (retryAfterSeconds: number): Step =>
  fail(new AdapterError('unavailable', '429', { retryAfterSeconds, applied: 'no' }));

const gets = (guard: GuardedAdapter, count: number) => Array.from({ length: count }, () => watch(get(guard)));

describe('guard: a declared rate', () => {
  const twoASecond = { rate: { requests: 2, perSeconds: 1 } };

  it('holds back what comes faster, reads and writes alike', async () => {
    const { clock, adapter, guard } = paced([answer(alice)], {}, twoASecond);
    gets(guard, 2);
    watch(remove(guard));
    gets(guard, 1);
    await settled();
    expect(adapter.calls).toHaveLength(2);
    expect(guard.state()).toMatchObject({ inFlight: 2, queued: 0, pace: { waiting: 2, rate: twoASecond.rate } });
    await clock.pass(1_000);
    expect(adapter.calls).toHaveLength(4);
    expect(guard.state()).toMatchObject({ inFlight: 0, pace: { waiting: 0 } });
  });

  it('counts every try', async () => {
    const { clock, adapter, guard } = paced(
      [fail(new AdapterError('unavailable', 'down')), answer(alice)],
      {},
      { rate: { requests: 1, perSeconds: 5 } },
    );
    const reading = watch(get(guard));
    await clock.pass(4_999);
    expect(adapter.calls).toHaveLength(1);
    await clock.pass(1);
    expect(reading.value).toEqual(alice);
  });

  it('refuses at once, without a place, what cannot come in time', async () => {
    const { adapter, guard } = paced([answer(alice)], { concurrency: 1 }, { rate: { requests: 1, perSeconds: 8 } });
    const all = gets(guard, 5);
    await settled();
    expect(adapter.calls).toHaveLength(1);
    expect(all.map(({ error }) => (error as AdapterError | undefined)?.retryAfterSeconds)).toEqual([
      undefined,
      undefined,
      undefined,
      24,
      24,
    ]);
    expect(guard.state()).toMatchObject({ inFlight: 1, queued: 1, circuit: 'closed' });
  });

  it('is noted in the trace as the time that the operation waited', async () => {
    const { clock, guard } = paced([answer(alice)], {}, { rate: { requests: 1, perSeconds: 2 } });
    const trace: TraceEntry[] = [];
    await get(guard);
    watch(get(guard, contextOf(new AbortController(), trace)));
    await clock.pass(2_000);
    expect(trace).toEqual([{ operation: "wait for the backend's pace", durationMs: 2_000 }]);
  });

  it('frees the place of one that ends while it waits for its moment', async () => {
    const { clock, guard, adapter } = paced(
      [answer(alice)],
      { concurrency: 1 },
      { rate: { requests: 1, perSeconds: 2 } },
    );
    await get(guard);
    const controller = new AbortController();
    const leaving = watch(get(guard, contextOf(controller)));
    const staying = watch(get(guard));
    await settled();
    controller.abort(new Error('left'));
    await clock.pass(250);
    expect(leaving.error).toMatchObject({ kind: 'timeout', applied: 'no' });
    expect(guard.state()).toMatchObject({ inFlight: 1, queued: 0, pace: { waiting: 1 } });
    await clock.pass(2_000);
    expect(staying.value).toEqual(alice);
    expect(adapter.calls).toHaveLength(2);
    expect(guard.state()).toMatchObject({ inFlight: 0, queued: 0, pace: { waiting: 0 } });
  });

  it('is asked once for a scan, whose steps give what was read already', async () => {
    const records = [alice, { $id: '2' }, { $id: '3' }];
    const scan: Step = () =>
      (async function* () {
        yield* records;
      })();
    const { guard, adapter } = paced([scan], {}, { rate: { requests: 1, perSeconds: 100 } });
    const seen = [];
    for await (const record of guard.scan({ entity: 'people', fields: [] }, contextOf())) seen.push(record);
    expect(seen).toEqual(records);
    expect(adapter.calls).toHaveLength(1);
  });

  it('is left to the adapter where that paces its requests', async () => {
    const { guard, adapter } = paced(
      [answer(alice)],
      { pacedBy: 'requests' },
      { rate: { requests: 1, perSeconds: 100 } },
    );
    await get(guard);
    await get(guard);
    expect(adapter.calls).toHaveLength(2);
  });
});

describe('guard: a backend that asks for a pause', () => {
  it('is left alone by everybody until then, and asked by one first', async () => {
    const first = later();
    const { clock, adapter, guard } = paced([overloaded(3), () => first.promise, answer(alice)]);
    const all = gets(guard, 1);
    await settled();
    all.push(...gets(guard, 4));
    await clock.pass(2_999);
    expect(adapter.calls).toHaveLength(1);
    expect(guard.state()).toMatchObject({ circuit: 'closed', pace: { pausedForMs: 1 } });
    await clock.pass(1);
    expect(adapter.calls).toHaveLength(2);
    first.resolve(alice);
    await settled();
    expect(all.map(({ value }) => value)).toEqual(Array(5).fill(alice));
  });

  it('hands its number on when that is longer than the operation may take', async () => {
    const { clock, guard, adapter } = paced([overloaded(77)]);
    const one = watch(get(guard));
    await settled();
    expect(one.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 77 });
    await clock.pass(7_000);
    const other = watch(remove(guard));
    await settled();
    expect(other.error).toMatchObject({ kind: 'unavailable', applied: 'no', retryAfterSeconds: 70 });
    expect(adapter.calls).toHaveLength(1);
  });

  it('does not open the circuit, however many are told to wait', async () => {
    const { guard } = paced([overloaded(60)]);
    await Promise.allSettled(Array.from({ length: 32 }, () => remove(guard)));
    expect(guard.state()).toMatchObject({ circuit: 'closed', pace: { pausedForMs: 60_000 } });
  });

  it('repeats a write only where the backend has not carried it out', async () => {
    const unsure = fail(new AdapterError('unavailable', '503', { retryAfterSeconds: 1, applied: 'unknown' }));
    const { clock, guard, adapter } = paced([overloaded(1), answer(undefined), unsure]);
    const one = watch(remove(guard));
    await clock.pass(1_000);
    expect(one).toEqual({ isSettled: true, value: undefined });
    const other = watch(remove(guard));
    await clock.pass(5_000);
    expect(other.error).toMatchObject({ kind: 'unavailable', applied: 'unknown' });
    expect(adapter.calls).toHaveLength(3);
  });

  it('lets the others follow when the one that goes first fails otherwise', async () => {
    const { clock, guard, adapter } = paced([overloaded(2), fail(new AdapterError('rejected', 'no')), answer(alice)]);
    watch(get(guard));
    await settled();
    const others = gets(guard, 2);
    await clock.pass(2_000);
    expect(adapter.calls).toHaveLength(4);
    expect(others.filter(({ value }) => value === alice).length).toBeGreaterThanOrEqual(1);
  });

  it('is not paused by what the adapter itself guesses', async () => {
    const { guard } = paced([overloaded(60)], { retryAfter: 'adapter' });
    await get(guard).catch(() => undefined);
    expect(guard.state().pace.pausedForMs).toBe(0);
  });

  it('is not paused for longer by the refusals of its own pace', async () => {
    const { clock, pace, guard } = paced([(context) => pace.take(context)], { pacedBy: 'requests' });
    pace.learn({ retryAfterSeconds: 50.5 });
    for (let n = 0; n < 40; n++) await remove(guard).catch(() => undefined);
    expect(guard.state()).toMatchObject({ circuit: 'closed', pace: { pausedForMs: 50_500 } });
    await clock.pass(50_500);
    expect(guard.state().pace.pausedForMs).toBe(0);
  });

  it('goes on after a health check that went first', async () => {
    const { clock, pace, guard } = paced([(context) => pace.take(context)], { pacedBy: 'requests' });
    pace.learn({ retryAfterSeconds: 5 });
    const checking = watch(guard.check(contextOf()));
    const removing = watch(remove(guard));
    await clock.pass(5_000);
    expect([checking.isSettled, removing.isSettled]).toEqual([true, true]);
  });

  it('neither learns from nor counts what an adapter that paces its requests says in words of its own', async () => {
    const words = fail(new AdapterError('unavailable', 'In part.', { retryAfterSeconds: 40, applied: 'unknown' }));
    const { guard } = paced([words], { pacedBy: 'requests' });
    for (let n = 0; n < 20; n++) await remove(guard).catch(() => undefined);
    expect(guard.state()).toMatchObject({ circuit: 'closed', pace: { pausedForMs: 0 } });
  });

  it('goes on after the first operation that the adapter paced has ended', async () => {
    const { clock, pace, guard } = paced(
      [
        async (context) => {
          await pace.take(context);
          return alice;
        },
      ],
      { pacedBy: 'requests' },
    );
    pace.learn({ retryAfterSeconds: 5 });
    const all = gets(guard, 3);
    await clock.pass(5_000);
    expect(all.map(({ value }) => value)).toEqual([alice, alice, alice]);
    await get(guard);
    expect(pace.isFree).toBe(true);
  });

  it('holds up a scan that reads page by page, by the deadline of the step', async () => {
    const scan: Step = (context) =>
      (async function* () {
        await pace.take(context);
        yield alice;
        pace.learn({ retryAfterSeconds: 25 });
        await pace.take(context);
        yield alice;
      })();
    const { pace, guard } = paced([scan], { pacedBy: 'requests' });
    const read = async () => {
      const seen = [];
      for await (const record of guard.scan({ entity: 'people', fields: [] }, contextOf())) seen.push(record);
    };
    const reading = watch(read());
    await settled();
    expect(reading.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 25 });
  });
});

describe('guard: the name of an operation', () => {
  const named = (calls: readonly OperationContext[]) => calls.map(({ operationId }) => operationId);

  it('is the same for every try, another one for every operation, and long enough not to be guessed', async () => {
    const down = fail(new AdapterError('unavailable', 'down'));
    const { clock, adapter, guard } = paced([down, down, answer(undefined), answer(alice), answer(alice)]);
    const context = contextOf();
    watch(remove(guard, context));
    await clock.pass(1_000);
    await get(guard, context);
    await get(guard, context);
    const [first, second, third, fourth, fifth] = named(adapter.calls);
    expect([second, third]).toEqual([first, first]);
    expect(new Set([first, fourth, fifth]).size).toBe(3);
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('comes with the end of the operation', async () => {
    const { clock, adapter, guard } = paced([hang], { timeoutMs: 5_000 });
    const began = clock.now();
    watch(get(guard));
    await settled();
    expect(adapter.calls[0]).toMatchObject({ deadlineMs: began + 5_000, hasEnded: false });
    await clock.pass(5_250);
    expect(adapter.calls[0]?.hasEnded).toBe(true);
  });
});
