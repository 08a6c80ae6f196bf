import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, TestGateway } from '../support/gateway.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';
import { nastyAdapter } from './nasty-adapter.js';

const config = `version: 1
adapters:
  hr: { type: ./nasty.mjs }
  fading: { type: ./nasty.mjs, mode: capabilities go }
  store: { type: memory }
gateways:
  odd:
    address: /odd
    limits: { requestSeconds: 2 }
    resources:
      User: &user
        adapter: hr
        entity: people
        mapping: { userName: { field: login, unique: true } }
  fading:
    address: /fading
    resources:
      User: { <<: *user, adapter: fading }
  plain:
    address: /plain
    resources:
      User: { <<: *user, adapter: store }
`.replaceAll('<<: *user, adapter', 'entity: people, mapping: { userName: { field: login, unique: true } }, adapter');

describe('an adapter of others that does everything wrong', { timeout: 120_000 }, () => {
  let folder: string;
  let server: SpawnedServer;
  let odd: TestGateway;
  let plain: TestGateway;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plug-in-'));
    await writeFile(join(folder, 'nasty.mjs'), nastyAdapter);
    server = await spawnServer({ config, baseDir: folder });
    odd = await server.gateway('odd');
    plain = await server.gateway('plain');
  });
  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const find = (name: string): Promise<Answer> =>
    odd.request('GET', '/Users', { query: { filter: `userName eq "${name}"` } });

  /** The lines about one request. */
  const linesOf = (answer: Answer): string => {
    const id = answer.headers.get('x-request-id') ?? '';
    const lines = server.log().split('\n');
    return lines.filter((line) => line.includes(id)).join('\n');
  };

  async function othersGoOn(): Promise<void> {
    expect((await plain.request('GET', '/Users')).status).toBe(200);
    expect(server.hasEnded()).toBe(false);
  }

  it('answers what it does right', async () => {
    const answer = await find('alice');
    expect(answer).toMatchObject({ status: 200, body: { totalResults: 1, Resources: [{ userName: 'alice' }] } });
  });

  it.each([
    'throws',
    'rejects',
    'rejects-text',
    'rejects-nothing',
    'rejects-weird',
    'odd-kind',
    'no-promise',
    'nothing',
    'no-list',
    'no-id',
    'odd-value',
    'odd-child',
    'odd-total',
    'long-next',
    'getter',
    'result-getter',
    'proxy',
    'thenable',
    'trace',
  ])('is 500 for a search that "%s", and a line that names the adapter and the operation', async (name) => {
    const answer = await find(name);
    expect(answer).toMatchObject({
      status: 500,
      body: { detail: expect.stringMatching(/adapter of this gateway has a fault; its log says which/) },
    });
    await expect
      .poll(() => linesOf(answer), { timeout: 30_000 })
      .toMatch(/"level":"error".*"adapter":"hr \(\.\/nasty\.mjs\)","operation":"search"/);
    await othersGoOn();
  });

  it('is 500 for a scan that fails in the middle', async () => {
    const answer = await odd.request('GET', '/Users', { query: { filter: 'userName co "a"' } });
    expect(answer.status).toBe(500);
    await expect.poll(() => linesOf(answer), { timeout: 30_000 }).toMatch(/"operation":"scan"/);
    await othersGoOn();
  });

  it('is 503 for a backend that is down, which is no fault', async () => {
    const answer = await find('down');
    expect(answer.status).toBe(503);
    expect(linesOf(answer)).not.toMatch(/fault in it/);
  });

  it('is 503 in time for a search that never ends', async () => {
    expect((await find('hangs')).status).toBe(503);
    await othersGoOn();
  });

  it('can change nothing of what it is given', async () => {
    expect((await find('mutates')).status).toBe(200);
    expect(await find('alice')).toMatchObject({ status: 200, body: { totalResults: 1 } });
  });

  it('does not claim that a write was not made, nor that it was', async () => {
    const failed = await odd.request('POST', '/Users', { body: user('bob') });
    expect(failed).toMatchObject({ status: 500, body: { detail: expect.stringMatching(/not known whether/) } });
    await expect.poll(() => linesOf(failed), { timeout: 30_000 }).toMatch(/"operation":"create"/);
    const lost = await odd.request('POST', '/Users', { body: user('lost') });
    expect(lost).toMatchObject({ status: 500, body: { detail: expect.stringMatching(/not known whether/) } });
    expect((await odd.request('DELETE', '/Users/1')).status).toBeGreaterThanOrEqual(500);
    expect((await odd.request('GET', '/Users/1')).status).toBe(500);
    await othersGoOn();
  });

  it.each([
    ['later', /left a rejected promise to nobody/],
    ['timer', /threw outside of any operation/],
  ] as const)('lives on after what comes "%s"', async (name, line) => {
    expect((await find(name)).status).toBe(200);
    await expect.poll(() => server.log(), { timeout: 30_000 }).toMatch(line);
    expect(server.log()).toMatch(/"adapter":"\.\/nasty\.mjs","operation":"none"/);
    await othersGoOn();
  });

  it('goes on with the capabilities that it had when they cannot be read any more', async () => {
    const fading = await server.gateway('fading');
    for (let round = 0; round < 5; round++) {
      expect((await fading.request('GET', '/Users', { query: { filter: 'userName eq "alice"' } })).status).toBe(200);
    }
    await expect.poll(() => server.log(), { timeout: 30_000 }).toMatch(/"operation":"capabilities"/);
  });

  it('ends in time though the adapter does not', async () => {
    expect(await server.end()).toBe(0);
    expect(server.log()).toMatch(/The adapter does not end; nobody waits for it/);
  });
});

function user(userName: string): object {
  return { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName };
}
