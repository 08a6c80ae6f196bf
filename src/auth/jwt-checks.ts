/**
 * What is asked of a token besides its signature, check by check, so that the gateway stops at the first that fails and
 * `doctor token` shows them all.
 */
import { anyOf, claimAt, claimValues, type JsonRecord, type ParsedJwt, shown } from './jwt-parse.js';
import { type JwtPolicy, toAlgorithm, toType } from './jwt-policy.js';

/** Why a check fails: for the log, with what would be right. Holds no claim that may be personal. */
export interface Failure {
  readonly message: string;
  /** For the caller, when it may know more than that the token is not valid (RFC 6750 §3.1). */
  readonly description?: string;
  /** The token is good, but does not allow this: 403, and what would be needed. */
  readonly insufficient?: { readonly scope?: string };
}

export interface Check {
  readonly name: string;
  /** @returns undefined when the token passes */
  readonly run: (token: ParsedJwt, policy: JwtPolicy, nowSeconds: number) => Failure | string | undefined;
}

/** Done before the signature: how the token says it is to be read. @see RFC 8725 §3.1, §3.2, §3.11 */
export const headerChecks: readonly Check[] = [
  { name: 'algorithm', run: ({ header }, policy) => checkAlgorithm(header, policy) },
  { name: 'crit', run: ({ header }) => checkExtensions(header) },
  { name: 'type', run: ({ header }, policy) => checkType(header, policy) },
  {
    name: 'key id',
    run: ({ header: { kid } }) =>
      kid === undefined || (typeof kid === 'string' && kid.length <= 1024)
        ? undefined
        : 'the header "kid" is no text of at most 1024 characters',
  },
];

/** Done when the signature is right. @see RFC 7519 §4.1, RFC 8725 §3.8, §3.9, §3.12 */
export const claimChecks: readonly Check[] = [
  { name: 'kind', run: ({ claims }) => checkKind(claims) },
  { name: 'expiry', run: ({ claims }, policy, now) => checkExpiry(claims, policy, now) },
  { name: 'start', run: ({ claims }, policy, now) => checkStart(claims, policy, now) },
  { name: 'lifetime', run: ({ claims }, policy) => checkLifetime(claims, policy) },
  { name: 'audience', run: ({ claims }, policy) => checkAudience(claims, policy) },
  { name: 'tenant', run: ({ claims }, policy) => checkTenant(claims, policy) },
  { name: 'subject', run: ({ claims }) => checkSubject(claims) },
  { name: 'required claims', run: ({ claims }, policy) => checkRequired(claims, policy) },
  { name: 'scope', run: ({ claims }, policy) => checkScope(claims, policy) },
];

/** The first check that fails, with its name. */
export function firstFailure(
  checks: readonly Check[],
  token: ParsedJwt,
  policy: JwtPolicy,
  nowSeconds: number,
): (Failure & { readonly check: string }) | undefined {
  for (const { name, run } of checks) {
    const failure = run(token, policy, nowSeconds);
    if (failure !== undefined) {
      return { ...(typeof failure === 'string' ? { message: failure } : failure), check: name };
    }
  }
  return undefined;
}

function checkAlgorithm({ alg }: JsonRecord, { algorithms }: JwtPolicy): string | undefined {
  const allowed = algorithms.join(', ');
  if (typeof alg !== 'string') return `the header names none; ${allowed} would be taken`;
  if (alg.toLowerCase() === 'none') return `the token is not signed ("none"); ${allowed} would be taken`;
  return algorithms.includes(toAlgorithm(alg)) ? undefined : `the token has ${shown(alg)}; ${allowed} would be taken`;
}

function checkExtensions(header: JsonRecord): string | undefined {
  if (Object.hasOwn(header, 'crit')) return 'the token asks for extensions ("crit"), and none is known here';
  return Object.hasOwn(header, 'b64') ? 'the header "b64" has no place in a JWT' : undefined;
}

function checkType({ typ }: JsonRecord, { types }: JwtPolicy): string | undefined {
  if (typ === undefined && types === undefined) return undefined;
  const wanted = types ?? ['jwt', 'at+jwt'];
  if (typeof typ === 'string' && wanted.includes(toType(typ))) return undefined;
  return `the header "typ" is ${shown(typ)}; ${anyOf(wanted)} would be taken`;
}

/** Claims that only tokens for other purposes carry. */
const otherKinds: Readonly<Record<string, string>> = {
  nonce: 'an ID token',
  at_hash: 'an ID token',
  c_hash: 'an ID token',
  s_hash: 'an ID token',
  events: 'a security event token or a logout token',
};
/** Keycloak's claim `typ` and Amazon Cognito's `token_use`, where it is none of an access token. */
const otherUses = new Map([
  ['id', 'an ID token'],
  ['refresh', 'a refresh token'],
  ['offline', 'a refresh token'],
  ['logout', 'a logout token'],
]);

function checkKind(claims: JsonRecord): string | undefined {
  const name = Object.keys(otherKinds).find((claim) => Object.hasOwn(claims, claim));
  if (name !== undefined) return `it is ${otherKinds[name]} (claim "${name}"); an access token is needed`;
  for (const claim of ['typ', 'token_use']) {
    const use = claims[claim];
    const kind = typeof use === 'string' ? otherUses.get(use.toLowerCase()) : undefined;
    if (kind !== undefined) return `it is ${kind} (claim "${claim}"); an access token is needed`;
  }
  return undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 1e11;
}

function checkExpiry({ exp }: JsonRecord, { toleranceSeconds }: JwtPolicy, now: number): Failure | string | undefined {
  if (exp === undefined) return 'the token has no "exp"; one that never ends is not taken';
  if (!isTime(exp)) return '"exp" is no number of seconds since 1970';
  if (now < exp + toleranceSeconds) return undefined;
  // Without how long ago that is: the same token gives the same words, which the log then writes once.
  return { message: `the token expired at ${utc(exp)}`, description: 'The token expired' };
}

function checkStart(claims: JsonRecord, { toleranceSeconds }: JwtPolicy, now: number): string | undefined {
  for (const [name, what] of [
    ['nbf', 'is valid only from'],
    ['iat', 'was issued in the future, at'],
  ] as const) {
    const time = claims[name];
    if (time === undefined) continue;
    if (!isTime(time)) return `"${name}" is no number of seconds since 1970`;
    if (time > now + toleranceSeconds) {
      return `the token ${what} ${utc(time)}: compare the clocks`;
    }
  }
  return undefined;
}

function checkLifetime({ iat, exp }: JsonRecord, { maxLifetimeSeconds }: JwtPolicy): string | undefined {
  if (maxLifetimeSeconds === undefined) return undefined;
  if (!isTime(iat)) return 'the token has no "iat", so how long it is valid for is not known';
  const lifetime = Number(exp) - iat;
  if (lifetime <= maxLifetimeSeconds) return undefined;
  return `the token is valid for ${duration(lifetime)}; at most ${duration(maxLifetimeSeconds)} would be taken`;
}

function checkAudience({ aud }: JsonRecord, { audiences }: JwtPolicy): string | undefined {
  if (audiences === undefined) return undefined;
  const values = typeof aud === 'string' ? [aud] : aud;
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    return `the token ${aud === undefined ? 'has no "aud"' : 'has an "aud" that is no text'}; ${anyOf(audiences)} would be taken`;
  }
  if (values.some((value) => audiences.includes(value))) return undefined;
  const found = values.length === 0 ? 'nobody' : values.slice(0, 5).map(shown).join(', ');
  return `the token is for ${found}; this gateway takes ${anyOf(audiences)}`;
}

function checkTenant(claims: JsonRecord, { tenant, tenantClaim }: JwtPolicy): string | undefined {
  if (tenant === undefined) return undefined;
  const claim = claimAt(claims, tenantClaim);
  if (typeof claim === 'string' && isTenant(claim, tenant)) return undefined;
  return `the claim "${tenantClaim}" is ${shown(claim)}; it must name the tenant "${tenant}"`;
}

const guidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * True when the claim is the tenant, GUIDs in any case, or an address on the tenant's host: `acme` is the first part of
 * the host of `https://acme.example.com/`. The host may be given whole as well.
 */
export function isTenant(claim: string, tenant: string): boolean {
  if (claim === tenant) return true;
  if (guidPattern.test(tenant) && claim.toLowerCase() === tenant.toLowerCase()) return true;
  const host = hostOf(claim);
  if (host === undefined) return false;
  const wanted = hostOf(tenant) ?? tenant.toLowerCase();
  return host === wanted || (!wanted.includes('.') && host.split('.')[0] === wanted);
}

function hostOf(text: string): string | undefined {
  if (!text.startsWith('https://') || !URL.canParse(text)) return undefined;
  const { hostname, username, password } = new URL(text);
  return username === '' && password === '' ? hostname : undefined;
}

function checkSubject({ sub }: JsonRecord): string | undefined {
  return typeof sub === 'string' && sub.trim() !== '' ? undefined : 'the token has no "sub", so it names nobody';
}

function checkRequired(claims: JsonRecord, { requiredClaims }: JwtPolicy): Failure | undefined {
  for (const { name, values } of requiredClaims) {
    const found = allValues(claims, name);
    if (values.some((value) => found.includes(value))) continue;
    return {
      message: `the claim "${name}" ${found.length === 0 ? 'is not there' : 'has none of the values'}; ${anyOf(values)} is needed`,
      description: 'The token lacks a role or claim that is needed here',
      insufficient: {},
    };
  }
  return undefined;
}

/** A claim's values; scopes stand in one text with spaces between them (RFC 8693 §4.2). */
function allValues(claims: JsonRecord, name: string): readonly string[] {
  const values = claimValues(claimAt(claims, name));
  return name === 'scope' || name === 'scp' ? values.flatMap((value) => value.split(' ')) : values;
}

/** What the token's scopes and roles allow; `all` where the configuration does not limit them. */
export function grantedBy(claims: JsonRecord, { scopes }: JwtPolicy): 'all' | 'read' | 'nothing' {
  if (scopes === undefined) return 'all';
  const granted = new Set(['scope', 'scp', 'roles'].flatMap((name) => allValues(claims, name)));
  if (scopes.write.some((scope) => granted.has(scope))) return 'all';
  return scopes.read.some((scope) => granted.has(scope)) ? 'read' : 'nothing';
}

function checkScope(claims: JsonRecord, policy: JwtPolicy): Failure | undefined {
  if (policy.scopes === undefined || grantedBy(claims, policy) !== 'nothing') return undefined;
  const needed = [...policy.scopes.read, ...policy.scopes.write];
  return {
    message: `"scope", "scp" and "roles" hold none of ${anyOf(needed)}`,
    description: 'The token lacks a scope that is needed here',
    // Written into a header: what no scope can be (RFC 6750 §3) is left out.
    insufficient: { scope: needed.filter((scope) => /^[!#-[\]-~]+$/.test(scope)).join(' ') },
  };
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** `45 s`, `12 min`, `5 h`, `3 days`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.round(whole / 60)} min`;
  return whole < 172_800 ? `${Math.round(whole / 3600)} h` : `${Math.round(whole / 86_400)} days`;
}
