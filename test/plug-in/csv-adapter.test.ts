import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/gateway.js';
import { type AuthorsFolder, countsOf, installPacked } from '../support/packed-package.js';
import { spawnServer } from '../support/spawned-server.js';

const example = join(repositoryRoot, 'examples/csv-adapter');

// Processes of Node on a machine that may be busy.
describe('examples/csv-adapter, with the packed package', { timeout: 300_000 }, () => {
  let author: AuthorsFolder;
  beforeAll(async () => {
    author = await installPacked();
    await cp(example, join(author.folder, 'csv'), { recursive: true });
  });
  afterAll(() => author?.remove());

  it('passes its own tests, the contract among them', async () => {
    const { code, output } = await author.node('csv', '--test', '--test-reporter=tap');
    expect(code, output.slice(-3_000)).toBe(0);
    const { pass, fail, skipped } = countsOf(output);
    expect(pass).toBeGreaterThan(130);
    // A row does not say when it was made or changed.
    expect([fail, skipped]).toEqual([0, 1]);
    expect(output).toMatch(/# SKIP the adapter keeps no \$created/);
  });

  it('has a gateway.yaml that fits its files', async () => {
    const { output } = await author.scimbridge('csv', 'check', '--connect');
    expect(output).toBe('gateway.yaml: no errors, 0 warnings.\n');
  });

  it('is known to every command that reads the configuration', async () => {
    const filter = ['explain', 'filter', 'User', 'userName sw "b"', '--config', 'gateway.yaml'];
    expect(await author.scimbridge('csv', ...filter)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/search people where login sw "b"/),
    });
    const place = ['--config', 'gateway.yaml', '--data', join(author.folder, 'state')];
    expect(await author.scimbridge('csv', 'token', 'create', 'default', '--label', 'test', ...place)).toMatchObject({
      code: 0,
    });
    const status = await author.scimbridge('csv', 'status', ...place);
    expect(status).toMatchObject({ code: 0, output: expect.stringMatching(/token +.*test/) });
  });

  it('has code whose types are right', async () => {
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--allowJs', '--checkJs'];
    const types = ['--types', 'node', '--typeRoots', join(repositoryRoot, 'node_modules/@types')];
    const files = ['adapter.js', 'adapter.test.js', 'files.test.js', 'csv.test.js', 'writer.fixture.js'];
    const { output } = await author.node('csv', tsc, ...strict, ...types, ...files);
    expect(output).toBe('');
  });

  it('serves users and groups over HTTP, and what identity providers change stands in the files', async () => {
    const folder = join(author.folder, 'csv');
    const config = await readFile(join(example, 'gateway.yaml'), 'utf8');
    const server = await spawnServer({ config, baseDir: folder });
    try {
      const gateway = await server.gateway();
      const found = await gateway.request('GET', '/Users', { query: { filter: 'userName eq "JSMITH"' } });
      expect(found.body.Resources).toMatchObject([
        { id: '1002', displayName: 'Joan Smith', groups: [{ value: 'g1' }] },
      ]);
      const patched = await gateway.request('PATCH', '/Users/1002', {
        body: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'Replace', path: 'active', value: 'False' }],
        },
      });
      expect(patched).toMatchObject({ status: 200, body: { active: false } });
      expect((await gateway.request('DELETE', '/Users/1001')).status).toBe(204);
    } finally {
      await server.close();
    }
    expect(await readFile(join(folder, 'staff/people.csv'), 'utf8')).toBe(
      'id,login,name,mail,enabled,manager,external_id,desk\n1002,jsmith,Joan Smith,jsmith@example.com,false,,,4.13\n',
    );
    expect(await readFile(join(folder, 'staff/groups.csv'), 'utf8')).toBe(
      'id,title,members,external_id\ng1,Tour guides,1002,\n',
    );
  });
});
