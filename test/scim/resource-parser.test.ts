import { describe, expect, it } from 'vitest';
import enterpriseJson from '../../schemas/rfc7643/EnterpriseUser.json' with { type: 'json' };
import userJson from '../../schemas/rfc7643/User.json' with { type: 'json' };
import { type Dialect, strictDialect, tolerantDialect } from '../../src/scim/dialect.js';
import { ScimError } from '../../src/scim/error.js';
import { missingRequired, parseResourceBody } from '../../src/scim/resource-parser.js';
import { createResourceType } from '../../src/scim/schema.js';
import { acmeUrn, enterpriseUrn, personType, schemaOf, userUrn } from './person-type.js';

const parse = (body: unknown, dialect: Dialect = tolerantDialect, enforceCanonical?: boolean) =>
  parseResourceBody(body, personType, { dialect, ...(enforceCanonical === undefined ? {} : { enforceCanonical }) });

function refusal(body: unknown, dialect: Dialect = tolerantDialect): ScimError {
  try {
    parse(body, dialect);
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const syntax = { status: 400, scimType: 'invalidSyntax' };
const value = { status: 400, scimType: 'invalidValue' };
const userName = 'bjensen';
const schemas = [userUrn];

describe.each([
  ['tolerant', tolerantDialect],
  ['strict', strictDialect],
] as const)('parseResourceBody (%s)', (_, dialect) => {
  it.each([undefined, null, 'text', 7, [], [{ userName }]])(
    'refuses the body %j with invalidSyntax [7644-3.3-08]',
    (body) => {
      expect(refusal(body, dialect)).toMatchObject(syntax);
    },
  );

  it("reads names in any case, the resource has the schema's own [7643-2.1-02]", () => {
    const body = { SCHEMAS: schemas, USERNAME: userName, Emails: [{ VALUE: 'a@b' }], Name: { familyname: 'J' } };
    expect(parse(body, dialect).resource).toEqual({ userName, emails: [{ value: 'a@b' }], name: { familyName: 'J' } });
  });

  it('refuses an attribute given twice in different case with invalidSyntax [7643-2.1-02]', () => {
    const error = refusal({ schemas, userName, USERNAME: 'other' }, dialect);
    expect(error).toMatchObject({ ...syntax, message: 'userName: is given twice.' });
    const twice = { schemas, [enterpriseUrn]: { department: 'A' }, [enterpriseUrn.toUpperCase()]: { DEPARTMENT: 'B' } };
    expect(refusal(twice, dialect)).toMatchObject(syntax);
  });

  it('gives null, [] and empty values no place and lists them as cleared [7643-2.5-01 7644-3.3-03]', () => {
    const body = {
      schemas,
      userName,
      active: null,
      emails: [],
      name: { givenName: 'A', middleName: null },
      roles: [{}],
    };
    const { resource, cleared } = parse(body, dialect);
    expect(resource).toEqual({ userName, name: { givenName: 'A' } });
    expect(cleared).toEqual(new Set(['active', 'emails', 'name.middleName', 'roles']));
  });

  it('ignores read-only attributes [7644-3.3-01 7643-3.1-id-04 7643-3.1-meta-01 7643-4.1.2-09 7643-7-mut-01]', () => {
    const body = {
      schemas,
      id: 'mine',
      meta: { created: '1999-01-01T00:00:00Z', resourceType: 7 },
      groups: [{ value: 'g' }],
      userName,
    };
    const { resource, ignored } = parse(body, dialect);
    expect(resource).toEqual({ userName });
    expect(ignored).toEqual([{ path: 'groups', why: 'read-only' }]);
    expect(parse({ schemas, userName, groups: [] }, dialect).ignored).toEqual([]);
  });

  it('puts extension data under the canonical URN, listed in schemas or not [7643-3.3-02 7643-4.3-01]', () => {
    const data = { department: 'Tour', MANAGER: { value: '26', displayName: 'J' } };
    const { resource, ignored } = parse({ schemas, userName, [enterpriseUrn.toUpperCase()]: data }, dialect);
    expect(resource).toEqual({ userName, [enterpriseUrn]: { department: 'Tour', manager: { value: '26' } } });
    expect(ignored).toEqual([{ path: `${enterpriseUrn}:manager.displayName`, why: 'read-only' }]);
  });

  it('clears a whole extension by null [7643-2.5-02]', () => {
    const { resource, cleared } = parse({ schemas, userName, [enterpriseUrn]: null }, dialect);
    expect(resource).toEqual({ userName });
    expect(cleared).toContain(`${enterpriseUrn}:department`);
    expect(cleared).toContain(`${enterpriseUrn}:manager`);
    expect(refusal({ schemas, userName, [enterpriseUrn]: 'x' }, dialect)).toMatchObject(value);
  });

  it('names the attribute in an error by its full path [7644-3.3-08]', () => {
    expect(refusal({ schemas, userName, [acmeUrn]: { level: 1.5 } }, dialect)).toMatchObject({
      ...value,
      message: `${acmeUrn}:level: must be an integer.`,
    });
  });

  it('does not ask for required attributes, since defaults may supply them', () => {
    expect(parse({ schemas, title: 'T' }, dialect).resource).toEqual({ title: 'T' });
  });

  it('gives schemas no meaning by their order [7643-3-04]', () => {
    const body = { schemas: [enterpriseUrn, userUrn], userName, [enterpriseUrn]: { department: 'D' } };
    expect(parse(body, dialect).resource).toEqual({ userName, [enterpriseUrn]: { department: 'D' } });
  });

  it('takes any URN of the type in any case in schemas [7644-3.10-04]', () => {
    expect(parse({ schemas: [userUrn.toUpperCase()], userName }, dialect).resource).toEqual({ userName });
  });

  it('enforces canonical values when asked [7643-2.3.1-01]', () => {
    const body = { schemas, userName, emails: [{ value: 'a@b', type: 'custom' }] };
    expect(parse(body, dialect).resource).toMatchObject({ emails: [{ type: 'custom' }] });
    expect(() => parse(body, dialect, true)).toThrow(expect.objectContaining(value));
  });
});

describe('parseResourceBody: schemas', () => {
  it.each([
    ['missing', undefined, 'schemas: must be a list'],
    ['null', null, 'schemas: must be a list'],
    ['text', userUrn, 'schemas: must be a list'],
    ['a list of numbers', [7], 'schemas: must be a list'],
    ['empty', [], `schemas: "${userUrn}" is missing.`],
  ])('%s: refused strictly, else accepted [7643-3-01]', (_, sent, words) => {
    const body = { userName, ...(sent === undefined ? {} : { schemas: sent }) };
    const error = refusal(body, strictDialect);
    expect(error).toMatchObject(syntax);
    expect(error.message).toContain(words);
    expect(parse(body).resource).toEqual({ userName });
  });

  it('unknown: refused strictly, else ignored [7643-3-02]', () => {
    const body = {
      schemas: [userUrn, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User'],
      userName,
    };
    expect(refusal(body, strictDialect)).toMatchObject(syntax);
    expect(parse(body)).toEqual({ resource: { userName }, cleared: new Set(), ignored: [] });
  });

  it('twice the same: refused strictly, else once [7643-3-03]', () => {
    const body = { schemas: [userUrn, userUrn], userName };
    expect(refusal(body, strictDialect)).toMatchObject(syntax);
    expect(parse(body).resource).toEqual({ userName });
  });

  it('without the base schema: refused strictly, else accepted [7643-3.3-01]', () => {
    const body = { schemas: [enterpriseUrn], userName };
    expect(refusal(body, strictDialect)).toMatchObject({ ...syntax, message: `schemas: "${userUrn}" is missing.` });
    expect(parse(body).resource).toEqual({ userName });
  });
});

describe('parseResourceBody: names beyond the RFC', () => {
  it('unknown attributes: ignored and reported, strictly refused [GAP-17 7643-2.1-03]', () => {
    const body = { schemas, userName, nosuch: 1, '1abc': 2, 'a.b': 3, [enterpriseUrn]: { grade: 'x' } };
    const { resource, ignored } = parse(body);
    expect(resource).toEqual({ userName });
    expect(new Set(ignored.map(({ why }) => why))).toEqual(new Set(['in no schema']));
    expect(ignored.map(({ path }) => path).sort()).toEqual(['1abc', 'a.b', 'nosuch', `${enterpriseUrn}:grade`].sort());
    for (const unknown of [{ nosuch: 1 }, { '1abc': 2 }, { 'a.b': 3 }, { [enterpriseUrn]: { grade: 'x' } }]) {
      expect(refusal({ schemas, userName, ...unknown }, strictDialect)).toMatchObject(syntax);
    }
  });

  it('extension attributes without their URN: read, strictly refused [7643-3.3-02]', () => {
    const body = { schemas, userName, department: 'D', manager: '26' };
    expect(parse(body).resource).toEqual({ userName, [enterpriseUrn]: { department: 'D', manager: { value: '26' } } });
    expect(refusal(body, strictDialect)).toMatchObject(syntax);
  });

  it('flat keys of URN and attribute: read, strictly refused', () => {
    const body = { schemas, userName, [`${enterpriseUrn}:department`]: 'D', [`${userUrn}:TITLE`]: 'T' };
    expect(parse(body).resource).toEqual({ userName, title: 'T', [enterpriseUrn]: { department: 'D' } });
    expect(refusal(body, strictDialect)).toMatchObject(syntax);
  });

  it('an attribute of the core schema is never taken for one of an extension', () => {
    const type = createResourceType({
      name: 'User',
      endpoint: '/Users',
      schema: schemaOf(userJson, 'core'),
      extensions: [
        { schema: schemaOf({ id: 'urn:example:x', attributes: [{ name: 'title' }] }, 'extension'), required: false },
      ],
    });
    expect(parseResourceBody({ title: 'T' }, type, { dialect: tolerantDialect }).resource).toEqual({ title: 'T' });
  });

  it('reads what OneLogin sends: no id, text for active, an object for emails, SCIM 1.1 managerId', () => {
    const body = {
      [enterpriseUrn]: { department: 'Legal', manager: { managerId: '1', displayName: 'Ole' } },
      active: 'true',
      emails: { value: 'eve@example.com', type: 'work', primary: 'True' },
      userName: 'eve',
      id: null,
      schemas,
    };
    const { resource, ignored } = parse(body);
    expect(resource).toEqual({
      [enterpriseUrn]: { department: 'Legal' },
      active: true,
      emails: [{ value: 'eve@example.com', type: 'work', primary: true }],
      userName: 'eve',
    });
    expect(ignored.map(({ path }) => path)).toEqual([
      `${enterpriseUrn}:manager.managerId`,
      `${enterpriseUrn}:manager.displayName`,
    ]);
  });

  it('is not misled by names of object prototypes', () => {
    const hostile: unknown = JSON.parse(
      `{"userName": "a", "__proto__": {"active": true}, "constructor": {}, "toString": 1}`,
    );
    const { resource, ignored } = parse(hostile);
    expect(Object.keys(resource)).toEqual(['userName']);
    expect(resource.active).toBeUndefined();
    expect(ignored.map(({ path }) => path)).toEqual(['__proto__', 'constructor', 'toString']);
  });

  it('cuts long unknown names in reports', () => {
    const [first] = parse({ userName, ['x'.repeat(10_000)]: 1 }).ignored;
    expect(first?.path.length).toBeLessThan(200);
  });
});

describe('missingRequired', () => {
  const warrantyUrn = 'urn:example:params:scim:schemas:extension:warranty:2.0:User';
  const strictType = createResourceType({
    name: 'User',
    endpoint: '/Users',
    schema: schemaOf(
      {
        id: 'urn:example:params:scim:schemas:core:2.0:Account',
        attributes: [
          { name: 'login', required: true },
          { name: 'serial', required: true, mutability: 'readOnly' },
          {
            name: 'seats',
            type: 'complex',
            multiValued: true,
            subAttributes: [{ name: 'number', required: true }, { name: 'row' }],
          },
          { name: 'owner', type: 'complex', subAttributes: [{ name: 'value', required: true }, { name: 'note' }] },
          { name: 'flag', type: 'boolean', required: true },
        ],
      },
      'core',
    ),
    extensions: [
      {
        schema: schemaOf(
          { id: warrantyUrn, attributes: [{ name: 'until', required: true }, { name: 'note' }] },
          'extension',
        ),
        required: true,
      },
      { schema: schemaOf(enterpriseJson, 'extension'), required: false },
    ],
  });
  const complete = { login: 'a', flag: false, [warrantyUrn]: { until: 'x' } };

  it('finds nothing in a complete resource', () => {
    expect(missingRequired(complete, strictType)).toEqual([]);
    expect(missingRequired({ userName }, personType)).toEqual([]);
  });

  it.each([{}, { userName: '' }, { userName: '  ' }])(
    'finds userName missing in %j [7643-7-req-01 7643-1.1-01 7643-4.1.1-01]',
    (resource) => {
      expect(missingRequired(resource, personType)).toEqual(['userName']);
    },
  );

  it('looks into complex values that are there', () => {
    const resource = { ...complete, seats: [{ number: '1' }, { row: 'A' }, { row: 'B' }], owner: { note: 'n' } };
    expect(missingRequired(resource, strictType)).toEqual(['seats.number', 'owner.value']);
  });

  it('asks for required extensions and for required attributes of those that are there [7643-6-01 7643-6-02]', () => {
    expect(missingRequired({ login: 'a', flag: true }, strictType)).toEqual([warrantyUrn]);
    expect(missingRequired({ login: 'a', flag: true, [warrantyUrn]: { note: 'n' } }, strictType)).toEqual([
      `${warrantyUrn}:until`,
    ]);
  });
});
