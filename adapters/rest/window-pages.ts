import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Call, Parameter } from './exchange.js';
import { wrongTotal } from './forward-pages.js';
import type { Json } from './json.js';
import { askPage, type Page, type Query } from './page.js';
import { markOf, marksAfter, type Position } from './position.js';
import type { WalkedPage, WalkOptions } from './walk.js';

/** A stretch of the target's list. */
interface Stretch {
  readonly items: readonly Json[];
  readonly total: number | undefined;
  /** The target has nothing behind it. */
  readonly isEnd: boolean;
}

/** So many requests are made to find the place again after others came or went. */
const maxSearches = 40;

/**
 * Pages by number. Such a list moves while others come and go, so each step looks whether the record that came last is
 * still where it was, and finds the place again when it is not.
 */
export async function* windowPages(
  query: Query,
  options: WalkOptions,
  call: Call,
): AsyncGenerator<WalkedPage, void, undefined> {
  const windows = new Windows(query, options, call);
  let { offset, marks } = options.from;
  for (let wanted = options.wanted; ; ) {
    const count = Math.max(1, Math.min(wanted, query.listing.size.max));
    const { at, items, total, isEnd } = await windows.following(offset, marks, count);
    const before = marks;
    const walked: WalkedPage = {
      items,
      total,
      after(index): Position | undefined {
        if (isEnd && index >= items.length - 1) return undefined;
        const given = items.slice(0, index + 1);
        return { offset: at + index + 1, marks: marksAfter(before, given, options.idOf) };
      },
    };
    if (items.length > 0 || total !== undefined) yield walked;
    if (isEnd) return;
    marks = marksAfter(marks, items, options.idOf);
    offset = at + items.length;
    wanted = Math.max(1, wanted - items.length);
  }
}

class Windows {
  private readonly query: Query;
  private readonly options: WalkOptions;
  private readonly call: Call;

  constructor(query: Query, options: WalkOptions, call: Call) {
    this.query = query;
    this.options = options;
    this.call = call;
  }

  /** The records behind those with the marks, which ended before the offset when they were read. */
  async following(offset: number, marks: readonly string[], count: number): Promise<Stretch & { readonly at: number }> {
    const last = marks.at(-1);
    const { paging, size } = this.query.listing;
    // A long walk takes one record less at a time, so that the one before them comes in the same answer.
    if (
      paging.kind === 'offset' &&
      this.options.wanted === Number.POSITIVE_INFINITY &&
      count === size.max &&
      count > 1
    ) {
      count -= 1;
    }
    if ('keepsPlace' in paging && paging.keepsPlace) {
      return { at: offset, ...this.withoutMarked(await this.stretch(offset, count), marks) };
    }
    if (offset === 0 || last === undefined) return { at: offset, ...(await this.stretch(offset, count)) };
    const [anchor, stretch] = await this.withAnchor(offset, count);
    if (anchor !== undefined && this.mark(anchor) === last)
      return { at: offset, ...this.withoutMarked(stretch, marks) };
    const known = new Set(marks);
    const moved = this.lastMarked(stretch.items, known);
    if (moved >= 0) {
      return { at: offset + moved + 1, ...stretch, items: stretch.items.slice(moved + 1) };
    }
    const found = anchor !== undefined && known.has(this.mark(anchor)) ? offset : await this.find(offset, known, count);
    if (found === offset) return { at: offset, ...stretch };
    return { at: found, ...this.withoutMarked(await this.stretch(found, count), marks) };
  }

  /** The record right before the offset, and those from there: in one request where pages can be cut so. */
  private async withAnchor(offset: number, count: number): Promise<readonly [Json | undefined, Stretch]> {
    if (this.pageFor(offset - 1, count + 1) !== undefined) {
      const { items, ...rest } = await this.stretch(offset - 1, count + 1);
      return [items[0], { ...rest, items: items.slice(1) }];
    }
    const [before, stretch] = await Promise.all([this.stretch(offset - 1, 1), this.stretch(offset, count)]);
    return [before.items[0], stretch];
  }

  /** Where the records with the marks end now. */
  private async find(offset: number, known: ReadonlySet<string>, count: number): Promise<number> {
    let searches = 0;
    for (let end = offset; end > 0 && searches < maxSearches; searches++) {
      const start = Math.max(0, end - count);
      const { items } = await this.stretch(start, end - start);
      const index = this.lastMarked(items, known);
      if (index >= 0) return start + index + 1;
      end = start;
    }
    let at = offset + count;
    for (; searches < maxSearches; searches++) {
      const { items, isEnd } = await this.stretch(at, count);
      const index = this.lastMarked(items, known);
      if (index >= 0) return at + index + 1;
      if (isEnd || items.length === 0) break;
      at += items.length;
    }
    // All of them are gone; at least so many moved up.
    return Math.max(0, offset - known.size);
  }

  private lastMarked(items: readonly Json[], known: ReadonlySet<string>): number {
    return items.findLastIndex((item) => known.has(this.mark(item)));
  }

  private withoutMarked(stretch: Stretch, marks: readonly string[]): Stretch {
    if (marks.length === 0) return stretch;
    const known = new Set(marks);
    return { ...stretch, items: stretch.items.filter((item) => !known.has(this.mark(item))) };
  }

  private mark(item: Json): string {
    return markOf(this.options.idOf(item));
  }

  /** Records from the offset on: as many as asked for, unless the list ends. */
  private async stretch(offset: number, count: number): Promise<Stretch> {
    const { paging, size } = this.query.listing;
    const request =
      paging.kind === 'page' ? this.numbered(offset, count) : { start: offset, size: Math.min(count, size.max) };
    const page = await this.ask(request.start, request.size);
    const skipped = offset - request.start;
    const items = page.items.slice(Math.max(0, skipped));
    const reached = request.start + page.items.length;
    if (page.items.length === request.size) {
      return this.enough(offset, count, { items, total: page.total, isEnd: false });
    }
    if (page.items.length === 0 || (page.total !== undefined && page.total <= reached) || this.options.endsShort) {
      return { items, total: page.total, isEnd: true };
    }
    // A page that is not full, and no word that it is the last one: there may be a smaller limit than is declared.
    const next = await this.ask(
      request.start + (paging.kind === 'page' ? request.size : page.items.length),
      request.size,
    );
    if (next.items.length === 0) return { items, total: page.total, isEnd: true };
    if (paging.kind === 'page') {
      if (paging.sizeParam === undefined) throw unsteady();
      size.max = Math.max(1, page.items.length);
      return this.stretch(offset, count);
    }
    return {
      items: [...items, ...next.items].slice(0, Math.max(count, items.length)),
      total: page.total,
      isEnd: false,
    };
  }

  /** Goes on when pages could not be cut so that one holds all. */
  private async enough(offset: number, count: number, found: Stretch): Promise<Stretch> {
    const missing = count - found.items.length;
    if (missing <= 0) return { ...found, items: found.items.slice(0, count) };
    if (this.query.listing.paging.kind === 'offset') return found;
    const more = await this.stretch(offset + found.items.length, missing);
    return { ...more, items: [...found.items, ...more.items] };
  }

  private numbered(offset: number, count: number): { readonly start: number; readonly size: number } {
    const size = this.pageFor(offset, count) ?? this.query.listing.size.max;
    return { start: Math.floor(offset / size) * size, size };
  }

  /** The smallest size of a page that holds the whole stretch; undefined when none does. */
  private pageFor(offset: number, count: number): number | undefined {
    const { paging, size } = this.query.listing;
    if (paging.kind === 'offset') return count <= size.max ? count : undefined;
    for (let pageSize = paging.sizeParam === undefined ? size.max : count; pageSize <= size.max; pageSize++) {
      if (Math.floor(offset / pageSize) === Math.floor((offset + count - 1) / pageSize)) return pageSize;
    }
    return undefined;
  }

  private async ask(start: number, size: number): Promise<Page> {
    const { paging } = this.query.listing;
    if (paging.kind !== 'page' && paging.kind !== 'offset') throw unsteady();
    const number = paging.first + (paging.kind === 'page' ? Math.floor(start / size) : start);
    const parameters: Parameter[] = [[paging.parameter, String(number)]];
    if (paging.sizeParam !== undefined) parameters.push([paging.sizeParam, String(size)]);
    const page = await askPage(this.query, parameters, this.call);
    if (page.items.length > size) throw unsteady();
    // A target that keeps the place counts from there, and not from the start of what is there now.
    const from = paging.keepsPlace ? 0 : start;
    if (page.total !== undefined && page.items.length > 0 && page.total < from + page.items.length) throw wrongTotal();
    const isFirst = start === 0 || !paging.keepsPlace;
    if (page.total !== undefined && page.items.length === 0 && isFirst && page.total > start) throw missing();
    return page;
  }
}

function missing(): AdapterError {
  const message = 'The target says that there are more records than it gives; leave "total" out if it counts others.';
  return new AdapterError('unavailable', message);
}

function unsteady(): AdapterError {
  const reason = 'The backend gives pages of another size than the configuration says.';
  return new AdapterError('unsupported', `${reason} "paging" needs the right "sizeParam" and "maxSize".`, { reason });
}
