import type { Calls } from './calls.js';
import type { AttributeChange } from './changes.js';
import type { AttributeValue, Rename, RequestControl } from './directory.js';
import { childDn, parentOf, type Rdn, rdnOf } from './dn.js';
import type { EntityPlan, EntityPlans, FieldPlan } from './entity-plan.js';
import { both, either, type LdapFilter } from './ldap-filter.js';
import type { ReadContext } from './read.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** Renames or moves an entry, so that its former name is not among its values any more. */
export async function renameEntry(
  plan: EntityPlan,
  dn: string,
  rename: Rename,
  controls: readonly RequestControl[],
  calls: Calls,
): Promise<void> {
  try {
    await calls.rename(plan.entity, dn, rename, controls);
  } catch (error) {
    if (!failsOnFormerName(error)) throw error;
    await calls.rename(plan.entity, dn, { ...rename, deleteOldRdn: false }, controls);
    const newRdn = rdnOf(rename.newRdn);
    await takeOut(plan, childDn(newRdn, rename.newSuperior ?? parentOf(dn)), formerParts(rdnOf(dn), newRdn), calls);
  }
}

/**
 * 389-DS's plug-in "attribute uniqueness" tries a rename on a copy of the entry first, and cannot take a former name out of
 * it that has an escape.
 */
function failsOnFormerName(error: unknown): boolean {
  return hasResultCode(error, resultCode.operationsError) && /attribute uniqueness/i.test(error.diagnostic);
}

function formerParts(old: Rdn, now: Rdn): Rdn {
  const isKept = (part: Rdn[number]): boolean =>
    now.some(({ type, value }) => type.toLowerCase() === part.type.toLowerCase() && value === part.value);
  return old.filter((part) => !isKept(part));
}

async function takeOut(plan: EntityPlan, dn: string, parts: Rdn, calls: Calls): Promise<void> {
  const gone = parts.map(({ type, value }) => ({ op: 'delete', name: type, values: [value] }) as const);
  try {
    if (gone.length > 0) await calls.modify(plan.entity, dn, gone, []);
  } catch (error) {
    // The server takes the former value for the new one, which differs in letter case alone.
    if (!hasResultCode(error, resultCode.noSuchAttribute, resultCode.notAllowedOnRdn)) throw error;
  }
}

/**
 * Where the server does not do it itself, puts the new name of an entry in place of the old one in all fields that refer
 * to it: else the references would be lost, and a later entry of the old name would inherit them.
 */
export async function mendRenamed(oldDn: string, newDn: string, context: ReadContext): Promise<void> {
  for (const plan of context.plans.values()) {
    // Active Directory keeps references itself.
    if (plan.server.kind === 'active-directory') continue;
    const fields = referringFields(plan);
    if (fields.length > 0) await mendIn(plan, fields, oldDn, newDn, context);
  }
}

function referringFields(plan: EntityPlan): readonly FieldPlan[] {
  return [...plan.fields.values()].filter(
    ({ form, type, isWritable }) => isWritable && (form === 'reference' || form === 'dn') && type !== undefined,
  );
}

async function mendIn(
  plan: EntityPlan,
  fields: readonly FieldPlan[],
  oldDn: string,
  newDn: string,
  context: ReadContext,
): Promise<void> {
  const refers = fields.map(({ attribute }): LdapFilter => ({ kind: 'equality', attribute, value: oldDn }));
  const filter = both([plan.filter, either(refers)]);
  const request = { base: plan.base, scope: plan.scope, filter, attributes: ['1.1'] } as const;
  for (const entry of await context.calls.all(plan.entity, request)) {
    for (const { attribute } of fields) {
      await replaceValue(plan, entry.dn, attribute, oldDn, newDn, context);
    }
  }
}

/** Whether a change of the field has to be followed by changes of entries that refer by it. */
export function isReferredTo(plans: EntityPlans, target: EntityPlan, field: string): boolean {
  return [...plans.values()].some((plan) => fieldsReferringBy(plan, target, field).length > 0);
}

function fieldsReferringBy(plan: EntityPlan, target: EntityPlan, by: string): readonly FieldPlan[] {
  return [...plan.fields.values()].filter(
    ({ use, isWritable, type }) =>
      use.reference?.by === by && use.reference.targets.includes(target.entity) && isWritable && type !== undefined,
  );
}

/**
 * The same for fields that hold another field of an entry than its name: memberUid of POSIX groups, which no server keeps.
 */
export async function mendChanged(
  target: EntityPlan,
  { field, before, after }: AttributeChange,
  context: ReadContext,
): Promise<void> {
  const [old] = before;
  const [now] = after;
  if (old === undefined || old === now) return;
  for (const plan of context.plans.values()) {
    const refers = fieldsReferringBy(plan, target, field.name);
    for (const { attribute } of refers) {
      const filter = both([plan.filter, { kind: 'equality', attribute, value: old }]);
      const request = { base: plan.base, scope: plan.scope, filter, attributes: ['1.1'] } as const;
      for (const entry of await context.calls.all(plan.entity, request)) {
        await replaceValue(plan, entry.dn, attribute, old, now, context);
      }
    }
  }
}

async function replaceValue(
  plan: EntityPlan,
  dn: string,
  name: string,
  old: AttributeValue,
  now: AttributeValue | undefined,
  { calls }: ReadContext,
): Promise<void> {
  const added = now === undefined ? [] : [{ op: 'add', name, values: [now] } as const];
  try {
    await calls.modify(plan.entity, dn, [{ op: 'delete', name, values: [old] }, ...added], []);
  } catch (error) {
    // The field holds it not (any more), or has the new one already.
    if (!hasResultCode(error, resultCode.noSuchAttribute, resultCode.attributeOrValueExists)) throw error;
  }
}
