import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createTestGateway, repositoryRoot, type ServerOptions, type TestServer } from './gateway.js';

const main = join(repositoryRoot, 'dist/src/main.js');
const run = promisify(execFile);

/** Runs the built program as an operator does: `serve` on a free port, tokens by the command line. */
export async function spawnServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'scimbridge-'));
  const configFile = join(options.baseDir ?? dataDir, 'gateway.yaml');
  if (options.config !== undefined) await writeFile(configFile, options.config);
  const configArguments = options.config === undefined ? [] : ['--config', configFile];
  const lines: string[] = [];
  const child = spawn(
    process.execPath,
    [main, 'serve', '--listen', '127.0.0.1:0', '--data', dataDir, ...configArguments],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: dataDir },
  );
  const close = async (): Promise<void> => {
    await stop(child);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const origin = await listeningUrl(child, lines);
    const ready = await fetch(`${origin}/health/ready`);
    if (ready.status !== 200) throw new Error(`/health/ready answers ${ready.status}: ${await ready.text()}`);
    const createToken = async (id: string, label: string): Promise<string> => {
      const args = ['token', 'create', id, '--label', label, '--json', '--data', dataDir, ...configArguments];
      const { stdout } = await run(process.execPath, [main, ...args]);
      return (JSON.parse(stdout) as { token: string }).token;
    };
    return {
      dataDir,
      createToken,
      gateway: async (id = 'default') => {
        const address = id === 'default' ? '/scim' : `/${id}/scim`;
        return createTestGateway(origin + address, await createToken(id, 'test'), fetch);
      },
      log: () => lines.join('\n'),
      close,
    };
  } catch (error) {
    await close();
    throw new Error(`The server did not start.\n${lines.join('\n')}`, { cause: error });
  }
}

/** The address in the first log line that has one. */
function listeningUrl(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`It ended with ${code}.`)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const url = /"(?:url|address)":"(http:\/\/[^"/]+)/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    }
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await ended;
}
