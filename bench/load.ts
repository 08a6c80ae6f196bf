import { HttpConnection } from './http-connection.js';
import { cpuMs } from './servers.js';
import { expectStatus, type Target } from './target.js';

/** One kind of request against one server. */
export interface Work {
  readonly status: number;
  /** The bytes of the next request. */
  next(): Buffer;
}

/** How long the load lasts: so many milliseconds, or so many requests. */
export type Extent = { readonly ms: number } | { readonly requests: number };

export interface LoadResult {
  readonly perSecond: number;
  /** Processor time of the server for one request, in microseconds. */
  readonly cpuMicros: number | undefined;
  /** Milliseconds, the slowest of a hundred. */
  readonly p99Ms: number;
}

/** Keeps so many connections busy, each with one request at a time. @throws Error when an answer has another status */
export async function runLoad(target: Target, work: Work, connections: number, extent: Extent): Promise<LoadResult> {
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(target.port)));
  const askers = open.map((connection) => async (): Promise<void> => {
    const answer = await connection.send(work.next());
    if (answer.status !== work.status) expectStatus(answer, work.status, 'A request of the load');
  });
  try {
    return await keepBusy(askers, target.pid, extent);
  } finally {
    for (const connection of open) connection.close();
  }
}

/** Each asker has one request under way at a time. @param pid whose processor time is counted */
export async function keepBusy(
  askers: readonly (() => Promise<void>)[],
  pid: number,
  extent: Extent,
): Promise<LoadResult> {
  const latencies: number[] = [];
  const cpuBefore = cpuMs(pid);
  const startedAt = performance.now();
  const endsAt = 'ms' in extent ? startedAt + extent.ms : Number.POSITIVE_INFINITY;
  const mostRequests = 'requests' in extent ? extent.requests : Number.POSITIVE_INFINITY;
  let begun = 0;
  const askOnAndOn = async (ask: () => Promise<void>): Promise<void> => {
    for (let now = performance.now(); now < endsAt && begun < mostRequests; ) {
      begun++;
      await ask();
      const after = performance.now();
      latencies.push(after - now);
      now = after;
    }
  };
  await Promise.all(askers.map(askOnAndOn));
  const elapsedMs = performance.now() - startedAt;
  const cpuAfter = cpuMs(pid);
  const spentMs = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
  return {
    perSecond: (latencies.length / elapsedMs) * 1000,
    cpuMicros: spentMs === undefined ? undefined : (spentMs * 1000) / latencies.length,
    p99Ms: quantile(latencies, 0.99),
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @returns NaN for no values */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
