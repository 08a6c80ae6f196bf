import { describe, expect, it } from 'vitest';
import { ScimError } from '../../src/scim/error.js';
import { createFakeService } from './fake-service.js';
import { createTestApp, errorOf, json, type TestApp } from './test-app.js';

const errorUri = 'urn:ietf:params:scim:api:messages:2.0:Error';

const failures: readonly [name: string, status: number, act: (app: TestApp) => Promise<Response>][] = [
  ['broken JSON', 400, ({ send }) => send('/scim/Users', json('POST', '{'))],
  ['no credentials', 401, async ({ app }) => app.request('/scim/Users')],
  ['a filter on discovery', 403, ({ send }) => send('/scim/Schemas?filter=a')],
  ['an unknown resource', 404, ({ send }) => send('/scim/Users/missing')],
  ['an unknown path', 404, ({ send }) => send('/scim/Nothing')],
  ['a path outside of every gateway', 404, ({ send }) => send('/nothing')],
  ['a wrong method', 405, ({ send }) => send('/scim/Users', { method: 'DELETE' })],
  ['an impossible Accept', 406, ({ send }) => send('/scim/Users', { headers: { accept: 'text/html' } })],
  ['an old version', 412, ({ send }) => send('/scim/Users/1', json('PUT', {}, { 'if-match': 'W/"0"' }))],
  ['a large body', 413, ({ send }) => send('/scim/Users', json('POST', { a: 'x'.repeat(2000) }))],
  ['another content type', 415, ({ send }) => send('/scim/Users', json('POST', {}, { 'content-type': 'text/xml' }))],
  ['an internal failure', 500, ({ send }) => send('/scim/Users/broken')],
  ['/Me without a user', 501, ({ send }) => send('/scim/Me')],
  ['a backend that is down', 503, ({ send }) => send('/scim/Users/busy')],
];

describe('every refusal', () => {
  it.each(failures)(
    'is a SCIM error: %s, %d [7644-3.12-01 7644-3.12-02 7644-3.12-04 7644-3.2-04 7644-3.12-05]',
    async (_name, status, act) => {
      const response = await act(createTestApp());
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/scim+json');
      const body = await errorOf(response);
      expect(body).toMatchObject({ schemas: [errorUri], status: String(status) });
      expect(body.detail.length).toBeGreaterThan(10);
    },
  );

  it.each(failures)('names the request id: %s', async (_name, _status, act) => {
    const response = await act(createTestApp());
    const { detail } = await errorOf(response);
    expect(detail.endsWith(` [request ${response.headers.get('x-request-id')}]`)).toBe(true);
  });
});

describe('errors of the service', () => {
  it.each([
    [ScimError.uniqueness('userName is taken.'), 409, 'uniqueness'],
    [ScimError.badRequest('invalidFilter', 'The filter.'), 400, 'invalidFilter'],
    [ScimError.badRequest('tooMany', 'Too many.'), 400, 'tooMany'],
    [ScimError.badRequest('mutability', 'Read-only.'), 400, 'mutability'],
    [ScimError.badRequest('expiredCursor', 'The cursor.'), 400, 'expiredCursor'],
  ])('keep status and keyword: %s [7644-3.12-03 7644-T8-06]', async (error, status, scimType) => {
    const service = createFakeService({
      search: async () => {
        throw error;
      },
    });
    const response = await createTestApp({ service }).send('/scim/Users');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ status: String(status), scimType });
  });

  it('carry Retry-After, and are logged with their cause [7644-T8-09]', async () => {
    const { send, logged } = createTestApp();
    const response = await send('/scim/Users/busy');
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.text()).not.toContain('ldap://');
    expect(logged).toMatchObject([{ status: 503, operation: 'read', resourceType: 'User', caller: 'token:test' }]);
    expect(JSON.stringify(logged[0]?.err)).toContain('ldap://dc1');
  });

  it('that nobody foresaw are 500, without a word of what is inside [7644-T8-09]', async () => {
    const { send, logged } = createTestApp();
    const response = await send('/scim/Users/broken');
    const text = await response.text();
    expect(text).not.toContain('SELECT');
    expect(text).toContain('Internal error.');
    expect(JSON.stringify(logged[0]?.err)).toContain('SELECT secret FROM table');
    expect(logged[0]?.requestId).toBe(response.headers.get('x-request-id'));
  });

  it('below 500 are not logged as failures, and without the id that names nothing', async () => {
    const { send, logged } = createTestApp();
    await send('/scim/Users/missing');
    await send('/scim/Me');
    expect(logged).toMatchObject([
      { level: 30, msg: 'Rejected.', status: 404, resourceType: 'User' },
      { level: 30, msg: 'Rejected.', status: 501 },
    ]);
    expect(JSON.stringify(logged)).not.toContain('missing');
  });

  it('403 of a limited credential says insufficient_scope [7644-T8-04 6750-3.1-01]', async () => {
    const service = createFakeService({
      create: async () => {
        throw ScimError.forbidden('This credential may only read.');
      },
    });
    const limited = { authenticate: () => ({ caller: { id: 'token:reader', readOnly: true } }) };
    const response = await createTestApp({ service, gateway: limited }).send('/scim/Users', json('POST', {}));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="test", error="insufficient_scope"');
    expect(await response.json()).toMatchObject({ status: '403' });
  });
});

describe('request ids', () => {
  it('are on every answer, each one different', async () => {
    const { send } = createTestApp();
    const ids = [await send('/scim/Users'), await send('/scim/Users/1'), await send('/none')].map((response) =>
      response.headers.get('x-request-id'),
    );
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[\w-]+$/);
  });

  it('are taken over from a proxy and reach the service', async () => {
    const { send, service } = createTestApp();
    const response = await send('/scim/Users', { headers: { 'x-request-id': 'trace:4711/a' } });
    expect(response.headers.get('x-request-id')).toBe('trace:4711/a');
    expect(service.contexts[0]?.requestId).toBe('trace:4711/a');
  });

  it.each(['has space', 'x'.repeat(129), '<script>', '"quoted"', 'jane@example.com'])(
    'are our own instead of %j',
    async (id) => {
      const { send } = createTestApp();
      const response = await send('/scim/Users', { headers: { 'x-request-id': id } });
      expect(response.headers.get('x-request-id')).not.toBe(id);
    },
  );
});

describe('the log', () => {
  it('holds neither query, nor credentials, nor bodies [7644-7.5.2-02]', async () => {
    const { send, logged } = createTestApp({ level: 'debug' });
    await send('/scim/Users?filter=userName%20eq%20%22bjensen%22', {
      headers: { authorization: 'Bearer secret-token' },
    });
    await send('/scim/Users', json('POST', { password: 't1meMa$heen' }));
    await send('/scim/Users?filter=bjensen', { method: 'DELETE' });
    await send('/scim/Users/broken?filter=bjensen');
    const text = JSON.stringify(logged);
    for (const secret of ['bjensen', 'secret-token', 't1meMa$heen']) expect(text).not.toContain(secret);
    expect(logged.filter(({ status }) => status !== undefined)).toMatchObject([
      { msg: 'Answered.', operation: 'search', resourceType: 'User', status: 200 },
      { msg: 'Answered.', operation: 'create', status: 201 },
      { msg: 'Rejected.', operation: 'none', status: 405 },
      { msg: 'Internal error.', operation: 'read', status: 500 },
    ]);
  });

  it('has a line for a change, and none for a read unless it is asked to', async () => {
    const { send, logged } = createTestApp();
    await send('/scim/Users');
    expect(logged).toEqual([]);
    await send('/scim/Users/u1', { method: 'DELETE' });
    expect(logged).toMatchObject([{ operation: 'delete', resourceType: 'User', resourceId: 'u1', status: 204 }]);
  });
});
