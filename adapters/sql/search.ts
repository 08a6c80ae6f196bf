import type { BackendRecord, LookupQuery, SearchQuery, SearchResult } from '../../src/backend/adapter.js';
import { keyOf } from '../../src/scim/comparison.js';
import { conditionSql, partOf } from './condition-sql.js';
import { type EntityPlan, fieldOf, inner, outer, scalarOf } from './entity-plan.js';
import { afterPosition, orderBy, parsePosition, printPosition, sortKey } from './paging.js';
import { keyOfRow, type Selection, selectionOf } from './read-records.js';
import type { ScalarPlan } from './scalar-plan.js';
import { all, isFalse, isTrue, nothing, type Sql, sql } from './sql-text.js';
import { ask, type Work } from './work.js';

/** The statements of a search. */
export interface SearchStatements {
  /** Absent when only the total is wanted. */
  readonly page?: Sql;
  readonly count?: Sql;
  readonly selection: Selection;
  /** How many records come before the page, and how many of those the statement walks over. */
  readonly start: number;
  readonly skipped: number;
  readonly isSorted: boolean;
}

export function searchStatements(plan: EntityPlan, query: SearchQuery): SearchStatements {
  const selection = selectionOf(plan, query.fields);
  const { sort, limit } = query;
  const isDescending = sort?.descending ?? false;
  const key = sort === undefined ? undefined : sortKey(plan, sort);
  const where = all([
    ...(query.filter === undefined ? [] : [conditionSql(plan, query.filter)]),
    ...(plan.isRestricted ? [plan.alive(outer)] : []),
  ]);
  const from = sql`FROM ${plan.tableName} AS ${outer}`;
  const position = query.after === undefined ? (query.offset ?? 0) : parsePosition(query.after);
  const isCounted = typeof position === 'number';
  const rest = isCounted ? where : all([where, afterPosition(plan, position, key, isDescending)]);
  const window = plan.dialect.limit(limit + 1, isCounted ? position : 0);
  const selected = key === undefined ? selection.columns : sql`${selection.columns}, ${key}`;
  const page = sql`SELECT ${selected} ${from}${whereClause(rest)} ORDER BY ${orderBy(plan, key, isDescending)}${window}`;
  return {
    selection,
    start: isCounted ? position : position.count,
    skipped: isCounted ? position : 0,
    isSorted: key !== undefined,
    ...(limit > 0 ? { page } : {}),
    ...(query.wantTotal ? { count: sql`SELECT count(*) ${from}${whereClause(where)}` } : {}),
  };
}

export function* search(plan: EntityPlan, query: SearchQuery): Work<SearchResult> {
  const statements = searchStatements(plan, query);
  const { page, count, selection, start } = statements;
  const read = page === undefined ? [] : (yield ask(page)).rows;
  const found = read.slice(0, query.limit);
  const last = read.length > query.limit ? found.at(-1) : undefined;
  const seen = page === undefined || last !== undefined ? undefined : totalSeen(query, read.length);
  return {
    records: yield* selection.records(found),
    ...(count === undefined ? {} : { total: seen ?? Number((yield ask(count)).rows[0]?.[0] ?? 0) }),
    ...(last === undefined
      ? {}
      : {
          next: printPosition({
            key: keyOfRow(last),
            sorted: statements.isSorted ? (last[selection.width] ?? null) : null,
            count: start + found.length,
          }),
        }),
  };
}

/** A last page, counted from the first record, tells how many there are: nearly every look-up is one. */
function totalSeen({ after, offset = 0 }: SearchQuery, onPage: number): number | undefined {
  return after === undefined && (onPage > 0 || offset === 0) ? offset + onPage : undefined;
}

/** The records with one of the values, by as few statements as can be. A value that the field cannot have finds nothing. */
export function* lookup(plan: EntityPlan, { by, values, fields }: LookupQuery): Work<readonly BackendRecord[]> {
  const valuesPerLookup = valuesAtOnce(plan, by);
  if (values.length <= valuesPerLookup) return yield* lookupSome(plan, by, values, fields);
  const found = new Map<unknown, BackendRecord>();
  for (let from = 0; from < values.length; from += valuesPerLookup) {
    const some = yield* lookupSome(plan, by, values.slice(from, from + valuesPerLookup), fields);
    for (const record of some) found.set(record.$id, record);
  }
  return [...found.values()];
}

/** Ids of several columns may differ in all of them, and each is then a condition of its own. */
const tuplesPerLookup = 500;

function valuesAtOnce(plan: EntityPlan, by: string): number {
  const { valuesPerLookup } = plan.dialect;
  return partsIn(plan, by).some(({ spread }) => spread !== undefined)
    ? Math.min(tuplesPerLookup, valuesPerLookup)
    : valuesPerLookup;
}

function partsIn(plan: EntityPlan, by: string): readonly ScalarPlan[] {
  const scalar = scalarOf(plan, by);
  if (scalar !== undefined) return [scalar];
  const listed = fieldOf(plan, by);
  return listed.kind === 'child' || listed.kind === 'jsonList' ? [...listed.parts.values()] : [];
}

function* lookupSome(
  plan: EntityPlan,
  by: string,
  values: LookupQuery['values'],
  fields: readonly string[],
): Work<readonly BackendRecord[]> {
  const condition = lookupCondition(plan, by, values);
  if (condition === isFalse) return [];
  const selection = selectionOf(plan, fields);
  const statement = sql`SELECT ${selection.columns} FROM ${plan.tableName} AS ${outer} WHERE ${condition} AND ${plan.alive(outer)}`;
  return yield* selection.records((yield ask(statement)).rows);
}

function lookupCondition(plan: EntityPlan, by: string, values: LookupQuery['values']): Sql {
  const keysOf = (of: ScalarPlan) => [...new Set(values.flatMap((value) => keyOf(of.comparison, value) ?? []))];
  const scalar = scalarOf(plan, by);
  if (scalar !== undefined) return scalar.oneOf(outer, keysOf(scalar));
  const listed = fieldOf(plan, by);
  if (listed.kind !== 'child' && listed.kind !== 'jsonList') return isFalse;
  const part = partOf(listed, '');
  const found = part.oneOf(inner, keysOf(part));
  if (found === isFalse) return isFalse;
  return listed.kind === 'child'
    ? sql`${listed.parentKey(outer)} IN (SELECT ${listed.parentColumn(inner)} FROM ${listed.from(outer, inner)} WHERE ${found}${listed.restriction(inner)}${listed.visible(inner)})`
    : sql`EXISTS (SELECT 1 FROM ${listed.from(outer, inner)} WHERE ${found})`;
}

/** The record with that id, unless it is deleted. */
export function* getById(plan: EntityPlan, id: string, fields: readonly string[]): Work<BackendRecord | undefined> {
  const selection = selectionOf(plan, fields);
  const statement = sql`SELECT ${selection.columns} FROM ${plan.tableName} AS ${outer} WHERE ${plan.id.compare(outer, 'eq', idKey(plan, id))} AND ${plan.alive(outer)}`;
  return (yield* selection.records((yield ask(statement)).rows))[0];
}

/** An id as it is compared. */
export function idKey(plan: EntityPlan, id: string): string {
  return String(keyOf(plan.id.comparison, id));
}

function whereClause(condition: Sql): Sql {
  return condition === isTrue ? nothing : sql` WHERE ${condition}`;
}
