import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/gateway.js';
import { type AuthorsFolder, countsOf, installPacked } from '../support/packed-package.js';

// Processes of Node on a machine that may be busy.
describe('adapter new, in the packed package', { timeout: 300_000 }, () => {
  let author: AuthorsFolder;
  beforeAll(async () => {
    author = await installPacked();
  });
  afterAll(() => author?.remove());

  const edit = async (file: string, from: string, to: string): Promise<void> => {
    const path = join(author.folder, file);
    const text = await readFile(path, 'utf8');
    expect(text).toContain(from);
    await writeFile(path, text.replace(from, to));
  };

  it('writes an adapter whose tests pass and whose gateway.yaml is right', async () => {
    const written = await author.scimbridge('.', 'adapter', 'new', 'phone-book');
    expect(written).toMatchObject({ code: 0, output: expect.stringContaining('npm test') });
    expect((await readdir(join(author.folder, 'phone-book'))).sort()).toEqual(
      ['README.md', 'adapter.js', 'adapter.test.js', 'gateway.yaml', 'package.json'].sort(),
    );
    const described = JSON.parse(await readFile(join(author.folder, 'phone-book/package.json'), 'utf8'));
    const { version } = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8'));
    expect(described).toMatchObject({
      name: 'scimbridge-phone-book',
      type: 'module',
      scripts: { test: 'node --test' },
      devDependencies: { scimbridge: `^${version}` },
    });
    expect(await author.scimbridge('phone-book', 'check')).toMatchObject({ code: 0 });
    expect(await author.scimbridge('phone-book', 'check', '--connect')).toMatchObject({
      code: 0,
      output: 'gateway.yaml: no errors, 0 warnings.\n',
    });
    const tested = await author.node('phone-book', '--test', '--test-reporter=tap');
    expect(tested.code, tested.output.slice(-2_000)).toBe(0);
    const { pass, fail, skipped } = countsOf(tested.output);
    expect(pass).toBeGreaterThan(100);
    expect([fail, skipped]).toEqual([0, 0]);
  });

  it('has tests that find what is wrong, and show as skipped what the adapter denies', async () => {
    await author.scimbridge('.', 'adapter', 'new', 'wrong', '--dir', 'elsewhere/wrong');
    await edit('elsewhere/wrong/adapter.js', 'return store.lookup(entity, query);', 'return [];');
    await edit(
      'elsewhere/wrong/adapter.js',
      'capabilities: store.capabilities,',
      `capabilities: {
        version: 1,
        entities: Object.fromEntries(
          Object.entries(store.capabilities.entities).map(([name, entity]) => [name, { ...entity, revision: false }]),
        ),
      },`,
    );
    await edit('elsewhere/wrong/adapter.js', 'revision: false }', 'revision: false, enforcesUnique: false }');
    await edit(
      'elsewhere/wrong/adapter.js',
      'return store.get(entity, id, fields);',
      "return store.get(entity, id.split('/').at(-1) ?? '', fields);",
    );
    expect(await author.scimbridge('elsewhere/wrong', 'check', '--connect')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/warning: The adapter does not declare that "login" of "people" is kept unique/),
    });
    const { code, output } = await author.node('elsewhere/wrong', '--test', '--test-reporter=tap');
    expect(output).toMatch(/get of the id "\.\/[^"]+": expected \{ /);
    expect(code).toBe(1);
    expect(output).toMatch(/not ok \d+ - goes from ids to a field and from a field to ids/);
    expect(output).toMatch(/expected \[\] to have the length 2/);
    expect(output).toMatch(
      /ok \d+ - lets one of two writers with the same revision win.* # SKIP declares revision: false/,
    );
    expect(countsOf(output).pass).toBeGreaterThan(80);
  });

  it('writes over nothing, and refuses a name that is none', async () => {
    await author.scimbridge('.', 'adapter', 'new', 'twice');
    expect(await author.scimbridge('.', 'adapter', 'new', 'twice')).toMatchObject({
      code: 2,
      output: expect.stringMatching(/twice holds README\.md, adapter\.js, .* already: --dir names another folder/),
    });
    for (const name of ['Phone', '../x', 'a b', '1st', 'a--b', '-a']) {
      const refused = await author.scimbridge('.', 'adapter', 'new', '--', name);
      expect(refused, name).toMatchObject({ code: 2, output: expect.stringMatching(/is no possible name/) });
    }
  });

  it('gives editors and tsc the types of everything, the configuration included', async () => {
    await writeFile(
      join(author.folder, 'typed.ts'),
      `import { AdapterError, defineAdapter, RecordStore } from 'scimbridge/adapter';
import { contractEntities, describeAdapterContract, environmentIn } from 'scimbridge/testing';

const adapter = defineAdapter({
  configSchema: {
    type: 'object',
    required: ['url'],
    properties: {
      url: { type: 'string' },
      size: { type: 'integer', default: 5 },
      mode: { enum: ['fast', 'safe'] },
      hosts: { type: 'array', items: { type: 'string' } },
      tls: { type: 'object', properties: { ca: { type: 'string' } } },
      wait: { anyOf: [{ type: 'number' }, { const: 'forever' }] },
    },
  },
  open(config, { entities }) {
    const url: string = config.url;
    const size: number = config.size;
    const mode: 'fast' | 'safe' | undefined = config.mode;
    const hosts: readonly string[] | undefined = config.hosts;
    const ca: string | undefined = config.tls?.ca;
    const wait: number | 'forever' | undefined = config.wait;
    // @ts-expect-error it may be left out
    const surely: string = config.mode;
    // @ts-expect-error the schema has no such key
    const other = config.other;
    const store = new RecordStore(entities);
    return {
      capabilities: store.capabilities,
      get: async (entity, id, { fields }) => store.get(entity, id, fields),
      search: async (query) => store.search(query),
      lookup: async (entity, query) => store.lookup(entity, query),
      create: async (entity, record, { fields }) => store.create(entity, record, fields),
      update: async (entity, id, changes, options) => store.update(entity, id, changes, options),
      delete: async () => {
        throw new AdapterError('unavailable', [url, size, mode, hosts, ca, wait, surely, other].join());
      },
    };
  },
});

describeAdapterContract('typed', {
  entities: contractEntities,
  open: () => adapter.open({ url: 'x', size: 1 }, environmentIn('.', contractEntities)),
});
// @ts-expect-error a required key is missing
void adapter.open({ size: 1 }, environmentIn('.', contractEntities));
// @ts-expect-error there is no such kind
new AdapterError('gone', '');
// @ts-expect-error an adapter without search
defineAdapter({ configSchema: {}, open: () => ({ capabilities: { version: 1, entities: {} } }) });
export default adapter;
`,
    );
    await author.scimbridge('.', 'adapter', 'new', 'javascript');
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const strict = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2023',
    ];
    const types = ['--types', 'node', '--typeRoots', join(repositoryRoot, 'node_modules/@types')];
    const js = ['--allowJs', '--checkJs', 'javascript/adapter.js', 'javascript/adapter.test.js'];
    const { code, output } = await author.node('.', tsc, ...strict, ...types, ...js, 'typed.ts');
    expect(output).toBe('');
    expect(code).toBe(0);
  });
});
