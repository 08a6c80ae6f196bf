import type { Change, ChildRecord } from '../backend/adapter.js';
import type { ResolvedFilter } from '../scim/attribute-path.js';
import { asComplex, type ComplexValue } from '../scim/attribute-value.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { JsonValue } from '../scim/schema.js';
import { cannotBeCleared, type PatchContext } from './patch-plan.js';
import type { RecordsPlan, ReferencePlan, ReferencesPlan } from './plan.js';
import { encodeList, type FieldValues, referencedId } from './write.js';

export type MembersPlan = RecordsPlan | ReferencesPlan;

/** What operations on a list of references come to, in ids. */
export interface MembersChange {
  /** True when the list is given as a whole: `added` is all of it. */
  readonly isWhole: boolean;
  readonly added: ReadonlyMap<string, ComplexValue>;
  readonly removed: ReadonlySet<string>;
}

/**
 * Folds operations on a list of references. Nothing here depends on the list's size: an id that is added is added, one
 * that is removed is removed, whatever else the group holds.
 * @returns undefined when an operation can only be understood with the present members at hand
 */
export function foldMembers(operations: readonly PatchOperation[]): MembersChange | undefined {
  let isWhole = false;
  const added = new Map<string, ComplexValue>();
  const removed = new Set<string>();
  const add = (elements: readonly JsonValue[]): void => {
    for (const element of elements) {
      const value = asComplex(element);
      const id = referencedId(value);
      if (id === undefined) continue;
      added.set(id, value);
      removed.delete(id);
    }
  };
  const remove = (ids: Iterable<string>): void => {
    for (const id of ids) {
      added.delete(id);
      if (!isWhole) removed.add(id);
    }
  };
  for (const { op, filter, sub, value, listed } of operations) {
    const elements = value === undefined ? [] : (value as readonly JsonValue[]);
    if (sub !== undefined) return undefined;
    if (op === 'remove' && filter !== undefined) {
      const ids = idsIn(filter);
      if (ids === undefined) return undefined;
      remove(ids);
    } else if (filter !== undefined) return undefined;
    else if (op === 'add') add(elements);
    else if (op === 'remove' && listed !== undefined) {
      const ids = listed.map((item) => referencedId(asComplex(item)));
      if (ids.includes(undefined)) return undefined;
      remove(ids as readonly string[]);
    } else {
      isWhole = true;
      added.clear();
      removed.clear();
      if (op === 'replace') add(elements);
    }
  }
  return { isWhole, added, removed };
}

/** The ids of `value eq "a"` or of several joined by `or`. */
function idsIn(filter: ResolvedFilter): readonly string[] | undefined {
  const terms = filter.kind === 'or' ? filter.operands : [filter];
  const ids: string[] = [];
  for (const term of terms) {
    if (term.kind !== 'compare' || term.op !== 'eq' || typeof term.value !== 'string') return undefined;
    if (term.path.sub?.name !== 'value') return undefined;
    ids.push(term.value);
  }
  return ids;
}

export function planMembers(
  plan: MembersPlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  const { reference } = plan;
  const folded = foldMembers(operations);
  if (folded === undefined || reference === undefined) return undefined;
  const { isWhole, added, removed } = folded;
  const addedValues = encodeList(plan, [...added.values()], context);
  const mayRunEmpty = addedValues.length === 0 && (plan.required || plan.attribute.required);
  if (isWhole) {
    if (mayRunEmpty) throw cannotBeCleared(plan.attribute.path, operations.at(-1)?.op);
    return [{ op: 'set', field: plan.field, values: addedValues }];
  }
  // Whether the last one is taken out of a required list, only the present members show.
  if (mayRunEmpty && removed.size > 0) return undefined;
  const changes: Change[] = [];
  const removedValues = removalValues(plan, reference, removed, context);
  if (removedValues.length > 0) changes.push({ op: 'remove', field: plan.field, values: removedValues });
  if (addedValues.length > 0) changes.push({ op: 'add', field: plan.field, values: addedValues });
  return changes;
}

/** An id that names nothing here is nobody's member: taking it away is a success that changes nothing. */
function removalValues(
  plan: MembersPlan,
  reference: ReferencePlan,
  ids: ReadonlySet<string>,
  context: PatchContext,
): FieldValues {
  const stored = [...ids].flatMap((id) => context.references.sought(reference, id) ?? []);
  if (plan.kind === 'references') return stored;
  const field = plan.leaves.find((leaf) => leaf.reference !== undefined)?.field;
  return field === undefined ? [] : stored.map((value): ChildRecord => ({ [field]: value }));
}
