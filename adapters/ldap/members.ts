import { derefControl, derefIn } from './deref.js';
import type { Entry } from './directory.js';
import { normalizeDn } from './dn.js';
import { type EntityPlan, type FieldPlan, isInside, isLarge } from './entity-plan.js';
import { both, type LdapFilter } from './ldap-filter.js';
import type { ReadContext } from './read.js';
import { idOfEntry, known } from './references.js';
import type { DirectorySchema } from './schema.js';

/** Fewer members than these that are not known yet are as quickly looked up by their names. */
const fewest = 40;
/** Of more the answer of a server would be too long for one message. */
const most = 20_000;
/** Groups that are read in this way at once: of a long list all members are looked up together. */
const groupsAtOnce = 8;

/**
 * The ids of a large group's members by their normalised names, got in one go: OpenLDAP tells the members' own attributes
 * with the group, and Active Directory finds entries by what they are members of. Those that are not among them, for
 * whatever reason, are to be looked up by their names.
 */
export async function idsOfMembers(
  plan: EntityPlan,
  field: FieldPlan,
  entries: readonly Entry[],
  context: ReadContext,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const way = wayFor(plan, field);
  if (way === undefined) return found;
  const targets = field.targets.flatMap((target) => context.plans.get(target) ?? []);
  const large = entries.filter((entry) => {
    const values = entry.attributes.get(field.key) ?? [];
    if (values.length < fewest || values.length > most) return false;
    return context.references.unknownOf(targets, values.map(String)) >= fewest;
  });
  if (large.length > groupsAtOnce) return found;
  const all = await Promise.all(large.map((entry) => way(plan, field, entry, targets, context)));
  for (const ids of all) for (const [dn, id] of ids) found.set(dn, id);
  return found;
}

type Way = (
  plan: EntityPlan,
  field: FieldPlan,
  entry: Entry,
  targets: readonly EntityPlan[],
  context: ReadContext,
) => Promise<ReadonlyMap<string, string>>;

/** 389-DS knows the control as well, and is no quicker by it. */
function wayFor({ server }: EntityPlan, field: FieldPlan): Way | undefined {
  if (!isLarge(field)) return undefined;
  if (server.kind === 'openldap' && server.features.deref) return toldWithGroup;
  return server.kind === 'active-directory' && field.key === 'member' ? foundByGroup : undefined;
}

async function toldWithGroup(
  plan: EntityPlan,
  field: FieldPlan,
  entry: Entry,
  targets: readonly EntityPlan[],
  { calls, references }: ReadContext,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(targets.map(({ id }) => id.attribute)), 'objectClass'];
  const control = derefControl(field.attribute, wanted);
  const group = await calls.base(plan.entity, entry.dn, plan.filter, ['1.1'], [control]);
  const found = new Map<string, string>();
  for (const { dn, attributes } of group === undefined ? [] : derefIn(group)) {
    const classes = classesOf(attributes.get('objectclass') ?? [], plan.server.schema);
    const owner = ownerOf(dn, classes, targets);
    const id = owner === undefined ? undefined : idOfEntry(owner, { dn, attributes, controls: [] });
    if (owner === undefined || id === undefined) continue;
    references.remember(owner, { id, dn });
    found.set(normalizeDn(dn), id);
  }
  return found;
}

async function foundByGroup(
  _plan: EntityPlan,
  _field: FieldPlan,
  entry: Entry,
  targets: readonly EntityPlan[],
  { calls, references }: ReadContext,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const isMember: LdapFilter = { kind: 'equality', attribute: 'memberOf', value: entry.dn };
  for (const target of targets) {
    const filter = both([target.filter, isMember]);
    const request = { base: target.base, scope: target.scope, filter, attributes: [target.id.attribute] } as const;
    for (const member of (await calls.all(target.entity, request)).flatMap((one) => known(target, one))) {
      const normal = normalizeDn(member.dn);
      if (found.has(normal)) continue;
      references.remember(target, member);
      found.set(normal, member.id);
    }
  }
  return found;
}

/** The first target that the entry is one of; undefined where its classes alone do not tell. */
function ownerOf(dn: string, classes: ReadonlySet<string>, targets: readonly EntityPlan[]): EntityPlan | undefined {
  for (const target of targets) {
    if (!isInside(target, dn)) continue;
    const isOne = classes.size === 0 ? undefined : meets(target.filter, classes);
    if (isOne !== false) return isOne === true ? target : undefined;
  }
  return undefined;
}

/** Whether an entry of the classes meets the filter; undefined where it asks for more than classes. */
function meets(filter: LdapFilter, classes: ReadonlySet<string>): boolean | undefined {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const results = filter.operands.map((operand) => meets(operand, classes));
      const decides = filter.kind === 'or';
      if (results.includes(decides)) return decides;
      return results.includes(undefined) ? undefined : !decides;
    }
    case 'not': {
      const result = meets(filter.operand, classes);
      return result === undefined ? undefined : !result;
    }
    case 'present':
      return filter.attribute.toLowerCase() === 'objectclass' ? true : undefined;
    case 'equality':
      if (filter.attribute.toLowerCase() !== 'objectclass') return undefined;
      return classes.has(String(filter.value).toLowerCase());
    default:
      return undefined;
  }
}

/** With all that these are kinds of, since a search for the general one finds the special one too. */
function classesOf(names: readonly string[], schema: DirectorySchema): ReadonlySet<string> {
  const all = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const own = schema.objectClass(name);
    for (const known of [name, ...(own?.names ?? [])].map((one) => one.toLowerCase())) all.add(known);
    waiting.push(...(own?.superiors ?? []).filter((superior) => !all.has(superior.toLowerCase())));
  }
  return all;
}
