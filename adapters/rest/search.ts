import type { BackendRecord, SearchQuery, SearchResult } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { mapConcurrently } from './concurrency.js';
import { idIn } from './document.js';
import type { EntityPlan } from './entity-plan.js';
import type { Json } from './json.js';
import type { Query } from './page.js';
import { type Position, parsePosition, printPosition, startPosition } from './position.js';
import { planQuery, type QueryPlan, sortParameters } from './query.js';
import { completeRecords, type Found, readDocument, selection, type Work } from './read.js';
import { type WalkedPage, walk } from './walk.js';

export type ScanQuery = Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>;

/** One page. @throws AdapterError `unsupported` for what the target cannot do */
export async function searchRecords(plan: EntityPlan, query: SearchQuery, work: Work): Promise<SearchResult> {
  const from = query.after === undefined ? startPosition : parsePosition(query.after);
  const planned = planQuery(plan, query.filter);
  if (planned.isNever) return { records: [], ...(query.wantTotal ? { total: 0 } : {}) };
  if (planned.id !== undefined) return searchById(plan, planned.id, planned, query, work);
  const listed = listedQuery(plan, planned, query);
  if (query.limit === 0) return totalAlone(plan, listed, planned, query, work);
  // Where all matches are counted here anyway, or the target cannot begin in the middle, the first are passed over.
  const isWindow = ['page', 'offset'].includes(plan.listing.paging.kind);
  const offset = query.after === undefined ? (query.offset ?? 0) : 0;
  const jumps = offset > 0 && isWindow && planned.verify === undefined;
  const start = jumps ? { offset, marks: [] } : from;
  return collect(plan, listed, planned, query, { start, skipped: jumps ? 0 : offset }, work);
}

interface Start {
  readonly start: Position;
  /** So many matches are passed over. */
  readonly skipped: number;
}

async function collect(
  plan: EntityPlan,
  listed: Query,
  planned: QueryPlan,
  query: SearchQuery,
  { start, skipped }: Start,
  work: Work,
): Promise<SearchResult> {
  const records: BackendRecord[] = [];
  const { limit, wantTotal, fields } = query;
  const countsHere = wantTotal && planned.verify !== undefined && query.after === undefined;
  const wanted = planned.verify === undefined ? limit + skipped : Number.POSITIVE_INFINITY;
  const seen = new Set<string>();
  let matches = 0;
  let total: number | undefined;
  /** Worked out once, since it looks at all records before it. */
  let next: (() => Position | undefined) | undefined;
  for await (const page of walk(listed, walkOptions(plan, planned, start, wanted), work)) {
    total = page.total ?? total;
    const chosen = await matching(plan, planned, page, [...fields, ...planned.verified], seen, work);
    for (const { index, record } of chosen) {
      matches += 1;
      if (matches <= skipped || records.length >= limit) continue;
      records.push(record);
      next = () => page.after(index);
    }
    if (records.length >= limit && !countsHere) break;
    if (records.length < limit) next = undefined;
  }
  const given = records.map((record) => withFields(record, fields));
  const counted =
    planned.verify === undefined ? total : countsHere ? matches : await countLater(plan, planned, query, work);
  const position = records.length < limit ? undefined : next?.();
  return {
    records: given,
    ...(wantTotal && counted !== undefined ? { total: counted } : {}),
    ...(position === undefined ? {} : { next: printPosition(position) }),
  };
}

/** On a later page what came before has to be counted too. */
async function countLater(plan: EntityPlan, planned: QueryPlan, query: SearchQuery, work: Work) {
  if (!query.wantTotal) return undefined;
  const counting = { ...query, fields: [] };
  return (await totalAlone(plan, listedQuery(plan, planned, counting), planned, counting, work)).total;
}

/** Everything that matches, page by page. */
export async function* scanRecords(
  plan: EntityPlan,
  query: ScanQuery,
  work: Work,
): AsyncGenerator<BackendRecord, void, undefined> {
  const start = query.after === undefined ? startPosition : parsePosition(query.after);
  const planned = planQuery(plan, query.filter);
  if (planned.isNever) return;
  if (planned.id !== undefined) {
    yield* (await searchById(plan, planned.id, planned, { ...query, limit: 1, wantTotal: false }, work)).records;
    return;
  }
  const listed = listedQuery(plan, planned, query);
  let seen = new Set<string>();
  for await (const page of walk(listed, walkOptions(plan, planned, start, Number.POSITIVE_INFINITY), work)) {
    const before = seen;
    // What moves between pages moves by little: two pages are remembered.
    seen = new Set<string>();
    const fields = [...query.fields, ...planned.verified];
    for (const { record } of await matching(plan, planned, page, fields, seen, work)) {
      if (!before.has(String(record.$id))) yield withFields(record, query.fields);
    }
  }
}

/** All records of a page. */
export async function completeListed(
  plan: EntityPlan,
  page: WalkedPage,
  fields: readonly string[],
  work: Work,
): Promise<readonly BackendRecord[]> {
  const all: QueryPlan = planQuery(plan, undefined);
  return (await matching(plan, all, page, fields, new Set(), work)).map(({ record }) => record);
}

function listedQuery(plan: EntityPlan, planned: QueryPlan, query: ScanQuery): Query {
  const fields = [...query.fields, ...planned.verified];
  const parameters = [
    ...planned.parameters,
    ...sortParameters(plan, query.sort),
    ...(readsEach(plan, fields) ? [] : selection(plan, fields)),
  ];
  return { listing: plan.listing, values: {}, parameters };
}

function walkOptions(plan: EntityPlan, planned: QueryPlan, from: Position, wanted: number) {
  const idOf = (item: Json): string => idIn(plan, item) ?? JSON.stringify(item);
  return { from, wanted, endsShort: planned.isUnique, idOf };
}

interface Chosen {
  /** In its page. */
  readonly index: number;
  readonly record: BackendRecord;
}

/** The records of a page that meet the condition and were not seen before. */
async function matching(
  plan: EntityPlan,
  planned: QueryPlan,
  page: WalkedPage,
  fields: readonly string[],
  seen: Set<string>,
  work: Work,
): Promise<readonly Chosen[]> {
  const fresh = page.items.flatMap((json, index) => {
    const id = idIn(plan, json);
    if (id === undefined) throw withoutId(plan);
    if (seen.has(id)) return [];
    seen.add(id);
    return [{ index, id, document: { json } }];
  });
  const whole = readsEach(plan, fields) ? await readEach(plan, fresh, fields, work) : fresh;
  const records = await completeRecords(plan, whole, [...new Set(fields)], work);
  const { verify } = planned;
  return records.flatMap((record, at): readonly Chosen[] => {
    const index = whole[at]?.index;
    return index === undefined || verify?.(record) === false ? [] : [{ index, record }];
  });
}

/** Listed records are shortened, and do not show all that is wanted. */
function readsEach({ shows }: EntityPlan, fields: readonly string[]): boolean {
  return shows !== undefined && fields.some((field) => !field.startsWith('$') && !shows.has(field));
}

async function readEach<T extends Found>(
  plan: EntityPlan,
  found: readonly T[],
  fields: readonly string[],
  work: Work,
): Promise<readonly T[]> {
  const read = await mapConcurrently(found, async (one): Promise<T | undefined> => {
    const document = await readDocument(plan, one.id, fields, work);
    return document === undefined ? undefined : { ...one, document };
  });
  return read.filter((one) => one !== undefined);
}

async function searchById(
  plan: EntityPlan,
  id: string,
  planned: QueryPlan,
  query: Pick<SearchQuery, 'fields' | 'limit' | 'offset' | 'after' | 'wantTotal'>,
  work: Work,
): Promise<SearchResult> {
  const fields = [...new Set([...query.fields, ...planned.verified])];
  const document = await readDocument(plan, id, fields, work);
  const records = document === undefined ? [] : await completeRecords(plan, [{ id, document }], fields, work);
  const matches = records.filter((record) => planned.verify?.(record) !== false);
  const isPast = query.limit === 0 || (query.offset ?? 0) > 0 || query.after !== undefined;
  return {
    records: isPast ? [] : matches.map((record) => withFields(record, query.fields)),
    ...(query.wantTotal ? { total: matches.length } : {}),
  };
}

async function totalAlone(
  plan: EntityPlan,
  listed: Query,
  planned: QueryPlan,
  query: SearchQuery,
  work: Work,
): Promise<SearchResult> {
  if (!query.wantTotal) return { records: [] };
  const isCounted = planned.verify !== undefined || plan.listing.total === undefined;
  let count = 0;
  const wanted = isCounted ? Number.POSITIVE_INFINITY : 1;
  const seen = new Set<string>();
  for await (const page of walk(listed, walkOptions(plan, planned, startPosition, wanted), work)) {
    if (!isCounted && page.total !== undefined) return { records: [], total: page.total };
    count += (await matching(plan, planned, page, planned.verified, seen, work)).length;
  }
  return { records: [], total: count };
}

function withFields(record: BackendRecord, fields: readonly string[]): BackendRecord {
  const wanted = new Set(fields);
  const entries = Object.entries(record).filter(([name]) => name === '$id' || wanted.has(name));
  return Object.fromEntries(entries);
}

function withoutId({ entity, listing }: EntityPlan): AdapterError {
  const reason = 'The backend lists records without an id where the configuration says it is.';
  return new AdapterError('unsupported', `A record of "${entity}" in ${listing.request.text} has no id.`, { reason });
}
