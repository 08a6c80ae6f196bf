import { resolve } from 'node:path';
import { sharedEntraAudience, tenantOfIssuer } from '../../config/entra-checks.js';
import type { JwtIssuerConfig } from '../../config/file-schema.js';
import type { Gateway } from '../../config/gateway-config.js';
import { checkSignature, openIssuer } from '../auth/jwt.js';
import { type Check, claimChecks, headerChecks } from '../auth/jwt-checks.js';
import { type ParsedJwt, shown } from '../auth/jwt-parse.js';
import { type JwtPolicy, toPolicy } from '../auth/jwt-policy.js';
import { type KeyLog, KeysUnavailableError } from '../auth/key-source.js';
import { proposeSettings } from './doctor-proposal.js';
import { describeClaims, describeHeader } from './doctor-token-text.js';

/** What was found about a credential: for people, without anything that could be used to call. */
export interface Diagnosis {
  readonly lines: readonly string[];
  /** A gateway would take it, as far as that was checked. */
  readonly isTaken: boolean;
}

export interface JwtDiagnosisOptions {
  readonly gateways: readonly Gateway[];
  /** Where names of key sets start. */
  readonly baseDir: string;
  /** Fetch the keys of issuers, to check signatures. */
  readonly connect: boolean;
  readonly showClaims: boolean;
  readonly nowMs: number;
}

/** One check of a token by one section of the configuration. */
interface Finding {
  readonly check: string;
  readonly outcome: 'ok' | 'FAILS' | '-';
  readonly message?: string;
}

/** Shows a token and holds it against every issuer that is configured. The signature is never shown. */
export async function diagnoseJwt(value: string, token: ParsedJwt, options: JwtDiagnosisOptions): Promise<Diagnosis> {
  const lines = [
    `A signed JWT of ${value.length} characters.`,
    '',
    'Header',
    ...describeHeader(token.header),
    '',
    'Claims',
    ...describeClaims(token.claims, { show: options.showClaims, nowSeconds: options.nowMs / 1000 }),
    '',
  ];
  let isTaken = false;
  let areSettingsRight = false;
  for (const gateway of options.gateways) {
    const sections = [gateway.auth.jwt ?? []].flat() as readonly JwtIssuerConfig[];
    if (sections.length === 0) {
      lines.push(`Gateway "${gateway.id}" takes no JWT: it has no "auth.jwt".`, '');
    }
    for (const section of sections) {
      const findings = await examine(value, token, section, gateway.id, options);
      const failed = findings.filter(({ outcome }) => outcome === 'FAILS');
      const isUnsure = findings.some(({ outcome }) => outcome === '-');
      isTaken ||= failed.length === 0;
      areSettingsRight ||= failed.every(({ check }) => notOfSettings.has(check));
      const verdict = failed.length > 0 ? 'would refuse it' : isUnsure ? 'might take it' : 'would take it';
      lines.push(`Gateway "${gateway.id}", issuer ${section.issuer}: ${verdict}`);
      lines.push(...findings.map(formatFinding), '');
    }
  }
  if (!areSettingsRight) lines.push(...proposeSettings(token, options.nowMs / 1000), '');
  return { lines: [...lines, ...advice(token)], isTaken };
}

/** What fails with a token that is old, or forged, or whose issuer is away, whatever the settings. */
const notOfSettings = new Set(['signature', 'expiry']);

function formatFinding({ check, outcome, message }: Finding): string {
  const head = `  ${outcome.padEnd(6)}${check}`;
  return message === undefined ? head : `${head}: ${message}`;
}

async function examine(
  value: string,
  token: ParsedJwt,
  section: JwtIssuerConfig,
  gateway: string,
  options: JwtDiagnosisOptions,
): Promise<readonly Finding[]> {
  const policy = toPolicy(section);
  const isOwn = token.claims.iss === section.issuer;
  const issuer: Finding = isOwn
    ? { check: 'issuer', outcome: 'ok' }
    : { check: 'issuer', outcome: 'FAILS', message: `the token is of ${shown(token.claims.iss)}` };
  const header = headerChecks.map((check) => run(check, token, policy, options.nowMs));
  const isReadable = header.every(({ outcome }) => outcome === 'ok');
  const signature =
    isOwn && isReadable
      ? await examineSignature(value, token, section, gateway, options)
      : unchecked('only asked where issuer and header are right');
  const claims = claimChecks.map((check) => run(check, token, policy, options.nowMs));
  return [issuer, ...header, signature, ...claims];
}

function run({ name, run: check }: Check, token: ParsedJwt, policy: JwtPolicy, nowMs: number): Finding {
  const failure = check(token, policy, nowMs / 1000);
  if (failure === undefined) return { check: name, outcome: 'ok' };
  return { check: name, outcome: 'FAILS', message: typeof failure === 'string' ? failure : failure.message };
}

function unchecked(message: string): Finding {
  return { check: 'signature', outcome: '-', message };
}

const silent: KeyLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function examineSignature(
  value: string,
  token: ParsedJwt,
  section: JwtIssuerConfig,
  gateway: string,
  { baseDir, connect }: JwtDiagnosisOptions,
): Promise<Finding> {
  const isLocal = section.keys !== undefined || section.secret !== undefined;
  if (!isLocal && !connect) return unchecked("not checked; --connect fetches the issuer's keys");
  try {
    const resolveFile = (name: string): string => resolve(baseDir, name);
    const issuer = openIssuer(section, { realm: gateway, resolveFile, log: silent });
    const verdict = await checkSignature(value, token, issuer);
    if ('keys' in verdict) return { check: 'signature', outcome: 'ok' };
    return { check: 'signature', outcome: 'FAILS', message: verdict.reason.replace(/^signature: /, '') };
  } catch (error) {
    if (!(error instanceof KeysUnavailableError)) throw error;
    return { check: 'signature', outcome: 'FAILS', message: error.message };
  }
}

/** What a token that would be taken may still mean. */
function advice({ claims }: ParsedJwt): readonly string[] {
  const audiences: readonly unknown[] = [claims.aud].flat();
  if (!audiences.includes(sharedEntraAudience)) return [];
  const own = typeof claims.iss === 'string' ? tenantOfIssuer(claims.iss) : undefined;
  return [
    'Its audience is the one that Entra ID gives to every custom application in every tenant, so it proves nothing:',
    `only the issuer and "tenant"${own === undefined ? '' : ` (${own})`} tell your tenant from others. All custom applications of one tenant`,
    'get the same token, so that whoever receives it elsewhere could send it here: a generated token is safer.',
  ];
}
