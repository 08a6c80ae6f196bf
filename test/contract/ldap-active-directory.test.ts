import { afterAll } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import { adapterConfig, entityDefaults } from '../support/ldap/adapter-config.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

/** Active Directory keeps times in whole seconds; the other fields are in attributes without an upper length. */
const left = new Set(['mails', 'contact', 'owners', 'hired']);
const entities = contractEntities.map((use) => ({ ...use, fields: use.fields.filter(({ name }) => !left.has(name)) }));

await describeOnLdap('samba', 'the adapter', async () => {
  const server = await startLdap('samba');
  afterAll(() => server.close());
  const config = adapterConfig(server, 60_000, {
    people: {
      ...entityDefaults,
      base: 'OU=people',
      filter: '(&(objectCategory=person)(objectClass=user))',
      fields: {
        login: 'sAMAccountName',
        name: 'comment',
        badge: 'desktopProfile',
        mail: 'otherMailbox',
        tags: 'url',
        age: 'maxStorage',
        enabled: 'msNPAllowDialin',
        photo: 'thumbnailPhoto',
      },
      create: { dn: 'CN={login},OU=people', objectClasses: ['user'] },
    },
    groups: {
      ...entityDefaults,
      base: 'OU=groups',
      fields: { title: 'cn', members: 'member' },
      create: {
        dn: 'CN={title},OU=groups',
        objectClasses: ['group'],
        attributes: { sAMAccountName: 'group {title}' },
      },
    },
  });
  describeAdapterContract('ldap on Samba', {
    entities,
    open: () => ldapModule.open(config, environmentIn('/', entities)),
    reset: (adapter) => deleteEverything(adapter, entities),
  });
});
