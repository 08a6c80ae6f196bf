import type { Entry, Operations, WireContext } from './directory.js';
import { everything, type LdapFilter } from './ldap-filter.js';
import { parseSchema } from './schema.js';
import { type ProfileOverrides, profileServer, rootDseAttributes, type ServerProfile } from './server-kind.js';
import { adapterErrorOf, hasResultCode, resultCode } from './wire-errors.js';

const subschema: LdapFilter = { kind: 'equality', attribute: 'objectClass', value: 'subschema' };

/** Asks a server what it is (RFC 4512 section 5.1) and for its schema (section 4.4). */
export async function readServerProfile(
  connection: Operations,
  context: WireContext,
  overrides?: ProfileOverrides,
): Promise<ServerProfile> {
  const rootDse = await readEntry(connection, '', everything, rootDseAttributes, context);
  const schemaDn = textsOf(rootDse, 'subschemasubentry')[0];
  const attributes = ['attributeTypes', 'objectClasses'];
  const entry =
    schemaDn === undefined ? undefined : await readEntry(connection, schemaDn, subschema, attributes, context);
  const schema = parseSchema({
    attributeTypes: textsOf(entry, 'attributetypes'),
    objectClasses: textsOf(entry, 'objectclasses'),
  });
  return profileServer(rootDse?.attributes ?? new Map(), schema, overrides);
}

async function readEntry(
  connection: Operations,
  base: string,
  filter: LdapFilter,
  attributes: readonly string[],
  context: WireContext,
): Promise<Entry | undefined> {
  try {
    const { entries } = await connection.search({ base, scope: 'base', filter, attributes }, context);
    return entries[0];
  } catch (error) {
    // An account that may not read it: what it would tell has to be known otherwise.
    if (hasResultCode(error, resultCode.noSuchObject, resultCode.insufficientAccessRights)) return undefined;
    throw adapterErrorOf(error);
  }
}

function textsOf(entry: Entry | undefined, name: string): readonly string[] {
  return (entry?.attributes.get(name) ?? []).map(String);
}
