import type { BackendRecord, Change } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { hasEnded } from '../backend/has-ended.js';
import { changesBetween } from '../mapping/diff.js';
import { type PatchPlan, planPatch } from '../mapping/patch-plan.js';
import { emptiedFields, patchedResource } from '../mapping/patch-state.js';
import { type MappingPlan, type ReferencePlan, referenceOf } from '../mapping/plan.js';
import { referencedId } from '../mapping/write.js';
import { asComplex } from '../scim/attribute-value.js';
import { type PatchOperation, parsePatch } from '../scim/patch-parser.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import { conflictError } from './conflict.js';
import { switchedOff } from './create-resource.js';
import { updateFollowed } from './follow-keys.js';
import { meaningOfOperation } from './meaning.js';
import { type IfMatch, needsRevision, parseIfMatch } from './preconditions.js';
import { fetchForChange } from './read-resource.js';
import { answerChange, hasProjection, headersOf, projectionOf, type UseCase } from './resource-answers.js';
import { referencedIds } from './resource-input.js';
import { checkIfMatch, revisionOption, withFreshRevision } from './revision-loop.js';
import type { Preconditions, ProjectionRequest, RequestContext, ResourceAnswer } from './service.js';

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
  if (context.meant !== undefined) for (const operation of operations) context.meant(meaningOfOperation(operation));
  const ifMatch = parseIfMatch(conditions, runtime);
  // A group may be huge: its members are neither read nor sent unless the caller asks.
  const isBrief = !hasProjection(request) && isUnbounded(runtime.plan);
  const projection = projectionOf(
    runtime,
    request,
    new Set(operations.flatMap(({ attribute, sub }) => [attribute.path, ...(sub === undefined ? [] : [sub.path])])),
  );
  const fields = isBrief ? ['$revision', '$created', '$modified'] : runtime.reader.fieldsFor(projection);
  const noting = onceEach(context);
  const record = await withFreshRevision({ ifMatch, id, queue: useCase.queue }, () =>
    attempt(useCase, id, operations, ifMatch, fields, noting),
  );
  return isBrief
    ? { status: 204, ...headersOf(runtime, record, context) }
    : answerChange(useCase, 200, record, projection, context);
}

/** What is dropped is told once, however often a change is worked out anew. */
export function onceEach(context: RequestContext): RequestContext {
  const told = new Set<string>();
  return {
    // Not spread: the signal is made when somebody asks for it, and is no property of the object's own.
    caller: context.caller,
    requestId: context.requestId,
    baseUrl: context.baseUrl,
    get signal() {
      return context.signal;
    },
    // Nobody who only wants to know whether the request has ended makes the signal for it.
    get hasEnded() {
      return hasEnded(context);
    },
    ...(context.deadlineMs === undefined ? {} : { deadlineMs: context.deadlineMs }),
    ...(context.trace === undefined ? {} : { trace: context.trace }),
    dropped(what, why) {
      const note = `${what}\u0000${why}`;
      if (!told.has(note)) context.dropped(what, why);
      told.add(note);
    },
  };
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
  const { runtime, references } = useCase;
  const { plan, dialect, reader } = runtime;
  const stores = await references.storeView(idsInOperations(plan, operations), context);
  const planned = planPatch(plan, operations, { references: stores, dropped: context.dropped, dialect });
  const changes = [...planned.changes];
  let current: BackendRecord | undefined;
  if (planned.needs.size > 0 || changes.length === 0 || needsRevision(ifMatch)) {
    const wanted = new Set(['$revision', ...fields, ...reader.fieldsOfAttributes(planned.needs)]);
    current = await fetchForChange(runtime, id, [...wanted], context);
    checkIfMatch(ifMatch, current);
    if (planned.needs.size > 0) changes.push(...(await changesFromState(useCase, current, planned, context)));
    if (changes.length === 0) return current;
  }
  const options = { fields, ...revisionOption(ifMatch, current, runtime.capabilities().revision) };
  try {
    const { record, changed } = await updateFollowed(useCase, id, changes, options, context);
    if (changed) references.forget(runtime.type.name, id);
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
  record: BackendRecord,
  planned: PatchPlan,
  context: RequestContext,
): Promise<readonly Change[]> {
  const { plan, reader, dialect } = runtime;
  const { operations, needs } = planned;
  const { dropped } = context;
  const wants = (attribute: Attribute): boolean => needs.has(attribute);
  const view = await references.view(reader.references([record], wants), context);
  const before = reader.readForChange(record, wants, view);
  const { comparisonFor } = runtime.pushDown();
  const after = patchedResource(plan, before, planned, { dialect, comparisonFor, dropped });
  const oldIds = referencedIds(plan, before, needs);
  const stores = await references.storeView([...oldIds, ...referencedIds(plan, after, needs)], context);
  const old = new Set(oldIds.map(({ id }) => id));
  return changesBetween(
    plan,
    { record, before, after, attributes: needs, emptied: emptiedFields(plan, operations) },
    { references: stores, dropped, isOld: (id) => old.has(id) },
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
    const reference = referenceOf(attributePlan);
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
