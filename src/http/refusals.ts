import { LRUCache } from 'lru-cache';
import { ScimError } from '../scim/error.js';
import { networkOf } from './address.js';

/**
 * Slows down who is refused again and again. Only refusals are put off: whoever comes from the same address with valid
 * credentials notices nothing, since many customers share one proxy or one provider's addresses.
 * @see RFC 7644 §7.7
 */
export interface RefusalDelay {
  /**
   * Asked before each refusal.
   * @param waiter its signal is made only when there is a delay; when it fires, the wait is over
   * @returns undefined to answer at once, else a promise, which never rejects, of the time to answer
   * @throws ScimError 429 instead of the refusal, when too many of this address, or of all, are being put off
   */
  delay(address: string | undefined, waiter?: { readonly signal: AbortSignal }): undefined | Promise<void>;
  /** How many refusals are being put off. */
  waiting(): number;
}

export interface RefusalDelayOptions {
  /** So many refusals a minute cost an address nothing: a client with an old token that tries now and then. */
  readonly freePerMinute?: number;
  readonly firstDelayMs?: number;
  readonly longestDelayMs?: number;
  /** Put off at the same time, of one address and of all. */
  readonly mostPerAddress?: number;
  readonly mostInAll?: number;
  /** The addresses that are remembered: those refused last. */
  readonly mostAddresses?: number;
}

interface Offender {
  /** Refusals that count still: one more with each, fewer as time passes. */
  level: number;
  atMs: number;
  delayed: number;
}

const defaults = {
  freePerMinute: 10,
  firstDelayMs: 100,
  longestDelayMs: 2000,
  mostPerAddress: 10,
  mostInAll: 500,
  mostAddresses: 10_000,
};
const minuteMs = 60_000;

/** @param nowMs a clock that never goes back */
export function createRefusalDelay(
  options: RefusalDelayOptions = {},
  nowMs = (): number => performance.now(),
): RefusalDelay {
  const bounds = { ...defaults, ...options };
  const offenders = new LRUCache<string, Offender>({ max: bounds.mostAddresses });
  // Beyond the level of the longest delay it grows on for a while, but no further than silence forgives in two minutes.
  const doublings = Math.ceil(Math.log2(bounds.longestDelayMs / bounds.firstDelayMs));
  const highestLevel = bounds.freePerMinute + Math.max(doublings + 1, bounds.freePerMinute);
  let inAll = 0;

  const note = (address: string | undefined): Offender => {
    const network = address === undefined ? '' : networkOf(address);
    const now = nowMs();
    let offender = offenders.get(network);
    if (offender === undefined) {
      offender = { level: 0, atMs: now, delayed: 0 };
      offenders.set(network, offender);
    }
    const forgiven = ((now - offender.atMs) * bounds.freePerMinute) / minuteMs;
    offender.level = Math.min(Math.max(offender.level - forgiven, 0) + 1, highestLevel);
    offender.atMs = now;
    return offender;
  };

  const putOff = (offender: Offender, delayMs: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        offender.delayed--;
        inAll--;
        resolve();
      };
      const timer = setTimeout(end, delayMs).unref();
      offender.delayed++;
      inAll++;
      signal?.addEventListener('abort', end, { once: true });
    });

  return {
    delay: (address, waiter) => {
      const offender = note(address);
      const beyond = offender.level - bounds.freePerMinute;
      if (beyond <= 0) return undefined;
      if (offender.delayed >= bounds.mostPerAddress || inAll >= bounds.mostInAll) {
        throw ScimError.tooManyRequests(
          'Too many requests from this address were refused. Check its credentials.',
          Math.ceil(bounds.longestDelayMs / 1000),
        );
      }
      const delayMs = Math.min(bounds.firstDelayMs * 2 ** (Math.ceil(beyond) - 1), bounds.longestDelayMs);
      return putOff(offender, delayMs, waiter?.signal);
    },
    waiting: () => inAll,
  };
}
