import { describe, expect, it } from 'vitest';
import {
  created,
  expectError,
  expectInvalidFilter,
  expectSuccess,
  extension,
  group,
  idsOf,
  list,
  memberIds,
  newGroup,
  newUser,
  nobody,
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

describe('A. Resources and attribute names', () => {
  it(
    'answers every resource as a JSON object that names its schemas [7643-2.1-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      expect((await readUser(gateway, { id })).schemas).toEqual([urn.user]);
      const { id: groupId } = await newGroup(gateway);
      expect((await read(gateway, `/Groups/${groupId}`)).schemas).toEqual([urn.group]);
      const listed = await list(gateway, '/Users', { filter: `id eq "${id}"` });
      expect(listed.Resources[0]?.schemas).toEqual([urn.user]);
    }),
  );

  it(
    'takes attribute names in any case and gives back their own spelling [7643-2.1-02]',
    inBoth(server, async (gateway) => {
      const userName = unique('case');
      const body = { SCHEMAS: [urn.user], USERNAME: userName, Emails: [{ VALUE: 'a@example.com', Type: 'work' }] };
      const resource = created(await gateway.request('POST', '/Users', { body }));
      expect(await readUser(gateway, resource)).toMatchObject({
        userName,
        emails: [{ value: 'a@example.com', type: 'work' }],
      });
      expect(Object.keys(resource)).not.toContain('USERNAME');
      expect(Object.keys(resource)).not.toContain('Emails');
    }),
  );

  it.each(['1abc', 'a.b', 'a b', 'ä'])(
    'never keeps an attribute whose name is no name: %j (default, rule 9) [7643-2.1-03]',
    async (name) => {
      const gateway = server.gateway('default');
      const resource = await newUser(gateway, { [name]: 'x' });
      expect(Object.keys(await readUser(gateway, resource))).not.toContain(name);
    },
  );

  it.each(['1abc', 'a.b', 'a b', 'ä'])(
    'refuses an attribute whose name is no name: %j (strict) [7643-2.1-03]',
    async (name) => {
      const answer = await server.gateway('strict').request('POST', '/Users', { body: user({ [name]: 'x' }) });
      expectError(answer, 400, 'invalidSyntax');
    },
  );

  it(
    'refuses malformed names in filters and PATCH paths [7643-2.1-03]',
    inBoth(server, async (gateway) => {
      await expectInvalidFilter(gateway, '1abc eq "x"');
      const { id } = await newUser(gateway);
      expectError(await patch(gateway, `/Users/${id}`, { op: 'add', path: '1abc', value: 'x' }), 400, 'invalidPath');
    }),
  );

  it(
    'knows "$ref" as a name in filters and paths [7643-2.1-04]',
    inBoth(server, async (gateway) => {
      const member = await newUser(gateway);
      const resource = await newGroup(gateway, { members: [{ value: member.id }] });
      const filter = `members.$ref pr and displayName eq "${resource.displayName}"`;
      expect(await selected(gateway, filter, '/Groups')).toEqual([resource.id]);
      const path = `${urn.enterprise}:manager.$ref`;
      expectSuccess(
        await patch(gateway, `/Users/${member.id}`, { op: 'add', path, value: `${gateway.base}/Users/${member.id}` }),
      );
    }),
  );

  it('fills in the defaults of characteristics that a schema leaves out [7643-2.2-01]', async () => {
    const schema = await read(server.gateway('rich'), `/Schemas/${urn.kinds}`);
    const attributes = schema.attributes as readonly { readonly name: string }[];
    expect(attributes.find(({ name }) => name === 'bare')).toMatchObject({
      type: 'string',
      multiValued: false,
      required: false,
      caseExact: false,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'none',
    });
  });

  it(
    'refuses sub-attributes of a simple attribute [7643-1.2-01]',
    inBoth(server, async (gateway) => {
      const answer = await gateway.request('POST', '/Users', { body: user({ title: { a: 1 } }) });
      expectError(answer, 400, 'invalidValue');
    }),
  );
});

describe('A. Data types', () => {
  const kinds = (fields: object) => user({ schemas: [urn.user, urn.kinds], [urn.kinds]: fields });
  const post = (fields: object) => server.gateway('rich').request('POST', '/Users', { body: kinds(fields) });
  const kept = async (fields: object) => {
    const { id } = created(await post(fields));
    return extension(await readUser(server.gateway('rich'), { id }), urn.kinds);
  };

  it('takes values outside canonicalValues unless they are enforced [7643-2.3.1-01 7643-7-canon-01]', async () => {
    const emails = [{ value: 'a@example.com', type: 'custom' }];
    expect((await newUser(server.gateway('default'), { emails })).emails).toMatchObject(emails);
    expectError(await post({ colour: 'blue' }), 400, 'invalidValue');
    expect(await kept({ colour: 'green' })).toEqual({ colour: 'green' });
  });

  it.each(['yes', '', 1, 0, [[true]], { value: true }])('refuses %j for a boolean [7643-2.3.2-01]', async (active) => {
    const gateway = server.gateway('strict');
    expectError(await gateway.request('POST', '/Users', { body: user({ active }) }), 400, 'invalidValue');
  });

  it.each(['yes', 1, [[true]], { value: true }])(
    'refuses %j for a boolean (default, rule 2) [7643-2.3.2-01]',
    async (active) => {
      const gateway = server.gateway('default');
      expectError(await gateway.request('POST', '/Users', { body: user({ active }) }), 400, 'invalidValue');
    },
  );

  it.each([
    ['True', true],
    ['false', false],
  ])('takes the text %j for a boolean (default, rule 2) [7643-2.3.2-01]', async (active, stored) => {
    const resource = await newUser(server.gateway('default'), { active });
    expect((await readUser(server.gateway('default'), resource)).active).toBe(stored);
  });

  it.each(['True', 'false'])('refuses the text %j for a boolean (strict) [7643-2.3.2-01]', async (active) => {
    const answer = await server.gateway('strict').request('POST', '/Users', { body: user({ active }) });
    expectError(answer, 400, 'invalidValue');
  });

  it('takes a real number for a decimal, and nothing else [7643-2.3.3-01]', async () => {
    expect(await kept({ ratio: 1.5 })).toEqual({ ratio: 1.5 });
    for (const ratio of ['abc', true, [1.5]]) expectError(await post({ ratio }), 400, 'invalidValue');
  });

  it('takes a whole number for an integer, and no fraction [7643-2.3.4-01]', async () => {
    expect(await kept({ whole: -42 })).toEqual({ whole: -42 });
    expectError(await post({ whole: 1.5 }), 400, 'invalidValue');
    expectError(await post({ whole: 'x' }), 400, 'invalidValue');
  });

  it('takes no exponent for an integer [7643-2.3.4-01]', async () => {
    const rawBody = JSON.stringify(kinds({ whole: 7 })).replace('"whole":7', '"whole":1e3');
    expectError(await server.gateway('rich').request('POST', '/Users', { rawBody }), 400, 'invalidValue');
  });

  it('takes date and time for a dateTime, with fractions and any offset [7643-2.3.5-01]', async () => {
    for (const moment of [
      '2020-01-01T00:00:00Z',
      '2008-01-23T04:56:22.125Z',
      '2020-01-01T02:00:00+02:00',
      '2020-01-01T00:00:00',
    ]) {
      const stored = (await kept({ moment })).moment;
      expect(Date.parse(String(stored))).toBe(Date.parse(moment.length === 19 ? `${moment}Z` : moment));
    }
    for (const moment of [
      '2020-01-01',
      'yesterday',
      '2020-13-01T00:00:00Z',
      '2020-02-30T00:00:00Z',
      '00:00:00Z',
      1_577_836_800,
    ]) {
      expectError(await post({ moment }), 400, 'invalidValue');
    }
  });

  it('takes base64 for binary, padded or not, and not the URL alphabet [7643-2.3.6-01]', async () => {
    for (const blob of ['+/8=', '+/8', 'AQID', '']) created(await post({ blob }));
    for (const blob of ['!!', '_-8=', 'A', 7]) expectError(await post({ blob }), 400, 'invalidValue');
    const certificate = { x509Certificates: [{ value: '!!' }] };
    const answer = await server.gateway('strict').request('POST', '/Users', { body: user(certificate) });
    expectError(answer, 400, 'invalidValue');
  });

  it('compares binary values with their case [7643-2.3.6-02]', async () => {
    const gateway = server.gateway('rich');
    const blob = Buffer.from(unique('blob')).toString('base64');
    const resource = await newUser(gateway, { schemas: [urn.user, urn.kinds], [urn.kinds]: { blob } });
    expect(await selected(gateway, `${urn.kinds}:blob eq "${blob}"`)).toEqual([resource.id]);
    expect(await selected(gateway, `${urn.kinds}:blob eq "${blob.toLowerCase()}"`)).toEqual([]);
  });

  it.each(['not a uri with spaces', 'http://[', 'a<b>'])(
    'refuses %j for a reference (strict) [7643-2.3.7-01]',
    async (profileUrl) => {
      const answer = await server.gateway('strict').request('POST', '/Users', { body: user({ profileUrl }) });
      expectError(answer, 400, 'invalidValue');
    },
  );

  it('takes free text for a reference to something outside (default, rule 14) [7643-2.3.7-01]', async () => {
    const resource = await newUser(server.gateway('default'), { profileUrl: 'not a uri with spaces' });
    expect((await readUser(server.gateway('default'), resource)).profileUrl).toBe('not a uri with spaces');
  });

  it(
    'takes absolute and relative URIs for a reference [7643-2.3.7-01]',
    inBoth(server, async (gateway) => {
      for (const profileUrl of ['https://example.com/~a?b=c', 'people/a', '../a', 'urn:example:a']) {
        expect((await newUser(gateway, { profileUrl })).profileUrl).toBe(profileUrl);
      }
    }),
  );

  it(
    'resolves relative references against the base URL [7643-2.3.7-02]',
    inBoth(server, async (gateway) => {
      const member = await newUser(gateway);
      const byRelativeReference = await newGroup(gateway, {
        members: [{ value: member.id, $ref: `../Users/${member.id}` }],
      });
      expect(memberIds(byRelativeReference)).toEqual([member.id]);
      const reference = byRelativeReference.members?.[0]?.$ref ?? '';
      const url = new URL(reference, `${gateway.base}/Groups/`).href;
      expect((await gateway.request('GET', url)).body.id).toBe(member.id);
    }),
  );

  it(
    'compares references with their case [7643-2.3.7-03]',
    inBoth(server, async (gateway) => {
      const profileUrl = `https://example.com/${unique('ref')}`;
      const resource = await newUser(gateway, { profileUrl });
      expect(await selected(gateway, `profileUrl eq "${profileUrl}"`)).toEqual([resource.id]);
      expect(await selected(gateway, `profileUrl eq "${profileUrl.toUpperCase()}"`)).toEqual([]);
    }),
  );

  it(
    'declares references case-exact [7643-2.3.7-04]',
    inBoth(server, async (gateway) => {
      const references = (await allAttributes(gateway)).filter(({ type }) => type === 'reference');
      expect(references.length).toBeGreaterThan(3);
      for (const reference of references) expect(reference).toMatchObject({ caseExact: true });
    }),
  );

  it(
    'answers a GET of each reference that it gives [7643-2.3.7-05]',
    inBoth(server, async (gateway) => {
      const [member, manager] = [await newUser(gateway), await newUser(gateway)];
      await patchedUser(gateway, member, {
        op: 'add',
        path: `${urn.enterprise}:manager`,
        value: { value: manager.id },
      });
      const resource = await newGroup(gateway, { members: [{ value: member.id }] });
      const fresh = await readUser(gateway, member);
      const references = [
        resource.members?.[0]?.$ref,
        fresh.groups?.[0]?.$ref,
        (extension(fresh, urn.enterprise).manager as { $ref?: string }).$ref,
      ];
      for (const reference of references) {
        const url = new URL(String(reference), `${gateway.base}/Users/`).href;
        expect((await gateway.request('GET', url)).status).toBe(200);
      }
    }),
  );

  it('enforces referential integrity where the mapping says so [7643-2.3.7-06]', async () => {
    const body = group({ members: [{ value: nobody }] });
    expectError(await server.gateway('rich').request('POST', '/Groups', { body }), 400, 'invalidValue');
    expect(memberIds(created(await server.gateway('default').request('POST', '/Groups', { body })))).toEqual([nobody]);
  });

  it(
    'lists "binary" among the types of attributes, and no "complex" among those of sub-attributes [7643-2.3.8-02]',
    inBoth(server, async (gateway) => {
      const schema = await read(gateway, `/Schemas/${urn.schema}`);
      const attributes = (schema.attributes as readonly Declaration[]).find(({ name }) => name === 'attributes');
      const type = attributes?.subAttributes?.find(({ name }) => name === 'type');
      const nested = attributes?.subAttributes?.find(({ name }) => name === 'subAttributes');
      expect(type?.canonicalValues).toContain('binary');
      expect(type?.canonicalValues).toContain('complex');
      const nestedType = nested?.subAttributes?.find(({ name }) => name === 'type');
      expect(nestedType?.canonicalValues).toContain('binary');
      expect(nestedType?.canonicalValues).not.toContain('complex');
    }),
  );

  it(
    'gives attributes no meaning by their order [7643-2.3.8-03]',
    inBoth(server, async (gateway) => {
      const fields = { title: 'T', name: { familyName: 'F', givenName: 'G' }, active: false };
      const forwards = user(fields);
      const backwards = Object.fromEntries(Object.entries(user(fields)).reverse());
      const [a, b] = [
        created(await gateway.request('POST', '/Users', { body: forwards })),
        created(await gateway.request('POST', '/Users', { body: backwards })),
      ];
      const { id: _a, meta: _m, userName: _u, ...restA } = await readUser(gateway, a);
      const { id: _b, meta: _n, userName: _v, ...restB } = await readUser(gateway, b);
      expect(restA).toEqual(restB);
    }),
  );

  it(
    'declares no case and no uniqueness for complex attributes [7643-2.3.8-04]',
    inBoth(server, async (gateway) => {
      const complex = (await allAttributes(gateway)).filter(({ type }) => type === 'complex');
      expect(complex.length).toBeGreaterThan(5);
      for (const attribute of complex) {
        expect(Object.keys(attribute)).not.toContain('caseExact');
        expect(Object.keys(attribute)).not.toContain('uniqueness');
      }
    }),
  );
});

interface Declaration {
  readonly name: string;
  readonly type: string;
  readonly canonicalValues?: readonly string[];
  readonly subAttributes?: readonly Declaration[];
}

async function allAttributes(gateway: Parameters<typeof list>[0]): Promise<readonly Declaration[]> {
  const schemas = (await list(gateway, '/Schemas')).Resources;
  const top = schemas.flatMap(({ attributes }) => attributes as readonly Declaration[]);
  return top.flatMap(function withSubs(attribute): readonly Declaration[] {
    return [attribute, ...(attribute.subAttributes ?? []).flatMap(withSubs)];
  });
}

describe('A. No value', () => {
  it(
    'takes null and the empty array for no value [7643-2.5-01 7643-2.5-03]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { nickName: null, emails: [], title: 'T' });
      const fresh = await readUser(gateway, resource);
      expect(Object.keys(fresh)).not.toContain('nickName');
      expect(Object.keys(fresh)).not.toContain('emails');
      const only = `id eq "${resource.id}"`;
      expect(await selected(gateway, `${only} and nickName pr`)).toEqual([]);
      expect(await selected(gateway, `${only} and emails pr`)).toEqual([]);
      expect(await selected(gateway, `${only} and title pr`)).toEqual([resource.id]);
    }),
  );

  it(
    'unassigns what is set to null or the empty array [7643-2.5-02]',
    inBoth(server, async (gateway) => {
      const fields = { nickName: 'N', title: 'T', emails: [{ value: 'a@example.com', type: 'work' }] };
      const resource = await newUser(gateway, fields);
      await patchedUser(gateway, resource, { op: 'replace', path: 'nickName', value: null });
      const patched = await patchedUser(gateway, resource, { op: 'replace', path: 'emails', value: [] });
      expect(Object.keys(patched)).not.toContain('nickName');
      expect(Object.keys(patched)).not.toContain('emails');
      const body = { schemas: [urn.user], userName: resource.userName, title: null };
      expect((await gateway.request('PUT', `/Users/${resource.id}`, { body })).status).toBe(200);
      expect(Object.keys(await readUser(gateway, resource))).not.toContain('title');
    }),
  );

  it(
    'gives no nulls and no empty arrays [7643-2.5-03]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, { name: { givenName: null, familyName: 'F' }, roles: [], title: null });
      const { text } = await gateway.request('GET', `/Users/${id}`);
      expect(text).not.toMatch(/:\s*null|:\s*\[\]|:\s*\{\}/);
    }),
  );
});

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
