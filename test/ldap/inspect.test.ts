import { afterAll, expect, it } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import type { EntityUse, FieldUse } from '../../src/backend/adapter.js';
import { environmentIn } from '../contract/contract-entities.js';
import { adapterConfig, entityDefaults } from '../support/ldap/adapter-config.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';

const text: FieldUse = {
  name: '',
  type: 'string',
  multiple: false,
  comparison: 'fold',
  unique: false,
  read: true,
  written: true,
};

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      { ...text, name: 'uid', unique: true },
      { ...text, name: 'displayname' },
      { ...text, name: 'mobil' },
      { ...text, name: 'displayName', multiple: true },
      { ...text, name: 'entryCSN' },
      { ...text, name: 'jpegPhoto', unique: true, type: 'bytes', comparison: 'exact' },
      { ...text, name: 'cn', type: 'instant', comparison: 'instant' },
      { ...text, name: 'loginShell' },
    ],
  },
  { entity: 'gone', fields: [{ ...text, name: 'cn' }] },
];

await describeOnLdap('openldap', 'the start-up check', async () => {
  const server = await startLdap('openldap');
  const config = adapterConfig(server, 10_000, {
    people: {
      ...entityDefaults,
      base: 'ou=people',
      create: { dn: 'uid={uid},ou=people', objectClasses: ['inetOrgPerson', 'noSuchClass'] },
    },
    gone: { ...entityDefaults, base: 'ou=gone', id: 'noSuchId' },
  });
  const adapter = await ldapModule.open(config, environmentIn('/', entities));
  afterAll(async () => {
    await adapter.close();
    await server.close();
  });

  it('names what does not fit the directory, and where it stands', async () => {
    const { problems } = await adapter.inspect({ signal: AbortSignal.timeout(10_000), requestId: 'check' });
    const found = problems.map(
      ({ severity, configPath, message }) => `${severity} ${configPath.join('.')}: ${message}`,
    );
    for (const expected of [
      /^error entities\.people\.create\.objectClasses\.1: .*no object class "noSuchClass"/,
      /^error entities\.people\.fields\.mobil: .*no attribute "mobil"/,
      /^error entities\.people\.fields\.displayName: .*holds one value only/,
      /^error entities\.people\.fields\.entryCSN: .*cannot be written/,
      /^error entities\.people\.fields\.jpegPhoto: .*no rule for equality/,
      /^error entities\.people\.fields\.cn: .*does not hold what it is mapped as \(instant\)/,
      /^warning entities\.people\.fields\.loginShell: .*do not allow the attribute "loginShell"/,
      /^error entities\.gone\.base: .*no entry "ou=gone,dc=example,dc=org"/,
      /^error entities\.gone\.id: .*no attribute "noSuchId"/,
    ]) {
      expect(found).toContainEqual(expect.stringMatching(expected));
    }
    expect(found.some((line) => line.includes('fields.uid') || line.includes('fields.displayname'))).toBe(false);
  });

  it('tells the types of fields, and which can be written', async () => {
    const { entities: found } = await adapter.inspect({ signal: AbortSignal.timeout(10_000), requestId: 'check' });
    const people = found.find(({ entity }) => entity === 'people');
    expect(people?.fields).toContainEqual({ name: 'uid', type: 'string', multiple: false, writable: true });
    expect(people?.fields).toContainEqual({ name: 'entryCSN', type: 'string', multiple: false, writable: false });
  });
});
