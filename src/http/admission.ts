import { ScimError } from '../scim/error.js';

export interface AdmissionLimits {
  /** Served in the long run; 0 for no limit. */
  readonly requestsPerSecond: number;
  /** May come at once before the rate counts. Default: ten seconds of the rate. */
  readonly burst?: number;
  /** Worked on at the same time. */
  readonly concurrentRequests: number;
}

/** One gateway's door. Each gateway has its own, so that none waits for another's callers. */
export interface Admission {
  /**
   * Lets a request in: at once (undefined), or after its turn has come. Whoever was let in calls `leave`, once.
   * @param waiter its signal is made only when there is a wait; when it fires, the place is given up
   * @throws ScimError 429 at once when too many wait already; the promise rejects with it when the wait is too long, and
   * with the signal's reason
   */
  enter(waiter?: { readonly signal: AbortSignal }): undefined | Promise<void>;
  leave(): void;
  state(): AdmissionState;
}

export interface AdmissionState {
  readonly atWork: number;
  readonly waiting: number;
  /** With 429, since the start. */
  readonly refused: number;
}

/**
 * Long enough that a client that sends one request after another is slowed down to the rate and never refused, and short
 * enough that nobody mistakes the gateway for dead.
 */
const longestWaitMs = 1000;
const defaultBurstSeconds = 10;

interface Place {
  /** Refused from then on. */
  readonly untilMs: number;
  readonly admit: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Bounds the requests a second and those at work. What is beyond waits in line for a second at most; no more wait than
 * the rate can serve in that second.
 * @param nowMs a clock that never goes back
 */
export function createAdmission(limits: AdmissionLimits, nowMs = (): number => performance.now()): Admission {
  const { requestsPerSecond: rate, concurrentRequests } = limits;
  const intervalMs = rate > 0 ? 1000 / rate : 0;
  const burstMs = Math.max(limits.burst ?? rate * defaultBurstSeconds, 1) * intervalMs;
  const mostWaiting = rate > 0 ? Math.max(Math.ceil((rate * longestWaitMs) / 1000), 1) : concurrentRequests;
  // A token bucket in one number: when it will be full again. Each request puts that off by one interval.
  let fullAtMs = 0;
  let atWork = 0;
  let refused = 0;
  // A Set keeps the order of arrival, and lets go of any place without a search.
  const line = new Set<Place>();
  let timer: NodeJS.Timeout | undefined;

  /** When the bucket allows the next request. */
  const allowedAtMs = (): number => fullAtMs + intervalMs - burstMs;

  const take = (now: number): void => {
    fullAtMs = Math.max(fullAtMs, now) + intervalMs;
    atWork++;
  };

  const tooMany = (): ScimError => {
    refused++;
    const waitMs = rate > 0 ? Math.max(allowedAtMs() - nowMs(), 0) + line.size * intervalMs : longestWaitMs;
    const seconds = Math.max(Math.ceil(waitMs / 1000), 1);
    const isRate = rate > 0 && atWork < concurrentRequests;
    const bound = isRate ? `${rate} requests a second` : `${concurrentRequests} requests at the same time`;
    const when = seconds === 1 ? 'a second' : `${seconds} seconds`;
    return ScimError.tooManyRequests(`This gateway serves ${bound}. Send the request again in ${when}.`, seconds);
  };

  /** Lets in whose turn has come, refuses who has waited too long, and sets the clock for the next. */
  const advance = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const now = nowMs();
    for (const place of line) {
      if (atWork < concurrentRequests && now >= allowedAtMs()) {
        line.delete(place);
        take(now);
        place.admit();
      } else if (place.untilMs <= now) {
        line.delete(place);
        place.refuse(tooMany());
      } else {
        const nextMs = atWork < concurrentRequests ? Math.min(allowedAtMs(), place.untilMs) : place.untilMs;
        timer = setTimeout(advance, Math.max(Math.ceil(nextMs - now), 1)).unref();
        return;
      }
    }
  };

  const wait = (signal: AbortSignal | undefined): Promise<void> => {
    if (line.size >= mostWaiting) throw tooMany();
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        line.delete(place);
        reject(signal?.reason);
        if (timer !== undefined && line.size === 0) advance();
      };
      const end = (): void => signal?.removeEventListener('abort', giveUp);
      const place: Place = {
        untilMs: nowMs() + longestWaitMs,
        admit: () => {
          end();
          resolve();
        },
        refuse: (reason) => {
          end();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      line.add(place);
      if (timer === undefined) advance();
    });
  };

  return {
    enter: (waiter) => {
      if (line.size === 0 && atWork < concurrentRequests) {
        const now = nowMs();
        if (now >= allowedAtMs()) {
          take(now);
          return undefined;
        }
      }
      return wait(waiter?.signal);
    },
    leave: () => {
      atWork--;
      if (line.size > 0) advance();
    },
    state: () => ({ atWork, waiting: line.size, refused }),
  };
}
