import type { Change } from '../../src/backend/adapter.js';
import type { BlindChange, DnOfReference } from './changes.js';
import { isSameDn } from './dn.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import type { ReadContext } from './read.js';
import { ChangeSender } from './send-changes.js';

/** The DNs of all ids that changes name, as they are now. */
export async function referencesIn(
  plan: EntityPlan,
  changes: readonly Change[],
  context: ReadContext,
): Promise<DnOfReference> {
  const dns = new Map<string, ReadonlyMap<string, string>>();
  for (const [field, wanted] of idsIn(plan, changes, () => true)) {
    dns.set(field.name, await context.references.dnsOf(context.plans, field.targets, wanted, context.calls));
  }
  return (field, id) => dns.get(field.name)?.get(id);
}

/** So often names are looked at again when entries are renamed each time. */
const maxTries = 5;

/**
 * To be called after names were written that `dnOf` gave. Where an entry was renamed or deleted between the look at its
 * name and the write, the entry that holds the name now is not meant, or nobody is yet: it is put right.
 * @returns whether something was put right
 */
export async function settleReferences(
  plan: EntityPlan,
  dn: string,
  changes: readonly Change[],
  dnOf: DnOfReference,
  context: ReadContext,
): Promise<boolean> {
  const added = idsIn(plan, changes, ({ op }) => op === 'set' || op === 'add');
  if (added.size === 0) return false;
  let written = dnOf;
  for (let tries = 1; ; tries++) {
    const now = await referencesIn(plan, changes, context);
    const wrong = [...added].flatMap(([field, ids]) => wrongNames(field, ids, written, now));
    if (wrong.length === 0 || tries > maxTries) return tries > 1;
    await new ChangeSender(plan, context.calls).send(dn, [], wrong, [], false);
    written = now;
  }
}

function wrongNames(
  field: FieldPlan,
  ids: readonly string[],
  written: DnOfReference,
  now: DnOfReference,
): readonly BlindChange[] {
  const add: string[] = [];
  const remove: string[] = [];
  for (const id of ids) {
    const [was, is] = [written(field, id), now(field, id)];
    if (was === undefined || (is !== undefined && isSameDn(was, is))) continue;
    remove.push(was);
    if (is !== undefined) add.push(is);
  }
  return remove.length === 0 ? [] : [{ field, add, remove }];
}

function idsIn(
  plan: EntityPlan,
  changes: readonly Change[],
  counts: (change: Change) => boolean,
): ReadonlyMap<FieldPlan, readonly string[]> {
  const ids = new Map<FieldPlan, string[]>();
  for (const change of changes) {
    const field = plan.fields.get(change.field);
    if (field?.form !== 'reference' || !('values' in change) || change.values.length === 0 || !counts(change)) continue;
    ids.set(field, [...(ids.get(field) ?? []), ...change.values.map(String)]);
  }
  return ids;
}
