import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createTestGateway, repositoryRoot, type ServerOptions, type TestGateway, type TestServer } from './gateway.js';

const main = join(repositoryRoot, 'dist/src/main.js');
const run = promisify(execFile);

/** Runs the built program as an operator does: `serve` on a free port, tokens by the command line. */
export async function spawnServer(options: SpawnOptions = {}): Promise<SpawnedServer> {
  if (!existsSync(main)) throw new Error('The program is not built: run "npm run build" first.');
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'scimbridge-')));
  const configFile = join(options.baseDir ?? folder, 'gateway.yaml');
  if (options.config !== undefined) await writeFile(configFile, options.config);
  const place = ['--data', folder, ...(options.config === undefined ? [] : ['--config', configFile])];
  const child = spawn(
    process.execPath,
    [...(options.nodeOptions ?? []), main, 'serve', '--listen', '127.0.0.1:0', ...place],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: folder,
    },
  );
  const output = readOutput(child);
  const createToken = async (id: string, label: string): Promise<string> => {
    const { stdout } = await run(process.execPath, [main, 'token', 'create', id, '--label', label, '--json', ...place]);
    return (JSON.parse(stdout) as { readonly token: string }).token;
  };
  const end = async (): Promise<number | null> => stop(child);
  try {
    const { origin } = new URL(await output.tenantUrl(undefined));
    const ready = await fetch(`${origin}/health/ready`);
    if (ready.status !== 200) throw new Error(`/health/ready answers ${ready.status}: ${await ready.text()}`);
  } catch (error) {
    await end();
    if (options.dataDir === undefined) await rm(folder, { recursive: true, force: true });
    throw new Error(`The server did not start.\n${output.text()}`, { cause: error });
  }
  return {
    dataDir: folder,
    pid: child.pid ?? 0,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    createToken,
    gateway: async (id = 'default') =>
      createTestGateway(await output.tenantUrl(id), await createToken(id, `test-${randomUUID()}`), fetch),
    gatewayWith: async (token, id = 'default') => createTestGateway(await output.tenantUrl(id), token, fetch),
    log: output.text,
    end,
    kill: async () => {
      await endBy(child, 'SIGKILL');
    },
    close: async () => {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface SpawnOptions extends ServerOptions {
  /** An existing data folder, so that a server goes on where another ended. */
  readonly dataDir?: string;
  /** Options of Node itself, such as `--max-old-space-size=128`. */
  readonly nodeOptions?: readonly string[];
}

export interface SpawnedServer extends TestServer {
  readonly pid: number;
  /** Whether the process is gone, however it went. */
  hasEnded(): boolean;
  /** Asks the process to end and waits. Its data stays. @returns its exit code */
  end(): Promise<number | null>;
  /** A gateway with a token that an earlier process made in the same data folder. */
  gatewayWith(token: string, id?: string): Promise<TestGateway>;
  /** Ends the process without a word, as a crash does. Its data stays. */
  kill(): Promise<void>;
}

interface Output {
  text(): string;
  /** The SCIM base URL that the log tells for a gateway, or the first that it tells. Rejects when the process ends. */
  tenantUrl(gateway: string | undefined): Promise<string>;
}

function readOutput(child: ChildProcess): Output {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      wake();
    });
  }
  child.once('exit', wake);
  const find = (gateway: string | undefined): string | undefined => {
    for (const line of lines) {
      const url = /"tenantUrl":"([^"]+)"/.exec(line)?.[1];
      if (url !== undefined && (gateway === undefined || line.includes(`"gateway":"${gateway}"`))) return url;
    }
    return undefined;
  };
  return {
    text: () => lines.join('\n'),
    tenantUrl: (gateway) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const url = find(gateway);
          if (url === undefined && child.exitCode === null) return;
          waiting.delete(look);
          if (url === undefined) reject(new Error(`It ended with ${child.exitCode}.`));
          else resolve(url);
        };
        waiting.add(look);
        look();
      }),
  };
}

async function stop(child: ChildProcess): Promise<number | null> {
  return endBy(child, 'SIGTERM');
}

async function endBy(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill(signal);
  });
}
