import { describe, expect, it } from 'vitest';
import { createTestApp, json } from './test-app.js';

const current = 'W/"1"';
const old = 'W/"0"';

describe('ETag', () => {
  it('is a header of every answer about a resource, equal to meta.version [7644-3.14-02 7644-3.14-03 7644-3.14-01]', async () => {
    const { send } = createTestApp();
    const answers = [
      await send('/scim/Users', json('POST', {})),
      await send('/scim/Users/1'),
      await send('/scim/Users/1', json('PUT', {})),
      await send('/scim/Users/1', json('PATCH', {})),
    ];
    for (const answer of answers) {
      const { meta } = (await answer.json()) as { meta: { version: string } };
      expect(answer.headers.get('etag')).toBe(current);
      expect(meta.version).toBe(current);
    }
  });

  it('comes with 204 of a PATCH too [7644-3.14-02]', async () => {
    const { send } = createTestApp();
    const answer = await send('/scim/Groups/1', json('PATCH', {}));
    expect(answer.status).toBe(204);
    expect(answer.headers.get('etag')).toBe(current);
    expect(answer.headers.get('location')).toBe('https://scim.example.com/scim/Groups/1');
    expect(answer.headers.get('content-type')).toBeNull();
    expect(await answer.text()).toBe('');
  });
});

describe('If-None-Match', () => {
  it('equal to the version: 304 with an empty body [7644-3.14-04 7644-3.14-get-01]', async () => {
    const { send } = createTestApp();
    const answer = await send('/scim/Users/1', { headers: { 'if-none-match': current } });
    expect(answer.status).toBe(304);
    expect(answer.headers.get('etag')).toBe(current);
    expect(await answer.text()).toBe('');
    expect((await send('/scim/Users/1', { headers: { 'if-none-match': old } })).status).toBe(200);
  });

  it.each(['*', 'W/"a", W/"b"'])('%s reaches the service as it came [7644-3.14-04]', async (ifNoneMatch) => {
    const { send, service } = createTestApp();
    await send('/scim/Users/1', { headers: { 'if-none-match': ifNoneMatch } });
    expect(service.calls[0]?.arguments[3]).toEqual({ ifNoneMatch });
  });
});

describe('If-Match', () => {
  const writes = [json('PUT', {}), json('PATCH', {}), { method: 'DELETE' }];

  it('of an old version: 412 for PUT, PATCH and DELETE [7644-3.14-05 7644-3.14-del-01 7644-T8-07]', async () => {
    const { send } = createTestApp();
    for (const write of writes) {
      const headers = { ...write.headers, 'if-match': old };
      expect((await send('/scim/Users/1', { ...write, headers })).status).toBe(412);
      expect((await send('/scim/Users/1', { ...write, headers: { ...headers, 'if-match': current } })).ok).toBe(true);
    }
  });

  it('is asked for where the gateway says so: 428 [7644-3.14-09]', async () => {
    const { send, service } = createTestApp({ gateway: { requireIfMatch: true } });
    for (const write of writes) expect((await send('/scim/Users/1', write)).status).toBe(428);
    expect(service.calls).toEqual([]);
    for (const write of writes) {
      const headers = { ...write.headers, 'if-match': current };
      expect((await send('/scim/Users/1', { ...write, headers })).ok).toBe(true);
    }
    expect((await send('/scim/Users', json('POST', {}))).status).toBe(201);
  });
});
