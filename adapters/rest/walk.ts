import type { Call } from './exchange.js';
import { forwardPages } from './forward-pages.js';
import type { Json } from './json.js';
import type { Query } from './page.js';
import type { Position } from './position.js';
import { windowPages } from './window-pages.js';

/** Records that follow one another, and where to go on after each. */
export interface WalkedPage {
  readonly items: readonly Json[];
  readonly total: number | undefined;
  /** The position after the item with the index; undefined when it is known that nothing follows. */
  after(index: number): Position | undefined;
}

/** How a walk goes. */
export interface WalkOptions {
  readonly from: Position;
  /** About so many records are wanted; Infinity for all. */
  readonly wanted: number;
  /** A page that is not full is the last one, whatever the target leaves open: at most one record matches. */
  readonly endsShort: boolean;
  /** The id of a record, in any text. */
  readonly idOf: (item: Json) => string;
}

/** Walks through a list page by page, for as long as the reader goes on. */
export function walk(query: Query, options: WalkOptions, call: Call): AsyncGenerator<WalkedPage, void, undefined> {
  const { kind } = query.listing.paging;
  return kind === 'page' || kind === 'offset' ? windowPages(query, options, call) : forwardPages(query, options, call);
}
