import type { OperationContext } from '../backend/adapter.js';
import { hasEnded } from '../backend/has-ended.js';

/** For what would only complete an answer: not long enough for a caller to give up. */
const patienceMs = 2_000;

/** The same context with little time, for what can be done without. */
export function impatient<Context extends OperationContext>(context: Context): Context {
  const ownDeadlineMs = performance.now() + patienceMs;
  let signal: AbortSignal | undefined;
  // Not spread: what the context makes when it is asked for would be made, or lost.
  return Object.create(context, {
    deadlineMs: { value: Math.min(ownDeadlineMs, context.deadlineMs ?? ownDeadlineMs) },
    hasEnded: { get: () => hasEnded(context) },
    signal: {
      get: () => {
        signal ??= AbortSignal.any([context.signal, AbortSignal.timeout(patienceMs)]);
        return signal;
      },
    },
  }) as Context;
}
