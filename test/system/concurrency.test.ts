import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, TestGateway } from '../support/gateway.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';

const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** The forms in which identity providers add and remove a member. */
const addForms = [
  (id: string) => ({ op: 'Add', path: 'members', value: [{ $ref: null, value: id }] }),
  (id: string) => ({ op: 'add', path: 'members', value: [{ value: id, display: 'x' }] }),
  (id: string) => ({ op: 'add', value: { members: [{ value: id }] } }),
];
const removeForms = [
  (id: string) => ({ op: 'Remove', path: 'members', value: [{ value: id }] }),
  (id: string) => ({ op: 'remove', path: `members[value eq "${id}"]` }),
];

describe('two server processes on one store', () => {
  let dataDir: string;
  const servers: SpawnedServer[] = [];
  let gateways: readonly TestGateway[];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'scimbridge-two-'));
    servers.push(await spawnServer({ dataDir }));
    servers.push(await spawnServer({ dataDir }));
    gateways = await Promise.all(servers.map((server) => server.gateway()));
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.end()));
    await rm(dataDir, { recursive: true, force: true });
  });

  const through = (index: number): TestGateway => gateways[index % gateways.length] as TestGateway;
  const createUsers = async (prefix: string, count: number): Promise<readonly string[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const answer = await through(index).request('POST', '/Users', { body: { userName: `${prefix}-${index}` } });
        expect(answer.status, answer.text).toBe(201);
        return answer.body.id;
      }),
    );
  const membersOf = async (id: string): Promise<readonly (string | undefined)[]> => {
    const { body } = await through(0).request('GET', `/Groups/${id}`);
    return (body.members ?? []).map(({ value }) => value).sort();
  };

  it('200 parallel PATCHes that add and remove members of one group leave exactly the expected set [capabilities-107 7644-3.5.2-29]', async () => {
    const leaving = await createUsers('leaving', 100);
    const joining = await createUsers('joining', 100);
    const staying = await createUsers('staying', 10);
    const created = await through(0).request('POST', '/Groups', {
      body: { displayName: 'crowd', members: [...leaving, ...staying].map((value) => ({ value })) },
    });
    expect(created.status, created.text).toBe(201);
    const group = created.body.id;
    const operations = leaving.flatMap((leaver, index) => [
      removeForms[index % removeForms.length]?.(leaver),
      addForms[index % addForms.length]?.(joining[index] as string),
    ]);
    const answers = await Promise.all(
      operations.map((operation, index) =>
        through(index).request('PATCH', `/Groups/${group}`, { body: { schemas: [patchOp], Operations: [operation] } }),
      ),
    );
    expect(answers).toHaveLength(200);
    expect(answers.filter((answer) => answer.status !== 204).map(({ status, text }) => ({ status, text }))).toEqual([]);
    expect(await membersOf(group)).toEqual([...joining, ...staying].sort());
  });

  it('of 20 parallel creates of one userName over both processes exactly one wins [7644-3.3-09]', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        through(index).request('POST', '/Users', { body: { userName: index % 2 === 0 ? 'only.one' : 'ONLY.ONE' } }),
      ),
    );
    const statuses = answers.map((answer: Answer) => answer.status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  it('of two writers with the same If-Match one wins, the other is told 412 [7644-3.14-08]', async () => {
    const created = await through(0).request('POST', '/Users', { body: { userName: 'matched' } });
    const etag = created.headers.get('etag') ?? '';
    const answers = await Promise.all(
      ['a', 'b'].map((title, index) =>
        through(index).request('PATCH', `/Users/${created.body.id}`, {
          headers: { 'if-match': etag },
          body: { schemas: [patchOp], Operations: [{ op: 'replace', path: 'title', value: title }] },
        }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 412]);
  });

  it('what one process answered is there for the other at once [7644-3.1-03]', async () => {
    for (let round = 0; round < 20; round++) {
      const { body } = await through(round).request('POST', '/Users', { body: { userName: `seen-${round}` } });
      const read = await through(round + 1).request('GET', `/Users/${body.id}`);
      expect(read.status).toBe(200);
    }
  });
});
