import { describe } from 'vitest';
import { whyNotInstalled } from '../ldap/available.js';
import type { MariadbOptions } from './mariadb.js';
import { type PostgresqlOptions, postgresqlBinaries } from './postgresql.js';
import type { SqlKind, SqlServer } from './sql-server.js';

interface Requirement {
  readonly name: string;
  /** Debian packages; .ci/run installs the same. */
  readonly packages: readonly string[];
  readonly files: readonly string[];
}

/** MySQL itself is in no Debian: MariaDB stands for it. */
const requirements: Readonly<Record<SqlKind, Requirement>> = {
  postgresql: {
    name: 'PostgreSQL',
    packages: ['postgresql-15'],
    files: [`${postgresqlBinaries}/postgres`, `${postgresqlBinaries}/initdb`],
  },
  mysql: {
    name: 'MariaDB',
    packages: ['mariadb-server-core', 'mariadb-client-core'],
    files: ['/usr/sbin/mariadbd', '/usr/bin/mariadb-install-db'],
  },
};

export const sqlKinds: readonly SqlKind[] = ['postgresql', 'mysql'];

/**
 * Tests on a real server. Where its packages are absent they are installed, if we may (root on Debian or Ubuntu, and
 * TEST_INSTALL is not "never"); otherwise the tests are skipped and their title says why. With CI=true that is a failure.
 */
export async function describeOnSql(
  kind: SqlKind,
  title: string,
  body: (name: string) => void | Promise<void>,
): Promise<void> {
  const { name } = requirements[kind];
  const reason = await whyUnavailable(kind);
  if (reason === undefined) {
    describe(`${name}: ${title}`, () => body(name));
    return;
  }
  if (process.env.CI === 'true') throw new Error(`${name} cannot be tested: ${reason}`);
  describe.skip(`${name}: ${title} (skipped: ${reason})`, () => body(name));
}

/** Starts a server of that kind. Each kind's code is loaded only when it is used. */
export async function startSql(kind: SqlKind, options: PostgresqlOptions & MariadbOptions = {}): Promise<SqlServer> {
  return kind === 'postgresql'
    ? (await import('./postgresql.js')).startPostgresql(options)
    : (await import('./mariadb.js')).startMariadb(options);
}

/** Why the server cannot run here, or undefined when it can; installs it where that is allowed. */
export async function whyUnavailable(kind: SqlKind): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it is started as Debian packages it';
  return whyNotInstalled(requirements[kind]);
}
