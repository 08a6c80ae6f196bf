import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { resolvePath } from '../src/scim/attribute-path.js';
import { isObject } from '../src/scim/schema.js';
import { checkEntra } from './entra-checks.js';
import type { JwtIssuerConfig } from './file-schema.js';
import type { ConfigFile } from './files.js';
import type { Gateway } from './gateway-config.js';
import { suggestion } from './nearest.js';
import type { Path, Severity } from './problem.js';
import { identityOf } from './rules.js';

export type Report = (severity: Severity, path: Path, message: string, prefer?: 'key' | 'value') => void;

const dayMs = 86_400_000;

/** What of `auth` and `record` cannot work, or is not safe. */
export function checkCallers(gateway: Gateway, main: ConfigFile, report: Report, nowMs: number = Date.now()): void {
  const path = ['gateways', gateway.id, 'auth'];
  const { tokens, jwt, basic, oauth } = gateway.auth;
  if (!tokens.enabled && jwt === undefined && basic === undefined && oauth === undefined) {
    const message =
      'Nobody could call this gateway: generated tokens are off, and there is no "jwt", "basic" or "oauth".';
    report('error', [...path, 'tokens', 'enabled'], message);
  }
  checkTokens(gateway, [...path, 'tokens'], report);
  const issuers = new Set<string>();
  for (const [section, at] of jwtSections(jwt, [...path, 'jwt'])) {
    if (issuers.has(section.issuer)) {
      const message = `The issuer "${section.issuer}" stands here twice; put both sections into one, "audience" may be a list.`;
      report('error', [...at, 'issuer'], message);
    }
    issuers.add(section.issuer);
    checkKeySource(section, at, main, report);
    checkSecret(section, at, report);
    checkEntra(section, at, report);
    checkPermissions(section, at, gateway, report);
    checkSubject(section, at, gateway, report);
  }
  checkRecording(gateway, nowMs, report);
}

/** `jwt` is one section or a list of them. */
function jwtSections(jwt: Gateway['auth']['jwt'], path: Path): readonly (readonly [JwtIssuerConfig, Path])[] {
  if (jwt === undefined) return [];
  return Array.isArray(jwt)
    ? (jwt as readonly JwtIssuerConfig[]).map((section, index) => [section, [...path, index]] as const)
    : [[jwt as JwtIssuerConfig, path]];
}

function checkTokens({ auth: { tokens } }: Gateway, path: Path, report: Report): void {
  const { minimumDays, maximumDays, validityDays } = tokens;
  if (minimumDays > maximumDays) {
    const message = `"minimumDays" (${minimumDays}) is more than "maximumDays" (${maximumDays}), so no token could be made.`;
    report('error', [...path, 'minimumDays'], message);
  } else if (validityDays < minimumDays || validityDays > maximumDays) {
    const message = `"validityDays" (${validityDays}) is not between "minimumDays" (${minimumDays}) and "maximumDays" (${maximumDays}).`;
    report('error', [...path, 'validityDays'], message);
  }
}

const sources = ['discovery', 'jwks', 'keys', 'secret'] as const;

function checkKeySource(section: JwtIssuerConfig, path: Path, main: ConfigFile, report: Report): void {
  const given = sources.filter((name) => section[name] !== undefined);
  const [first, second] = given;
  if (first !== undefined && second !== undefined) {
    const message = `"${first}" and "${second}" both say where the keys come from; keep one of them.`;
    report('error', [...path, second], message, 'key');
  }
  if (first === undefined && !URL.canParse(section.issuer)) {
    const message = `The issuer "${section.issuer}" is no URL, so its keys cannot be discovered: give "jwks" or "keys".`;
    report('error', [...path, 'issuer'], message);
  }
  const asked = first === undefined ? 'issuer' : first === 'discovery' || first === 'jwks' ? first : undefined;
  if (asked !== undefined) checkUrl(section[asked] ?? '', [...path, asked], report);
  if (section.keys !== undefined) checkKeys(section.keys, [...path, 'keys'], main, report);
}

function checkUrl(text: string, path: Path, report: Report): void {
  if (!URL.canParse(text)) return;
  const { protocol, hostname, username, password } = new URL(text);
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal)) {
    report(
      'error',
      path,
      'Keys are fetched over https only (http from this machine): whoever is on the way could change them.',
    );
  }
  if (username !== '' || password !== '') report('error', path, 'Keys are public: leave user and password out.');
}

/** A key set that can be seen to be useless, or worse. Whether its keys fit is only known with the tokens. */
function checkKeys(keys: NonNullable<JwtIssuerConfig['keys']>, path: Path, main: ConfigFile, report: Report): void {
  let json: unknown = keys;
  if (typeof keys === 'string') {
    try {
      json = JSON.parse(readFileSync(resolve(main.dir, keys), 'utf8'));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      report(
        'error',
        path,
        code === undefined ? `The file ${keys} is not JSON.` : `The file ${keys} cannot be read (${code}).`,
      );
      return;
    }
  }
  const list = isObject(json) && Array.isArray(json.keys) ? (json.keys as readonly unknown[]) : [];
  if (list.length === 0) {
    report('error', path, 'This is no key set (RFC 7517): an object with a list "keys" that is not empty.');
  }
  for (const key of list.filter(isObject)) {
    const name = typeof key.kid === 'string' ? `The key "${key.kid}"` : 'A key';
    if (key.kty === 'oct') report('error', path, `${name} is a shared one: give it as "secret".`);
    else if ('d' in key) report('error', path, `${name} is a private one: only public keys belong here.`);
  }
}

const secretBytes: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** @see RFC 8725 §3.1: one key, one algorithm; §3.5: no passwords */
function checkSecret({ secret, algorithms }: JwtIssuerConfig, path: Path, report: Report): void {
  const names: readonly string[] = algorithms ?? (secret === undefined ? [] : ['HS256']);
  const shared = names.filter((name) => name in secretBytes);
  for (const [index, name] of names.entries()) {
    if (secret === undefined && name in secretBytes) {
      const message = `${name} is checked with a shared key: give "secret", or take ${name} out.`;
      report('error', [...path, 'algorithms', index], message);
    } else if (secret !== undefined && !(name in secretBytes)) {
      const message = `${name} is checked with a public key, and "secret" is a shared one: take ${name} out, or name where the public keys are.`;
      report('error', [...path, 'algorithms', index], message);
    }
  }
  // A reference that cannot be resolved is a problem of its own.
  if (secret === undefined || /\$\{\w+:/.test(secret)) return;
  if (shared.length > 1) {
    report(
      'error',
      [...path, 'algorithms'],
      `One key is for one algorithm (RFC 8725 §3.1): keep one of ${shared.join(', ')}.`,
    );
  }
  const [algorithm = 'HS256'] = shared;
  const needed = secretBytes[algorithm] ?? 0;
  const bytes = Buffer.from(secret);
  if (bytes.length < needed) {
    const message = `The secret is too short: ${algorithm} needs ${needed} random bytes at least, such as "openssl rand -base64 ${needed}" prints.`;
    report('error', [...path, 'secret'], message);
  } else if (new Set(bytes).size < 10) {
    report(
      'error',
      [...path, 'secret'],
      `The secret can be guessed: it is to be random, such as "openssl rand -base64 ${needed}" prints.`,
    );
  }
}

function checkPermissions(
  { scopes, audience, resourceTypes }: JwtIssuerConfig,
  path: Path,
  gateway: Gateway,
  report: Report,
): void {
  if (audience === undefined) {
    const message =
      'Without "audience" every token of the issuer is taken, also those that it makes for other services.';
    report('warning', path, message, 'key');
  }
  if (scopes !== undefined && scopes.read === undefined && scopes.write === undefined) {
    report('error', [...path, 'scopes'], 'No scope allows anything: name those that may "read" or "write".', 'key');
  } else if (scopes !== undefined && scopes.write === undefined) {
    report(
      'warning',
      [...path, 'scopes'],
      'No scope allows writing, so nothing can be provisioned: name one under "write".',
      'key',
    );
  }
  const names = gateway.resources.map(({ type }) => type.name);
  for (const [index, name] of (resourceTypes ?? []).entries()) {
    if (names.includes(name) || names.length === 0) continue;
    report(
      'error',
      [...path, 'resourceTypes', index],
      `This gateway has no resource type "${name}"${suggestion(name, names)}`,
    );
  }
}

function checkSubject({ subject }: JwtIssuerConfig, path: Path, { resources }: Gateway, report: Report): void {
  if (subject === undefined || resources.length === 0) return;
  const at = [...path, 'subject', 'attribute'];
  const { attribute } = subject;
  const user = resources.find(({ type }) => type.name === 'User');
  if (user === undefined) {
    report('error', at, 'This gateway has no type "User", so /Me leads nowhere: leave "subject" out.');
    return;
  }
  const found = resolvePath(user.type, attribute);
  if (found.kind !== 'attribute') {
    const known = user.type.attributes.map(({ path: name }) => name);
    report('error', at, `"${attribute}" is no attribute of User${suggestion(attribute, known)}`);
    return;
  }
  const target = found.path.attribute.path;
  if (target === 'id') return;
  const rules = user.rules.filter(({ key }) => identityOf(key, user.type).attribute === target);
  if (rules.length === 0) {
    report('error', at, `No rule maps "${attribute}", so no user could be found by it: map it, or name another.`);
  } else if (target !== 'userName' && !rules.some(({ rule }) => rule.unique === true)) {
    const message = `"${attribute}" may be the same for two users, and /Me is then answered 404: add "unique: true" to its rule.`;
    report('warning', at, message);
  }
}

const maxRecordingDays = 30;

function checkRecording({ id, recordValuesUntilMs }: Gateway, nowMs: number, report: Report): void {
  if (recordValuesUntilMs === undefined) return;
  const path = ['gateways', id, 'record', 'until'];
  if (recordValuesUntilMs <= nowMs) {
    report('warning', path, 'This time is past, so values are not recorded: leave "record" out.');
  } else if (recordValuesUntilMs > nowMs + maxRecordingDays * dayMs) {
    report('error', path, `Values are recorded for ${maxRecordingDays} days at most: choose an earlier time.`);
  }
}
