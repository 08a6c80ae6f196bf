import type { Database } from 'better-sqlite3';
import type { BackendRecord, SearchQuery, SearchResult, Sort } from '../../../src/backend/adapter.js';
import type { Statements } from '../database.js';
import { countRecords, locate } from './buckets.js';
import { column } from './key-test.js';
import { entityIn, type Layout, type ManagedEntity } from './layout.js';
import { type Plan, planFor } from './plan.js';
import { type Position, parsePosition, printPosition } from './position.js';
import { columnsFor, type Projection, projectionOf, type RecordRow } from './projection.js';
import type { Reader } from './reader.js';
import { inSnapshot } from './snapshot.js';
import { isAfter, orderBy, type SortRow, sortKey, sortRowOf } from './sort.js';
import { type Bindable, limitTo, type Sql, spelledOut, sql } from './sql.js';

/** A record with what it was sorted by. */
type Row = readonly [...RecordRow, key: Bindable];

interface Window {
  readonly after: Position | undefined;
  readonly offset: number;
  readonly limit: number;
}

interface Search {
  readonly query: SearchQuery;
  readonly entity: ManagedEntity;
  readonly projection: Projection;
  readonly plan: Plan;
}

/** A sorted walk through more records than these, or to the end of them, takes too long for the main thread. */
const largeSort = 1000;

export class Searcher {
  private readonly db: Database;
  private readonly statements: Statements;
  private readonly layout: Layout;
  private readonly reader: Reader;
  /** `isScan` and `search` are asked about the same query one after the other. */
  private readonly planned = new WeakMap<SearchQuery, Search>();

  constructor(db: Database, statements: Statements, layout: Layout, reader: Reader) {
    this.db = db;
    this.statements = statements;
    this.layout = layout;
    this.reader = reader;
  }

  isScan(query: SearchQuery): boolean {
    const { plan, entity } = this.prepare(query);
    if (plan.isLarge || plan.kind === 'none') return plan.isLarge;
    return plan.kind === 'all' && query.sort !== undefined && countRecords(this.statements, entity.scope) > largeSort;
  }

  search(query: SearchQuery): SearchResult {
    return inSnapshot(this.db, this.statements, () => this.carryOut(this.prepare(query)));
  }

  describe(query: SearchQuery): string {
    const search = this.prepare(query);
    const window: Window = { after: this.positionIn(search), offset: query.offset ?? 0, limit: query.limit };
    const lines = query.limit === 0 ? [] : pageQueries(search, window);
    const total = query.wantTotal ? [sql`SELECT count(*) FROM (${search.plan.source})`] : [];
    return [...lines, ...total].map((line) => `${spelledOut(line)};`).join('\n');
  }

  private prepare(query: SearchQuery): Search {
    const known = this.planned.get(query);
    if (known !== undefined) return known;
    const entity = entityIn(this.layout, query.entity);
    const projection = projectionOf(entity, query.fields);
    if (query.sort !== undefined) sortKey(entity, query.sort); // throws when it cannot be sorted by
    const search = { query, entity, projection, plan: planFor(this.statements, entity, query.filter) };
    this.planned.set(query, search);
    return search;
  }

  private carryOut(search: Search): SearchResult {
    const { query, entity, projection, plan } = search;
    const isEmpty = query.limit === 0 || plan.kind === 'none';
    const rows = isEmpty ? [] : this.page(search);
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    const records = page.map((row): BackendRecord => this.reader.complete(entity, projection, recordOf(row)));
    return {
      records,
      ...(query.wantTotal ? { total: this.total(search, isEmpty ? undefined : rows.length) } : {}),
      ...(last === undefined ? {} : { next: printPosition({ seq: last[0], key: last[6] }) }),
    };
  }

  /** A first page that holds everything needs no further count. */
  private total({ query, plan, entity }: Search, found: number | undefined): number {
    if (plan.kind === 'none') return 0;
    const isFirst = query.after === undefined && (query.offset ?? 0) === 0;
    if (isFirst && found !== undefined && found <= query.limit) return found;
    return plan.kind === 'all' ? countRecords(this.statements, entity.scope) : this.count(plan.source);
  }

  private count(source: Sql): number {
    const { text, params } = sql`SELECT count(*) FROM (${source})`;
    const [count] = this.statements.rows(text).get(...params) as readonly [number];
    return count;
  }

  /** One record more than the limit, to know whether there is a next page. */
  private page(search: Search): readonly Row[] {
    const { query, entity, plan } = search;
    const limit = query.limit + 1;
    const after = this.positionIn(search);
    const offset = after === undefined ? (query.offset ?? 0) : 0;
    const walk = walkOf(search);
    if (walk !== undefined) return this.walk(search, walk, { after, offset, limit });
    if (plan.kind === 'all' && query.sort === undefined && after === undefined) {
      const { fromSeq, skip } = locate(this.statements, entity.scope, offset);
      return this.rows(pageInOrder(search, { after: { seq: fromSeq - 1, key: null }, offset: skip, limit }));
    }
    const window: Window = { after, offset, limit };
    return this.rows(query.sort === undefined ? pageInOrder(search, window) : pageSorted(search, query.sort, window));
  }

  /** Records with a value by the index over it, those without one before or after them. */
  private walk(search: Search, walk: Walk, { after, offset, limit }: Window): readonly Row[] {
    const order = walk.isDescending ? [false, true] : [true, false];
    const rows: Row[] = [];
    let skip = offset;
    for (const isValued of order) {
      if (rows.length >= limit) break;
      const isPositionHere = after !== undefined && isValued === (after.key !== null);
      const isBehind = after !== undefined && !isPositionHere && isValued !== walk.isDescending;
      if (isBehind || (!isValued && !this.hasUnvalued(search, walk))) continue;
      const window = { after: isPositionHere ? after : undefined, offset: skip, limit: limit - rows.length };
      const found = this.rows(walkPage(search, walk, isValued, window));
      rows.push(...found);
      if (found.length > 0) skip = 0;
      else if (skip > 0) skip -= this.count(isValued ? walk.valued : walk.unvalued);
    }
    return rows;
  }

  /** Looking for records without a value takes longer than counting those with one. */
  private hasUnvalued({ entity }: Search, { valued }: Walk): boolean {
    return this.count(valued) < countRecords(this.statements, entity.scope);
  }

  private rows({ text, params }: Sql): readonly Row[] {
    return this.statements.rows(text).all(...params) as readonly Row[];
  }

  private positionIn({ query, entity }: Search): Position | undefined {
    const { after, sort } = query;
    if (after === undefined) return undefined;
    return parsePosition(after, sort?.descending ?? false, (seq) => {
      if (sort === undefined) return null;
      const { text, params } = sql`SELECT ${sortKey(entity, sort)} FROM (SELECT ${seq} AS seq) c`;
      return (this.statements.rows(text).get(...params) as readonly [Bindable])[0];
    });
  }
}

function recordOf([seq, id, revision, created, modified, doc]: Row): RecordRow {
  return [seq, id, revision, created, modified, doc];
}

function pageQueries(search: Search, window: Window): readonly Sql[] {
  const { sort } = search.query;
  const walk = walkOf(search);
  if (walk !== undefined) {
    const groups = [true, false].map((isValued) => walkPage(search, walk, isValued, window));
    return walk.isDescending ? groups.reverse() : groups;
  }
  return [sort === undefined ? pageInOrder(search, window) : pageSorted(search, sort, window)];
}

/** In the order of creation. */
function pageInOrder({ projection, plan, entity }: Search, { after, offset, limit }: Window): Sql {
  const columns = column(columnsFor(projection));
  const seq = after?.seq ?? 0;
  if (plan.kind === 'all') {
    const rows = sql`FROM record r INDEXED BY record_order WHERE r.scope = ${entity.scope} AND r.seq > ${seq}`;
    return sql`SELECT ${columns}, NULL ${rows} ORDER BY r.seq ${limitTo(limit, offset)}`;
  }
  const later = after === undefined ? sql`` : sql` WHERE c.seq > ${seq}`;
  const page = sql`SELECT c.seq AS seq FROM (${plan.source}) c${later} ORDER BY c.seq ${limitTo(limit, offset)}`;
  return sql`SELECT ${columns}, NULL FROM (${page}) p CROSS JOIN record r ON r.seq = p.seq ORDER BY p.seq`;
}

/** The records that match are sorted: for few of them, or by what has no index. */
function pageSorted({ projection, plan, entity }: Search, sort: Sort, { after, offset, limit }: Window): Sql {
  const later =
    after === undefined ? sql`` : sql` WHERE ${isAfter(after, sort.descending, column('s.k'), column('s.seq'))}`;
  const keyed = sql`WITH s AS MATERIALIZED (SELECT c.seq AS seq, ${sortKey(entity, sort)} AS k FROM (${plan.source}) c)`;
  const order = orderBy(sort.descending, 's.k', 's.seq');
  const page = sql`${keyed} SELECT s.seq AS seq, s.k AS k FROM s${later} ORDER BY ${order} ${limitTo(limit, offset)}`;
  return joinedRecords(projection, page, sort.descending);
}

function joinedRecords(projection: Projection, page: Sql, isDescending: boolean): Sql {
  const columns = column(columnsFor(projection));
  const order = orderBy(isDescending, 'p.k', 'p.seq');
  return sql`SELECT ${columns}, p.k FROM (${page}) p CROSS JOIN record r ON r.seq = p.seq ORDER BY ${order}`;
}

/** All records of an entity in the order of an index: nothing is sorted, and a page costs what it holds. */
interface Walk {
  readonly isDescending: boolean;
  readonly row: SortRow;
  readonly valued: Sql;
  readonly unvalued: Sql;
}

function walkOf({ query, entity, plan }: Search): Walk | undefined {
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

function walkPage({ projection }: Search, walk: Walk, isValued: boolean, { after, offset, limit }: Window): Sql {
  const { isDescending } = walk;
  let page = isValued ? walk.valued : walk.unvalued;
  if (after !== undefined)
    page = sql`${page} AND ${isValued ? laterValue(after, isDescending) : sql`r.seq > ${after.seq}`}`;
  const order = column(isValued ? `v.key${isDescending ? ' DESC' : ''}, v.seq` : 'r.seq');
  return joinedRecords(projection, sql`${page} ORDER BY ${order} ${limitTo(limit, offset)}`, isDescending);
}

/** Written so that the index is entered at the key. */
function laterValue({ key, seq }: Position, isDescending: boolean): Sql {
  return isDescending
    ? sql`v.key <= ${key} AND (v.key < ${key} OR v.seq > ${seq})`
    : sql`v.key >= ${key} AND (v.key > ${key} OR v.seq > ${seq})`;
}
