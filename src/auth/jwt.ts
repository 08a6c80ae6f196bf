import { hash } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../provisioning/service.js';
import { ScimError } from '../scim/error.js';
import type { Authenticator, Rejected, Verdict } from './authentication.js';
import { claimChecks, firstFailure, grantedBy, headerChecks } from './jwt-checks.js';
import { anyOf, claimAt, claimValues, jwtShape, maxTokenLength, type ParsedJwt, parseJwt, shown } from './jwt-parse.js';
import { type JwtIssuerSettings, type JwtPolicy, toAlgorithm, toPolicy } from './jwt-policy.js';
import type { Fetch } from './key-fetch.js';
import { createKeySource } from './key-origin.js';
import type { KeySet, VerificationKey } from './key-set.js';
import { type KeyLog, type KeySource, KeysUnavailableError } from './key-source.js';

export interface JwtAuthenticatorOptions {
  /** `auth.jwt` as a list. An issuer stands there once. */
  readonly issuers: readonly JwtIssuerSettings[];
  /** For the log: the gateway. */
  readonly realm: string;
  /** Makes an absolute file name of a key set's. */
  readonly resolveFile: (name: string) => string;
  readonly log: KeyLog;
  readonly fetch?: Fetch;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface JwtAuthenticator extends Authenticator {
  /**
   * Gets the keys of every issuer, so that the first caller need not wait and an operator learns at the start what cannot
   * be reached. Never rejects; what fails is in the log.
   */
  prepare(): Promise<void>;
}

/** One issuer, ready to check its tokens. */
export interface JwtIssuer {
  readonly policy: JwtPolicy;
  readonly keys: KeySource;
}

interface VerifiedToken {
  readonly verdict: { readonly caller: Caller };
  readonly keys: KeySet;
  readonly source: KeySource;
  readonly expiresAtMs: number;
}

const maxCachedTokens = 1000;

/**
 * Tokens of issuers as an authenticator. The token's own `iss` only picks the configured issuer, whose keys must then have
 * signed it. A token that was found good is known by its SHA-256 until it expires or the issuer's keys change.
 * @see RFC 7519 §7.2, RFC 8725 §3
 */
export function createJwtAuthenticator(options: JwtAuthenticatorOptions): JwtAuthenticator {
  const { now = Date.now } = options;
  const issuers = new Map(options.issuers.map((settings) => [settings.issuer, openIssuer(settings, options)]));
  const cache = new LRUCache<string, VerifiedToken>({ max: maxCachedTokens });

  const verifyNew = async (key: string, value: string): Promise<Verdict> => {
    const token = parseJwt(value);
    if ('problem' in token) return { reason: `form: ${token.problem}` };
    const issuer = issuers.get(typeof token.claims.iss === 'string' ? token.claims.iss : '');
    if (issuer === undefined) return unknownIssuer(token.claims.iss, [...issuers.keys()]);
    const { policy, keys: source } = issuer;
    const signature = await checkSignature(value, token, issuer);
    if ('reason' in signature) return signature;
    const failure = firstFailure(claimChecks, token, policy, now() / 1000);
    if (failure !== undefined) return rejected(failure);
    const verdict = { caller: toCaller(token, policy, issuers.size > 1) };
    const expiresAtMs = (Number(token.claims.exp) + policy.toleranceSeconds) * 1000;
    cache.set(key, { verdict, keys: signature.keys, source, expiresAtMs });
    return verdict;
  };

  const verifyOrGiveUp = async (key: string, value: string): Promise<Verdict> => {
    try {
      return await verifyNew(key, value);
    } catch (error) {
      if (error instanceof KeysUnavailableError) throw unavailable(error);
      throw error;
    }
  };

  return {
    scheme: 'Bearer',
    verify(value) {
      if (value.length > maxTokenLength) {
        return { reason: `form: the token has ${value.length} characters; at most ${maxTokenLength} are taken` };
      }
      const key = hash('sha256', value, 'base64url');
      const known = cache.get(key);
      if (known !== undefined) {
        if (now() < known.expiresAtMs && known.source.get() === known.keys) return known.verdict;
        cache.delete(key);
      }
      const shape = jwtShape(value);
      if (shape === 'other') return undefined;
      if (shape === 'encrypted') return { reason: 'form: an encrypted token (JWE) came; only signed ones are taken' };
      return verifyOrGiveUp(key, value);
    },
    async prepare() {
      await Promise.allSettled([...issuers.values()].map(async ({ keys }) => keys.get()));
    },
  };
}

/** @throws RangeError for a shared secret that is too short */
export function openIssuer(
  settings: JwtIssuerSettings,
  { realm, resolveFile, log, fetch: fetchKeys = fetch, now = Date.now }: Omit<JwtAuthenticatorOptions, 'issuers'>,
): JwtIssuer {
  const named: KeyLog = {
    info: (fields, message) => log.info({ gateway: realm, ...fields }, message),
    warn: (fields, message) => log.warn({ gateway: realm, ...fields }, message),
    error: (fields, message) => log.error({ gateway: realm, ...fields }, message),
  };
  const keys = createKeySource(settings, { resolveFile, fetch: fetchKeys, now, log: named });
  return { policy: toPolicy(settings), keys };
}

/**
 * The header, the key and the signature. Keys come from the configured source alone: what the header says of keys beside
 * their id (`jku`, `x5u`, `x5c`, `jwk`) is never looked at.
 * @returns the keys it was checked with, or why it is refused
 * @throws KeysUnavailableError when nobody can tell
 * @see RFC 8725 §3.1, §3.8, §3.10
 */
export async function checkSignature(
  value: string,
  token: ParsedJwt,
  { policy, keys: source }: JwtIssuer,
): Promise<{ readonly keys: KeySet } | Rejected> {
  const wrong = firstFailure(headerChecks, token, policy, 0);
  if (wrong !== undefined) return rejected(wrong);
  let keys = await source.get();
  let candidates = matching(keys, token);
  if (candidates.length === 0) {
    keys = await source.renewed();
    candidates = matching(keys, token);
  }
  if (candidates.length === 0) return noKey(keys, token, source);
  const algorithm = toAlgorithm(String(token.header.alg));
  const fitting = candidates.filter((key) => key.algorithm === algorithm);
  if (fitting.length === 0) return wrongAlgorithm(candidates, algorithm);
  for (const key of fitting) {
    if (await isSignedBy(value, key, String(token.header.alg))) return { keys };
  }
  return { reason: `signature: it is not that of the issuer's key${nameOf(token)}` };
}

/** Key ids are only ever compared, as texts. A token without one may be of any key. */
function matching(keys: KeySet, { header: { kid } }: ParsedJwt): readonly VerificationKey[] {
  // A shared secret has no id of its own.
  return keys.keys.filter((key) => kid === undefined || key.kid === kid || key.key instanceof Uint8Array);
}

async function isSignedBy(value: string, { key }: VerificationKey, algorithm: string): Promise<boolean> {
  try {
    await compactVerify(value, key, { algorithms: [algorithm] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return false;
    throw error;
  }
}

function noKey(keys: KeySet, token: ParsedJwt, source: KeySource): Rejected {
  const { kid } = token.header;
  const found = keys.keys.map((key) => (key.kid === undefined ? 'one without id' : shown(key.kid))).slice(0, 10);
  const left = keys.unusable.length === 0 ? '' : `; not used: ${keys.unusable.slice(0, 10).join('; ')}`;
  return { reason: `key: ${source.origin} has no key ${shown(kid)}; it has ${found.join(', ')}${left}` };
}

function wrongAlgorithm(candidates: readonly VerificationKey[], algorithm: string): Rejected {
  const [key] = candidates;
  const hint = candidates.some(({ namesAlgorithm }) => namesAlgorithm)
    ? ''
    : ` (it names none itself; "algorithms: [${algorithm}]" makes it one for ${algorithm})`;
  return { reason: `algorithm: the token has "${algorithm}", but the key is for ${key?.algorithm}${hint}` };
}

function nameOf({ header: { kid } }: ParsedJwt): string {
  return kid === undefined ? '' : ` ${shown(kid)}`;
}

function rejected({
  check,
  message,
  description,
  insufficient,
}: NonNullable<ReturnType<typeof firstFailure>>): Rejected {
  return {
    reason: `${check}: ${message}`,
    ...(description === undefined ? {} : { description }),
    ...(insufficient === undefined ? {} : { status: 403, ...insufficient }),
  };
}

function unknownIssuer(iss: unknown, issuers: readonly string[]): Rejected {
  return { reason: `issuer: the token is of ${shown(iss)}; this gateway takes those of ${anyOf(issuers)}` };
}

/** 401 would make identity providers stop (Entra ID's quarantine); with 503 they try again. */
function unavailable(error: KeysUnavailableError): ScimError {
  const detail = 'The token cannot be checked now: the keys of its issuer are not available. Try again later.';
  return ScimError.unavailable(detail, error.retryAfterSeconds, error);
}

/** @param isOneOfMany the gateway has several issuers, so that a subject alone does not tell who it is */
function toCaller({ claims }: ParsedJwt, policy: JwtPolicy, isOneOfMany: boolean): Caller {
  const { resourceTypes, subject } = policy;
  const issuer = isOneOfMany ? `${policy.issuer.replace(/^https?:\/\/|\/+$/g, '')}:` : '';
  const [value] = subject === undefined ? [] : claimValues(claimAt(claims, subject.claim));
  return {
    id: `jwt:${issuer}${publicName(String(claims.sub))}`,
    ...(grantedBy(claims, policy) === 'read' ? { readOnly: true } : {}),
    ...(resourceTypes === undefined ? {} : { resourceTypes }),
    ...(subject === undefined || value === undefined ? {} : { subject: { attribute: subject.attribute, value } }),
  };
}

/** Callers stand in logs: a subject that may be an address or a name is known by a hash. */
function publicName(sub: string): string {
  return /^[\w.:/|+=~-]{1,128}$/.test(sub) ? sub : `sha256-${hash('sha256', sub, 'base64url').slice(0, 16)}`;
}
