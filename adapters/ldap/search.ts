import { LRUCache } from 'lru-cache';
import type { BackendRecord, Condition, SearchQuery, SearchResult, Sort } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { compileCondition } from '../../src/backend/condition.js';
import { idOf, scalarsOf } from '../../src/backend/record.js';
import { compareCodePoints, keyOf } from '../../src/scim/comparison.js';
import { pathsIn } from '../../src/scim/filter.js';
import { comparisonOf } from './capabilities.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { type CompiledFilter, compileFilter, filterField, referencedIds, storedId } from './filters.js';
import { both, either, type LdapFilter, nothing, printFilter } from './ldap-filter.js';
import { comparePlaces, indexAfter, type Place, printPosition } from './positions.js';
import { hasPrimaryGroup, withPrimaryGroups } from './primary-group.js';
import { planRead, type ReadContext, type ReadPlan, toRecords } from './read.js';

const fetchSize = 250;
/** A page's entries are asked for in so many searches at the same time, unless these were small. */
const parts = 3;
const smallestPart = 25;
const keptMs = 60_000;
/** Places that are kept in all, over all walks. */
const keptPlaces = 500_000;

export type ScanQuery = Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>;

/**
 * Searches. A result that fits a page takes one round trip. Of a longer one the ids are swept in one go, ordered here, and
 * each page is read by its ids: totals are exact, any field sorts by our own comparison, and a position is good anywhere.
 * The swept order is kept for the walk that goes on with it, and dropped by one's own writes.
 */
export class Searches {
  private readonly kept = new LRUCache<string, readonly Place[]>({
    maxSize: keptPlaces,
    sizeCalculation: (places) => places.length + 1,
    ttl: keptMs,
  });
  private writes = 0;

  /** To be called after every write. */
  dropKept(): void {
    this.writes++;
    this.kept.clear();
  }

  async search(plan: EntityPlan, query: SearchQuery, context: ReadContext): Promise<SearchResult> {
    if (query.sort?.child !== undefined) throw unsortable(query.sort.field);
    const compiled = await compileFor(plan, query.filter, context);
    if (compiled.filter === nothing) return emptyResult(query.wantTotal);
    const isFirst = query.after === undefined && (query.offset ?? 0) === 0;
    if (isFirst && query.limit > 0 && query.filter !== undefined) {
      const direct = await searchDirectly(plan, query, compiled, context);
      if (direct !== undefined) return direct;
    }
    return this.searchBySweep(plan, query, compiled, context);
  }

  async *scan(plan: EntityPlan, query: ScanQuery, context: ReadContext): AsyncGenerator<BackendRecord> {
    const compiled = await compileFor(plan, query.filter, context);
    if (compiled.filter === nothing) return;
    if (query.sort === undefined && query.after === undefined) {
      const reading = planReading(plan, query, compiled);
      for await (const page of context.calls.pages(plan.entity, requestFor(plan, compiled, reading.read))) {
        yield* await matching(reading, page.entries, context);
      }
      return;
    }
    let { after } = query;
    do {
      const { after: _, ...rest } = query;
      const page: SearchResult = await this.searchBySweep(
        plan,
        { ...rest, limit: fetchSize, wantTotal: false, ...(after === undefined ? {} : { after }) },
        compiled,
        context,
      );
      yield* page.records;
      after = page.next;
    } while (after !== undefined);
  }

  private async searchBySweep(
    plan: EntityPlan,
    query: SearchQuery,
    compiled: CompiledFilter,
    context: ReadContext,
  ): Promise<SearchResult> {
    const isDescending = query.sort?.descending === true;
    const isContinued = query.after !== undefined || (query.offset ?? 0) > 0;
    const key = walkKey(plan, compiled, query.sort);
    const places =
      (isContinued ? this.kept.get(key) : undefined) ?? (await this.sweep(plan, query, compiled, key, context));
    const start = query.after === undefined ? (query.offset ?? 0) : indexAfter(places, query.after, isDescending);
    const total = query.wantTotal ? { total: places.length } : {};
    if (query.limit === 0) return { records: [], ...total };
    const { records, end } = await readPlaces(plan, query, places, start, context);
    const last = places[end - 1];
    const next = end < places.length && last !== undefined ? { next: printPosition(last, end) } : {};
    return { records, ...total, ...next };
  }

  private async sweep(
    plan: EntityPlan,
    { sort }: SearchQuery,
    compiled: CompiledFilter,
    key: string,
    context: ReadContext,
  ): Promise<readonly Place[]> {
    const { writes } = this;
    const reading = planReading(plan, { fields: [], ...(sort && { sort }) }, compiled);
    const places: Place[] = [];
    for await (const page of context.calls.pages(plan.entity, requestFor(plan, compiled, reading.read))) {
      for (const record of await toRecords(reading.read, page.entries, context)) {
        if (reading.matches(record)) places.push(placeOf(plan, record, sort));
      }
    }
    const isDescending = sort?.descending === true;
    places.sort((a, b) => comparePlaces(a, b, isDescending));
    if (writes === this.writes) this.kept.set(key, places);
    return places;
  }
}

/** Ids in the condition are looked up before it is compiled. */
export async function compileFor(
  plan: EntityPlan,
  condition: Condition | undefined,
  { plans, references, calls }: ReadContext,
): Promise<CompiledFilter> {
  const dns = new Map<string, ReadonlyMap<string, string>>();
  const wanted = new Map<FieldPlan, string[]>();
  for (const { field, id } of referencedIds(condition, plan)) wanted.set(field, [...(wanted.get(field) ?? []), id]);
  for (const [field, ids] of wanted) dns.set(field.name, await references.dnsOf(plans, field.targets, ids, calls));
  const compiled = compileFilter(condition, plan, (field, id) => dns.get(field.name)?.get(id));
  let { filter } = compiled;
  for (const field of wanted.keys()) {
    if (!hasPrimaryGroup(field, plan)) continue;
    const [groups] = field.targets.flatMap((target) => plans.get(target) ?? []);
    filter = await withPrimaryGroups(filter, groups, dns.get(field.name)?.values() ?? [], calls);
  }
  return { ...compiled, filter };
}

interface Reading {
  readonly read: ReadPlan;
  readonly matches: (record: BackendRecord) => boolean;
  /** The record with the fields asked for alone. */
  readonly shown: (record: BackendRecord) => BackendRecord;
}

function planReading(plan: EntityPlan, query: Pick<SearchQuery, 'fields' | 'sort'>, compiled: CompiledFilter): Reading {
  const { residual } = compiled;
  const extra = [
    ...(residual === undefined ? [] : pathsOf(residual)),
    ...(query.sort === undefined ? [] : [query.sort.field]),
  ].filter((name) => name !== '$id' && !query.fields.includes(name));
  const read = planRead(plan, [...query.fields, ...extra]);
  const matches =
    residual === undefined ? () => true : compileCondition(residual, (name) => comparisonOf(filterField(plan, name)));
  const shown = (record: BackendRecord): BackendRecord => {
    if (extra.length === 0) return record;
    return Object.fromEntries(Object.entries(record).filter(([name]) => !extra.includes(name)));
  };
  return { read, matches, shown };
}

function pathsOf(condition: Condition): readonly string[] {
  return [...new Set(pathsIn(condition))];
}

async function matching(reading: Reading, entries: Parameters<typeof toRecords>[1], context: ReadContext) {
  const records = await toRecords(reading.read, entries, context);
  return records.filter(reading.matches).map(reading.shown);
}

function requestFor(plan: EntityPlan, compiled: CompiledFilter, read: ReadPlan) {
  const filter = both([plan.filter, compiled.filter]);
  return { base: plan.base, scope: plan.scope, filter, attributes: read.attributes } as const;
}

/** The whole result in one page, or undefined when there is more. */
async function searchDirectly(
  plan: EntityPlan,
  query: SearchQuery,
  compiled: CompiledFilter,
  context: ReadContext,
): Promise<SearchResult | undefined> {
  const reading = planReading(plan, query, compiled);
  const size = Math.min(query.limit + 1, fetchSize);
  const request = requestFor(plan, compiled, reading.read);
  // Servers look an entry up sooner when they need not be ready to give pages.
  const page = await (isLookup(plan, query.filter)
    ? context.calls.search(plan.entity, { ...request, sizeLimit: size })
    : context.calls.firstPage(plan.entity, request, size));
  if (page.cookie !== undefined || page.limited) return undefined;
  const all = (await toRecords(reading.read, page.entries, context)).filter(reading.matches);
  const isDescending = query.sort?.descending === true;
  const placed = all.map((record) => ({ record, place: placeOf(plan, record, query.sort) }));
  placed.sort((a, b) => comparePlaces(a.place, b.place, isDescending));
  const [only, second] = page.entries;
  const id = all.length === 1 && second === undefined ? idOf(all[0] as BackendRecord) : undefined;
  // Whoever looks one up changes it next.
  if (only !== undefined && id !== undefined) context.references.remember(plan, { id, dn: only.dn });
  const given = placed.slice(0, query.limit);
  const last = given.at(-1);
  return {
    records: given.map(({ record }) => reading.shown(record)),
    ...(query.wantTotal ? { total: placed.length } : {}),
    ...(placed.length > given.length && last !== undefined ? { next: printPosition(last.place, given.length) } : {}),
  };
}

/** A condition that one entry meets at most. */
function isLookup(plan: EntityPlan, filter: Condition | undefined): boolean {
  return filter?.kind === 'compare' && filter.op === 'eq' && plan.fields.get(filter.path)?.use.unique === true;
}

/** Up to `limit` records from a place on. Those that have gone in the meantime are left out, and in a walk others follow. */
async function readPlaces(
  plan: EntityPlan,
  query: SearchQuery,
  places: readonly Place[],
  start: number,
  context: ReadContext,
): Promise<{ readonly records: readonly BackendRecord[]; readonly end: number }> {
  const read = planRead(plan, query.fields);
  const records: BackendRecord[] = [];
  let end = start;
  while (records.length < query.limit && end < places.length) {
    const wanted = Math.min(query.limit - records.length, fetchSize);
    const slice = places.slice(end, end + wanted);
    end += slice.length;
    const ids = slice.map(({ id }) => id);
    // Side by side: what has come is worked on while the server looks for the rest.
    const size = Math.max(smallestPart, Math.ceil(ids.length / parts));
    const reads: Promise<readonly BackendRecord[]>[] = [];
    for (let at = 0; at < ids.length; at += size) reads.push(readIds(read, ids.slice(at, at + size), context));
    for (const part of await Promise.all(reads)) records.push(...part);
    if (query.after === undefined && records.length < query.limit && end - start >= query.limit) break;
  }
  return { records, end: Math.min(Math.max(end, start), places.length) };
}

/** Records by their ids, in the order of the ids. */
export async function readIds(
  read: ReadPlan,
  ids: readonly string[],
  context: ReadContext,
): Promise<readonly BackendRecord[]> {
  const { plan } = read;
  const isBare = read.fields.length === 0 && read.reserved.size === 0;
  if (isBare) return ids.map((id) => ({ $id: id }));
  const filters = ids.flatMap((id): readonly LdapFilter[] => {
    const value = storedId(plan, id);
    return value === undefined ? [] : [{ kind: 'equality', attribute: plan.id.attribute, value }];
  });
  const filter = both([plan.filter, either(filters)]);
  const request = { base: plan.base, scope: plan.scope, filter, attributes: read.attributes } as const;
  const entries = await context.calls.all(plan.entity, request);
  const byId = new Map((await toRecords(read, entries, context)).map((record) => [idOf(record), record]));
  return ids.map((id) => byId.get(id)).filter((record) => record !== undefined);
}

function placeOf(plan: EntityPlan, record: BackendRecord, sort: Sort | undefined): Place {
  const id = idOf(record);
  if (sort === undefined || sort.field === '$id') return { id, key: sort === undefined ? undefined : id };
  const field = filterField(plan, sort.field);
  const [value] = [...scalarsOf(record, sort.field)].sort((a, b) => compareCodePoints(String(a), String(b)));
  return { id, key: value === undefined ? undefined : keyOf(comparisonOf(field), value) };
}

function walkKey(plan: EntityPlan, { filter, residual }: CompiledFilter, sort: Sort | undefined): string {
  return JSON.stringify([plan.entity, printFilter(filter), residual ?? null, sort ?? null]);
}

function emptyResult(wantTotal: boolean): SearchResult {
  return wantTotal ? { records: [], total: 0 } : { records: [] };
}

function unsortable(field: string): AdapterError {
  return new AdapterError('unsupported', `Records cannot be sorted by "${field}".`, { field });
}
