import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePorts } from '../ldap/ldap-server.js';
import { packageState, runTool } from '../ldap/run-tool.js';
import { instanceFolder, template } from '../ldap/workspace.js';
import { sqlCertificates } from './certificates.js';
import { accounts, asNobody, giveToNobody, host, runSqlServer, type SqlCell, type SqlServer } from './sql-server.js';

export const postgresqlBinaries = '/usr/lib/postgresql/15/bin';

export interface PostgresqlOptions {
  /** Settings as in postgresql.conf: `max_connections: 20`. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Starts a PostgreSQL server of its own on a free port, from a copy of a data folder that is made once. */
export async function startPostgresql({ settings = {} }: PostgresqlOptions = {}): Promise<SqlServer> {
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
    port,
    listen_addresses: host,
    unix_socket_directories: folder,
    ...{
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      shared_buffers: '16MB',
      max_wal_size: '64MB',
    },
    ...{ ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key, ssl_ca_file: certificates.caFile },
    ...settings,
  };
  return runSqlServer({
    kind: 'postgresql',
    folder,
    port,
    caFile: certificates.caFile,
    clientCertificate: certificates.clientCertificate,
    command: [
      `${postgresqlBinaries}/postgres`,
      ...['-D', data],
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    stopSignal: 'SIGINT',
    killSignal: 'SIGQUIT', // The processes of connections end, too, and nothing is put in order.
    scheme: 'postgresql',
    run: (database, statements) => runStatements(port, database ?? 'postgres', statements),
    createDatabase: (name) => `CREATE DATABASE ${name} OWNER ${accounts.scim}`,
    dropDatabase: (name) => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
  });
}

const accessRules = `hostssl all ${accounts.certificate} ${host}/32 cert
host all ${accounts.administrator} ${host}/32 trust
host all all ${host}/32 scram-sha-256
`;

const firstStatements = `CREATE ROLE ${accounts.scim} LOGIN PASSWORD '${accounts.password}';
CREATE ROLE ${accounts.certificate} LOGIN;
`;

async function preparedData(): Promise<string> {
  const key = `${await packageState('postgresql-15')}${accessRules}${firstStatements}`;
  return template('postgresql', key, async (made) => {
    const data = join(made, 'data');
    mkdirSync(data, { mode: 0o700 });
    giveToNobody(made, data);
    const run = (command: readonly string[], input?: string): Promise<string> => {
      const [program = '', ...args] = asNobody(command);
      return runTool(program, args, { cwd: '/', ...(input === undefined ? {} : { input }) });
    };
    await run([
      `${postgresqlBinaries}/initdb`,
      ...['-D', data, '-U', accounts.administrator, '--auth=trust', '--no-sync', '--locale=C.UTF-8'],
    ]);
    writeFileSync(join(data, 'pg_hba.conf'), accessRules);
    await run([`${postgresqlBinaries}/postgres`, '--single', '-D', data, 'postgres'], firstStatements);
  });
}

async function runStatements(
  port: number,
  database: string,
  statements: string,
): Promise<readonly (readonly SqlCell[])[]> {
  const client = new pg.Client({ host, port, database, user: accounts.administrator });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const answer: unknown = await client.query({ text: statements, rowMode: 'array' });
    const last = Array.isArray(answer) ? (answer.at(-1) as unknown) : answer;
    return (last as { readonly rows?: SqlCell[][] } | undefined)?.rows ?? [];
  } finally {
    await client.end();
  }
}
