import { berSequence, berText } from './ber.js';
import { encodeFilter } from './codec.js';
import type { RequestControl } from './directory.js';
import type { LdapFilter } from './ldap-filter.js';
import { oid } from './server-kind.js';

/** The operation is carried out only if the entry meets the filter: else code 122 (RFC 4528). */
export function assertionControl(filter: LdapFilter): RequestControl {
  return { oid: oid.assertion, value: encodeFilter(filter), critical: true };
}

/** The answer holds the entry as it is after the write (RFC 4527). */
export function postReadControl(attributes: readonly string[]): RequestControl {
  return { oid: oid.postRead, value: berSequence(...attributes.map((name) => berText(name))), critical: false };
}

/** What lies below the entry is deleted with it. */
export const treeDeleteControl: RequestControl = { oid: oid.treeDelete, critical: true };
