import { AdapterError, type AdapterErrorKind } from './adapter-error.js';
import { AdapterFault } from './adapter-fault.js';

const kinds: ReadonlySet<string> = new Set<AdapterErrorKind>([
  'notFound',
  'conflict',
  'revisionMismatch',
  'rejected',
  'denied',
  'unavailable',
  'timeout',
  'unsupported',
]);

/** Codes of Node's errors for files, sockets, name look-ups, TLS and its HTTP client. */
const ioCode = /^(E[A-Z0-9]+|EAI_[A-Z]+|UND_ERR_[A-Z_]+|ERR_(TLS|SSL|SOCKET)_[A-Z_]+|CERT_[A-Z_]+|[A-Z_]*CERT[A-Z_]*)$/;
const timeoutCode = /^(ETIMEDOUT|ESOCKETTIMEDOUT|UND_ERR_[A-Z]+_TIMEOUT)$/;
/** The connection was never made, so nothing was carried out. */
const neverSentCode = /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_[A-Z]+|UND_ERR_CONNECT_TIMEOUT)$/;

/**
 * What an adapter threw, as an AdapterError. An adapter should throw nothing else; when it does, a failed connection is
 * `unavailable` and anything else is AdapterFault.
 */
export function toAdapterError(thrown: unknown, isWrite: boolean): AdapterError {
  const fields = fieldsOf(thrown);
  // Plain JavaScript may make one of a kind that there is not.
  if (thrown instanceof AdapterError && kinds.has(thrown.kind)) return thrown;
  if (fields.name === 'AdapterError' && typeof fields.kind === 'string' && kinds.has(fields.kind)) {
    return adopt(fields, thrown);
  }
  const code = ioCodeIn(thrown);
  const applied = isWrite && (code === undefined || !neverSentCode.test(code)) ? 'unknown' : 'no';
  if (
    fields.name === 'TimeoutError' ||
    fields.name === 'AbortError' ||
    (code !== undefined && timeoutCode.test(code))
  ) {
    return new AdapterError('timeout', 'The backend gave no answer in time.', { applied, cause: thrown });
  }
  if (code !== undefined) {
    return new AdapterError('unavailable', `The backend cannot be reached (${code}).`, { applied, cause: thrown });
  }
  const name = typeof fields.name === 'string' ? fields.name : typeof thrown;
  return new AdapterFault(`The adapter failed with ${name}, which is a fault in the adapter.`, {
    applied,
    cause: thrown,
  });
}

/** An adapter from a package may bring its own copy of the class. */
function adopt(fields: Readonly<Record<string, unknown>>, cause: unknown): AdapterError {
  const { kind, message, field, reason, retryAfterSeconds, applied } = fields;
  return new AdapterError(kind as AdapterErrorKind, typeof message === 'string' ? message : '', {
    ...(typeof field === 'string' ? { field } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}),
    ...(applied === 'no' || applied === 'unknown' ? { applied } : {}),
    cause,
  });
}

/** `fetch` wraps the error that says why into its `cause`. */
function ioCodeIn(thrown: unknown): string | undefined {
  const { code, cause } = fieldsOf(thrown);
  if (typeof code === 'string' && ioCode.test(code)) return code;
  const causeCode = fieldsOf(cause).code;
  return typeof causeCode === 'string' && ioCode.test(causeCode) ? causeCode : undefined;
}

function fieldsOf(thrown: unknown): Readonly<Record<string, unknown>> {
  return typeof thrown === 'object' && thrown !== null ? (thrown as Readonly<Record<string, unknown>>) : {};
}
