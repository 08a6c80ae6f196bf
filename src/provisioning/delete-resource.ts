import type { Condition, Scalar } from '../backend/adapter.js';
import { idOf, scalarsOf } from '../backend/record.js';
import { leavesOf, type ReferencePlan } from '../mapping/plan.js';
import { switchedOff } from './create-resource.js';
import { needsRevision, parseIfMatch } from './preconditions.js';
import { fetchRecord } from './read-resource.js';
import type { UseCase } from './resource-answers.js';
import { checkIfMatch, revisionOption } from './revision-loop.js';
import type { Preconditions, RequestContext } from './service.js';
import { operationContext, type TypeRuntime } from './type-runtime.js';

/**
 * DELETE. Where the backend does not keep referential integrity itself, fields that refer to the resource are mended
 * first: otherwise a re-created name would inherit old rights.
 * @see RFC 7644 §3.6
 */
export async function deleteResource(
  { runtime, references }: UseCase,
  types: ReadonlyMap<string, TypeRuntime>,
  id: string,
  conditions: Preconditions,
  context: RequestContext,
): Promise<void> {
  if (!runtime.operations.delete) throw switchedOff(runtime.type.name, 'Deleting');
  const ifMatch = parseIfMatch(conditions, runtime);
  const referring = [...types.values()].filter((other) => needsMending(other, runtime));
  if (needsRevision(ifMatch)) checkIfMatch(ifMatch, await fetchRecord(runtime, id, ['$revision'], context));
  // The id may be one of another type, whose references are not to be touched.
  else if (referring.length > 0) await fetchRecord(runtime, id, [], context);
  for (const other of referring) await mendReferences(other, runtime, id, context);
  const options = revisionOption(ifMatch, undefined, runtime.capabilities().revision);
  await runtime.adapter.delete(runtime.entity, id, options, operationContext(context));
  references.forget(runtime.type.name, id);
}

/** The fields of `owner` that may refer to a resource of `target`, and how they are written. */
function referringFields(
  owner: TypeRuntime,
  target: TypeRuntime,
): readonly { readonly field: string; readonly child: string | undefined; readonly reference: ReferencePlan }[] {
  return owner.plan.attributes.flatMap((attributePlan) => {
    if (attributePlan.kind === 'records' || attributePlan.kind === 'references') {
      const { reference, written, field } = attributePlan;
      if (reference === undefined || !written || !reference.targets.includes(target.type.name)) return [];
      const child =
        attributePlan.kind === 'records'
          ? attributePlan.leaves.find((leaf) => leaf.reference !== undefined)?.field
          : undefined;
      return [{ field, child, reference }];
    }
    return leavesOf(attributePlan).flatMap((leaf) =>
      leaf.reference?.targets.includes(target.type.name) === true && leaf.written
        ? [{ field: leaf.field, child: undefined, reference: leaf.reference }]
        : [],
    );
  });
}

/** One adapter that keeps integrity does so among its own entities. */
function needsMending(owner: TypeRuntime, target: TypeRuntime): boolean {
  if (owner.adapter === target.adapter && target.capabilities().referentialIntegrity) return false;
  return referringFields(owner, target).length > 0;
}

async function mendReferences(
  owner: TypeRuntime,
  target: TypeRuntime,
  id: string,
  context: RequestContext,
): Promise<void> {
  const calls = operationContext(context);
  for (const { field, child, reference } of referringFields(owner, target)) {
    const stored = await storedForm(target, id, reference, context);
    if (stored === undefined) continue;
    const compare: Condition = {
      kind: 'compare',
      path: child ?? field,
      op: 'eq',
      value: typeof stored === 'string' ? stored : String(stored),
    };
    const filter: Condition = child === undefined ? compare : { kind: 'valuePath', path: field, filter: compare };
    for await (const record of owner.adapter.scan({ entity: owner.entity, filter, fields: [] }, calls)) {
      const values = child === undefined ? [stored] : [{ [child]: stored }];
      await owner.adapter.update(
        owner.entity,
        idOf(record),
        [{ op: 'remove', field, values: values as readonly Scalar[] }],
        { fields: [] },
        calls,
      );
    }
  }
}

async function storedForm(
  target: TypeRuntime,
  id: string,
  reference: ReferencePlan,
  context: RequestContext,
): Promise<Scalar | undefined> {
  const by = reference.by[target.type.name] ?? '$id';
  if (by === '$id') return id;
  const record = await fetchRecord(target, id, [by], context);
  return scalarsOf(record, by)[0];
}
