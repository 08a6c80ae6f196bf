import type { NewToken, TokenRecord, TokenStore } from '../state/state.js';
import type { Authenticator } from './authentication.js';
import { generateSecret, hashSecret, isIntact, prefixes } from './generated-secret.js';
import { createTokenCheck, type TokenCheckOptions } from './token-check.js';

const dayMs = 86_400_000;

/** What a gateway says about its tokens: `auth.tokens` of the configuration. */
export interface TokenPolicy {
  readonly validityDays: number;
  readonly minimumDays: number;
  readonly maximumDays: number;
  /** A new token revokes the former ones at once. */
  readonly single: boolean;
}

export const defaultTokenPolicy: TokenPolicy = {
  validityDays: 365,
  minimumDays: 90,
  maximumDays: 730,
  single: false,
};

export interface TokenRequest {
  readonly gateway: string;
  readonly label: string;
  /** Default: the policy's. */
  readonly validityDays?: number;
  readonly readOnly?: boolean;
  /** Names of resource types that the caller is limited to. */
  readonly resourceTypes?: readonly string[];
  /** Makes the secret of an OAuth client instead. */
  readonly clientId?: string;
  /** Default: `defaultTokenPolicy`. */
  readonly policy?: TokenPolicy;
}

/** A token that was just made. Its text exists nowhere else. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/**
 * Issues a token, or a client's secret.
 * @throws TokenLabelTakenError
 * @throws RangeError when the label is not 1 to 100 printable characters, or the validity is out of the policy's bounds
 */
export async function issueToken(
  store: Pick<TokenStore, 'create'>,
  request: TokenRequest,
  nowMs: number = Date.now(),
): Promise<IssuedToken> {
  const { token, record } = makeToken(request, nowMs);
  const isSingle = request.policy?.single === true && request.clientId === undefined;
  await store.create(record, { single: isSingle });
  return { token, expiresAtMs: record.expiresAtMs };
}

/** When the former token of a rotation ends: after so many days, or once the new one has been used. */
export type FormerEnd = { readonly overlapDays: number } | 'proven';

/**
 * Puts a new token in the place of the current one with the label, with the same limits. Where the policy is `single`,
 * the former one ends at once, and so does every other.
 * @returns undefined when the gateway has no valid token of this kind with the label
 * @throws RangeError when the validity is out of the policy's bounds, or the overlap is not 0 to 365 days
 */
export async function rotateToken(
  store: Pick<TokenStore, 'create' | 'list' | 'rotate'>,
  request: Pick<TokenRequest, 'gateway' | 'label' | 'validityDays' | 'policy'> & { readonly kind: 'token' | 'client' },
  formerEnd: FormerEnd,
  nowMs: number = Date.now(),
): Promise<(IssuedToken & { readonly former: TokenRecord }) | undefined> {
  const former = (await store.list(request.gateway)).find(
    (record) => isCurrent(record, nowMs) && record.label === request.label && kindOfRecord(record) === request.kind,
  );
  if (former === undefined) return undefined;
  const { clientId, readOnly, resourceTypes } = former;
  const limits = {
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(resourceTypes === undefined ? {} : { resourceTypes }),
  };
  const { token, record } = makeToken(
    { ...request, ...limits, ...(clientId === undefined ? {} : { clientId }) },
    nowMs,
  );
  if (request.policy?.single === true && request.kind === 'token') {
    await store.create(record, { single: true });
    return { token, expiresAtMs: record.expiresAtMs, former: { ...former, revokedAtMs: nowMs } };
  }
  const replaced = await store.rotate(record, toFormerUntil(formerEnd, nowMs));
  return replaced === undefined ? undefined : { token, expiresAtMs: record.expiresAtMs, former: replaced };
}

/** Neither revoked nor expired nor replaced. */
export function isCurrent(record: TokenRecord, nowMs: number): boolean {
  return record.revokedAtMs === undefined && record.replacedAtMs === undefined && nowMs < record.expiresAtMs;
}

export function kindOfRecord(record: TokenRecord): 'token' | 'client' {
  return record.clientId === undefined ? 'token' : 'client';
}

function toFormerUntil(formerEnd: FormerEnd, nowMs: number): number | 'proven' {
  if (formerEnd === 'proven') return 'proven';
  const { overlapDays } = formerEnd;
  if (!(overlapDays >= 0 && overlapDays <= 365)) throw new RangeError('An overlap is 0 to 365 days.');
  return nowMs + Math.round(overlapDays * dayMs);
}

function makeToken(request: TokenRequest, nowMs: number): { readonly token: string; readonly record: NewToken } {
  const { gateway, label, clientId, readOnly, resourceTypes, policy = defaultTokenPolicy } = request;
  if (!/^[^\p{C}]{1,100}$/u.test(label) || label.trim() !== label) {
    throw new RangeError('A label is 1 to 100 printable characters, without spaces around it.');
  }
  const validityDays = request.validityDays ?? policy.validityDays;
  const { minimumDays, maximumDays } = policy;
  if (!Number.isInteger(validityDays) || validityDays < minimumDays || validityDays > maximumDays) {
    throw new RangeError(`A token is valid for ${minimumDays} to ${maximumDays} days.`);
  }
  const token = generateSecret(clientId === undefined ? prefixes.token : prefixes.clientSecret);
  const record = {
    gateway,
    label,
    hash: hashSecret(token),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + validityDays * dayMs,
    ...(clientId === undefined ? {} : { clientId }),
    ...(readOnly === true ? { readOnly } : {}),
    ...(resourceTypes === undefined ? {} : { resourceTypes }),
  };
  return { token, record };
}

export type TokenAuthenticatorOptions = Omit<TokenCheckOptions, 'kind'>;

/** Generated tokens as an authenticator. It answers at once while what was found of a token is fresh. */
export function createTokenAuthenticator(options: TokenAuthenticatorOptions): Authenticator {
  const check = createTokenCheck({ ...options, kind: 'token' });
  return {
    scheme: 'Bearer',
    verify(value) {
      if (!value.startsWith(prefixes.token)) return undefined;
      const hash = hashSecret(value);
      const known = check.recall(hash);
      if (known !== undefined) return known;
      return isIntact(value, prefixes.token)
        ? check.lookUp(hash)
        : { reason: 'the token is cut or mistyped: its checksum is wrong' };
    },
  };
}
