// @ts-check
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const retryMs = 15;
/** A lock is held for as long as a file takes to be written. One as old as this belongs to a process that is gone. */
const abandonedMs = 60_000;
/** One whose process is known to be gone need not be waited for as long. */
const deadMs = 1_000;
/** One without content is a matter of microseconds. */
const unfinishedMs = 5_000;

/**
 * @typedef {object} Lock
 * @property {() => Promise<boolean>} isHeld false when another process took it, since this one was stopped for too long
 * @property {() => Promise<void>} release
 */

/**
 * One process at a time: a file that only one can create. What a process that crashed has left behind is taken away.
 * @param {string} folder
 * @param {() => boolean} hasEnded whether nobody waits any more
 * @returns {Promise<Lock | undefined>} undefined when nobody waited any more
 */
export async function lockFolder(folder, hasEnded) {
  const file = join(folder, '.scimbridge.lock');
  const owner = JSON.stringify({ host: hostname(), pid: process.pid, token: randomUUID() });
  while (!hasEnded()) {
    if (await created(file, owner)) {
      const isHeld = async () => (await textOf(file)) === owner;
      const release = async () => {
        if (await isHeld()) await rm(file, { force: true });
      };
      return { isHeld, release };
    }
    await takeAwayAbandoned(folder, file);
    await wait(retryMs * (0.5 + Math.random()));
  }
  return undefined;
}

/**
 * @param {string} file
 * @param {string} text
 */
async function created(file, text) {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two that see the same abandoned lock must not take away each other's new one: it is moved aside first, which succeeds
 * once, and put back if it turns out to be another.
 * @param {string} folder
 * @param {string} file
 */
async function takeAwayAbandoned(folder, file) {
  const seen = await textOf(file);
  const ageMs = await ageOf(file);
  if (seen === undefined || ageMs === undefined || !isAbandoned(seen, ageMs)) return;
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await textOf(aside);
  if (moved !== undefined && moved !== seen) await created(file, moved);
  else await takeAwayUnfinished(folder);
  await rm(aside, { force: true });
}

/**
 * Files that the crashed process was still writing.
 * @param {string} folder
 */
async function takeAwayUnfinished(folder) {
  for (const name of await readdir(folder)) {
    if (!/\.[0-9a-f-]{36}\.tmp$/.test(name)) continue;
    const file = join(folder, name);
    if (((await ageOf(file)) ?? 0) > deadMs) await rm(file, { force: true });
  }
}

/**
 * @param {string} text
 * @param {number} ageMs
 */
function isAbandoned(text, ageMs) {
  if (ageMs > abandonedMs) return true;
  try {
    const { host, pid } = JSON.parse(text);
    return ageMs > deadMs && host === hostname() && pid !== process.pid && !isAlive(pid);
  } catch {
    // It is being written, or its process was killed before it had.
    return ageMs > unfinishedMs;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** @param {string} file */
async function ageOf(file) {
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? undefined : Date.now() - found.mtimeMs;
}

/** @param {string} file */
async function textOf(file) {
  return readFile(file, 'utf8').catch(() => undefined);
}

/** @param {unknown} error */
export function codeOf(error) {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
