import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from './gateway.js';

const run = promisify(execFile);

export interface Finished {
  readonly code: number;
  readonly output: string;
}

/** A folder in which this package is installed as others install it: packed, and extracted into node_modules. */
export interface AuthorsFolder {
  readonly folder: string;
  /** Runs Node in a folder below. @returns the exit code and what it printed */
  node(below: string, ...args: readonly string[]): Promise<Finished>;
  /** The installed command line. */
  scimbridge(below: string, ...args: readonly string[]): Promise<Finished>;
  remove(): Promise<void>;
}

export async function installPacked(): Promise<AuthorsFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'author-'));
  const installed = join(folder, 'node_modules/scimbridge');
  await mkdir(installed, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: repositoryRoot,
    maxBuffer: 64 * 1024 * 1024,
  });
  const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[];
  await run('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', installed, '--strip-components=1']);
  await symlink(join(repositoryRoot, 'node_modules'), join(installed, 'node_modules'));
  const node = async (below: string, ...args: readonly string[]): Promise<Finished> => {
    // A runner that runs us must not be taken for the one that runs the author's tests.
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    try {
      const options = { cwd: join(folder, below), env, maxBuffer: 64 * 1024 * 1024 };
      const { stdout, stderr } = await run(process.execPath, args, options);
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as {
        readonly code: number;
        readonly stdout: string;
        readonly stderr: string;
      };
      return { code, output: stdout + stderr };
    }
  };
  return {
    folder,
    node,
    scimbridge: (below, ...args) => node(below, join(installed, 'bin/scimbridge.mjs'), ...args),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What `node --test` counted in its TAP output. */
export function countsOf(output: string): { readonly pass: number; readonly fail: number; readonly skipped: number } {
  const count = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? -1);
  return { pass: count('pass'), fail: count('fail'), skipped: count('skipped') };
}
