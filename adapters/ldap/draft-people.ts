import type { DraftEntry } from '../../src/backend/draft.js';
import type { Surroundings } from './draft.js';
import { type Classes, classesOf } from './draft-classes.js';
import type { DraftedGroups } from './draft-groups.js';
import { firstFree, isDomain, locate } from './draft-place.js';
import { peopleRules } from './draft-rules.js';
import { isThere, relativeTo } from './draft-survey.js';
import { parseFilter } from './filter-parser.js';

export interface DraftedEntity {
  readonly type: 'User' | 'Group';
  readonly entity: string;
  readonly section: readonly DraftEntry[];
  readonly mapping: readonly DraftEntry[];
  /** Whether entries may have the attribute. */
  readonly holds: (attribute: string) => boolean;
}

/** What an ordinary user of a domain is: the accounts of the domain itself are none. */
const domainPeople = '(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE)))';
const anyPeople = '(|(objectClass=person)(objectClass=nsPerson))';
const names = ['people', 'users', 'accounts', 'persons', 'employees', 'staff', 'members'];
/** Nobody else's attributes: what an organisation rarely uses, and every person may have. */
const spare = {
  domain: ['msDS-cloudExtensionAttribute1', 'adminDescription', 'extensionAttribute15'],
  any: ['carLicense', 'businessCategory', 'destinationIndicator', 'roomNumber'],
} as const;

/** The entity of people and the rules of User; undefined where there is no place for people. */
export async function draftPeople(
  around: Surroundings,
  groups: DraftedGroups | undefined,
): Promise<DraftedEntity | undefined> {
  const { server, base, calls, found } = around;
  const isAd = isDomain(server);
  const filter = isAd ? domainPeople : anyPeople;
  const located = await locate(around, { type: 'User', filter, names });
  if (located === undefined) {
    found.push('No people, and no place for them: User is left out. --people says where they are to be.');
    return undefined;
  }
  const { place, survey } = located;
  const classes: Classes | undefined = isAd
    ? undefined
    : classesOf(
        survey,
        server.schema,
        'inetOrgPerson',
        new Set(['objectclass', 'cn', 'sn', 'uid', 'displayname']),
        'uid',
      );
  const allows = (name: string): boolean => {
    const type = server.schema.attribute(name);
    if (type === undefined || isAd) return type !== undefined;
    const lower = type.names.map((own) => own.toLowerCase());
    return type.isOperational || lower.some((own) => classes?.must.has(own) === true || classes?.may.has(own) === true);
  };
  const { total } = survey;
  if (classes !== undefined && classes.count < total) {
    found.push(`${total - classes.count} of them are no ${classes.names[0]}: they will not be seen.`);
  }
  const free = await firstFree(around, place.base, filter, isAd ? spare.domain : spare.any.filter(allows));
  const keepsMemberOf = isAd || (await isThere(calls, place.base, parseFilter('(memberOf=*)')));
  const rdn = isAd
    ? 'CN={userPrincipalName}'
    : survey.namedBy.get('cn') === total && total > 0
      ? 'cn={cn}'
      : 'uid={uid}';
  const section: readonly DraftEntry[] = [
    { key: 'base', value: relativeTo(place.base, base), note: 'nothing outside is seen or touched' },
    { key: 'filter', value: isAd ? domainPeople : `(objectClass=${classes?.names[0] ?? 'person'})` },
    {
      key: 'create',
      value: {
        entries: [
          {
            key: 'dn',
            value: `${rdn},${relativeTo(place.into, base)}`,
            ...(isAd ? { note: 'CN={displayName} looks nicer and fails for two people of one name' } : {}),
          },
          {
            key: 'objectClasses',
            value: isAd ? ['top', 'person', 'organizationalPerson', 'user'] : (classes?.names ?? ['inetOrgPerson']),
          },
        ],
      },
    },
    ...(groups === undefined || keepsMemberOf ? [] : [inverseBySearch]),
  ];
  await warnOfLock(around);
  const demands = (name: string): boolean => classes?.must.has(name.toLowerCase()) === true;
  const mapping = peopleRules({ server, allows, demands, free, hasGroups: groups !== undefined });
  return { type: 'User', entity: 'people', section, mapping, holds: allows };
}

/** OpenLDAP's overlay heeds the lock only under a policy that has lockout: without, a disabled person still signs in. */
async function warnOfLock({ server, calls, base, found }: Surroundings): Promise<void> {
  if (isDomain(server) || server.kind === '389-ds' || server.schema.attribute('pwdAccountLockedTime') === undefined)
    return;
  if (await isThere(calls, base, parseFilter('(&(objectClass=pwdPolicy)(pwdLockout=TRUE))'))) return;
  found.push('No policy with "pwdLockout: TRUE" was seen: without one, a person who is not active still signs in.');
}

const inverseBySearch: DraftEntry = {
  key: 'inverse',
  value: 'search',
  note: 'no memberOf was seen. Where the server keeps it, leave this line out: that is quicker',
};
