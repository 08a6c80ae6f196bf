import type { LdapConfig } from '../../../adapters/ldap/config.js';
import type { LdapServer } from './ldap-server.js';

/** The section of an adapter on a test server, over ldaps. */
export function adapterConfig(
  { urls, bindDn, password, caFile, baseDn }: LdapServer,
  timeoutMs: number,
  entities: LdapConfig['entities'],
): LdapConfig {
  return {
    type: 'ldap',
    url: urls.ldaps,
    bind: { dn: bindDn, password },
    tls: { ca: caFile, minVersion: 'TLSv1.2', verify: true },
    allowClearText: false,
    timeoutMs,
    connectTimeoutMs: 5_000,
    idleProbeMs: 60_000,
    pageSize: 500,
    base: baseDn,
    entities,
  };
}

export const entityDefaults = { scope: 'sub', inverse: 'attribute', deleteSubtree: false } as const;

/** Groups of the standard schema below ou=groups, with the fields that the contract's entities have. */
export const standardGroups = {
  ...entityDefaults,
  base: 'ou=groups',
  fields: { title: 'cn', members: 'member' },
  create: { dn: 'cn={title},ou=groups', objectClasses: ['groupOfNames'] },
};
