import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Statements that are remembered, and those of them that were asked for again. */
const remembered = 500;
const named = 150;

/**
 * Which statements are worth preparing: those that come again. A name stands for one text, in every process, so that it
 * means the same on every connection.
 */
export class StatementNames {
  private readonly seen = new LRUCache<string, true>({ max: remembered });
  private readonly names = new LRUCache<string, string>({ max: named });

  /** @returns undefined for a text that is new, or longer than a plan is worth */
  of(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    if (!this.seen.has(text)) {
      this.seen.set(text, true);
      return undefined;
    }
    const name = `scimbridge_${createHash('sha256').update(text).digest('base64url').slice(0, 24)}`;
    this.names.set(text, name);
    return name;
  }
}
