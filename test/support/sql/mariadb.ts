import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { freePorts } from '../ldap/ldap-server.js';
import { packageState, runTool } from '../ldap/run-tool.js';
import { instanceFolder, template } from '../ldap/workspace.js';
import { sqlCertificates } from './certificates.js';
import { accounts, asNobody, giveToNobody, host, runSqlServer, type SqlCell, type SqlServer } from './sql-server.js';

export interface MariadbOptions {
  /** Settings as on the command line, without the dashes: `max-connections: 20`. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Starts a MariaDB server of its own on a free port, from a copy of a data folder that is made once. */
export async function startMariadb({ settings = {} }: MariadbOptions = {}): Promise<SqlServer> {
  const certificates = await sqlCertificates();
  const prepared = await preparedData();
  const folder = await instanceFolder();
  const data = join(folder, 'data');
  await runTool('cp', ['-a', '--reflink=auto', join(prepared, 'data'), data]);
  const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
  copyFileSync(certificates.certificateFile, certificate);
  copyFileSync(certificates.keyFile, key);
  chmodSync(key, 0o600);
  giveToNobody(folder, certificate, key);
  const { ldap: port } = await freePorts();
  const all = {
    datadir: data,
    tmpdir: folder, // a server that starts removes what others have in the same one
    port,
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    'bind-address': host,
    ...{ 'ssl-ca': certificates.caFile, 'ssl-cert': certificate, 'ssl-key': key },
    ...engineSettings,
    ...{ 'innodb-flush-log-at-trx-commit': 0, 'character-set-server': 'utf8mb4' },
    ...settings,
  };
  return runSqlServer({
    kind: 'mysql',
    folder,
    port,
    caFile: certificates.caFile,
    clientCertificate: certificates.clientCertificate,
    command: ['/usr/sbin/mariadbd', '--no-defaults', '--skip-log-bin', '--skip-name-resolve', ...options(all)],
    stopSignal: 'SIGTERM',
    killSignal: 'SIGKILL',
    scheme: 'mysql',
    run: (database, statements) => runStatements(port, database ?? 'mysql', statements),
    createDatabase: (name) =>
      `CREATE DATABASE ${name}; GRANT ALL ON ${name}.* TO ${accounts.scim}, ${accounts.certificate}`,
    dropDatabase: (name) => `DROP DATABASE IF EXISTS ${name}`,
  });
}

/** Small files, so that a copy is quick. */
const engineSettings = { 'innodb-log-file-size': '8M', 'innodb-buffer-pool-size': '32M' };

const firstStatements = `FLUSH PRIVILEGES;
CREATE USER ${accounts.administrator} IDENTIFIED BY '';
GRANT ALL ON *.* TO ${accounts.administrator} WITH GRANT OPTION;
CREATE USER ${accounts.scim} IDENTIFIED BY '${accounts.password}';
CREATE USER ${accounts.certificate} REQUIRE X509;
`;

async function preparedData(): Promise<string> {
  const key = `${await packageState('mariadb-server-core')}${firstStatements}${JSON.stringify(engineSettings)}`;
  return template('mariadb', key, async (made) => {
    const data = join(made, 'data');
    mkdirSync(data, { mode: 0o700 });
    giveToNobody(made, data);
    const run = async (command: readonly string[], input?: string): Promise<void> => {
      const [program = '', ...args] = asNobody(command);
      await runTool(program, args, { cwd: '/', ...(input === undefined ? {} : { input }) });
    };
    await run([
      ...[
        'mariadb-install-db',
        '--no-defaults',
        `--datadir=${data}`,
        `--tmpdir=${made}`,
        '--auth-root-authentication-method=normal',
      ],
      ...['--skip-test-db', ...options(engineSettings)],
    ]);
    const file = join(made, 'first.sql');
    writeFileSync(file, firstStatements.replaceAll(/;\n(?=.)/g, ';\n'));
    await run(
      [
        '/usr/sbin/mariadbd',
        '--no-defaults',
        `--datadir=${data}`,
        `--tmpdir=${made}`,
        '--bootstrap',
        ...options(engineSettings),
      ],
      firstStatements,
    );
  });
}

function options(settings: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}

async function runStatements(
  port: number,
  database: string,
  statements: string,
): Promise<readonly (readonly SqlCell[])[]> {
  const connection = await mysql.createConnection({
    ...{ host, port, database, user: accounts.administrator, password: '' },
    ...{ multipleStatements: true, rowsAsArray: true, supportBigNumbers: true, dateStrings: true },
  });
  connection.on('error', () => undefined);
  try {
    const [answer] = await connection.query<mysql.RowDataPacket[]>(statements);
    const rows: unknown = answer;
    const last = isListOfAnswers(rows) ? rows.at(-1) : rows;
    return Array.isArray(last) ? (last as SqlCell[][]) : [];
  } finally {
    await connection.end();
  }
}

/** Several statements give a list of answers: of rows, or of what changed. */
function isListOfAnswers(rows: unknown): rows is readonly unknown[] {
  return Array.isArray(rows) && rows.some((each) => !Array.isArray(each) || Array.isArray(each[0]));
}
