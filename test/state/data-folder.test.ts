import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDataFolder } from '../../src/state/data-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'data-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the data folder', () => {
  it('is made with all that is missing above it, for its owner only', () => {
    const deep = join(folder, 'a/b/c');
    makeDataFolder(deep);
    for (const part of ['a', 'a/b', 'a/b/c']) expect(statSync(join(folder, part)).mode & 0o777).toBe(0o700);
    makeDataFolder(deep);
  });

  it('may be a link to a folder, and is left as it is when it is there', () => {
    chmodSync(folder, 0o755);
    symlinkSync(folder, join(folder, 'link'));
    makeDataFolder(join(folder, 'link/below'));
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, 'below')).isDirectory()).toBe(true);
  });

  it.each([
    ['below a file', (): string => join(folder, 'file/x'), /file" is a file, not a folder/],
    [
      'where the system lets nothing be made',
      (): string => '/proc/x/y',
      /"\/proc" is there, but no folder can be made/,
    ],
  ])('%s is refused with a sentence, and at once', (_, path, message) => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeDataFolder(path())).toThrow(message);
  });
});
