import { createHash } from 'node:crypto';
import { AdapterError } from '../../src/backend/adapter-error.js';

/**
 * Where a walk through a list goes on. `marks` are of the last records given, so that the place is found again when
 * others came or went before it.
 */
export interface Position {
  /** So many records come before it in the target's order. */
  readonly offset: number;
  readonly marks: readonly string[];
  /** With cursors and links: what the page is asked for with; absent for the first one. */
  readonly token?: string;
  /** So many of that page were given already. */
  readonly skip?: number;
  /** Marks of the tokens before, to notice a circle. */
  readonly trail?: readonly string[];
  /** The size of all pages of the walk: it belongs to the token (RFC 9865 §2). */
  readonly size?: number;
}

export const startPosition: Position = { offset: 0, marks: [] };

/** The last records of a page that are remembered: one of them will still be there. */
const marksKept = 10;
const trailKept = 12;
/** The gateway takes texts of at most 1,000 characters. */
const maxText = 1_000;

/** A short text for a record's id, or for a token. */
export function markOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 8);
}

/** The marks after more records were given, of which the last ones count. */
export function marksAfter<T>(
  marks: readonly string[],
  given: readonly T[],
  idOf: (item: T) => string,
): readonly string[] {
  const last = given.slice(-marksKept).map((item) => markOf(idOf(item)));
  return [...marks, ...last].slice(-marksKept);
}

export function withTrail(trail: readonly string[], token: string | undefined): readonly string[] {
  return [...trail, markOf(token ?? '')].slice(-trailKept);
}

/** A token that is too long is left out: the place is then found by counting from the start. */
export function printPosition(position: Position): string {
  const text = encoded(position);
  if (text.length <= maxText) return text;
  const { offset, marks } = position;
  return encoded({ offset, marks, skip: offset });
}

function encoded({ offset, marks, token, skip, trail, size }: Position): string {
  const parts = [offset, marks, token ?? null, skip ?? 0, trail ?? [], size ?? 0];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws AdapterError `rejected` for a text that is no position */
export function parsePosition(text: string): Position {
  const parsed = parsedJson(Buffer.from(text, 'base64url').toString());
  if (!Array.isArray(parsed) || parsed.length !== 6) throw malformed();
  const [offset, marks, token, skip, trail, size] = parsed as readonly unknown[];
  const isValid = isCount(offset) && isCount(skip) && isCount(size) && isTexts(marks) && isTexts(trail);
  if (!isValid || !(token === null || typeof token === 'string')) throw malformed();
  return { offset, marks, skip, trail, ...(token === null ? {} : { token }), ...(size === 0 ? {} : { size }) };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(): AdapterError {
  return new AdapterError('rejected', 'The position to go on after was not given by this adapter.');
}
