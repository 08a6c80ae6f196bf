import { describe, expect, it } from 'vitest';
import { AdapterError, type AdapterErrorKind } from '../../src/backend/adapter-error.js';
import type { GuardedAdapter } from '../../src/backend/guard.js';
import { contextOf, get, guarded, remove, watch } from './guard-harness.js';
import { alice, answer, fail, hang, type Step } from './scripted-adapter.js';

/** Not retried, so that one operation is one call. */
function failing(kind: AdapterErrorKind): Step {
  return fail(new AdapterError(kind, kind, { applied: 'unknown' }));
}

function repeat(count: number, step: Step): readonly Step[] {
  return Array.from({ length: count }, () => step);
}

async function callTimes(count: number, guard: GuardedAdapter): Promise<void> {
  for (let n = 0; n < count; n++) await remove(guard).catch(() => undefined);
}

async function opened(...after: readonly Step[]) {
  const parts = guarded([...repeat(10, failing('unavailable')), ...after]);
  await callTimes(10, parts.guard);
  return parts;
}

describe('guard: circuit', () => {
  it('opens when ten calls have failed, and then refuses without asking the backend', async () => {
    const { clock, adapter, guard } = guarded([failing('unavailable')]);
    await callTimes(9, guard);
    expect(guard.state().circuit).toBe('closed');
    await callTimes(1, guard);
    expect(guard.state().circuit).toBe('open');
    await expect(remove(guard)).rejects.toMatchObject({ kind: 'unavailable', applied: 'no', retryAfterSeconds: 10 });
    await clock.pass(7_500);
    await expect(get(guard)).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: 3 });
    expect(adapter.calls).toHaveLength(10);
  });

  it('opens when half of the calls fail, and not before', async () => {
    const { guard } = guarded([...repeat(11, answer(undefined)), ...repeat(20, failing('timeout'))]);
    await callTimes(21, guard);
    expect(guard.state().circuit).toBe('closed');
    await callTimes(1, guard);
    expect(guard.state().circuit).toBe('open');
  });

  it('counts the calls of the last ten seconds only', async () => {
    const { clock, guard } = guarded([failing('unavailable')]);
    await callTimes(9, guard);
    await clock.pass(10_000);
    await callTimes(9, guard);
    await clock.pass(12_000);
    await callTimes(9, guard);
    expect(guard.state().circuit).toBe('closed');
    await clock.pass(5_000);
    await callTimes(1, guard);
    expect(guard.state().circuit).toBe('open');
  });

  it.each(['notFound', 'conflict', 'revisionMismatch', 'rejected', 'denied', 'unsupported'] as const)(
    'takes "%s" for the answer of a healthy backend',
    async (kind) => {
      const { guard } = guarded([failing(kind)]);
      await callTimes(30, guard);
      expect(guard.state().circuit).toBe('closed');
    },
  );

  it('counts an operation that passed its deadline, but not a caller that left', async () => {
    const { clock, guard } = guarded([hang]);
    const ending = new AbortController();
    for (let n = 0; n < 10; n++) watch(remove(guard, contextOf(ending)));
    ending.abort();
    await clock.pass(250);
    expect(guard.state()).toMatchObject({ circuit: 'closed', inFlight: 0 });
    for (let n = 0; n < 10; n++) watch(remove(guard));
    await clock.pass(20_000);
    expect(guard.state().circuit).toBe('open');
  });

  it('counts an operation whose request ran out of time', async () => {
    const { clock, guard } = guarded([hang]);
    const ending = new AbortController();
    for (let n = 0; n < 10; n++) watch(remove(guard, contextOf(ending)));
    ending.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    await clock.pass(250);
    expect(guard.state().circuit).toBe('open');
  });

  it('lets one call through after ten seconds, and closes when it succeeds', async () => {
    const { clock, adapter, guard } = await opened(hang, answer(alice));
    await clock.pass(9_999);
    expect(guard.state().circuit).toBe('open');
    await clock.pass(1);
    expect(guard.state().circuit).toBe('half-open');
    const ending = new AbortController();
    const probing = watch(remove(guard, contextOf(ending)));
    await expect(remove(guard)).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: 1 });
    expect(adapter.calls).toHaveLength(11);
    ending.abort();
    await clock.pass(250);
    expect(probing.error).toMatchObject({ kind: 'timeout' });
    expect(guard.state().circuit).toBe('half-open');
    await expect(get(guard)).resolves.toEqual(alice);
    expect(guard.state().circuit).toBe('closed');
    await callTimes(9, guard);
    expect(guard.state().circuit).toBe('closed');
  });

  it('stays open for ten more seconds when that call fails', async () => {
    const { clock, adapter, guard } = await opened(failing('timeout'), answer(alice));
    await clock.pass(10_000);
    await expect(remove(guard)).rejects.toMatchObject({ kind: 'timeout' });
    await expect(remove(guard)).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: 10 });
    expect(adapter.calls).toHaveLength(11);
    await clock.pass(10_000);
    await expect(get(guard)).resolves.toEqual(alice);
  });

  it('is not moved by calls that began before it opened', async () => {
    const { clock, guard } = guarded([hang, ...repeat(10, failing('unavailable')), answer(alice)]);
    const hanging = watch(get(guard));
    await clock.pass(15_000);
    await callTimes(10, guard);
    await clock.pass(5_000);
    expect(hanging.error).toMatchObject({ kind: 'timeout' });
    await clock.pass(5_000);
    expect(guard.state().circuit).toBe('half-open');
  });

  it('refuses those that wait for a place when it opens', async () => {
    const { clock, adapter, guard } = guarded([hang], { concurrency: 10, maxQueued: 100 });
    for (let n = 0; n < 10; n++) watch(remove(guard));
    await clock.pass(1_000);
    const waiting = Array.from({ length: 50 }, () => watch(remove(guard)));
    await clock.pass(19_000);
    expect(guard.state()).toMatchObject({ circuit: 'open', inFlight: 9, queued: 0 });
    expect(waiting.filter(({ error }) => error instanceof AdapterError)).toHaveLength(41);
    expect(adapter.calls).toHaveLength(19);
  });

  it('does not retry into an open circuit', async () => {
    const unreachable = fail(new AdapterError('unavailable', 'refused', { applied: 'no' }));
    const { clock, adapter, guard } = guarded([...repeat(9, failing('unavailable')), unreachable]);
    await callTimes(9, guard);
    const reading = watch(get(guard));
    await clock.pass(1_000);
    expect(adapter.calls).toHaveLength(10);
    expect(reading.error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 10, cause: { message: 'refused' } });
  });

  it('asks the backend for its health all the same, and again after any number of failures', async () => {
    const { adapter, guard } = await opened(...repeat(30, failing('unavailable')), answer(undefined));
    for (let n = 0; n < 30; n++) await expect(guard.check(contextOf())).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(guard.check(contextOf())).resolves.toBeUndefined();
    expect(adapter.calls).toHaveLength(41);
    expect(guard.state().circuit).toBe('open');
  });
});
