import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/gateway.js';
import { runTool } from '../support/ldap/run-tool.js';
import { execForm, type Instruction, stagesOf, wordsOf } from './dockerfile.js';

const [build = [], run = []] = stagesOf('Dockerfile');
const folder = mkdtempSync(join(tmpdir(), 'scimbridge-image-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the Dockerfile says, carried out in clean folders, one for each stage; only packages are not fetched anew. */
describe('Dockerfile', () => {
  it('has a build stage and a stage that runs as a user without rights', () => {
    expect(stagesOf('Dockerfile')).toHaveLength(2);
    for (const from of [build, run].flatMap((stage) => wordsOf(stage, 'FROM'))) {
      expect(from).toMatch(/^node:20-bookworm-slim( AS build)?$/);
    }
    expect(wordsOf(run, 'USER')).toEqual(['node']);
    expect(run.findIndex(({ name }) => name === 'USER')).toBeLessThan(
      run.findIndex(({ name }) => name === 'ENTRYPOINT'),
    );
    expect(wordsOf(run, 'VOLUME')).toEqual(['/data']);
  });

  it('builds what runs, answers its health check and ends in order', async () => {
    const built = join(folder, 'build');
    const image = join(folder, 'image');
    await copyCommitted(built);
    for (const command of wordsOf(build, 'RUN')) {
      if (command.startsWith('apt-get')) continue;
      if (command === 'npm ci') await runTool('cp', ['-a', join(repositoryRoot, 'node_modules'), built]);
      else await runTool('sh', ['-euc', command], { cwd: built });
    }
    for (const [from = '', to = ''] of copiesFrom('build', run)) {
      const source = join(built, from.replace('/app/', ''));
      const target = to.endsWith('/') ? join(image, from.replace('/app/', '')) : join(image, to);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(source, target, { recursive: true, verbatimSymlinks: true });
    }
    expect(existsSync(join(image, 'node_modules/vitest'))).toBe(false);
    expect(Number((await runTool('du', ['-sm', image])).split('\t')[0])).toBeLessThan(60);
    await serveFrom(image);
  }, 240_000);
});

/** `COPY . .`: what is committed or about to be, as far as .dockerignore lets it. */
async function copyCommitted(target: string): Promise<void> {
  const ignored = readFileSync(join(repositoryRoot, '.dockerignore'), 'utf8').split('\n');
  for (const name of ['.git', 'node_modules', 'dist']) expect(ignored).toContain(name);
  const files = await runTool('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: repositoryRoot,
  });
  for (const file of files.split('\0').filter((name) => name !== '')) {
    const from = join(repositoryRoot, file);
    if (!existsSync(from) || !statSync(from).isFile()) continue;
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(from, join(target, file));
  }
}

function copiesFrom(stage: string, instructions: readonly Instruction[]): readonly (readonly string[])[] {
  const option = `--from=${stage} `;
  const copies = wordsOf(instructions, 'COPY').filter((words) => words.startsWith(option));
  expect(copies).toHaveLength(3);
  return copies.map((words) => words.slice(option.length).split(' '));
}

async function serveFrom(image: string): Promise<void> {
  const port = await freePort();
  const own = (words: readonly string[]): readonly string[] =>
    words.map((word) => word.replace('0.0.0.0:8080', `127.0.0.1:${port}`).replace(':8080', `:${port}`));
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const inImage = own([
    ...execForm(wordsOf(run, 'ENTRYPOINT')[0] ?? ''),
    ...execForm(wordsOf(run, 'CMD')[0] ?? ''),
  ]).map((word) => (word === '/data' ? data : word));
  const child = spawn(inImage[0] ?? '', inImage.slice(1), {
    cwd: image,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: 'ignore',
  });
  const [check = '', ...words] = own(execForm(wordsOf(run, 'HEALTHCHECK')[0] ?? ''));
  for (let tries = 0; ; tries++) {
    const isHealthy = await runTool(check, words, { cwd: image }).then(
      () => true,
      () => false,
    );
    if (isHealthy) break;
    expect([child.exitCode, tries < 100]).toEqual([null, true]);
    await delay(50);
  }
  expect(existsSync(join(data, 'first-token.txt'))).toBe(true);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
