import { describe, expect, it } from 'vitest';
import { created, expectError, group, newGroup, newUser, readUser, selected, unique, urn, user } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

describe('J. POST', () => {
  it(
    'ignores what is readOnly [7644-3.3-01]',
    inBoth(server, async (gateway) => {
      const team = await newGroup(gateway);
      const meta = { created: '1999-01-01T00:00:00Z', resourceType: 'Dog' };
      const resource = await newUser(gateway, { id: 'mine', meta, groups: [{ value: team.id }] });
      expect(resource.id).not.toBe('mine');
      expect(resource.meta).toMatchObject({ resourceType: 'User', location: `${gateway.base}/Users/${resource.id}` });
      expect(resource.meta.created).not.toBe(meta.created);
      expect(Object.keys(resource)).not.toContain('groups');
    }),
  );

  it('fills in a default that the mapping has [7644-3.3-02]', async () => {
    const gateway = server.gateway('rich');
    expect((await newUser(gateway)).active).toBe(true);
    expect((await newUser(gateway, { active: false })).active).toBe(false);
  });

  it('lets null override a default [7644-3.3-03]', async () => {
    const gateway = server.gateway('rich');
    const resource = await newUser(gateway, { active: null });
    expect(Object.keys(await readUser(gateway, resource))).not.toContain('active');
  });

  it(
    'answers 201 with the resource, and its URI in Location and meta.location [7644-3.3-04 7644-3.3-05 7644-3.3-06]',
    inBoth(server, async (gateway) => {
      const answer = await gateway.request('POST', '/Users', { body: user({ title: 'T' }) });
      expect(answer.status).toBe(201);
      const location = answer.headers.get('location') ?? '';
      expect(location).toBe(answer.body.meta.location);
      expect(new URL(location).href).toBe(location);
      const got = await gateway.request('GET', location);
      expect(got.status).toBe(200);
      expect(got.body).toEqual(answer.body);
    }),
  );

  it(
    'answers a duplicate with 409 uniqueness [7644-3.3-07]',
    inBoth(server, async (gateway) => {
      const { userName, id } = await newUser(gateway);
      const answer = await gateway.request('POST', '/Users', { body: user({ userName }) });
      expectError(answer, 409, 'uniqueness');
      expect(answer.body.detail).toContain('userName');
      expect(await selected(gateway, `userName eq "${userName}"`)).toEqual([id]);
    }),
  );

  it(
    'takes the resource type from the endpoint, not from the body [7644-3.3.1-01]',
    inBoth(server, async (gateway) => {
      expect((await newGroup(gateway, { meta: { resourceType: 'User' } })).meta.resourceType).toBe('Group');
    }),
  );

  it(
    'answers what does not fit the schema with 400 [7644-3.3-08]',
    inBoth(server, async (gateway) => {
      const post = (rawBody: string) => gateway.request('POST', '/Users', { rawBody });
      for (const rawBody of ['{', '', 'null', '[]', '"x"', '{"userName":}', '{"a":1}{"b":2}']) {
        expectError(await post(rawBody), 400, 'invalidSyntax');
      }
      for (const fields of [{ active: { a: 1 } }, { name: 'x' }, { userName: 7 }, { userName: undefined }]) {
        expectError(await post(JSON.stringify(user(fields))), 400, 'invalidValue', 'invalidSyntax');
      }
      expectError(await gateway.request('POST', '/Users', { body: group() }), 400);
    }),
  );

  it(
    'lets one of several equal creates at once succeed [7644-3.3-09]',
    inBoth(server, async (gateway) => {
      const body = user({ userName: unique('race') });
      const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.request('POST', '/Users', { body })));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 201)) expectError(answer, 409, 'uniqueness');
      const [winner] = answers.filter(({ status }) => status === 201);
      expect(await selected(gateway, `userName eq "${body.userName}"`)).toEqual([winner?.body.id]);
    }),
  );

  it(
    'takes every attribute of the schema [7644-3.3-05]',
    inBoth(server, async (gateway) => {
      const { id: bossId } = await newUser(gateway);
      const fields = fullUser(bossId);
      const resource = created(await gateway.request('POST', '/Users', { body: user(fields) }));
      expect(await readUser(gateway, resource)).toMatchObject(fields);
    }),
  );
});

/** The full enterprise user of RFC 7643 §8.3 (country by errata 5990 and 5991), with this server's ids. */
function fullUser(managerId: string): Readonly<Record<string, unknown>> {
  return {
    schemas: [urn.user, urn.enterprise],
    externalId: '701984',
    name: {
      formatted: 'Ms. Barbara J Jensen, III',
      familyName: 'Jensen',
      givenName: 'Barbara',
      middleName: 'Jane',
      honorificPrefix: 'Ms.',
      honorificSuffix: 'III',
    },
    displayName: 'Babs Jensen',
    nickName: 'Babs',
    profileUrl: 'https://login.example.com/bjensen',
    emails: [
      { value: 'bjensen@example.com', type: 'work', primary: true },
      { value: 'babs@jensen.org', type: 'home' },
    ],
    addresses: [
      {
        streetAddress: '100 Universal City Plaza',
        locality: 'Hollywood',
        region: 'CA',
        postalCode: '91608',
        country: 'US',
        formatted: '100 Universal City Plaza\nHollywood, CA 91608 US',
        type: 'work',
        primary: true,
      },
      { streetAddress: '456 Hollywood Blvd', locality: 'Hollywood', country: 'US', type: 'home' },
    ],
    phoneNumbers: [
      { value: '555-555-5555', type: 'work' },
      { value: '555-555-4444', type: 'mobile' },
    ],
    ims: [{ value: 'someaimhandle', type: 'aim' }],
    photos: [
      { value: 'https://photos.example.com/profilephoto/72930000000Ccne/F', type: 'photo' },
      { value: 'https://photos.example.com/profilephoto/72930000000Ccne/T', type: 'thumbnail' },
    ],
    userType: 'Employee',
    title: 'Tour Guide',
    preferredLanguage: 'en-US',
    locale: 'en-US',
    timezone: 'America/Los_Angeles',
    active: true,
    x509Certificates: [{ value: 'MAMCAQc=' }],
    entitlements: [{ value: 'e' }],
    roles: [{ value: 'r', display: 'R', type: 't', primary: true }],
    [urn.enterprise]: {
      employeeNumber: '701984',
      costCenter: '4130',
      organization: 'Universal Studios',
      division: 'Theme Park',
      department: 'Tour Operations',
      manager: { value: managerId },
    },
  };
}
