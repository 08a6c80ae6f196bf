import { AdapterError } from '../../src/backend/adapter-error.js';
import type { ConnectionTarget } from './connection-target.js';

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'names cannot be looked up now',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it does not answer',
  ENOENT: 'there is no such socket',
  EACCES: 'the socket may not be used',
};

/** Why no connection was made, as far as sockets and TLS know. @returns undefined for what the server said */
export function socketErrorOf(error: unknown, target: ConnectionTarget): AdapterError | undefined {
  const code = codeOf(error);
  const why = code === undefined ? undefined : unreachable[code];
  const server = `The database server ${target.host}:${target.port}`;
  const details = { cause: error, retryAfterSeconds: 1 };
  if (why !== undefined) return new AdapterError('unavailable', `${server} cannot be reached: ${why}.`, details);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const name = target.tls?.expectedName;
    return new AdapterError('unavailable', `${server} shows a certificate for another name than "${name}".`, details);
  }
  if (code !== undefined && /CERT|ISSUER|SELF_SIGNED|VERIFY|SIGNATURE/.test(code)) {
    const message = `${server} shows a certificate that is not trusted (${code}): \`tls.ca\` names its authority.`;
    return new AdapterError('unavailable', message, details);
  }
  if (code !== undefined && /^(ERR_SSL|ERR_TLS|ERR_OSSL|EPROTO)/.test(code)) {
    return new AdapterError('unavailable', `${server} and the gateway agree on no encryption (${code}).`, details);
  }
  if (code !== undefined && /^E[A-Z]+$/.test(code)) {
    return new AdapterError('unavailable', `${server} cannot be reached (${code}).`, details);
  }
  return undefined;
}

/** The code of an error; that of the first of several, where every address of a name was tried. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function noAnswer(target: ConnectionTarget, withinMs: number): AdapterError {
  const message = `The database server ${target.host}:${target.port} did not let the gateway in within ${withinMs} ms.`;
  return new AdapterError('unavailable', message, { retryAfterSeconds: 1 });
}

export function lost(cause: unknown): AdapterError {
  return new AdapterError('unavailable', 'The connection to the database broke.', { retryAfterSeconds: 1, cause });
}
