import { describe, expect, it } from 'vitest';
import { declaration } from './declarations.js';
import {
  created,
  expectError,
  type Fields,
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

const server = useServer('default', 'strict');

describe('F. userName and names', () => {
  it(
    'has its schema URI [7643-4.1-01]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      expect(resource.schemas).toEqual([urn.user]);
      expect((await readUser(gateway, resource)).schemas).toEqual([urn.user]);
    }),
  );

  it(
    'needs a userName that is not empty [7643-4.1.1-01]',
    inBoth(server, async (gateway) => {
      for (const userName of [undefined, null, '', '   ', 7]) {
        expectError(await gateway.request('POST', '/Users', { body: user({ userName }) }), 400, 'invalidValue');
      }
    }),
  );

  it(
    'has a userName that is unique without regard to case [7643-4.1.1-02]',
    inBoth(server, async (gateway) => {
      const userName = unique('bjensen');
      await newUser(gateway, { userName });
      const body = user({ userName: userName.toUpperCase() });
      expectError(await gateway.request('POST', '/Users', { body }), 409, 'uniqueness');
    }),
  );

  it(
    'gives back the name in the form it came: components, formatted or both [7643-4.1.1-03 7643-4.1.1-04]',
    inBoth(server, async (gateway) => {
      const components = { familyName: 'Jensen', givenName: 'Barbara', middleName: 'Jane', honorificPrefix: 'Ms.' };
      const forms = [components, { formatted: 'Ms. Barbara J Jensen, III' }, { ...components, formatted: 'Babs' }];
      for (const name of forms) {
        const resource = await newUser(gateway, { name });
        expect((await readUser(gateway, resource)).name).toMatchObject(name);
      }
      const resource = await newUser(gateway, { name: { ...components, formatted: 'Barbara Jensen' } });
      const patched = await patchedUser(gateway, resource, { op: 'replace', path: 'name.familyName', value: 'Smith' });
      expect(patched.name).toMatchObject({ familyName: 'Smith', givenName: 'Barbara' });
    }),
  );

  it(
    'keeps displayName and nickName apart from the login name [7643-4.1.1-05 7643-4.1.1-06]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      expect(Object.keys(resource)).not.toContain('nickName');
      const named = await newUser(gateway, { displayName: 'Babs Jensen', nickName: 'Babs' });
      expect(await readUser(gateway, named)).toMatchObject({ displayName: 'Babs Jensen', nickName: 'Babs' });
    }),
  );
});

describe('F. Simple attributes', () => {
  const refused = async (fields: Fields) => {
    const answer = await server.gateway('strict').request('POST', '/Users', { body: user(fields) });
    expectError(answer, 400, 'invalidValue');
  };
  const kept = async (id: 'default' | 'strict', fields: Fields) => {
    expect(await readUser(server.gateway(id), await newUser(server.gateway(id), fields))).toMatchObject(fields);
  };

  it('has a profileUrl that is a URL (strict) [7643-4.1.1-07]', async () => {
    await kept('strict', { profileUrl: 'https://login.example.com/bjensen' });
    await refused({ profileUrl: 'abc def' });
  });

  it('takes any profileUrl (default, rule 14) [7643-4.1.1-07]', () => kept('default', { profileUrl: 'abc def' }));

  it('takes preferredLanguage as in Accept-Language [7643-4.1.1-08]', async () => {
    for (const preferredLanguage of ['en-US', 'en-US, de;q=0.5', 'da, en-gb;q=0.8, en;q=0.7']) {
      await kept('default', { preferredLanguage });
      await kept('strict', { preferredLanguage });
    }
  });

  it('has a locale that is a language tag, also with "_" (strict) [7643-4.1.1-09]', async () => {
    for (const locale of ['en-US', 'en_US', 'zh-Hans-CN', 'de']) await kept('strict', { locale });
    await refused({ locale: 'en US' });
    await refused({ locale: 'not a locale' });
  });

  it('takes any locale (default, rule 14) [7643-4.1.1-09]', () => kept('default', { locale: 'en US' }));

  it('has a time zone of the IANA list (strict) [7643-4.1.1-10]', async () => {
    for (const timezone of ['America/Los_Angeles', 'Europe/Berlin', 'Etc/UTC']) await kept('strict', { timezone });
    await refused({ timezone: 'Nowhere/City' });
  });

  it('takes any time zone (default, rule 14) [7643-4.1.1-10]', () => kept('default', { timezone: 'Nowhere/City' }));

  it(
    'shows a user that is not active, and keeps the name taken [7643-4.1.1-11]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway, { active: true });
      const patched = await patchedUser(gateway, resource, { op: 'replace', path: 'active', value: false });
      expect(patched.active).toBe(false);
      const filter = `userName eq "${resource.userName}"`;
      expect(await selected(gateway, filter)).toEqual([resource.id]);
      expect(await selected(gateway, `${filter} and active eq false`)).toEqual([resource.id]);
      expect(await selected(gateway, `${filter} and active eq true`)).toEqual([]);
      expectError(await gateway.request('POST', '/Users', { body: user({ userName: resource.userName }) }), 409);
    }),
  );
});

describe('F. Multi-valued attributes', () => {
  it('keeps e-mail addresses as they came, checked only when strict [7643-4.1.2-01]', async () => {
    const emails = [{ value: 'bjensen@example.com', type: 'work', display: 'Babs <bjensen@example.com>' }];
    for (const id of ['default', 'strict'] as const) {
      expect((await newUser(server.gateway(id), { emails })).emails).toMatchObject(emails);
    }
    const fields = { emails: [{ value: 'no-at-sign' }] };
    expect((await newUser(server.gateway('default'), fields)).emails).toMatchObject(fields.emails);
  });

  it(
    'takes any type [7643-4.1.2-02]',
    inBoth(server, async (gateway) => {
      const emails = [{ value: 'a@example.com', type: 'billing' }];
      expect((await newUser(gateway, { emails })).emails).toMatchObject(emails);
    }),
  );

  it(
    'takes phone numbers as URIs and as text [7643-4.1.2-03]',
    inBoth(server, async (gateway) => {
      const phoneNumbers = [
        { value: 'tel:+1-201-555-0123', type: 'work' },
        { value: '555-5555', type: 'home' },
      ];
      expect((await newUser(gateway, { phoneNumbers })).phoneNumbers).toMatchObject(phoneNumbers);
    }),
  );

  it(
    'lists the types of instant messaging addresses, "other" included [7643-4.1.2-04]',
    inBoth(server, async (gateway) => {
      const type = await declaration(gateway, urn.user, 'ims', 'type');
      for (const value of ['aim', 'gtalk', 'icq', 'xmpp', 'msn', 'skype', 'qq', 'yahoo', 'other']) {
        expect(type?.canonicalValues).toContain(value);
      }
    }),
  );

  it('keeps the URI of a photo without fetching it, checked as a URI when strict [7643-4.1.2-05]', async () => {
    const photos = [{ value: 'http://127.0.0.1:1/never-fetched.jpg', type: 'photo' }];
    for (const id of ['default', 'strict'] as const) {
      expect((await newUser(server.gateway(id), { photos })).photos).toMatchObject(photos);
    }
    const body = user({ photos: [{ value: 'not a uri' }] });
    expectError(await server.gateway('strict').request('POST', '/Users', { body }), 400, 'invalidValue');
  });

  it('has a country of two letters (strict) [7643-4.1.2-07]', async () => {
    const address = (country: string) => user({ addresses: [{ type: 'work', country }] });
    created(await server.gateway('strict').request('POST', '/Users', { body: address('US') }));
    for (const country of ['USA', 'Germany', '1']) {
      const answer = await server.gateway('strict').request('POST', '/Users', { body: address(country) });
      expectError(answer, 400, 'invalidValue');
    }
  });

  it('takes any country (default, rule 14) [7643-4.1.2-07]', async () => {
    const addresses = [{ type: 'work', country: 'Germany' }];
    expect((await newUser(server.gateway('default'), { addresses })).addresses).toMatchObject(addresses);
  });

  it(
    'keeps new lines in addresses [7643-4.1.2-08]',
    inBoth(server, async (gateway) => {
      const addresses = [{ type: 'work', formatted: '100 Street\nCity, CA 91608', streetAddress: 'a\r\nb' }];
      expect((await readUser(gateway, await newUser(gateway, { addresses }))).addresses).toMatchObject(addresses);
    }),
  );

  it(
    'has groups that change through the group only [7643-4.1.2-09]',
    inBoth(server, async (gateway) => {
      const team = await newGroup(gateway);
      const groups = [{ value: team.id }];
      const resource = await newUser(gateway, { groups });
      expect(Object.keys(resource)).not.toContain('groups');
      const body = { schemas: [urn.user], userName: resource.userName, groups };
      expect((await gateway.request('PUT', `/Users/${resource.id}`, { body })).status).toBe(200);
      expect(Object.keys(await readUser(gateway, resource))).not.toContain('groups');
      const answer = await patch(gateway, `/Users/${resource.id}`, { op: 'add', path: 'groups', value: groups });
      expectError(answer, 400, 'mutability');
    }),
  );

  it(
    'shows the groups it is in, with id and URI [7643-4.1.2-10]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const team = await newGroup(gateway, { members: [{ value: resource.id }] });
      const fresh = await readUser(gateway, resource);
      expect(fresh.groups).toEqual([expect.objectContaining({ value: team.id, type: 'direct' })]);
      const url = new URL(fresh.groups?.[0]?.$ref ?? '', `${gateway.base}/Users/`).href;
      expect((await gateway.request('GET', url)).body.id).toBe(team.id);
      expect(await selected(gateway, `groups.value eq "${team.id}"`)).toEqual([resource.id]);
    }),
  );

  it(
    'declares that groups refer to groups only [7643-4.1.2-11]',
    inBoth(server, async (gateway) => {
      expect((await declaration(gateway, urn.user, 'groups', '$ref'))?.referenceTypes).toEqual(['Group']);
    }),
  );

  it(
    'calls membership of a group itself "direct", and never calls an indirect one so [7643-4.1.2-12]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const inner = await newGroup(gateway, { members: [{ value: resource.id }] });
      const outer = await newGroup(gateway, { members: [{ value: inner.id }] });
      const groups = (await readUser(gateway, resource)).groups ?? [];
      expect(groups.find(({ value }) => value === inner.id)?.type).toBe('direct');
      expect(groups.find(({ value }) => value === outer.id)?.type ?? 'indirect').toBe('indirect');
    }),
  );

  it(
    'keeps certificates as base64, one in each value [7643-4.1.2-13]',
    inBoth(server, async (gateway) => {
      const der = Buffer.from([0x30, 0x03, 0x02, 0x01, 0x07]).toString('base64');
      const resource = await newUser(gateway, { x509Certificates: [{ value: der }] });
      expect(resource.x509Certificates).toMatchObject([{ value: der }]);
      const two = user({ x509Certificates: [{ value: `${der} ${der}` }] });
      expectError(await gateway.request('POST', '/Users', { body: two }), 400, 'invalidValue');
    }),
  );

  it(
    'takes any entitlement and role [7643-4.1.2-14]',
    inBoth(server, async (gateway) => {
      const fields = { roles: [{ value: 'anything at all' }], entitlements: [{ value: 'x:y/z' }] };
      expect(await readUser(gateway, await newUser(gateway, fields))).toMatchObject(fields);
    }),
  );
});
