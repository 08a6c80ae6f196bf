import type { DraftEntry } from '../../src/backend/draft.js';
import type { Surroundings } from './draft.js';
import { classesOf } from './draft-classes.js';
import type { DraftedEntity } from './draft-people.js';
import { firstFree, isDomain, locate } from './draft-place.js';
import { externalIdRule } from './draft-rules.js';
import { type Place, relativeTo, type Survey } from './draft-survey.js';
import type { DirectorySchema } from './schema.js';

export type DraftedGroups = DraftedEntity;

/** Groups of the domain itself (Domain Admins …) are none of an identity provider's business. */
const domainGroups = '(&(objectClass=group)(!(isCriticalSystemObject=TRUE)))';
const anyGroups = '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))';
const names = ['groups', 'group', 'roles', 'teams'];
const spare = {
  domain: ['adminDescription', 'msDS-cloudExtensionAttribute1'],
  any: ['businessCategory', 'o'],
} as const;

/** The entity of groups and the rules of Group; undefined where there is no place for groups. */
export async function draftGroups(around: Surroundings): Promise<DraftedGroups | undefined> {
  const { server, base, found } = around;
  const isAd = isDomain(server);
  const filter = isAd ? domainGroups : anyGroups;
  const located = await locate(around, { type: 'Group', filter, names });
  if (located === undefined) {
    found.push('No groups, and no place for them: Group is left out. --groups says where they are to be.');
    return undefined;
  }
  const { place, survey } = located;
  if (!isAd && arePosix(survey)) return posixGroups(around, place);
  const own = isAd ? undefined : groupClass(survey, server.schema);
  const members = own?.names[0]?.toLowerCase() === 'groupofuniquenames' ? 'uniqueMember' : 'member';
  const objectClass = own?.names[0] ?? 'groupOfNames';
  const free = await firstFree(around, place.base, filter, isAd ? spare.domain : spare.any);
  const into = relativeTo(place.into, base);
  const create: readonly DraftEntry[] = isAd
    ? [
        { key: 'dn', value: `CN={cn},${into}` },
        { key: 'objectClasses', value: ['top', 'group'] },
        {
          key: 'attributes',
          value: { groupType: '-2147483646', sAMAccountName: '{cn}' },
          note: 'a global security group; universal is -2147483640',
        },
      ]
    : [
        { key: 'dn', value: `cn={cn},${into}` },
        { key: 'objectClasses', value: own?.names ?? [objectClass] },
      ];
  const holds = (name: string): boolean => {
    const names = server.schema.attribute(name)?.names.map((known) => known.toLowerCase());
    if (names === undefined || isAd) return names !== undefined;
    return names.some((known) => own?.must.has(known) === true || own?.may.has(known) === true);
  };
  return {
    type: 'Group',
    entity: 'groups',
    holds,
    section: [
      { key: 'base', value: relativeTo(place.base, base) },
      { key: 'filter', value: isAd ? domainGroups : `(objectClass=${objectClass})` },
      { key: 'create', value: { entries: create } },
      ...(server.features.emptyGroups ? [] : [emptyGroups]),
    ],
    mapping: [
      { key: 'displayName', value: { field: 'cn', required: true, unique: true } },
      ...externalIdRule(free),
      { key: 'members', value: { field: members, reference: { to: ['User', 'Group'] } } },
    ],
  };
}

const emptyGroups: DraftEntry = {
  key: 'emptyGroups',
  value: 'placeholder',
  note: 'a group must have a member here: one without holds an empty DN, which is never shown',
};

/** Most groups are of the kind whose members are user names (RFC 2307), and of no other. */
function arePosix({ classSets, total }: Survey): boolean {
  const others = ['groupofnames', 'groupofuniquenames'];
  const counts = classSets.map(({ classes, count }) => (classes.some((own) => others.includes(own)) ? 0 : count));
  return counts.reduce((sum, count) => sum + count, 0) * 2 > total;
}

async function posixGroups({ base, found, ...around }: Surroundings, place: Place): Promise<DraftedGroups> {
  const filter = '(objectClass=posixGroup)';
  found.push('Members of these groups are user names. New groups need a gidNumber each, so none are made.');
  const free = await firstFree({ base, found, ...around }, place.base, filter, ['description']);
  const create: readonly DraftEntry[] = [
    { key: 'dn', value: `cn={cn},${relativeTo(place.into, base)}` },
    { key: 'objectClasses', value: ['posixGroup'] },
    { key: 'attributes', value: { gidNumber: '10000' } },
  ];
  return {
    type: 'Group',
    entity: 'groups',
    holds: () => false,
    section: [
      { key: 'base', value: relativeTo(place.base, base) },
      { key: 'filter', value: filter },
      {
        key: 'create',
        value: { entries: create },
        note: 'gives all new groups one gidNumber: only where something else then gives each its own',
        isOffer: true,
      },
    ],
    mapping: [
      { key: 'displayName', value: { field: 'cn', required: true, unique: true } },
      ...externalIdRule(free),
      { key: 'members', value: { field: 'memberUid', reference: { to: ['User'], by: 'uid' } } },
    ],
  };
}

function groupClass(survey: Survey, schema: DirectorySchema) {
  return classesOf(survey, schema, 'groupOfNames', new Set(['objectclass', 'cn', 'member', 'uniquemember']), 'cn');
}
