import { afterAll, describe, expect, it, vi } from 'vitest';
import { expectError, newUsers, read, unique } from './resources.js';
import { useServer } from './server.js';

// Before the server starts, so that it has this clock from the beginning. It stands until a test moves it.
vi.useFakeTimers({ toFake: ['Date'] });
afterAll(() => void vi.useRealTimers());

const server = useServer('default', 'paged');
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('What ends with time', () => {
  it('a cursor: after the published time-out it is refused as expired [9865-2.1-03 9865-4-03]', async () => {
    const gateway = server.gateway('paged');
    const { pagination } = await read(gateway, '/ServiceProviderConfig');
    expect(pagination).toMatchObject({ cursorTimeout: 60 });
    const userType = unique('type');
    await newUsers(gateway, 5, { userType });
    const query = { filter: `userType eq "${userType}"`, count: 2, cursor: '' };
    const { nextCursor } = await read(gateway, '/Users', query);
    const next = { ...query, cursor: nextCursor ?? '' };
    pass(59_000);
    expect((await gateway.request('GET', '/Users', { query: next })).status).toBe(200);
    pass(2_000);
    expectError(await gateway.request('GET', '/Users', { query: next }), 400, 'expiredCursor');
  });

  it('a token: after its validity it is refused like any other [7644-7.4-03 7644-7.3-01]', async () => {
    const gateway = server.gateway('default');
    const dayMs = 86_400_000;
    pass(364 * dayMs);
    expect((await gateway.request('GET', '/Users?count=1')).status).toBe(200);
    pass(2 * dayMs);
    const answer = await gateway.request('GET', '/Users?count=1');
    expectError(answer, 401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
});
