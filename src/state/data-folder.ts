import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, for its owner only, with those above it that are missing. Step by step: Node's own `recursive` never
 * ends where the system lets nothing be made (`/proc/x`).
 * @param folder absolute
 * @throws Error with a sentence for the operator
 */
export function makeDataFolder(folder: string): void {
  const missing: string[] = [];
  let nearest = folder;
  while (!existsSync(nearest)) {
    missing.unshift(nearest);
    nearest = dirname(nearest);
  }
  if (!statSync(nearest).isDirectory()) throw new Error(`"${nearest}" is a file, not a folder.`);
  for (const part of missing) make(part, nearest);
}

function make(folder: string, nearest: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process was quicker.
    if (code === 'EEXIST') return;
    throw new Error(`"${nearest}" is there, but no folder can be made in it (${code}).`, { cause: error });
  }
}
