import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
let clone: string;

/** A clone with its dependencies, not yet built. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'clone-'));
  for (const name of ['bin', 'src', 'adapters', 'config', 'schemas', 'scripts', 'bench']) {
    cpSync(join(root, name), join(clone, name), { recursive: true });
  }
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.types.json']) {
    cpSync(join(root, name), join(clone, name));
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
});
afterEach(() => {
  rmSync(clone, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function run(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [join(clone, 'bin/scimbridge.mjs'), ...args], { cwd: clone });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  return { child, output, ended: new Promise((end) => child.on('close', end)) };
}

// It compiles everything, on a machine that may be busy.
describe('bin/scimbridge.mjs', { timeout: 120_000 }, () => {
  it('builds a fresh clone once, says so, and keeps stdout for the command', async () => {
    const first = run('token', 'create', 'default', '--label', 'a', '--json');
    expect(await first.ended).toBe(0);
    expect(first.output.stderr).toContain('not compiled yet');
    expect(JSON.parse(first.output.stdout)).toHaveProperty('token');

    const second = run('--version');
    expect(await second.ended).toBe(0);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(second.output).toEqual({ stdout: `${version}\n`, stderr: '' });

    const unread = run('--help');
    unread.child.stdout?.destroy();
    expect(await unread.ended).toBe(141);
    expect(unread.output.stderr).toBe('');

    const serving = run('serve', '--listen', '127.0.0.1:0');
    await new Promise<void>((started) => {
      serving.child.stdout?.on('data', () => serving.output.stdout.includes('Serving.') && started());
    });
    serving.child.kill('SIGTERM');
    expect(await serving.ended).toBe(0);
    expect(serving.output.stdout).toContain('"signal":"SIGTERM"');
    expect(serving.output.stdout).toContain('Stopped.');
  });
});
