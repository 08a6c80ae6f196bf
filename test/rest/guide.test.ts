import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { authSchema } from '../../adapters/rest/auth-config.js';
import { type RestConfig, restConfigSchema } from '../../adapters/rest/config.js';
import { entitySchema } from '../../adapters/rest/entity-config.js';
import { restModule } from '../../adapters/rest/module.js';
import { searchSchema } from '../../adapters/rest/search-config.js';
import { validator } from '../../config/validator.js';
import type { EntityUse } from '../../src/backend/adapter.js';
import { environmentIn } from '../contract/contract-entities.js';
import { repositoryRoot, type TestGateway, type TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { type HttpTarget, startHttpTarget } from '../support/rest/http-target.js';
import { field, people } from './small-target.js';

const page = readFileSync(join(repositoryRoot, 'docs/backends/rest.md'), 'utf8');
const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);

/** The names of all properties, however deep. */
function keysIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  if (Array.isArray(schema)) return schema.flatMap(keysIn);
  return Object.entries(schema).flatMap(([name, value]) => [
    ...(name === 'properties' ? Object.keys(value as object) : []),
    ...(['examples', 'enum', 'required'].includes(name) ? [] : keysIn(value)),
  ]);
}

describe('docs/backends/rest.md', () => {
  it('names every key', () => {
    const keys = new Set([restConfigSchema, entitySchema, searchSchema, authSchema].flatMap(keysIn));
    for (const key of keys)
      expect(page, key).toMatch(new RegExp(`\`[^\`\n]*\\b${key}\\b[^\`\n]*\`|^\\s*(- )?\\{?.*\\b${key}:`, 'm'));
  });

  const fragments = blocks.filter((block) => block.startsWith('# '));
  it('has examples of every part', () => {
    expect(fragments.length).toBeGreaterThanOrEqual(12);
  });

  it.each(fragments)('has an example that an adapter opens with: %#', async (block) => {
    const part: unknown = parse(block);
    const entity = (more: object) => ({ people: { ...people, ...more } });
    const fields = people.fields;
    const sections: Readonly<Record<string, object>> = {
      adapter: { ...(part as object), entities: entity({}) },
      auth: { auth: part, entities: entity({}) },
      entity: { entities: entity(part as object) },
      search: { entities: entity({ search: part }) },
      field: { entities: entity({ fields: { ...fields, tags: part } }) },
    };
    const kind = /^# (\w+)/.exec(block)?.[1] ?? '';
    expect(Object.keys(sections)).toContain(kind);
    const config: unknown = { type: 'rest', baseUrl: 'https://hr.example.com', ...sections[kind] };
    const validate = validator().compile(restConfigSchema);
    expect(validate(config), JSON.stringify(validate.errors)).toBe(true);
    const declared = (config as RestConfig).entities.people?.fields ?? {};
    const uses: readonly EntityUse[] = [
      {
        entity: 'people',
        fields: Object.entries(declared).map(([name, own]) =>
          typeof own === 'object' && own.children !== undefined
            ? field(name, {
                type: 'records',
                multiple: true,
                children: Object.keys(own.children).map((child) => field(child)),
              })
            : field(name, { multiple: typeof own === 'object' && (own.item !== undefined || own.list !== undefined) }),
        ),
      },
    ];
    const adapter = await restModule.open(config as RestConfig, environmentIn('/', uses));
    await adapter.close();
  });
});

describe('the service of the guide', () => {
  let target: HttpTarget;
  let server: TestServer;
  let scim: TestGateway;
  const users = new Map<string, Record<string, unknown>>();
  const groups = new Map<string, { readonly id: string; readonly title: string; readonly members: Set<string> }>();

  beforeAll(async () => {
    process.env.HR_TOKEN = 'guide-token';
    target = await startHttpTarget((request) => {
      const json = (status: number, body: unknown, headers = {}) => ({
        status,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      if (request.headers.authorization !== 'Bearer guide-token') return json(401, {});
      const [, , , kind = '', id, , member] = request.rawPath.split('/');
      const query = new URLSearchParams(request.rawQuery);
      const body = request.body.length === 0 ? {} : JSON.parse(request.body.toString());
      const list = (all: readonly unknown[]) => json(200, { data: all }, { 'x-total-count': String(all.length) });
      if (kind === 'users') {
        if (id === undefined && request.method === 'POST') {
          const made = { ...body, id: `u${users.size}`, createdAt: '2026-01-01T00:00:00Z' };
          users.set(made.id, made);
          return json(201, made, { etag: '"1"' });
        }
        if (id === undefined) {
          const login = query.get('login');
          return list([...users.values()].filter((user) => login === null || user.login === login));
        }
        const user = users.get(id);
        if (user === undefined) return json(404, {});
        if (request.method === 'PATCH') Object.assign(user, body);
        return json(200, user, { etag: `"${JSON.stringify(user).length}"` });
      }
      const shown = [...groups.values()].map(({ members: _, ...group }) => group);
      if (id === undefined && request.method === 'POST') {
        groups.set('g0', { id: 'g0', title: body.title, members: new Set() });
        return json(201, { id: 'g0', title: body.title });
      }
      if (id === undefined)
        return list(query.has('title') ? shown.filter(({ title }) => title === query.get('title')) : shown);
      const group = groups.get(id);
      if (group === undefined) return json(404, {});
      if (member !== undefined) {
        if (request.method === 'PUT') group.members.add(member);
        else group.members.delete(member);
        return { status: 204 };
      }
      if (request.rawPath.endsWith('/members')) return list([...group.members].map((own) => ({ id: own })));
      return json(200, { id: group.id, title: group.title });
    });
    const config = blocks.find((block) => block.startsWith('version: 1')) ?? '';
    server = await startServer({ config: config.replace('https://hr.example.com/api/v2', `${target.origin}/api/v2`) });
    scim = await server.gateway();
  });
  afterAll(async () => {
    await server?.close();
    await target?.close();
    delete process.env.HR_TOKEN;
  });

  it('gets a person and a group as Entra ID sends them', async () => {
    const found = await scim.request('GET', '/Users?filter=userName%20eq%20%22ann%40example.com%22');
    expect(found.body.totalResults).toBe(0);
    const created = await scim.request('POST', '/Users', {
      body: {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: 'ann@example.com',
        active: true,
        name: { givenName: 'Ann', familyName: 'Lee' },
        emails: [{ primary: true, type: 'work', value: 'ann@example.com' }],
      },
    });
    expect(created.status).toBe(201);
    expect(users.get('u0')).toMatchObject({
      login: 'ann@example.com',
      name: { first: 'Ann', last: 'Lee' },
      contact: { email: 'ann@example.com' },
      active: true,
    });
    const patch = (operations: readonly object[]) => ({
      body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations },
    });
    const disabled = await scim.request(
      'PATCH',
      '/Users/u0',
      patch([{ op: 'Replace', path: 'active', value: 'False' }]),
    );
    expect(disabled.status).toBe(200);
    expect(users.get('u0')?.active).toBe(false);
    const group = await scim.request('POST', '/Groups', {
      body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'Staff' },
    });
    expect(group.status).toBe(201);
    const added = await scim.request(
      'PATCH',
      '/Groups/g0',
      patch([{ op: 'Add', path: 'members', value: [{ value: 'u0' }] }]),
    );
    expect(added.status).toBe(204);
    expect([...(groups.get('g0')?.members ?? [])]).toEqual(['u0']);
    const read = await scim.request('GET', '/Groups/g0');
    expect(read.body.members).toMatchObject([{ value: 'u0' }]);
  });
});
