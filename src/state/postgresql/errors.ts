import pg from 'pg';

/**
 * SQLSTATE classes that are about the server or the way to it and not about the statement: connection, resources, an
 * operator or a shutdown, the system; a standby, which only reads; the account and the database's name; a lock not got in time.
 */
const ofServer = /^(?:08|53|57|58|XX|25006|28|3D|55P03|40)/;
/** Those that no waiting changes: somebody has to correct the configuration, or the database's rights. */
const ofSettings = /^(?:28|3D|42501|0A)/;
const ofCertificate =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(?:GET|VERIFY|DECODE)|HOSTNAME_MISMATCH|INVALID_CA)/;

/** pg's own words: no TLS there; no password, or another way of signing in than it knows. */
const ofHandshake = /does not support SSL|^SASL|Unknown authentication/;

/** Whether the database is away, as against a statement that it refuses. */
export function isOfConnection(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return ofServer.test(error.code ?? '');
  // What pg throws of connections is a plain Error, with the system's code or without; ours and those of the language are not.
  return error instanceof Error && (error.name === 'Error' || error.name === 'AggregateError' || 'code' in error);
}

/** Whether it may be there in a moment: it starts, or the network does. */
export function mayPass(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return isOfConnection(error) && !ofSettings.test(error.code ?? '');
  const code = codeOf(error) ?? '';
  return isOfConnection(error) && !ofCertificate.test(code) && !ofHandshake.test(reasonOf(error));
}

/** Whether what was to be written is at fault: a value that cannot be stored, a rule that it breaks. */
export function isOfValues(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(?:22|23|54)/.test(error.code ?? '');
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505';
}

/** For the operator. PostgreSQL puts values into `detail`, which is left out. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    // One for each address of the host.
    return [...new Set(error.errors.map(reasonOf))].join('; ');
  }
  return error instanceof Error && error.message !== '' ? error.message : (codeOf(error) ?? String(error));
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
