import type { Entry } from './directory.js';
import type { EntityPlan } from './entity-plan.js';
import { isInside } from './entity-plan.js';
import { storedId } from './filters.js';
import { both, type LdapFilter } from './ldap-filter.js';
import type { ReadContext } from './read.js';
import { idOfEntry } from './references.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/**
 * The entry of an id, with the attributes. The entity's base, scope and filter hold in every search, so that no id reaches
 * an entry outside.
 * @returns undefined when there is none, also for a text that could never be an id
 */
export async function findEntry(
  plan: EntityPlan,
  id: string,
  attributes: readonly string[],
  context: ReadContext,
): Promise<Entry | undefined> {
  const value = storedId(plan, id);
  if (value === undefined) return undefined;
  const names = [...new Set([plan.id.attribute, ...attributes])];
  const entry = await (plan.server.features.guidDn && plan.id.key === 'objectguid'
    ? byGuid(plan, id.slice(plan.idPrefix.length), names, context)
    : byAttribute(plan, { kind: 'equality', attribute: plan.id.attribute, value }, id, names, context));
  if (entry !== undefined) context.references.remember(plan, { id, dn: entry.dn });
  else context.references.forget(plan, id);
  return entry;
}

/** Active Directory finds an object by its GUID without a search. */
async function byGuid(plan: EntityPlan, guid: string, names: readonly string[], { calls }: ReadContext) {
  try {
    const entry = await calls.base(plan.entity, `<GUID=${guid}>`, plan.filter, names);
    return entry !== undefined && isInside(plan, entry.dn) ? entry : undefined;
  } catch (error) {
    if (hasResultCode(error, resultCode.noSuchObject, resultCode.invalidDnSyntax)) return undefined;
    throw error;
  }
}

async function byAttribute(
  plan: EntityPlan,
  isIt: LdapFilter,
  id: string,
  attributes: readonly string[],
  { calls }: ReadContext,
): Promise<Entry | undefined> {
  const filter = both([plan.filter, isIt]);
  const request = { base: plan.base, scope: plan.scope, filter, attributes, sizeLimit: 2 } as const;
  const { entries } = await calls.search(plan.entity, request);
  // Of an attribute of one's choice the server may take more than one spelling.
  return entries.find((entry) => idOfEntry(plan, entry) === id);
}
