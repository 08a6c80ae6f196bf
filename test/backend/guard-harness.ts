import type { OperationContext, TraceEntry } from '../../src/backend/adapter.js';
import { type GuardedAdapter, type GuardOptions, guardAdapter } from '../../src/backend/guard.js';
import { FakeClock } from './fake-clock.js';
import { ScriptedAdapter, type Step } from './scripted-adapter.js';

/** A guard around an adapter that follows a script, on a clock of its own. */
export function guarded(steps: readonly Step[], options: GuardOptions = {}) {
  const clock = new FakeClock();
  const adapter = new ScriptedAdapter(...steps);
  return { clock, adapter, guard: guardAdapter(adapter, { clock, ...options }) };
}

export function contextOf(controller = new AbortController(), trace?: TraceEntry[]): OperationContext {
  const { signal } = controller;
  return { signal, requestId: 'r1', ...(trace && { trace: (entry) => trace.push(entry) }) };
}

export function get(guard: GuardedAdapter, context = contextOf()) {
  return guard.get('people', '1', { fields: [] }, context);
}

export function remove(guard: GuardedAdapter, context = contextOf()) {
  return guard.delete('people', '1', {}, context);
}

/** The outcome so far. */
export function watch(promise: Promise<unknown>) {
  const seen: { value?: unknown; error?: unknown; isSettled: boolean } = { isSettled: false };
  promise.then(
    (value) => Object.assign(seen, { value, isSettled: true }),
    (error: unknown) => Object.assign(seen, { error, isSettled: true }),
  );
  return seen;
}
