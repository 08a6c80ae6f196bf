import { importJWK, type JWK } from 'jose';
import { isObject } from '../scim/schema.js';
import { toAlgorithm } from './jwt-policy.js';

/** A key that signatures can be checked with, and the one algorithm that it is for. @see RFC 8725 §3.1 */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly algorithm: string;
  /** False: the key set does not say, so that it is the first of the configured ones that fits. */
  readonly namesAlgorithm: boolean;
  readonly key: Awaited<ReturnType<typeof importJWK>>;
}

export interface KeySet {
  readonly keys: readonly VerificationKey[];
  /** Keys that are not used, and why. */
  readonly unusable: readonly string[];
}

/** What the document would have to be. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/** The ids of a set's keys, for the log. */
export function kidsOf(set: KeySet): readonly string[] {
  return set.keys.map(({ kid }) => kid ?? '(without id)');
}

const maxKeys = 100;
/** The members of a public key (RFC 7518 §6). Those of a private one are left out, so that it is never held. */
const publicMembers = ['kty', 'n', 'e', 'crv', 'x', 'y'] as const;

/**
 * Reads a key set (RFC 7517 §5). Keys that are for something else are left out: encryption, another algorithm, a shared
 * secret, another tenant of the issuer.
 * @throws KeySetError when it is no key set, or holds no key that is left
 */
export async function parseKeySet(
  json: unknown,
  { algorithms, issuer }: { readonly algorithms: readonly string[]; readonly issuer: string },
): Promise<KeySet> {
  if (!isObject(json) || !Array.isArray(json.keys)) throw new KeySetError('this is no key set: it has no list "keys"');
  const keys: VerificationKey[] = [];
  const unusable: string[] = [];
  for (const [index, jwk] of json.keys.slice(0, maxKeys).entries()) {
    const kid = isObject(jwk) && typeof jwk.kid === 'string' ? jwk.kid : undefined;
    const found = isObject(jwk) ? await toKey(jwk, kid, algorithms, issuer) : 'it is no JSON object';
    if (typeof found === 'string') unusable.push(`${kid === undefined ? `key ${index + 1}` : `"${kid}"`}: ${found}`);
    else keys.push(found);
  }
  if (json.keys.length > maxKeys) unusable.push(`all after the first ${maxKeys}`);
  if (keys.length === 0) {
    const why = unusable.length === 0 ? 'it is empty' : unusable.slice(0, 5).join('; ');
    throw new KeySetError(`the key set has no key that can be used (${why})`);
  }
  return { keys, unusable };
}

async function toKey(
  jwk: Readonly<Record<string, unknown>>,
  kid: string | undefined,
  algorithms: readonly string[],
  issuer: string,
): Promise<VerificationKey | string> {
  if (jwk.kid !== undefined && kid === undefined) return '"kid" is no text';
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'it is not for signatures ("use")';
  if (Array.isArray(jwk.key_ops) && !jwk.key_ops.includes('verify')) return 'it is not for verifying ("key_ops")';
  if (isOfOtherTenant(jwk.issuer, issuer)) return 'it signs for another tenant';
  const possible = possibleAlgorithms(jwk);
  if (possible === undefined) return 'its type is not supported; a shared key is given as "secret"';
  const named = typeof jwk.alg === 'string' ? toAlgorithm(jwk.alg) : undefined;
  if (named !== undefined && !possible.includes(named)) return `"alg" (${named}) does not fit its type`;
  const algorithm = algorithms.find((name) => possible.includes(name) && (named === undefined || name === named));
  if (algorithm === undefined) return `it is for ${named ?? possible.join(', ')}, which is not allowed here`;
  if (jwk.kty === 'RSA' && modulusBits(jwk.n) < 2048) return 'it has fewer than 2048 bits';
  try {
    const bare = Object.fromEntries(publicMembers.flatMap((name) => (name in jwk ? [[name, jwk[name]]] : [])));
    const key = await importJWK(bare as unknown as JWK, algorithm);
    return { kid, algorithm, namesAlgorithm: named !== undefined, key };
  } catch {
    return 'it cannot be read';
  }
}

const byCurve = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);
const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

function possibleAlgorithms({ kty, crv }: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  if (kty === 'RSA') return rsaAlgorithms;
  if (kty !== 'EC' && kty !== 'OKP') return undefined;
  const algorithm = byCurve.get(String(crv));
  return algorithm === undefined || (algorithm === 'EdDSA') !== (kty === 'OKP') ? undefined : [algorithm];
}

function modulusBits(n: unknown): number {
  if (typeof n !== 'string') return 0;
  const hex = Buffer.from(n, 'base64url').toString('hex').replace(/^0+/, '');
  return hex === '' ? 0 : (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)));
}

const guid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/**
 * Entra ID's shared key sets say of each key which tenant it signs for: all, as `{tenantid}`, or one. A key of another
 * tenant is none of the issuer's (RFC 8725 §3.8).
 */
function isOfOtherTenant(keyIssuer: unknown, issuer: string): boolean {
  const own = guid.exec(issuer)?.[0].toLowerCase();
  const keys = typeof keyIssuer === 'string' ? guid.exec(keyIssuer)?.[0].toLowerCase() : undefined;
  return own !== undefined && keys !== undefined && own !== keys;
}
