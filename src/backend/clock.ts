/** Time and chance, so that a test can govern them. */
export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  /**
   * Calls back once.
   * @param keepsAlive whether the process waits for it
   * @returns calls it off
   */
  setTimer(callback: () => void, delayMs: number, keepsAlive: boolean): () => void;
  /** From 0 to below 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs, keepsAlive) => {
    const timer = setTimeout(callback, delayMs);
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
