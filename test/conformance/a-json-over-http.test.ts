import { describe, expect, it } from 'vitest';
import {
  created,
  expectError,
  expectInvalidFilter,
  idsOf,
  list,
  newUser,
  nobody,
  patchBody,
  read,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

describe('A. JSON over HTTP', () => {
  it(
    'keeps UTF-8 as it came [7644-3.8-01]',
    inBoth(server, async (gateway) => {
      const displayName = 'Zoë 你好 😀 \u202eabc';
      const { id } = await newUser(gateway, { displayName });
      const answer = await gateway.request('GET', `/Users/${id}`);
      expect(answer.body.displayName).toBe(displayName);
    }),
  );

  it.each([
    ['application/scim+json', /^application\/scim\+json/],
    ['application/json', /^application\/(scim\+)?json/],
    ['text/html, application/scim+json;q=0.5', /^application\/scim\+json/],
    ['*/*', /^application\/scim\+json/],
    ['application/*', /^application\/scim\+json/],
    [null, /^application\/scim\+json/],
  ])('answers Accept: %s [7644-3.8-02 7644-3.8-03 7644-3.8-04]', async (accept, contentType) => {
    const answer = await server.gateway('default').request('GET', '/Users?count=1', { headers: { accept } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(contentType);
  });

  it(
    'takes ".scim" after an id for the format or for part of the id, never for another resource [7644-3.8-05]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const answer = await gateway.request('GET', `/Users/${id}.scim`);
      if (answer.status === 200) expect(answer.body.id).toBe(id);
      else expectError(answer, 404);
    }),
  );

  it('refuses an object for a multi-valued attribute (strict) [7644-3.8-06]', async () => {
    const body = user({ emails: { value: 'a@example.com' } });
    expectError(
      await server.gateway('strict').request('POST', '/Users', { body }),
      400,
      'invalidSyntax',
      'invalidValue',
    );
  });

  it('reads an object for a list of one (default, rule 15) [7644-3.8-06]', async () => {
    const resource = await newUser(server.gateway('default'), { emails: { value: 'a@example.com' } });
    expect(resource.emails).toEqual([expect.objectContaining({ value: 'a@example.com' })]);
  });

  it(
    'answers multi-valued attributes as arrays of objects [7644-3.8-06]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { emails: [{ value: 'a@example.com' }], roles: [{ value: 'r' }] });
      expect(resource).toMatchObject({ emails: [{ value: 'a@example.com' }], roles: [{ value: 'r' }] });
    }),
  );

  it(
    'refuses other media types in SCIM form [7644-3.8-07]',
    inBoth(server, async (gateway) => {
      const rawBody = `<User xmlns="urn:scim"><userName>${unique('xml')}</userName></User>`;
      const headers = { 'content-type': 'text/xml' };
      expectError(await gateway.request('POST', '/Users', { rawBody, headers }), 415);
      expectError(await gateway.request('GET', '/Users', { headers: { accept: 'text/html' } }), 406);
    }),
  );

  it.each(['application/scim+json; charset=utf-8', 'application/json', 'application/scim+json;charset=UTF-8'])(
    'takes a body of type %s [7644-8.1-01]',
    async (contentType) => {
      const headers = { 'content-type': contentType };
      created(await server.gateway('strict').request('POST', '/Users', { body: user(), headers }));
    },
  );

  it(
    'answers every body as application/scim+json [7644-8.1-01]',
    inBoth(server, async (gateway) => {
      const { id, userName } = await newUser(gateway);
      const answers = [
        await gateway.request('GET', `/Users/${id}`),
        await gateway.request('GET', '/Users?count=1'),
        await gateway.request('PUT', `/Users/${id}`, { body: { schemas: [urn.user], userName } }),
        await gateway.request('PATCH', `/Users/${id}?attributes=title`, {
          body: patchBody({ op: 'add', path: 'title', value: 'T' }),
        }),
        await gateway.request('POST', '/Users/.search', { body: { schemas: [urn.search], count: 1 } }),
        await gateway.request('GET', '/ServiceProviderConfig'),
        await gateway.request('GET', '/Schemas'),
        await gateway.request('GET', '/ResourceTypes'),
        await gateway.request('GET', `/Users/${nobody}`),
        await gateway.request('POST', '/Users', { rawBody: '{' }),
      ];
      for (const answer of answers) {
        expect(answer.text).not.toBe('');
        expect(answer.headers.get('content-type')).toMatch(/^application\/scim\+json/);
      }
    }),
  );

  it(
    'decodes the URL once [7644-1.2-01]',
    inBoth(server, async (gateway) => {
      const userName = unique('a+b%41');
      const { id } = await newUser(gateway, { userName });
      const encoded = encodeURIComponent(`userName eq "${userName}"`);
      expect((await gateway.request('GET', `/Users?filter=${encoded}`)).body.Resources?.[0]?.id).toBe(id);
    }),
  );

  it.each(['/Users?filter=%zz', '/Users/%zz', '/Users?filter=userName%20eq%20%22%C3%28%22'])(
    'refuses the malformed escape in %s [7644-1.2-01]',
    async (path) => {
      expectError(await server.gateway('default').request('GET', path), 400);
    },
  );
});

describe('A. Messages and full names', () => {
  it(
    'names each message by its registered URI [7644-3.1-01]',
    inBoth(server, async (gateway) => {
      expect((await read(gateway, '/Users', { count: 1 })).schemas).toEqual([urn.list]);
      expect((await gateway.request('GET', `/Users/${nobody}`)).body.schemas).toEqual([urn.error]);
      const body = {
        schemas: [urn.bulkRequest],
        Operations: [{ method: 'POST', path: '/Users', bulkId: 'a', data: user() }],
      };
      expect((await gateway.request('POST', '/Bulk', { body })).body.schemas).toEqual([urn.bulkResponse]);
    }),
  );

  it(
    'keeps message schemas out of /Schemas [7644-3.1-02]',
    inBoth(server, async (gateway) => {
      const listed = (await list(gateway, '/Schemas')).Resources.map(({ id }) => id);
      expect(listed.filter((id) => id.startsWith('urn:ietf:params:scim:api:'))).toEqual([]);
      expectError(await gateway.request('GET', `/Schemas/${urn.list}`), 404);
    }),
  );

  it(
    'answers a write with what a read then gives [7644-3.1-03]',
    inBoth(server, async (gateway) => {
      const answer = await newUser(gateway, {
        name: { givenName: 'G', familyName: 'F' },
        emails: [{ value: 'A@Example.COM', type: 'work', primary: true }],
        phoneNumbers: [{ value: '+1 (201) 555-0123', type: 'work' }],
      });
      expect(await readUser(gateway, answer)).toEqual(answer);
      const body = { schemas: [urn.user], userName: answer.userName, title: 'T' };
      const put = await gateway.request('PUT', `/Users/${answer.id}`, { body });
      expect(await readUser(gateway, answer)).toEqual(put.body);
    }),
  );

  it(
    'understands full names with their schema in any case [7644-3.10-01 7644-3.10-02 7644-3.10-04]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { name: { givenName: unique('given') } });
      const given = (resource.name as { givenName: string }).givenName;
      const wanted = idsOf(resource);
      for (const name of ['name.givenName', `${urn.user}:name.givenName`, `${urn.user}:NAME.GIVENNAME`]) {
        expect(await selected(gateway, `${name} eq "${given}"`), name).toEqual(wanted);
      }
      for (const name of ['userName', `${urn.user}:userName`, `${urn.user}:userName`.toUpperCase()]) {
        expect(await selected(gateway, `${name} eq "${resource.userName}"`), name).toEqual(wanted);
      }
    }),
  );

  it(
    'finds extension attributes by their full names [7644-3.10-03]',
    inBoth(server, async (gateway) => {
      const department = unique('department');
      const resource = await newUser(gateway, {
        schemas: [urn.user, urn.enterprise],
        [urn.enterprise]: { department },
      });
      expect(await selected(gateway, `${urn.enterprise}:department eq "${department}"`)).toEqual([resource.id]);
    }),
  );

  it('refuses extension attributes without their schema (strict) [7644-3.10-03]', async () => {
    await expectInvalidFilter(server.gateway('strict'), 'department eq "x"');
  });

  it('finds extension attributes by their bare names (default, rule 10) [7644-3.10-03]', async () => {
    const gateway = server.gateway('default');
    const department = unique('department');
    const resource = await newUser(gateway, { schemas: [urn.user, urn.enterprise], [urn.enterprise]: { department } });
    expect(await selected(gateway, `department eq "${department}"`)).toEqual([resource.id]);
  });
});

describe('A. Unicode', () => {
  it(
    'prepares userName before it compares: width, case and composition [7644-5-01]',
    inBoth(server, async (gateway) => {
      const mark = unique('x');
      const resource = await newUser(gateway, { userName: `Ａdam-É-${mark}` });
      const same = [`adam-é-${mark}`, `ADAM-E\u0301-${mark}`, `Ａdam-É-${mark}`];
      for (const userName of same) {
        expect(await selected(gateway, `userName eq "${userName}"`), userName).toEqual([resource.id]);
        expectError(await gateway.request('POST', '/Users', { body: user({ userName }) }), 409, 'uniqueness');
      }
      expect(await selected(gateway, `userName eq "adam-e-${mark}"`)).toEqual([]);
    }),
  );

  it(
    'compares composed and decomposed characters as equal [7644-7.8-01]',
    inBoth(server, async (gateway) => {
      const mark = unique('x');
      const resource = await newUser(gateway, { displayName: `Ren\u00e9 ${mark}` });
      expect(await selected(gateway, `displayName eq "Rene\u0301 ${mark}"`)).toEqual([resource.id]);
    }),
  );
});
