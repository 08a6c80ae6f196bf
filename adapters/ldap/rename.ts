import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { both, either } from './filters.js';
import type { LdapFilter } from './ldap-filter.js';
import type { ReadContext } from './read.js';
import { hasResultCode, resultCode } from './wire-errors.js';

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
  { calls }: ReadContext,
): Promise<void> {
  const refers = fields.map(({ attribute }): LdapFilter => ({ kind: 'equality', attribute, value: oldDn }));
  const filter = both([plan.filter, either(refers)]);
  const request = { base: plan.base, scope: plan.scope, filter, attributes: ['1.1'] } as const;
  for (const entry of await calls.all(plan.entity, request)) {
    for (const { attribute } of fields) {
      try {
        const changes = [
          { op: 'delete', name: attribute, values: [oldDn] },
          { op: 'add', name: attribute, values: [newDn] },
        ] as const;
        await calls.modify(plan.entity, entry.dn, changes, []);
      } catch (error) {
        // The field holds it not, or the server was faster.
        if (!hasResultCode(error, resultCode.noSuchAttribute, resultCode.attributeOrValueExists)) throw error;
      }
    }
  }
}
