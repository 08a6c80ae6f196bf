import type { Calls } from './calls.js';
import type { Entry } from './directory.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { everything, type LdapFilter, nothing } from './ldap-filter.js';
import type { ReadContext } from './read.js';

/**
 * Active Directory keeps a user's primary group (Domain Users) apart from the others: as a number, which is the end of the
 * group's SID (MS-ADTS section 3.1.1.4.5.11).
 */
export function hasPrimaryGroup(field: FieldPlan, plan: EntityPlan): boolean {
  return plan.server.kind === 'active-directory' && field.key === 'memberof' && field.form === 'reference';
}

const numberName = 'primaryGroupID';
const sidName = 'objectSid';
/** What the primary group of an entry is worked out from. */
export const primaryGroupAttributes: readonly string[] = [numberName, sidName];

/** The ids of the entries' primary groups, where these are in the field's target. */
export async function primaryGroupsOf(
  field: FieldPlan,
  entries: readonly Entry[],
  { plans, references, calls }: ReadContext,
): Promise<ReadonlyMap<Entry, string>> {
  const sids = new Map<Entry, string>();
  for (const entry of entries) {
    const sid = groupSid(entry);
    if (sid !== undefined) sids.set(entry, sid);
  }
  const ids = await references.idsOfSids(plans, field.targets, [...new Set(sids.values())], calls);
  return new Map([...sids].flatMap(([entry, sid]) => (ids.has(sid) ? [[entry, ids.get(sid) ?? '']] : [])));
}

/** In hexadecimal: the SID of the user with another last number, of 4 bytes that are turned (MS-DTYP section 2.4.2.2). */
function groupSid({ attributes }: Entry): string | undefined {
  const own = attributes.get(sidName.toLowerCase())?.[0];
  const number = Number(attributes.get(numberName.toLowerCase())?.[0]);
  if (own === undefined || typeof own === 'string' || own.length < 12 || !Number.isInteger(number)) return undefined;
  const sid = Buffer.from(own);
  sid.writeUInt32LE(number, sid.length - 4);
  return sid.toString('hex');
}

/** A search for members of a group also looks for those whose primary group it is. */
export async function withPrimaryGroups(
  filter: LdapFilter,
  groups: EntityPlan | undefined,
  dns: Iterable<string>,
  calls: Calls,
): Promise<LdapFilter> {
  const numbers = new Map<string, string>();
  for (const dn of groups === undefined ? [] : dns) {
    const entry = groups === undefined ? undefined : await calls.base(groups.entity, dn, groups.filter, [sidName]);
    const sid = entry?.attributes.get(sidName.toLowerCase())?.[0];
    if (sid === undefined || typeof sid === 'string' || sid.length < 12) continue;
    numbers.set(dn, String(Buffer.from(sid).readUInt32LE(sid.length - 4)));
  }
  return numbers.size === 0 ? filter : replaced(filter, numbers);
}

function replaced(filter: LdapFilter, numbers: ReadonlyMap<string, string>): LdapFilter {
  if (filter === everything || filter === nothing) return filter;
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, operands: filter.operands.map((operand) => replaced(operand, numbers)) };
    case 'not':
      return { kind: 'not', operand: replaced(filter.operand, numbers) };
    case 'equality': {
      const value = filter.attribute.toLowerCase() === 'memberof' ? numbers.get(String(filter.value)) : undefined;
      if (value === undefined) return filter;
      return { kind: 'or', operands: [filter, { kind: 'equality', attribute: numberName, value }] };
    }
    default:
      return filter;
  }
}
