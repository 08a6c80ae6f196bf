import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort, stop } from '../servers.js';

/** A real PostgreSQL server that writes to the disk before it answers. */
export interface PostgresqlServer {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

const binaries = '/usr/lib/postgresql/15/bin';
const neededFiles = [`${binaries}/initdb`, `${binaries}/postgres`];
const user = 'bench';
/** The server does not run as root. */
const nobody = 65_534;
const startLimitMs = 30_000;
const run = promisify(execFile);

/** Undefined when a PostgreSQL server can be started here. */
export function whyNoPostgresql(): string | undefined {
  const missing = neededFiles.filter((file) => !existsSync(file));
  return missing.length === 0 ? undefined : `PostgreSQL's server is not installed (no ${missing.join(', ')})`;
}

/** @param folder empty, on the disk that is measured */
export async function startPostgresql(folder: string): Promise<PostgresqlServer> {
  if (process.getuid?.() === 0) chownSync(folder, nobody, nobody);
  const data = join(folder, 'data');
  const init = asNobody([`${binaries}/initdb`, '-D', data, '-U', user, '--auth=trust', '--locale=C.UTF-8']);
  await run(init[0] ?? '', init.slice(1), { cwd: '/' });
  const port = await freePort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder, shared_buffers: '256MB' };
  const [program = '', ...args] = asNobody([
    `${binaries}/postgres`,
    ...['-D', data],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const child = spawn(program, args, { stdio: 'ignore' });
  // So that a benchmark that is broken off leaves no server behind.
  process.once('exit', () => child.kill('SIGQUIT'));
  const url = `postgresql://${user}@127.0.0.1:${port}/postgres`;
  const version = await untilReady(child, url);
  return { url, version, stop: () => stop(child) };
}

function asNobody(command: readonly string[]): readonly string[] {
  if (process.getuid?.() !== 0) return command;
  return ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', ...command];
}

async function untilReady(child: ChildProcess, url: string): Promise<string> {
  const giveUpAt = performance.now() + startLimitMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      return rows[0]?.server_version.replace(/ .*/, '') ?? 'of unknown version';
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}.`);
      if (performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
