import { type AdapterModule, contractVersion } from '../../src/backend/adapter.js';
import { type LdapConfig, ldapConfigSchema } from './config.js';

/**
 * Entries of an LDAP directory or Active Directory. Every configuration is checked against the schemas of all adapters, so
 * this file is read at each start; what speaks LDAP is loaded where there is a directory.
 */
export const ldapModule: AdapterModule<LdapConfig> = {
  contractVersion,
  type: 'ldap',
  configSchema: ldapConfigSchema,
  retryAfter: 'adapter',
  async draft(request) {
    const { draftDirectory } = await import('./draft.js');
    return draftDirectory(request);
  },
  async open(config, environment) {
    const { openLdapAdapter } = await import('./adapter.js');
    return openLdapAdapter(config, environment);
  },
};
