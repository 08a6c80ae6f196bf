import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { removeInstance } from '../ldap/workspace.js';

export type SqlKind = 'postgresql' | 'mysql';

export type SqlCell = string | number | null;

/** A real database server of this test file, listening on 127.0.0.1. */
export interface SqlServer {
  readonly kind: SqlKind;
  readonly host: string;
  readonly port: number;
  /** The account that owns every database of `createDatabase`, and its password. */
  readonly user: string;
  readonly password: string;
  /** PEM file of the authority whose certificate the server shows to who asks for TLS. */
  readonly caFile: string;
  /** Certificate and key (PEM) of `certificateUser`, who needs no password but these. */
  readonly clientCertificate: { readonly certificateFile: string; readonly keyFile: string };
  readonly certificateUser: string;
  /** A new, empty database. @param schema statements that are carried out in it first */
  createDatabase(schema?: string): Promise<SqlDatabase>;
  /** Statements as the server's administrator, in the server's own database. @returns the last one's rows */
  administer(statements: string): Promise<readonly (readonly SqlCell[])[]>;
  /** Everything that the server logged so far. */
  log(): string;
  /** Ends the process as an administrator does. Data and port stay. */
  stop(): Promise<void>;
  /** Ends the process without a word, as a crash does. Data and port stay. */
  kill(): Promise<void>;
  /** Starts the server again on the same port, after ending it where it runs. */
  restart(): Promise<void>;
  /** Freezes all processes: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends the process and removes all that it wrote. */
  close(): Promise<void>;
}

export interface SqlDatabase {
  readonly name: string;
  /** `postgresql://scim@127.0.0.1:15432/test_1`, without the password. */
  readonly url: string;
  /** Statements as the administrator. @returns the last one's rows, every value as text or a number */
  run(statements: string): Promise<readonly (readonly SqlCell[])[]>;
  drop(): Promise<void>;
}

export interface ServerPlan {
  readonly kind: SqlKind;
  readonly folder: string;
  readonly port: number;
  readonly caFile: string;
  readonly clientCertificate: SqlServer['clientCertificate'];
  /** The server's program with its arguments; it stays in the foreground. */
  readonly command: readonly string[];
  readonly stopSignal: NodeJS.Signals;
  /** Ends everything at once, and leaves nothing that keeps the next start waiting. */
  readonly killSignal: NodeJS.Signals;
  readonly scheme: string;
  /** Runs statements as the administrator. */
  run(database: string | undefined, statements: string): Promise<readonly (readonly SqlCell[])[]>;
  readonly createDatabase: (name: string) => string;
  readonly dropDatabase: (name: string) => string;
}

export const host = '127.0.0.1';
export const accounts = {
  administrator: 'administrator',
  scim: 'scim',
  certificate: 'scimcert',
  password: 'Scim.Secret-1',
} as const;

const startTimeoutMs = 60_000;
/** Neither server runs as root. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** Puts before a command what makes it run as nobody where we are root, and end with the thread that started it. */
export function asNobody(command: readonly string[]): readonly string[] {
  const user = isRoot ? [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];
  return ['setpriv', ...user, '--pdeathsig', 'KILL', ...command];
}

/** Gives a file or folder to the user that the servers run as. */
export function giveToNobody(...files: readonly string[]): void {
  if (isRoot) for (const file of files) chownSync(file, nobody, nobody);
}

/** Starts what the plan says and waits until it answers. */
export async function runSqlServer(plan: ServerPlan): Promise<SqlServer> {
  const { folder, port, scheme } = plan;
  const output = join(folder, 'server.log');
  let child: ChildProcess | undefined;
  let frozen: readonly number[] = [];
  let databases = 0;

  const log = (): string => (existsSync(output) ? readFileSync(output, 'utf8') : '');
  const resume = (): void => {
    for (const pid of frozen) signal(pid, 'SIGCONT');
    frozen = [];
  };
  const end = async (how: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(how);
    resume();
    await ended;
  };
  const start = async (): Promise<void> => {
    child = spawnServer(plan.command, output);
    await untilReady(plan, child).catch(async (error: unknown) => {
      await end('SIGKILL');
      throw new Error(`${plan.kind} did not start.\n${log()}`, { cause: error });
    });
  };
  const close = async (): Promise<void> => {
    await end(plan.killSignal);
    await removeInstance(folder);
  };

  await start().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    kind: plan.kind,
    host,
    port,
    user: accounts.scim,
    password: accounts.password,
    caFile: plan.caFile,
    clientCertificate: plan.clientCertificate,
    certificateUser: accounts.certificate,
    createDatabase: async (schema) => {
      const name = `test_${++databases}`;
      await plan.run(undefined, plan.createDatabase(name));
      if (schema !== undefined) await plan.run(name, schema);
      return {
        name,
        url: `${scheme}://${accounts.scim}@${host}:${port}/${name}`,
        run: (statements) => plan.run(name, statements),
        drop: async () => {
          await plan.run(undefined, plan.dropDatabase(name));
        },
      };
    },
    administer: (statements) => plan.run(undefined, statements),
    log,
    stop: () => end(plan.stopSignal),
    kill: () => end(plan.killSignal),
    restart: async () => {
      await end(plan.stopSignal);
      await start();
    },
    pause: () => {
      const { pid } = child ?? {};
      if (pid === undefined) return;
      frozen = [pid, ...childrenOf(pid)];
      for (const each of frozen) signal(each, 'SIGSTOP');
    },
    resume,
    close,
  };
}

/** The server ends with the thread that started it, so that a test run that is killed leaves none behind. */
function spawnServer(command: readonly string[], output: string): ChildProcess {
  const log = openSync(output, 'a');
  try {
    const [program = '', ...args] = asNobody(command);
    return spawn(program, args, { stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

async function untilReady(plan: ServerPlan, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  let failure: unknown;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('It ended.', { cause: failure });
    try {
      await plan.run(undefined, 'SELECT 1');
      return;
    } catch (error) {
      failure = error;
    }
    await delay(20);
  }
  throw new Error('It does not answer.', { cause: failure });
}

/** PostgreSQL serves each connection in a process of its own. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ');
    return Number(fields[1]);
  } catch {
    return undefined; // It has just ended.
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
