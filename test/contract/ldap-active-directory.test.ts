import { afterAll } from 'vitest';
import { ldapModule } from '../../adapters/ldap/adapter.js';
import type { LdapConfig } from '../../adapters/ldap/config.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

/** Active Directory keeps times in whole seconds; the other fields are in attributes without an upper length. */
const left = new Set(['mails', 'contact', 'owners', 'hired']);
const entities = contractEntities.map((use) => ({ ...use, fields: use.fields.filter(({ name }) => !left.has(name)) }));

const defaults = { scope: 'sub', inverse: 'attribute', deleteSubtree: false } as const;

await describeOnLdap('samba', 'the adapter', async () => {
  const server = await startLdap('samba');
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
        ...defaults,
        base: 'OU=groups',
        fields: { title: 'cn', members: 'member' },
        create: {
          dn: 'CN={title},OU=groups',
          objectClasses: ['group'],
          attributes: { sAMAccountName: 'group {title}' },
        },
      },
    },
  };
  describeAdapterContract('ldap on Samba', {
    entities,
    open: () => ldapModule.open(config, environmentIn('/', entities)),
    reset: (adapter) => deleteEverything(adapter, entities),
  });
});
