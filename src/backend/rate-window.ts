/** So many requests in any span of so many seconds. */
export interface Rate {
  readonly requests: number;
  readonly perSeconds: number;
}

/**
 * Holds a declared rate exactly: in no span of the length are there more requests than declared, wherever it begins. (A
 * bucket that fills up while requests flow out lets nearly twice as many through at first.) A burst of all goes at once.
 */
export class RateWindow {
  readonly rate: Rate;
  private readonly spanMs: number;
  /** When the last requests went, in a ring. */
  private readonly sentAtMs: Float64Array;
  /** The oldest of them. */
  private oldest = 0;

  constructor(rate: Rate) {
    this.rate = rate;
    this.spanMs = rate.perSeconds * 1_000;
    this.sentAtMs = new Float64Array(rate.requests).fill(Number.NEGATIVE_INFINITY);
  }

  /** When the one may go before whom so many others go. */
  momentMs(position: number, nowMs: number): number {
    const { length } = this.sentAtMs;
    const sentAtMs = this.sentAtMs[(this.oldest + position) % length] ?? Number.NEGATIVE_INFINITY;
    return Math.max(sentAtMs + this.spanMs, nowMs) + Math.floor(position / length) * this.spanMs;
  }

  note(nowMs: number): void {
    this.sentAtMs[this.oldest] = nowMs;
    this.oldest = (this.oldest + 1) % this.sentAtMs.length;
  }
}
