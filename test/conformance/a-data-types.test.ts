import { describe, expect, it } from 'vitest';
import { allDeclarations, declaration } from './declarations.js';
import {
  created,
  expectError,
  extension,
  group,
  memberIds,
  newGroup,
  newUser,
  nobody,
  patchedUser,
  readUser,
  selected,
  unique,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

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
      const references = (await allDeclarations(gateway)).filter(({ type }) => type === 'reference');
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
      const type = await declaration(gateway, urn.schema, 'attributes', 'type');
      const nestedType = await declaration(gateway, urn.schema, 'attributes', 'subAttributes', 'type');
      expect(type?.canonicalValues).toContain('binary');
      expect(type?.canonicalValues).toContain('complex');
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
      const complex = (await allDeclarations(gateway)).filter(({ type }) => type === 'complex');
      expect(complex.length).toBeGreaterThan(5);
      for (const attribute of complex) {
        expect(Object.keys(attribute)).not.toContain('caseExact');
        expect(Object.keys(attribute)).not.toContain('uniqueness');
      }
    }),
  );
});
