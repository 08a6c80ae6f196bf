import type { BackendRecord, Change } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { diffFields } from '../mapping/diff.js';
import { planPatch } from '../mapping/patch-plan.js';
import { leavesOf, type MappingPlan, type ReferencePlan } from '../mapping/plan.js';
import { settleSlots } from '../mapping/slots.js';
import { applyValueRules, missingByRules } from '../mapping/value-rules.js';
import { encodeFields, referencedId, type WriteContext } from '../mapping/write.js';
import { ScimError } from '../scim/error.js';
import { applyPatch, asComplex, readAttribute } from '../scim/patch-apply.js';
import { type PatchOperation, parsePatch } from '../scim/patch-parser.js';
import type { Attribute, JsonValue, Resource } from '../scim/schema.js';
import { conflictError } from './conflict.js';
import { switchedOff } from './create-resource.js';
import { type IfMatch, parseIfMatch } from './preconditions.js';
import { fetchRecord } from './read-resource.js';
import { answerWith, hasProjection, headersOf, projectionOf, type UseCase } from './resource-answers.js';
import { referencedIds } from './resource-input.js';
import { checkIfMatch, revisionOption, withFreshRevision } from './revision-loop.js';
import type { Preconditions, ProjectionRequest, RequestContext, ResourceAnswer } from './service.js';
import { operationContext, type TypeRuntime } from './type-runtime.js';

/**
 * PATCH: operations become value-level field changes; only attributes whose operations depend on their present values are
 * read first. A PATCH that changes nothing writes nothing.
 * @see RFC 7644 §3.5.2
 */
export async function patchResource(
  useCase: UseCase,
  id: string,
  body: unknown,
  request: ProjectionRequest,
  conditions: Preconditions,
  context: RequestContext,
): Promise<ResourceAnswer> {
  const { runtime } = useCase;
  const { type, dialect, limits, enforceCanonical } = runtime;
  if (!runtime.operations.update) throw switchedOff(type.name, 'Changing');
  const { operations, ignored } = parsePatch(body, type, {
    dialect,
    id,
    maxOperations: limits.patchOperations,
    enforceCanonical,
  });
  for (const { path, why } of ignored) context.dropped(path, why);
  const ifMatch = parseIfMatch(conditions, runtime);
  // A group may be huge: its members are neither read nor sent unless the caller asks.
  const isBrief = !hasProjection(request) && isUnbounded(runtime.plan);
  const projection = projectionOf(
    runtime,
    request,
    new Set(operations.flatMap(({ attribute, sub }) => [attribute.path, ...(sub === undefined ? [] : [sub.path])])),
  );
  const fields = isBrief ? ['$revision', '$created', '$modified'] : runtime.reader.fieldsFor(projection);
  const record = await withFreshRevision(ifMatch, () => attempt(useCase, id, operations, ifMatch, fields, context));
  return isBrief
    ? { status: 204, ...headersOf(runtime, record, context) }
    : answerWith(useCase, 200, record, projection, context);
}

/** Types with a list of references that is written here (members) answer 204. */
function isUnbounded(plan: MappingPlan): boolean {
  return plan.attributes.some(
    (attributePlan) => 'reference' in attributePlan && attributePlan.reference !== undefined && attributePlan.written,
  );
}

async function attempt(
  useCase: UseCase,
  id: string,
  operations: readonly PatchOperation[],
  ifMatch: IfMatch,
  fields: readonly string[],
  context: RequestContext,
): Promise<BackendRecord> {
  const { runtime } = useCase;
  const { plan, dialect, adapter, entity } = runtime;
  const stores = await useCase.references.storeView(idsInOperations(plan, operations), context);
  const planned = planPatch(plan, operations, { references: stores, dropped: context.dropped, dialect });
  const changes = [...planned.changes];
  let current: BackendRecord | undefined;
  if (planned.needs.size > 0 || ifMatch.kind === 'oneOf') {
    const needed = runtime.reader.fieldsOfAttributes(planned.needs);
    current = await fetchRecord(runtime, id, ['$revision', ...needed], context);
    checkIfMatch(ifMatch, current);
    changes.push(...(await changesFromState(useCase, current, operations, planned.needs, context)));
  }
  if (changes.length === 0) {
    const unchanged = await fetchRecord(
      runtime,
      id,
      fields.includes('$revision') ? fields : ['$revision', ...fields],
      context,
    );
    checkIfMatch(ifMatch, unchanged);
    return unchanged;
  }
  const options = { fields, ...revisionOption(ifMatch, current, runtime.capabilities().revision) };
  try {
    const { record, changed } = await adapter.update(entity, id, changes, options, operationContext(context));
    if (changed) useCase.references.forget(runtime.type.name, id);
    return record;
  } catch (error) {
    if (error instanceof AdapterError && error.kind === 'conflict') {
      throw await conflictError(runtime, error, valuesSet(changes), context);
    }
    throw error;
  }
}

/** The values that changes set, for naming the holder of one that is taken. */
export function valuesSet(changes: readonly Change[]): BackendRecord {
  return Object.fromEntries(changes.flatMap((change) => ('values' in change ? [[change.field, change.values]] : [])));
}

/** Reads, applies, compares: the difference as field changes. */
async function changesFromState(
  { runtime, references }: UseCase,
  current: BackendRecord,
  operations: readonly PatchOperation[],
  needs: ReadonlySet<Attribute>,
  context: RequestContext,
): Promise<readonly Change[]> {
  const { plan, reader, dialect } = runtime;
  const wants = (attribute: Attribute): boolean => needs.has(attribute);
  const view = await references.view(reader.references([current], wants), context);
  const before = reader.read(current, wants, view);
  const own = operations.filter((operation) => needs.has(operation.attribute));
  const patched = applyPatch(before, own, {
    dialect,
    settle: (attribute, elements, added) => {
      const attributePlan = plan.byPath.get(attribute.path);
      return attributePlan?.kind === 'slots' ? settleSlots(attributePlan, elements, added) : elements;
    },
  });
  const after = applyValueRules(plan, patched, needs);
  checkStillRequired(runtime, after, needs);
  const stores = await references.storeView(
    [...referencedIds(plan, before, needs), ...referencedIds(plan, after, needs)],
    context,
  );
  const writing: WriteContext = { references: stores, dropped: context.dropped };
  const quiet: WriteContext = { references: stores, dropped: () => undefined };
  const was = encodeFields(plan, before, needs, current, quiet);
  const becomes = encodeFields(plan, after, needs, current, writing);
  return diffFields(Object.fromEntries(was), becomes);
}

/** @throws ScimError invalidValue when a required attribute has lost its value */
function checkStillRequired({ plan, type }: TypeRuntime, after: Resource, needs: ReadonlySet<Attribute>): void {
  const lost = [...needs]
    .filter((attribute) => attribute.required && readAttribute(after, attribute) === undefined)
    .map((attribute) => attribute.path);
  const byRules = missingByRules(
    { ...plan, attributes: plan.attributes.filter((attributePlan) => needs.has(attributePlan.attribute)) },
    after,
  );
  const [first] = [...lost, ...byRules];
  if (first !== undefined)
    throw ScimError.badRequest(
      'invalidValue',
      `"${first}" is required for a ${type.name} and cannot be left without a value.`,
    );
}

/** Ids that operations add or remove, to be looked up together. */
function idsInOperations(
  plan: MappingPlan,
  operations: readonly PatchOperation[],
): readonly { readonly reference: ReferencePlan; readonly id: string }[] {
  return operations.flatMap(({ attribute, sub, value, listed, filter }) => {
    const attributePlan = plan.byPath.get(attribute.path);
    if (attributePlan === undefined) return [];
    const reference =
      'reference' in attributePlan
        ? attributePlan.reference
        : leavesOf(attributePlan).find((leaf) => leaf.reference !== undefined)?.reference;
    if (reference === undefined) return [];
    const ids = new Set<string>();
    if (sub !== undefined && typeof value === 'string' && sub.name === 'value') ids.add(value);
    const elements = [
      ...(Array.isArray(value) ? (value as readonly JsonValue[]) : value === undefined ? [] : [value]),
      ...(listed ?? []),
    ];
    for (const element of elements) {
      const id = referencedId(asComplex(element));
      if (id !== undefined) ids.add(id);
    }
    const terms = filter === undefined ? [] : filter.kind === 'or' ? filter.operands : [filter];
    for (const term of terms) if (term.kind === 'compare' && typeof term.value === 'string') ids.add(term.value);
    return [...ids].map((id) => ({ reference, id }));
  });
}
