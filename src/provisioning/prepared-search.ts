import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { BackendRecord, Sort } from '../backend/adapter.js';
import { type AttributePlan, fieldsOf } from '../mapping/plan.js';
import type { SplitFilter, StoredId } from '../mapping/push-down.js';
import { referenceIdsIn } from '../mapping/push-down.js';
import { leafOf, type ResolvedFilter, type ResolvedPath, resolvePath } from '../scim/attribute-path.js';
import { asComplex, readAttribute } from '../scim/attribute-value.js';
import { type ComparisonKey, compareKeys, keyOf } from '../scim/comparison.js';
import { ScimError } from '../scim/error.js';
import { always, isAlways, isNever, pathsIn } from '../scim/filter.js';
import { compileFilter } from '../scim/filter-evaluate.js';
import { parseFilter } from '../scim/filter-parser.js';
import { printFilter } from '../scim/filter-printer.js';
import { resolveFilter } from '../scim/filter-resolve.js';
import type { Projection } from '../scim/projection.js';
import { type Attribute, type JsonValue, type Resource, subAttribute } from '../scim/schema.js';
import { presentRecords, type UseCase } from './resource-answers.js';
import type { RequestContext, SearchRequest } from './service.js';
import { filterLimits, operationContext, type TypeRuntime, withCommon } from './type-runtime.js';

/** One page, and how many resources match in all. */
export interface Page {
  readonly resources: readonly Resource[];
  readonly total: number;
  /** Where the next page starts, in the adapter's own words. */
  readonly next: string | undefined;
}

/** A resource with what it is sorted by, for merging several types. */
export interface SortableResource {
  readonly resource: Resource;
  readonly key: ComparisonKey | undefined;
}

/** A query held against one resource type: what the backend does of it, and what is left to do here. */
export interface PreparedSearch {
  /** Text that is equal for equal queries of this type. Most answers are whole, and do without it. */
  readonly identity: () => string;
  /** True when the adapter pages by itself. False: every page is cut from a bounded scan. */
  readonly isNative: boolean;
  page(offset: number, limit: number, projection: Projection, context: RequestContext): Promise<Page>;
  /** Only when `isNative`. */
  pageAfter(after: string | undefined, limit: number, projection: Projection, context: RequestContext): Promise<Page>;
  /** All matches, at most the scan limit, with their sort keys. */
  all(projection: Projection, context: RequestContext): Promise<readonly SortableResource[]>;
}

/** Records read at a time while scanning: enough to look references up in batches, little enough for memory. */
const scanBatch = 500;
/**
 * Where a caller's index pages ended lately, so that its walk by startIndex goes on from there instead of skipping again.
 * Not for long: whoever asks for a place much later means the place, and not what stood there.
 */
const positions = new LRUCache<string, string>({ max: 10_000, ttl: 60_000 });

/**
 * Parses, checks and splits a query.
 * @param mode `absent`: attributes that the type lacks or does not map count as without value (queries on the root)
 * @throws ScimError invalidFilter, invalidPath, invalidValue
 */
export async function prepareSearch(
  useCase: UseCase,
  request: Pick<SearchRequest, 'filter' | 'sortBy' | 'sortOrder'>,
  mode: 'reject' | 'absent',
  context: RequestContext,
): Promise<PreparedSearch> {
  const { runtime, references } = useCase;
  const { plan, type, dialect, limits } = runtime;
  const pushDown = runtime.pushDown();
  const filter =
    request.filter === undefined
      ? undefined
      : resolveFilter(parseFilter(request.filter, dialect, filterLimits(limits)), type, {
          dialect,
          unknown: mode,
        });
  const split = filter === undefined ? everything : await splitFilter(useCase, filter, mode, context);
  const descending = isDescending(request.sortOrder);
  const sortPath = request.sortBy === undefined ? undefined : resolveSortPath(runtime, request.sortBy, mode);
  const sort = sortPath === undefined ? undefined : pushDown.sort(sortPath, descending);
  const sortsHere = sortPath !== undefined && sort === undefined;
  const { offset, total } = runtime.capabilities();
  const isNative = split.residual === undefined && !sortsHere && offset && total;
  const identity = (): string =>
    JSON.stringify([type.name, plan.fingerprint, request.filter ?? null, request.sortBy ?? null, descending]);
  const query: Query = { useCase, references, split, sort, sortPath, descending, sortsHere, identity };
  return {
    identity,
    isNative,
    page: (skip, limit, projection, ctx) =>
      isNative ? nativePage(query, skip, limit, projection, ctx) : scannedPage(query, skip, limit, projection, ctx),
    pageAfter: (after, limit, projection, ctx) => pageFrom(query, { after }, limit, projection, ctx),
    all: (projection, ctx) => scanAll(query, projection, ctx),
  };
}

const everything: SplitFilter = { pushed: always, residual: undefined };

interface Query {
  readonly useCase: UseCase;
  readonly references: UseCase['references'];
  readonly split: SplitFilter;
  readonly sort: Sort | undefined;
  readonly sortPath: ResolvedPath | undefined;
  readonly descending: boolean;
  readonly sortsHere: boolean;
  readonly identity: () => string;
}

async function splitFilter(
  { runtime, references }: UseCase,
  filter: ResolvedFilter,
  mode: 'reject' | 'absent',
  context: RequestContext,
): Promise<SplitFilter> {
  const ids = referenceIdsIn(filter, runtime.plan);
  const stores = ids.length === 0 ? undefined : await references.storeView(ids, context);
  const storedId: StoredId = (reference, id) => {
    const sought = stores?.sought(reference, id);
    return sought === undefined ? [] : [sought];
  };
  return runtime.pushDown().split(filter, storedId, mode);
}

function isDescending(sortOrder: string | undefined): boolean {
  if (sortOrder === undefined || sortOrder === '') return false;
  const lower = sortOrder.toLowerCase();
  if (lower !== 'ascending' && lower !== 'descending') {
    throw ScimError.badRequest('invalidValue', '"sortOrder" is "ascending" or "descending".');
  }
  return lower === 'descending';
}

function resolveSortPath(runtime: TypeRuntime, text: string, mode: 'reject' | 'absent'): ResolvedPath | undefined {
  const resolution = resolvePath(runtime.type, text.trim());
  if (resolution.kind !== 'attribute') {
    if (mode === 'absent') return undefined;
    throw ScimError.badRequest('invalidPath', `"sortBy" names no attribute of ${runtime.type.name}.`);
  }
  const { attribute, sub } = resolution.path;
  const effective =
    sub ?? (attribute.multiValued && attribute.type === 'complex' ? subAttribute(attribute, 'value') : undefined);
  if (attribute.type === 'complex' && effective === undefined) {
    throw ScimError.badRequest(
      'invalidPath',
      `"${attribute.path}" is complex; name the part to sort by, such as ${attribute.path}.${attribute.subAttributes[0]?.name}.`,
    );
  }
  if (leafOf({ attribute, sub: effective }).returned === 'never') {
    throw ScimError.badRequest('invalidPath', `"${attribute.path}" cannot be sorted by.`);
  }
  const isCommon = attribute.path === 'id' || attribute.path === 'meta' || attribute.path === 'schemas';
  if (!isCommon && !isReadHere(runtime, attribute)) {
    if (mode === 'absent') return undefined;
    throw ScimError.badRequest(
      'invalidPath',
      `"${attribute.path}" is not mapped for ${runtime.type.name}, so it cannot be sorted by. Add a rule for it to the mapping.`,
    );
  }
  return { attribute, sub: effective };
}

function hasConstants(attributePlan: AttributePlan): boolean {
  return attributePlan.kind === 'complex' && attributePlan.constants.length > 0;
}

/** An attribute that is only written has an order that nobody may learn. */
function isReadHere({ plan }: TypeRuntime, attribute: Attribute): boolean {
  const attributePlan = plan.byPath.get(attribute.path);
  if (attributePlan !== undefined && (fieldsOf(attributePlan).length > 0 || hasConstants(attributePlan))) return true;
  return plan.constants.some((constant) => constant.attribute === attribute);
}

/** A page by index: from where the page before ended, when that is known, else by skipping. */
async function nativePage(
  query: Query,
  offset: number,
  limit: number,
  projection: Projection,
  context: RequestContext,
): Promise<Page> {
  const after = offset === 0 ? undefined : positions.get(positionKey(query, offset, context));
  const page = await pageFrom(query, after === undefined ? { offset } : { after }, limit, projection, context);
  if (page.next !== undefined && page.resources.length > 0) {
    positions.set(positionKey(query, offset + page.resources.length, context), page.next);
  }
  return page;
}

function positionKey(query: Query, offset: number, context: RequestContext): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([context.baseUrl, context.caller.id, query.identity()]))
    .digest('base64url');
  return `${hash}:${offset}`;
}

async function pageFrom(
  { useCase, split, sort }: Query,
  from: { readonly offset?: number; readonly after?: string | undefined },
  limit: number,
  projection: Projection,
  context: RequestContext,
): Promise<Page> {
  const { runtime } = useCase;
  if (isNever(split.pushed)) return { resources: [], total: 0, next: undefined };
  const result = await runtime.adapter.search(
    {
      entity: runtime.entity,
      fields: limit === 0 ? [] : runtime.reader.fieldsFor(projection),
      limit,
      wantTotal: true,
      ...(isAlways(split.pushed) ? {} : { filter: split.pushed }),
      ...(sort === undefined ? {} : { sort }),
      ...(from.after === undefined ? { offset: from.offset ?? 0 } : { after: from.after }),
    },
    operationContext(context),
  );
  const resources = await presentRecords(useCase, result.records, projection, context);
  return { resources, total: result.total ?? resources.length, next: result.next };
}

/** A page cut from everything that matches, for what the backend cannot do by itself. */
async function scannedPage(
  query: Query,
  offset: number,
  limit: number,
  projection: Projection,
  context: RequestContext,
): Promise<Page> {
  const matches = await scanMatches(query, projection, context);
  const records = matches.slice(offset, offset + limit).map((match) => match.record);
  const resources = await presentRecords(query.useCase, records, projection, context);
  return { resources, total: matches.length, next: undefined };
}

async function scanAll(
  query: Query,
  projection: Projection,
  context: RequestContext,
): Promise<readonly SortableResource[]> {
  const matches = await scanMatches(query, projection, context);
  const resources = await presentRecords(
    query.useCase,
    matches.map((match) => match.record),
    projection,
    context,
  );
  return resources.map((resource, index) => ({ resource, key: matches[index]?.key }));
}

interface Match {
  readonly record: BackendRecord;
  readonly key: ComparisonKey | undefined;
}

/**
 * Reads what the pushed condition selects, evaluates the rest, sorts if need be.
 * @throws ScimError tooMany when more records than the scan limit would have to be read; it names the part
 */
async function scanMatches(query: Query, projection: Projection, context: RequestContext): Promise<readonly Match[]> {
  const { useCase, split, sort, sortPath } = query;
  const { runtime } = useCase;
  if (isNever(split.pushed)) return [];
  const wants = wantedForScan(query, projection);
  const matches: Match[] = [];
  let read = 0;
  let batch: BackendRecord[] = [];
  const flush = async (): Promise<void> => {
    for (const match of await evaluateBatch(query, batch, wants, context)) matches.push(match);
    batch = [];
  };
  const scan = runtime.adapter.scan(
    {
      entity: runtime.entity,
      fields: runtime.reader.fieldsFor({ wants, wantsSub: () => true, everything: false }),
      ...(isAlways(split.pushed) ? {} : { filter: split.pushed }),
      ...(sort === undefined ? {} : { sort }),
    },
    operationContext(context),
  );
  for await (const record of scan) {
    read += 1;
    if (read > runtime.limits.scanLimit) throw tooMany(query);
    batch.push(record);
    if (batch.length >= scanBatch) await flush();
  }
  await flush();
  return query.sortsHere && sortPath !== undefined ? sortMatches(matches, query.descending) : matches;
}

function tooMany({ useCase, split, sortsHere, sortPath }: Query): ScimError {
  const part =
    split.residual !== undefined
      ? `the condition ${printFilter(split.residual)}`
      : sortsHere && sortPath !== undefined
        ? `sorting by ${leafOf(sortPath).path}`
        : 'this query';
  return ScimError.badRequest(
    'tooMany',
    `The backend cannot do ${part} by itself, and more than ${useCase.runtime.limits.scanLimit} resources would have to be read for it. Narrow the filter.`,
  );
}

/** Attributes to read while scanning: those asked for, those compared, that sorted by. */
function wantedForScan({ split, sortPath }: Query, projection: Projection): (attribute: Attribute) => boolean {
  const compared = new Set((split.residual === undefined ? [] : pathsIn(split.residual)).map((path) => path.attribute));
  if (sortPath !== undefined) compared.add(sortPath.attribute);
  // `schemas` depends on which extensions have values, so everything is read for it.
  const needsAll = [...compared].some((attribute) => attribute.path === 'schemas');
  return needsAll ? () => true : (attribute) => compared.has(attribute) || projection.wants(attribute);
}

async function evaluateBatch(
  { useCase, split, sortPath }: Query,
  batch: readonly BackendRecord[],
  wants: (attribute: Attribute) => boolean,
  context: RequestContext,
): Promise<readonly Match[]> {
  const { runtime, references } = useCase;
  if (batch.length === 0) return [];
  if (split.residual === undefined && sortPath === undefined)
    return batch.map((record) => ({ record, key: undefined }));
  const pushDown = runtime.pushDown();
  const view = await references.view(runtime.reader.references(batch, wants), context);
  const matches = split.residual === undefined ? () => true : compileFilter(split.residual, pushDown.comparisonFor);
  return batch.flatMap((record) => {
    const resource = withCommon(runtime, record, runtime.reader.read(record, wants, view), context);
    if (!matches(resource)) return [];
    return [{ record, key: sortPath === undefined ? undefined : sortKey(resource, sortPath, runtime) }];
  });
}

/** The value that a resource is sorted by: of a multi-valued attribute the primary one, else the first (RFC 7644 §3.4.2.3). */
function sortKey(
  resource: Resource,
  { attribute, sub }: ResolvedPath,
  runtime: TypeRuntime,
): ComparisonKey | undefined {
  const value = readAttribute(resource, attribute);
  const elements = Array.isArray(value) ? (value as readonly JsonValue[]) : value === undefined ? [] : [value];
  const chosen = elements.find((element) => asComplex(element).primary === true) ?? elements[0];
  const leaf = sub === undefined ? chosen : asComplex(chosen)[sub.name];
  return keyOf(runtime.pushDown().comparisonFor(sub ?? attribute), leaf);
}

/** Without a value: last ascending, first descending. Equal keys keep their order. */
export function sortMatches<T extends { readonly key: ComparisonKey | undefined }>(
  matches: readonly T[],
  descending: boolean,
): readonly T[] {
  const sign = descending ? -1 : 1;
  return [...matches].sort((a, b) => {
    if (a.key === undefined || b.key === undefined) return a.key === b.key ? 0 : a.key === undefined ? sign : -sign;
    return sign * compareKeys(a.key, b.key);
  });
}
