import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Call } from './exchange.js';
import type { Json } from './json.js';
import { askPage, followLink, type Page, type Query } from './page.js';
import { markOf, marksAfter, type Position, withTrail } from './position.js';
import type { WalkedPage, WalkOptions } from './walk.js';

/** Stores that select after they have read give pages with nothing in them; so many in a row are not believed. */
const maxEmpty = 100;

/** Pages of which each one names the next: cursors, links, and the single page of lists that have none. */
export async function* forwardPages(
  query: Query,
  options: WalkOptions,
  call: Call,
): AsyncGenerator<WalkedPage, void, undefined> {
  const { from, idOf } = options;
  let { token, skip = 0, offset, marks } = from;
  let trail = from.trail ?? [];
  const seen = new Set<string | undefined>();
  const size = from.size ?? Math.max(1, Math.min(options.wanted, query.listing.size.max));
  let empty = 0;
  for (;;) {
    if (seen.has(token) || (trail.includes(markOf(token ?? '')) && skip === 0)) throw circle();
    seen.add(token);
    const page = await fetchAt(query, token, size, call);
    const start = startIn(page, skip, marks, idOf);
    if (start === undefined && page.next !== undefined) {
      // All of it was given already, or is to be skipped.
      skip = Math.max(0, skip - page.items.length);
      trail = withTrail(trail, token);
      token = page.next;
      continue;
    }
    const items = start === undefined ? [] : page.items.slice(start);
    // Of the pages before some may be gone by now.
    if (page.total !== undefined && page.total < page.items.length) throw wrongTotal();
    const here = { token, start: start ?? 0, base: offset, marks, trail, size };
    const given = walked(page, items, here, idOf);
    if (items.length > 0 || page.total !== undefined) yield given;
    offset += items.length;
    if (page.next === undefined) return;
    empty = page.items.length === 0 ? empty + 1 : 0;
    // Some name the same page for ever, with nothing more in it.
    if (page.items.length === 0 && page.next === token) return;
    if (empty >= maxEmpty) throw endless();
    marks = marksAfter(marks, items, idOf);
    trail = withTrail(trail, token);
    token = page.next;
    skip = 0;
  }
}

interface Here {
  readonly token: string | undefined;
  /** Index of the first item in its page. */
  readonly start: number;
  readonly base: number;
  readonly marks: readonly string[];
  readonly trail: readonly string[];
  readonly size: number;
}

function walked(page: Page, items: readonly Json[], here: Here, idOf: (item: Json) => string): WalkedPage {
  const positionAfter = (index: number): Position | undefined => {
    const offset = here.base + index + 1;
    const marks = marksAfter(here.marks, items.slice(0, index + 1), idOf);
    if (index < items.length - 1) {
      const { token, trail, size } = here;
      return { offset, marks, trail, size, skip: here.start + index + 1, ...(token === undefined ? {} : { token }) };
    }
    if (page.next === undefined) return undefined;
    return { offset, marks, token: page.next, trail: withTrail(here.trail, here.token), size: here.size };
  };
  return { items, total: page.total, after: positionAfter };
}

/**
 * Where what is new begins in a page of which a part was given already: after the last record of that part.
 * @returns undefined when nothing in it is new
 */
function startIn(
  { items }: Page,
  skip: number,
  marks: readonly string[],
  idOf: (item: Json) => string,
): number | undefined {
  if (skip === 0) return 0;
  const known = new Set(marks);
  for (let index = Math.min(items.length, skip + known.size) - 1; index >= 0; index--) {
    const item = items[index];
    if (item === undefined || !known.has(markOf(idOf(item)))) continue;
    return index + 1 >= items.length ? undefined : index + 1;
  }
  if (skip >= items.length) return undefined;
  // Those that were given last are gone, and others moved up.
  return Math.max(0, skip - known.size);
}

function fetchAt(query: Query, token: string | undefined, size: number, call: Call): Promise<Page> {
  const { paging } = query.listing;
  const sized = paging.sizeParam === undefined ? [] : [[paging.sizeParam, String(size)] as const];
  if (token === undefined) {
    const isStarted = paging.kind === 'cursor' && paging.start !== undefined;
    return askPage(query, isStarted ? [[paging.parameter, paging.start ?? ''], ...sized] : sized, call);
  }
  if (paging.kind === 'cursor') return askPage(query, [[paging.parameter, token], ...sized], call, true);
  return followLink(query, token, call);
}

export function wrongTotal(): AdapterError {
  return new AdapterError('unavailable', 'The target says that there are fewer records than it gives.');
}

function endless(): AdapterError {
  return new AdapterError('unavailable', `The target gave ${maxEmpty} pages with nothing in them, and names more.`);
}

function circle(): AdapterError {
  return new AdapterError('unavailable', "The target's pages go in a circle: one names a page that came before.");
}
