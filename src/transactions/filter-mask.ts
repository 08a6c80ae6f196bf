import type { AttributePath } from '../scim/attribute-path.js';
import { tolerantDialect } from '../scim/dialect.js';
import type { CompareValue, Filter } from '../scim/filter.js';
import { parseFilter, parsePatchPath } from '../scim/filter-parser.js';
import { isCommonType, printFilterWith } from '../scim/filter-printer.js';
import type { Placeholders } from './placeholders.js';
import { isSecretName, isSecretText } from './secrets.js';

export const unparsableFilter = 'unparsable filter';
export const unparsablePath = 'unparsable path';
/** Stands for secrets where other values are kept. */
export const leftOut = '(left out)';

/** Wider than what any gateway allows: a filter that was refused as too long or too deep is recorded all the same. */
const limits = { maxLength: 65_536, maxDepth: 500, maxTerms: 5000 };

/** @returns undefined when it is no filter */
export function readFilter(text: string): Filter<AttributePath> | undefined {
  try {
    return parseFilter(text, tolerantDialect, limits);
  } catch {
    return undefined;
  }
}

/** The filter with every value replaced, except booleans, null and the common values of `type`. */
export function maskFilter(filter: Filter<AttributePath>, placeholders: Placeholders): string {
  return printFilterWith(filter, (name, value) => JSON.stringify(maskedLiteral(name, value, placeholders)));
}

/** `userName eq "bjensen"`: what identity providers ask all day, so it is not worth a parser. */
const simpleEquality = /^([a-z][\w$-]*(?:\.[a-z][\w$-]*)?) eq "([^"\\\p{Cc}]*)"$/iu;

/** The attribute and the text of a filter that is one comparison of the simplest kind. */
export function readSimpleEquality(text: string): { readonly name: string; readonly value: string } | undefined {
  const match = simpleEquality.exec(text);
  return match?.[1] === undefined ? undefined : { name: match[1], value: match[2] ?? '' };
}

export function maskSimpleEquality(name: string, value: string, placeholders: Placeholders): string {
  return `${name} eq ${JSON.stringify(maskedLiteral(name, value, placeholders))}`;
}

/** The filter as it came, without secrets. */
export function filterWithoutSecrets(filter: Filter<AttributePath>): string {
  return printFilterWith(filter, (name, value) => {
    const isSecret = isSecretName(name) || (typeof value === 'string' && isSecretText(value));
    return JSON.stringify(isSecret ? leftOut : value);
  });
}

/** The path of a PATCH operation, its filter masked. */
export function maskPath(text: string, placeholders: Placeholders): string {
  return rewritePath(text, (filter) => maskFilter(filter, placeholders));
}

export function pathWithoutSecrets(text: string): string {
  return rewritePath(text, filterWithoutSecrets);
}

function rewritePath(text: string, printed: (filter: Filter<AttributePath>) => string): string {
  try {
    const { attribute, filter, sub } = parsePatchPath(text, tolerantDialect);
    const selected = filter === undefined ? '' : `[${printed(filter)}]`;
    return `${attribute}${selected}${sub === undefined ? '' : `.${sub}`}`;
  } catch {
    return unparsablePath;
  }
}

function maskedLiteral(name: string, value: CompareValue, placeholders: Placeholders): CompareValue {
  if (typeof value === 'boolean' || value === null) return value;
  if (isSecretName(name)) return placeholders.secret();
  if (typeof value === 'string' && isHarmlessText(name, value)) return value;
  return placeholders.of(value);
}

/** Texts that are about nobody: nothing at all, booleans as text, the common values of `type`. */
export function isHarmlessText(name: string, text: string): boolean {
  return text === '' || /^(true|false)$/i.test(text) || (/(^|[.:])type$/i.test(name) && isCommonType(text));
}

const comparison = /([^\s[\]()"]+)(\s+(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s+)("(?:[^"\\]|\\.)*(?:"|$)|-?\d[^\s\])]*)/gi;

/** Takes values out of a text that may quote a path: `emails[value eq "…"]`. For texts that should hold none anyway. */
export function maskComparisons(text: string): string {
  if (!text.includes('"') && !/\d/.test(text)) return text;
  return text.replace(comparison, (whole, name: string, op: string, literal: string) => {
    const isHarmless = literal.length > 1 && isHarmlessText(name, literal.slice(1, -1));
    return isHarmless || literal === '"…"' ? whole : `${name}${op}"…"`;
  });
}
