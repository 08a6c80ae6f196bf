import { afterAll } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import { adapterConfig, entityDefaults, standardGroups } from '../support/ldap/adapter-config.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

/** By default a uid may have ASCII letters only. The standard schema has no boolean and no time that people may have. */
const left = new Set(['mails', 'contact', 'owners', 'hired', 'enabled']);
const entities = contractEntities.map((use) => ({ ...use, fields: use.fields.filter(({ name }) => !left.has(name)) }));

await describeOnLdap('389-ds', 'the adapter', async () => {
  const server = await startLdap('389-ds');
  afterAll(() => server.close());
  const config = adapterConfig(server, 60_000, {
    people: {
      ...entityDefaults,
      base: 'ou=people',
      fields: {
        login: 'cn',
        name: 'displayName',
        badge: 'employeeType',
        mail: 'labeledURI',
        tags: 'description',
        age: 'shadowMax',
        photo: 'jpegPhoto',
      },
      create: { dn: 'cn={login},ou=people', objectClasses: ['inetOrgPerson', 'extensibleObject'] },
    },
    groups: standardGroups,
  });
  describeAdapterContract('ldap on 389 Directory Server', {
    entities,
    open: () => ldapModule.open(config, environmentIn('/', entities)),
    reset: (adapter) => deleteEverything(adapter, entities),
  });
});
