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

/**
 * Warns of callers that were refused: once a minute for each address and check that failed, so that neither a client with an old
 * token nor an attacker fills the log.
 */
export function createRefusalLog(log: Logger, nowMs: () => number = Date.now): (refusal: Refusal) => void {
  const remembered = new LRUCache<string, { saidAtMs: number; unsaid: number }>({ max: maxRemembered });
  return (refusal) => {
    // Behind the colon stand details that an attacker may vary at will.
    const [check] = refusal.reason.split(':', 1);
    const key = `${refusal.gateway} ${refusal.remoteAddress} ${check}`;
    const known = remembered.get(key);
    if (known !== undefined && nowMs() - known.saidAtMs < onceInMs) {
      known.unsaid++;
      return;
    }
    remembered.set(key, { saidAtMs: nowMs(), unsaid: 0 });
    log.warn({ ...refusal, ...(known?.unsaid ? { repeated: known.unsaid } : {}) }, 'A request was refused.');
  };
}
