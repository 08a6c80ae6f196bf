import { describe, expect, it } from 'vitest';
import { coreGroupSchema, coreUserSchema, enterpriseUserSchema } from '../../config/core-schemas.js';
import { loadConfig } from '../../config/load.js';
import { scimPresetRules } from '../../config/scim-preset.js';
import { compileMappings } from '../../src/mapping/compile.js';
import { groupNamedMappings, resolveNamedMapping, userNamedMappings } from '../../src/mapping/named-mappings.js';
import type { RuleConfig } from '../../src/mapping/rule.js';
import { createResourceType, parseSchema, type Schema } from '../../src/scim/schema.js';
import { adapterSchemas } from './adapter-schemas.js';
import { load, withResources } from './temp-config.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

function userType(...more: readonly Schema[]): ReturnType<typeof createResourceType> {
  const extensions = [enterpriseUserSchema, ...more].map((schema) => ({ schema, required: false }));
  return createResourceType({ name: 'User', endpoint: '/Users', schema: coreUserSchema, extensions });
}

function rulesOf(type: ReturnType<typeof createResourceType>): Readonly<Record<string, RuleConfig>> {
  return Object.fromEntries(scimPresetRules(type).map(({ key, rule }) => [key, rule]));
}

describe('preset scim', () => {
  const user = rulesOf(userType());

  it('maps every attribute of a User to a field of its name, but none that the gateway issues or must not keep', () => {
    expect(user).toMatchObject({
      externalId: { field: 'externalId' },
      userName: { field: 'userName', required: true, unique: true },
      'name.givenName': { field: 'name.givenName' },
      active: { field: 'active' },
      emails: { field: 'emails', records: 'all' },
      addresses: { field: 'addresses', records: 'all' },
      [`${enterprise}:department`]: { field: `${enterprise}:department` },
    });
    for (const key of ['schemas', 'id', 'meta', 'meta.created', 'password', 'name'])
      expect(user).not.toHaveProperty(key);
  });

  it('knows the references of RFC 7643', () => {
    expect(user[`${enterprise}:manager`]?.reference).toEqual({ to: ['User'], by: '$id', display: 'displayName' });
    expect(user.groups).toEqual({
      field: 'groups',
      readOnly: true,
      reference: { to: ['Group'], by: '$id', display: 'displayName', inverseOf: 'Group.members' },
    });
    const type = createResourceType({ name: 'Group', endpoint: '/Groups', schema: coreGroupSchema, extensions: [] });
    expect(rulesOf(type)).toEqual({
      externalId: { field: 'externalId' },
      displayName: { field: 'displayName', required: true, unique: true },
      members: {
        field: 'members',
        records: { value: 'value', type: 'type' },
        reference: { to: ['User', 'Group'], by: '$id', type: 'type' },
      },
    });
  });

  it('follows the characteristics of attributes of your own', () => {
    const { schema } = parseSchema(
      {
        id: 'urn:example:acme',
        attributes: [
          { name: 'badge', uniqueness: 'server', required: true },
          { name: 'skills', multiValued: true },
          { name: 'pin', mutability: 'writeOnly' },
          { name: 'score', type: 'integer', mutability: 'readOnly' },
        ],
      },
      'extension',
    );
    const rules = rulesOf(userType(...(schema === undefined ? [] : [schema])));
    expect(rules).toMatchObject({
      'urn:example:acme:badge': { field: 'urn:example:acme:badge', unique: true },
      'urn:example:acme:skills': { multiple: true },
      'urn:example:acme:pin': { writeOnly: true },
      'urn:example:acme:score': { readOnly: true },
    });
    expect(rules['urn:example:acme:badge']).not.toHaveProperty('required');
  });

  it('compiles without a problem in the built-in configuration', () => {
    const { config } = loadConfig({ adapterSchemas });
    expect(config?.gateways.flatMap(({ resources }) => compileMappings(resources).problems)).toEqual([]);
  });

  it('leaves out references to types that the gateway has not, and inverses in another backend', () => {
    const keys = (text: string): readonly string[] => {
      const { config, lines } = load({ 'gateway.yaml': text });
      expect(lines).toEqual([]);
      expect(config?.gateways.flatMap(({ resources }) => compileMappings(resources).problems)).toEqual([]);
      return config?.gateways[0]?.resources[0]?.rules.map(({ key }) => key) ?? [];
    };
    expect(keys(withResources('      User: { adapter: store, use: scim }\n'))).not.toContain('groups');
    const apart = withResources(
      '      User: { adapter: store, use: scim }\n      Group: { adapter: other, use: scim }\n',
    );
    expect(keys(apart.replace('{ store:', '{ other: { type: memory }, store:'))).not.toContain('groups');
    const groups = load({ 'gateway.yaml': withResources('      Group: { adapter: store, use: scim }\n') });
    const members = groups.config?.gateways[0]?.resources[0]?.rules.find(({ key }) => key === 'members');
    expect(members?.rule.reference?.to).toEqual(['Group']);
  });
});

describe('preset unifybroker', () => {
  const text = withResources(
    '      User: { adapter: store, use: unifybroker }\n      Group: { adapter: store, use: unifybroker }\n',
  );

  it('has exactly the 26 user and 4 group mappings, each to a field of its name', () => {
    const { config, lines } = load({ 'gateway.yaml': text });
    expect(lines).toEqual([]);
    const [user, group] = config?.gateways[0]?.resources ?? [];
    const names = (rules: typeof user): readonly (readonly [string, string | undefined])[] =>
      rules?.rules.map(({ key, rule }) => [key, rule.field] as const) ?? [];
    expect(names(user)).toEqual(Object.keys(userNamedMappings).map((name) => [name, name]));
    expect(names(group)).toEqual(Object.keys(groupNamedMappings).map((name) => [name, name]));
    expect([user?.rules.length, group?.rules.length]).toEqual([26, 4]);
  });

  it('compiles without a problem, with securityEnabled in an extension of Group', () => {
    const { config } = load({ 'gateway.yaml': text });
    expect(compileMappings(config?.gateways[0]?.resources ?? []).problems).toEqual([]);
    const group = config?.gateways[0]?.resources[1]?.type;
    expect(group?.extensionAttribute('securityenabled')?.type).toBe('boolean');
  });

  it('gives way to own rules, also under the attribute path', () => {
    const own = text.replace(
      'use: unifybroker }',
      'use: unifybroker, mapping: { "emails[type eq \\"work\\"].value": mail } }',
    );
    const rules = load({ 'gateway.yaml': own }).config?.gateways[0]?.resources[0]?.rules ?? [];
    expect(rules).toHaveLength(26);
    expect(rules.find(({ rule }) => rule.field === 'workEmail')).toBeUndefined();
    expect(rules.at(-1)?.rule.field).toBe('mail');
  });
});

describe('named mappings', () => {
  // The two tables of UNIFYBroker's guide, with names in the case of the guide and paths in the schema's case.
  it.each([
    ['faxNumber', 'phoneNumbers[type eq "fax"].value'],
    ['workEmail', 'emails[type eq "work"].value'],
    ['otherEmail', 'emails[type eq "other"].value'],
    ['mobilePhoneNumber', 'phoneNumbers[type eq "mobile"].value'],
    ['workPhoneNumber', 'phoneNumbers[type eq "work"].value'],
    ['workPostalCode', 'addresses[type eq "work"].postalCode'],
    ['workStreetAddress', 'addresses[type eq "work"].streetAddress'],
    ['workLocality', 'addresses[type eq "work"].locality'],
    ['workRegion', 'addresses[type eq "work"].region'],
    ['workCountry', 'addresses[type eq "work"].country'],
    ['otherAddressFormatted', 'addresses[type eq "other"].formatted'],
    ['givenName', 'name.givenName'],
    ['familyName', 'name.familyName'],
    ['formattedName', 'name.formatted'],
    ['username', 'userName'],
  ])('%s stands for %s', (name, path) => {
    expect(resolveNamedMapping(name, 'User')).toBe(path);
    expect(resolveNamedMapping(name.toUpperCase(), 'User')).toBe(path);
  });

  it.each(['department', 'manager', 'employeeNumber', 'organization', 'division', 'costCenter'])(
    '%s means the enterprise extension',
    (name) => expect(resolveNamedMapping(name, 'User')).toBe(`${enterprise}:${name}`),
  );

  it('are 26 for users and 4 for groups, and none for other types', () => {
    expect(Object.keys(userNamedMappings)).toHaveLength(26);
    expect(Object.keys(groupNamedMappings)).toEqual(['displayName', 'externalId', 'members', 'securityEnabled']);
    expect(resolveNamedMapping('workEmail', 'Group')).toBeUndefined();
    expect(resolveNamedMapping('workEmail', 'Device')).toBeUndefined();
  });
});

describe('presets of directories', () => {
  it.each(['openldap', '389-ds', 'active-directory'])('"%s" compiles without a problem', (preset) => {
    const resources = ['User', 'Group'].map((type) => `      ${type}: { adapter: store, use: ${preset} }\n`).join('');
    const { config, lines } = load({ 'gateway.yaml': withResources(resources) });
    expect(lines).toEqual([]);
    expect(compileMappings(config?.gateways[0]?.resources ?? []).problems).toEqual([]);
  });
});
