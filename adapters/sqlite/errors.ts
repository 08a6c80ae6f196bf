import { AdapterError, type AdapterErrorDetails, type AdapterErrorKind } from '../../src/backend/adapter-error.js';

/**
 * What an error of SQLite, of the file system or of ours means to the gateway.
 * @param applied whether the operation may have been carried out in spite of the error
 */
export function toAdapterError(error: unknown, applied: 'no' | 'unknown' = 'no'): AdapterError {
  if (error instanceof AdapterError) return error;
  const code = codeOf(error);
  const details = { cause: error, applied };
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new AdapterError('unavailable', 'The database is in use by another process.', {
      ...details,
      retryAfterSeconds: 1,
    });
  }
  if (code.startsWith('SQLITE_CONSTRAINT')) return constraintError(code, error);
  if (code === 'SQLITE_TOOBIG' || code === 'SQLITE_MISMATCH') {
    const reason = code === 'SQLITE_TOOBIG' ? 'A value is too long.' : 'A value is of the wrong type.';
    return new AdapterError('rejected', `The database refuses the data: ${reason}`, { ...details, reason });
  }
  if (/^SQLITE_(READONLY|PERM|AUTH)/.test(code) || code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new AdapterError('denied', 'The database file may not be used as asked.', details);
  }
  return new AdapterError('unavailable', 'The database cannot be used.', details);
}

/** True while another connection holds the lock that was wanted: trying again later may succeed. */
export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY');
}

export function isConstraint(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_CONSTRAINT');
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function constraintError(code: string, error: unknown): AdapterError {
  const field = columnIn(error);
  const details = { cause: error, ...(field === undefined ? {} : { field }) };
  const name = field === undefined ? 'a field' : `"${field}"`;
  switch (code) {
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
    case 'SQLITE_CONSTRAINT_ROWID':
      return new AdapterError('conflict', `Another record has this value of ${name}.`, details);
    case 'SQLITE_CONSTRAINT_NOTNULL':
      return rejected(`${name} must have a value.`, details);
    case 'SQLITE_CONSTRAINT_FOREIGNKEY':
      return rejected('It refers to a row that does not exist, or other rows refer to it.', details);
    default:
      return rejected('A rule of the database forbids it.', details);
  }
}

function rejected(reason: string, details: AdapterErrorDetails): AdapterError {
  return new AdapterError('rejected', `The database refuses the data: ${reason}`, { ...details, reason });
}

/** SQLite names the columns only in its message: `UNIQUE constraint failed: people.login, people.tenant`. */
function columnIn(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  return /constraint failed: [^.,']+\.([^,]+)/.exec(message)?.[1]?.trim();
}

/** An error as it crosses from a worker thread: class instances would lose their class. */
export interface ErrorMessage {
  readonly kind: AdapterErrorKind;
  readonly message: string;
  readonly details: AdapterErrorDetails;
}

export function toErrorMessage(error: AdapterError): ErrorMessage {
  const { kind, message, field, reason, retryAfterSeconds, applied, cause } = error;
  return {
    kind,
    message,
    details: {
      applied,
      ...(field === undefined ? {} : { field }),
      ...(reason === undefined ? {} : { reason }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(cause === undefined ? {} : { cause: causeOf(cause) }),
    },
  };
}

export function fromErrorMessage({ kind, message, details }: ErrorMessage): AdapterError {
  const cause = details.cause === undefined ? undefined : Object.assign(new Error(), details.cause);
  return new AdapterError(kind, message, { ...details, ...(cause === undefined ? {} : { cause }) });
}

function causeOf(cause: unknown): object {
  if (!(cause instanceof Error)) return { message: String(cause) };
  return { name: cause.name, message: cause.message, code: codeOf(cause), stack: cause.stack ?? '' };
}
