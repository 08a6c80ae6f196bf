import type { SqlValue } from './pool.js';

/**
 * The values of a key's columns as one text that can stand in a URL as it is: `acme.1042`. Letters, digits, `-` and `_`
 * stay; each byte of anything else is a tilde with two digits, and an empty text a tilde alone.
 */
export function joinParts(parts: readonly string[]): string {
  return parts.map((part) => (part === '' ? '~' : part.replaceAll(unsafe, escaped))).join('.');
}

/** @returns undefined for a text that `joinParts` does not give for so many parts */
export function splitParts(text: string, count: number): readonly string[] | undefined {
  const encoded = text.split('.');
  if (encoded.length !== count || !encoded.every((part) => wellFormed.test(part))) return undefined;
  const parts = encoded.map((part) => (part === '~' ? '' : unescaped(part)));
  return joinParts(parts) === text ? parts : undefined;
}

/** The texts of a key's columns as the database gives them: a JSON array. @returns undefined where one is NULL */
export function parseTuple(stored: SqlValue, count: number): readonly string[] | undefined {
  if (typeof stored !== 'string') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(stored);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || parsed.length !== count) return undefined;
  const parts: readonly unknown[] = parsed;
  return parts.every((part) => typeof part === 'string') ? parts : undefined;
}

const unsafe = /[^A-Za-z0-9_-]+/g;
const wellFormed = /^(?:~|(?:[A-Za-z0-9_-]|~[0-9A-F]{2})+)$/;

function escaped(characters: string): string {
  return [...Buffer.from(characters)].map((byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** What is no UTF-8 becomes something else, which `splitParts` finds out. */
function unescaped(part: string): string {
  const bytes = part.replaceAll(/~(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
