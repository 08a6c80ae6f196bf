import { ScimError } from '../scim/error.js';
import type { Filter } from '../scim/filter.js';
import { parseFilter } from '../scim/filter-parser.js';
import type { Resource } from '../scim/schema.js';
import type { CursorPosition, CursorScope, Cursors } from './cursor.js';
import { listResponse } from './list-response.js';
import { type PreparedSearch, prepareSearch, sortMatches } from './prepared-search.js';
import { projectionOf, type UseCase } from './resource-answers.js';
import type { RequestContext, SearchRequest } from './service.js';
import { filterLimits, type TypeRuntime } from './type-runtime.js';

export interface SearchOptions {
  readonly gateway: string;
  readonly cursors: Cursors;
  readonly defaultPagination: 'index' | 'cursor';
}

interface Paging {
  readonly kind: 'index' | 'cursor';
  /** 0-based, for index pages. */
  readonly offset: number;
  /** Undefined: the caller names none. */
  readonly count: number | undefined;
  /** The cursor as it came; '' or undefined: the first page. */
  readonly cursor: string | undefined;
}

/**
 * A query on one resource type.
 * @see RFC 7644 §3.4.2, RFC 9865 §2
 */
export async function searchType(
  useCase: UseCase,
  request: SearchRequest,
  options: SearchOptions,
  context: RequestContext,
): Promise<Resource> {
  const { runtime } = useCase;
  checkListing(runtime, request);
  const paging = pagingOf(request, runtime, options);
  const projection = projectionOf(runtime, request);
  const search = await prepareSearch(useCase, request, 'reject', context);
  const source: Source = {
    identity: search.identity,
    name: runtime.type.name,
    isNative: search.isNative,
    page: (offset, limit) => search.page(offset, limit, projection, context),
    pageAfter: (after, limit) => search.pageAfter(after, limit, projection, context),
  };
  return answer(source, paging, runtime, options, context);
}

/** What pages come from: one type's search, or several types' one after the other. */
interface Source {
  readonly identity: () => string;
  readonly name: string;
  readonly isNative: boolean;
  page(offset: number, limit: number): ReturnType<PreparedSearch['page']>;
  pageAfter(after: string | undefined, limit: number): ReturnType<PreparedSearch['pageAfter']>;
}

async function answer(
  source: Source,
  paging: Paging,
  runtime: TypeRuntime,
  options: SearchOptions,
  context: RequestContext,
): Promise<Resource> {
  const { maxResults, defaultResults } = runtime.limits;
  const count = Math.min(paging.count ?? defaultResults, maxResults);
  if (paging.kind === 'index') {
    const { resources, total } = await source.page(paging.offset, count);
    return listResponse({ resources, total, startIndex: paging.offset + 1 });
  }
  const scope: CursorScope = {
    gateway: options.gateway,
    type: source.name,
    caller: context.caller.id,
    query: source.identity(),
  };
  const asked = paging.count === undefined ? undefined : count;
  const opened =
    paging.cursor === undefined || paging.cursor === ''
      ? { count, position: {} }
      : options.cursors.open(scope, paging.cursor, asked);
  return cursorPage(source, scope, opened, options.cursors);
}

async function cursorPage(
  source: Source,
  scope: CursorScope,
  { count, position }: { readonly count: number; readonly position: CursorPosition },
  cursors: Cursors,
): Promise<Resource> {
  const offset = position.offset ?? 0;
  // A page may have come from a replica, or from a time, that knew less of what the backend does, or more: then only the
  // offset says where it ended.
  const isByPosition = source.isNative && (position.after !== undefined || offset === 0);
  const page = isByPosition ? await source.pageAfter(position.after, count) : await source.page(offset, count);
  const { resources, total, next: after } = page;
  const end = offset + resources.length;
  const hasMore = resources.length > 0 && (source.isNative ? after !== undefined : end < total);
  const next: CursorPosition = source.isNative && after !== undefined ? { after, offset: end } : { offset: end };
  return listResponse({ resources, total, ...(hasMore ? { nextCursor: cursors.issue(scope, count, next) } : {}) });
}

/** @throws ScimError invalidValue when both ways of paging are asked for */
function pagingOf(request: SearchRequest, { limits }: TypeRuntime, { defaultPagination }: SearchOptions): Paging {
  if (request.cursor !== undefined && request.startIndex !== undefined) {
    throw ScimError.badRequest('invalidValue', 'Give "cursor" or "startIndex", not both.');
  }
  const count = request.count === undefined ? undefined : Math.min(Math.max(0, request.count), limits.maxResults);
  const kind = request.cursor !== undefined ? 'cursor' : request.startIndex !== undefined ? 'index' : defaultPagination;
  return { kind, offset: Math.max(1, request.startIndex ?? 1) - 1, count, cursor: request.cursor };
}

/** @throws ScimError 501 when the mapping switches listing off */
function checkListing({ operations, type, dialect, limits }: TypeRuntime, { filter }: SearchRequest): void {
  if (operations.list === true) return;
  if (
    operations.list === 'lookup' &&
    filter !== undefined &&
    isLookup(parseFilter(filter, dialect, filterLimits(limits)))
  )
    return;
  throw ScimError.notImplemented(
    operations.list === 'lookup'
      ? `Only look-ups with "eq" are offered for ${type.name} in this gateway ("operations" of its mapping).`
      : `Listing is switched off for ${type.name} in this gateway ("operations" of its mapping).`,
  );
}

function isLookup<P>(filter: Filter<P>): boolean {
  if (filter.kind === 'compare') return filter.op === 'eq';
  if (filter.kind === 'and') return filter.operands.some(isLookup);
  if (filter.kind === 'or') return filter.operands.length > 0 && filter.operands.every(isLookup);
  return filter.kind === 'valuePath' && isLookup(filter.filter);
}

/**
 * A query on the root: all types one after the other; an attribute that a type lacks counts as without value.
 * @see RFC 7644 §3.4.2.1
 */
export async function searchRoot(
  useCases: readonly UseCase[],
  request: SearchRequest,
  options: SearchOptions,
  context: RequestContext,
): Promise<Resource> {
  const listed = useCases.filter(({ runtime }) => runtime.operations.list === true);
  const [first] = listed;
  if (first === undefined) throw ScimError.notImplemented('No resource type of this gateway can be listed.');
  const paging = pagingOf(request, first.runtime, options);
  const parts = await Promise.all(
    listed.map(async (useCase) => ({
      search: await prepareSearch(useCase, request, 'absent', context),
      projection: projectionOf(useCase.runtime, request),
    })),
  );
  const isSorted = request.sortBy !== undefined;
  const source: Source = {
    identity: () => JSON.stringify(parts.map(({ search }) => search.identity())),
    name: '',
    isNative: false,
    pageAfter: () => Promise.reject(new Error('A query on the root pages by offset.')),
    page: isSorted
      ? async (offset, limit) => {
          const all = (
            await Promise.all(parts.map(({ search, projection }) => search.all(projection, context)))
          ).flat();
          const sorted = sortMatches(all, request.sortOrder?.toLowerCase() === 'descending');
          return {
            resources: sorted.slice(offset, offset + limit).map(({ resource }) => resource),
            total: all.length,
            next: undefined,
          };
        }
      : (offset, limit) => concatenatedPage(parts, offset, limit, context),
  };
  return answer(source, paging, first.runtime, options, context);
}

async function concatenatedPage(
  parts: readonly { readonly search: PreparedSearch; readonly projection: ReturnType<typeof projectionOf> }[],
  offset: number,
  limit: number,
  context: RequestContext,
): ReturnType<PreparedSearch['page']> {
  const resources: Resource[] = [];
  let total = 0;
  for (const { search, projection } of parts) {
    const skip = Math.max(0, offset - total);
    const page = await search.page(skip, limit - resources.length, projection, context);
    resources.push(...page.resources);
    total += page.total;
  }
  return { resources, total, next: undefined };
}
