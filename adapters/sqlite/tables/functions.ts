import type { Database } from 'better-sqlite3';
import { fold } from '../../../src/scim/comparison.js';
import { instantOf, numberOf } from '../../sql/spelled-values.js';

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
