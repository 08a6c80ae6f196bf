import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  extension,
  memberIds,
  newGroup,
  newUser,
  patch,
  patchBody,
  patchedGroup,
  patchedUser,
  read,
  readUser,
  urn,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

describe('T. The PATCH message', () => {
  it(
    'is supported, and says so [7644-3.5-02]',
    inBoth(server, async (gateway) => {
      expect((await read(gateway, '/ServiceProviderConfig')).patch).toMatchObject({ supported: true });
      const resource = await newUser(gateway);
      expect((await patchedUser(gateway, resource, { op: 'add', path: 'title', value: 'T' })).title).toBe('T');
    }),
  );

  it(
    'names the schema of a PATCH [7644-3.5.2-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const Operations = [{ op: 'add', path: 'title', value: 'T' }];
      for (const schemas of [[urn.user], ['urn:example:patch'], 'x']) {
        const answer = await gateway.request('PATCH', `/Users/${id}`, { body: { schemas, Operations } });
        expectError(answer, 400, 'invalidSyntax');
      }
    }),
  );

  it('refuses a PATCH without its schema (strict) [7644-3.5.2-01]', async () => {
    const gateway = server.gateway('strict');
    const { id } = await newUser(gateway);
    for (const schemas of [undefined, []]) {
      const body = { schemas, Operations: [{ op: 'add', path: 'title', value: 'T' }] };
      expectError(await gateway.request('PATCH', `/Users/${id}`, { body }), 400, 'invalidSyntax');
    }
  });

  it(
    'has a list of operations [7644-3.5.2-02]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      for (const Operations of [undefined, null, {}, 'x', [7], [null], [[]]]) {
        const answer = await gateway.request('PATCH', `/Users/${id}`, { body: { schemas: [urn.patch], Operations } });
        expectError(answer, 400, 'invalidSyntax');
      }
      for (const rawBody of ['', '{', '[]', 'null']) {
        expectError(await gateway.request('PATCH', `/Users/${id}`, { rawBody }), 400, 'invalidSyntax');
      }
    }),
  );

  it('has one operation at least (strict) [7644-3.5.2-02]', async () => {
    const gateway = server.gateway('strict');
    const { id } = await newUser(gateway);
    expectError(await gateway.request('PATCH', `/Users/${id}`, { body: patchBody() }), 400, 'invalidSyntax');
  });

  it('succeeds and changes nothing without operations (default, rule 16) [7644-3.5.2-02]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway);
    expectSuccess(await gateway.request('PATCH', `/Users/${resource.id}`, { body: patchBody() }));
    expect(await readUser(gateway, resource)).toEqual(resource);
  });

  it(
    'has add, remove or replace in every operation [7644-3.5.2-03]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      for (const op of [undefined, null, 'move', '', 7, ['add']]) {
        const answer = await patch(gateway, `/Users/${id}`, { op: op as string, path: 'title', value: 'T' });
        expectError(answer, 400, 'invalidSyntax');
      }
    }),
  );

  it('takes operations in any case (default, rule 1) [7644-3.5.2-04]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway);
    expect((await patchedUser(gateway, resource, { op: 'Add', path: 'title', value: 'T' })).title).toBe('T');
    expect((await patchedUser(gateway, resource, { op: 'REPLACE', path: 'title', value: 'U' })).title).toBe('U');
    expect(Object.keys(await patchedUser(gateway, resource, { op: 'Remove', path: 'title' }))).not.toContain('title');
    const body = { Schemas: [urn.patch], operations: [{ OP: 'add', Path: 'title', VALUE: 'V' }] };
    expectSuccess(await gateway.request('PATCH', `/Users/${resource.id}`, { body }));
    expect((await readUser(gateway, resource)).title).toBe('V');
  });

  it('takes operations in lower case only (strict) [7644-3.5.2-04]', async () => {
    const gateway = server.gateway('strict');
    const { id } = await newUser(gateway);
    expectError(await patch(gateway, `/Users/${id}`, { op: 'Add', path: 'title', value: 'T' }), 400, 'invalidSyntax');
  });

  it(
    'needs a path to remove [7644-3.5.2-05]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { title: 'T' });
      expectError(await patch(gateway, `/Users/${resource.id}`, { op: 'remove' }), 400, 'noTarget');
      const withValue = { op: 'remove', value: { title: 'T' } };
      expectError(await patch(gateway, `/Users/${resource.id}`, withValue), 400, 'noTarget');
      expect(await readUser(gateway, resource)).toEqual(resource);
      expect((await patchedUser(gateway, resource, { op: 'add', value: { title: 'U' } })).title).toBe('U');
      expect((await patchedUser(gateway, resource, { op: 'replace', value: { title: 'V' } })).title).toBe('V');
    }),
  );
});

describe('T. Paths', () => {
  it(
    'name attributes, sub-attributes and elements, with their schema or without [7644-3.5.2-06]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, {
        name: { familyName: 'F', givenName: 'G' },
        addresses: [{ type: 'work', locality: 'L' }],
      });
      for (const prefix of ['', `${urn.user}:`]) {
        const mark = prefix === '' ? 'a' : 'b';
        const patched = await patchedUser(
          gateway,
          resource,
          { op: 'replace', path: `${prefix}title`, value: `T${mark}` },
          { op: 'replace', path: `${prefix}name.familyName`, value: `F${mark}` },
          { op: 'replace', path: `${prefix}addresses[type eq "work"]`, value: { region: `R${mark}` } },
          { op: 'replace', path: `${prefix}addresses[type eq "work"].locality`, value: `L${mark}` },
          { op: 'replace', path: `${urn.enterprise}:department`, value: `D${mark}` },
        );
        expect(patched).toMatchObject({
          title: `T${mark}`,
          name: { familyName: `F${mark}`, givenName: 'G' },
          addresses: [{ type: 'work', locality: `L${mark}`, region: `R${mark}` }],
          [urn.enterprise]: { department: `D${mark}` },
        });
      }
      const team = await newGroup(gateway);
      const value = [{ value: resource.id }];
      const added = await patchedGroup(gateway, team, { op: 'add', path: `${urn.group}:members`, value });
      expect(memberIds(added)).toEqual([resource.id]);
      const path = `${urn.group}:members[value eq "${resource.id}"]`;
      expect(memberIds(await patchedGroup(gateway, team, { op: 'remove', path }))).toEqual([]);
    }),
  );

  it.each([
    'emails[',
    'a..b',
    'a[b eq 1].c.d',
    'emails[0]',
    'emails[type eq]',
    'emails[]',
    '.title',
    'title.',
    'emails]',
    7,
  ])('refuse %j [7644-3.5.2-07 7644-3.5.2-09 7644-T9-07]', async (path) => {
    for (const id of ['default', 'strict'] as const) {
      const gateway = server.gateway(id);
      const resource = await newUser(gateway);
      const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'replace', path, value: 'x' });
      expectError(answer, 400, 'invalidPath', ...(String(path).includes('[') ? ['invalidFilter'] : []));
      expect(await readUser(gateway, resource)).toEqual(resource);
    }
  });

  it.each(['', ' '])('refuse %j (strict) [7644-3.5.2-07]', async (path) => {
    const gateway = server.gateway('strict');
    const { id } = await newUser(gateway);
    for (const value of ['x', { title: 'T' }]) {
      expectError(await patch(gateway, `/Users/${id}`, { op: 'replace', path, value }), 400, 'invalidPath');
    }
    expectError(await patch(gateway, `/Users/${id}`, { op: 'remove', path }), 400, 'invalidPath', 'noTarget');
  });

  it('that are empty are none at all (default, rule 8) [7644-3.5.2-07]', async () => {
    const gateway = server.gateway('default');
    const resource = await newUser(gateway);
    const empty = { op: 'replace', path: '', value: { title: 'T' } };
    expect((await patchedUser(gateway, resource, empty)).title).toBe('T');
    expectError(
      await patch(gateway, `/Users/${resource.id}`, { op: 'remove', path: '' }),
      400,
      'noTarget',
      'invalidPath',
    );
  });

  it('may select values of a simple multi-valued attribute (default) [7644-3.5.2-08]', async () => {
    const gateway = server.gateway('rich');
    const fields = { schemas: [urn.user, urn.kinds], [urn.kinds]: { tags: ['a', 'b'] } };
    const resource = await newUser(gateway, fields);
    const path = `${urn.kinds}:tags[value eq "a"]`;
    const patched = await patchedUser(gateway, resource, { op: 'remove', path });
    expect(extension(patched, urn.kinds)).toEqual({ tags: ['b'] });
  });

  it(
    'name no attribute that no schema has [7644-3.5.2-27]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      for (const path of ['nosuch', 'name.nosuch', 'urn:example:nosuch:attribute', 'emails[nosuch eq "x"].value']) {
        const answer = await patch(gateway, `/Users/${id}`, { op: 'add', path, value: 'x' });
        expectError(answer, 400, 'invalidPath', ...(path.includes('[') ? ['invalidFilter'] : []));
      }
    }),
  );

  it('an unknown attribute in a value is ignored (default, rule 9) [7644-3.5.2-27]', async () => {
    const gateway = server.gateway('default');
    const patched = await patchedUser(gateway, await newUser(gateway), {
      op: 'add',
      value: { nosuch: 'x', title: 'T' },
    });
    expect(patched.title).toBe('T');
    expect(Object.keys(patched)).not.toContain('nosuch');
  });

  it('an unknown attribute in a value is refused (strict) [7644-3.5.2-27]', async () => {
    const gateway = server.gateway('strict');
    const resource = await newUser(gateway);
    const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'add', value: { nosuch: 'x', title: 'T' } });
    expectError(answer, 400, 'invalidPath', 'invalidSyntax');
    expect(await readUser(gateway, resource)).toEqual(resource);
  });
});
