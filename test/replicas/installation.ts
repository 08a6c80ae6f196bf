import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createTestGateway, repositoryRoot, type TestGateway } from '../support/gateway.js';
import { whyNotInstalled } from '../support/ldap/available.js';
import { startSql } from '../support/sql/available.js';
import type { SqlServer } from '../support/sql/sql-server.js';

const main = join(repositoryRoot, 'dist/src/main.js');
const haproxyConfig = join(repositoryRoot, 'deploy/haproxy/haproxy.cfg');
const run = promisify(execFile);

/** One process of the gateway, always on the same port. */
export interface Replica {
  readonly origin: string;
  /** Everything that its processes logged. */
  log(): string;
  start(): Promise<void>;
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** Replicas on one state and one backend, behind the proxy as deploy/haproxy has it. */
export interface Installation {
  readonly replicas: readonly [Replica, Replica, Replica];
  readonly server: SqlServer;
  /** Runs a command of the program on the state that the replicas share. */
  command(...args: readonly string[]): Promise<string>;
  createToken(label: string): Promise<string>;
  /** By the proxy, or by one replica alone. */
  gateway(token: string, replica?: Replica): TestGateway;
  proxyLog(): string;
  close(): Promise<void>;
}

/** Where the records lie: parts of gateway.yaml. */
export interface Backend {
  /** Statements that make the tables. */
  readonly schema: string;
  /** The section of the adapter `shared`, without what says where its server is. */
  readonly adapter: object;
  readonly resources: object;
}

export async function startInstallation(backend: Backend): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'replicas-'));
  const children = new Set<ChildProcess>();
  const server = await startSql('postgresql', { settings: { synchronous_commit: 'on' } });
  const close = async (): Promise<void> => {
    for (const child of children) await end(child, 'SIGKILL');
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [state, records] = [await server.createDatabase(), await server.createDatabase(backend.schema)];
    const file = join(folder, 'gateway.yaml');
    writeFileSync(
      file,
      `version: 1
trustedProxies: [127.0.0.1]
state: { url: '${state.url}', password: '\${env:STATE_PASSWORD}' }
adapters:
  shared: ${JSON.stringify({ ...backend.adapter, url: records.url, password: `\${env:STATE_PASSWORD}` })}
gateways:
  corp:
    limits: { requestsPerSecond: 0 }
    pagination: { default: cursor }
    auth: { oauth: {} }
    resources: ${JSON.stringify(backend.resources)}
`,
    );
    const place = ['--config', file, '--data', join(folder, 'data')];
    const env = { ...process.env, STATE_PASSWORD: server.password };
    const launch = (command: string, args: readonly string[], more: NodeJS.ProcessEnv, log: string[]): ChildProcess => {
      // It ends with the test run, also with one that is killed.
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...env, ...more },
      });
      children.add(child);
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => log.push(String(data)));
      return child;
    };
    const ports = await freePorts(4);
    const createReplica = (port = 0): Replica => {
      const log: string[] = [];
      const origin = `http://127.0.0.1:${port}`;
      let child: ChildProcess | undefined;
      return {
        origin,
        log: () => log.join(''),
        start: async () => {
          const args = [main, 'serve', '--listen', `127.0.0.1:${port}`, '--drain', '3', ...place];
          const started = launch(process.execPath, args, {}, log);
          child = started;
          await untilReady(origin, () => hasEnded(started), log);
        },
        kill: async (signal) => {
          if (child !== undefined) await end(child, signal);
        },
      };
    };
    const replicas = [createReplica(ports[0]), createReplica(ports[1]), createReplica(ports[2])] as const;
    // All at once: the state is made by one of them.
    await Promise.all(replicas.map((replica) => replica.start()));
    const proxyLog: string[] = [];
    const proxyPort = ports[3] ?? 0;
    const proxy = launch(
      '/usr/sbin/haproxy',
      ['-db', '-f', haproxyConfig],
      {
        LISTEN: `127.0.0.1:${proxyPort}`,
        ...Object.fromEntries(replicas.map(({ origin }, index) => [`REPLICA_${index + 1}`, new URL(origin).host])),
      },
      proxyLog,
    );
    const outside = `http://127.0.0.1:${proxyPort}`;
    await untilReady(outside, () => hasEnded(proxy), proxyLog);
    const command = async (...args: readonly string[]): Promise<string> =>
      (await run(process.execPath, [main, ...args, ...place], { env, maxBuffer: 100_000_000 })).stdout;
    return {
      replicas,
      server,
      command,
      createToken: async (label) =>
        (JSON.parse(await command('token', 'create', 'corp', '--label', label, '--json')) as { token: string }).token,
      gateway: (token, replica) => createTestGateway(`${replica?.origin ?? outside}/scim`, token, fetch),
      proxyLog: () => proxyLog.join(''),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Why there is no proxy to test with; it is installed where that is allowed. */
export function whyNoProxy(): Promise<string | undefined> {
  return whyNotInstalled({ packages: ['haproxy'], files: ['/usr/sbin/haproxy'] });
}

async function untilReady(origin: string, hasGone: () => boolean, log: readonly string[]): Promise<void> {
  for (;;) {
    if (hasGone()) throw new Error(`It did not start.\n${log.join('')}`);
    const status = await fetch(`${origin}/health/ready`).then(
      (response) => response.text().then(() => response.status),
      () => 0,
    );
    if (status === 200) return;
    await delay(50);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** All held at the same time, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      const closed = once(server, 'close');
      server.close();
      await closed;
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
}
