import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** What each room may import, itself always included. Arrows point one way. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/scim': [],
  'src/backend': ['src/scim'],
  'src/mapping': ['src/scim', 'src/backend'],
  // Other people's adapters: loaded, and kept from doing harm.
  'src/plug-in': ['src/backend'],
  // What other people write adapters with, and the entry points of the package.
  'src/authoring': ['src/scim', 'src/backend', 'src/testing'],
  // The contract suite, which authors of adapters run too.
  'src/testing': ['src/scim', 'src/backend'],
  'src/provisioning': ['src/scim', 'src/backend', 'src/mapping'],
  'src/auth': ['src/scim', 'src/provisioning', 'src/state'],
  'src/state': [],
  'src/transactions': ['src/scim', 'src/provisioning', 'src/state'],
  'src/http': ['src/scim', 'src/provisioning', 'src/auth', 'src/transactions'],
  // What runs, and can be exchanged while it does.
  'src/serving': [
    'src',
    'src/scim',
    'src/backend',
    'src/mapping',
    'src/provisioning',
    'src/auth',
    'src/state',
    'src/http',
    'src/transactions',
    'src/plug-in',
    'config',
  ],
  // The outer shell: commands show problems of the configuration with their places.
  'src/cli': [
    'src',
    'src/scim',
    'src/backend',
    'src/mapping',
    'src/provisioning',
    'src/auth',
    'src/state',
    'src/http',
    'src/transactions',
    'src/serving',
    'src/plug-in',
    'config',
  ],
  adapters: ['src/scim', 'src/backend'],
  config: ['src/scim', 'src/backend', 'src/mapping'],
  // One of its servers is put together by itself.
  bench: ['src', 'src/http', 'src/scim', 'src/state', 'config', 'adapters'],
};

/** The composition root: main.ts names adapters and configuration; beside it, types of the configuration are known. */
const roots = new Set(['src/main.ts', 'src/composition.ts']);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = [...text.matchAll(/^(?:import|export)\s+(type\s+)?[^;]*?from\s+'(\.[^']+)'/gms)];
  const dynamic = [...text.matchAll(/import\('(\.[^']+)'\)/g)];
  const target = (specifier: string): string => relative(root, resolve(root, dirname(file), specifier));
  return [
    ...statements.map((match) => ({ from: file, to: target(match[2] ?? ''), typeOnly: match[1] !== undefined })),
    ...dynamic.map((match) => ({ from: file, to: target(match[1] ?? ''), typeOnly: false })),
  ];
}

function roomOf(path: string): string {
  return Object.keys(mayImport).find((room) => path.startsWith(`${room}/`)) ?? dirname(path);
}

describe('architecture', () => {
  const all = [...sources('src'), ...sources('adapters'), ...sources('config')];

  it.each(Object.keys(mayImport).filter((room) => room !== 'bench'))('%s imports only what lies before it', (room) => {
    const own = all.filter((file) => roomOf(file) === room && !roots.has(file));
    expect(own.length).toBeGreaterThan(0);
    const wrong = own.flatMap(importsOf).filter(({ to }) => {
      const target = roomOf(to);
      if (target === room) return false;
      return !mayImport[room]?.includes(target);
    });
    expect(wrong).toEqual([]);
  });

  it('no adapter imports another adapter, but for what SQL databases have in common', () => {
    const folder = (path: string): string => path.split('/').slice(0, 2).join('/');
    const wrong = all
      .filter((file) => file.startsWith('adapters/') && file !== 'adapters/registry.ts')
      .flatMap(importsOf)
      .filter(({ from, to }) => to.startsWith('adapters/') && folder(from) !== folder(to))
      // Files beside the folders are for all of them.
      .filter(({ to }) => dirname(to) !== 'adapters')
      .filter(({ from, to }) => folder(from) !== 'adapters/sqlite' || folder(to) !== 'adapters/sql');
    expect(wrong).toEqual([]);
  });

  it('nothing but the composition root imports adapters', () => {
    const wrong = all
      .filter((file) => file.startsWith('src/') && file !== 'src/main.ts')
      .flatMap(importsOf)
      .filter(({ to }) => to.startsWith('adapters/'));
    expect(wrong).toEqual([]);
  });

  it('only types of the configuration cross into src, outside main.ts, the commands and what exchanges configurations', () => {
    const wrong = all
      .filter(
        (file) =>
          file.startsWith('src/') && file !== 'src/main.ts' && !['src/cli', 'src/serving'].includes(roomOf(file)),
      )
      .flatMap(importsOf)
      .filter(({ to, typeOnly }) => to.startsWith('config/') && !typeOnly);
    expect(wrong).toEqual([]);
  });

  it.each(['src/scim', 'src/backend', 'src/mapping'])('%s does no I/O', (room) => {
    const io = /from '(node:(fs|net|http|https|tls|child_process|worker_threads|dgram)|hono|pino|better-sqlite3)/;
    const wrong = all.filter((file) => roomOf(file) === room && io.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});
