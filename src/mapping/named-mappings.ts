/**
 * Names that stand for attribute paths in a mapping: the 26 of users and 4 of groups that UNIFYBroker made common.
 * `department`, `manager` and `employeeNumber` are the enterprise extension's, though the names carry no URN.
 */
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export const userNamedMappings: Readonly<Record<string, string>> = {
  active: 'active',
  externalId: 'externalId',
  displayName: 'displayName',
  department: `${enterprise}:department`,
  preferredLanguage: 'preferredLanguage',
  title: 'title',
  username: 'userName',
  manager: `${enterprise}:manager`,
  employeeNumber: `${enterprise}:employeeNumber`,
  faxNumber: 'phoneNumbers[type eq "fax"].value',
  givenName: 'name.givenName',
  workEmail: 'emails[type eq "work"].value',
  mobilePhoneNumber: 'phoneNumbers[type eq "mobile"].value',
  workPostalCode: 'addresses[type eq "work"].postalCode',
  otherEmail: 'emails[type eq "other"].value',
  otherAddressFormatted: 'addresses[type eq "other"].formatted',
  workStreetAddress: 'addresses[type eq "work"].streetAddress',
  familyName: 'name.familyName',
  workPhoneNumber: 'phoneNumbers[type eq "work"].value',
  organization: `${enterprise}:organization`,
  division: `${enterprise}:division`,
  workLocality: 'addresses[type eq "work"].locality',
  workCountry: 'addresses[type eq "work"].country',
  workRegion: 'addresses[type eq "work"].region',
  costCenter: `${enterprise}:costCenter`,
  formattedName: 'name.formatted',
};

export const groupNamedMappings: Readonly<Record<string, string>> = {
  displayName: 'displayName',
  externalId: 'externalId',
  members: 'members',
  // No attribute of RFC 7643: it needs an extension that declares it, such as the one that preset `unifybroker` brings.
  securityEnabled: 'securityEnabled',
};

const byType: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['User', lowerCased(userNamedMappings)],
  ['Group', lowerCased(groupNamedMappings)],
]);

/**
 * The attribute path that a named mapping stands for, in any case.
 * @param typeName the resource type's name; only User and Group have named mappings
 */
export function resolveNamedMapping(name: string, typeName: string): string | undefined {
  return byType.get(typeName)?.get(name.toLowerCase());
}

function lowerCased(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(table).map(([name, path]) => [name.toLowerCase(), path]));
}
