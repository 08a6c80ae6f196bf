import enterpriseJson from '../../schemas/rfc7643/EnterpriseUser.json' with { type: 'json' };
import userJson from '../../schemas/rfc7643/User.json' with { type: 'json' };
import {
  createResourceType,
  parseSchema,
  type Resource,
  type ResourceType,
  type Schema,
} from '../../src/scim/schema.js';

export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const acmeUrn = 'urn:example:params:scim:schemas:extension:acme:2.1:Person';

/** An extension with an attribute of every type. */
export const acmeJson = {
  id: acmeUrn,
  name: 'Person',
  attributes: [
    { name: 'badge', caseExact: true },
    { name: 'level', type: 'integer' },
    { name: 'rate', type: 'decimal' },
    { name: 'hired', type: 'dateTime' },
    { name: 'key', type: 'binary' },
    { name: 'homepage', type: 'reference', referenceTypes: ['external'] },
    { name: 'remote', type: 'boolean' },
    { name: 'nicknames', multiValued: true },
    { name: 'scores', type: 'integer', multiValued: true },
    { name: 'pin', returned: 'never' },
    { name: '$mark' },
    {
      name: 'desks',
      type: 'complex',
      multiValued: true,
      subAttributes: [
        { name: 'value' },
        { name: 'floor', type: 'integer' },
        { name: 'primary', type: 'boolean' },
        { name: 'code', returned: 'never' },
        { name: '$ref', type: 'reference' },
      ],
    },
  ],
} as const;

export function schemaOf(json: unknown, role: 'core' | 'extension'): Schema {
  const { schema, problems } = parseSchema(json, role);
  if (schema === undefined) throw new Error(problems.map((problem) => problem.message).join('\n'));
  return schema;
}

/** The User of RFC 7643 §4.1 with the enterprise extension (§4.3) and the one above. */
export const personType: ResourceType = createResourceType({
  name: 'User',
  endpoint: '/Users',
  schema: schemaOf(userJson, 'core'),
  extensions: [
    { schema: schemaOf(enterpriseJson, 'extension'), required: false },
    { schema: schemaOf(acmeJson, 'extension'), required: false },
  ],
});

/** Barbara Jensen, after the full example of RFC 7643 §8.3. */
export const barbara: Resource = {
  schemas: [userUrn, enterpriseUrn],
  id: '2819c223-7f76-453a-919d-413861904646',
  externalId: 'AbC',
  userName: 'bjensen@example.com',
  name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
  displayName: 'Babs Jensen',
  nickName: '',
  userType: 'Employee',
  active: true,
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@jensen.org', type: 'home' },
  ],
  ims: [{ value: 'someaimhandle', type: 'aim' }],
  phoneNumbers: [],
  roles: [{ value: 'ADMIN', primary: false }, { value: 'STANDARD' }],
  meta: { resourceType: 'User', lastModified: '2011-05-13T04:42:34Z', created: '2010-01-23T04:56:22.123+02:00' },
  [enterpriseUrn]: {
    employeeNumber: '701984',
    department: "Tour O'Perations",
    manager: { value: '26118915-6090-4610-87e4-49d8ca9f808d', displayName: 'John Smith' },
  },
  [acmeUrn]: {
    badge: 'X-é9',
    level: 9,
    rate: 1.5,
    hired: '2020-02-29T23:59:59.5-01:00',
    key: 'AbCd',
    homepage: 'https://ex/a',
    remote: false,
    nicknames: ['Babs', 'Barb'],
    scores: [3, 10],
    desks: [{ value: 'D1', floor: 2 }, { value: 'D2', floor: 3, primary: false }, {}],
  },
};
