/** One attribute and value of a name. Values written as `#04…` are kept as that text: they have no other. */
export interface NamePart {
  readonly type: string;
  readonly value: string;
}

/** A relative distinguished name: nearly always one part. */
export type Rdn = readonly NamePart[];
/** From the entry itself to the root. The empty name is the root DSE. */
export type Dn = readonly Rdn[];

/** A text is no distinguished name (RFC 4514), or a value can be in none. */
export class DnSyntaxError extends Error {
  override readonly name = 'DnSyntaxError';
}

const attributeType = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;
const hexPair = /^[0-9A-Fa-f]{2}$/;

/** Reads a name with any of the escapes that servers write. @throws DnSyntaxError */
export function parseDn(text: string): Dn {
  if (text.trim() === '') return [];
  const reader = new NameReader(text);
  const rdns: NamePart[][] = [[]];
  for (;;) {
    const part = { type: reader.type(), value: reader.value() };
    (rdns.at(-1) as NamePart[]).push(part);
    const separator = reader.separator();
    if (separator === '') return rdns;
    if (separator !== '+') rdns.push([]);
  }
}

/** @returns undefined when the text is no name */
export function tryParseDn(text: string): Dn | undefined {
  try {
    return parseDn(text);
  } catch (error) {
    if (error instanceof DnSyntaxError) return undefined;
    throw error;
  }
}

class NameReader {
  private readonly text: string;
  private offset = 0;

  constructor(text: string) {
    this.text = text;
  }

  type(): string {
    const equals = this.text.indexOf('=', this.offset);
    if (equals < 0) throw new DnSyntaxError('A part of the name has no "=".');
    const type = this.text
      .slice(this.offset, equals)
      .trim()
      .replace(/^oid\./i, '');
    if (!attributeType.test(type)) throw new DnSyntaxError('A part of the name has no attribute.');
    this.offset = equals + 1;
    return type;
  }

  value(): string {
    while (this.text[this.offset] === ' ') this.offset++;
    return this.text[this.offset] === '"' ? this.quoted() : this.plain();
  }

  /** What comes after a value: "" at the end. */
  separator(): string {
    while (this.text[this.offset] === ' ') this.offset++;
    const separator = this.text[this.offset] ?? '';
    if (separator !== '' && !',;+'.includes(separator)) throw new DnSyntaxError('Something follows a quoted value.');
    this.offset++;
    return separator;
  }

  private plain(): string {
    const bytes = new EscapedText();
    let trailing = '';
    for (; this.offset < this.text.length; this.offset++) {
      const character = this.text[this.offset] as string;
      if (',;+'.includes(character)) break;
      if (character === ' ') {
        trailing += ' ';
        continue;
      }
      bytes.text(trailing);
      trailing = '';
      if (character === '\\') this.escape(bytes);
      else bytes.text(character);
    }
    return bytes.end();
  }

  /** RFC 1779, which some servers still write. */
  private quoted(): string {
    const bytes = new EscapedText();
    for (this.offset++; this.text[this.offset] !== '"'; this.offset++) {
      const character = this.text[this.offset];
      if (character === undefined) throw new DnSyntaxError('A quoted value has no end.');
      if (character === '\\') this.escape(bytes);
      else bytes.text(character);
    }
    this.offset++;
    return bytes.end();
  }

  /** Leaves the offset on the last character of the escape. */
  private escape(into: EscapedText): void {
    const pair = this.text.slice(this.offset + 1, this.offset + 3);
    if (hexPair.test(pair)) {
      into.byte(Number.parseInt(pair, 16));
      this.offset += 2;
      return;
    }
    const character = this.text[this.offset + 1];
    if (character === undefined) throw new DnSyntaxError('A name ends with a backslash.');
    into.text(character);
    this.offset++;
  }
}

/** Text of which some bytes are escaped one by one: those of one character come one after another. */
class EscapedText {
  private done = '';
  private bytes: number[] = [];

  text(text: string): void {
    if (text === '') return;
    this.flush();
    this.done += text;
  }

  byte(byte: number): void {
    this.bytes.push(byte);
  }

  end(): string {
    this.flush();
    return this.done;
  }

  private flush(): void {
    if (this.bytes.length === 0) return;
    this.done += Buffer.from(this.bytes).toString('utf8');
    this.bytes = [];
  }
}

/**
 * A value as it stands in a name: what has a meaning there is written as `\XX`, which every server reads and which holds
 * neither a comma nor a backslash before another.
 * @throws DnSyntaxError for the empty text and for NUL, which no server takes
 */
export function escapeRdnValue(value: string): string {
  if (value === '') throw new DnSyntaxError('A name cannot be empty.');
  if (value.includes('\0')) throw new DnSyntaxError('A name cannot hold the character NUL.');
  if (/\p{Surrogate}/u.test(value)) throw new DnSyntaxError('A name cannot hold half a character.');
  return escapeText(value);
}

function escapeText(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among what is escaped
  return value.replace(/["+,;<>\\=\u0000-\u001f\u007f]|^[ #]| $/g, hexEscape);
}

function hexEscape(character: string): string {
  return `\\${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** `uid=jane+cn=Jane`: what `modifyDn` takes as the new name. What may be in a new name, `escapeRdnValue` checks. */
export function formatRdn(rdn: Rdn): string {
  return rdn.map(({ type, value }) => `${type}=${escapeText(value)}`).join('+');
}

export function formatDn(dn: Dn): string {
  return dn.map(formatRdn).join(',');
}

/** The name of an entry directly below `parent`, which is taken as it is. */
export function childDn(rdn: Rdn, parent: string): string {
  return parent === '' ? formatRdn(rdn) : `${formatRdn(rdn)},${parent}`;
}

/** The first part of a name. @throws DnSyntaxError when there is none */
export function rdnOf(dn: string): Rdn {
  const [rdn] = parseDn(dn);
  if (rdn === undefined) throw new DnSyntaxError('The root has no name of its own.');
  return rdn;
}

/** The name of the entry above: "" for the topmost. @throws DnSyntaxError */
export function parentOf(dn: string): string {
  return formatDn(parseDn(dn).slice(1));
}

/**
 * One text for all spellings of a name, for comparing and as a key: types and values without regard to case, escapes and
 * runs of spaces (RFC 4518), parts of one level in one order. A text that is no name is itself, folded.
 */
export function normalizeDn(dn: string): string {
  const known = recent.get(dn);
  if (known !== undefined) return known;
  const parsed = tryParseDn(dn);
  const normal = parsed === undefined ? `?${fold(dn)}` : parsed.map(normalizeRdn).join(',');
  if (recent.size >= recentSize) recent.clear();
  recent.set(dn, normal);
  return normal;
}

/** Groups name the same entries again and again. */
const recent = new Map<string, string>();
const recentSize = 20_000;

export function normalizeRdn(rdn: Rdn): string {
  const parts = rdn.map(({ type, value }) => `${aliasOf(type)}=${escapeText(fold(value))}`);
  return parts.length === 1 ? (parts[0] as string) : parts.sort().join('+');
}

/** The short names of RFC 4514 section 3, for servers that write the long ones or the numbers. */
const shortNames: Readonly<Record<string, string>> = {
  commonname: 'cn',
  '2.5.4.3': 'cn',
  surname: 'sn',
  '2.5.4.4': 'sn',
  countryname: 'c',
  '2.5.4.6': 'c',
  localityname: 'l',
  '2.5.4.7': 'l',
  stateorprovincename: 'st',
  '2.5.4.8': 'st',
  streetaddress: 'street',
  '2.5.4.9': 'street',
  organizationname: 'o',
  '2.5.4.10': 'o',
  organizationalunitname: 'ou',
  '2.5.4.11': 'ou',
  domaincomponent: 'dc',
  '0.9.2342.19200300.100.1.25': 'dc',
  userid: 'uid',
  '0.9.2342.19200300.100.1.1': 'uid',
};

function aliasOf(type: string): string {
  const lower = type.toLowerCase();
  return shortNames[lower] ?? lower;
}

function fold(value: string): string {
  return value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

export function isSameDn(one: string, other: string): boolean {
  return one === other || normalizeDn(one) === normalizeDn(other);
}

/** Whether the first name lies below the second, at any depth, or is the same with `orSame`. */
export function isBelow(dn: string, base: string, orSame = false): boolean {
  const normalDn = normalizeDn(dn);
  const normalBase = normalizeDn(base);
  if (normalDn === normalBase) return orSame;
  return normalBase === '' || normalDn.endsWith(`,${normalBase}`);
}

/** How many levels the first name lies below the second: 1 for a child; undefined when it doesn't. */
export function depthBelow(dn: string, base: string): number | undefined {
  if (!isBelow(dn, base, true)) return undefined;
  return parseDn(dn).length - parseDn(base).length;
}

/** A name that is relative to `base` when it doesn't end in it already. */
export function resolveDn(dn: string, base: string | undefined): string {
  if (base === undefined || base === '' || isBelow(dn, base, true)) return dn;
  return dn === '' ? base : `${dn},${base}`;
}
