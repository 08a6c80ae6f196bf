import { AdapterError, type AdapterErrorKind } from '../../../src/backend/adapter-error.js';
import { codeOf, lost, socketErrorOf } from '../connect-error.js';
import type { ConnectionTarget } from '../connection-target.js';
import type { Failure } from '../driver.js';
import { type RefusalKind, SqlRefusal } from '../pool.js';

/** An error that the server itself gave. */
interface ServerError extends Error {
  readonly errno: number;
  readonly code?: string;
  readonly sqlState?: string;
  readonly fatal?: boolean;
}

/** What the statement itself is refused for, by number. @see MariaDB and MySQL "Server Error Message Reference" */
const refusals: ReadonlyMap<number, RefusalKind> = new Map([
  ...each('unique', 1062, 1169, 1586),
  ...each('foreignKey', 1216, 1217, 1451, 1452, 1761, 1762),
  ...each('notNull', 1048, 1121, 1263, 1364),
  ...each('check', 3819, 4025),
  ...each('tooLong', 1153, 1162, 1301, 1406),
  ...each('outOfRange', 1264, 1441, 1690),
  ...each('invalid', 1265, 1292, 1300, 1366, 1367, 1411, 3140, 3141, 4038, 4039),
  ...each('rule', 1369, 1644),
  ...each('noSuchTable', 1109, 1146),
  ...each('noSuchColumn', 1054),
]);

const collisions: ReadonlySet<number> = new Set([1020, 1205, 1213, 3058]);
/** Shut down, killed, a read-only server after a switch-over. */
const endings: ReadonlySet<number> = new Set([
  1053, 1077, 1079, 1080, 1156, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 4031,
]);
const readOnly: ReadonlySet<number> = new Set([1290, 1792, 1836]);
const unknownStatements: ReadonlySet<number> = new Set([1243, 1615]);
const timeouts: ReadonlySet<number> = new Set([1317, 1969, 3024]);
const missingRights: ReadonlySet<number> = new Set([1044, 1045, 1142, 1143, 1227, 1370, 1410]);
const exhausted: ReadonlySet<number> = new Set([
  1021, 1030, 1037, 1040, 1041, 1114, 1135, 1180, 1203, 1206, 1226, 1461,
]);

function each(kind: RefusalKind, ...numbers: readonly number[]): readonly (readonly [number, RefusalKind])[] {
  return numbers.map((number) => [number, kind]);
}

/** What MySQL, MariaDB or the driver says, in the gateway's words. Texts of the server may hold values: they stay in `cause`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AdapterError) return { verdict: 'failed', error };
  if (!isServerError(error)) return { verdict: 'lost', error: lost(error) };
  const { errno } = error;
  if (endings.has(errno)) return { verdict: 'lost', error: lost(error) };
  const kind = refusals.get(errno);
  if (kind !== undefined) return { verdict: 'refused', error: refusalOf(kind, error) };
  return otherFailure(error);
}

/** The driver gives errors of its own an `errno`, too: that of the operating system, below 0. */
function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' && error.errno > 0;
}

function refusalOf(kind: RefusalKind, error: ServerError): SqlRefusal {
  return new SqlRefusal(kind, `The database refused a statement (${error.errno}).`, {
    ...namesIn(kind, error.message),
    cause: error,
  });
}

/** The server tells names only in its text, and values beside them. */
function namesIn(kind: RefusalKind, text: string): { constraint?: string; table?: string; column?: string } {
  switch (kind) {
    case 'unique':
      return some('constraint', /for key '([^']+)'$/.exec(text)?.[1]?.replace(/^.*\./, ''));
    case 'foreignKey':
      return {
        ...some('constraint', /CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY/.exec(text)?.[1]),
        ...some('table', /\(`(?:[^`]|``)+`\.`((?:[^`]|``)+)`, CONSTRAINT/.exec(text)?.[1]),
        ...some('column', /FOREIGN KEY \(`((?:[^`]|``)+)`\)/.exec(text)?.[1]),
      };
    case 'check':
      return {
        ...some(
          'constraint',
          /(?:CONSTRAINT `((?:[^`]|``)+)`|constraint '([^']+)')/i.exec(text)?.slice(1).find(Boolean),
        ),
        ...some('table', /failed for `(?:[^`]|``)+`\.`((?:[^`]|``)+)`$/.exec(text)?.[1]),
      };
    case 'invalid':
      return some(
        'column',
        /for column (?:(?:`(?:[^`]|``)+`\.)*`((?:[^`]|``)+)`|'([^']+)') at row \d+$/.exec(text)?.slice(1).find(Boolean),
      );
    case 'noSuchTable':
      return some('table', /'(?:[^'.]+\.)?([^']+)'/.exec(text)?.[1]);
    default:
      return some(
        'column',
        /^(?:Column|Field|Unknown column|Out of range value for column|Data too long for column) '(?:[^'.]+\.)?([^']+)'/.exec(
          text,
        )?.[1],
      );
  }
}

function some(key: 'constraint' | 'table' | 'column', found: string | undefined): object {
  return found === undefined || found === '' ? {} : { [key]: found.replaceAll('``', '`') };
}

function otherFailure(error: ServerError): Failure {
  const { errno } = error;
  const failed = (kind: AdapterErrorKind, message: string, verdict: Failure['verdict'] = 'failed'): Failure => {
    const retry = kind === 'unavailable' ? { retryAfterSeconds: 1 } : {};
    return { verdict, error: new AdapterError(kind, message, { cause: error, applied: 'no', ...retry }) };
  };
  if (collisions.has(errno)) {
    return failed('unavailable', `Transactions collided again and again (${errno}).`, 'again');
  }
  if (unknownStatements.has(errno)) return failed('unavailable', 'The database lost a prepared statement.', 'stale');
  if (readOnly.has(errno)) return failed('unavailable', 'The database is read-only, as a replica is.', 'lost');
  if (timeouts.has(errno)) return failed('timeout', 'The database ended a statement that took too long.');
  if (missingRights.has(errno)) {
    return failed('denied', "The gateway's account may not do this in the database: a GRANT is missing.");
  }
  if (exhausted.has(errno)) return failed('unavailable', `The database cannot do it now (${errno}).`);
  return failed('unsupported', `The database does not take a statement of the gateway (${errno}).`);
}

/** Why no connection was made. @returns what an operator can act on */
export function connectErrorOf(error: unknown, target: ConnectionTarget): AdapterError {
  if (error instanceof AdapterError) return error;
  const server = `The database server ${target.host}:${target.port}`;
  const details = { cause: error, retryAfterSeconds: 1 };
  const code = codeOf(error);
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') {
    const advice = 'it offers no encryption; `allowClearText: true` goes without';
    return new AdapterError('unavailable', `${server} cannot be used: ${advice}.`, details);
  }
  if (!isServerError(error)) {
    const message = `${server} closed the connection at once.`;
    return socketErrorOf(withTlsCode(error), target) ?? new AdapterError('unavailable', message, details);
  }
  switch (error.errno) {
    case 1044: {
      const message = `The account "${target.user}" may not use the database "${target.database}".`;
      return new AdapterError('denied', message, details);
    }
    case 1045:
    case 1698:
    case 1862:
    case 3118:
    case 4151:
      return new AdapterError('denied', notLetIn(server, target), details);
    case 1049:
      return new AdapterError('unavailable', `${server} has no database "${target.database}".`, details);
    case 1040:
    case 1203: {
      const message = `${server} has no connection left: see \`pool.connections\`, and max_connections there.`;
      return new AdapterError('unavailable', message, details);
    }
    case 1129:
    case 1130:
      return new AdapterError('denied', `${server} lets nobody in from this machine.`, details);
    default:
      return new AdapterError('unavailable', `${server} cannot be used now (${error.errno}).`, details);
  }
}

/** A missing or wrong password, a host that is not the account's, and REQUIRE SSL all have the same answer. */
function notLetIn(server: string, { user, tls }: ConnectionTarget): string {
  const message = `${server} does not let the account "${user}" in`;
  if (tls !== undefined) return `${message}.`;
  return `${message}. The connection is not encrypted: an account with REQUIRE SSL needs a \`tls\` section (\`--ca\` of \`init\`).`;
}

/** The driver writes a code of its own over that of Node: what went wrong is in the text alone. */
function withTlsCode(error: unknown): unknown {
  if (codeOf(error) !== 'HANDSHAKE_SSL_ERROR' || !(error instanceof Error)) return error;
  const isName = error.message.includes("does not match certificate's altnames");
  const isTrust = /certificate|issuer|self.signed/i.test(error.message);
  const code = isName ? 'ERR_TLS_CERT_ALTNAME_INVALID' : isTrust ? 'CERT_NOT_TRUSTED' : 'ERR_SSL_HANDSHAKE';
  return Object.assign(new Error(error.message, { cause: error }), { code });
}
