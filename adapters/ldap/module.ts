import { type AdapterModule, contractVersion } from '../../src/backend/adapter.js';
import { type LdapConfig, ldapConfigSchema } from './config.js';

/** Attributes of the usual schemas whose values are DNs. */
const namingAttributes: ReadonlySet<string> = new Set(
  'member,uniquemember,memberof,manager,owner,secretary,seealso,roleoccupant,managedby,directreports'.split(','),
);

/**
 * Entries of an LDAP directory or Active Directory. Every configuration is checked against the schemas of all adapters, so
 * this file is read at each start; what speaks LDAP is loaded where there is a directory.
 */
export const ldapModule: AdapterModule<LdapConfig> = {
  contractVersion,
  type: 'ldap',
  configSchema: ldapConfigSchema,
  retryAfter: 'adapter',
  refusesForeignIds({ entities }, entity, field) {
    const own = entities[entity]?.fields?.[field];
    const attribute = (typeof own === 'string' ? own : own?.attribute) ?? field;
    if (!namingAttributes.has(attribute.toLowerCase())) return undefined;
    return `The attribute "${attribute}" holds names of entries of the directory and no ids of others. Take one that holds text, such as memberUid, or say with "by" which field of theirs holds a name (dn).`;
  },
  async draft(request) {
    const { draftDirectory } = await import('./draft.js');
    return draftDirectory(request);
  },
  async open(config, environment) {
    const { openLdapAdapter } = await import('./adapter.js');
    return openLdapAdapter(config, environment);
  },
};
