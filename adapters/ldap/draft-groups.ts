import type { DraftEntry } from '../../src/backend/draft.js';
import type { Surroundings } from './draft.js';
import { classesOf } from './draft-classes.js';
import type { DraftedEntity } from './draft-people.js';
import { firstFree, isDomain, locate } from './draft-place.js';
import { externalIdRule } from './draft-rules.js';
import { relativeTo, type Survey } from './draft-survey.js';
import type { DirectorySchema } from './schema.js';

export type DraftedGroups = DraftedEntity;

/** Groups of the domain itself (Domain Admins …) are none of an identity provider's business. */
const domainGroups = '(&(objectClass=group)(!(isCriticalSystemObject=TRUE)))';
const anyGroups = '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))';
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
  return {
    type: 'Group',
    entity: 'groups',
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

function groupClass(survey: Survey, schema: DirectorySchema) {
  return classesOf(survey, schema, 'groupOfNames', new Set(['objectclass', 'cn', 'member', 'uniquemember']), 'cn');
}
