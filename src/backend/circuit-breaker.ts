import type { Clock } from './clock.js';

export type CircuitState = 'closed' | 'open' | 'half-open';

/** What an operation says of the backend's health. `neutral`: nothing, e.g. the caller left. */
export type Outcome = 'healthy' | 'failed' | 'neutral';

/** Permission for one call. The probe is the one call that decides whether a half-open circuit closes. */
export type Admission = 'normal' | 'probe';

const windowSeconds = 10;
const minimumCalls = 10;
const failureShare = 0.5;
/** Not shorter than the window, so that a circuit that closes has nothing left to count. */
const openMs = windowSeconds * 1_000;
/** What a caller is told to wait while the probe is under way. */
const probeWaitMs = 1_000;

/**
 * Spares a backend that does not answer: it opens when at least 10 calls were made in 10 seconds and half of them failed,
 * refuses calls for 10 seconds, then lets one call through and closes when that succeeds.
 */
export class CircuitBreaker {
  private readonly clock: Clock;
  private readonly window = new CallWindow();
  private openUntilMs: number | undefined;
  private isProbing = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get state(): CircuitState {
    if (this.openUntilMs === undefined) return 'closed';
    return this.clock.now() < this.openUntilMs ? 'open' : 'half-open';
  }

  /** How long a call is refused from now; 0 when it is not. */
  get refusedForMs(): number {
    if (this.openUntilMs === undefined) return 0;
    const remainingMs = this.openUntilMs - this.clock.now();
    if (remainingMs > 0) return remainingMs;
    return this.isProbing ? probeWaitMs : 0;
  }

  /** To be called when `refusedForMs` is 0, and to be followed by `leave`. */
  enter(): Admission {
    if (this.openUntilMs === undefined) return 'normal';
    this.isProbing = true;
    return 'probe';
  }

  leave(admission: Admission, outcome: Outcome): void {
    if (admission === 'probe') {
      this.isProbing = false;
      if (outcome === 'failed') this.open();
      else if (outcome === 'healthy') this.openUntilMs = undefined;
    } else if (this.openUntilMs === undefined && outcome !== 'neutral') {
      const isBad = this.window.record(outcome === 'failed', Math.floor(this.clock.now() / 1_000));
      if (isBad) this.open();
    }
  }

  private open(): void {
    this.openUntilMs = this.clock.now() + openMs;
  }
}

/** Counts the calls of the last seconds, one bucket for each second. */
class CallWindow {
  private readonly seconds = new Array<number>(windowSeconds).fill(-1);
  private readonly calls = new Array<number>(windowSeconds).fill(0);
  private readonly failures = new Array<number>(windowSeconds).fill(0);

  /** @returns true when the calls of the window, this one included, are mostly failures */
  record(isFailure: boolean, second: number): boolean {
    const bucket = second % windowSeconds;
    if (this.seconds[bucket] !== second) {
      this.seconds[bucket] = second;
      this.calls[bucket] = 0;
      this.failures[bucket] = 0;
    }
    this.calls[bucket]! += 1;
    if (!isFailure) return false;
    this.failures[bucket]! += 1;
    return this.isMostlyFailing(second);
  }

  private isMostlyFailing(second: number): boolean {
    let calls = 0;
    let failures = 0;
    for (let bucket = 0; bucket < windowSeconds; bucket++) {
      if (this.seconds[bucket]! <= second - windowSeconds) continue;
      calls += this.calls[bucket]!;
      failures += this.failures[bucket]!;
    }
    return calls >= minimumCalls && failures >= calls * failureShare;
  }
}
