import { AdapterError } from '../../src/backend/adapter-error.js';
import { answerHeader, type HttpAnswer } from './client.js';
import { type Call, type Parameter, pathOf } from './exchange.js';
import { isList, type Json } from './json.js';
import { nextLinkOf } from './link-header.js';
import type { Listing } from './listing.js';
import { valueAt } from './pointer.js';
import type { Values } from './template.js';

/** What is listed: a listing with the values of its path and the parameters that select. */
export interface Query {
  readonly listing: Listing;
  readonly values: Values;
  readonly parameters: readonly Parameter[];
}

/** One answer of a listing. */
export interface Page {
  readonly items: readonly Json[];
  readonly total: number | undefined;
  /** What the next page is asked for with: a cursor, or the path and query of a link. */
  readonly next: string | undefined;
}

/**
 * Asks for one page by parameters.
 * @param parameters those of paging, beside those that select
 * @param isContinued one of them is a word of the target's own, from the page before
 */
export function askPage(
  query: Query,
  parameters: readonly Parameter[],
  call: Call,
  isContinued = false,
): Promise<Page> {
  const { listing, values } = query;
  const path = pathOf(listing.request, values, [...query.parameters, ...parameters]);
  // A value that can stand in no address names a list that there is not.
  if (path === undefined) return Promise.resolve({ items: [], total: 0, next: undefined });
  const isCallers = !isContinued && (query.parameters.length > 0 || Object.keys(values).length > 0);
  return fetchPage(listing, path, { isAbsolute: false, isCallers }, call);
}

/** Asks for the page that a link leads to. */
export function followLink({ listing }: Query, path: string, call: Call): Promise<Page> {
  return fetchPage(listing, call.client.pathOfLink(path, path), { isAbsolute: true, isCallers: false }, call);
}

/** @param isCallers the request holds values of whoever asked, at which the target may take offence */
async function fetchPage(
  listing: Listing,
  path: string,
  { isAbsolute, isCallers }: { readonly isAbsolute: boolean; readonly isCallers: boolean },
  call: Call,
): Promise<Page> {
  const { method, text: operation } = listing.request;
  let answer: HttpAnswer;
  try {
    answer = await call.client.send(
      { method, path, isAbsolute, operation, isWrite: false, needsBody: true },
      call.context,
    );
  } catch (error) {
    throw listError(error, operation, isCallers);
  }
  const items = valueAt(answer.body, listing.records);
  if (!isList(items)) {
    throw strange(
      operation,
      listing.records.length === 0 ? 'is no list' : `has no list at "/${listing.records.join('/')}"`,
    );
  }
  const from = isAbsolute ? path : `${call.client.basePath}${path}`;
  const total = totalIn(listing, answer) ?? (listing.paging.kind === 'none' ? items.length : undefined);
  return { items, total, next: nextIn(listing, answer, from, call) };
}

/** What a refused list means: nobody who asked did anything wrong where nothing of what they said was sent. */
function listError(error: unknown, operation: string, isCallers: boolean): unknown {
  if (!(error instanceof AdapterError)) return error;
  if (!isCallers && ['rejected', 'conflict', 'revisionMismatch'].includes(error.kind)) {
    return new AdapterError('unavailable', error.message, { cause: error });
  }
  if (error.kind !== 'notFound') return error;
  // A list that is missing is a wrong address, not a list of nothing.
  return new AdapterError('unavailable', `There is no such list: ${operation} was answered with 404 or 410.`, {
    cause: error,
  });
}

/** A total that is declared and not there must not be taken for none: callers would stop after the first page. */
function totalIn({ total, request }: Listing, answer: HttpAnswer): number | undefined {
  if (total === undefined) return undefined;
  const value = 'header' in total ? answerHeader(answer, total.header) : valueAt(answer.body, total.pointer);
  const number = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw strange(request.text, 'does not say how many there are where "total" says it does');
}

function nextIn({ paging, request }: Listing, answer: HttpAnswer, from: string, { client }: Call): string | undefined {
  switch (paging.kind) {
    case 'cursor':
      return nextText(valueAt(answer.body, paging.next), request.text);
    case 'nextUrl': {
      const next = nextText(valueAt(answer.body, paging.next), request.text);
      return next === undefined ? undefined : client.pathOfLink(next, from);
    }
    case 'link': {
      const next = nextLinkOf(answer.headers.link);
      if (next === 'malformed') throw strange(request.text, 'has a header Link that cannot be read');
      return next.target === undefined ? undefined : client.pathOfLink(next.target, from);
    }
    default:
      return undefined;
  }
}

/** Nothing, null, false and an empty text are the end; what cannot be understood is not taken for it. */
function nextText(next: Json | undefined, operation: string): string | undefined {
  if (next === undefined || next === null || next === false || next === '') return undefined;
  if (typeof next === 'string' || typeof next === 'number') return String(next);
  throw strange(operation, 'names the next page by something else than text');
}

function strange(operation: string, what: string): AdapterError {
  return new AdapterError('unavailable', `The answer to ${operation} ${what}.`);
}
