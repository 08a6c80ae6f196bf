import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import type { WireContext } from './directory.js';

/** How often it is looked whether what waits has waited long enough. */
export const lookEveryMs = 50;

/** Whether a caller waits no more: its time is over, or it has left. */
export function isOver(context: WireContext): boolean {
  return hasEnded(context) || (context.deadlineMs !== undefined && performance.now() >= context.deadlineMs);
}

/** Waits until the context ends, which is a `timeout`. What comes later is handed to `onLate`. */
export function within<T>(promise: Promise<T>, context: WireContext, onLate?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let hasGivenUp = false;
    const timer = setInterval(() => {
      if (!isOver(context)) return;
      hasGivenUp = true;
      clearInterval(timer);
      reject(new AdapterError('timeout', 'The directory could not be reached in time.', { applied: 'no' }));
    }, lookEveryMs);
    promise.then(
      (value) => {
        clearInterval(timer);
        if (hasGivenUp) onLate?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        clearInterval(timer);
        reject(error);
      },
    );
  });
}
