#!/usr/bin/env node
// Runs the compiled program. In a fresh clone there is none yet, so it is compiled first.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/src/main.js', import.meta.url);

if (!existsSync(main)) {
  console.error('scimbridge is not compiled yet; running "npm run build" once.');
  const build = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    // Only messages: stdout belongs to the command.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (build.status !== 0) {
    console.error('The build failed. Run "npm ci" first, then "npm run build".');
    process.exit(1);
  }
}

await import(main.href);
