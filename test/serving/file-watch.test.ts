import { createHash } from 'node:crypto';
import { writeFileSync as writeFileNow } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FileWatch, watchFiles } from '../../src/serving/file-watch.js';

const everyMs = 5;

let folder: string;
let watch: FileWatch | undefined;
let told: string[][];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scimbridge-watch-'));
  told = [];
});
afterEach(async () => {
  watch?.close();
  watch = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** Watches, and waits until the files were looked at: what they hold then is what changes are measured by. */
async function start(...names: string[]): Promise<void> {
  const files = vi.fn(() => names.map((name) => join(folder, name)));
  watch = watchFiles(files, (changed) => told.push(changed.map((file) => file.slice(folder.length + 1))), everyMs);
  await vi.waitFor(() => expect(files.mock.calls.length).toBeGreaterThanOrEqual(2), { interval: 1 });
}

async function toldOnce(): Promise<readonly string[]> {
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(0), { interval: 2, timeout: 5000 });
  const [first] = told.splice(0, 1);
  return first ?? [];
}

describe('watchFiles', () => {
  it('tells which files have other contents', async () => {
    await writeFile(join(folder, 'a'), 'one');
    await writeFile(join(folder, 'b'), 'one');
    await start('a', 'b');
    await writeFile(join(folder, 'b'), 'two');
    expect(await toldOnce()).toEqual(['b']);
    await writeFile(join(folder, 'a'), 'two');
    expect(await toldOnce()).toEqual(['a']);
    expect(told).toEqual([]);
  });

  it('is silent about files that were touched, or written with the same contents', async () => {
    await writeFile(join(folder, 'same'), 'one');
    await writeFile(join(folder, 'other'), 'one');
    await start('same', 'other');
    await utimes(join(folder, 'same'), new Date(), new Date(0));
    await writeFile(join(folder, 'same'), 'one');
    await writeFile(join(folder, 'other'), 'two');
    expect(await toldOnce()).toEqual(['other']);
  });

  it('sees a symbolic link that is swapped, as Kubernetes swaps mounted secrets', async () => {
    for (const version of ['v1', 'v2']) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'tls.crt'), version);
    }
    await symlink('v1', join(folder, '..data'));
    await symlink('..data/tls.crt', join(folder, 'tls.crt'));
    await start('tls.crt');
    await symlink('v2', join(folder, '..new'));
    await rename(join(folder, '..new'), join(folder, '..data'));
    expect(await toldOnce()).toEqual(['tls.crt']);
  });

  it('tells of files that go and come', async () => {
    await writeFile(join(folder, 'a'), 'one');
    await start('a', 'later');
    await unlink(join(folder, 'a'));
    expect(await toldOnce()).toEqual(['a']);
    await writeFile(join(folder, 'later'), '');
    expect(await toldOnce()).toEqual(['later']);
  });

  it('waits until what is being written holds still, and tells of it once', async () => {
    await writeFile(join(folder, 'certificate'), 'old');
    await writeFile(join(folder, 'key'), 'old');
    let looks = 0;
    const files = [join(folder, 'certificate'), join(folder, 'key')];
    // Each of the next looks sees something else, until the pair is complete.
    const steps = ['', '', 'n', 'ne', 'new'];
    const watched = new Promise<readonly string[]>((resolve) => {
      const list = (): readonly string[] => {
        const step = steps[looks++];
        if (step) writeFileNow(files[0] ?? '', step);
        if (step === 'new') writeFileNow(files[1] ?? '', step);
        return files;
      };
      watch = watchFiles(list, resolve, everyMs);
    });
    expect(await watched).toEqual(files);
    expect(looks).toBe(steps.length + 1);
  });

  it('looks no more once it is closed', async () => {
    await writeFile(join(folder, 'a'), 'one');
    await start('a');
    watch?.close();
    await writeFile(join(folder, 'a'), 'two');
    // Another one with the same pace sees it twice over.
    let looks = 0;
    await new Promise<void>((resolve) => {
      watch = watchFiles(
        () => {
          if (++looks === 4) resolve();
          return [join(folder, 'a')];
        },
        () => undefined,
        everyMs,
      );
    });
    expect(told).toEqual([]);
  });

  it('tells of a file that is not as it was when it was used', async () => {
    await writeFile(join(folder, 'same'), 'one');
    await writeFile(join(folder, 'other'), 'one');
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    const known = new Map([
      [join(folder, 'same'), hash('one')],
      [join(folder, 'other'), hash('two')],
      [join(folder, 'gone'), undefined],
    ]);
    watch = watchFiles(
      () => [...known.keys()],
      (changed) => told.push(changed.map((file) => file.slice(folder.length + 1))),
      everyMs,
      () => known,
    );
    expect(await toldOnce()).toEqual(['other']);
  });
});
