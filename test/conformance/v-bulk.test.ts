import { describe, expect, it } from 'vitest';
import type { Answer, TestGateway } from '../support/gateway.js';
import {
  expectError,
  extension,
  type Fields,
  group,
  memberIds,
  newGroup,
  newUser,
  nobody,
  patchBody,
  read,
  readGroup,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'paged');

interface Outcome {
  readonly method?: string;
  readonly bulkId?: string;
  readonly location?: string;
  readonly version?: string;
  readonly status: string;
  readonly response?: Fields & { readonly scimType?: string; readonly detail?: string };
}

function send(gateway: TestGateway, operations: unknown, more: object = {}): Promise<Answer> {
  return gateway.request('POST', '/Bulk', { body: { schemas: [urn.bulkRequest], Operations: operations, ...more } });
}

/** The outcomes of a job that must be processed, in order. */
async function run(
  gateway: TestGateway,
  operations: readonly object[],
  more: object = {},
): Promise<readonly Outcome[]> {
  const answer = await send(gateway, operations, more);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.schemas).toEqual([urn.bulkResponse]);
  return answer.body.Operations as readonly Outcome[];
}

const post = (bulkId: string, fields: Fields = {}) => ({ method: 'POST', path: '/Users', bulkId, data: user(fields) });
const postGroup = (bulkId: string, fields: Fields = {}) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: group(fields),
});
const idOf = (outcome: Outcome | undefined) => outcome?.location?.split('/').at(-1) ?? '';

/** The operation failed, with this status and a SCIM error in its response. */
function expectFailed(outcome: Outcome | undefined, status: string, ...scimTypes: readonly string[]): void {
  expect(outcome).toMatchObject({
    status,
    response: { schemas: [urn.error], status, detail: expect.stringMatching(/\S/) },
  });
  if (scimTypes.length > 0) expect(scimTypes).toContain(outcome?.response?.scimType);
}

describe('V. Bulk: the message', () => {
  it(
    'is offered, and says so with its limits [7644-3.7-01 7644-3.7.4-01]',
    inBoth(server, async (gateway) => {
      const { bulk } = await read(gateway, '/ServiceProviderConfig');
      expect(bulk).toMatchObject({
        supported: true,
        maxOperations: expect.any(Number),
        maxPayloadSize: expect.any(Number),
      });
    }),
  );

  it(
    'has its own schemas [7644-3.7-02]',
    inBoth(server, async (gateway) => {
      await run(gateway, [post('a')]);
      for (const schemas of [[urn.patch], ['x'], 7]) {
        expectError(await send(gateway, [post('a')], { schemas }), 400, 'invalidSyntax');
      }
    }),
  );

  it(
    'answers what cannot be processed at all with an HTTP error [7644-3.7-13 7644-3.7-03]',
    inBoth(server, async (gateway) => {
      for (const operations of [undefined, null, {}, 'x']) {
        expectError(await send(gateway, operations), 400, 'invalidSyntax');
      }
      for (const rawBody of ['', '{', '[]', 'null']) {
        expectError(await gateway.request('POST', '/Bulk', { rawBody }), 400, 'invalidSyntax');
      }
      expectError(await send(gateway.withToken('wrong'), [post('a')]), 401);
    }),
  );

  it(
    'refuses methods that are none of POST, PUT, PATCH, DELETE [7644-3.7-03]',
    inBoth(server, async (gateway) => {
      for (const method of ['GET', 'HEAD', 'post it', undefined]) {
        const answer = await send(gateway, [{ ...post('a'), method }]);
        if (answer.status === 400) expectError(answer, 400, 'invalidSyntax');
        else expectFailed((answer.body.Operations as readonly Outcome[])[0], '400');
      }
    }),
  );

  it(
    'wants a bulkId for POST, a fitting path, and data [7644-3.7-04 7644-3.7-05 7644-3.7-06]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const { bulkId: _, ...withoutBulkId } = post('a');
      const wrong = [
        withoutBulkId,
        { ...post('a'), path: undefined },
        { ...post('a'), path: '/Unicorns' },
        { ...post('a'), path: `/Users/${id}` },
        { ...post('a'), data: undefined },
        { method: 'PUT', path: '/Users', data: user() },
        { method: 'PUT', path: `/Users/${id}` },
        { method: 'PATCH', path: `/Users/${id}` },
        { method: 'DELETE', path: '/Users' },
        { method: 'DELETE' },
      ];
      for (const operation of wrong) {
        const answer = await send(gateway, [operation]);
        expect(answer.status, JSON.stringify(operation)).toBe(200);
        const [outcome] = answer.body.Operations as readonly Outcome[];
        expect(outcome?.status, JSON.stringify(operation)).toMatch(/^4\d\d$/);
        expectFailed(outcome, outcome?.status ?? '');
      }
      await readUser(gateway, { id });
    }),
  );

  it(
    'takes a whole PATCH message as data, and no bare list [7644-3.7-07]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const operation = { op: 'add', path: 'title', value: 'T' };
      const [bad, good] = await run(gateway, [
        { method: 'PATCH', path: `/Users/${id}`, data: [operation] },
        { method: 'PATCH', path: `/Users/${id}`, data: patchBody(operation) },
      ]);
      expectFailed(bad, '400', 'invalidSyntax');
      expect(['200', '204']).toContain(good?.status);
      expect((await readUser(gateway, { id })).title).toBe('T');
    }),
  );

  it(
    'takes a version for If-Match [7644-3.7-08]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const change = (value: string) => ({
        method: 'PATCH',
        path: `/Users/${resource.id}`,
        version: resource.meta.version,
        data: patchBody({ op: 'replace', path: 'title', value }),
      });
      const [first, second, third] = await run(gateway, [
        change('A'),
        change('B'),
        { method: 'DELETE', path: `/Users/${resource.id}`, version: resource.meta.version },
      ]);
      expect(['200', '204']).toContain(first?.status);
      expectFailed(second, '412');
      expectFailed(third, '412');
      expect((await readUser(gateway, resource)).title).toBe('A');
    }),
  );
});

describe('V. Bulk: outcomes', () => {
  it(
    'has location, status and bulkId of each operation, and 200 for the job [7644-3.7-09 7644-3.7-11 7644-3.7-12 7644-3.7-17 7644-3.7.3-01]',
    inBoth(server, async (gateway) => {
      const [a, b] = [await newUser(gateway), await newUser(gateway)];
      const outcomes = await run(gateway, [
        post('new'),
        { method: 'PUT', path: `/Users/${a.id}`, data: { schemas: [urn.user], userName: a.userName, title: 'T' } },
        { method: 'PATCH', path: `/Users/${a.id}`, data: patchBody({ op: 'remove', path: 'title' }) },
        { method: 'DELETE', path: `/Users/${b.id}` },
      ]);
      expect(outcomes).toMatchObject([
        { method: 'POST', bulkId: 'new', status: '201' },
        { method: 'PUT', status: '200', location: a.meta.location },
        { method: 'PATCH', status: expect.stringMatching(/^20[04]$/), location: a.meta.location },
        { method: 'DELETE', status: '204', location: b.meta.location },
      ]);
      const location = outcomes[0]?.location ?? '';
      expect((await gateway.request('GET', location)).status).toBe(200);
      expect(outcomes[0]?.version).toBe((await gateway.request('GET', location)).body.meta.version);
      expectError(await gateway.request('GET', `/Users/${b.id}`), 404);
    }),
  );

  it(
    'goes on past failures and explains each [7644-3.7-10 7644-3.7-14 7644-3.7.3-02 7644-T9-12]',
    inBoth(server, async (gateway) => {
      const taken = await newUser(gateway);
      const outcomes = await run(gateway, [
        post('a'),
        post('b', { userName: taken.userName }),
        { method: 'DELETE', path: `/Users/${nobody}` },
        post('c', { userName: '' }),
        post('d'),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['201', '409', '404', '400', '201']);
      expectFailed(outcomes[1], '409', 'uniqueness');
      expectFailed(outcomes[2], '404');
      expectFailed(outcomes[3], '400', 'invalidValue');
      expect(outcomes[1]?.location).toBeUndefined();
      expect(outcomes[2]?.location).toBe(`${gateway.base}/Users/${nobody}`);
    }),
  );

  it(
    'stops when failOnErrors is reached [7644-3.7-15 7644-3.7-16 GAP-18]',
    inBoth(server, async (gateway) => {
      const last = post('c');
      const operations = [post('a', { userName: '' }), post('b', { userName: '' }), last];
      const stopped = await send(gateway, operations, { failOnErrors: 1 });
      expect(stopped.body.Operations).toHaveLength(1);
      expect(Object.keys(stopped.body)).not.toContain('failOnErrors');
      expect((await send(gateway, operations, { failOnErrors: 2 })).body.Operations).toHaveLength(2);
      expect(await selected(gateway, `userName eq "${last.data.userName}"`)).toEqual([]);
      expect(await run(gateway, operations, { failOnErrors: 0 })).toHaveLength(3);
      expect(await selected(gateway, `userName eq "${last.data.userName}"`)).toHaveLength(1);
    }),
  );

  it(
    'is not nested [7644-3.7-20]',
    inBoth(server, async (gateway) => {
      const data = { schemas: [urn.bulkRequest], Operations: [post('b')] };
      const [outcome] = await run(gateway, [{ method: 'POST', path: '/Bulk', bulkId: 'a', data }]);
      expect(outcome?.status).toMatch(/^4\d\d$|^501$/);
      expectFailed(outcome, outcome?.status ?? '');
    }),
  );

  it(
    'runs the example of the RFC, repaired by erratum 7916 [7644-3.7.3-03]',
    inBoth(server, async (gateway) => {
      const [put, patched, gone] = [await newUser(gateway), await newUser(gateway), await newUser(gateway)];
      const outcomes = await run(
        gateway,
        [
          { method: 'POST', path: '/Users', bulkId: 'qwerty', data: user() },
          {
            method: 'PUT',
            path: `/Users/${put.id}`,
            version: put.meta.version,
            data: { schemas: [urn.user], id: put.id, userName: put.userName },
          },
          {
            method: 'PATCH',
            path: `/Users/${patched.id}`,
            version: patched.meta.version,
            data: patchBody(
              { op: 'remove', path: 'nickName' },
              { op: 'replace', path: 'userName', value: unique('dave') },
            ),
          },
          { method: 'DELETE', path: `/Users/${gone.id}`, version: gone.meta.version },
        ],
        { failOnErrors: 1 },
      );
      expect(outcomes.map(({ status }) => status)).toEqual(['201', '200', expect.stringMatching(/^20[04]$/), '204']);
    }),
  );
});

describe('V. Bulk: references', () => {
  it(
    'put the id in the place of "bulkId:", in values, URIs, paths and PATCH data [7644-3.7.2-01 7644-3.7-18]',
    inBoth(server, async (gateway) => {
      const team = await newGroup(gateway);
      const outcomes = await run(gateway, [
        post('alice'),
        postGroup('team', { members: [{ value: 'bulkId:alice', $ref: `${gateway.base}/Users/bulkId:alice` }] }),
        {
          method: 'PATCH',
          path: `/Groups/${team.id}`,
          data: patchBody({ op: 'add', path: 'members', value: [{ value: 'bulkId:alice' }] }),
        },
        {
          method: 'PATCH',
          path: '/Users/bulkId:alice',
          data: patchBody({ op: 'add', path: 'title', value: 'Tour Guide' }),
        },
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['201', '201', '204', '200']);
      const alice = idOf(outcomes[0]);
      expect((await readUser(gateway, { id: alice })).title).toBe('Tour Guide');
      for (const id of [idOf(outcomes[1]), team.id]) {
        const { members } = await readGroup(gateway, { id });
        expect(members).toMatchObject([{ value: alice }]);
        expect(members?.[0]?.$ref).toContain(alice);
      }
    }),
  );

  it(
    'work in extensions, and forwards [7644-3.7.2-02 7644-3.7.2-03 7644-3.7-18]',
    inBoth(server, async (gateway) => {
      const manager = { value: 'bulkId:boss' };
      const outcomes = await run(gateway, [
        post('bob', { schemas: [urn.user, urn.enterprise], [urn.enterprise]: { manager } }),
        postGroup('team', { members: [{ value: 'bulkId:boss' }, { value: 'bulkId:bob' }] }),
        post('boss'),
      ]);
      const byBulkId = (bulkId: string) => idOf(outcomes.find((outcome) => outcome.bulkId === bulkId));
      const bob = await readUser(gateway, { id: byBulkId('bob') });
      expect(extension(bob, urn.enterprise).manager).toMatchObject({ value: byBulkId('boss') });
      const team = await readGroup(gateway, { id: byBulkId('team') });
      expect(memberIds(team)).toEqual([byBulkId('bob'), byBulkId('boss')].sort());
    }),
  );

  it(
    'may go in circles: linked at the end, or refused with 409 [7644-3.7.1-01]',
    inBoth(server, async (gateway) => {
      const outcomes = await run(gateway, [
        postGroup('a', { members: [{ value: 'bulkId:b' }] }),
        postGroup('b', { members: [{ value: 'bulkId:a' }] }),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['201', '201']);
      const [a, b] = outcomes.map((outcome) => idOf(outcome));
      expect(memberIds(await readGroup(gateway, { id: a ?? '' }))).toEqual([b]);
      expect(memberIds(await readGroup(gateway, { id: b ?? '' }))).toEqual([a]);
    }),
  );

  it(
    'to what is unknown or failed fail, and are never stored [7644-3.7.2-04]',
    inBoth(server, async (gateway) => {
      const unknown = postGroup('g', { members: [{ value: 'bulkId:nobody' }] });
      const [outcome] = await run(gateway, [unknown]);
      expect(['409', '400']).toContain(outcome?.status);
      expectFailed(outcome, outcome?.status ?? '');
      const dependent = postGroup('g', { members: [{ value: 'bulkId:failed' }] });
      const outcomes = await run(gateway, [post('failed', { userName: '' }), dependent]);
      expect(outcomes[0]?.status).toBe('400');
      expect(['409', '400']).toContain(outcomes[1]?.status);
      for (const { data } of [unknown, dependent]) {
        expect(await selected(gateway, `displayName eq "${data.displayName}"`, '/Groups')).toEqual([]);
      }
      expect(await selected(gateway, 'members.value sw "bulkId:"', '/Groups')).toEqual([]);
    }),
  );

  it(
    'need a bulkId that is used once [7644-3.7.2-05]',
    inBoth(server, async (gateway) => {
      const operations = [post('same'), post('same')];
      const answer = await send(gateway, operations);
      if (answer.status !== 200) expectError(answer, 400, 'invalidSyntax', 'invalidValue');
      else expect((answer.body.Operations as readonly Outcome[]).map(({ status }) => status)).toContain('400');
    }),
  );
});

describe('V. Bulk: limits', () => {
  it('refuses more operations than it says, and names the limit [7644-3.7.4-02 7644-T8-08]', async () => {
    const gateway = server.gateway('paged');
    const { bulk } = await read(gateway, '/ServiceProviderConfig');
    const { maxOperations } = bulk as { readonly maxOperations: number };
    expect(maxOperations).toBe(5);
    const operations = Array.from({ length: maxOperations + 1 }, (_, index) => post(`u${index}`));
    const answer = await send(gateway, operations);
    expectError(answer, 413);
    expect(answer.body.detail).toContain('maxOperations');
    expect(answer.body.detail).toContain(String(maxOperations));
    expect(await run(gateway, operations.slice(1))).toHaveLength(maxOperations);
  });

  it('refuses a larger body than it says, and names the limit [7644-3.7.4-02 7644-3.7.4-03]', async () => {
    const gateway = server.gateway('paged');
    const { bulk } = await read(gateway, '/ServiceProviderConfig');
    const { maxPayloadSize } = bulk as { readonly maxPayloadSize: number };
    const answer = await send(gateway, [post('a', { displayName: 'x'.repeat(maxPayloadSize) })]);
    expectError(answer, 413);
    expect(answer.body.detail).toContain('maxPayloadSize');
    expect(answer.body.detail).toContain(String(maxPayloadSize));
  });
});
