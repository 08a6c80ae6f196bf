import type { DraftEntry, DraftValue } from '../../src/backend/draft.js';
import type { ServerProfile } from './server-kind.js';

/** What the rules depend on. Names of attributes are compared in lower case. */
export interface RuleSource {
  readonly server: ServerProfile;
  /** Whether a new entry may have the attribute. */
  readonly allows: (attribute: string) => boolean;
  readonly demands: (attribute: string) => boolean;
  /** An attribute that nobody uses, for what the identity provider calls the resource. */
  readonly free: string | undefined;
  readonly hasGroups: boolean;
}

const primary: DraftValue = { constant: true };

/** Attributes by path, in the order of the file. Of several attributes the first that there is; in Active Directory the last. */
const usualRules: readonly (readonly [path: string, ...attributes: string[]])[] = [
  ['name.givenName', 'givenName'],
  ['name.familyName', 'sn'],
  ['title', 'title'],
  ['userType', 'employeeType'],
  ['preferredLanguage', 'preferredLanguage'],
  ['profileUrl', 'labeledURI', 'wWWHomePage'],
  ['emails[type eq "work"].value', 'mail'],
  ['phoneNumbers[type eq "work"].value', 'telephoneNumber'],
  ['phoneNumbers[type eq "mobile"].value', 'mobile'],
  ['phoneNumbers[type eq "fax"].value', 'facsimileTelephoneNumber'],
  ['phoneNumbers[type eq "home"].value', 'homePhone'],
  ['addresses[type eq "work"].streetAddress', 'street', 'streetAddress'],
  ['addresses[type eq "work"].locality', 'l'],
  ['addresses[type eq "work"].region', 'st'],
  ['addresses[type eq "work"].postalCode', 'postalCode'],
  ['addresses[type eq "work"].country', 'co'],
  ['addresses[type eq "work"].formatted', 'postalAddress'],
  ['employeeNumber', 'employeeNumber'],
  ['department', 'departmentNumber', 'department'],
  ['organization', 'o', 'company'],
  ['division', 'ou', 'division'],
];
const primaryAfter = new Set(['emails[type eq "work"].value', 'phoneNumbers[type eq "work"].value']);

/** The rules of User. */
export function peopleRules(source: RuleSource): readonly DraftEntry[] {
  const isAd = source.server.kind === 'active-directory';
  return [
    isAd
      ? {
          key: 'userName',
          value: { field: 'userPrincipalName', required: true, unique: true },
          note: 'ends in @ and a domain of the forest',
        }
      : { key: 'userName', value: { field: 'uid', required: true, unique: true } },
    ...externalIdRule(source.free),
    displayNameRule(source),
    ...(isAd ? [oldNameRule] : [commonNameRule]),
    ...usualRules.flatMap(([path, ...attributes]) => usualRule(path, attributes, source)),
    activeRule(source),
    passwordRule(isAd, source),
    ...(source.allows('manager') ? [{ key: 'manager', value: { field: 'manager', reference: { to: ['User'] } } }] : []),
    ...(source.hasGroups ? [groupsRule] : []),
  ];
}

/** Directories have no place for the identity provider's own name of a resource. */
export function externalIdRule(free: string | undefined): readonly DraftEntry[] {
  if (free === undefined)
    return [{ key: 'externalId', value: 'employeeNumber', isOffer: true, note: 'or any free attribute' }];
  return [{ key: 'externalId', value: free, note: 'nobody uses this attribute here; any other free one will do' }];
}

const commonNameRule: DraftEntry = {
  key: 'name.formatted',
  value: { field: 'cn', fallbackOnCreate: '{displayName ?? userName}', omitted: 'keep' },
  note: 'demanded by the object class, so it is never cleared',
};

const oldNameRule: DraftEntry = {
  key: 'nickName',
  value: { field: 'sAMAccountName', fallbackOnCreate: '{userName|before:@}', omitted: 'keep' },
  note: 'the sign-in name DOMAIN\\name: at most 20 characters; without it the domain makes one up',
  isOffer: true,
};

const groupsRule: DraftEntry = {
  key: 'groups',
  value: { field: 'memberOf', readOnly: true, reference: { to: ['Group'], inverseOf: 'Group.members' } },
};

function displayNameRule({ demands }: RuleSource): DraftEntry {
  if (!demands('displayname')) return { key: 'displayName', value: 'displayName' };
  return {
    key: 'displayName',
    value: { field: 'displayName', fallbackOnCreate: '{name.formatted ?? userName}', omitted: 'keep' },
  };
}

function usualRule(path: string, attributes: readonly string[], source: RuleSource): readonly DraftEntry[] {
  const isAd = source.server.kind === 'active-directory';
  const attribute = (isAd ? [...attributes].reverse() : attributes).find((name) => source.allows(name));
  if (attribute === undefined) return [];
  const value = source.demands(attribute)
    ? { field: attribute, fallbackOnCreate: '{userName}', omitted: 'keep' }
    : attribute;
  const rule = { key: path, value };
  if (!primaryAfter.has(path)) return [rule];
  return [rule, { key: path.replace('.value', '.primary'), value: primary }];
}

function activeRule({ server, allows }: RuleSource): DraftEntry {
  const rule = (field: string, codec: string, note: string): DraftEntry => ({
    key: 'active',
    value: { field, codec, default: true },
    note,
  });
  if (server.kind === 'active-directory')
    return rule('userAccountControl', 'adAccountEnabled', 'the flag ACCOUNTDISABLE');
  if (server.kind === '389-ds' && allows('nsAccountLock')) return rule('nsAccountLock', 'nsAccountLock', 'no sign-in');
  if (server.schema.attribute('pwdAccountLockedTime') !== undefined) {
    return rule('pwdAccountLockedTime', 'openldapEnabled', 'no sign-in: the overlay ppolicy has to be on');
  }
  return {
    above: [
      'This server keeps no flag that ends sign-in. Choose an attribute that your applications look at; until then',
      'a request that disables somebody is refused and not lost.',
    ],
    key: 'active',
    value: { field: 'employeeType', codec: { name: 'booleanText', true: 'active', false: 'disabled' }, default: true },
    isOffer: true,
  };
}

function passwordRule(isAd: boolean, { server, allows }: RuleSource): DraftEntry {
  const isOffer = !isAd && !(server.features.passwordModify && allows('userPassword'));
  return {
    key: 'password',
    value: { field: isAd ? 'unicodePwd' : 'userPassword', writeOnly: true },
    ...(isOffer ? { isOffer } : {}),
  };
}
