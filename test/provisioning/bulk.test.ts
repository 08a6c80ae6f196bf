import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderOperations } from '../../src/provisioning/bulk-order.js';
import { bulkRequestUri, parseBulkRequest } from '../../src/provisioning/bulk-request.js';
import type { JsonValue } from '../../src/scim/schema.js';
import { recording } from '../support/recording-adapter.js';
import { createTestService, groupType, userType } from '../support/test-service.js';

const post = (bulkId: string, ...members: readonly string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { displayName: bulkId, members: members.map((id) => ({ value: `bulkId:${id}` })) },
});
const user = (bulkId: string) => ({ method: 'POST', path: '/Users', bulkId, data: { userName: bulkId } });

function ordered(operations: readonly object[]) {
  const { operations: parsed } = parseBulkRequest({ schemas: [bulkRequestUri], Operations: operations }, 1000);
  return orderOperations(parsed).map(({ operation, deferred }) => [
    operation.bulkId ?? `${operation.method} ${operation.path}`,
    [...deferred].join(),
  ]);
}

describe('the order of a job', () => {
  it('is as sent where nothing refers to what comes later', () => {
    expect(ordered([user('b'), user('a'), post('g', 'a', 'b')])).toEqual([
      ['b', ''],
      ['a', ''],
      ['g', ''],
    ]);
  });

  it('lets what refers wait, and nothing else [7644-3.7-18 7644-3.7.2-03]', () => {
    const away = { method: 'DELETE', path: '/Users/1' };
    expect(ordered([post('g', 'u'), away, user('u'), user('v')]).map(([name]) => name)).toEqual([
      'DELETE /Users/1',
      'u',
      'g',
      'v',
    ]);
  });

  it('keeps that of operations on one resource', () => {
    const put = { method: 'PUT', path: '/Groups/1', data: { displayName: 'x', members: [{ value: 'bulkId:u' }] } };
    const away = { method: 'DELETE', path: '/Groups/1' };
    expect(ordered([put, away, user('u')]).map(([name]) => name)).toEqual(['u', 'PUT /Groups/1', 'DELETE /Groups/1']);
  });

  it('cuts a circle at what was sent first [7644-3.7.1-01]', () => {
    expect(ordered([post('a', 'b'), post('b', 'c', 'u'), post('c', 'a'), user('u')])).toEqual([
      ['u', ''],
      ['a', 'b'],
      ['c', ''],
      ['b', ''],
    ]);
    expect(ordered([post('self', 'self')])).toEqual([['self', 'self']]);
  });

  it('has everything after what it refers to, but for the circles', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const anyJob = fc.tuple(...names.map((name) => fc.subarray(names).map((members) => post(name, ...members))));
    fc.assert(
      fc.property(anyJob, (operations) => {
        const { operations: parsed } = parseBulkRequest({ schemas: [bulkRequestUri], Operations: operations }, 1000);
        const steps = orderOperations(parsed);
        const done = new Set<string>();
        for (const { operation, needs, deferred } of steps) {
          expect([...needs].filter((bulkId) => !done.has(bulkId))).toEqual([]);
          expect([...deferred].filter((bulkId) => done.has(bulkId))).toEqual([]);
          done.add(String(operation.bulkId));
        }
        expect([...done].toSorted()).toEqual(names);
      }),
      { numRuns: 200 },
    );
  });
});

interface Entry {
  readonly status: string;
  readonly location?: string;
  readonly version?: string;
  readonly bulkId?: string;
  readonly response?: { readonly detail: string };
}

async function gateway() {
  const test = await createTestService({
    types: [
      { type: userType, rules: 'scim' },
      { type: groupType, rules: 'scim' },
    ],
    wrap: recording,
  });
  const context = test.context();
  const { service } = test;
  return {
    service,
    context,
    run: async (operations: readonly object[], failOnErrors?: number) => {
      const body = {
        schemas: [bulkRequestUri],
        Operations: operations,
        ...(failOnErrors === undefined ? {} : { failOnErrors }),
      };
      return ((await service.bulk(body, context)).Operations ?? []) as unknown as readonly Entry[];
    },
    group: async (location: string | undefined) => {
      const id = String(location?.split('/').at(-1));
      const { resource, version } = await service.read('Group', id, {}, {}, context);
      const members = (resource?.members ?? []) as readonly { readonly value: JsonValue }[];
      return { id, version, members: members.map(({ value }) => value) };
    },
    count: async (type: string) => (await service.search(type, {}, context)).totalResults,
  };
}

describe('a job', () => {
  it('links a circle, and answers with the versions that it ends with [7644-3.7.1-01]', async () => {
    const { run, group } = await gateway();
    const [a, b, self] = await run([post('a', 'b'), post('b', 'a'), post('self', 'self')]);
    const [groupA, groupB, itself] = [await group(a?.location), await group(b?.location), await group(self?.location)];
    expect(groupA.members).toEqual([groupB.id]);
    expect(groupB.members).toEqual([groupA.id]);
    expect(itself.members).toEqual([itself.id]);
    expect([a?.version, b?.version, self?.version]).toEqual([groupA.version, groupB.version, itself.version]);
  });

  it('leaves nothing of a creation whose circle cannot be closed [7644-3.7.2-04]', async () => {
    const { run, count } = await gateway();
    await run([post('taken')]);
    const clash = { ...post('b', 'a'), data: { displayName: 'taken', members: [{ value: 'bulkId:a' }] } };
    const [a, b] = await run([post('a', 'b'), clash]);
    expect([a?.status, b?.status]).toEqual(['409', '409']);
    expect(a?.response?.detail).toContain('"b"');
    expect(await count('Group')).toBe(1);
  });

  it('resolves an id in the filter of a PATCH path [7644-3.7.2-01]', async () => {
    const { run, group } = await gateway();
    const operations = [{ op: 'remove', path: 'members[value eq "bulkId:u"]' }];
    const patch = {
      method: 'PATCH',
      path: '/Groups/bulkId:g',
      data: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations },
    };
    const [g, , , patched] = await run([post('g', 'u', 'v'), user('u'), user('v'), patch]);
    expect(patched?.status).toBe('204');
    expect((await group(g?.location)).members).toHaveLength(1);
  });

  it('stops at the limit of errors, in the order in which it is carried out [7644-3.7-15]', async () => {
    const { run, count } = await gateway();
    const bad = { method: 'POST', path: '/Users', bulkId: 'bad', data: {} };
    const entries = await run([post('g', 'nobody'), bad, user('u')], 2);
    expect(entries.map(({ status }) => status)).toEqual(['409', '400']);
    expect(await count('User')).toBe(0);
  });

  it('goes on past errors without a limit, and answers in the order sent [7644-3.7-14 7644-3.7.3-01]', async () => {
    const { run } = await gateway();
    const entries = await run([post('g', 'u'), { method: 'GET', path: '/Users' }, user('u')]);
    expect(entries.map(({ status, bulkId }) => [bulkId, status])).toEqual([
      ['g', '201'],
      [undefined, '400'],
      ['u', '201'],
    ]);
  });
});
