import { afterAll } from 'vitest';
import { ldapModule } from '../../adapters/ldap/adapter.js';
import type { LdapConfig } from '../../adapters/ldap/config.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

/** By default a uid may have ASCII letters only. The standard schema has no boolean and no time that people may have. */
const left = new Set(['mails', 'contact', 'owners', 'hired', 'enabled']);
const entities = contractEntities.map((use) => ({ ...use, fields: use.fields.filter(({ name }) => !left.has(name)) }));

const defaults = { scope: 'sub', inverse: 'attribute', deleteSubtree: false } as const;

await describeOnLdap('389-ds', 'the adapter', async () => {
  const server = await startLdap('389-ds');
  afterAll(() => server.close());
  const config: LdapConfig = {
    type: 'ldap',
    url: server.urls.ldaps,
    bind: { dn: server.bindDn, password: server.password },
    tls: { ca: server.caFile, minVersion: 'TLSv1.2', verify: true },
    allowClearText: false,
    timeoutMs: 60_000,
    connectTimeoutMs: 5_000,
    idleProbeMs: 60_000,
    pageSize: 500,
    base: server.baseDn,
    entities: {
      people: {
        ...defaults,
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
      groups: {
        ...defaults,
        base: 'ou=groups',
        fields: { title: 'cn', members: 'member' },
        create: { dn: 'cn={title},ou=groups', objectClasses: ['groupOfNames'] },
      },
    },
  };
  describeAdapterContract('ldap on 389 Directory Server', {
    entities,
    open: () => ldapModule.open(config, environmentIn('/', entities)),
    reset: (adapter) => deleteEverything(adapter, entities),
  });
});
