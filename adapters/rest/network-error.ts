import { AdapterError } from '../../src/backend/adapter-error.js';

const timeoutCode = /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/;
/** The connection was never made, so nothing was carried out. */
const neverSentCode =
  /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_[A-Z]+|UND_ERR_CONNECT_TIMEOUT|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/;
const certificateCode =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|EPROTO/;

/** What an exchange failed with before there was an answer. */
export interface FailedExchange {
  /** `GET /users/{id}`: without values. */
  readonly operation: string;
  readonly isWrite: boolean;
  readonly error: unknown;
  /** Set when it was ended from here: by its own time limit, or because the request ended. */
  readonly ended?: 'timeout' | 'request';
}

/** The AdapterError for an exchange without an answer. */
export function networkError({ operation, isWrite, error, ended }: FailedExchange): AdapterError {
  const code = codeOf(error);
  const neverSent = code !== undefined && (neverSentCode.test(code) || certificateCode.test(code));
  const applied = isWrite && !neverSent ? 'unknown' : 'no';
  if (ended === 'request') {
    return new AdapterError('timeout', `The request ended before ${operation} was answered.`, {
      applied,
      cause: error,
    });
  }
  if (ended === 'timeout' || (code !== undefined && timeoutCode.test(code))) {
    const kind = neverSent ? 'unavailable' : 'timeout';
    return new AdapterError(kind, `The target gave no answer to ${operation} in time.`, { applied, cause: error });
  }
  if (code !== undefined && certificateCode.test(code)) {
    const message = `The target's certificate is not accepted (${code}); "tls" says which authorities are trusted.`;
    return new AdapterError('unavailable', message, { applied, cause: error });
  }
  const message = `The connection for ${operation} failed (${code ?? 'no reason given'}).`;
  return new AdapterError('unavailable', message, { applied, cause: error });
}

/** Of the error, of what caused it, or of the first of several attempts to connect. */
function codeOf(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth++) {
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown };
    if (typeof code === 'string' && code !== '') return code;
    current = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return undefined;
}
