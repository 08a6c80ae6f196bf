import type { BackendRecord } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { constantParts } from '../mapping/attribute-readers.js';
import { changesBetween } from '../mapping/diff.js';
import { reportNotTaken } from '../mapping/not-taken.js';
import {
  type AttributePlan,
  isWritten,
  type Leaf,
  leavesOf,
  type MappingPlan,
  type Slot,
  type SlotsPlan,
} from '../mapping/plan.js';
import { slotFor } from '../mapping/slots.js';
import { applyValueRules } from '../mapping/value-rules.js';
import { attributesIn } from '../mapping/write.js';
import { asComplex, type ComplexValue, deepEqual, readAttribute, writeAttribute } from '../scim/attribute-value.js';
import { ScimError } from '../scim/error.js';
import type { ParsedBody } from '../scim/resource-parser.js';
import type { Attribute, JsonValue, MutableResource, Resource } from '../scim/schema.js';
import { conflictError } from './conflict.js';
import { switchedOff, writtenPaths } from './create-resource.js';
import { updateFollowed } from './follow-keys.js';
import { onceEach, valuesSet } from './patch-resource.js';
import { type IfMatch, parseIfMatch } from './preconditions.js';
import { fetchForChange } from './read-resource.js';
import { answerChange, checkAnswerable, projectionOf, type UseCase } from './resource-answers.js';
import { checkRequired, parseInput, referencedIds } from './resource-input.js';
import { checkIfMatch, revisionOption, withFreshRevision } from './revision-loop.js';
import type { Preconditions, ProjectionRequest, RequestContext, ResourceAnswer } from './service.js';

/**
 * PUT: what the caller leaves out is cleared, except what a rule keeps (active, password). It is sent to the backend as the
 * difference, and touches only fields that a rule writes.
 * @see RFC 7644 §3.5.1
 */
export async function replaceResource(
  useCase: UseCase,
  id: string,
  body: unknown,
  request: ProjectionRequest,
  conditions: Preconditions,
  context: RequestContext,
): Promise<ResourceAnswer> {
  const { runtime } = useCase;
  if (!runtime.operations.update) throw switchedOff(runtime.type.name, 'Changing');
  const parsed = parseInput(runtime, body, context);
  const ifMatch = parseIfMatch(conditions, runtime);
  const projection = projectionOf(runtime, request, writtenPaths(useCase, parsed.resource));
  checkAnswerable(runtime, parsed.resource, projection);
  const fields = runtime.reader.fieldsFor(projection);
  const noting = onceEach(context);
  const record = await withFreshRevision({ ifMatch, id, queue: useCase.queue }, () =>
    attempt(useCase, id, parsed, ifMatch, fields, noting),
  );
  return answerChange(useCase, 200, record, projection, context);
}

async function attempt(
  useCase: UseCase,
  id: string,
  parsed: ParsedBody,
  ifMatch: IfMatch,
  fields: readonly string[],
  context: RequestContext,
): Promise<BackendRecord> {
  const { runtime, references } = useCase;
  const { plan, reader } = runtime;
  const owned = new Set(plan.attributes.filter(isWritten).map((attributePlan) => attributePlan.attribute));
  // What is only read is compared too: put back as it was got, nothing of it is lost.
  const compared = new Set([...owned, ...attributesIn(plan, parsed.resource)]);
  const wants = (attribute: Attribute): boolean => compared.has(attribute);
  const needed = [...new Set([...fields, '$revision', ...reader.fieldsOfAttributes(compared)])];
  const current = await fetchForChange(runtime, id, needed, context);
  checkIfMatch(ifMatch, current);
  const view = await references.view(reader.references([current], wants), context);
  const before = reader.read(current, wants, view);
  const after = applyValueRules(plan, withKept(plan, parsed, before), before);
  checkRequired(runtime, after);
  reportNotTaken(plan, parsed.resource, before, context.dropped);
  const oldIds = referencedIds(plan, before, owned);
  const stores = await references.storeView([...oldIds, ...referencedIds(plan, after, owned)], context);
  const old = new Set(oldIds.map((reference) => reference.id));
  const changes = changesBetween(
    plan,
    { record: current, before, after, attributes: owned, emptied: emptiedFields(plan, parsed) },
    { references: stores, dropped: context.dropped, isOld: (each) => old.has(each) },
  );
  if (changes.length === 0) return current;
  const options = { fields, ...revisionOption(ifMatch, current, runtime.capabilities().revision) };
  try {
    const { record } = await updateFollowed(useCase, id, changes, options, context);
    references.forget(runtime.type.name, id);
    return record;
  } catch (error) {
    if (error instanceof AdapterError && error.kind === 'conflict')
      throw await conflictError(runtime, error, valuesSet(changes), context);
    throw error;
  }
}

/** Fields that no rule reads and that the caller empties: by saying so, or by leaving out what a rule does not keep. */
function emptiedFields(plan: MappingPlan, { resource, cleared }: ParsedBody): ReadonlySet<string> {
  const fields = plan.attributes.flatMap((attributePlan) => {
    const { attribute } = attributePlan;
    const isCleared = cleared.has(attribute.path);
    const value = readAttribute(resource, attribute);
    if (attributePlan.kind === 'records' || attributePlan.kind === 'references')
      return value === undefined && (isCleared || !attributePlan.keepWhenOmitted) ? [attributePlan.field] : [];
    return leavesOf(attributePlan).flatMap((leaf) =>
      isCleared || cleared.has(leaf.attribute.path) || !leaf.keepWhenOmitted ? [leaf.field] : [],
    );
  });
  return new Set(fields);
}

/**
 * The resource after the replacement: as sent, and what was left out and a rule keeps as it was.
 * @throws ScimError mutability when an immutable attribute would get another value
 */
function withKept(plan: MappingPlan, { resource, cleared }: ParsedBody, before: Resource): Resource {
  const after: MutableResource = { ...resource };
  for (const attributePlan of plan.attributes) {
    const { attribute } = attributePlan;
    const old = readAttribute(before, attribute);
    if (old === undefined) continue;
    const sent = readAttribute(resource, attribute);
    if (attribute.mutability === 'immutable') {
      if (sent !== undefined && !deepEqual(sent, old)) throw cannotChange(attribute);
      writeAttribute(after, attribute, old);
    } else if (!cleared.has(attribute.path)) {
      writeAttribute(after, attribute, keptValue(attributePlan, sent, old, cleared));
    }
  }
  return after;
}

function cannotChange({ path }: Attribute): ScimError {
  return ScimError.badRequest('mutability', `"${path}" cannot be changed once set (RFC 7644 §3.5.1).`);
}

/** The attribute's value with what the caller left out of it and a rule keeps. */
function keptValue(
  plan: AttributePlan,
  sent: JsonValue | undefined,
  old: JsonValue,
  cleared: ReadonlySet<string>,
): JsonValue | undefined {
  switch (plan.kind) {
    case 'simple':
      return sent ?? (plan.leaf.keepWhenOmitted ? old : undefined);
    case 'records':
    case 'references':
      return sent ?? (plan.keepWhenOmitted ? old : undefined);
    case 'complex':
      return withKeptParts(plan.leaves, asComplex(sent), asComplex(old), cleared);
    case 'slots':
      return withKeptSlots(plan, elementsOf(sent), elementsOf(old));
  }
}

function elementsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function withKeptParts(
  leaves: readonly Leaf[],
  sent: ComplexValue,
  old: ComplexValue,
  cleared: ReadonlySet<string>,
): JsonValue | undefined {
  const result: Record<string, JsonValue> = { ...sent };
  for (const { attribute, keepWhenOmitted } of leaves) {
    const oldPart = old[attribute.name];
    const sentPart = result[attribute.name];
    if (oldPart === undefined) continue;
    if (attribute.mutability === 'immutable') {
      if (sentPart !== undefined && !deepEqual(sentPart, oldPart)) throw cannotChange(attribute);
      result[attribute.name] = oldPart;
    } else if (sentPart === undefined && keepWhenOmitted && !cleared.has(attribute.path)) {
      result[attribute.name] = oldPart;
    }
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

/** Slots that the caller left empty and a rule keeps stay as they are, beside those that were sent. */
function withKeptSlots(
  plan: SlotsPlan,
  sent: readonly JsonValue[],
  old: readonly JsonValue[],
): readonly JsonValue[] | undefined {
  const result = [...sent];
  for (const slot of plan.slots) {
    const kept = slot.leaves.filter((leaf) => leaf.keepWhenOmitted);
    if (kept.length === 0) continue;
    const isOwn = (element: JsonValue): boolean => slotFor(plan, element) === slot;
    const index = result.findIndex(isOwn);
    const own = old.filter(isOwn);
    if (index < 0) for (const element of own) result.push(keptElement(slot, kept, asComplex(element), {}));
    else if (!slot.multiple) result[index] = keptElement(slot, kept, asComplex(own[0]), asComplex(result[index]));
  }
  return result.length === 0 ? undefined : result;
}

function keptElement(slot: Slot, kept: readonly Leaf[], old: ComplexValue, sent: ComplexValue): JsonValue {
  const parts = kept.flatMap(({ attribute: { name } }) =>
    old[name] === undefined ? [] : [[name, old[name]] as const],
  );
  return { ...constantParts(slot.constants), ...Object.fromEntries(parts), ...sent };
}
