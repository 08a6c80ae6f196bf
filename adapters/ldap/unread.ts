import type { EncodedChange } from './changes.js';
import type { Modification } from './directory.js';
import { rdnOf } from './dn.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { storedId } from './filters.js';
import { both, either, type LdapFilter } from './ldap-filter.js';

/** Changes that can be made without reading the entry: the server checks with the write what reading would tell. */
export interface UnreadChanges {
  readonly modifications: readonly Modification[];
  /** It is that entry of the entity still, and something does change: a write that changes nothing would change its revision. */
  readonly condition: LdapFilter;
}

/**
 * For an entry whose name was seen a moment ago.
 * @returns undefined where the entry has to be read first: what is in its name or tells its entity, lists, references (see
 * `guards` in update.ts), and whatever the server could not compare
 */
export function withoutReading(
  plan: EntityPlan,
  { id, dn }: { readonly id: string; readonly dn: string },
  changes: readonly EncodedChange[],
): UnreadChanges | undefined {
  const value = storedId(plan, id);
  if (value === undefined || !plan.server.features.assertion) return undefined;
  const named = new Set(rdnOf(dn).map(({ type }) => type.toLowerCase()));
  const fields = changes.map(({ field }) => field);
  if (fields.some((field) => named.has(field.key) || isInName(plan, field) || tellsEntity(plan, field.key))) {
    return undefined;
  }
  if (!changes.every(isPlain) || new Set(fields).size < fields.length) return undefined;
  const isIt: LdapFilter = { kind: 'equality', attribute: plan.id.attribute, value };
  return {
    modifications: changes.map(({ field, values }) => ({ op: 'replace', name: field.attribute, values })),
    condition: both([isIt, either(changes.map(wouldChange))]),
  };
}

/** Whether the entity's filter depends on an attribute. */
export function tellsEntity({ filter }: EntityPlan, key: string): boolean {
  const names = (part: LdapFilter): boolean => {
    switch (part.kind) {
      case 'and':
      case 'or':
        return part.operands.some(names);
      case 'not':
        return names(part.operand);
      default:
        return part.attribute === undefined || part.attribute.toLowerCase() === key;
    }
  };
  return names(filter);
}

function isInName({ create }: EntityPlan, { name }: FieldPlan): boolean {
  return create?.dn.fields.has(name) === true;
}

/** A value in place of another, that the server can compare. */
function isPlain({ op, field, values }: EncodedChange): boolean {
  const isSingle = !field.use.multiple && values.length <= 1;
  const isCompared = field.type?.equality !== undefined && field.form !== 'reference' && field.form !== 'dn';
  return op === 'set' && isSingle && isCompared;
}

function wouldChange({ field: { attribute }, values }: EncodedChange): LdapFilter {
  const [value] = values;
  if (value === undefined) return { kind: 'present', attribute };
  return { kind: 'not', operand: { kind: 'equality', attribute, value } };
}
