import { afterAll } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import { adapterConfig, entityDefaults, standardGroups } from '../support/ldap/adapter-config.js';
import { describeOnLdap } from '../support/ldap/available.js';
import { startOpenLdap } from '../support/ldap/openldap.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

/** Attributes of every kind that the suite has: the standard schema gives people no integer, boolean or time. */
const schema = `attributetype ( 2.25.4711.1 NAME 'contractBadge' EQUALITY caseExactMatch SUBSTR caseExactSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 2.25.4711.2 NAME 'contractMail' EQUALITY caseExactMatch SUBSTR caseExactSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 2.25.4711.3 NAME 'contractTag' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 2.25.4711.4 NAME 'contractAge' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 2.25.4711.5 NAME 'contractEnabled' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 2.25.4711.6 NAME 'contractHired' EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
attributetype ( 2.25.4711.7 NAME 'contractPhoto' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 2.25.4711.100 NAME 'contractPerson' SUP top AUXILIARY MAY ( contractBadge $ contractMail $ contractTag $ contractAge $ contractEnabled $ contractHired $ contractPhoto ) )`;

const left = new Set(['mails', 'contact', 'owners']);
const entities = contractEntities.map((use) => ({ ...use, fields: use.fields.filter(({ name }) => !left.has(name)) }));

await describeOnLdap('openldap', 'the adapter', async () => {
  const server = await startOpenLdap({ extraConfig: schema });
  afterAll(() => server.close());
  const config = adapterConfig(server, 10_000, {
    people: {
      ...entityDefaults,
      base: 'ou=people',
      fields: {
        login: 'uid',
        name: 'displayName',
        badge: 'contractBadge',
        mail: 'contractMail',
        tags: 'contractTag',
        age: 'contractAge',
        enabled: 'contractEnabled',
        hired: 'contractHired',
        photo: 'contractPhoto',
      },
      create: { dn: 'uid={login},ou=people', objectClasses: ['inetOrgPerson', 'contractPerson'] },
    },
    groups: standardGroups,
  });
  describeAdapterContract('ldap on OpenLDAP', {
    entities,
    open: () => ldapModule.open(config, environmentIn('/', entities)),
    reset: (adapter) => deleteEverything(adapter, entities),
  });
});
