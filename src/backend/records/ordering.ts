import { type ComparisonKey, compareCodePoints, compareKeys, keyOf } from '../../scim/comparison.js';
import type { BackendRecord, Sort } from '../adapter.js';
import { AdapterError } from '../adapter-error.js';
import { childrenOf, scalarsOf } from '../record.js';
import { comparisonOf, type EntityPlan } from './entity.js';

/**
 * A record as it is stored. `serial` is the order when nothing else is asked: a number that grows with every record
 * created, or what else is the record's own and never changes.
 */
export interface Stored {
  readonly serial: Serial;
  readonly record: BackendRecord;
}

export type Serial = number | string;

/** Where a record stands in a sorted result. */
export interface Position {
  readonly key: ComparisonKey | undefined;
  readonly serial: Serial;
}

/** Longer text keys are cut in a position, so that it stays below 1,000 characters as base64 of UTF-8. */
const maxKeyLength = 150;
const lastCharacter = '\u{10ffff}';

export function positionOf(stored: Stored, sort: Sort | undefined, plan: EntityPlan): Position {
  return { serial: stored.serial, key: sort === undefined ? undefined : sortKey(stored.record, sort, plan) };
}

/** No value comes last ascending and first descending (RFC 7644 §3.4.2.3); ties go by age. */
export function comparePositions(a: Position, b: Position, isDescending: boolean): number {
  if (a.key !== undefined && b.key !== undefined) {
    const order = compareKeys(a.key, b.key);
    if (order !== 0) return isDescending ? -order : order;
  } else if (a.key !== b.key) {
    return (a.key === undefined) === isDescending ? -1 : 1;
  }
  return compareSerials(a.serial, b.serial);
}

function compareSerials(a: Serial, b: Serial): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : compareCodePoints(String(a), String(b));
}

function sortKey(record: BackendRecord, sort: Sort, plan: EntityPlan): ComparisonKey | undefined {
  const comparison = comparisonOf(plan, sort.field, sort.child);
  const { child, prefer } = sort;
  if (child === undefined) return keyOf(comparison, scalarsOf(record, sort.field)[0]);
  const rows = childrenOf(record, sort.field);
  const preferred = prefer === undefined ? undefined : rows.find((row) => row[prefer] === true);
  return keyOf(comparison, (preferred ?? rows[0])?.[child]);
}

export function printPosition({ key, serial }: Position): string {
  const isCut = typeof key === 'string' && key.length > maxKeyLength;
  const text = JSON.stringify(isCut ? [serial, cut(key), 1] : [serial, key]);
  return Buffer.from(text).toString('base64url');
}

/**
 * @param find the record with a serial, whose key replaces one that was cut. When that record is gone, the page starts
 * with all records whose keys begin alike: one may come twice, none is lost.
 */
export function parsePosition(
  text: string,
  isDescending: boolean,
  find: (serial: Serial) => Position | undefined,
): Position {
  const parsed = parseJson(Buffer.from(text, 'base64url').toString());
  if (!Array.isArray(parsed) || !['number', 'string'].includes(typeof parsed[0])) throw malformed();
  const [serial, key, isCut] = parsed as [Serial, unknown, unknown];
  if (key !== undefined && key !== null && !['string', 'number', 'boolean'].includes(typeof key)) throw malformed();
  const given: Position = { serial, key: (key ?? undefined) as ComparisonKey | undefined };
  if (isCut === undefined) return given;
  const present = find(serial);
  if (typeof present?.key === 'string' && present.key.startsWith(String(key))) return present;
  return { serial: typeof serial === 'number' ? -1 : '', key: isDescending ? `${key}${lastCharacter}` : String(key) };
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
  return new AdapterError('rejected', 'The position to go on after was not given by this adapter.');
}
