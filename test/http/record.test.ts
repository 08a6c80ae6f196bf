import { describe, expect, it } from 'vitest';
import { operationOf } from '../../src/transactions/operation-name.js';
import type { RequestRecord } from '../../src/transactions/request-record.js';
import { createFakeService } from './fake-service.js';
import { createTestApp, json } from './test-app.js';

/** Sends requests, and gives what was recorded of them, in turn. */
async function recordsOf(send: (app: ReturnType<typeof createTestApp>) => Promise<unknown>) {
  const records: { readonly record: RequestRecord; readonly status: number }[] = [];
  const recorder = {
    finished: (record: RequestRecord, status: number) => records.push({ record, status }),
    act: () => undefined,
    flush: async () => undefined,
    close: async () => undefined,
  };
  await send(createTestApp({ app: { recorder }, service: createFakeService() }));
  return records;
}

describe('the record of a request', () => {
  it.each([
    ['read', '/scim/Users/u1', {}, 'User', 'u1'],
    ['search', '/scim/Users?filter=userName%20eq%20%22a%22', {}, 'User', undefined],
    ['search', '/scim/.search', json('POST', { schemas: [], filter: 'userName eq "a"' }), undefined, undefined],
    ['create', '/scim/Users', json('POST', { userName: 'a' }), 'User', 'created'],
    ['replace', '/scim/Users/u1', json('PUT', { userName: 'a' }), 'User', 'u1'],
    ['patch', '/scim/Users/u1', json('PATCH', { Operations: [] }), 'User', 'u1'],
    ['delete', '/scim/Users/u1', { method: 'DELETE' }, 'User', 'u1'],
    ['bulk', '/scim/Bulk', json('POST', { Operations: [] }), undefined, undefined],
    ['discovery', '/scim/Schemas', {}, undefined, undefined],
    ['none', '/scim/nothing/here', {}, undefined, undefined],
  ] as const)('names a %s (%s), its resource and its caller', async (operation, path, init, type, id) => {
    const [only, ...more] = await recordsOf(({ send }) => send(path, init));
    expect(more).toEqual([]);
    expect(only?.record).toMatchObject({ gateway: 'test', caller: { id: 'token:test' }, resourceType: type });
    expect(operationOf(only!.record)).toBe(operation);
    if (id !== 'created') expect(only?.record.resourceId).toBe(id);
    else expect(only?.record.resourceId).toMatch(/^[\w-]+$/);
  });

  it('carries the filter and the body as they came, for those who take the values out of them', async () => {
    const [search, create] = await recordsOf(async ({ send }) => {
      await send('/scim/Users?filter=userName%20eq%20%22a%22');
      await send('/scim/Users', json('POST', '{"userName": "b"}'));
    });
    expect(search?.record.filter).toBe('userName eq "a"');
    expect(create?.record.body).toBe('{"userName": "b"}');
  });

  it('is made of refused requests too, with the check that failed', async () => {
    const [refused] = await recordsOf(({ app }) => Promise.resolve(app.request('/scim/Users')));
    expect(refused).toMatchObject({
      status: 401,
      record: { caller: undefined, reason: 'no Authorization header', resourceType: 'User' },
    });
  });

  it('says why a request was rejected', async () => {
    const [rejected] = await recordsOf(({ send }) => send('/scim/Users', json('POST', '{')));
    expect(rejected?.status).toBe(400);
    expect(rejected?.record.reason).toMatch(/not valid JSON/);
  });
});
