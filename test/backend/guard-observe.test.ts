import { describe, expect, it } from 'vitest';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { get, guarded, remove, watch } from './guard-harness.js';
import { alice, answer, fail, hang, type Step } from './scripted-adapter.js';

function observed(steps: readonly Step[]) {
  const seen: (readonly [outcome: string, durationMs: number])[] = [];
  const observe = (outcome: string, durationMs: number): void => {
    seen.push([outcome, durationMs]);
  };
  return { ...guarded(steps, { observe, timeoutMs: 5000 }), seen };
}

describe('guard: what is told for metrics', () => {
  it('is how each operation ended, by the kind of its error', async () => {
    const { guard, seen } = observed([answer(alice), fail(new AdapterError('conflict', 'taken'))]);
    await get(guard);
    await expect(remove(guard)).rejects.toThrow();
    expect(seen).toEqual([
      ['ok', 0],
      ['conflict', 0],
    ]);
  });

  it('is one time for all tries and pauses together, and for an operation that never ended', async () => {
    const { clock, guard, seen } = observed([fail(new AdapterError('unavailable', 'down')), answer(alice), hang]);
    const reading = watch(get(guard));
    await clock.pass(4000);
    expect(reading.value).toBeDefined();
    expect(seen).toEqual([['ok', expect.any(Number)]]);
    expect(seen[0]?.[1]).toBeGreaterThan(0);
    watch(get(guard.withTimeout(1000)));
    await clock.pass(2000);
    expect(seen[1]?.[0]).toBe('timeout');
    expect(seen[1]?.[1]).toBeGreaterThanOrEqual(1000);
  });
});
