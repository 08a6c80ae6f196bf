import { isObject } from '../scim/schema.js';

/** The parts of a signed JWT. Nothing of it is proven yet. */
export interface ParsedJwt {
  readonly header: JsonRecord;
  readonly claims: JsonRecord;
}

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Longer ones are refused unread. The longest real ones, with a few hundred groups, have some 10,000 characters. */
export const maxTokenLength = 16_384;

const signedPattern = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const encryptedPattern = /^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/;

/** What the text looks like from the outside: three parts are signed (RFC 7515 §7.1), five encrypted (RFC 7516 §7.1). */
export function jwtShape(text: string): 'signed' | 'encrypted' | 'other' {
  if (signedPattern.test(text)) return 'signed';
  return encryptedPattern.test(text) ? 'encrypted' : 'other';
}

/**
 * Takes a token of three parts apart, strictly: base64url in its one canonical spelling, UTF-8, JSON objects, and no
 * name twice, as readers differ in which of the two they take.
 * @returns the problem in words when it is no JWT
 * @see RFC 7519 §4 and §7.2, RFC 8725 §3.7
 */
export function parseJwt(text: string): ParsedJwt | { readonly problem: string } {
  const [header = '', claims = '', signature = ''] = text.split('.');
  if (!isCanonical(signature)) return { problem: 'the signature is not base64url in its canonical form' };
  const parsedHeader = parsePart(header, 'header');
  if (typeof parsedHeader === 'string') return { problem: parsedHeader };
  // A JWE in the dress of a JWS, or a token within the token, has no claims that could be read here.
  if (isNested(parsedHeader)) return { problem: 'a nested or encrypted token is not taken' };
  const parsedClaims = parsePart(claims, 'claims');
  if (typeof parsedClaims === 'string') return { problem: parsedClaims };
  return { header: parsedHeader, claims: parsedClaims };
}

function isNested(header: JsonRecord): boolean {
  return Object.hasOwn(header, 'enc') || Object.hasOwn(header, 'cty');
}

function parsePart(part: string, name: 'header' | 'claims'): JsonRecord | string {
  const are = name === 'header' ? 'the header is' : 'the claims are';
  if (!isCanonical(part)) return `${are} not base64url in its canonical form`;
  let text: string;
  try {
    // A byte order mark stays, and is then no JSON.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(part, 'base64url'));
  } catch {
    return `${are} not UTF-8`;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return `${are} not JSON`;
  }
  if (!isObject(json)) return `${are} not a JSON object`;
  return hasRepeatedName(text) ? `${are} ambiguous: a name stands there twice` : json;
}

/** One text for one value: no padding, no stray bits behind the last byte. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

/** @param json valid JSON */
function hasRepeatedName(json: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      // Compared as what they mean: "iss" and "\u0069ss" are one name.
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      if (open.at(-1)?.has(name)) return true;
      open.at(-1)?.add(name);
    }
  }
  return false;
}

/** The claim of that name, or inside claims that are objects: `realm_access.roles`. */
export function claimAt(claims: JsonRecord, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

/** What a claim holds, as texts: one value, or each of a list. */
export function claimValues(claim: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return values.flatMap((value) => {
    if (typeof value === 'string') return [value];
    return typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
  });
}

/**
 * Text of a token as it may stand in a log: what has the form of an address or an identifier. All else is only
 * measured, since nobody has vouched for it and it may be personal.
 */
export function shown(text: unknown): string {
  if (typeof text !== 'string') return text === undefined ? 'nothing' : 'something that is no text';
  return /^[\w.:/+={}~-]{1,200}$/.test(text) ? `"${text}"` : `a text of ${text.length} characters`;
}

/** `"a"`, `"a" or "b"`. */
export function anyOf(values: readonly string[]): string {
  return values.map((value) => `"${value}"`).join(' or ');
}
