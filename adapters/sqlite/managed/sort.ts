import type { Sort } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { unknownChild } from './element-condition.js';
import { column } from './key-test.js';
import { fieldIn, type ManagedEntity } from './layout.js';
import type { Position } from './position.js';
import { type Sql, sql } from './sql.js';

/** One row of `value` at most for each record: the one that it is sorted by. */
export interface SortRow {
  readonly field: number;
  /** Says which row `v` of the field it is. */
  readonly isLead: Sql;
}

/** @returns undefined when the sort key is not among the rows of `value` */
export function sortRowOf(entity: ManagedEntity, sort: Sort): SortRow | undefined {
  if (sort.field.startsWith('$') || sort.field === entity.idField) return undefined;
  const field = fieldIn(entity, sort.field);
  if (field.kind === 'value' && field.use.type !== 'bytes') return { field: field.id, isLead: sql`v.ord = 0` };
  if (field.kind !== 'records' || sort.child === undefined) return undefined;
  const child = field.children.get(sort.child);
  if (child === undefined) throw unknownChild(sort.field, sort.child);
  const preferred = sort.prefer === undefined ? undefined : field.children.get(sort.prefer);
  if (preferred === undefined) return { field: child.id, isLead: sql`v.ord = 0` };
  const first = sql`SELECT min(p.ord) FROM value p WHERE p.seq = v.seq AND p.field = ${preferred.id} AND p.key = 1`;
  return { field: child.id, isLead: sql`v.ord = coalesce((${first}), 0)` };
}

/** What the record with the number `c.seq` is sorted by; NULL without a value. */
export function sortKey(entity: ManagedEntity, sort: Sort): Sql {
  const name = sort.field === entity.idField ? '$id' : sort.field;
  const own = { $id: 'id', $created: 'created', $modified: 'modified' }[name];
  if (own !== undefined) return sql`(SELECT ${column(`r.${own}`)} FROM record r WHERE r.seq = c.seq)`;
  const row = sortRowOf(entity, sort);
  if (row !== undefined) {
    return sql`(SELECT v.key FROM value v WHERE v.seq = c.seq AND v.field = ${row.field} AND ${row.isLead})`;
  }
  const field = fieldIn(entity, sort.field);
  if (field.kind === 'link' && field.child === undefined) {
    return sql`(SELECT min(l.key) FROM link l WHERE l.owner = c.seq AND l.field = ${field.id})`;
  }
  throw new AdapterError('unsupported', `Records cannot be sorted by "${sort.field}".`, { field: sort.field });
}

/** Which of the rows (`k`, `seq`) come after the position. Without a value last ascending and first descending. */
export function isAfter(position: Position, isDescending: boolean, k: Sql, seq: Sql): Sql {
  const { key } = position;
  if (key === null) {
    const later = sql`(${k} IS NULL AND ${seq} > ${position.seq})`;
    return isDescending ? sql`(${later} OR ${k} IS NOT NULL)` : later;
  }
  const tie = sql`(${k} = ${key} AND ${seq} > ${position.seq})`;
  return isDescending ? sql`(${k} < ${key} OR ${tie})` : sql`(${k} > ${key} OR ${tie} OR ${k} IS NULL)`;
}

/** The order of rows (`k`, `seq`), ties by age. */
export function orderBy(isDescending: boolean, k: string, seq: string): Sql {
  return column(isDescending ? `${k} IS NOT NULL, ${k} DESC, ${seq}` : `${k} IS NULL, ${k}, ${seq}`);
}
