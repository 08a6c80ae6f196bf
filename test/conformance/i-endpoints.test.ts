import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  group,
  newGroup,
  newUser,
  nobody,
  patch,
  read,
  readUser,
  selected,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

describe('I. Endpoints and methods', () => {
  it(
    'offers every method of Table 2 for users and groups [7644-3.2-02]',
    inBoth(server, async (gateway) => {
      for (const [endpoint, resource, body] of [
        ['/Users', await newUser(gateway), user()],
        ['/Groups', await newGroup(gateway), group()],
      ] as const) {
        const path = `${endpoint}/${resource.id}`;
        expect((await gateway.request('GET', endpoint)).status).toBe(200);
        expect((await gateway.request('POST', endpoint, { body })).status).toBe(201);
        expect((await gateway.request('GET', path)).status).toBe(200);
        expectSuccess(await patch(gateway, path, { op: 'add', path: 'externalId', value: 'x' }));
        const same = await gateway.request('GET', path);
        expect((await gateway.request('PUT', path, { body: same.body })).status).toBe(200);
        expect((await gateway.request('DELETE', path)).status).toBe(204);
      }
    }),
  );

  it(
    'does not create by PUT [7644-3.2-03 7644-3.5.1-01]',
    inBoth(server, async (gateway) => {
      const body = user({ id: nobody });
      expectError(await gateway.request('PUT', `/Users/${nobody}`, { body }), 404);
      expect(await selected(gateway, `userName eq "${body.userName}"`)).toEqual([]);
    }),
  );

  it(
    'gives an error its status in HTTP and in the body [7644-3.2-04]',
    inBoth(server, async (gateway) => {
      const answers = [
        await gateway.request('GET', `/Users/${nobody}`),
        await gateway.request('POST', '/Users', { rawBody: '{' }),
        await gateway.request('DELETE', '/Users'),
        await gateway.withToken('wrong').request('GET', '/Users'),
      ];
      for (const answer of answers) expect(answer.body.status).toBe(String(answer.status));
      expect(answers.map(({ status }) => status)).toEqual([404, 400, 405, 401]);
    }),
  );

  it(
    'reaches a resource by its URL and by a query [7644-3.4-01]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      expect((await gateway.request('GET', resource.meta.location)).body).toEqual(await readUser(gateway, resource));
      expect(await selected(gateway, `userName eq "${resource.userName}"`)).toEqual([resource.id]);
    }),
  );

  it(
    'refuses other methods with 405, and unknown paths with 404 [7644-3.12-405-01]',
    inBoth(server, async (gateway) => {
      for (const [method, path] of [
        ['DELETE', '/Users'],
        ['PUT', '/Users'],
        ['PATCH', '/Groups'],
        ['GET', '/Bulk'],
      ] as const) {
        const options = method === 'DELETE' || method === 'GET' ? {} : { body: { schemas: [urn.user] } };
        const answer = await gateway.request(method, path, options);
        expectError(answer, 405);
        expect(answer.headers.get('allow'), `${method} ${path}`).toMatch(/[A-Z]/);
      }
      const { id } = await newUser(gateway);
      expectError(await gateway.request('POST', `/Users/${id}`, { body: user() }), 405);
      for (const path of ['/Unicorns', '/Users/a/b', '/users2', `/Users/${id}/title`]) {
        expectError(await gateway.request('GET', path), 404);
      }
      expect((await read(gateway, '/Users/')).schemas).toEqual([urn.list]);
    }),
  );
});
