import type { BackendRecord } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { diffFields } from '../mapping/diff.js';
import { isWritten, type MappingPlan } from '../mapping/plan.js';
import { applyValueRules } from '../mapping/value-rules.js';
import { encodeFields, type WriteContext } from '../mapping/write.js';
import { ScimError } from '../scim/error.js';
import { asComplex, deepEqual, readAttribute, writeAttribute } from '../scim/patch-apply.js';
import type { ParsedBody } from '../scim/resource-parser.js';
import type { Attribute, JsonValue, MutableResource, Resource } from '../scim/schema.js';
import { conflictError } from './conflict.js';
import { switchedOff, writtenPaths } from './create-resource.js';
import { valuesSet } from './patch-resource.js';
import { type IfMatch, parseIfMatch } from './preconditions.js';
import { fetchRecord } from './read-resource.js';
import { answerWith, projectionOf, type UseCase } from './resource-answers.js';
import { checkRequired, parseInput, referencedIds, reportDropped } from './resource-input.js';
import { checkIfMatch, revisionOption, withFreshRevision } from './revision-loop.js';
import type { Preconditions, ProjectionRequest, RequestContext, ResourceAnswer } from './service.js';
import { operationContext } from './type-runtime.js';

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
  const wanted = applyValueRules(runtime.plan, parsed.resource, undefined);
  const ifMatch = parseIfMatch(conditions, runtime);
  const projection = projectionOf(runtime, request, writtenPaths(useCase, parsed.resource));
  const fields = runtime.reader.fieldsFor(projection);
  const record = await withFreshRevision(ifMatch, () =>
    attempt(useCase, id, { ...parsed, resource: wanted }, ifMatch, fields, context),
  );
  return answerWith(useCase, 200, record, projection, context);
}

async function attempt(
  { runtime, references }: UseCase,
  id: string,
  parsed: ParsedBody,
  ifMatch: IfMatch,
  fields: readonly string[],
  context: RequestContext,
): Promise<BackendRecord> {
  const { plan, reader, adapter, entity } = runtime;
  const owned = new Set(plan.attributes.filter(isWritten).map((attributePlan) => attributePlan.attribute));
  const wants = (attribute: Attribute): boolean => owned.has(attribute);
  const needed = [...new Set([...fields, '$revision', ...reader.fieldsOfAttributes(owned)])];
  const current = await fetchRecord(runtime, id, needed, context);
  checkIfMatch(ifMatch, current);
  const view = await references.view(reader.references([current], wants), context);
  const before = reader.read(current, wants, view);
  const after = withKept(plan, parsed, before);
  checkRequired(runtime, after);
  const stores = await references.storeView(
    [...referencedIds(plan, before, owned), ...referencedIds(plan, after, owned)],
    context,
  );
  const writing: WriteContext = { references: stores, dropped: context.dropped };
  reportDropped(plan, parsed.resource, writing);
  const was = encodeFields(plan, before, owned, current, { references: stores, dropped: () => undefined });
  const changes = diffFields(Object.fromEntries(was), encodeFields(plan, after, owned, current, writing));
  if (changes.length === 0) return current;
  const options = { fields, ...revisionOption(ifMatch, current, runtime.capabilities().revision) };
  try {
    const { record } = await adapter.update(entity, id, changes, options, operationContext(context));
    references.forget(runtime.type.name, id);
    return record;
  } catch (error) {
    if (error instanceof AdapterError && error.kind === 'conflict')
      throw await conflictError(runtime, error, valuesSet(changes), context);
    throw error;
  }
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
      if (sent !== undefined && !deepEqual(sent, old)) {
        throw ScimError.badRequest('mutability', `"${attribute.path}" cannot be changed once set (RFC 7644 §3.5.1).`);
      }
      writeAttribute(after, attribute, old);
      continue;
    }
    if (attributePlan.kind === 'simple') {
      const isKept = sent === undefined && !cleared.has(attribute.path) && attributePlan.leaf.keepWhenOmitted;
      if (isKept) writeAttribute(after, attribute, old);
    } else if (attributePlan.kind === 'records' || attributePlan.kind === 'references') {
      if (sent === undefined && !cleared.has(attribute.path) && attributePlan.keepWhenOmitted)
        writeAttribute(after, attribute, old);
    } else if (attributePlan.kind === 'complex') {
      writeAttribute(after, attribute, withKeptParts(attributePlan.leaves, asComplex(sent), asComplex(old), cleared));
    } else if (sent === undefined && !cleared.has(attribute.path)) {
      const kept = attributePlan.slots.some((slot) => slot.leaves.some((leaf) => leaf.keepWhenOmitted));
      if (kept) writeAttribute(after, attribute, old);
    }
  }
  return after;
}

function withKeptParts(
  leaves: readonly { readonly attribute: Attribute; readonly keepWhenOmitted: boolean }[],
  sent: { readonly [sub: string]: JsonValue },
  old: { readonly [sub: string]: JsonValue },
  cleared: ReadonlySet<string>,
): JsonValue | undefined {
  const result: Record<string, JsonValue> = { ...sent };
  for (const { attribute, keepWhenOmitted } of leaves) {
    const oldPart = old[attribute.name];
    const sentPart = result[attribute.name];
    if (oldPart === undefined) continue;
    if (attribute.mutability === 'immutable') {
      if (sentPart !== undefined && !deepEqual(sentPart, oldPart)) {
        throw ScimError.badRequest('mutability', `"${attribute.path}" cannot be changed once set (RFC 7644 §3.5.1).`);
      }
      result[attribute.name] = oldPart;
    } else if (sentPart === undefined && keepWhenOmitted && !cleared.has(attribute.path)) {
      result[attribute.name] = oldPart;
    }
  }
  return Object.keys(result).length === 0 ? undefined : result;
}
