/** Fields that refer to resources of a type, and how they are mended when one of those goes or is called otherwise. */
import type { Change, Condition, OperationContext, Scalar } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { childrenOf, idOf, scalarsOf } from '../backend/record.js';
import { leavesOf, type ReferencePlan } from '../mapping/plan.js';
import type { TypeRuntime } from './type-runtime.js';

/** A field of `owner` that may refer to a resource of `target`. */
export interface Referrer {
  readonly owner: TypeRuntime;
  readonly target: TypeRuntime;
  /** Other types that the field may refer to. */
  readonly alternatives: readonly TypeRuntime[];
  readonly field: string;
  /** Of child records: the child's field. */
  readonly child: string | undefined;
  readonly isMultiple: boolean;
  /** The field of the target that the values hold; `$id` is its id. */
  readonly key: string;
}

/** Every field that is written here and may refer to the type. */
export function referrersOf(types: Iterable<TypeRuntime>, target: TypeRuntime): readonly Referrer[] {
  const all = [...types];
  return all.flatMap((owner) => referringFields(owner, target, all));
}

function referringFields(owner: TypeRuntime, target: TypeRuntime, all: readonly TypeRuntime[]): readonly Referrer[] {
  const { name } = target.type;
  const shared = (reference: ReferencePlan): Pick<Referrer, 'owner' | 'target' | 'alternatives' | 'key'> => ({
    owner,
    target,
    alternatives: all.filter((other) => other !== target && reference.targets.includes(other.type.name)),
    key: reference.by[name] ?? '$id',
  });
  const refers = (reference: ReferencePlan | undefined): reference is ReferencePlan =>
    reference?.targets.includes(name) === true;
  return owner.plan.attributes.flatMap((attributePlan): readonly Referrer[] => {
    if (attributePlan.kind === 'records' || attributePlan.kind === 'references') {
      const { reference, written, field } = attributePlan;
      if (!written || !refers(reference)) return [];
      const child =
        attributePlan.kind === 'records'
          ? attributePlan.leaves.find((leaf) => leaf.reference !== undefined)?.field
          : undefined;
      return [{ ...shared(reference), field, child, isMultiple: true }];
    }
    return leavesOf(attributePlan).flatMap(({ reference, written, field, multiple }) =>
      written && refers(reference) ? [{ ...shared(reference), field, child: undefined, isMultiple: multiple }] : [],
    );
  });
}

/** Whether owner and target live in different backends, of which neither knows the other. */
export function isForeign({ owner, target }: Referrer): boolean {
  return owner.backend !== target.backend;
}

/** Whether the gateway has to mend it: one backend that keeps integrity does so among its own entities. */
export function isOursToMend(referrer: Referrer): boolean {
  return isForeign(referrer) || !referrer.target.capabilities().referentialIntegrity;
}

/** Takes the value out of every record that holds it. */
export async function removeReferences(referrer: Referrer, value: Scalar, calls: OperationContext): Promise<void> {
  await changeHolders(referrer, value, removal(referrer, value), calls);
}

/** Puts the new value in the place of the old one in every record that holds it. */
export async function replaceReferences(
  referrer: Referrer,
  value: Scalar,
  now: Scalar,
  calls: OperationContext,
): Promise<void> {
  await changeHolders(referrer, value, replacement(referrer, value, now), calls);
}

/** Puts the new value beside the old one. @returns takes it out again where it was put */
export async function addBeside(
  referrer: Referrer,
  value: Scalar,
  now: Scalar,
  calls: OperationContext,
): Promise<() => Promise<void>> {
  const { owner, field, child, isMultiple } = referrer;
  if (!isMultiple || child !== undefined) return async () => undefined;
  const put = (op: 'add' | 'remove'): readonly Change[] => [{ op, field, values: [now] }];
  const touched = await changeHolders(referrer, value, put('add'), calls);
  return async () => {
    for (const id of touched) await changeHolder(owner, id, put('remove'), calls);
  };
}

function removal({ field, child }: Referrer, value: Scalar): readonly Change[] {
  return [{ op: 'remove', field, values: child === undefined ? [value] : [{ [child]: value }] }];
}

function replacement(referrer: Referrer, value: Scalar, now: Scalar): readonly Change[] {
  const { field, child, isMultiple } = referrer;
  if (child !== undefined) return [{ op: 'updateWhere', field, where: equals(child, value), set: { [child]: now } }];
  if (!isMultiple) return [{ op: 'set', field, values: [now] }];
  return [...removal(referrer, value), { op: 'add', field, values: [now] }];
}

function equals(path: string, value: Scalar): Condition {
  return { kind: 'compare', path, op: 'eq', value: typeof value === 'string' ? value : String(value) };
}

/** @returns the ids of the records that were changed by it */
async function changeHolders(
  referrer: Referrer,
  value: Scalar,
  changes: readonly Change[],
  calls: OperationContext,
): Promise<readonly string[]> {
  const changed: string[] = [];
  for await (const record of holders(referrer, value, calls)) {
    const id = idOf(record);
    if (await changeHolder(referrer.owner, id, changes, calls)) changed.push(id);
  }
  return changed;
}

async function changeHolder(
  { backend, entity }: TypeRuntime,
  id: string,
  changes: readonly Change[],
  calls: OperationContext,
): Promise<boolean> {
  try {
    return (await backend.update(entity, id, changes, { fields: [] }, calls)).changed;
  } catch (error) {
    // Somebody deleted it in the meantime: it refers to nothing any more.
    if (error instanceof AdapterError && error.kind === 'notFound') return false;
    throw error;
  }
}

/** The records that hold the value: by a condition where the backend can, else by a look-up, else by reading all. */
async function* holders({ owner, field, child }: Referrer, value: Scalar, calls: OperationContext) {
  const { backend, entity } = owner;
  const capability = owner.capabilities().fields[field];
  const asked = child === undefined ? capability : capability?.children?.[child];
  if (asked?.operators.eq !== undefined) {
    const compare = equals(child ?? field, value);
    const filter: Condition = child === undefined ? compare : { kind: 'valuePath', path: field, filter: compare };
    yield* backend.scan({ entity, filter, fields: [] }, calls);
  } else if (child === undefined) {
    yield* await backend.lookup(entity, { by: field, values: [value], fields: [] }, calls);
  } else {
    for await (const record of backend.scan({ entity, fields: [field] }, calls)) {
      if (childrenOf(record, field).some((one) => String(one[child]) === String(value))) yield record;
    }
  }
}

/** What the referrers' fields hold of one record. */
export function keyOfRecord(record: Parameters<typeof scalarsOf>[0], key: string): Scalar | undefined {
  return key === '$id' ? idOf(record) : scalarsOf(record, key)[0];
}
