import { duration } from '../auth/jwt-checks.js';
import type { JsonRecord } from '../auth/jwt-parse.js';

/** Claims that say nothing of a person. */
const plainClaims = new Set([
  'iss',
  'aud',
  'exp',
  'nbf',
  'iat',
  'tid',
  'ver',
  'typ',
  'token_use',
  'idtyp',
  'appid',
  'appidacr',
  'azp',
  'azpacr',
  'client_id',
  'cid',
  'scope',
  'scp',
  'roles',
]);
const times = new Set(['exp', 'nbf', 'iat', 'auth_time']);
/** Keys that come along are never used, and are long. */
const embeddedKeys = new Set(['jwk', 'x5c']);
const neverFollowed = new Set(['jku', 'x5u']);
const guidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function describeHeader(header: JsonRecord): readonly string[] {
  return Object.entries(header).map(([name, value]) => {
    if (embeddedKeys.has(name)) return line(name, 'a key that is not used: keys come from the issuer alone');
    const note = neverFollowed.has(name) ? ' (never followed)' : '';
    return line(name, `${printable(value)}${note}`);
  });
}

/** Claims that may be personal are only measured, unless they are asked for. */
export function describeClaims(
  claims: JsonRecord,
  { show, nowSeconds }: { readonly show: boolean; readonly nowSeconds: number },
): readonly string[] {
  return Object.entries(claims).map(([name, value]) => {
    const isPlain = show || plainClaims.has(name) || typeof value === 'boolean' || isGuid(value) || times.has(name);
    if (!isPlain) return line(name, `hidden, ${measure(value)}; --show-claims shows it`);
    return line(name, `${printable(value)}${timeNote(name, value, nowSeconds)}`);
  });
}

function line(name: string, text: string): string {
  const key = /^[\w.:/#-]{1,60}$/.test(name) ? name : printable(name.slice(0, 60));
  return `  ${key.padEnd(10)} ${text}`;
}

function isGuid(value: unknown): boolean {
  return typeof value === 'string' && guidPattern.test(value);
}

function measure(value: unknown): string {
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'number' ? 'a number' : value === null ? 'null' : 'an object';
}

function timeNote(name: string, value: unknown, nowSeconds: number): string {
  if (!times.has(name) || typeof value !== 'number' || !(Math.abs(value) < 1e11)) return '';
  const away = value - nowSeconds;
  const when = away >= 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
  return ` (${new Date(value * 1000).toISOString()}, ${when})`;
}

/** JSON on one line, cut, without what a terminal would obey or could show as something else. */
export function printable(value: unknown): string {
  const text = JSON.stringify(value);
  const cut = text.length > 300 ? `${text.slice(0, 300)} …` : text;
  return cut.replace(
    /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
