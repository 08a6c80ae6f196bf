/** Two answers tell of the same window when its ends are no further apart: headers count whole seconds. */
const sameWindowMs = 1_500;
/** Slowing down is no reason to refuse anybody: between two requests lies no more than this. */
const widestSpacingMs = 2_000;

/**
 * What a backend's answers tell of its own limit: so many requests remain until it starts to count anew. The first half
 * goes as it comes, the rest is spread over the time, and when nothing is left, everything waits for the reset.
 */
export class Allowance {
  private remaining = 0;
  private resetAtMs = Number.NEGATIVE_INFINITY;
  /** The most that ever remained: nearly the limit itself. */
  private highest = 0;
  private lastSentAtMs = Number.NEGATIVE_INFINITY;
  private hasWindow = false;

  get isKnown(): boolean {
    return this.hasWindow;
  }

  /** @param resetInMs undefined when the answer did not tell; it then speaks of the window that is known */
  told(remaining: number, resetInMs: number | undefined, nowMs: number): void {
    this.forgetPast(nowMs);
    if (resetInMs === undefined) {
      if (this.hasWindow) this.remaining = Math.min(this.remaining, remaining);
      return;
    }
    const resetAtMs = nowMs + resetInMs;
    // Requests under way are not in the backend's number yet, but in ours.
    const isSame = this.hasWindow && Math.abs(resetAtMs - this.resetAtMs) <= sameWindowMs;
    this.remaining = isSame ? Math.min(this.remaining, remaining) : remaining;
    this.resetAtMs = isSame ? Math.max(this.resetAtMs, resetAtMs) : resetAtMs;
    this.highest = Math.max(this.highest, remaining);
    this.hasWindow = true;
  }

  /** Until when nothing is left. */
  emptyUntilMs(nowMs: number): number {
    this.forgetPast(nowMs);
    return this.hasWindow && this.remaining < 1 ? this.resetAtMs : Number.NEGATIVE_INFINITY;
  }

  /** When the one may go before whom so many others go, at the earliest. */
  momentMs(position: number, nowMs: number): number {
    this.forgetPast(nowMs);
    if (!this.hasWindow) return Number.NEGATIVE_INFINITY;
    if (position >= this.remaining) return this.resetAtMs;
    if (this.remaining * 2 >= this.highest) return Number.NEGATIVE_INFINITY;
    const spacingMs = Math.min((this.resetAtMs - nowMs) / this.remaining, widestSpacingMs);
    return this.lastSentAtMs + (position + 1) * spacingMs;
  }

  note(nowMs: number): void {
    this.forgetPast(nowMs);
    if (!this.hasWindow) return;
    this.remaining -= 1;
    this.lastSentAtMs = nowMs;
  }

  private forgetPast(nowMs: number): void {
    if (nowMs >= this.resetAtMs) this.hasWindow = false;
  }
}
