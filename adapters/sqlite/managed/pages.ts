import type { SearchQuery, Sort } from '../../../src/backend/adapter.js';
import { column } from './key-test.js';
import type { ManagedEntity } from './layout.js';
import type { Plan } from './plan.js';
import type { Position } from './position.js';
import { columnsFor, type Projection, type RecordRow } from './projection.js';
import { isAfter, orderBy, type SortRow, sortKey, sortRowOf } from './sort.js';
import { type Bindable, limitTo, type Sql, sql } from './sql.js';

/** A query with all that was found out about it. */
export interface Search {
  readonly query: SearchQuery;
  readonly entity: ManagedEntity;
  readonly projection: Projection;
  readonly plan: Plan;
}

/** Which part of the result is wanted. */
export interface Window {
  readonly after: Position | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** A record, what it was sorted by, and how many records match where that was counted along. */
export type Row = readonly [...RecordRow, key: Bindable, total: number | null];

/** The statements of a page; in a sorted walk one for records with a value and one for those without. */
export function pageQueries(search: Search, window: Window): readonly Sql[] {
  const { sort } = search.query;
  const walk = walkOf(search);
  if (walk !== undefined) {
    const groups = [true, false].map((isValued) => walkPage(search, walk, isValued, window));
    return walk.isDescending ? groups.reverse() : groups;
  }
  return [sort === undefined ? pageInOrder(search, window) : pageSorted(search, sort, window)];
}

/** In the order of creation. */
export function pageInOrder({ query, projection, plan, entity }: Search, { after, offset, limit }: Window): Sql {
  const columns = column(columnsFor(projection));
  const seq = after?.seq ?? 0;
  if (plan.kind === 'all') {
    const rows = sql`FROM record r INDEXED BY record_order WHERE r.scope = ${entity.scope} AND r.seq > ${seq}`;
    return sql`SELECT ${columns}, NULL, NULL ${rows} ORDER BY r.seq ${limitTo(limit, offset)}`;
  }
  const isCounted = query.wantTotal && plan.isWalkedWhole;
  const from = isCounted ? column('m') : sql`(${plan.source})`;
  const later = after === undefined ? sql`` : sql` WHERE c.seq > ${seq}`;
  const page = sql`SELECT c.seq AS seq FROM ${from} c${later} ORDER BY c.seq ${limitTo(limit, offset)}`;
  const rows = sql`FROM (${page}) p CROSS JOIN record r ON r.seq = p.seq ORDER BY p.seq`;
  return isCounted
    ? sql`WITH m AS MATERIALIZED (${plan.source}) SELECT ${columns}, NULL, (SELECT count(*) FROM m) ${rows}`
    : sql`SELECT ${columns}, NULL, NULL ${rows}`;
}

/** The records that match are sorted: for few of them, or by what has no index. */
export function pageSorted(search: Search, sort: Sort, { after, offset, limit }: Window): Sql {
  const { query, projection, plan, entity } = search;
  const { descending } = sort;
  const later = after === undefined ? sql`` : sql` WHERE ${isAfter(after, descending, column('s.k'), column('s.seq'))}`;
  const keyed = sql`SELECT c.seq AS seq, ${sortKey(entity, sort)} AS k FROM (${plan.source}) c`;
  const total = column(query.wantTotal ? '(SELECT count(*) FROM s)' : 'NULL');
  const order = orderBy(descending, 's.k', 's.seq');
  const page = sql`SELECT s.seq AS seq, s.k AS k FROM s${later} ORDER BY ${order} ${limitTo(limit, offset)}`;
  return sql`WITH s AS MATERIALIZED (${keyed}) ${joinedRecords(projection, page, descending, total)}`;
}

function joinedRecords(projection: Projection, page: Sql, isDescending: boolean, total: Sql): Sql {
  const columns = column(columnsFor(projection));
  const order = orderBy(isDescending, 'p.k', 'p.seq');
  return sql`SELECT ${columns}, p.k, ${total} FROM (${page}) p CROSS JOIN record r ON r.seq = p.seq ORDER BY ${order}`;
}

/** All records of an entity in the order of an index: nothing is sorted, and a page costs what it holds. */
export interface Walk {
  readonly isDescending: boolean;
  readonly row: SortRow;
  readonly valued: Sql;
  readonly unvalued: Sql;
}

export function walkOf({ query, entity, plan }: Search): Walk | undefined {
  if (plan.kind !== 'all' || query.sort === undefined) return undefined;
  const row = sortRowOf(entity, query.sort);
  if (row === undefined) return undefined;
  const none = sql`NOT EXISTS (SELECT 1 FROM value v WHERE v.seq = r.seq AND v.field = ${row.field} AND ${row.isLead})`;
  return {
    isDescending: query.sort.descending,
    row,
    valued: sql`SELECT v.seq AS seq, v.key AS k FROM value v WHERE v.field = ${row.field} AND ${row.isLead}`,
    unvalued: sql`SELECT r.seq AS seq, NULL AS k FROM record r WHERE r.scope = ${entity.scope} AND ${none}`,
  };
}

export function walkPage({ projection }: Search, walk: Walk, isValued: boolean, { after, offset, limit }: Window): Sql {
  const { isDescending } = walk;
  let page = isValued ? walk.valued : walk.unvalued;
  if (after !== undefined)
    page = sql`${page} AND ${isValued ? laterValue(after, isDescending) : sql`r.seq > ${after.seq}`}`;
  const order = column(isValued ? `v.key${isDescending ? ' DESC' : ''}, v.seq` : 'r.seq');
  return joinedRecords(
    projection,
    sql`${page} ORDER BY ${order} ${limitTo(limit, offset)}`,
    isDescending,
    column('NULL'),
  );
}

/** Written so that the index is entered at the key. */
function laterValue({ key, seq }: Position, isDescending: boolean): Sql {
  return isDescending
    ? sql`v.key <= ${key} AND (v.key < ${key} OR v.seq > ${seq})`
    : sql`v.key >= ${key} AND (v.key > ${key} OR v.seq > ${seq})`;
}
