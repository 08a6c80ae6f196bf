import type { AttributePath } from '../scim/attribute-path.js';
import { tolerantDialect } from '../scim/dialect.js';
import type { CompareValue, Filter } from '../scim/filter.js';
import { parseFilter, parsePatchPath } from '../scim/filter-parser.js';
import { isCommonType, printFilterWith } from '../scim/filter-printer.js';
import type { Placeholders } from './placeholders.js';
import { isSecretName, isSecretText } from './secrets.js';

export const unparsableFilter = 'unparsable filter';
const unparsablePath = 'unparsable path';

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

/** The filter as it came, without secrets. */
export function withoutSecrets(filter: Filter<AttributePath>, placeholders: Placeholders): string {
  return printFilterWith(filter, (name, value) => {
    const isSecret = typeof value === 'string' && (isSecretName(name) || isSecretText(value));
    return JSON.stringify(isSecret ? placeholders.secret() : value);
  });
}

/** The path of a PATCH operation, its filter treated likewise. */
export function maskPath(
  text: string,
  placeholders: Placeholders,
  printed: (filter: Filter<AttributePath>, placeholders: Placeholders) => string = maskFilter,
): string {
  try {
    const { attribute, filter, sub } = parsePatchPath(text, tolerantDialect);
    const selected = filter === undefined ? '' : `[${printed(filter, placeholders)}]`;
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
