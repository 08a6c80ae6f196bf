import type { NotedRequest } from './batch.js';
import { outcomeOf } from './transaction-row.js';

/** What the requests of a batch add to the activity of their gateway. */
export interface ActivityRow {
  readonly gateway: string;
  readonly lastAt: number;
  readonly lastOutcome: string;
  readonly lastStatus: number;
  readonly ok: number;
  readonly refused: number;
  readonly rejected: number;
  readonly failed: number;
}

/** Refusals that are counted later count here at once. */
export function activityOf(requests: readonly NotedRequest[]): readonly ActivityRow[] {
  const byGateway = new Map<string, ActivityRow>();
  for (const { gateway, atMs, durationUs, status, repeats } of requests) {
    const outcome = outcomeOf(status);
    const endedAt = atMs + Math.round(durationUs / 1000);
    const known = byGateway.get(gateway) ?? {
      gateway,
      lastAt: 0,
      lastOutcome: '',
      lastStatus: 0,
      ok: 0,
      refused: 0,
      rejected: 0,
      failed: 0,
    };
    // They come in the order in which they ended, which milliseconds do not tell.
    const last = { lastAt: Math.max(endedAt, known.lastAt), lastOutcome: outcome, lastStatus: status };
    const counted = outcome === 'act' ? 'ok' : outcome;
    byGateway.set(gateway, { ...known, ...last, [counted]: known[counted] + 1 + repeats });
  }
  return [...byGateway.values()];
}
