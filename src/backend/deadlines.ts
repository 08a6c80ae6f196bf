import type { Clock } from './clock.js';

export interface Expiring {
  /** On the clock of `Deadlines`, in milliseconds. */
  readonly deadlineMs: number;
  expire(): void;
}

/**
 * Watches many operations with one timer. All of them run for the same time, so the one that began first ends first, and
 * an operation that finishes in time costs no timer of its own.
 */
export class Deadlines {
  private readonly clock: Clock;
  private readonly running = new Set<Expiring>();
  private isArmed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(operation: Expiring): void {
    this.running.add(operation);
    if (!this.isArmed) this.arm(operation.deadlineMs);
  }

  remove(operation: Expiring): void {
    this.running.delete(operation);
  }

  private arm(deadlineMs: number): void {
    this.isArmed = true;
    this.clock.setTimer(() => this.expireAll(), Math.max(0, deadlineMs - this.clock.now()), false);
  }

  private expireAll(): void {
    this.isArmed = false;
    const now = this.clock.now();
    for (const operation of this.running) {
      if (operation.deadlineMs > now) {
        if (!this.isArmed) this.arm(operation.deadlineMs);
        return;
      }
      this.running.delete(operation);
      operation.expire();
    }
  }
}
