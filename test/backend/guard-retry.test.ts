import { describe, expect, it } from 'vitest';
import type { TraceEntry } from '../../src/backend/adapter.js';
import { AdapterError, type AdapterErrorDetails, type AdapterErrorKind } from '../../src/backend/adapter-error.js';
import { contextOf, get, guarded, remove, watch } from './guard-harness.js';
import { alice, answer, fail, hang } from './scripted-adapter.js';

function failing(kind: AdapterErrorKind, details: AdapterErrorDetails = {}) {
  return fail(new AdapterError(kind, kind, details));
}

describe('guard: retries', () => {
  it('reads again when the backend was not reached, three times in all, with growing pauses', async () => {
    const { clock, adapter, guard } = guarded([failing('unavailable')]);
    const reading = watch(get(guard));
    await clock.pass(49);
    expect(adapter.calls).toHaveLength(1);
    await clock.pass(1);
    expect(adapter.calls).toHaveLength(2);
    await clock.pass(99);
    expect(adapter.calls).toHaveLength(2);
    await clock.pass(1);
    expect(reading.error).toMatchObject({ kind: 'unavailable' });
    await clock.pass(60_000);
    expect(adapter.calls).toHaveLength(3);
  });

  it.each([0, 0.2, 0.999])('spreads the pauses over their whole length (%d)', async (chance) => {
    const { clock, guard } = guarded([failing('unavailable')]);
    clock.chance = chance;
    watch(get(guard));
    await clock.pass(1_000);
    expect(clock.delays.filter((delay) => delay !== 250)).toEqual([chance * 100, chance * 200]);
  });

  it('gives the answer of a later try', async () => {
    const { clock, guard } = guarded([failing('unavailable'), failing('timeout', { applied: 'no' }), answer(alice)]);
    const reading = watch(get(guard));
    await clock.pass(1_000);
    expect(reading.value).toEqual(alice);
    expect(guard.state()).toMatchObject({ circuit: 'closed', inFlight: 0, queued: 0 });
  });

  it('writes again only what was certainly not carried out', async () => {
    const { clock, adapter, guard } = guarded([failing('unavailable', { applied: 'no' }), answer(undefined)]);
    const removing = watch(remove(guard));
    await clock.pass(1_000);
    expect(removing).toMatchObject({ isSettled: true, value: undefined });
    expect(removing.error).toBeUndefined();
    expect(adapter.calls).toHaveLength(2);
  });

  it.each([
    ['unavailable', 'unknown'],
    ['timeout', 'unknown'],
    ['timeout', 'no'],
  ] as const)('does not write again after "%s" with applied "%s"', async (kind, applied) => {
    const { clock, adapter, guard } = guarded([failing(kind, { applied })]);
    const removing = watch(remove(guard));
    await clock.pass(1_000);
    expect(removing.error).toMatchObject({ kind, applied });
    expect(adapter.calls).toHaveLength(1);
  });

  it('does not ask a backend again that had the question and did not answer', async () => {
    const { clock, adapter, guard } = guarded([failing('timeout')]);
    const reading = watch(get(guard));
    await clock.pass(1_000);
    expect(reading.error).toMatchObject({ kind: 'timeout' });
    expect(adapter.calls).toHaveLength(1);
  });

  it.each(['notFound', 'conflict', 'revisionMismatch', 'rejected', 'denied', 'unsupported'] as const)(
    'passes "%s" on at once',
    async (kind) => {
      const { adapter, guard } = guarded([failing(kind, { field: 'login', reason: 'taken' })]);
      await expect(get(guard)).rejects.toMatchObject({ kind, field: 'login', reason: 'taken' });
      expect(adapter.calls).toHaveLength(1);
    },
  );

  it('waits as long as the backend asks, when that fits the deadline', async () => {
    const { clock, adapter, guard } = guarded([failing('unavailable', { retryAfterSeconds: 3 }), answer(alice)]);
    const reading = watch(get(guard));
    await clock.pass(2_999);
    expect(adapter.calls).toHaveLength(1);
    await clock.pass(1);
    expect(reading.value).toEqual(alice);
  });

  it('passes on how long the backend asks to wait, when that does not fit the deadline', async () => {
    const { clock, adapter, guard } = guarded([failing('unavailable', { retryAfterSeconds: 20 })]);
    const reading = watch(get(guard));
    await clock.pass(0);
    expect(reading.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 20 });
    expect(adapter.calls).toHaveLength(1);
  });

  it('holds no place during a pause, and leaves it when the request ends', async () => {
    const { clock, adapter, guard } = guarded([failing('unavailable')]);
    const ending = new AbortController();
    const removing = watch(remove(guard, contextOf(ending)));
    await clock.pass(0);
    expect(guard.state().inFlight).toBe(0);
    ending.abort();
    await clock.pass(1_000);
    expect(removing.error).toMatchObject({ kind: 'timeout', applied: 'no', cause: { kind: 'unavailable' } });
    expect(adapter.calls).toHaveLength(1);
  });

  it('ends at the deadline of the whole, not of a try', async () => {
    const { clock, guard } = guarded([failing('unavailable', { retryAfterSeconds: 15 }), hang]);
    const reading = watch(get(guard));
    await clock.pass(19_999);
    expect(reading.isSettled).toBe(false);
    await clock.pass(1);
    expect(reading.error).toMatchObject({ kind: 'timeout' });
  });

  it('shows a pause in the trace', async () => {
    const { clock, guard } = guarded([failing('unavailable'), answer(alice)]);
    const trace: TraceEntry[] = [];
    watch(get(guard, contextOf(new AbortController(), trace)));
    await clock.pass(1_000);
    expect(trace).toEqual([{ operation: 'pause after "unavailable" before try 2', durationMs: 50 }]);
  });
});
