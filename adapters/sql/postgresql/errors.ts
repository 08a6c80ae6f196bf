import pg from 'pg';
import { AdapterError, type AdapterErrorKind } from '../../../src/backend/adapter-error.js';
import { codeOf, lost, socketErrorOf } from '../connect-error.js';
import type { ConnectionTarget } from '../connection-target.js';
import type { Failure } from '../driver.js';
import { type RefusalKind, SqlRefusal } from '../pool.js';

/** What the statement itself is refused for. @see PostgreSQL documentation, appendix A */
const refusals: Readonly<Record<string, RefusalKind>> = {
  '23505': 'unique',
  '23503': 'foreignKey',
  '23502': 'notNull',
  '23514': 'check',
  '22001': 'tooLong',
  '22003': 'outOfRange',
  '22008': 'outOfRange',
  P0001: 'rule',
  '42P01': 'noSuchTable',
  '3F000': 'noSuchTable',
  '42703': 'noSuchColumn',
};

/** By the first two characters of the code, for those that are not named above. */
const refusalClasses: Readonly<Record<string, RefusalKind>> = { '23': 'rule', '22': 'invalid', '44': 'rule' };

/** What PostgreSQL or its driver says, in the gateway's words. Texts of the server may hold values: they stay in `cause`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AdapterError) return { verdict: 'failed', error };
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return { verdict: 'lost', error: lost(error) };
  const { code, severity } = error;
  if (severity === 'FATAL' || severity === 'PANIC' || code.startsWith('08') || code === '57P01') {
    return { verdict: 'lost', error: lost(error) };
  }
  if (isOutdatedStatement(error)) {
    const message = `The database does not know a prepared statement (${code}): with a pooler in between, \`preparedStatements: false\`.`;
    return { verdict: 'stale', error: new AdapterError('unavailable', message, { cause: error }) };
  }
  const kind = refusals[code] ?? refusalClasses[code.slice(0, 2)];
  if (kind !== undefined) return { verdict: 'refused', error: refusalOf(kind, error) };
  return otherFailure(code, error);
}

/** After ALTER TABLE a statement that was prepared before gives other columns; a pooler may have lost it. */
function isOutdatedStatement({ code, routine }: pg.DatabaseError): boolean {
  return code === '26000' || code === '42P05' || (code === '0A000' && routine === 'RevalidateCachedQuery');
}

function refusalOf(kind: RefusalKind, error: pg.DatabaseError): SqlRefusal {
  const { constraint, table, column } = error;
  return new SqlRefusal(kind, `The database refused a statement (${error.code}).`, {
    constraint,
    table,
    column,
    cause: error,
  });
}

function otherFailure(code: string, error: pg.DatabaseError): Failure {
  const failed = (kind: AdapterErrorKind, message: string, verdict: Failure['verdict'] = 'failed'): Failure => {
    const retry = kind === 'unavailable' ? { retryAfterSeconds: 1 } : {};
    return { verdict, error: new AdapterError(kind, message, { cause: error, applied: 'no', ...retry }) };
  };
  switch (code) {
    case '40001':
    case '40P01':
      return failed('unavailable', `Transactions collided again and again (${code}).`, 'again');
    case '55P03':
      return failed('unavailable', 'Somebody else keeps a row locked.');
    case '57014':
      return failed('timeout', 'The database ended a statement that took too long.');
    case '25006':
      return failed('unavailable', 'The database is read-only, as a standby is.', 'lost');
    case '42501':
      return failed('denied', "The gateway's account may not do this in the database: a GRANT is missing.");
    default:
      return /^(53|54|55|57|58|XX|25|40)/.test(code)
        ? failed('unavailable', `The database cannot do it now (${code}).`)
        : failed('unsupported', `The database does not take a statement of the gateway (${code}).`);
  }
}

/** Why no connection was made. @returns what an operator can act on */
export function connectErrorOf(error: unknown, target: ConnectionTarget): AdapterError {
  if (error instanceof AdapterError) return error;
  const code = codeOf(error);
  const server = `The database server ${target.host}:${target.port}`;
  const details = { cause: error, retryAfterSeconds: 1 };
  if (error instanceof pg.DatabaseError) {
    if (code === '28P01' || code === '28000') {
      return new AdapterError('denied', `${server} does not let the account "${target.user}" in (${code}).`, details);
    }
    if (code === '3D000') {
      return new AdapterError('unavailable', `${server} has no database "${target.database}".`, details);
    }
    if (code === '42501') {
      const message = `The account "${target.user}" may not connect to the database "${target.database}".`;
      return new AdapterError('denied', message, details);
    }
    if (code === '53300') {
      const message = `${server} has no connection left: see \`pool.connections\`, and max_connections there.`;
      return new AdapterError('unavailable', message, details);
    }
    return new AdapterError('unavailable', `${server} cannot be used now (${code}).`, details);
  }
  const message = error instanceof Error ? error.message : '';
  if (message.includes('does not support SSL')) {
    const advice = 'it offers no encryption; `allowClearText: true` goes without';
    return new AdapterError('unavailable', `${server} cannot be used: ${advice}.`, details);
  }
  if (/password|SASL|SCRAM/i.test(message)) {
    return new AdapterError('denied', `${server} asks for a password, and \`password\` is missing or wrong.`, details);
  }
  return (
    socketErrorOf(error, target) ?? new AdapterError('unavailable', `${server} closed the connection at once.`, details)
  );
}
