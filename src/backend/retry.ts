import type { AdapterError } from './adapter-error.js';

const maxTries = 3;
const firstDelayMs = 100;

export interface FailedTry {
  readonly error: AdapterError;
  readonly isWrite: boolean;
  /** Tries made so far, this one included. */
  readonly tries: number;
  /** Until the operation's deadline. */
  readonly remainingMs: number;
  /** From 0 to below 1. */
  readonly random: number;
}

/**
 * How long to wait before the next try, with full jitter around 100 ms × 2ⁿ. What the backend asked to wait is respected.
 * @returns undefined when another try is not safe, not promising, or not possible before the deadline
 */
export function retryDelayMs({ error, isWrite, tries, remainingMs, random }: FailedTry): number | undefined {
  if (tries >= maxTries || !isWorthRetrying(error, isWrite)) return undefined;
  const jitteredMs = random * firstDelayMs * 2 ** (tries - 1);
  const delayMs = Math.max(jitteredMs, (error.retryAfterSeconds ?? 0) * 1_000);
  return delayMs < remainingMs ? delayMs : undefined;
}

function isWorthRetrying({ kind, applied }: AdapterError, isWrite: boolean): boolean {
  if (kind === 'unavailable') return !isWrite || applied === 'no';
  // A backend that had the question and did not answer it is not asked again; one that never had it is.
  return kind === 'timeout' && !isWrite && applied === 'no';
}
