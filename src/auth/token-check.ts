import { ScimError } from '../scim/error.js';
import { StateUnavailableError, type TokenRecord, type TokenStore } from '../state/state.js';
import type { Verdict } from './authentication.js';

export interface TokenCheckOptions {
  readonly gateway: string;
  readonly store: Pick<TokenStore, 'find' | 'recordUse' | 'prove'>;
  /** `client`: the secrets of OAuth clients; each kind is refused where the other is expected. */
  readonly kind: 'token' | 'client';
  /** How long what was found valid is not looked up again. A revoked one is refused at the latest after this. */
  readonly cacheMs?: number;
  /**
   * How long what was found valid is taken on while the state cannot be asked. Nobody can revoke it there meanwhile, unless
   * only this process has lost its way to the state. Default: not at all.
   */
  readonly graceMs?: number;
  readonly now?: () => number;
}

/** Tells of a secret's hash who calls. Look-ups go by hash, so their timing tells nothing of a secret. */
export interface TokenCheck {
  /** What was found within `cacheMs`, else undefined. */
  recall(hash: string): Verdict;
  /** @throws ScimError 503 when the state cannot be asked: nobody is told that a token is wrong that may be right */
  lookUp(hash: string): Promise<Exclude<Verdict, undefined>>;
}

interface Found {
  readonly verdict: Exclude<Verdict, undefined>;
  readonly checkedAtMs: number;
  readonly expiresAtMs: number;
}

/** Where uses of tokens are noted: the first at once and durably, since it may end a former token; later ones now and then. */
export interface UseNotes {
  note(hash: string, record: TokenRecord, nowMs: number): Promise<void>;
  forget(hash: string): void;
}

const recordUseEveryMs = 60_000;

export function createUseNotes(store: Pick<TokenStore, 'recordUse' | 'prove'>): UseNotes {
  const noted = new Map<string, number>();
  return {
    async note(hash, record, nowMs) {
      if (record.lastUsedAtMs === undefined) {
        // When the store is busy, it stays unused there and the next look-up tries again: the caller is let in anyway.
        await store.prove(hash, nowMs).catch(() => undefined);
        return;
      }
      const last = Math.max(record.lastUsedAtMs, noted.get(hash) ?? 0);
      if (nowMs - last < recordUseEveryMs) return;
      noted.set(hash, nowMs);
      setImmediate(() => void store.recordUse(hash, nowMs));
    },
    forget(hash) {
      noted.delete(hash);
    },
  };
}

export function createTokenCheck(options: TokenCheckOptions): TokenCheck {
  const { store, cacheMs = 500, graceMs = 0, now = Date.now } = options;
  /** Valid ones only, so there are no more entries than tokens. */
  const valid = new Map<string, Found>();
  /** Requests that come together wait for one look-up. */
  const underWay = new Map<string, Promise<Exclude<Verdict, undefined>>>();
  const uses = createUseNotes(store);

  const ask = async (hash: string): Promise<Exclude<Verdict, undefined>> => {
    const record = await store.find(hash);
    const nowMs = now();
    const verdict = judgeToken(record, options.kind, options.gateway, nowMs);
    if (record === undefined || verdict.caller === undefined) {
      valid.delete(hash);
      uses.forget(hash);
      return verdict;
    }
    valid.set(hash, { verdict, checkedAtMs: nowMs, expiresAtMs: record.expiresAtMs });
    await uses.note(hash, record, nowMs);
    return verdict;
  };

  const orWithin = (hash: string, error: unknown): Exclude<Verdict, undefined> => {
    if (!(error instanceof StateUnavailableError)) throw error;
    const found = valid.get(hash);
    const nowMs = now();
    if (found !== undefined && nowMs < Math.min(found.checkedAtMs + graceMs, found.expiresAtMs)) return found.verdict;
    throw unavailable(error);
  };
  return {
    recall(hash) {
      const found = valid.get(hash);
      if (found === undefined) return undefined;
      const nowMs = now();
      const ageMs = nowMs - found.checkedAtMs;
      return ageMs >= 0 && ageMs < cacheMs && nowMs < found.expiresAtMs ? found.verdict : undefined;
    },
    lookUp(hash) {
      const known = underWay.get(hash);
      if (known !== undefined) return known;
      const asked = ask(hash)
        .catch((error: unknown) => orWithin(hash, error))
        .finally(() => underWay.delete(hash));
      underWay.set(hash, asked);
      return asked;
    },
  };
}

/** 401 would make identity providers stop (Entra ID's quarantine); with 503 they try again. */
export function unavailable(error: StateUnavailableError): ScimError {
  const detail = 'The token cannot be checked now: where tokens are kept is not available. Try again later.';
  return ScimError.unavailable(detail, error.retryAfterSeconds, error);
}

/** Whether a token or a client's secret lets in at this time, and whom. */
export function judgeToken(
  record: TokenRecord | undefined,
  kind: 'token' | 'client',
  gateway: string,
  nowMs: number,
): Exclude<Verdict, undefined> {
  if (record === undefined) return { reason: kind === 'token' ? 'the token is unknown' : 'the client is unknown' };
  const named = `${kind} "${record.label}"`;
  if (record.gateway !== gateway) return { reason: `${named} belongs to gateway "${record.gateway}"` };
  if ((record.clientId === undefined) !== (kind === 'token')) return { reason: `"${record.label}" is no ${kind}` };
  if (record.revokedAtMs !== undefined) {
    const why = record.replacedAtMs === undefined ? 'was revoked' : 'was replaced, and is revoked since';
    return { reason: `${named} ${why}` };
  }
  if (nowMs >= record.expiresAtMs) {
    const why = record.replacedAtMs === undefined ? 'expired' : 'was replaced, and its time beside the new one is over';
    return { reason: `${named} ${why}`, description: 'The token expired' };
  }
  const { clientId, readOnly, resourceTypes } = record;
  return {
    caller: {
      id: clientId === undefined ? `token:${record.label}` : `client:${clientId}`,
      ...(readOnly === true ? { readOnly } : {}),
      ...(resourceTypes === undefined ? {} : { resourceTypes }),
    },
  };
}
