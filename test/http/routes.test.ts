import { describe, expect, it } from 'vitest';
import { createFakeService } from './fake-service.js';
import { createTestApp, errorOf, json, testGateway } from './test-app.js';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

function allowOf(response: Response): string[] {
  return (response.headers.get('allow') ?? '').split(', ').filter((method) => method !== 'HEAD');
}

describe('methods (RFC 7644 Table 2)', () => {
  const table: readonly [path: string, allowed: readonly string[]][] = [
    ['/Users', ['GET', 'POST']],
    ['/Groups', ['GET', 'POST']],
    ['/Users/1', ['GET', 'PUT', 'PATCH', 'DELETE']],
    ['/Groups/1', ['GET', 'PUT', 'PATCH', 'DELETE']],
    ['/Me', ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']],
    ['/Bulk', ['POST']],
    ['/.search', ['POST']],
    ['/Users/.search', ['POST']],
    ['/', ['GET']],
    ['/ServiceProviderConfig', ['GET']],
    ['/ResourceTypes', ['GET']],
    ['/ResourceTypes/User', ['GET']],
    ['/Schemas', ['GET']],
    ['/Schemas/urn:x:y', ['GET']],
  ];

  it.each(table)('%s: OPTIONS tells %j [7644-3.2-02]', async (path, allowed) => {
    const { send } = createTestApp();
    const response = await send(`/scim${path}`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(allowOf(response)).toEqual(allowed);
  });

  it.each(table)('%s: other methods are 405 with Allow [7644-3.12-405-01]', async (path, allowed) => {
    const { send, service } = createTestApp();
    for (const method of methods.filter((candidate) => !allowed.includes(candidate))) {
      const response = await send(`/scim${path}`, { method });
      expect(response.status, method).toBe(405);
      expect(allowOf(response)).toEqual(allowed);
      expect(await response.json()).toMatchObject({ status: '405' });
    }
    expect(service.calls).toEqual([]);
  });

  it('discovery documents are read-only [7643-5-02 7643-7-01]', async () => {
    const { send } = createTestApp();
    for (const path of ['/ServiceProviderConfig', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User']) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        expect((await send(`/scim${path}`, { method })).status).toBe(405);
      }
    }
  });

  it('HEAD is GET without the body', async () => {
    const { send } = createTestApp();
    const response = await send('/scim/Users/1', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe('W/"1"');
    expect(await response.text()).toBe('');
  });
});

describe('resources', () => {
  it('are reached by URL and by query [7644-3.4-01 7644-3.4.1-01]', async () => {
    const { send, service } = createTestApp();
    expect((await send('/scim/Users/1')).status).toBe(200);
    expect((await send('/scim/Users?filter=id%20eq%20%221%22')).status).toBe(200);
    expect(service.calls).toEqual([
      { method: 'read', arguments: ['User', '1', {}, {}] },
      { method: 'search', arguments: ['User', { filter: 'id eq "1"' }] },
    ]);
  });

  it('POST is 201 with Location and the representation [7644-3.3-04 7644-3.3-05 7644-3.3-06]', async () => {
    const { send, service } = createTestApp();
    const response = await send('/scim/Users', json('POST', { userName: 'a' }));
    expect(response.status).toBe(201);
    const body = await response.json();
    expect(response.headers.get('location')).toBe('https://scim.example.com/scim/Users/new');
    expect(body).toMatchObject({ id: 'new', meta: { location: response.headers.get('location') } });
    expect(service.calls).toEqual([{ method: 'create', arguments: ['User', { userName: 'a' }, {}] }]);
  });

  it('PUT is 200 with the resource, its ETag and its Location [7644-3.5.1-09]', async () => {
    const { send } = createTestApp();
    const response = await send('/scim/Users/1', json('PUT', { userName: 'a' }));
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe('W/"1"');
    expect(response.headers.get('location')).toBe('https://scim.example.com/scim/Users/1');
    expect(await response.json()).toMatchObject({ id: '1' });
  });

  it('DELETE is 204 without a body and without a type [7644-3.6-01]', async () => {
    const { send } = createTestApp();
    const response = await send('/scim/Users/1', { method: 'DELETE' });
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect(response.headers.get('content-type')).toBeNull();
  });

  it('an unknown one is 404 [7644-3.4.1-02 7644-T8-05]', async () => {
    const { send } = createTestApp();
    for (const init of [{}, json('PUT', {}), json('PATCH', {}), { method: 'DELETE' }]) {
      const response = await send('/scim/Users/missing', init);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ status: '404' });
    }
  });

  it.each([
    ['a%2Fb', 'a/b'],
    ['a%252Fb', 'a%2Fb'],
    ['zo%C3%AB', 'zoë'],
    ['a+b', 'a+b'],
    ['uid=x,ou=y', 'uid=x,ou=y'],
    ['v2', 'v2'],
    ['abc.scim', 'abc.scim'],
  ])('the id %s is decoded once, to %s [7644-3.8-05]', async (segment, id) => {
    const { send, service } = createTestApp();
    await send(`/scim/Users/${segment}`);
    expect(service.calls[0]?.arguments[1]).toBe(id);
  });

  it.each(['%', '%zz', '%C3%28', 'a%E0%A4'])('the id "%s" is a wrong percent escape: 400', async (segment) => {
    const { send, service } = createTestApp();
    const response = await send(`/scim/Users/${segment}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ scimType: 'invalidSyntax' });
    expect(service.calls).toEqual([]);
  });

  it('attributes and excludedAttributes go with every operation [7644-3.9-05 7644-3.4.1-03 7644-3.9-04]', async () => {
    const { send, service } = createTestApp();
    const query = '?attributes=userName,%20name.givenName&excludedAttributes=emails';
    const projection = { attributes: ['userName', 'name.givenName'], excludedAttributes: ['emails'] };
    await send(`/scim/Users${query}`);
    await send(`/scim/Users/1${query}`);
    await send(`/scim/Users${query}`, json('POST', {}));
    await send(`/scim/Users/1${query}`, json('PUT', {}));
    await send(`/scim/Users/1${query}`, json('PATCH', {}));
    for (const call of service.calls) expect(call.arguments).toContainEqual(projection);
    expect(service.calls).toHaveLength(5);
  });
});

describe('paths', () => {
  it.each([
    '/scim/Users',
    '/scim/v2/Users',
    '/scim/scim/Users',
    '/scim/scim/v2/Users',
    '/scim/Users/',
    '/scim/v2/Users//',
  ])('%s is the collection [7644-3.13-01 7644-3.13-04]', async (path) => {
    const { send, service } = createTestApp();
    expect((await send(path)).status).toBe(200);
    expect(service.calls).toEqual([{ method: 'search', arguments: ['User', {}] }]);
  });

  it.each(['/scim', '/scim/', '/scim/v2', '/scim/v2/', '/scim/scim/', '/scim?count=1'])(
    '%s is the root, which is queried over all types [7644-3.4.2.1-01]',
    async (path) => {
      const { send, service } = createTestApp();
      expect((await send(path)).status).toBe(200);
      expect(service.calls[0]).toMatchObject({ method: 'search', arguments: [undefined, expect.anything()] });
    },
  );

  it.each(['/scim/v1/Users', '/scim/v3/Users', '/scim/v1.1/Users', '/scim/v1'])(
    '%s names a protocol version that is not there [7644-3.13-03 7644-T9-10]',
    async (path) => {
      const { send, service } = createTestApp();
      const response = await send(path);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ scimType: 'invalidVers' });
      expect(service.calls).toEqual([]);
    },
  );

  it('a version stands right before the endpoint, nowhere else [7644-3.13-02]', async () => {
    const { send, service } = createTestApp();
    expect((await send('/scim/v2/scim/Users')).status).toBe(404);
    expect((await send('/scim/v2/v2/Users')).status).toBe(404);
    await send('/scim/Users/v2');
    expect(service.calls).toEqual([{ method: 'read', arguments: ['User', 'v2', {}, {}] }]);
  });

  it('locations have the configured form, however the path was written [7644-3.13-05]', async () => {
    const { send } = createTestApp();
    for (const path of ['/scim/Users/1', '/scim/v2/Users/1', '/scim/scim/Users/1']) {
      const response = await send(path);
      expect(response.headers.get('location')).toBe('https://scim.example.com/scim/Users/1');
    }
  });

  it("without a public URL, locations repeat the request's origin and hold no user [7644-7.1-01]", async () => {
    const service = createFakeService();
    const { app } = createTestApp({ service, publicUrl: null });
    const response = await app.request('http://scim.test:8080/scim/Users/1', {
      headers: { authorization: 'Bearer t' },
    });
    expect(response.headers.get('location')).toBe('http://scim.test:8080/scim/Users/1');
  });

  it('names are case-sensitive; a hint tells the right spelling', async () => {
    const { send } = createTestApp();
    const response = await send('/scim/users');
    expect(response.status).toBe(404);
    expect((await errorOf(response)).detail).toContain('Did you mean "/Users"?');
  });

  it.each([
    '/scim/Devices',
    '/scim/Users/1/2',
    '/scim/Users//1',
    '/scim/Bulk/1',
    '/scim/Me/1',
    '/scim/V2/Users',
    '/',
    '/other',
  ])('%s is nothing: 404 [7644-3.12-405-01 7644-T8-05]', async (path) => {
    const { send } = createTestApp();
    const response = await send(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '404',
    });
  });
});

describe('discovery', () => {
  it('answers the plural of ServiceProviderConfig too [7644-4-spc-02]', async () => {
    const { send } = createTestApp();
    const [singular, plural] = [await send('/scim/ServiceProviderConfig'), await send('/scim/ServiceProviderConfigs')];
    expect(await plural.json()).toEqual(await singular.json());
  });

  it.each([
    ['/Schemas/urn:ietf:params:scim:schemas:core:2.0:User', 'urn:ietf:params:scim:schemas:core:2.0:User'],
    ['/Schemas/urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Acore%3A2.0%3AUser', 'urn:ietf:params:scim:schemas:core:2.0:User'],
    ['/Schemas/http%3A%2F%2Fexample.com%2Fa', 'http://example.com/a'],
    ['/Schemas/http://example.com/a', 'http://example.com/a'],
  ])('%s gives the schema, raw or escaped [7644-4-sch-02]', async (path, uri) => {
    const { send } = createTestApp();
    const response = await send(`/scim${path}`);
    expect(await response.json()).toEqual({ id: uri });
  });

  it('takes no notice of paging, sorting and projection [7644-4-q-01 7643-7-01]', async () => {
    const { send, service } = createTestApp();
    for (const path of ['/Schemas', '/ResourceTypes', '/ServiceProviderConfig', '/Schemas/urn:x:y']) {
      expect((await send(`/scim${path}?count=1&startIndex=2&sortBy=id&attributes=name`)).status).toBe(200);
    }
    expect(service.calls.map((call) => call.arguments)).toEqual([[undefined], [undefined], [], ['urn:x:y']]);
  });

  it.each(['/Schemas', '/ResourceTypes', '/ServiceProviderConfig', '/Schemas/urn:x:y'])(
    '%s refuses a filter with 403 [7644-4-q-02]',
    async (path) => {
      const { send } = createTestApp();
      const response = await send(`/scim${path}?filter=name%20eq%20%22User%22`);
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ status: '403' });
    },
  );
});

describe('/Me', () => {
  const asUser = { authenticate: () => ({ caller: { id: 'jwt:1', subject: { attribute: 'userName', value: 'u1' } } }) };

  it('is 501 when the credential names no user [7644-3.11-01 7644-T8-10]', async () => {
    const { send } = createTestApp();
    for (const init of [{}, json('PUT', {}), json('PATCH', {}), { method: 'DELETE' }]) {
      const response = await send('/scim/Me', init);
      expect(response.status).toBe(501);
      expect(await response.json()).toMatchObject({ status: '501' });
    }
  });

  it("is the caller's own resource, with its permanent location [7644-3.11-03 7644-3.11-04]", async () => {
    const { send, service } = createTestApp({ gateway: asUser });
    const response = await send('/scim/Me?attributes=userName');
    expect(response.status).toBe(200);
    expect(response.headers.get('location')).toBe('https://scim.example.com/scim/Users/u1');
    await send('/scim/Me', json('PATCH', { Operations: [] }));
    await send('/scim/Me', json('PUT', { userName: 'a' }));
    await send('/scim/Me', { method: 'DELETE' });
    expect(service.calls).toEqual([
      { method: 'read', arguments: ['User', 'u1', { attributes: ['userName'] }, {}] },
      { method: 'patch', arguments: ['User', 'u1', { Operations: [] }, {}, {}] },
      { method: 'replace', arguments: ['User', 'u1', { userName: 'a' }, {}, {}] },
      { method: 'delete', arguments: ['User', 'u1', {}] },
    ]);
  });

  it('creates nobody: POST is 501 [7644-3.11-05]', async () => {
    const { send, service } = createTestApp({ gateway: asUser });
    expect((await send('/scim/Me', json('POST', { userName: 'a' }))).status).toBe(501);
    expect(service.calls).toEqual([]);
  });
});

describe('several gateways', () => {
  it('have their own address, callers and resources [7644-6-01 7644-6.1-01 7644-6.2-01]', async () => {
    const [one, two] = [createFakeService(), createFakeService()];
    const ofTwo = testGateway(two, {
      id: 'two',
      address: '/scim/two',
      authenticate: (authorization) =>
        authorization === 'Bearer two'
          ? { caller: { id: 'token:two' } }
          : { status: 401, detail: 'No.', challenge: 'Bearer realm="two"', reason: 'unknown' },
    });
    const { app, send } = createTestApp({ service: one, more: [ofTwo] });
    const asTwo = { headers: { authorization: 'Bearer two' } };
    expect((await app.request('/scim/two/Users/1', asTwo)).headers.get('location')).toBe(
      'https://scim.example.com/scim/two/Users/1',
    );
    expect((await send('/scim/two/Users/1')).status).toBe(401);
    expect((await send('/scim/Users/1')).status).toBe(200);
    expect(one.calls).toHaveLength(1);
    expect(two.calls).toHaveLength(1);
  });

  it("may answer at the server's root", async () => {
    const { send, service } = createTestApp({ gateway: { address: '' } });
    expect((await send('/v2/Users/1')).headers.get('location')).toBe('https://scim.example.com/Users/1');
    expect((await send('/health/live')).headers.get('content-type')).toBe('application/json');
    expect(service.calls).toHaveLength(1);
  });

  it('are 503 while they are switched off, so that callers try again', async () => {
    const { send, service } = createTestApp({ gateway: { enabled: () => false } });
    const response = await send('/scim/Users');
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(service.calls).toEqual([]);
  });
});

describe('health', () => {
  it('is live and ready without credentials', async () => {
    const { app } = createTestApp();
    expect(await (await app.request('/health/live')).json()).toEqual({ status: 'live' });
    const ready = await app.request('/health/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: 'ready', gateways: [] });
  });

  it('tells of backends that are down, and is ready all the same', async () => {
    const gateways = [
      {
        id: 'corp',
        enabled: true,
        adapters: [{ name: 'directory', state: 'down' as const, inFlight: 0, queued: 0, waiting: 0 }],
      },
    ];
    const { app } = createTestApp({ app: { health: () => ({ ready: true, gateways }) } });
    const response = await app.request('/health/ready');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ready', gateways });
  });

  it('is 503 when the gateway itself is not ready', async () => {
    const { app } = createTestApp({ app: { health: () => ({ ready: false, gateways: [] }) } });
    expect((await app.request('/health/ready')).status).toBe(503);
  });
});
