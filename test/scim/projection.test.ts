import { describe, expect, it } from 'vitest';
import userJson from '../../schemas/rfc7643/User.json' with { type: 'json' };
import { strictDialect, tolerantDialect } from '../../src/scim/dialect.js';
import { applyProjection, createProjection, type Projection } from '../../src/scim/projection.js';
import {
  type Attribute,
  createResourceType,
  type Resource,
  type ResourceType,
  subAttribute,
} from '../../src/scim/schema.js';
import { acmeUrn, barbara, enterpriseUrn, personType, schemaOf, userUrn } from './person-type.js';

const options = { dialect: tolerantDialect };
const including = (...attributes: readonly string[]): Projection =>
  createProjection(personType, { attributes }, options);
const excluding = (...excludedAttributes: readonly string[]): Projection =>
  createProjection(personType, { excludedAttributes }, options);
const readWith = (...attributes: readonly string[]): Resource =>
  applyProjection(barbara, including(...attributes), personType);
const readWithout = (...attributes: readonly string[]): Resource =>
  applyProjection(barbara, excluding(...attributes), personType);
const everything = applyProjection(barbara, including(), personType);
const minimum = { schemas: [userUrn], id: barbara.id };

function attribute(name: string, type: ResourceType = personType): Attribute {
  const found = type.coreAttribute(name) ?? type.extensionAttribute(name);
  if (found === undefined) throw new Error(`no attribute ${name}`);
  return found;
}

const wantsSub = (projection: Projection, name: string, sub: string, type?: ResourceType): boolean => {
  const found = subAttribute(attribute(name, type), sub);
  if (found === undefined) throw new Error(`no sub-attribute ${sub}`);
  return projection.wantsSub(attribute(name, type), found);
};

describe('createProjection: without parameters', () => {
  it('gives the default set, from one shared object', () => {
    const projection = createProjection(personType, {}, options);
    expect(projection.everything).toBe(true);
    expect(createProjection(personType, { attributes: [], excludedAttributes: [' '] }, options)).toBe(projection);
    expect(createProjection(personType, {}, { dialect: strictDialect, written: new Set(['title']) })).toBe(projection);
  });

  it('leaves out what is never returned [7644-3.4-02 7643-7-ret-02 7643-7-mut-04 7643-4.1.1-pw-01]', () => {
    const projection = including();
    expect(projection.wants(attribute('title'))).toBe(true);
    expect(projection.wants(attribute('meta'))).toBe(true);
    expect(projection.wants(attribute('password'))).toBe(false);
    expect(projection.wants(attribute('pin'))).toBe(false);
    expect(wantsSub(projection, 'desks', 'floor')).toBe(true);
    expect(wantsSub(projection, 'desks', 'code')).toBe(false);
    const leaky = {
      ...barbara,
      password: 's3cret',
      [acmeUrn]: { pin: '1', desks: [{ value: 'D', code: 'c' }, { code: 'c' }] },
    };
    const applied = applyProjection(leaky, projection, personType);
    expect(JSON.stringify(applied)).not.toMatch(/s3cret|"pin"|"code"/);
    expect(applied[acmeUrn]).toEqual({ desks: [{ value: 'D' }] });
  });

  it('does not copy long lists', () => {
    expect(everything.emails).toBe(barbara.emails);
  });
});

describe('createProjection: attributes', () => {
  it('gives the minimum and what is named [7644-3.4.2.5-01 7644-3.9-01 7644-3.9-10 7643-7-ret-01 7643-3.1-id-01]', () => {
    expect(readWith('userName')).toEqual({ ...minimum, userName: barbara.userName });
    expect(including('userName').everything).toBe(false);
  });

  it('gives meta only when named [GAP-15]', () => {
    expect(readWith('meta')).toEqual({ ...minimum, meta: barbara.meta });
    expect(readWith('meta.created')).toEqual({ ...minimum, meta: { created: '2010-01-23T04:56:22.123+02:00' } });
  });

  it('takes sub-attributes and URNs in any case [7644-3.9-04 7644-3.10-04]', () => {
    expect(readWith('NAME.givenname', `${enterpriseUrn.toUpperCase()}:DEPARTMENT`)).toEqual({
      ...minimum,
      schemas: [userUrn, enterpriseUrn],
      name: { givenName: 'Barbara' },
      [enterpriseUrn]: { department: "Tour O'Perations" },
    });
    expect(readWith(`${userUrn}:userName`, ' title ')).toEqual({ ...minimum, userName: barbara.userName });
  });

  it("takes an extension's URN alone for the extension [7644-3.9-06]", () => {
    expect(readWith(enterpriseUrn)).toEqual({
      ...minimum,
      schemas: [userUrn, enterpriseUrn],
      [enterpriseUrn]: barbara[enterpriseUrn],
    });
    expect(Object.keys(readWith(userUrn))).not.toContain('meta');
    expect(readWith(userUrn)).toMatchObject({ userName: barbara.userName, emails: barbara.emails });
  });

  it('gives a complex attribute whole or only the sub-attribute named [7644-3.9-07]', () => {
    expect(readWith('name').name).toEqual(barbara.name);
    expect(readWith('emails.value').emails).toEqual([{ value: 'bjensen@example.com' }, { value: 'babs@jensen.org' }]);
    expect(readWith('emails.value', 'emails').emails).toEqual(barbara.emails);
    expect(wantsSub(including('emails.value'), 'emails', 'type')).toBe(false);
    expect(wantsSub(including('title'), 'emails', 'value')).toBe(false);
  });

  it('ignores unknown names [7644-3.9-08]', () => {
    expect(readWith('nosuch', 'name.nosuch', 'urn:example:nosuch', 'urn:example:nosuch:a')).toEqual(minimum);
  });

  it('never gives what is returned never, even when named [7643-7-ret-02 7643-7-mut-04 7644-3.9-09]', () => {
    expect(including('password').wants(attribute('password'))).toBe(false);
    expect(wantsSub(including('desks.code'), 'desks', 'code')).toBe(false);
  });

  it('takes a name with a filter for the whole attribute', () => {
    expect(readWith('emails[type eq "work"].value')).toEqual({ ...minimum, emails: barbara.emails });
  });

  it('takes extension attributes without their URN, strictly not [7644-3.10-03]', () => {
    expect(including('department').wants(attribute('department'))).toBe(true);
    const strict = createProjection(personType, { attributes: ['department'] }, { dialect: strictDialect });
    expect(strict.wants(attribute('department'))).toBe(false);
  });
});

describe('createProjection: excludedAttributes', () => {
  it('gives the default set less what is named [7644-3.4.2.5-01 7644-3.9-02]', () => {
    const { emails: _, meta: __, ...rest } = everything;
    expect(readWithout('emails', 'META')).toEqual(rest);
  });

  it('has no effect on what is always returned [7644-3.4.2.5-02]', () => {
    expect(readWithout('id', 'schemas')).toMatchObject({ id: barbara.id, schemas: everything.schemas });
  });

  it('takes sub-attributes and extensions [7644-3.9-04 7643-3.3-03]', () => {
    expect(readWithout('name.formatted').name).toEqual({ familyName: 'Jensen', givenName: 'Barbara' });
    expect(Object.keys(readWithout(enterpriseUrn))).not.toContain(enterpriseUrn);
    expect(readWithout(enterpriseUrn).schemas).toEqual([userUrn, acmeUrn]);
    expect(Object.keys(readWithout('emails.value', 'emails.type', 'emails.primary'))).not.toContain('emails');
  });

  it('excludes nothing for an unknown name or one with a filter [7644-3.9-08]', () => {
    expect(readWithout('nosuch', 'emails[type eq "work"]')).toEqual(everything);
  });

  it('gives no empty lists and no nulls [7643-2.5-03]', () => {
    expect(Object.keys(everything)).not.toContain('phoneNumbers');
    const withNull = applyProjection({ ...barbara, title: null }, excluding('emails'), personType);
    expect(Object.keys(withNull)).not.toContain('title');
  });
});

describe('createProjection: both parameters', () => {
  it('is refused with invalidValue [7644-3.9-03 GAP-09]', () => {
    expect(() =>
      createProjection(personType, { attributes: ['title'], excludedAttributes: ['emails'] }, options),
    ).toThrow(expect.objectContaining({ status: 400, scimType: 'invalidValue' }));
  });
});

describe('createProjection: returned', () => {
  const hintUrn = 'urn:example:params:scim:schemas:extension:hint:2.0:User';
  const hintType = createResourceType({
    name: 'User',
    endpoint: '/Users',
    schema: schemaOf(userJson, 'core'),
    extensions: [
      {
        required: false,
        schema: schemaOf(
          {
            id: hintUrn,
            attributes: [
              { name: 'hint', returned: 'request' },
              { name: 'seal', returned: 'always' },
              {
                name: 'box',
                type: 'complex',
                subAttributes: [
                  { name: 'value' },
                  { name: 'note', returned: 'request' },
                  { name: 'key', returned: 'always' },
                ],
              },
            ],
          },
          'extension',
        ),
      },
    ],
  });
  const data = { hint: 'H', seal: 'S', box: { value: 'V', note: 'N', key: 'K' } };
  const resource: Resource = { id: '1', userName: 'a', [hintUrn]: data };
  const project = (request: { attributes?: string[]; excludedAttributes?: string[] }, written?: readonly string[]) =>
    applyProjection(
      resource,
      createProjection(hintType, request, {
        ...options,
        ...(written === undefined ? {} : { written: new Set(written) }),
      }),
      hintType,
    )[hintUrn];

  it('request: only when named, or sent in the write that is answered [7643-7-ret-05 7644-3.9-09]', () => {
    expect(project({})).toEqual({ seal: 'S', box: { value: 'V', key: 'K' } });
    expect(project({ attributes: [`${hintUrn}:hint`] })).toEqual({ hint: 'H', seal: 'S' });
    expect(project({ attributes: [`${hintUrn}:box.note`] })).toEqual({ seal: 'S', box: { note: 'N', key: 'K' } });
    expect(project({}, [`${hintUrn}:hint`, `${hintUrn}:box.note`])).toEqual(data);
    expect(project({ excludedAttributes: [`${hintUrn}:hint`] }, [`${hintUrn}:hint`])).toEqual({
      seal: 'S',
      box: { value: 'V', key: 'K' },
    });
    expect(project({ attributes: ['userName'] }, [`${hintUrn}:hint`])).toEqual({ seal: 'S' });
    expect(project({ attributes: [hintUrn] })).toEqual({ seal: 'S', box: { value: 'V', key: 'K' } });
  });

  it('always: whatever the parameters say [7643-7-ret-01 7644-3.4.2.5-02]', () => {
    expect(project({ attributes: ['userName'] })).toEqual({ seal: 'S' });
    expect(project({ excludedAttributes: [hintUrn] })).toEqual({ seal: 'S' });
    expect(project({ excludedAttributes: [`${hintUrn}:box.key`] })).toMatchObject({ box: { value: 'V', key: 'K' } });
  });

  it('default: unless projected away [7643-7-ret-04]', () => {
    expect(project({ excludedAttributes: [`${hintUrn}:box`] })).toEqual({ seal: 'S' });
  });
});
