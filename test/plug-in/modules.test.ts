import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../support/gateway.js';
import { spawnServer } from '../support/spawned-server.js';
import { nastyAdapter } from './nasty-adapter.js';

const run = promisify(execFile);
const main = join(repositoryRoot, 'dist/src/main.js');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plug-in-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<void> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** The program's own answer, whatever its exit code. */
async function scimbridge(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  try {
    const { stdout, stderr } = await run(process.execPath, [main, ...args], { cwd: folder });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

function configWith(...sections: readonly string[]): string {
  const adapters = sections.map((section, index) => `  a${index}: { ${section} }`).join('\n');
  const gateways = sections.map(
    (_, index) => `  g${index}:
    resources:
      User: { adapter: a${index}, entity: people, mapping: { userName: { field: login, unique: true } } }`,
  );
  return `version: 1\nadapters:\n${adapters}\ngateways:\n${gateways.join('\n')}\n`;
}

/** The least that is an adapter for the configuration. */
function module(schema: string, more = ''): string {
  return `export default { contractVersion: 1, configSchema: ${schema}, open() { return {} }, ${more} };`;
}

describe('an adapter that type names by its path or package', { timeout: 120_000 }, () => {
  const anySchema = '{ type: "object" }';

  it('is loaded, and its section checked with its own schema, with line and column', async () => {
    const schema = `{ type: 'object', additionalProperties: false, required: ['url'],
      properties: { url: { type: 'string', description: 'Where it is.' }, size: { type: 'integer', default: 5 } } }`;
    await write('adapters/hr.mjs', module(schema, 'declared({ url }) { return url.nothing.there }'));
    await write('gateway.yaml', configWith('type: ./adapters/hr.mjs', 'type: ./adapters/hr.mjs, url: "x", sise: 7'));
    const { code, output } = await scimbridge('check');
    expect(code).toBe(2);
    expect(output).toContain('gateway.yaml:3:3: error: "url" is missing in "a0". Where it is.');
    expect(output).not.toContain('"declared" failed');
    expect(output).toContain('gateway.yaml:4:44: error: "sise" is not known here; did you mean "size"?');
  });

  it('can import scimbridge/adapter where no such package is installed, and else gets the one beside it', async () => {
    const hr = `import { defineAdapter, RecordStore } from 'scimbridge/adapter';
      export default defineAdapter({ configSchema: {}, open: (config, { entities }) => ({ capabilities: new RecordStore(entities).capabilities, get() {}, search() {}, lookup() {}, create() {}, update() {}, delete() {} }) });`;
    await write('hr.mjs', hr);
    await write('gateway.yaml', configWith('type: ./hr.mjs'));
    expect(await scimbridge('check', '--connect')).toMatchObject({ code: 0 });
    const own = { name: 'scimbridge', type: 'module', exports: { './adapter': './adapter.js' } };
    await write('node_modules/scimbridge/package.json', JSON.stringify(own));
    await write(
      'node_modules/scimbridge/adapter.js',
      'export class RecordStore {}\nexport const defineAdapter = (one) => ({ ...one, contractVersion: 7 });',
    );
    expect((await scimbridge('check')).output).toMatch(/is written for version 7 of the adapter contract/);
  });

  it('has its section checked and completed by editors, with the schema that the program prints', async () => {
    await write('hr.mjs', module(`{ type: 'object', required: ['url'], properties: { url: { type: 'string' } } }`));
    await write('gateway.yaml', configWith('type: ./hr.mjs'));
    const { code, output } = await scimbridge('schema', '--config', 'gateway.yaml');
    expect(code).toBe(0);
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(JSON.parse(output));
    const withSection = (section: object): object => ({
      ...parse(configWith('type: memory')),
      adapters: { a0: section },
    });
    expect(validate(withSection({ type: './hr.mjs', url: 'x' }))).toBe(true);
    expect(validate(withSection({ type: './hr.mjs' }))).toBe(false);
    const { output: plain } = await scimbridge('schema');
    expect(JSON.parse(plain)).toEqual(
      JSON.parse(await readFile(join(repositoryRoot, 'schemas/gateway.schema.json'), 'utf8')),
    );
  });

  it('comes from a package beside gateway.yaml, by what its package.json offers to import', async () => {
    const offer = { name: '@acme/hr', type: 'module', exports: { '.': { types: './x.d.ts', import: './lib/hr.js' } } };
    await write('node_modules/@acme/hr/package.json', JSON.stringify(offer));
    await write('node_modules/@acme/hr/lib/hr.js', module(anySchema));
    const old = { name: 'old-hr', main: 'main.js' };
    await write('node_modules/old-hr/package.json', JSON.stringify(old));
    await write('node_modules/old-hr/main.js', `module.${module(anySchema).replace('export default', 'exports =')}`);
    await write('gateway.yaml', configWith('type: "@acme/hr"', 'type: old-hr'));
    expect(await scimbridge('check')).toMatchObject({ code: 0 });
  });

  it('is one problem at its line for each way in which it cannot be loaded, with what to do', async () => {
    const cases: readonly (readonly [name: string, text: string | undefined, message: RegExp])[] = [
      [
        './missing.mjs',
        undefined,
        /There is no file \.\/missing\.mjs: a path is relative to the folder of gateway\.yaml/,
      ],
      ['./syntax.mjs', 'export default {\n a: ', /cannot be loaded \(syntax\.mjs, line 2\): Unexpected end of input/],
      ['./throws.mjs', '\nnull.x;', /threw TypeError while it was loaded \(throws\.mjs, line 2\)/],
      ['./text.mjs', 'throw "no";', /threw string instead of an Error/],
      [
        './needs.mjs',
        'import "nosuchpackage";',
        /"nosuchpackage", which is not installed .*"npm install nosuchpackage"/,
      ],
      ['./part.mjs', 'import "./gone.mjs";', /imports a file that is not there/],
      ['./empty.mjs', 'export const a = 1;', /exports no adapter\. Its default export is to be what defineAdapter/],
      ['./future.mjs', 'export default { contractVersion: 99 };', /version 99 of the adapter contract, and this .* 1/],
      ['./closed.mjs', 'export default { contractVersion: 1, configSchema: {} };', /has no function "open"/],
      ['./bare.mjs', 'export default { contractVersion: 1, open() {} };', /has no JSON Schema in "configSchema"/],
      ['./trap.mjs', 'export default new Proxy({}, { has() { throw 1 } });', /exports something that cannot be read/],
      ['./typed.mjs', module('{ properties: { type: {} } }'), /describes "type" in its configSchema/],
      ['./odd.mjs', module(anySchema, 'declared: 5'), /has a "declared" that is no function/],
      [
        './schema.mjs',
        module('{ type: "nosuch" }'),
        /The config schema of .* is wrong, which is a fault in the module/,
      ],
      ['./fails.mjs', module(anySchema, 'declared() { throw new Error("oops") }'), /"declared" failed, .*: oops/],
      ['./hr.ts', 'export default 1;', /is TypeScript, which Node does not load/],
      ['./', undefined, /is a folder: name the file in it/],
      ['sqlit', undefined, /There is no adapter of type "sqlit"; did you mean "sqlite"\?/],
      ['acme-hr', undefined, /There is no adapter of type "acme-hr".*npm install acme-hr/],
      ['no name', undefined, /neither the name of a package nor a path/],
    ];
    for (const [name, text] of cases) if (text !== undefined) await write(name, text);
    await write('gateway.yaml', configWith(...cases.map(([name]) => `type: "${name}"`)));
    const { code, output } = await scimbridge('check');
    expect(code).toBe(2);
    const lines = output.split('\n').filter((line) => line.includes(': error: '));
    expect(lines).toHaveLength(cases.length);
    const inTheMapping = cases.findIndex(([name]) => name === './fails.mjs');
    for (const [index, [name, , message]] of cases.entries()) {
      if (index === inTheMapping) expect(output).toMatch(message);
      else expect(lines.find((line) => line.startsWith(`gateway.yaml:${index + 3}:`)) ?? '', name).toMatch(message);
    }
    expect(output).not.toMatch(/ {4}at /);
  });

  it('is not waited for when it does not end to load', async () => {
    await write('slow.mjs', `await new Promise(() => setTimeout(() => undefined, 3_600_000));`);
    await write('gateway.yaml', configWith('type: ./slow.mjs'));
    const { AdapterRegistry } = await import('../../src/plug-in/adapter-registry.js');
    const importModule = () => new Promise(() => undefined);
    const registry = new AdapterRegistry(new Map(), () => '.', { loadTimeoutMs: 20, importModule });
    const { modules, messages } = await registry.load(['./slow.mjs'], folder);
    expect(modules.size).toBe(0);
    expect(messages.get('./slow.mjs')).toMatch(/was not loaded within 0\.02 seconds: it must not wait for anything/);
  });

  it('is loaded only when the configuration names it', async () => {
    const loaded: string[] = [];
    const { AdapterRegistry } = await import('../../src/plug-in/adapter-registry.js');
    const builtIn = (type: string) => async () => {
      loaded.push(type);
      return { contractVersion: 1, type, configSchema: {}, open: () => Promise.reject(new Error('no')) } as const;
    };
    const registry = new AdapterRegistry(
      new Map([
        ['one', builtIn('one')],
        ['two', builtIn('two')],
      ]),
    );
    await registry.load(['two'], folder);
    expect(loaded).toEqual(['two']);
  });

  it.each([
    ['open throws', /The adapter a0 \(\.\/nasty\.mjs\) cannot be opened: not today/],
    ['open gives nothing', /cannot be opened: what its "open" gives has no method "get"/],
    ['half an adapter', /cannot be opened: what its "open" gives has no method "search"/],
    ['no capabilities', /cannot be opened: no capabilities/],
    ['odd capabilities', /cannot be opened: "capabilities\.entities\.people\.combine\.and" is neither true nor false/],
  ] as const)('is named when it cannot be opened: %s', async (mode, message) => {
    await write('nasty.mjs', nastyAdapter);
    await write('gateway.yaml', configWith(`type: ./nasty.mjs, mode: ${mode}`));
    const { code, output } = await scimbridge('explain', 'mapping', '--config', 'gateway.yaml');
    expect(code).toBe(1);
    expect(output).toMatch(message);
    expect(output).not.toMatch(/ {4}at /);
  });

  it('goes on as it was loaded when its file changes, and a reload says that a restart is needed', async () => {
    await write('nasty.mjs', `import './part.mjs';\n${nastyAdapter}`);
    await write('part.mjs', 'export const size = 1;');
    const config = `reloadOnChange: true\n${configWith('type: ./nasty.mjs')}`;
    const server = await spawnServer({ config, baseDir: folder });
    try {
      await write('part.mjs', 'export const size = 2;');
      await expect
        .poll(() => server.log(), { timeout: 60_000 })
        .toMatch(
          /part\.mjs has changed since the module \.\/nasty\.mjs was loaded: the gateway goes on with the former/,
        );
      const gateway = await server.gateway('g0');
      expect((await gateway.request('GET', '/Users', { query: { filter: 'userName eq "alice"' } })).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  it('is tried again by a reload when its file was faulty, and can be new in a configuration that is read again', async () => {
    await write('nasty.mjs', nastyAdapter);
    await write('new.mjs', 'export default {');
    const server = await spawnServer({ config: configWith('type: ./nasty.mjs'), baseDir: folder });
    try {
      await write('gateway.yaml', configWith('type: ./nasty.mjs', 'type: ./new.mjs'));
      process.kill(server.pid, 'SIGHUP');
      await expect.poll(() => server.log(), { timeout: 60_000 }).toMatch(/The configuration stays as it was/);
      expect(server.log()).toMatch(/The module \.\/new\.mjs cannot be loaded/);
      // Two modules whose schemas have the same $id.
      await write('new.mjs', nastyAdapter);
      process.kill(server.pid, 'SIGHUP');
      await expect.poll(() => server.log(), { timeout: 60_000 }).toMatch(/gateway g1: added/);
      const gateway = await server.gateway('g1');
      expect((await gateway.request('GET', '/Users', { query: { filter: 'userName eq "alice"' } })).status).toBe(200);
    } finally {
      await server.close();
    }
  });
});
