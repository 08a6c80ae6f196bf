import type { GatewayActivity, Outcome, Transaction } from './transaction.js';
import { toTransactionId } from './transaction-id.js';

/** A transaction as it was written. Lists are JSON. */
export interface StoredRow {
  readonly seq: number;
  readonly at: number;
  readonly duration_us: number;
  readonly gateway: string;
  readonly operation: string;
  readonly outcome: Outcome;
  readonly status: number;
  readonly count: number | null;
  readonly request_id: string;
  readonly trace_id: string | null;
  readonly caller: string | null;
  readonly address: string | null;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly filter: string | null;
  readonly meant: string | null;
  readonly dropped: string | null;
  readonly backend: string | null;
  readonly reason: string | null;
  readonly shape: string | null;
  readonly recorded: string | null;
}

export function toTransaction(row: StoredRow, operations: ReadonlyMap<number, string>): Transaction {
  return {
    id: toTransactionId(row.at, row.seq),
    kind: row.outcome === 'act' ? 'act' : row.count === null ? 'request' : 'refusals',
    atMs: row.at,
    durationMs: row.duration_us / 1000,
    gateway: row.gateway,
    requestId: row.request_id,
    operation: row.operation,
    status: row.status,
    outcome: row.outcome,
    ...(row.trace_id === null ? {} : { traceId: row.trace_id }),
    ...(row.caller === null ? {} : { caller: row.caller }),
    ...(row.address === null ? {} : { address: row.address }),
    ...(row.resource_type === null ? {} : { resourceType: row.resource_type }),
    ...(row.resource_id === null ? {} : { resourceId: row.resource_id }),
    ...(row.filter === null ? {} : { filter: row.filter }),
    meant: [...(row.filter === null ? [] : [meantBy(row.filter)]), ...fromJson<string[]>(row.meant)],
    dropped: fromJson<[string, string][]>(row.dropped).map(([what, why]) => ({ what, why })),
    backend: toBackend(row.backend, operations),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.count === null ? {} : { count: row.count }),
    ...(row.shape === null ? {} : { shape: row.shape }),
    ...(row.recorded === null ? {} : { values: row.recorded }),
  };
}

/** Placeholders tell a reader no more than that there was a value. */
function meantBy(filter: string): string {
  return filter.replace(/"\$\{\w+\}"/g, '"…"');
}

export function fromJson<T extends readonly unknown[]>(text: string | null): T {
  return (text === null ? [] : JSON.parse(text)) as T;
}

function toBackend(text: string | null, operations: ReadonlyMap<number, string>): Transaction['backend'] {
  const parts = fromJson<(string | number)[]>(text);
  return parts.flatMap((part, index) => {
    if (index % 2 === 1) return [];
    const operation = typeof part === 'number' ? (operations.get(part) ?? 'unknown') : part;
    return [{ operation, durationMs: Number(parts[index + 1]) / 1000 }];
  });
}

/** A gateway's activity as it was written. */
export interface StoredActivity {
  readonly gateway: string;
  readonly last_at: number;
  readonly last_outcome: Outcome;
  readonly last_status: number;
  readonly ok: number;
  readonly refused: number;
  readonly rejected: number;
  readonly failed: number;
}

export function toActivity(row: StoredActivity): GatewayActivity {
  const { ok, refused, rejected, failed } = row;
  return {
    gateway: row.gateway,
    lastCallMs: row.last_at,
    lastOutcome: row.last_outcome,
    lastStatus: row.last_status,
    counts: { ok, refused, rejected, failed },
  };
}
