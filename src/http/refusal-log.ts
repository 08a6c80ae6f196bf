import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';

export interface Refusal {
  readonly gateway: string;
  readonly requestId: string;
  readonly remoteAddress: string | undefined;
  /** Which check failed, without anything of the credential. */
  readonly reason: string;
}

const onceInMs = 60_000;
const maxRemembered = 1000;
/** Details of one check that are told in a minute; what is beyond may be an attacker who varies them. */
const mostDetails = 5;

interface Told {
  readonly sinceMs: number;
  readonly reasons: Set<string>;
  unsaid: number;
}

/**
 * Warns of callers that were refused: once a minute for each address and reason, and no more than five reasons that differ
 * in their details only, so that neither a client with an old token nor an attacker fills the log.
 */
export function createRefusalLog(log: Logger, nowMs: () => number = Date.now): (refusal: Refusal) => void {
  const remembered = new LRUCache<string, Told>({ max: maxRemembered });
  return (refusal) => {
    // Behind the colon stand the details of the check.
    const [check] = refusal.reason.split(':', 1);
    const key = `${refusal.gateway} ${refusal.remoteAddress} ${check}`;
    const known = remembered.get(key);
    const isRecent = known !== undefined && nowMs() - known.sinceMs < onceInMs;
    if (isRecent && (known.reasons.has(refusal.reason) || known.reasons.size >= mostDetails)) {
      known.unsaid++;
      return;
    }
    if (isRecent) known.reasons.add(refusal.reason);
    else remembered.set(key, { sinceMs: nowMs(), reasons: new Set([refusal.reason]), unsaid: 0 });
    const repeated = isRecent ? 0 : (known?.unsaid ?? 0);
    log.warn({ ...refusal, ...(repeated > 0 ? { repeated } : {}) }, 'A request was refused.');
  };
}
