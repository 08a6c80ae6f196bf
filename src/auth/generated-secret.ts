import { hash, randomBytes } from 'node:crypto';

/** What people see first of a secret, and what scanners recognise. */
export const prefixes = { token: 'scimb_', clientSecret: 'scimbs_', accessToken: 'scimba_' } as const;

const secretBytes = 32;
const checksumLength = 6;
const bodyPattern = /^[\w-]{43}[\w-]{6}$/;

/**
 * A new secret: a prefix that scanners recognise, 256 random bits, and a checksum that tells a token that was cut or
 * mistyped from one that is unknown.
 */
export function generateSecret(prefix: 'scimb_' | 'scimbs_'): string {
  const body = prefix + randomBytes(secretBytes).toString('base64url');
  return body + checksum(body);
}

/** What is kept of a secret. It is random enough for one round without salt. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** Whether it can have been made by `generateSecret`, so that no look-up is spent on one that cannot. */
export function isIntact(secret: string, prefix: string): boolean {
  return (
    secret.startsWith(prefix) &&
    bodyPattern.test(secret.slice(prefix.length)) &&
    checksum(secret.slice(0, -checksumLength)) === secret.slice(-checksumLength)
  );
}

function checksum(body: string): string {
  return hash('sha256', body, 'base64url').slice(0, checksumLength);
}

/** What a credential looks like, for the operator: `a JWT`. */
export function kindOf(credential: string): string {
  if (credential.startsWith(prefixes.token)) return 'a generated token';
  if (credential.startsWith(prefixes.clientSecret)) return "a client's secret";
  if (credential.startsWith(prefixes.accessToken)) return 'an access token of /oauth/token';
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(credential) ? 'a JWT' : 'an opaque token';
}
