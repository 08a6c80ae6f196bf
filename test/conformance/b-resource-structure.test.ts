import { describe, expect, it } from 'vitest';
import {
  created,
  expectError,
  expectSuccess,
  extension,
  idsOf,
  newGroup,
  newUser,
  patch,
  patchedUser,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

describe('B. The schemas attribute', () => {
  it('refuses a resource without schemas (strict) [7643-3-01]', async () => {
    const gateway = server.gateway('strict');
    for (const schemas of [undefined, null, []]) {
      const answer = await gateway.request('POST', '/Users', { body: user({ schemas }) });
      expectError(answer, 400, 'invalidSyntax', 'invalidValue');
    }
    const { id, userName } = await newUser(gateway);
    expectError(
      await gateway.request('PUT', `/Users/${id}`, { body: { userName } }),
      400,
      'invalidSyntax',
      'invalidValue',
    );
  });

  it('takes a resource without schemas and answers with them (default, rule 9) [7643-3-01]', async () => {
    for (const schemas of [undefined, null, []]) {
      expect((await newUser(server.gateway('default'), { schemas })).schemas).toEqual([urn.user]);
    }
  });

  it('refuses schemas that the resource type does not have (strict) [7643-3-02]', async () => {
    for (const schemas of [
      [urn.user, 'urn:example:unknown'],
      [urn.user, urn.group],
      [urn.user, 7],
    ]) {
      const answer = await server.gateway('strict').request('POST', '/Users', { body: user({ schemas }) });
      expectError(answer, 400, 'invalidSyntax', 'invalidValue');
    }
  });

  it('ignores schemas that the resource type does not have, and never answers with them (default, rule 9) [7643-3-02]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway, { schemas: [urn.user, 'urn:example:unknown', urn.group] });
    expect((await readUser(gateway, resource)).schemas).toEqual([urn.user]);
  });

  it(
    'never repeats a schema [7643-3-03]',
    inBoth(server, async (gateway) => {
      const answer = await gateway.request('POST', '/Users', { body: user({ schemas: [urn.user, urn.user] }) });
      if (answer.status === 201) expect(answer.body.schemas).toEqual([urn.user]);
      else expectError(answer, 400, 'invalidSyntax', 'invalidValue');
    }),
  );

  it(
    'gives schemas no meaning by their order [7643-3-04]',
    inBoth(server, async (gateway) => {
      const fields = { schemas: [urn.enterprise, urn.user], [urn.enterprise]: { department: 'D' } };
      const resource = await readUser(gateway, await newUser(gateway, fields));
      expect([...resource.schemas].sort()).toEqual([urn.user, urn.enterprise].sort());
      expect(extension(resource, urn.enterprise)).toEqual({ department: 'D' });
    }),
  );

  it('refuses schemas without the base schema (strict) [7643-3.3-01]', async () => {
    const body = user({ schemas: [urn.enterprise], [urn.enterprise]: { department: 'D' } });
    expectError(
      await server.gateway('strict').request('POST', '/Users', { body }),
      400,
      'invalidSyntax',
      'invalidValue',
    );
  });

  it('answers with the base schema when the client left it out (default, rule 9) [7643-3.3-01]', async () => {
    const fields = { schemas: [urn.enterprise], [urn.enterprise]: { department: 'D' } };
    expect((await newUser(server.gateway('default'), fields)).schemas).toContain(urn.user);
  });
});

describe('B. Extensions', () => {
  it(
    'keeps extension attributes in an object named by their schema [7643-3.3-02]',
    inBoth(server, async (gateway) => {
      const fields = { schemas: [urn.user, urn.enterprise], [urn.enterprise]: { department: 'D' } };
      const resource = await newUser(gateway, fields);
      expect(resource[urn.enterprise]).toEqual({ department: 'D' });
      expect(Object.keys(resource)).not.toContain('department');
    }),
  );

  it('refuses extension attributes at the top level (strict) [7643-3.3-02]', async () => {
    const answer = await server.gateway('strict').request('POST', '/Users', { body: user({ department: 'D' }) });
    expectError(answer, 400, 'invalidSyntax');
  });

  it('answers extension attributes that came at the top level in their object only (default, rule 10) [7643-3.3-02]', async () => {
    const resource = await newUser(server.gateway('default'), { department: 'D' });
    expect(Object.keys(resource)).not.toContain('department');
  });

  it(
    'lists an extension exactly when it has attributes [7643-3.3-03]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { schemas: [urn.user, urn.enterprise] });
      expect(resource.schemas).toEqual([urn.user]);
      const path = `${urn.enterprise}:department`;
      const added = await patchedUser(gateway, resource, { op: 'add', path, value: 'D' });
      expect(added.schemas).toEqual([urn.user, urn.enterprise]);
      const removed = await patchedUser(gateway, resource, { op: 'remove', path });
      expect(removed.schemas).toEqual([urn.user]);
      expect(Object.keys(removed)).not.toContain(urn.enterprise);
    }),
  );

  it('refuses a resource without a required extension or its required attributes [7643-6-01]', async () => {
    const gateway = server.gateway('rich');
    const until = '2030-01-01T00:00:00Z';
    const device = (fields: object) => ({ schemas: [urn.device], label: unique('device'), ...fields });
    const warranted = { schemas: [urn.device, urn.warranty] };
    const post = (body: object) => gateway.request('POST', '/Devices', { body });
    expectError(await post(device({})), 400, 'invalidValue');
    expectError(await post(device({ ...warranted, [urn.warranty]: {} })), 400, 'invalidValue');
    expectError(await post(device({ ...warranted, [urn.warranty]: { note: 'N' } })), 400, 'invalidValue');
    const { id } = created(await post(device({ ...warranted, [urn.warranty]: { until } })));
    expectError(await gateway.request('PUT', `/Devices/${id}`, { body: device({}) }), 400, 'invalidValue');
    expectError(
      await patch(gateway, `/Devices/${id}`, { op: 'remove', path: `${urn.warranty}:until` }),
      400,
      'mutability',
    );
    expectError(await patch(gateway, `/Devices/${id}`, { op: 'remove', path: urn.warranty }), 400, 'mutability');
  });

  it(
    'takes a resource without an optional extension [7643-6-02]',
    inBoth(server, async (gateway) => {
      expect((await newUser(gateway)).schemas).toEqual([urn.user]);
    }),
  );
});

describe('B. Common attributes', () => {
  it('gives every resource its id and meta [7643-3.1-01]', async () => {
    const gateway = server.gateway('rich');
    const body = {
      schemas: [urn.device, urn.warranty],
      label: unique('device'),
      [urn.warranty]: { until: '2030-01-01T00:00:00Z' },
    };
    const device = created(await gateway.request('POST', '/Devices', { body }));
    for (const resource of [device, await newUser(gateway), await newGroup(gateway)]) {
      expect(resource.id).toMatch(/./);
      expect(resource.meta).toMatchObject({
        resourceType: expect.any(String),
        created: expect.any(String),
        lastModified: expect.any(String),
        location: expect.stringContaining(resource.id),
      });
    }
  });

  it(
    'finds every type by its common attributes [7643-3-05]',
    inBoth(server, async (gateway) => {
      const externalId = unique('ext');
      const [person, team] = [await newUser(gateway, { externalId }), await newGroup(gateway, { externalId })];
      for (const [path, resource] of [
        ['/Users', person],
        ['/Groups', team],
      ] as const) {
        expect(await selected(gateway, `id eq "${resource.id}"`, path)).toEqual(idsOf(resource));
        expect(await selected(gateway, `externalId eq "${externalId}"`, path)).toEqual(idsOf(resource));
        const since = `id eq "${resource.id}" and meta.lastModified gt "2001-01-01T00:00:00Z"`;
        expect(await selected(gateway, since, path)).toEqual(idsOf(resource));
        const before = `id eq "${resource.id}" and meta.lastModified lt "2001-01-01T00:00:00Z"`;
        expect(await selected(gateway, before, path)).toEqual([]);
      }
    }),
  );

  it('keeps the common attributes as the RFC has them, whatever a schema says of them [7643-3.1-03]', async () => {
    const gateway = server.gateway('rich');
    const body = {
      schemas: [urn.device, urn.warranty],
      id: 'mine',
      label: unique('device'),
      [urn.warranty]: { until: '2030-01-01T00:00:00Z' },
    };
    const device = created(await gateway.request('POST', '/Devices', { body }));
    expect(device.id).not.toBe('mine');
    const answer = await patch(gateway, `/Devices/${device.id}`, { op: 'replace', path: 'id', value: 'mine' });
    expectError(answer, 400, 'mutability');
    expectSuccess(await patch(gateway, `/Devices/${device.id}`, { op: 'add', path: 'externalId', value: 'x' }));
  });
});
