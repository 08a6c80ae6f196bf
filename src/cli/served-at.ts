/** Where the process that serves a data folder really listens, for commands beside it: `--listen` may say otherwise than the file. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../scim/schema.js';

export interface ServedAt {
  readonly host: string;
  readonly port: number;
}

const fileName = 'served-at.json';

/** @returns takes it back, when the process ends in order */
export function tellServedAt(dataDir: string, { host, port }: ServedAt): () => void {
  const file = join(dataDir, fileName);
  writeFileSync(file, JSON.stringify({ pid: process.pid, host, port }), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** Undefined when nobody serves the folder, as far as can be seen from here. */
export function readServedAt(dataDir: string): ServedAt | undefined {
  let told: unknown;
  try {
    told = JSON.parse(readFileSync(join(dataDir, fileName), 'utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(told)) return undefined;
  const { pid, host, port } = told;
  const isWhole = typeof pid === 'number' && typeof host === 'string' && typeof port === 'number';
  return isWhole && isAlive(pid) ? { host, port } : undefined;
}

/** A process that crashed left its word behind. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
