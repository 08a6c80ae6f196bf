import { tenantOfIssuer } from '../../config/entra-checks.js';
import { claimChecks, firstFailure, headerChecks } from '../auth/jwt-checks.js';
import type { JsonRecord, ParsedJwt } from '../auth/jwt-parse.js';
import { toAlgorithm, toPolicy, toType } from '../auth/jwt-policy.js';

/** The values of a setting that may be proposed: what anybody could be, in a form that needs no care. */
const safePattern = /^[\w.:/+=~-]{1,200}$/;
const takenAnyway = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/**
 * The settings that would take a token like this one, as YAML; or why none would. They say what the token says: whether
 * it is the right one to trust, only the reader knows.
 */
export function proposeSettings(token: ParsedJwt, nowSeconds: number): readonly string[] {
  const { claims } = token;
  const algorithm = toAlgorithm(String(token.header.alg));
  const issuer = safe(claims.iss);
  if (issuer === undefined) return ['No settings would take it: it has no "iss" that could be named.'];
  const isShared = algorithm.startsWith('HS');
  const lines = [
    `issuer: ${issuer}`,
    ...(isShared ? [`secret: \${env:JWT_SECRET}   # the key that the issuer signs with`] : keysOf(issuer)),
    ...audienceOf(claims),
    ...tenantOf(claims),
    ...(takenAnyway.includes(algorithm) || algorithm === 'HS256' ? [] : [`algorithms: [${algorithm}]`]),
    ...typesOf(token.header),
  ];
  const settings = {
    issuer,
    algorithms: [algorithm],
    ...(typesOf(token.header).length > 0 && { types: [String(token.header.typ)] }),
  };
  // Expiry is left aside: a token that was captured is mostly an old one.
  const lasting = claimChecks.filter(({ name }) => name !== 'expiry' || claims.exp === undefined);
  const failure = /^(none|)$/i.test(algorithm)
    ? { message: 'it is not signed' }
    : firstFailure([...headerChecks, ...lasting], token, toPolicy(settings), nowSeconds);
  if (failure !== undefined) return [`No settings would take it: ${failure.message}.`];
  return [
    'These settings would take tokens like it. Write them only if you trust this issuer, and if the token is made for this',
    'gateway: what it says of its audience is for another service otherwise. Where the gateway has a section of this issuer',
    'already, change what differs and keep the rest of it: without its "scopes", callers may do everything.',
    '',
    '    auth:',
    '      jwt:',
    ...lines.map((text) => `        ${text}`),
  ];
}

function safe(value: unknown): string | undefined {
  return typeof value === 'string' && safePattern.test(value) ? value : undefined;
}

/** Texts with a colon and no space after it need no quotes; a number would become one. */
function yaml(text: string): string {
  return /^[A-Za-z][\w.:/+=~-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

function keysOf(issuer: string): readonly string[] {
  return /^https?:\/\//.test(issuer) ? [] : ['jwks: https://…   # where the issuer publishes its keys'];
}

function audienceOf({ aud }: JsonRecord): readonly string[] {
  const audiences = [aud].flat().flatMap((value) => safe(value) ?? []);
  if (audiences.length === 0) return [];
  const [only = ''] = audiences;
  return [`audience: ${audiences.length === 1 ? yaml(only) : `[${audiences.map(yaml).join(', ')}]`}`];
}

function tenantOf({ tid, iss }: JsonRecord): readonly string[] {
  const tenant = safe(tid) ?? (typeof iss === 'string' ? tenantOfIssuer(iss) : undefined);
  return tid === undefined || tenant === undefined ? [] : [`tenant: ${yaml(tenant)}`];
}

function typesOf({ typ }: JsonRecord): readonly string[] {
  const type = safe(typ);
  return type === undefined || ['jwt', 'at+jwt'].includes(toType(type)) ? [] : [`types: [${yaml(type)}]`];
}
