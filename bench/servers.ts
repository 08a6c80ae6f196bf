import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HttpConnection } from './http-connection.js';
import type { Target } from './target.js';

export interface ServerProcess {
  readonly target: Target;
  /** From the start of the process until /health/ready answers 200. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
const bareHandler = fileURLToPath(new URL('./bare-handler.js', import.meta.url));
const unwatchedGateway = fileURLToPath(new URL('./unwatched-gateway.js', import.meta.url));
/** From dist/bench, where this runs. */
export const configFile = fileURLToPath(new URL('../../bench/gateway.yaml', import.meta.url));
const startLimitMs = 30_000;
const pollMs = 2;
const readyRequest = Buffer.from('GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
const run = promisify(execFile);

/** @param nodeOptions such as --cpu-prof */
export async function startBare(
  folder: string,
  seed: number,
  nodeOptions: readonly string[] = [],
): Promise<ServerProcess> {
  const token = 'bare-token-of-the-benchmark-0123456789abcdef';
  const args = [
    ...nodeOptions,
    bareHandler,
    '--file',
    join(folder, 'bare.db'),
    '--token',
    token,
    '--seed',
    String(seed),
  ];
  const startedAt = performance.now();
  const child = start(args, folder);
  const port = await announcedPort(child);
  return {
    target: { name: 'bare', port, pid: pidOf(child), token },
    readyMs: performance.now() - startedAt,
    stop: () => stop(child),
  };
}

/** @param nodeOptions such as --cpu-prof */
export async function startGateway(
  folder: string,
  nodeOptions: readonly string[] = [],
  config = configFile,
): Promise<ServerProcess> {
  const token = await createToken(folder, config);
  const port = await freePort();
  const place = ['--config', config, '--data', folder, '--listen', `127.0.0.1:${port}`];
  const startedAt = performance.now();
  const child = start([...nodeOptions, main, 'serve', ...place], folder);
  await untilReady(child, port);
  const readyMs = performance.now() - startedAt;
  return { target: { name: 'gateway', port, pid: pidOf(child), token }, readyMs, stop: () => stop(child) };
}

/** On the data folder of a gateway that runs, or has run. */
export async function startUnwatched(folder: string): Promise<ServerProcess> {
  const startedAt = performance.now();
  const child = start([unwatchedGateway, '--config', configFile, '--data', folder], folder);
  const port = await announcedPort(child);
  return {
    target: { name: 'unwatched gateway', port, pid: pidOf(child), token: 'any' },
    readyMs: performance.now() - startedAt,
    stop: () => stop(child),
  };
}

let tokens = 0;

async function createToken(folder: string, config: string): Promise<string> {
  const label = `bench ${process.pid} ${++tokens}`;
  const args = [main, 'token', 'create', 'bench', '--label', label, '--json', '--config', config, '--data', folder];
  const { stdout } = await run(process.execPath, args);
  return (JSON.parse(stdout) as { readonly token: string }).token;
}

export function start(args: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd });
}

export function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('The server did not start.');
  return pid;
}

export function announcedPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`A server of the benchmark ended with ${code}.`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).once('line', (line) => {
      resolve(Number(new URL((JSON.parse(line) as { readonly url: string }).url).port));
    });
  });
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  child.stdout?.resume();
  const giveUpAt = performance.now() + startLimitMs;
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`The gateway ended with ${child.exitCode}.`);
    if (performance.now() > giveUpAt) throw new Error('The gateway was not ready in time.');
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function isReady(port: number): Promise<boolean> {
  let connection: HttpConnection | undefined;
  try {
    connection = await HttpConnection.open(port);
    return (await connection.send(readyRequest)).status === 200;
  } catch {
    return false;
  } finally {
    connection?.close();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port.');
  return address.port;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Processor time of all threads of a process, in milliseconds, in steps of 10. Undefined where there is no /proc. */
export function cpuMs(pid: number): number | undefined {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // Behind the command's name, which is in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export interface Memory {
  /** Everything that is resident, in MB. */
  readonly rss: number;
  /** Without the pages of mapped files, which the operating system can take back at any time. */
  readonly anonymous: number;
}

export function memoryOf(pid: number): Memory | undefined {
  const status = readProc(pid, 'status');
  if (status === undefined) return undefined;
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return { rss: megabytes('VmRSS'), anonymous: megabytes('RssAnon') };
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
