import type { Sort } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { anyPart, partOf } from './condition-sql.js';
import { type EntityPlan, fieldOf, inner, outer, scalarOf } from './entity-plan.js';
import type { SqlValue } from './pool.js';
import type { ScalarPlan } from './scalar-plan.js';
import { nothing, type Sql, sql } from './sql-text.js';
import { toSqlNumber } from './stored-scalar.js';

/** What the rows are ordered by before the key; NULL without a value. */
export function sortKey(plan: EntityPlan, sort: Sort): Sql {
  const { field, child, prefer } = sort;
  const scalar = scalarOf(plan, field);
  if (scalar !== undefined) return sortable(scalar).key(outer);
  const rows = fieldOf(plan, field);
  if (rows.kind !== 'child' && rows.kind !== 'jsonList') throw unsortable(field);
  if (rows.isRecords !== (child !== undefined)) throw unsortable(field);
  const part = sortable(partOf(rows, child ?? ''));
  const preferred =
    prefer === undefined ? nothing : sql`(${partOf(rows, prefer).compare(inner, 'eq', true)}) IS TRUE DESC, `;
  return sql`(SELECT ${part.key(inner)} FROM ${rows.from(outer, inner)} WHERE ${rows.where(outer, inner)} AND ${anyPart(rows, inner)} ORDER BY ${preferred}${rows.order(inner)} LIMIT 1)`;
}

/** Rows without a sort value come last ascending and first descending (RFC 7644 §3.4.2.3); ties go by key. */
export function orderBy(plan: EntityPlan, key: Sql | undefined, isDescending: boolean): Sql {
  const tie = plan.key.order(outer);
  if (key === undefined) return tie;
  return sql`${plan.dialect.order(key, isDescending)}, ${tie}`;
}

/** The last record of a page: its key, what it was sorted by, and how many records came up to it. */
export interface Position {
  readonly key: SqlValue;
  readonly sorted: SqlValue;
  readonly count: number;
}

const longestPosition = 1000;

/** A sort value that is too long for a position is left out; the next page is then found by counting. */
export function printPosition({ key, sorted, count }: Position): string {
  const whole = encode([count, plain(key), plain(sorted)]);
  return whole.length <= longestPosition ? whole : encode([count]);
}

/** @returns a position without a key when only the count is known */
export function parsePosition(text: string): Position | number {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    parsed = undefined;
  }
  if (!Array.isArray(parsed)) throw malformed();
  const [count, key, sorted]: readonly unknown[] = parsed;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) throw malformed();
  return parsed.length === 1 ? count : { count, key: fromPlain(key), sorted: fromPlain(sorted) };
}

/** Holds for the rows after the position. */
export function afterPosition(plan: EntityPlan, position: Position, key: Sql | undefined, isDescending: boolean): Sql {
  const later = plan.key.isAfter(outer, position.key);
  if (key === undefined) return later;
  const { sorted } = position;
  if (sorted === null) {
    return isDescending ? sql`(${key} IS NOT NULL OR ${later})` : sql`(${key} IS NULL AND ${later})`;
  }
  const tie = sql`(${key} = ${sorted} AND ${later})`;
  return isDescending ? sql`(${key} < ${sorted} OR ${tie})` : sql`(${key} > ${sorted} OR ${tie} OR ${key} IS NULL)`;
}

function sortable(scalar: ScalarPlan): ScalarPlan {
  if (!scalar.isSortable) throw unsortable(scalar.field);
  return scalar;
}

function encode(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Big integers as an object, since JSON numbers would lose digits; bytes as base64 text. */
function plain(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('base64') };
  return typeof value === 'bigint' ? { i: String(value) } : value;
}

function fromPlain(value: unknown): SqlValue {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return toSqlNumber(value);
  const { i: digits, b: bytes } = (value ?? {}) as { readonly i?: unknown; readonly b?: unknown };
  if (typeof bytes === 'string') return Buffer.from(bytes, 'base64');
  if (typeof digits !== 'string' || !/^-?\d{1,19}$/.test(digits)) throw malformed();
  return BigInt(digits);
}

function unsortable(field: string): AdapterError {
  return new AdapterError('unsupported', `Records cannot be sorted by "${field}".`, { field });
}

function malformed(): AdapterError {
  return new AdapterError('rejected', 'The position to go on after was not given by this adapter.');
}
