import type { Database } from 'better-sqlite3';
import type { BackendRecord, SearchQuery, SearchResult } from '../../../src/backend/adapter.js';
import type { Statements } from '../database.js';
import { countRecords, locate } from './buckets.js';
import { entityIn, type Layout, type ManagedEntity } from './layout.js';
import {
  pageInOrder,
  pageQueries,
  pageSorted,
  type Row,
  type Search,
  type Walk,
  type Window,
  walkOf,
  walkPage,
} from './pages.js';
import { planFor } from './plan.js';
import { type Position, parsePosition, printPosition } from './position.js';
import { projectionOf, type RecordRow } from './projection.js';
import type { Reader } from './reader.js';
import { inSnapshot } from './snapshot.js';
import { sortKey } from './sort.js';
import { type Bindable, type Sql, spelledOut, sql } from './sql.js';
import { loneSurrogate } from './values.js';

/** A sorted walk through more records than these, or to the end of them, takes too long for the main thread. */
const largeSort = 1000;

export class Searcher {
  private readonly db: Database;
  private readonly statements: Statements;
  private readonly layout: Layout;
  private readonly reader: Reader;
  /** `isScan` and `search` are asked about the same query one after the other. */
  private planned: Search | undefined;

  constructor(db: Database, statements: Statements, layout: Layout, reader: Reader) {
    this.db = db;
    this.statements = statements;
    this.layout = layout;
    this.reader = reader;
  }

  isScan(query: SearchQuery): boolean {
    if (isLookUp(query, entityIn(this.layout, query.entity))) return false;
    const search = this.prepare(query);
    const { plan, entity } = search;
    const isSorted = plan.kind === 'all' && query.sort !== undefined;
    const isScan = plan.isLarge || (isSorted && countRecords(this.statements, entity.scope) > largeSort);
    if (!isScan) this.planned = search;
    return isScan;
  }

  search(query: SearchQuery): SearchResult {
    const entity = entityIn(this.layout, query.entity);
    if (isLookUp(query, entity)) {
      const { path, value } = query.filter;
      const records = this.reader.lookup(entity, { by: path, values: [value], fields: query.fields });
      // More than one: duplicates from before the field was unique.
      if (records.length < 2) return { records, ...(query.wantTotal ? { total: records.length } : {}) };
    }
    const search = this.planned?.query === query ? this.planned : this.prepare(query);
    this.planned = undefined; // another time, other data
    return inSnapshot(this.db, this.statements, () => this.carryOut(search));
  }

  describe(query: SearchQuery): string {
    const search = this.prepare(query);
    const window: Window = { after: this.positionIn(search), offset: query.offset ?? 0, limit: query.limit };
    const lines = query.limit === 0 ? [] : pageQueries(search, window);
    const total = query.wantTotal ? [sql`SELECT count(*) FROM (${search.plan.source})`] : [];
    return [...lines, ...total].map((line) => `${spelledOut(line)};`).join('\n');
  }

  private prepare(query: SearchQuery): Search {
    const entity = entityIn(this.layout, query.entity);
    const projection = projectionOf(entity, query.fields);
    if (query.sort !== undefined) sortKey(entity, query.sort); // throws when it cannot be sorted by
    return { query, entity, projection, plan: planFor(this.statements, entity, query.filter) };
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
      ...(query.wantTotal ? { total: rows[0]?.[7] ?? this.total(search, isEmpty ? undefined : rows.length) } : {}),
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

type LookUp = SearchQuery & { readonly filter: { readonly path: string; readonly value: string } };

/** The first page of `eq` on a unique field, read by one statement: what identity providers ask before everything else. */
function isLookUp(query: SearchQuery, entity: ManagedEntity): query is LookUp {
  const { filter, sort, after, offset = 0, limit, fields } = query;
  if (filter?.kind !== 'compare' || filter.op !== 'eq' || typeof filter.value !== 'string') return false;
  if (sort !== undefined || after !== undefined || offset > 0 || limit === 0) return false;
  const field = entity.fields.get(filter.path);
  if (field?.kind !== 'value' || !field.use.unique || loneSurrogate.test(filter.value)) return false;
  const { links, inverses } = projectionOf(entity, fields);
  return links.length === 0 && inverses.length === 0;
}

function recordOf([seq, id, revision, created, modified, doc]: Row): RecordRow {
  return [seq, id, revision, created, modified, doc];
}
