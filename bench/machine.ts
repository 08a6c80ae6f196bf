import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { median } from './load.js';

export interface Machine {
  readonly date: string;
  readonly machine: string;
  readonly software: string;
  /** What one durable write costs at least: 4 KiB and fdatasync, in milliseconds. */
  readonly syncMs: number;
}

/** @param folder on the disk that the stores are on */
export function describeMachine(folder: string): Machine {
  const db = new Database(':memory:');
  const sqlite = db.prepare('SELECT sqlite_version()').pluck().get() as string;
  db.close();
  const packages = ['hono', '@hono/node-server', 'better-sqlite3'];
  return describeWith(folder, packages, [`SQLite ${sqlite}`]);
}

/** @param others software that is no package, with its version */
export function describeWith(folder: string, packages: readonly string[], others: readonly string[]): Machine {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const versions = packages.map((name) => `${name} ${versionOf(name)}`);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${gigabytes} GB, ${type()} ${release()}`,
    software: [`Node ${process.versions.node}`, ...versions, ...others].join(', '),
    syncMs: measureSync(folder),
  };
}

/** From the package's own folder, since not every package exports its package.json. */
function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const root = entry.slice(0, entry.lastIndexOf(`node_modules/${name}/`));
  const manifest = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function measureSync(folder: string): number {
  const file = join(folder, 'sync');
  const descriptor = openSync(file, 'w');
  const block = Buffer.alloc(4096, 1);
  const times: number[] = [];
  for (let write = 0; write < 200; write++) {
    const startedAt = performance.now();
    writeSync(descriptor, block);
    fdatasyncSync(descriptor);
    times.push(performance.now() - startedAt);
  }
  closeSync(descriptor);
  rmSync(file);
  return median(times);
}
