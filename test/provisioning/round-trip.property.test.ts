import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { unordered, userResource } from './user-resources.js';

describe('what was put is what is got', () => {
  let server: TestServer;
  let gateway: TestGateway;
  let run = 0;

  beforeAll(async () => {
    server = await startServer();
    gateway = await server.gateway();
  });
  afterAll(() => server.close());

  const withName = (resource: Readonly<Record<string, unknown>>, userName: string) => ({ ...resource, userName });

  it('a created user is read as it was answered, and as it was sent [7644-3.3-05 7644-3.1-03]', async () => {
    await fc.assert(
      fc.asyncProperty(userResource, async (resource) => {
        const sent = withName(resource, `created-${run++}`);
        const created = await gateway.request('POST', '/Users', { body: sent });
        expect(created.status, created.text).toBe(201);
        const read = await gateway.request('GET', `/Users/${created.body.id}`);
        expect(read.body).toEqual(created.body);
        expect(read.body).toMatchObject(sent);
      }),
      { numRuns: 60 },
    );
  });

  it('a PUT of what was got changes nothing, not even the version [7644-3.5.1-12]', async () => {
    await fc.assert(
      fc.asyncProperty(userResource, async (resource) => {
        const created = await gateway.request('POST', '/Users', { body: withName(resource, `same-${run++}`) });
        expect(created.status, created.text).toBe(201);
        const put = await gateway.request('PUT', `/Users/${created.body.id}`, { body: created.body });
        expect(put.status, put.text).toBe(200);
        expect(put.body).toEqual(created.body);
        expect(put.headers.get('etag')).toBe(created.headers.get('etag'));
      }),
      { numRuns: 60 },
    );
  });

  it('a PUT replaces everything, keeps active when it is left out, and twice is once [7644-3.5.1-02 7644-3.5.1-03]', async () => {
    await fc.assert(
      fc.asyncProperty(userResource, userResource, async (first, second) => {
        const userName = `replaced-${run++}`;
        const created = await gateway.request('POST', '/Users', { body: withName(first, userName) });
        const path = `/Users/${created.body.id}`;
        const wanted = withName(second, userName);
        const put = await gateway.request('PUT', path, { body: wanted });
        expect(put.status, put.text).toBe(200);
        const { id, meta, schemas, ...attributes } = put.body;
        const kept = 'active' in second || !('active' in first) ? {} : { active: first.active };
        expect(unordered(attributes)).toEqual(unordered({ ...kept, ...wanted }));
        const again = await gateway.request('PUT', path, { body: wanted });
        expect(again.headers.get('etag')).toBe(put.headers.get('etag'));
        expect(again.body).toEqual(put.body);
        expect((await gateway.request('GET', path)).body).toEqual(put.body);
      }),
      { numRuns: 60 },
    );
  });
});
