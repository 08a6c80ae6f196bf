import { describe, expect, it } from 'vitest';
import { settled } from './fake-clock.js';
import { contextOf, get, guarded, remove, watch } from './guard-harness.js';
import { alice, answer, hang, later } from './scripted-adapter.js';

const few = { concurrency: 4, maxQueued: 3 };

describe('guard: deadlines', () => {
  it('ends an operation that gets no answer after 20 seconds, and tells the adapter', async () => {
    const { clock, adapter, guard } = guarded([hang], few);
    const reading = watch(get(guard));
    await clock.pass(19_999);
    expect(reading.isSettled).toBe(false);
    expect(adapter.calls[0]?.signal.aborted).toBe(false);
    await clock.pass(1);
    expect(reading.error).toMatchObject({ name: 'AdapterError', kind: 'timeout', applied: 'no' });
    expect(adapter.calls[0]?.signal.aborted).toBe(true);
    expect(guard.state()).toMatchObject({ circuit: 'closed', inFlight: 0, queued: 0 });
  });

  it('does not know whether a write that got no answer was carried out', async () => {
    const { clock, guard } = guarded([hang], few);
    const removing = watch(remove(guard));
    await clock.pass(20_000);
    expect(removing.error).toMatchObject({ kind: 'timeout', applied: 'unknown' });
  });

  it('knows that a write which never left the queue was not carried out', async () => {
    const { clock, adapter, guard } = guarded([hang], few);
    for (let n = 0; n < 4; n++) watch(get(guard));
    await clock.pass(10_000);
    const removing = watch(remove(guard));
    const ending = new AbortController();
    const leaving = watch(remove(guard, contextOf(ending)));
    expect(guard.state()).toMatchObject({ inFlight: 4, queued: 2 });
    ending.abort();
    await clock.pass(250);
    expect(leaving.error).toMatchObject({ kind: 'timeout', applied: 'no' });
    expect(guard.state()).toMatchObject({ inFlight: 4, queued: 1 });
    await clock.pass(9_750);
    expect(removing.isSettled).toBe(false);
    expect(adapter.calls).toHaveLength(5);
  });

  it('ends with the request, noticed within a quarter of a second, and passes the reason on', async () => {
    const { clock, adapter, guard } = guarded([hang], few);
    const ending = new AbortController();
    const reading = watch(get(guard, contextOf(ending)));
    const removing = watch(remove(guard, contextOf(ending)));
    const reason = new Error('the client left');
    ending.abort(reason);
    await clock.pass(250);
    expect(reading.error).toMatchObject({ kind: 'timeout', applied: 'no', cause: reason });
    expect(removing.error).toMatchObject({ kind: 'timeout', applied: 'unknown' });
    expect(adapter.calls.map(({ signal }) => signal.reason)).toEqual([reason, reason]);
    expect(guard.state().inFlight).toBe(0);
  });

  it("hands the request's own signal on where that ends soon enough, and makes none", async () => {
    const { clock, adapter, guard } = guarded([answer(alice), hang], few);
    const soon = { ...contextOf(), deadlineMs: clock.now() + 5_000 };
    const late = { ...contextOf(), deadlineMs: clock.now() + 20_001 };
    await get(guard, soon);
    const reading = watch(get(guard, soon));
    watch(get(guard, late));
    const { requestId, deadlineMs } = soon;
    expect(adapter.calls.slice(0, 2)).toMatchObject([
      { requestId, deadlineMs },
      { requestId, deadlineMs },
    ]);
    expect(adapter.calls[0]?.signal).toBe(soon.signal);
    expect(adapter.calls[2]?.signal).not.toBe(late.signal);
    await clock.pass(4_999);
    expect(reading.isSettled).toBe(false);
    await clock.pass(1);
    expect(reading.error).toMatchObject({ kind: 'timeout' });
  });

  it('does not begin for a request that has ended', async () => {
    const { adapter, guard } = guarded([answer(alice)], few);
    const ending = new AbortController();
    ending.abort();
    await expect(remove(guard, contextOf(ending))).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
    expect(adapter.calls).toHaveLength(0);
  });

  it.each(['resolve', 'reject'] as const)('takes no notice of an answer that comes too late (%s)', async (how) => {
    const answering = later<unknown>();
    const { clock, guard } = guarded([() => answering.promise, answer(alice)], few);
    const reading = watch(get(guard));
    await clock.pass(20_000);
    answering[how](new Error('late'));
    await settled();
    expect(reading.error).toMatchObject({ kind: 'timeout' });
    expect(guard.state().inFlight).toBe(0);
    expect(await get(guard)).toEqual(alice);
  });

  it('calls off the one operation, not what else the request does', async () => {
    const answering = later<unknown>();
    const { clock, adapter, guard } = guarded([hang, () => answering.promise], few);
    const context = contextOf();
    const hanging = watch(get(guard, context));
    await clock.pass(15_000);
    const second = watch(get(guard, context));
    await clock.pass(5_000);
    expect(hanging.error).toMatchObject({ kind: 'timeout' });
    expect(adapter.calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    answering.resolve(alice);
    await settled();
    expect(second.value).toEqual(alice);
  });

  it('sets one timer for any number of operations, and none without', async () => {
    const { clock, adapter, guard } = guarded([answer(alice)], few);
    for (let n = 0; n < 100; n++) await get(guard);
    expect(clock.delays).toEqual([250]);
    await clock.pass(60_000);
    expect(clock.delays).toEqual([250]);
    expect(adapter.calls.some(({ signal }) => signal.aborted)).toBe(false);
    await get(guard);
    expect(clock.delays).toEqual([250, 250]);
  });

  it('keeps to a deadline that is shorter than its looks are apart', async () => {
    const { clock, guard } = guarded([hang], { timeoutMs: 50 });
    const reading = watch(get(guard));
    await clock.pass(49);
    expect(reading.isSettled).toBe(false);
    await clock.pass(1);
    expect(reading.error).toMatchObject({ kind: 'timeout' });
  });

  it('ends each operation at its own time', async () => {
    const { clock, guard } = guarded([hang], few);
    const first = watch(get(guard));
    await clock.pass(7_000);
    const second = watch(get(guard));
    await clock.pass(13_000);
    expect([first.isSettled, second.isSettled]).toEqual([true, false]);
    await clock.pass(6_750);
    expect(second.isSettled).toBe(false);
    await clock.pass(250);
    expect(second.isSettled).toBe(true);
  });
});

describe('guard: concurrency', () => {
  it('lets so many calls through at a time, the others in the order they came', async () => {
    const answers = Array.from({ length: 7 }, () => later<unknown>());
    const { adapter, guard } = guarded(
      [
        ...answers.map(
          ({ promise }) =>
            () =>
              promise,
        ),
      ],
      few,
    );
    const results = answers.map(() => watch(get(guard)));
    await settled();
    expect(adapter.calls).toHaveLength(4);
    expect(guard.state()).toMatchObject({ inFlight: 4, queued: 3 });
    answers[2]?.resolve(alice);
    await settled();
    expect(results.map(({ isSettled }) => isSettled)).toEqual([false, false, true, false, false, false, false]);
    expect(adapter.calls).toHaveLength(5);
    answers[4]?.resolve({ $id: 'fifth' });
    await settled();
    expect(results[4]?.value).toEqual({ $id: 'fifth' });
    for (const { resolve } of answers) resolve(alice);
    await settled();
    expect(results.every(({ isSettled }) => isSettled)).toBe(true);
    expect(guard.state()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  it('does not begin what nobody waits for any more when its turn comes', async () => {
    const answering = later<unknown>();
    const { adapter, guard } = guarded([() => answering.promise, hang, hang, hang, answer(undefined)], few);
    for (let n = 0; n < 4; n++) watch(get(guard));
    const ending = new AbortController();
    const leaving = watch(remove(guard, contextOf(ending)));
    const staying = watch(remove(guard));
    ending.abort();
    answering.resolve(alice);
    await settled();
    expect(leaving.error).toMatchObject({ kind: 'timeout', applied: 'no' });
    expect(staying).toMatchObject({ isSettled: true });
    expect(adapter.calls).toHaveLength(5);
  });

  it('refuses at once when the queue is full, and says when to come again', async () => {
    const { adapter, guard } = guarded([hang], few);
    for (let n = 0; n < 7; n++) watch(get(guard));
    const refused = remove(guard);
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable', applied: 'no', retryAfterSeconds: 1 });
    expect(adapter.calls).toHaveLength(4);
  });

  it('asks the backend for its health also when all places are taken', async () => {
    const { guard } = guarded([hang, hang, hang, hang, answer(undefined)], few);
    for (let n = 0; n < 6; n++) watch(get(guard));
    await expect(guard.check(contextOf())).resolves.toBeUndefined();
  });
});
