import { LRUCache } from 'lru-cache';
import type { NotedRequest } from './batch.js';
import { outcomeOf, type TransactionRow } from './transaction-row.js';

/** Refusals that are alike within this time are counted after the first. */
const windowMs = 60_000;
const maxRemembered = 1000;
/** Refusals of one gateway that are told one by one within the time: then even those that differ are counted together. */
const maxSingle = 200;

interface Flood {
  readonly sinceMs: number;
  readonly first: NotedRequest;
  /** Of those that are counted. */
  fromMs: number;
  toMs: number;
  count: number;
}

/**
 * Turns a flood of refused requests into a count, so that whoever has no credential cannot fill the disk. The times are
 * those of the requests.
 */
export class RefusalFloods {
  readonly #floods = new LRUCache<string, Flood>({
    max: maxRemembered,
    dispose: (flood, _, why) => {
      if (why === 'evict') this.#close(flood);
    },
  });
  readonly #single = new Map<string, { readonly sinceMs: number; told: number }>();
  #rows: TransactionRow[] = [];

  /** @returns the request when it is to be told by itself. The others come out of `take` in time. */
  add(request: NotedRequest): NotedRequest | undefined {
    const { gateway, status, address, caller, reason, atMs } = request;
    const key = `${gateway} ${status} ${address} ${caller} ${reason}`;
    const alike = this.#current(key, atMs);
    if (alike !== undefined) {
      this.#count(alike, request, 1 + request.repeats);
      return undefined;
    }
    if (this.#isCrowded(gateway, atMs)) {
      const unlike = { address: undefined, caller: undefined, reason: 'many addresses or reasons' };
      const together: NotedRequest = { ...request, ...unlike };
      const crowd = this.#current(gateway, atMs) ?? this.#begin(gateway, together);
      this.#count(crowd, request, 1 + request.repeats);
      return undefined;
    }
    const flood = this.#begin(key, request);
    if (request.repeats > 0) this.#count(flood, request, request.repeats);
    return request;
  }

  /** The rows of floods that are over, or of all of them. */
  take(nowMs: number, which: 'over' | 'all'): readonly TransactionRow[] {
    for (const [key, flood] of [...this.#floods.entries()]) {
      const isOver = nowMs - flood.sinceMs >= windowMs;
      if (isOver || which === 'all') this.#close(flood);
      if (isOver) this.#floods.delete(key);
    }
    for (const [gateway, { sinceMs }] of this.#single) if (nowMs - sinceMs >= windowMs) this.#single.delete(gateway);
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #current(key: string, atMs: number): Flood | undefined {
    const flood = this.#floods.get(key);
    if (flood === undefined || atMs - flood.sinceMs < windowMs) return flood;
    this.#close(flood);
    this.#floods.delete(key);
    return undefined;
  }

  #begin(key: string, first: NotedRequest): Flood {
    const flood = { sinceMs: first.atMs, first, fromMs: first.atMs, toMs: first.atMs, count: 0 };
    this.#floods.set(key, flood);
    return flood;
  }

  #count(flood: Flood, { atMs }: NotedRequest, count: number): void {
    if (flood.count === 0) flood.fromMs = atMs;
    flood.toMs = Math.max(flood.toMs, atMs);
    flood.count += count;
  }

  #isCrowded(gateway: string, atMs: number): boolean {
    const known = this.#single.get(gateway);
    if (known === undefined || atMs - known.sinceMs >= windowMs) {
      this.#single.set(gateway, { sinceMs: atMs, told: 1 });
      return false;
    }
    known.told++;
    return known.told > maxSingle;
  }

  #close(flood: Flood): void {
    if (flood.count > 0) this.#rows.push(floodRow(flood));
    flood.count = 0;
  }
}

function floodRow({ first, fromMs, toMs, count }: Flood): TransactionRow {
  return {
    at: fromMs,
    durationUs: (toMs - fromMs) * 1000,
    gateway: first.gateway,
    operation: 'none',
    outcome: outcomeOf(first.status),
    status: first.status,
    count,
    requestId: '',
    traceId: null,
    caller: first.caller ?? null,
    address: first.address ?? null,
    resourceType: null,
    resourceId: null,
    filter: null,
    meant: null,
    dropped: null,
    backend: null,
    reason: first.reason ?? null,
    shape: null,
    recorded: null,
    hashes: [],
  };
}
