import type { Database } from 'better-sqlite3';
import { fold, instantKey } from '../../../src/scim/comparison.js';

/**
 * SQL functions for what SQLite cannot compare itself. They are deterministic, and give NULL for what is no value.
 *
 * - `scimbridge_fold(text)`: the text as it is compared without regard to case
 * - `scimbridge_instant(text)`: the instant as text that sorts by time
 * - `scimbridge_number(text)`: the number that the text spells
 * - `scimbridge_digits(number)`: the number as JavaScript prints it
 */
export function registerFunctions(db: Database): void {
  const options = { deterministic: true, safeIntegers: true };
  db.function('scimbridge_fold', options, foldOf);
  db.function('scimbridge_instant', options, instantOf);
  db.function('scimbridge_number', options, numberOf);
  db.function('scimbridge_digits', options, (value: unknown) => (typeof value === 'number' ? String(value) : null));
}

function foldOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? fold(value) : null;
}

/** Reads also `2026-01-31 10:00:00`, which SQLite's own datetime() writes. */
export function instantOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  return instantKey(value[10] === ' ' ? `${value.slice(0, 10)}T${value.slice(11)}` : value) ?? null;
}

const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** True for texts that SQLite turns into a number when it puts them in a numeric column. */
export function spellsNumber(text: string): boolean {
  return decimal.test(text.trim());
}

export function numberOf(value: unknown): number | bigint | null {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value !== 'string' || !decimal.test(value)) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
