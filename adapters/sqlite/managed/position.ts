import { AdapterError } from '../../../src/backend/adapter-error.js';
import type { Bindable } from './sql.js';

/** Where a page ended: the record's number, and with a sort its sort key (null without a value). */
export interface Position {
  readonly seq: number;
  readonly key: Bindable;
}

/** Longer text keys are cut, so that the text stays below 1,000 characters as base64 of UTF-8. */
const maxKeyLength = 150;
const lastCharacter = '\u{10ffff}';

export function printPosition({ seq, key }: Position): string {
  const isCut = typeof key === 'string' && key.length > maxKeyLength;
  const text = JSON.stringify(isCut ? [seq, cut(key), 1] : [seq, key]);
  return Buffer.from(text).toString('base64url');
}

/**
 * @param keyAt the present sort key of a record, which replaces one that was cut. When that record is gone or changed,
 * the page starts with all records whose keys begin alike: one may come twice, none is lost.
 * @throws AdapterError rejected
 */
export function parsePosition(text: string, isDescending: boolean, keyAt: (seq: number) => Bindable): Position {
  const parsed = parseJson(Buffer.from(text, 'base64url').toString());
  if (!Array.isArray(parsed) || typeof parsed[0] !== 'number') throw malformed();
  const [seq, key, isCut] = parsed as [number, unknown, unknown];
  if (key !== null && typeof key !== 'string' && typeof key !== 'number') throw malformed();
  if (isCut === undefined || typeof key !== 'string') return { seq, key };
  const present = keyAt(seq);
  if (typeof present === 'string' && present.startsWith(key)) return { seq, key: present };
  return { seq: 0, key: isDescending ? `${key}${lastCharacter}` : key };
}

function cut(key: string): string {
  const last = key.charCodeAt(maxKeyLength - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return key.slice(0, splitsPair ? maxKeyLength - 1 : maxKeyLength);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(): AdapterError {
  const reason = 'The position to go on after was not given by this adapter.';
  return new AdapterError('rejected', reason, { reason });
}
