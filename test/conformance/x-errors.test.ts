import { describe, expect, it } from 'vitest';
import type { Answer } from '../support/gateway.js';
import { expectError, newGroup, newUser, nobody, patch, patchBody, urn, user } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'paged', 'policy');

describe('X. Errors', () => {
  it(
    'are SCIM errors in JSON with the status as text [7644-3.12-01 7644-3.12-02 7644-3.12-03 7644-3.12-05]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const path = `/Users/${resource.id}`;
      const cases: readonly (readonly [status: number, answer: Promise<Answer>])[] = [
        [400, gateway.request('POST', '/Users', { rawBody: '{' })],
        [400, gateway.request('GET', '/Users?filter=x')],
        [401, gateway.withToken('wrong').request('GET', path)],
        [401, gateway.request('GET', path, { headers: { authorization: null } })],
        [403, gateway.request('GET', '/Schemas?filter=name%20pr')],
        [404, gateway.request('GET', `/Users/${nobody}`)],
        [404, gateway.request('GET', '/no/such/route')],
        [405, gateway.request('DELETE', '/Users')],
        [406, gateway.request('GET', path, { headers: { accept: 'text/html' } })],
        [409, gateway.request('POST', '/Users', { body: user({ userName: resource.userName }) })],
        [412, gateway.request('DELETE', path, { headers: { 'if-match': 'W/"other"' } })],
        [415, gateway.request('POST', '/Users', { rawBody: 'x', headers: { 'content-type': 'text/plain' } })],
        [501, gateway.request('GET', '/Me')],
      ];
      for (const [status, pending] of cases) {
        const answer = await pending;
        expectError(answer, status);
        expect(answer.body.status).toBe(String(status));
        if (status === 409) expect(answer.body.scimType).toBe('uniqueness');
        expect(answer.body.detail).toMatch(/\S/);
      }
    }),
  );

  it(
    'follow Table 8 [7644-3.12-04 7644-T8-02 7644-T8-03 7644-T8-05 7644-T8-06 7644-T8-07]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const path = `/Users/${resource.id}`;
      expectError(await gateway.request('POST', '/Users', { rawBody: '{"userName": "a"' }), 400, 'invalidSyntax');
      const anonymous = await gateway.request('GET', path, { headers: { authorization: null } });
      expectError(anonymous, 401);
      expect(anonymous.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
      expectError(await gateway.request('GET', `/Users/${nobody}`), 404);
      expectError(await gateway.request('GET', '/Unicorns'), 404);
      const duplicate = user({ userName: resource.userName });
      expectError(await gateway.request('POST', '/Users', { body: duplicate }), 409, 'uniqueness');
      const headers = { 'if-match': 'W/"stale"' };
      const body = patchBody({ op: 'add', path: 'title', value: 'T' });
      expectError(await gateway.request('PATCH', path, { body, headers }), 412);
    }),
  );

  it('say 413 when a body is too large [7644-T8-08]', async () => {
    const body = user({ displayName: 'x'.repeat(70_000) });
    expectError(await server.gateway('paged').request('POST', '/Users', { body }), 413);
  });

  it('say 501 to an operation that is switched off, which does nothing [7644-T8-10]', async () => {
    const gateway = server.gateway('policy');
    const resource = await newUser(gateway);
    const headers = { 'if-match': resource.meta.version };
    const answer = await gateway.request('DELETE', `/Users/${resource.id}`, { headers });
    expectError(answer, 501);
    expect((await gateway.request('GET', `/Users/${resource.id}`)).status).toBe(200);
  });

  it(
    'tell nothing of what is behind [7644-T8-09]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const answers = [
        await gateway.request('POST', '/Users', { body: user({ userName: resource.userName }) }),
        await gateway.request('GET', `/Users/${nobody}`),
        await gateway.request('GET', "/Users/'%20OR%201=1"),
        await gateway.request('GET', '/Users?filter=userName%20eq'),
        await gateway.request('POST', '/Users', { rawBody: '{"a":' }),
      ];
      for (const { text } of answers) {
        expect(text).not.toMatch(/\bat .+:\d+:\d+|sqlite|SELECT |node_modules|\/src\/|SyntaxError/i);
      }
    }),
  );
});

describe('X. Keywords of Table 9', () => {
  it(
    'invalidFilter: in GET, in .search and in the filter of a PATCH path [7644-T9-02]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      for (const filter of ['userName', 'userName zz "a"', 'active gt true', 'nosuch eq "x"']) {
        expectError(await gateway.request('GET', '/Users', { query: { filter } }), 400, 'invalidFilter');
        const body = { schemas: [urn.search], filter };
        expectError(await gateway.request('POST', '/Users/.search', { body }), 400, 'invalidFilter');
      }
      const path = 'emails[primary gt true].value';
      const answer = await patch(gateway, `/Users/${id}`, { op: 'replace', path, value: 'x' });
      expectError(answer, 400, 'invalidFilter');
    }),
  );

  it(
    'uniqueness: in POST, PUT and PATCH [7644-T9-04]',
    inBoth(server, async (gateway) => {
      const [a, b] = [await newGroup(gateway), await newGroup(gateway)];
      const body = { schemas: [urn.group], displayName: a.displayName };
      expectError(await gateway.request('POST', '/Groups', { body }), 409, 'uniqueness');
      expectError(await gateway.request('PUT', `/Groups/${b.id}`, { body }), 409, 'uniqueness');
      const rename = { op: 'replace', path: 'displayName', value: a.displayName };
      expectError(await patch(gateway, `/Groups/${b.id}`, rename), 409, 'uniqueness');
    }),
  );

  it(
    'mutability: in PATCH [7644-T9-05]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const change = { op: 'replace', path: 'meta.resourceType', value: 'Dog' };
      expectError(await patch(gateway, `/Users/${id}`, change), 400, 'mutability');
    }),
  );

  it(
    'invalidSyntax: in search, create, bulk, PUT and PATCH [7644-T9-06]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      for (const [method, path] of [
        ['POST', '/Users/.search'],
        ['POST', '/Users'],
        ['POST', '/Bulk'],
        ['PUT', `/Users/${id}`],
        ['PATCH', `/Users/${id}`],
      ] as const) {
        for (const rawBody of ['{', '[]', '"x"']) {
          expectError(await gateway.request(method, path, { rawBody }), 400, 'invalidSyntax');
        }
      }
    }),
  );

  it(
    'invalidPath, noTarget and invalidValue: in PATCH [7644-T9-07 7644-T9-08 7644-T9-09]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const change = (path: string, value: unknown) => patch(gateway, `/Users/${id}`, { op: 'replace', path, value });
      expectError(await change('name..givenName', 'x'), 400, 'invalidPath');
      expectError(await change('emails[value ew "none"].type', 'x'), 400, 'noTarget');
      expectError(await change('active', 'maybe'), 400, 'invalidValue');
      expectError(await gateway.request('POST', '/Users', { body: { schemas: [urn.user] } }), 400, 'invalidValue');
    }),
  );

  it(
    'invalidVers, or 404: another version of the protocol [7644-T9-10 7644-3.13-03]',
    inBoth(server, async (gateway) => {
      for (const version of ['v1', 'v3']) {
        const answer = await gateway.request('GET', `/${version}/Users`);
        if (answer.status === 404) expectError(answer, 404);
        else expectError(answer, 400, 'invalidVers');
      }
    }),
  );

  it('sensitive: a filter on personal data in a URL, where the gateway says so [7644-T9-11 7644-7.5.2-01]', async () => {
    const gateway = server.gateway('policy');
    const filter = 'emails.value eq "a@example.com"';
    for (const text of [filter, 'userName pr and emails[type eq "work" and value co "@"]']) {
      expectError(await gateway.request('GET', '/Users', { query: { filter: text } }), 403, 'sensitive');
    }
    const body = { schemas: [urn.search], filter };
    expect((await gateway.request('POST', '/Users/.search', { body })).status).toBe(200);
    expect((await gateway.request('GET', '/Users', { query: { filter: 'userName eq "a"' } })).status).toBe(200);
  });
});
