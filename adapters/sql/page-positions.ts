import { LRUCache } from 'lru-cache';
import type { SearchQuery, SearchResult } from '../../src/backend/adapter.js';

/** Clients that page at the same time, with some pages of each. */
const remembered = 1_000;
/** Who pages by numbers asks for the next page soon. */
const keptMs = 60_000;

/**
 * Where pages that were skipped to by their number ended. The page that follows goes on from there by its key, instead of
 * walking over all that come before it: the last page of a table costs what the first one does.
 */
export class PagePositions {
  private readonly ends = new LRUCache<string, string>({ max: remembered, ttl: keptMs });
  private readonly generations = new Map<string, number>();

  /** The query, from a known position where there is one. */
  placed(query: SearchQuery): SearchQuery {
    const { offset = 0, after } = query;
    if (offset === 0 || after !== undefined) return query;
    const end = this.ends.get(this.keyOf(query, offset));
    if (end === undefined) return query;
    const { offset: _, ...rest } = query;
    return { ...rest, after: end };
  }

  remember(query: SearchQuery, { records, next }: SearchResult): void {
    if (query.after !== undefined || next === undefined) return;
    this.ends.set(this.keyOf(query, (query.offset ?? 0) + records.length), next);
  }

  /** After a change the numbers may mean other records. */
  forget(entity: string): void {
    this.generations.set(entity, (this.generations.get(entity) ?? 0) + 1);
  }

  private keyOf({ entity, filter, sort }: SearchQuery, offset: number): string {
    return JSON.stringify([entity, this.generations.get(entity) ?? 0, filter ?? null, sort ?? null, offset]);
  }
}
