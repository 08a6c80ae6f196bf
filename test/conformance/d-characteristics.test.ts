import { describe, expect, it } from 'vitest';
import { allDeclarations } from './declarations.js';
import {
  created,
  expectError,
  expectSuccess,
  extension,
  idsOf,
  list,
  newGroup,
  newUser,
  patch,
  patchBody,
  patchedUser,
  read,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');
const rich = () => server.gateway('rich');
const withKinds = (fields: object) => ({ schemas: [urn.user, urn.kinds], [urn.kinds]: fields });
const kindsOf = async (resource: { readonly id: string }) => extension(await readUser(rich(), resource), urn.kinds);

describe('D. required', () => {
  it(
    'wants a required attribute on create and replace [7643-7-req-01]',
    inBoth(server, async (gateway) => {
      expectError(await gateway.request('POST', '/Users', { body: { schemas: [urn.user] } }), 400, 'invalidValue');
      const { id } = await newUser(gateway);
      const answer = await gateway.request('PUT', `/Users/${id}`, { body: { schemas: [urn.user], title: 'T' } });
      expectError(answer, 400, 'invalidValue');
    }),
  );

  it.each(['', '  ', null, [[]]])('takes %j for no value of a required attribute [7643-1.1-01]', async (userName) => {
    for (const id of ['default', 'strict'] as const) {
      const answer = await server.gateway(id).request('POST', '/Users', { body: user({ userName }) });
      expectError(answer, 400, 'invalidValue');
    }
  });
});

describe('D. caseExact', () => {
  it(
    'is honoured by filters [7643-7-case-01]',
    inBoth(server, async (gateway) => {
      const [userName, externalId] = [unique('bjensen'), unique('abc')];
      const resource = await newUser(gateway, { userName, externalId });
      expect(await selected(gateway, `userName eq "${userName.toUpperCase()}"`)).toEqual([resource.id]);
      expect(await selected(gateway, `externalId eq "${externalId.toUpperCase()}"`)).toEqual([]);
    }),
  );

  it(
    'keeps the case of values as they came [7643-7-case-02 7643-7-case-03]',
    inBoth(server, async (gateway) => {
      const [userName, externalId] = [unique('BJensen'), unique('AbC')];
      const resource = await newUser(gateway, { userName, externalId });
      expect(await readUser(gateway, resource)).toMatchObject({ userName, externalId });
    }),
  );
});

describe('D. mutability', () => {
  it(
    'readOnly: a body is ignored, a PATCH refused [7643-7-mut-01]',
    inBoth(server, async (gateway) => {
      const team = await newGroup(gateway);
      const groups = [{ value: team.id }];
      const resource = await newUser(gateway, { id: 'mine', groups });
      expect(resource.id).not.toBe('mine');
      const body = { schemas: [urn.user], userName: resource.userName, id: 'mine', groups };
      expect((await gateway.request('PUT', `/Users/${resource.id}`, { body })).status).toBe(200);
      const fresh = await readUser(gateway, resource);
      expect(fresh.id).toBe(resource.id);
      expect(fresh.groups ?? []).toEqual([]);
      for (const [path, value] of [
        ['groups', groups],
        ['id', 'mine'],
      ] as const) {
        for (const op of ['replace', 'add']) {
          expectError(await patch(gateway, `/Users/${resource.id}`, { op, path, value }), 400, 'mutability');
        }
      }
    }),
  );

  it(
    'readWrite: may be changed at any time [7643-7-mut-02]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { title: 'A' });
      expect((await patchedUser(gateway, resource, { op: 'replace', path: 'title', value: 'B' })).title).toBe('B');
    }),
  );

  it('immutable: set once, then refused unless it is the same [7643-7-mut-03]', async () => {
    const resource = await newUser(rich(), withKinds({ badge: 'B1' }));
    const put = (badge: string) =>
      rich().request('PUT', `/Users/${resource.id}`, {
        body: { userName: resource.userName, ...withKinds({ badge }) },
      });
    expectError(await put('B2'), 400, 'mutability');
    expect((await put('B1')).status).toBe(200);
    const path = `${urn.kinds}:badge`;
    expectError(await patch(rich(), `/Users/${resource.id}`, { op: 'replace', path, value: 'B2' }), 400, 'mutability');
    expectSuccess(await patch(rich(), `/Users/${resource.id}`, { op: 'replace', path, value: 'B1' }));
    expect(await kindsOf(resource)).toEqual({ badge: 'B1' });
  });

  it('writeOnly: never given back [7643-7-mut-04 7643-7-ret-02 7643-4.1.1-pw-01]', async () => {
    const gateway = server.gateway('default');
    const password = unique('Secret!');
    const post = await gateway.request('POST', '/Users', { body: user({ password }) });
    const { id, userName } = created(post);
    const withPassword = { attributes: 'userName,password' };
    const answers = [
      post,
      await gateway.request('GET', `/Users/${id}`),
      await gateway.request('GET', `/Users/${id}`, { query: withPassword }),
      await gateway.request('GET', '/Users', { query: { filter: `id eq "${id}"`, ...withPassword } }),
      await gateway.request('PUT', `/Users/${id}`, { body: { schemas: [urn.user], userName, password } }),
      await gateway.request('PATCH', `/Users/${id}?attributes=password`, {
        body: patchBody({ op: 'replace', path: 'password', value: password }),
      }),
      await gateway.request('POST', '/Users/.search', {
        body: { schemas: [urn.search], filter: `id eq "${id}"`, attributes: ['password'] },
      }),
    ];
    for (const { status, text } of answers) {
      expect([200, 201]).toContain(status);
      expect(text).not.toContain('password');
      expect(text).not.toContain(password);
    }
    expect(server.server.log()).not.toContain(password);
  });

  it('writeOnly: not even where it is stored, or refused [7643-7-mut-04 7643-7-ret-02 7643-4.1.1-pw-01]', async () => {
    const pin = unique('pin');
    const post = await rich().request('POST', '/Users', { body: user(withKinds({ pin, bare: 'B' })) });
    const { id, userName } = created(post);
    const attributes = `${urn.kinds}:pin,${urn.kinds}:bare`;
    const answers = [
      post,
      await rich().request('GET', `/Users/${id}`),
      await rich().request('GET', `/Users/${id}`, { query: { attributes } }),
      await rich().request('GET', '/Users', { query: { filter: `id eq "${id}"`, attributes: urn.kinds } }),
      await rich().request('PUT', `/Users/${id}`, { body: { userName, ...withKinds({ pin, bare: 'C' }) } }),
      await patch(rich(), `/Users/${id}`, { op: 'replace', path: `${urn.kinds}:pin`, value: pin }),
    ];
    for (const { status, text } of answers) {
      expect([200, 201]).toContain(status);
      expect(text).not.toContain('"pin"');
      expect(text).not.toContain(pin);
    }
    const refused = await server.gateway('strict').request('POST', '/Users', { body: user({ password: pin }) });
    expect(refused.text).not.toContain(pin);
    expect(server.server.log()).not.toContain(pin);
  });
});

describe('D. returned', () => {
  it(
    'always: given whatever attributes says [7643-7-ret-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, { title: 'T' });
      expect(await read(gateway, `/Users/${id}`, { attributes: 'title' })).toMatchObject({ id, schemas: [urn.user] });
      expect(await read(gateway, `/Users/${id}`, { excludedAttributes: 'id,schemas' })).toMatchObject({ id });
    }),
  );

  it('always: an attribute of a custom schema too [7643-7-ret-01]', async () => {
    const { id } = await newUser(rich(), withKinds({ motto: 'M', bare: 'B' }));
    for (const query of [{ attributes: 'userName' }, { excludedAttributes: `${urn.kinds}:motto` }]) {
      expect(extension(await read(rich(), `/Users/${id}`, query), urn.kinds)).toMatchObject({ motto: 'M' });
    }
  });

  it('never: a filter on it never tells its value [7643-7-ret-03 7643-4.1.1-pw-06]', async () => {
    for (const gateway of [server.gateway('default'), server.gateway('strict')]) {
      const answer = await gateway.request('GET', '/Users', { query: { filter: 'password sw "a"' } });
      if (answer.status === 403) expectError(answer, 403, 'sensitive');
      else expectError(answer, 400, 'invalidFilter');
    }
  });

  it(
    'default: given unless projected away [7643-7-ret-04]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, { title: 'T', nickName: 'N' });
      expect(await readUser(gateway, { id })).toMatchObject({ title: 'T', nickName: 'N' });
      expect(Object.keys(await read(gateway, `/Users/${id}`, { attributes: 'nickName' }))).not.toContain('title');
      expect(Object.keys(await read(gateway, `/Users/${id}`, { excludedAttributes: 'title' }))).not.toContain('title');
    }),
  );

  it('request: given when named, or in the answer to the write that set it [7643-7-ret-05 7644-3.9-09]', async () => {
    const resource = await newUser(rich(), withKinds({ hint: 'H' }));
    expect(extension(resource, urn.kinds)).toEqual({ hint: 'H' });
    expect(await kindsOf(resource)).toEqual({});
    const listed = await list(rich(), '/Users', { filter: `id eq "${resource.id}"` });
    expect(Object.keys(listed.Resources[0] ?? {})).not.toContain(urn.kinds);
    const named = await read(rich(), `/Users/${resource.id}`, { attributes: `${urn.kinds}:hint,${urn.kinds}:pin` });
    expect(extension(named, urn.kinds)).toEqual({ hint: 'H' });
    const other = await newUser(rich(), withKinds({ bare: 'B' }));
    expect(extension(other, urn.kinds)).toEqual({ bare: 'B' });
  });
});

describe('D. uniqueness', () => {
  const post = (fields: object) => rich().request('POST', '/Users', { body: user(withKinds(fields)) });

  it('server: no two resources of the endpoint share the value [7643-7-uniq-01 7643-7-uniq-04]', async () => {
    const alias = unique('alias');
    created(await post({ alias }));
    expectError(await post({ alias }), 409, 'uniqueness');
    expectError(await post({ alias: alias.toUpperCase() }), 409, 'uniqueness');
  });

  it('global: at least as strict as server [7643-7-uniq-02]', async () => {
    const passport = unique('passport');
    created(await post({ passport }));
    expectError(await post({ passport }), 409, 'uniqueness');
  });

  it('follows caseExact [7643-7-uniq-04]', async () => {
    const serial = unique('serial');
    created(await post({ serial }));
    created(await post({ serial: serial.toUpperCase() }));
    expectError(await post({ serial }), 409, 'uniqueness');
  });

  it(
    'answers a duplicate with 409 in POST, PUT and PATCH [7643-7-uniq-03]',
    inBoth(server, async (gateway) => {
      const [first, second] = [await newUser(gateway), await newUser(gateway)];
      const taken = String(first.userName).toUpperCase();
      const body = { schemas: [urn.user], userName: taken };
      expectError(await gateway.request('POST', '/Users', { body }), 409, 'uniqueness');
      expectError(await gateway.request('PUT', `/Users/${second.id}`, { body }), 409, 'uniqueness');
      const renamed = await patch(gateway, `/Users/${second.id}`, { op: 'replace', path: 'userName', value: taken });
      expectError(renamed, 409, 'uniqueness');
      expect(await selected(gateway, `userName eq "${taken}"`)).toEqual(idsOf(first));
    }),
  );
});

describe('D. What schemas say of attributes', () => {
  it('limits what a reference may name [7643-7-ref-01]', async () => {
    const team = await newGroup(rich());
    const manager = { value: team.id };
    const body = user({ schemas: [urn.user, urn.enterprise], [urn.enterprise]: { manager } });
    expectError(await rich().request('POST', '/Users', { body }), 400, 'invalidValue');
    const boss = await newUser(rich());
    const accepted = user({ schemas: [urn.user, urn.enterprise], [urn.enterprise]: { manager: { value: boss.id } } });
    created(await rich().request('POST', '/Users', { body: accepted }));
  });

  it('gives referenceTypes as a list [7643-7-ref-02]', async () => {
    const references = (await allDeclarations(rich())).filter(({ type }) => type === 'reference');
    for (const { referenceTypes } of references) expect(Array.isArray(referenceTypes)).toBe(true);
  });

  it('lists the sub-attributes of complex attributes [7643-7-type-01]', async () => {
    const complex = (await allDeclarations(rich())).filter(({ type }) => type === 'complex');
    for (const { name, subAttributes } of complex) expect(subAttributes?.length, name).toBeGreaterThan(0);
  });

  it('describes every attribute [7643-7-desc-01]', async () => {
    for (const { name, description } of await allDeclarations(rich())) expect(description, name).toMatch(/\S/);
  });
});
