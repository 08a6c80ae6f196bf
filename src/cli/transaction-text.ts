import type { Transaction } from '../transactions/transaction.js';

/** How much of a transaction is shown: each includes what the one before it shows. */
export type LogLevel = 'warning' | 'information' | 'debug';

const maxMeant = 5;

/** One line. Times are UTC. */
export function toLine(transaction: Transaction): string {
  return printable(`${iso(transaction.atMs)} ${summary(transaction)} [${transaction.id}]`);
}

function summary(transaction: Transaction): string {
  const { kind, gateway, operation, caller, status, count, durationMs, address, reason } = transaction;
  const why = reason === undefined ? '' : `; ${reason}`;
  switch (kind) {
    case 'act':
      return `${gateway === '' ? 'all gateways' : gateway} ${operation} by ${caller ?? 'unknown'}${meantText(transaction)}`;
    case 'refusals': {
      const seconds = Math.max(1, Math.ceil(durationMs / 1000));
      return `${gateway} ${status} refused ${count} more within ${seconds} s${from(address)}${why}`;
    }
    case 'request':
      return `${gateway} ${status} ${operation}${resource(transaction)} in ${duration(durationMs)} ${who(transaction)}${meantText(transaction)}${droppedText(transaction)}${why}`;
  }
}

function who({ caller, address }: Transaction): string {
  return caller === undefined ? `refused${from(address)}` : `by ${caller}`;
}

function from(address: string | undefined): string {
  return address === undefined ? '' : ` from ${address}`;
}

function resource({ resourceType, resourceId }: Transaction): string {
  return [resourceType, resourceId].flatMap((part) => (part === undefined ? [] : [` ${part}`])).join('');
}

function meantText({ meant }: Transaction): string {
  if (meant.length === 0) return '';
  const more = meant.length > maxMeant ? `; and ${meant.length - maxMeant} more` : '';
  return `: ${meant.slice(0, maxMeant).join('; ')}${more}`;
}

function droppedText({ dropped }: Transaction): string {
  if (dropped.length === 0) return '';
  const shown = dropped.slice(0, maxMeant).map(({ what, why }) => `${what} (${why})`);
  const more = dropped.length > maxMeant ? `, and ${dropped.length - maxMeant} more` : '';
  return `; dropped ${shown.join(', ')}${more}`;
}

/** The operations of the backend, one a line, to stand below the line of their transaction. */
export function toBackendLines({ backend }: Transaction): readonly string[] {
  return backend.map(({ operation, durationMs }) => printable(`    ${duration(durationMs)}  ${operation}`));
}

/** Everything, a block of lines. */
export function toDetails(transaction: Transaction): string {
  const { atMs, durationMs, gateway, meant, dropped, backend, outcome, status, count, filter } = transaction;
  const one = (name: string, value: string | number | undefined): readonly (readonly [string, string])[] =>
    value === undefined || value === '' ? [] : [[name, String(value)]];
  const rows = [
    ...one('id', transaction.id),
    ...one('time', `${iso(atMs)}, ${duration(durationMs)}`),
    ...one('gateway', gateway),
    ...one('request id', transaction.requestId),
    ...one('trace id', transaction.traceId),
    ...one('caller', transaction.caller),
    ...one('address', transaction.address),
    ...one('operation', `${transaction.operation}${resource(transaction)}`),
    ...one('outcome', transaction.kind === 'act' ? 'done' : `${status} ${outcome}`),
    ...one('count', count),
    ...one('reason', transaction.reason),
    ...one('filter', filter),
    ...(filter === undefined ? meant : meant.slice(1)).flatMap((text) => one('meant', text)),
    ...dropped.flatMap(({ what, why }) => one('dropped', `${what}: ${why}`)),
    ...backend.flatMap(({ operation, durationMs: ms }) => one('backend', `${duration(ms)}  ${operation}`)),
    ...one('shape', transaction.shape),
    ...one('values', transaction.values),
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join('');
}

/** For programs: the time as text, and the shape and the values as the JSON that they are. */
export function toJson({ atMs, shape, values, ...rest }: Transaction): object {
  return {
    at: iso(atMs),
    ...rest,
    ...(shape === undefined ? {} : { shape: JSON.parse(shape) as unknown }),
    ...(values === undefined ? {} : { values: JSON.parse(values) as unknown }),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function duration(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A client chooses some of the texts: none is to steer the terminal, or to look like a line of its own. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
