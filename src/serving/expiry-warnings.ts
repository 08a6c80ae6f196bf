import type { Logger } from 'pino';
import type { TokenRecord, TokenStore } from '../state/state.js';

export interface ExpiryOptions {
  /** Those that are served now, with their logs. */
  readonly gateways: () => readonly { readonly id: string; readonly log: Pick<Logger, 'warn'> }[];
  readonly tokens: Pick<TokenStore, 'list'>;
  readonly log: Pick<Logger, 'warn'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const dayMs = 86_400_000;
const aheadMs = 30 * dayMs;

/**
 * Warns now and then once a day of each token and client secret that expires within 30 days, in time for a successor to be
 * made. Keeps no process alive.
 * @returns what ends it
 */
export function startExpiryWarnings(options: ExpiryOptions): () => void {
  const warn = (): void => {
    warnOfExpiry(options).catch((error: unknown) =>
      options.log.warn({ err: error }, 'The tokens could not be looked through for those that expire.'),
    );
  };
  warn();
  const timer = setInterval(warn, dayMs).unref();
  return () => clearInterval(timer);
}

/** One round of warnings. */
export async function warnOfExpiry({ gateways, tokens, now = Date.now }: Omit<ExpiryOptions, 'log'>): Promise<void> {
  for (const { id, log } of gateways()) {
    for (const record of await tokens.list(id)) {
      const leftMs = record.expiresAtMs - now();
      if (!isInUse(record) || leftMs <= 0 || leftMs > aheadMs) continue;
      const { label, clientId, expiresAtMs } = record;
      const what = clientId === undefined ? `The token "${label}"` : `The secret of the client "${label}"`;
      const command = clientId === undefined ? 'token rotate' : 'client rotate';
      log.warn(
        { label, expires: new Date(expiresAtMs).toISOString() },
        `${what} expires in ${inDays(leftMs)}: make its successor with "scimbridge ${command} ${id} --label …".`,
      );
    }
  }
}

/** One that was replaced is meant to expire. */
function isInUse({ revokedAtMs, replacedAtMs }: TokenRecord): boolean {
  return revokedAtMs === undefined && replacedAtMs === undefined;
}

function inDays(ms: number): string {
  const days = Math.ceil(ms / dayMs);
  return days === 1 ? 'a day' : `${days} days`;
}
