import { hash, randomBytes } from 'node:crypto';
import type { TokenRecord, TokenStore } from '../state/state.js';
import type { Authenticator, Verdict } from './authentication.js';

const prefix = 'scimb_';
const secretBytes = 32;
const checksumLength = 6;
const tokenPattern = /^scimb_[\w-]{43}[\w-]{6}$/;

export const defaultValidityDays = 365;
export const validityDaysRange = { minimum: 90, maximum: 730 } as const;
const dayMs = 86_400_000;

/**
 * A new secret: a prefix that scanners recognise, 256 random bits, and a checksum that tells a token that was cut or
 * mistyped from one that is unknown.
 */
export function generateToken(): string {
  const body = prefix + randomBytes(secretBytes).toString('base64url');
  return body + checksum(body);
}

/** What is kept of a token. It is random enough for one round without salt. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

function checksum(body: string): string {
  return hash('sha256', body, 'base64url').slice(0, checksumLength);
}

function isIntact(token: string): boolean {
  return tokenPattern.test(token) && checksum(token.slice(0, -checksumLength)) === token.slice(-checksumLength);
}

/**
 * Issues a token. The text that is returned exists nowhere else.
 * @throws TokenLabelTakenError
 * @throws RangeError when the label is not 1 to 100 printable characters, or the validity is out of range
 */
export async function issueToken(
  store: TokenStore,
  request: { readonly gateway: string; readonly label: string; readonly validityDays?: number },
  nowMs: number = Date.now(),
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const validityDays = request.validityDays ?? defaultValidityDays;
  if (!/^[^\p{C}]{1,100}$/u.test(request.label) || request.label.trim() !== request.label) {
    throw new RangeError('A label is 1 to 100 printable characters, without spaces around it.');
  }
  const { minimum, maximum } = validityDaysRange;
  if (!Number.isInteger(validityDays) || validityDays < minimum || validityDays > maximum) {
    throw new RangeError(`A token is valid for ${minimum} to ${maximum} days.`);
  }
  const token = generateToken();
  const expiresAtMs = nowMs + validityDays * dayMs;
  const { gateway, label } = request;
  await store.create({ gateway, label, hash: hashToken(token), createdAtMs: nowMs, expiresAtMs });
  return { token, expiresAtMs };
}

export interface TokenAuthenticatorOptions {
  readonly gateway: string;
  readonly store: Pick<TokenStore, 'find' | 'recordUse'>;
  /** How long a token that was found valid is not looked up again. A revoked one is refused at the latest after this. */
  readonly cacheMs?: number;
  readonly now?: () => number;
}

interface CachedToken {
  readonly verdict: Verdict;
  readonly checkedAtMs: number;
  readonly expiresAtMs: number;
}

const recordUseEveryMs = 60_000;

/** Generated tokens as an authenticator. Look-ups go by hash, so their timing tells nothing of a token. */
export function createTokenAuthenticator(options: TokenAuthenticatorOptions): Authenticator {
  const { gateway, store, cacheMs = 500, now = Date.now } = options;
  /** Valid tokens only, so there are no more entries than tokens. */
  const cache = new Map<string, CachedToken>();
  const recordedUse = new Map<string, number>();

  const recordUse = (key: string, record: TokenRecord, nowMs: number): void => {
    const last = Math.max(record.lastUsedAtMs ?? 0, recordedUse.get(key) ?? 0);
    if (nowMs - last < recordUseEveryMs) return;
    recordedUse.set(key, nowMs);
    setImmediate(() => void store.recordUse(key, nowMs));
  };

  const lookUp = async (key: string): Promise<Verdict> => {
    const record = await store.find(key);
    const nowMs = now();
    const verdict = judge(record, gateway, nowMs);
    if (record === undefined || verdict?.caller === undefined) {
      cache.delete(key);
      return verdict;
    }
    cache.set(key, { verdict, checkedAtMs: nowMs, expiresAtMs: record.expiresAtMs });
    recordUse(key, record, nowMs);
    return verdict;
  };

  return {
    scheme: 'Bearer',
    verify(value) {
      if (!value.startsWith(prefix)) return undefined;
      const key = hashToken(value);
      const known = cache.get(key);
      if (known === undefined) {
        return isIntact(value) ? lookUp(key) : { reason: 'the token is cut or mistyped: its checksum is wrong' };
      }
      const nowMs = now();
      const ageMs = nowMs - known.checkedAtMs;
      return ageMs >= 0 && ageMs < cacheMs && nowMs < known.expiresAtMs ? known.verdict : lookUp(key);
    },
  };
}

function judge(record: TokenRecord | undefined, gateway: string, nowMs: number): Exclude<Verdict, undefined> {
  if (record === undefined) return { reason: 'the token is unknown' };
  const named = `token "${record.label}"`;
  if (record.gateway !== gateway) return { reason: `${named} belongs to gateway "${record.gateway}"` };
  if (record.revokedAtMs !== undefined) return { reason: `${named} was revoked` };
  if (nowMs >= record.expiresAtMs) return { reason: `${named} expired`, description: 'The token expired' };
  return { caller: { id: `token:${record.label}` } };
}
