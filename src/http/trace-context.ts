import { randomBytes } from 'node:crypto';

/** The trace that a request belongs to. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  readonly flags: number;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** "sampled" and "random": the others mean nothing yet, and are not passed on. */
const knownFlags = 0x03;

/**
 * Reads a `traceparent` as strictly as W3C Trace Context says: one that is malformed counts as absent.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (header === undefined || header.length < 55 || header.length > 512) return undefined;
  const match = pattern.exec(header);
  if (match === null) return undefined;
  const [, version, traceId = '', parentId, flags = '', more] = match;
  // Later versions may add fields; they begin like this one.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || parentId === '0000000000000000') return undefined;
  return { traceId, flags: Number.parseInt(flags, 16) & knownFlags };
}

/** Our own place in the trace, for the answer: the same trace, a new parent id. */
export function formatTraceparent({ traceId, flags }: TraceContext): string {
  return `00-${traceId}-${newParentId()}-0${flags}`;
}

function newParentId(): string {
  const id = randomBytes(8).toString('hex');
  return id === '0000000000000000' ? newParentId() : id;
}
