import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(tmpdir(), `scimbridge-ldap-${process.getuid?.() ?? 0}`);

/** Where templates and running servers live: ours alone to write, though a server's own user may pass through it. */
export function workspace(): string {
  mkdirSync(root, { mode: 0o711, recursive: true });
  const { uid, mode } = lstatSync(root);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${root} belongs to somebody else.`);
  return root;
}

/** Runs one at a time over all processes of this machine; the lock goes with its holder, however that ends. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const file = join(workspace(), `${name}.lock`);
  const holder = spawn('flock', [file, 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit').then(() => fail(`No lock on ${file}.`))]);
    return await work();
  } finally {
    holder.stdin.end();
  }
}

/**
 * A folder that `build` makes once for all runs on this machine. Servers are started from copies of it.
 * @param key everything that its content depends on
 */
export async function template(name: string, key: string, build: (folder: string) => Promise<void>): Promise<string> {
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 12);
  const folder = join(workspace(), `${name}-${hash}`);
  const ready = `${folder}.ready`;
  if (isUsable(ready)) return folder;
  return withLock(name, async () => {
    if (isUsable(ready)) return folder;
    await rm(folder, { recursive: true, force: true });
    removeUnused(name);
    mkdirSync(folder, { mode: 0o711 });
    try {
      await build(folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    writeFileSync(ready, '');
    return folder;
  });
}

/** Its time says when the template was last used. */
function isUsable(ready: string): boolean {
  if (!existsSync(ready)) return false;
  const now = new Date();
  utimesSync(ready, now, now);
  return true;
}

/** Templates of former versions go when nobody has used them for a week. */
function removeUnused(name: string): void {
  for (const file of readdirSync(root)) {
    const ready = join(root, file);
    if (!file.startsWith(`${name}-`) || !file.endsWith('.ready')) continue;
    if (Date.now() - statSync(ready).mtimeMs < 7 * 86_400_000) continue;
    rmSync(ready);
    rmSync(ready.slice(0, -'.ready'.length), { recursive: true, force: true });
  }
}

const ours = new Set<string>();

/** An empty folder for one server of this process. What an ended process left is removed at the same time. */
export async function instanceFolder(): Promise<string> {
  const servers = join(workspace(), 'servers');
  mkdirSync(servers, { mode: 0o711, recursive: true });
  for (const name of readdirSync(servers)) {
    if (!isAlive(Number.parseInt(name, 10))) rmSync(join(servers, name), { recursive: true, force: true });
  }
  const folder = await mkdtemp(join(servers, `${process.pid}-`));
  if (ours.size === 0) process.once('exit', removeOurs);
  ours.add(folder);
  return folder;
}

export async function removeInstance(folder: string): Promise<void> {
  ours.delete(folder);
  await rm(folder, { recursive: true, force: true });
}

function removeOurs(): void {
  for (const folder of ours) rmSync(folder, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

function fail(message: string): never {
  throw new Error(message);
}
