import { instantKey } from '../../src/scim/comparison.js';

/** Reads also `2026-01-31 10:00:00`, which databases write. @returns the instant as text that sorts by time */
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
