import { describe, expect, it } from 'vitest';
import type { Message } from '../support/gateway.js';
import type { Declaration } from './declarations.js';
import { created, expectError, list, newGroup, newUser, nobody, patch, read, unique, urn } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich', 'users_only', 'north');

interface Feature {
  readonly supported: boolean;
}
interface ServiceProviderConfig extends Omit<Message, 'filter'> {
  readonly patch: Feature;
  readonly bulk: Feature & { readonly maxOperations: number; readonly maxPayloadSize: number };
  readonly filter: Feature & { readonly maxResults: number };
  readonly changePassword: Feature;
  readonly sort: Feature;
  readonly etag: Feature;
  readonly authenticationSchemes: readonly { type: string; name: string; description: string }[];
}

async function serviceProviderConfig(gateway: Parameters<typeof read>[0]): Promise<ServiceProviderConfig> {
  return (await read(gateway, '/ServiceProviderConfig')) as unknown as ServiceProviderConfig;
}

describe('H. ServiceProviderConfig', () => {
  it(
    'is one of three documents to GET [7644-4-01 7644-4-spc-01]',
    inBoth(server, async (gateway) => {
      for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas']) await read(gateway, path);
      const config = await serviceProviderConfig(gateway);
      expect(config.schemas).toEqual([urn.serviceProviderConfig]);
      expect(Object.keys(config)).not.toContain('Resources');
    }),
  );

  it(
    'answers under the plural name too [7644-4-spc-02]',
    inBoth(server, async (gateway) => {
      const plural = await gateway.request('GET', '/ServiceProviderConfigs');
      if (plural.status === 200) expect(plural.body).toEqual(await serviceProviderConfig(gateway));
      else expectError(plural, 404);
    }),
  );

  it(
    'has every feature with the right types [7643-5-01 7643-3.1-02]',
    inBoth(server, async (gateway) => {
      const config = await serviceProviderConfig(gateway);
      for (const name of ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag'] as const) {
        expect(config[name].supported, name).toBeTypeOf('boolean');
      }
      for (const number of [config.bulk.maxOperations, config.bulk.maxPayloadSize, config.filter.maxResults]) {
        expect(Number.isInteger(number) && number > 0).toBe(true);
      }
      expect(config.authenticationSchemes.length).toBeGreaterThan(0);
    }),
  );

  it(
    'cannot be changed [7643-5-02]',
    inBoth(server, async (gateway) => {
      for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/ResourceTypes/User', '/Schemas']) {
        for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
          const options = method === 'DELETE' ? {} : { body: { schemas: [urn.serviceProviderConfig] } };
          const answer = await gateway.request(method, path, options);
          expect([405, 501], `${method} ${path}`).toContain(answer.status);
          expectError(answer, answer.status);
        }
      }
    }),
  );

  it(
    'names its ways to authenticate [7643-5-03]',
    inBoth(server, async (gateway) => {
      for (const scheme of (await serviceProviderConfig(gateway)).authenticationSchemes) {
        expect(['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest']).toContain(scheme.type);
        expect(scheme.name).toMatch(/\S/);
        expect(scheme.description).toMatch(/\S/);
      }
    }),
  );

  it('can be read without a credential where the gateway says so, so that a client learns how to get one [7643-5-04]', async () => {
    const get = (id: 'north' | 'default', path: string) =>
      server.gateway(id).request('GET', path, { headers: { authorization: null } });
    const answer = await get('north', '/ServiceProviderConfig');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(await serviceProviderConfig(server.gateway('north')));
    expectError(await get('default', '/ServiceProviderConfig'), 401);
    for (const path of ['/Schemas', '/ResourceTypes', '/Users']) expectError(await get('north', path), 401);
  });

  it(
    'has a schema that lists etag and the type of authentication schemes [7643-5-05]',
    inBoth(server, async (gateway) => {
      const schema = await read(gateway, `/Schemas/${urn.serviceProviderConfig}`);
      const attributes = schema.attributes as readonly { name: string; subAttributes?: readonly { name: string }[] }[];
      expect(attributes.map(({ name }) => name)).toEqual(expect.arrayContaining(['etag', 'bulk', 'filter', 'patch']));
      const schemes = attributes.find(({ name }) => name === 'authenticationSchemes');
      expect(schemes?.subAttributes?.map(({ name }) => name)).toContain('type');
    }),
  );

  it(
    'tells the truth about what is supported [7643-5-06 7644-3.5-02 7644-3.4.2.2-01 7644-3.4.2.3-01 7644-3.14-01 7644-3.7-01]',
    inBoth(server, async (gateway) => {
      const config = await serviceProviderConfig(gateway);
      const { id } = await newUser(gateway, { title: 'A' });
      const patched = await patch(gateway, `/Users/${id}`, { op: 'replace', path: 'title', value: 'B' });
      expect(patched.status === 200 || patched.status === 204).toBe(config.patch.supported);
      const filtered = await gateway.request('GET', '/Users', { query: { filter: `id eq "${nobody}"` } });
      expect(filtered.status === 200).toBe(config.filter.supported);
      const bulk = await gateway.request('POST', '/Bulk', { body: { schemas: [urn.bulkRequest], Operations: [] } });
      expect(bulk.status !== 501 && bulk.status !== 404).toBe(config.bulk.supported);
      const got = await gateway.request('GET', `/Users/${id}`);
      expect(got.headers.has('etag')).toBe(config.etag.supported);
      const sorted = await gateway.request('GET', '/Users', { query: { sortBy: 'userName', count: 1 } });
      expect(sorted.status === 200).toBe(config.sort.supported);
    }),
  );
});

describe('H. ResourceTypes', () => {
  it(
    'are a list, and each one by its name [7644-4-rt-01 7643-6-03 7643-6-08]',
    inBoth(server, async (gateway) => {
      const types = await list(gateway, '/ResourceTypes');
      expect(types.schemas).toEqual([urn.list]);
      expect(types.Resources.map(({ name }) => name).sort()).toEqual(['Group', 'User']);
      for (const { name } of types.Resources) {
        const type = await read(gateway, `/ResourceTypes/${name}`);
        expect(type).toMatchObject({
          schemas: [urn.resourceType],
          name,
          endpoint: `/${name}s`,
          schema: name === 'User' ? urn.user : urn.group,
          description: expect.stringMatching(/\S/),
        });
        expect((await gateway.request('GET', `${type.endpoint}?count=1`)).status).toBe(200);
      }
      expectError(await gateway.request('GET', '/ResourceTypes/Unicorn'), 404);
    }),
  );

  it(
    'name schemas that are there [7643-6-04 7643-7-04]',
    inBoth(server, async (gateway) => {
      for (const type of (await list(gateway, '/ResourceTypes')).Resources) {
        const extensions = (type.schemaExtensions ?? []) as readonly { readonly schema: string }[];
        for (const uri of [String(type.schema), ...extensions.map(({ schema }) => schema)]) {
          expect((await read(gateway, `/Schemas/${uri}`)).id).toBe(uri);
        }
      }
    }),
  );

  it(
    'have the name that resources give for their type [7643-6-05]',
    inBoth(server, async (gateway) => {
      const names = (await list(gateway, '/ResourceTypes')).Resources.map(({ name }) => name);
      expect(names).toContain((await newUser(gateway)).meta.resourceType);
      expect(names).toContain((await newGroup(gateway)).meta.resourceType);
    }),
  );

  it(
    'list extensions as an array [7643-6-06]',
    inBoth(server, async (gateway) => {
      const { schemaExtensions } = await read(gateway, '/ResourceTypes/User');
      expect(schemaExtensions).toEqual([{ schema: urn.enterprise, required: false }]);
    }),
  );

  it(
    'declare name and endpoint unique, and have one endpoint each [7643-6-07]',
    inBoth(server, async (gateway) => {
      const schema = await read(gateway, `/Schemas/${urn.resourceType}`);
      const attributes = schema.attributes as readonly { readonly name: string }[];
      for (const wanted of ['name', 'endpoint']) {
        expect(attributes.find(({ name }) => name === wanted)).toMatchObject({ uniqueness: 'server' });
      }
      const endpoints = (await list(gateway, '/ResourceTypes')).Resources.map(({ endpoint }) => endpoint);
      expect(new Set(endpoints).size).toBe(endpoints.length);
    }),
  );

  it('show a type of their own, at its name with "s" [7644-3.2-01]', async () => {
    const gateway = server.gateway('rich');
    expect(await read(gateway, '/ResourceTypes/Device')).toMatchObject({
      endpoint: '/Devices',
      schema: urn.device,
      schemaExtensions: [{ schema: urn.warranty, required: true }],
    });
    const body = {
      schemas: [urn.device, urn.warranty],
      label: unique('device'),
      [urn.warranty]: { until: '2030-01-01T00:00:00Z' },
    };
    const device = created(await gateway.request('POST', '/Devices', { body }));
    expect((await read(gateway, `/Devices/${device.id}`)).meta.resourceType).toBe('Device');
  });

  it('leave out a type that is not offered [7643-5-06 7644-3.2-02]', async () => {
    const gateway = server.gateway('users_only');
    expect((await list(gateway, '/ResourceTypes')).Resources.map(({ name }) => name)).toEqual(['User']);
    expect((await list(gateway, '/Schemas')).Resources.map(({ id }) => id)).not.toContain(urn.group);
    expectError(await gateway.request('GET', '/Groups'), 404);
    expectError(await gateway.request('GET', '/ResourceTypes/Group'), 404);
  });
});

describe('H. Schemas', () => {
  it(
    'are all listed [7644-4-sch-01]',
    inBoth(server, async (gateway) => {
      const schemas = await list(gateway, '/Schemas');
      const ids = schemas.Resources.map(({ id }) => id);
      expect(schemas.totalResults).toBe(ids.length);
      expect(ids).toEqual(expect.arrayContaining([urn.user, urn.group, urn.enterprise]));
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );

  it(
    'are found by their URI, raw and percent-encoded [7644-4-sch-02]',
    inBoth(server, async (gateway) => {
      for (const uri of [urn.user, encodeURIComponent(urn.enterprise)]) {
        expect((await read(gateway, `/Schemas/${uri}`)).id).toBe(decodeURIComponent(uri));
      }
      expectError(await gateway.request('GET', '/Schemas/urn:example:unknown'), 404);
    }),
  );

  it(
    'cannot be changed, and always show their id [7643-7-01]',
    inBoth(server, async (gateway) => {
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const answer = await gateway.request(method, `/Schemas/${urn.user}`, {
          ...(method === 'DELETE' ? {} : { body: { schemas: [urn.schema], id: urn.user } }),
        });
        expect([405, 501]).toContain(answer.status);
        expectError(answer, answer.status);
      }
      expect((await read(gateway, `/Schemas/${urn.user}`, { attributes: 'name' })).id).toBe(urn.user);
    }),
  );

  it(
    'have name, description and attributes with their characteristics [7643-7-02 7643-7-03]',
    inBoth(server, async (gateway) => {
      for (const schema of (await list(gateway, '/Schemas')).Resources) {
        expect(schema.name, schema.id).toMatch(/\S/);
        expect(schema.description, schema.id).toMatch(/\S/);
        for (const attribute of schema.attributes as readonly Declaration[]) checkDeclaration(attribute, schema.id);
      }
    }),
  );

  it(
    'have their own schema and meta [7643-8.7-01]',
    inBoth(server, async (gateway) => {
      for (const schema of (await list(gateway, '/Schemas')).Resources) {
        expect(schema).toMatchObject({
          schemas: [urn.schema],
          meta: { resourceType: 'Schema', location: `${gateway.base}/Schemas/${schema.id}` },
        });
      }
    }),
  );

  it(
    'ignore paging and sorting [7644-4-q-01]',
    inBoth(server, async (gateway) => {
      for (const path of ['/Schemas', '/ResourceTypes']) {
        const all = await list(gateway, path);
        const asked = await list(gateway, path, { count: 1, startIndex: 2, sortBy: 'id', sortOrder: 'descending' });
        expect(asked.Resources).toEqual(all.Resources);
        expect(asked.totalResults).toBe(all.totalResults);
      }
      await read(gateway, '/ServiceProviderConfig', { count: 0, startIndex: 9 });
    }),
  );

  it(
    'refuse a filter [7644-4-q-02]',
    inBoth(server, async (gateway) => {
      for (const path of ['/Schemas', '/ResourceTypes', '/ServiceProviderConfig']) {
        expectError(await gateway.request('GET', path, { query: { filter: 'name eq "User"' } }), 403);
      }
    }),
  );
});

function checkDeclaration(attribute: Declaration, where: string): void {
  const name = `${where} ${attribute.name}`;
  expect(attribute.name, name).toMatch(/^[A-Za-z$][A-Za-z0-9$_-]*$/);
  const types = ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex'];
  expect(types, name).toContain(attribute.type);
  expect(attribute.multiValued, name).toBeTypeOf('boolean');
  expect(attribute.required, name).toBeTypeOf('boolean');
  expect(['readOnly', 'readWrite', 'immutable', 'writeOnly'], name).toContain(attribute.mutability);
  expect(['always', 'never', 'default', 'request'], name).toContain(attribute.returned);
  if (attribute.type === 'complex') {
    for (const sub of attribute.subAttributes ?? []) checkDeclaration(sub, name);
    return;
  }
  expect(['none', 'server', 'global'], name).toContain(attribute.uniqueness);
  if (attribute.type === 'string') expect(attribute.caseExact, name).toBeTypeOf('boolean');
}
