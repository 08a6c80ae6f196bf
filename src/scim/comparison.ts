import type { CompareOp } from './filter.js';
import type { Attribute } from './schema.js';

/**
 * How two values of an attribute or field are compared. One definition serves the in-memory evaluator, the managed
 * store's indexes and the promise that an adapter makes about its backend.
 *
 * - `exact`: strings by code point, as they are (`caseExact: true`, references, binary)
 * - `fold`: strings by `fold()` (`caseExact: false`)
 * - `asciiFold`: strings with A–Z as a–z, as SQLite's NOCASE compares
 * - `number`, `boolean`, `instant`: by value
 */
export type Comparison = 'exact' | 'fold' | 'asciiFold' | 'number' | 'boolean' | 'instant';

/** What values are compared by: equal keys mean equal values, and keys of one comparison are ordered. */
export type ComparisonKey = string | number | boolean;

/**
 * The comparison that RFC 7643 §2.2 and §2.3 give an attribute. The `value` of a reference (members, manager) is an id,
 * and ids are exact (§3.1) whatever `caseExact` is printed beside it: else two members could be taken for one.
 */
export function comparisonOf(attribute: Attribute): Comparison {
  switch (attribute.type) {
    case 'boolean':
      return 'boolean';
    case 'integer':
    case 'decimal':
      return 'number';
    case 'dateTime':
      return 'instant';
    default:
      return attribute.caseExact || isReferenceId(attribute) ? 'exact' : 'fold';
  }
}

function isReferenceId({ name, parent }: Attribute): boolean {
  return name === 'value' && parent?.subAttributes.some((sub) => sub.name === '$ref') === true;
}

const beyondAscii = /[\u0080-\uffff]/;
const widthVariants = /[\uff01-\uffee\u3000]/g;

/**
 * The usual form of a full-width or half-width character: its own decomposition and no more, where NFKC would go on to
 * take apart the macron and the Hangul letters.
 */
function usualWidth(character: string): string {
  if (character === '\uffe3') return '\u00af';
  const code = character.charCodeAt(0);
  if (code < 0xffa0 || code > 0xffdc) return character.normalize('NFKC');
  const compatibilityLetters = hangulLetters.find(([first, last]) => code >= first && code <= last);
  return compatibilityLetters === undefined
    ? character
    : String.fromCharCode(compatibilityLetters[2] + code - compatibilityLetters[0]);
}

/** First and last half-width Hangul letter of a run, and the letter that the first one stands for. */
const hangulLetters = [
  [0xffa0, 0xffa0, 0x3164],
  [0xffa1, 0xffbe, 0x3131],
  [0xffc2, 0xffc7, 0x314f],
  [0xffca, 0xffcf, 0x3155],
  [0xffd2, 0xffd7, 0x315b],
  [0xffda, 0xffdc, 0x3161],
] as const;

/**
 * The one meaning of "without regard to case": full-width and half-width forms become their usual forms, letters lower
 * case, the result NFC (UsernameCaseMapped of RFC 8265 §3.3, without its refusals). Idempotent. ASCII takes a short way.
 * @see RFC 7644 §5
 */
export function fold(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase();
  return text.replace(widthVariants, usualWidth).toLowerCase().normalize('NFC').replaceAll('ς', 'σ');
}

/** Unicode code point order, which UTF-16 order is not beyond U+FFFF (requirements GAP-14). */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

const dateTimePattern = /^(-?\d{4,})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})?$/i;

/**
 * A dateTime as text that sorts by time: UTC, any number of fraction digits without trailing zeros, no zone
 * (`2011-05-13T04:42:34.1`). Without a zone UTC is meant.
 * @returns undefined when the text is no xsd:dateTime with date and time (RFC 7643 §2.3.5)
 */
export function instantKey(text: string): string | undefined {
  const match = dateTimePattern.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  if (year.length !== 4) return undefined;
  const [m, d, h, min, s] = [Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  if (m < 1 || m > 12 || d < 1 || d > 31 || h > 24 || min > 59 || s > 60) return undefined;
  if (h === 24 && (min > 0 || s > 0 || /[1-9]/.test(fraction))) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), m - 1, d);
  if (date.getUTCMonth() !== m - 1 || date.getUTCDate() !== d) return undefined;
  date.setUTCHours(h, min, s);
  if (zone.toUpperCase() !== 'Z') {
    const [zoneHour, zoneMinute] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
    if (zoneMinute > 59 || zoneHour * 60 + zoneMinute > 14 * 60) return undefined;
    const sign = zone.startsWith('-') ? 1 : -1;
    date.setTime(date.getTime() + sign * (zoneHour * 60 + zoneMinute) * 60_000);
  }
  const digits = withoutTrailingZeros(fraction);
  const utcYear = date.getUTCFullYear();
  if (utcYear < 0 || utcYear > 9999) return undefined;
  const iso = `${String(utcYear).padStart(4, '0')}${date.toISOString().slice(-20, -5)}`;
  return digits === '' ? iso : `${iso}.${digits}`;
}

/** A loop, since `/0+$/` takes quadratic time on a long run of zeros that ends in something else. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

/** @returns undefined when the value is not of the comparison's kind, so that it compares with nothing (GAP-03). */
export function keyOf(comparison: Comparison, value: unknown): ComparisonKey | undefined {
  switch (comparison) {
    case 'exact':
      return typeof value === 'string' ? value : undefined;
    case 'fold':
      return typeof value === 'string' ? fold(value) : undefined;
    case 'asciiFold':
      return typeof value === 'string' ? value.replace(/[A-Z]+/g, (run) => run.toLowerCase()) : undefined;
    case 'number':
      return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'instant':
      return typeof value === 'string' ? instantKey(value) : undefined;
  }
}

export function compareKeys(a: ComparisonKey, b: ComparisonKey): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One comparison of two keys. `ne` is not here: it is the negation of `eq` over all values (GAP-01). */
export function keysMatch(op: Exclude<CompareOp, 'ne'>, actual: ComparisonKey, wanted: ComparisonKey): boolean {
  if (typeof actual !== typeof wanted) return false;
  switch (op) {
    case 'eq':
      return actual === wanted;
    case 'co':
      return typeof actual === 'string' && actual.includes(wanted as string);
    case 'sw':
      return typeof actual === 'string' && actual.startsWith(wanted as string);
    case 'ew':
      return typeof actual === 'string' && actual.endsWith(wanted as string);
    case 'gt':
      return compareKeys(actual, wanted) > 0;
    case 'ge':
      return compareKeys(actual, wanted) >= 0;
    case 'lt':
      return compareKeys(actual, wanted) < 0;
    case 'le':
      return compareKeys(actual, wanted) <= 0;
  }
}
