import { describe, expect, it } from 'vitest';
import { type Loaded, load, withResources } from './temp-config.js';

const user = (use: string, mapping: string): string =>
  withResources(`      User:\n        adapter: store\n        use: ${use}\n        mapping:\n${mapping}`);

/** Key → field of the type's rules, in their order. */
function fields({ config }: Loaded, typeName = 'User'): Readonly<Record<string, string | undefined>> {
  const resource = config?.gateways[0]?.resources.find(({ type }) => type.name === typeName);
  return Object.fromEntries((resource?.rules ?? []).map(({ key, rule }) => [key, rule.field]));
}

describe('use and mapping', () => {
  it('lets a later file replace an earlier one, and the mapping replace both', () => {
    const loaded = load({
      'gateway.yaml': user('[./a.yaml, ./b.yaml]', '          title: ownTitle\n'),
      'a.yaml': 'mapping: { userName: aUser, displayName: aDisplay, title: aTitle }\n',
      'b.yaml': 'mapping: { displayName: bDisplay, title: bTitle }\n',
    });
    expect(loaded.lines).toEqual([]);
    expect(fields(loaded)).toEqual({ userName: 'aUser', displayName: 'bDisplay', title: 'ownTitle' });
  });

  it('sees one path in named mappings, URNs, and any case', () => {
    const earlier = `mapping:
  workEmail: a
  department: b
  USERNAME: c
  phoneNumbers[type eq "fax"].value: d
`;
    const loaded = load({
      'a.yaml': earlier,
      'gateway.yaml': user(
        './a.yaml',
        `          emails[Type  eq "Work"].value: mail
          urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department: dept
          userName: uid
          FAXNUMBER: fax
`,
      ),
    });
    expect(loaded.lines).toEqual([]);
    expect(Object.values(fields(loaded))).toEqual(['mail', 'dept', 'uid', 'fax']);
  });

  it('lets slots replace a whole attribute and the other way round, but not one slot another', () => {
    const slots = `mapping:
  emails[type eq "work"].value: mail
  emails[type eq "home"].value: homeMail
  name.givenName: first
`;
    const toSlots = load({
      'gateway.yaml': user('[scim, ./slots.yaml]', '          emails[type eq "other"].value: otherMail\n'),
      'slots.yaml': slots,
    });
    expect(fields(toSlots)).toMatchObject({
      'emails[type eq "work"].value': 'mail',
      'emails[type eq "home"].value': 'homeMail',
      'emails[type eq "other"].value': 'otherMail',
      'name.givenName': 'first',
      'name.familyName': 'name.familyName',
    });
    expect(fields(toSlots)).not.toHaveProperty('emails');
    const toWhole = load({ 'gateway.yaml': user('[./slots.yaml, scim]', '          title: t\n'), 'slots.yaml': slots });
    expect(Object.keys(fields(toWhole)).filter((key) => key.startsWith('emails'))).toEqual(['emails']);
  });

  it('keeps two rules for one path of the same file, which the mapping then refuses', () => {
    const loaded = load({
      'gateway.yaml': user('[]', '          workEmail: a\n          emails[type eq "work"].value: b\n'),
    });
    expect(Object.values(fields(loaded))).toEqual(['a', 'b']);
  });

  it('follows files that use files, relative to each, with rules for all types and for one', () => {
    const loaded = load({
      'gateway.yaml': withResources(
        '      User: { adapter: store, use: ./maps/all.yaml }\n      Group: { adapter: store, use: ./maps/all.yaml }\n',
      ),
      'maps/all.yaml': `use: [base/common.yaml]
mapping: { displayName: cn }
resources:
  User: { mapping: { userName: uid } }
  Group: { mapping: { members: { field: member, reference: { to: [User] } } } }
`,
      'maps/base/common.yaml': 'mapping: { externalId: key, displayName: label }\n',
    });
    expect(loaded.lines).toEqual([]);
    expect(fields(loaded, 'User')).toEqual({ externalId: 'key', displayName: 'cn', userName: 'uid' });
    expect(fields(loaded, 'Group')).toEqual({ externalId: 'key', displayName: 'cn', members: 'member' });
  });

  it('takes schemas and extensions from a used file', () => {
    const uri = 'urn:example:params:scim:schemas:extension:acme:2.0:User';
    const loaded = load({
      'gateway.yaml': user('[./acme/acme.yaml]', '          userName: uid\n'),
      'acme/acme.yaml': `schemas: [schema.json]\nresources: { User: { extensions: ['${uri}'], mapping: { badge: badgeNo } } }\n`,
      'acme/schema.json': JSON.stringify({ id: uri, name: 'Acme', attributes: [{ name: 'badge' }] }),
    });
    expect(loaded.lines).toEqual([]);
    expect(fields(loaded)).toEqual({ badge: 'badgeNo', userName: 'uid' });
    const type = loaded.config?.gateways[0]?.resources[0]?.type;
    expect(type?.extensions.map(({ schema, required }) => [schema.id, required])).toContainEqual([uri, false]);
  });

  it('says where each rule was written', () => {
    const loaded = load({
      'gateway.yaml': user('[./a.yaml]', '          userName: uid\n'),
      'a.yaml': 'mapping: { title: t }\n',
    });
    const origins = loaded.config?.gateways[0]?.resources[0]?.rules.map(({ origin }) => origin);
    expect(origins).toEqual([
      { source: `${loaded.dir}/a.yaml`, path: ['mapping', 'title'] },
      {
        source: `${loaded.dir}/gateway.yaml`,
        path: ['gateways', 'corp', 'resources', 'User', 'mapping', 'userName'],
      },
    ]);
  });
});
