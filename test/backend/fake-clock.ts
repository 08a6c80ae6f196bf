import type { Clock } from '../../src/backend/clock.js';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  /** What `random` gives. */
  chance = 0.5;
  /** Delays of all timers ever set, in milliseconds. */
  readonly delays: number[] = [];
  private nowMs = 1_000_000;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.nowMs;
  }

  random(): number {
    return this.chance;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    this.delays.push(delayMs);
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Lets time pass, with every timer at its moment and what follows from it. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    await settled();
    for (let next = this.nextUntil(endMs); next !== undefined; next = this.nextUntil(endMs)) {
      this.timers.delete(next);
      this.nowMs = next.atMs;
      next.callback();
      await settled();
    }
    this.nowMs = endMs;
  }

  private nextUntil(endMs: number): Timer | undefined {
    const due = [...this.timers].filter(({ atMs }) => atMs <= endMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }
}

/** Everything that promises still had to do is done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
