import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { created, expectError, user } from '../conformance/resources.js';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

const config = `
version: 1
adapters:
  store: { type: sqlite }
gateways:
  corp:
    resources:
      User:
        adapter: store
        mapping:
          userName: userName
          nickName: { field: nick, writeOnly: true }
          userType: { constant: Employee }
`;

let server: TestServer;
let gateway: TestGateway;
beforeAll(async () => {
  server = await startServer({ config });
  gateway = await server.gateway('corp');
});
afterAll(() => server.close());

describe('An attribute that is only written', () => {
  it('is neither filtered nor sorted by: an order tells what was written [7644-3.4.2.1-06 7644-3.4.2.3-02]', async () => {
    created(await gateway.request('POST', '/Users', { body: user({ nickName: 'A' }) }));
    const filter = 'nickName eq "A"';
    expectError(await gateway.request('GET', '/Users', { query: { filter } }), 400, 'invalidFilter');
    expectError(await gateway.request('GET', '/Users', { query: { sortBy: 'nickName' } }), 400, 'invalidPath');
    for (const sortBy of ['userName', 'userType', 'id', 'meta.created', 'schemas']) {
      expect((await gateway.request('GET', '/Users', { query: { sortBy } })).status, sortBy).toBe(200);
    }
  });
});
