import type { Attribute } from './schema.js';

/**
 * Formats that RFC 7643 describes for some strings of the User schema. Identity providers send free text there, so they
 * are checked only where the tolerance `freeText` is off (docs/dialects.md, rule 14).
 */
interface Format {
  readonly holds: (text: string) => boolean;
  /** Completes "must be …". */
  readonly wanted: string;
}

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const languageTag = /^[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*$/;
const languageRange = /^\s*([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*|\*)\s*(;\s*q=(0(\.\d{0,3})?|1(\.0{0,3})?)\s*)?$/i;
const mailbox = /^(?:[^\s@"]+|"[^"]+")@[^\s@]+$/;

const formats: ReadonlyMap<string, Format> = new Map<string, Format>([
  [
    'preferredLanguage',
    {
      holds: (text) => text.split(',').every((range) => languageRange.test(range)),
      wanted: 'languages as in Accept-Language, such as "en-US, de;q=0.5"',
    },
  ],
  ['locale', { holds: (text) => languageTag.test(text), wanted: 'a language tag such as "en-US"' }],
  ['timezone', { holds: isTimeZone, wanted: 'an IANA time zone such as "America/Los_Angeles"' }],
  ['emails.value', { holds: (text) => mailbox.test(text), wanted: 'an e-mail address such as "jo@example.com"' }],
  [
    'addresses.country',
    { holds: (text) => /^[A-Za-z]{2}$/.test(text), wanted: 'an ISO 3166-1 country code of two letters, such as "US"' },
  ],
]);

/**
 * What the RFC wants of a string of the User schema that it does not have.
 * @returns undefined when there is nothing to complain of
 * @see RFC 7643 §4.1.1, §4.1.2
 */
export function formatProblem(attribute: Attribute, text: string): string | undefined {
  if (attribute.schema !== userSchema) return undefined;
  const format = formats.get(attribute.path);
  return format === undefined || format.holds(text) ? undefined : format.wanted;
}

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false; // offsets such as "+01:00" are understood by Intl, but are no names
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const notInUri = /[\s\p{Cc}<>"{}|\\^`[\]]|%(?![0-9A-Fa-f]{2})/u;
const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const ipLiteral = /^((?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/(?:[^/?#[\]@]*@)?)\[[0-9A-Fa-f:.]+\]/;

/**
 * An absolute or relative reference: RFC 3986's characters, and letters beyond ASCII as IRIs have them. A colon in the
 * first segment needs a scheme before it; square brackets stand around an IPv6 host only.
 * @see RFC 7643 §2.3.7
 */
export function isUriReference(text: string): boolean {
  const plain = text.replace(ipLiteral, '$1host');
  if (plain === '' || notInUri.test(plain)) return false;
  const firstDelimiter = plain.search(/[:/?#]/);
  return firstDelimiter < 0 || plain[firstDelimiter] !== ':' || scheme.test(plain);
}

/** RFC 4648 §4 alphabet; padding may be left out (RFC 7643 §2.3.6). */
export function isBase64(text: string): boolean {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false;
  return text.endsWith('=') ? text.length % 4 === 0 : text.length % 4 !== 1;
}
