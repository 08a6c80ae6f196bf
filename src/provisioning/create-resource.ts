import type { BackendRecord } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { idOf, scalarsOf } from '../backend/record.js';
import { reportNotTaken } from '../mapping/not-taken.js';
import { attributesIn, encodeFields, type WriteContext } from '../mapping/write.js';
import { ScimError } from '../scim/error.js';
import type { Resource } from '../scim/schema.js';
import { conflictError } from './conflict.js';
import { answerChange, checkAnswerable, projectionOf, type UseCase } from './resource-answers.js';
import { completeForCreate, parseInput, referencedIds, toRecord } from './resource-input.js';
import type { ProjectionRequest, RequestContext, ResourceAnswer } from './service.js';
import { operationContext } from './type-runtime.js';

/**
 * POST on a type's endpoint.
 * @see RFC 7644 §3.3
 */
export async function createResource(
  useCase: UseCase,
  body: unknown,
  request: ProjectionRequest,
  context: RequestContext,
): Promise<ResourceAnswer> {
  const { runtime } = useCase;
  if (!runtime.operations.create) throw switchedOff(runtime.type.name, 'Creating');
  const parsed = parseInput(runtime, body, context);
  const projection = projectionOf(runtime, request, writtenPaths(useCase, parsed.resource));
  checkAnswerable(runtime, parsed.resource, projection);
  return storeNew(
    useCase,
    completeForCreate(runtime, parsed),
    async (record) => answerChange(useCase, 201, record, projection, context),
    {
      fields: runtime.reader.fieldsFor(projection),
      context,
    },
  );
}

async function storeNew(
  { runtime, references }: UseCase,
  resource: Resource,
  answer: (record: Awaited<ReturnType<typeof runtime.writer.create>>) => Promise<ResourceAnswer>,
  { fields, context }: { fields: readonly string[]; context: RequestContext },
): Promise<ResourceAnswer> {
  const { plan, writer, entity } = runtime;
  const stores = await references.storeView(referencedIds(plan, resource), context);
  const writing: WriteContext = { references: stores, dropped: context.dropped };
  reportNotTaken(plan, resource, undefined, context.dropped);
  const record = toRecord(plan, encodeFields(plan, resource, undefined, undefined, writing));
  try {
    if (!runtime.capabilities().enforcesUnique) await assertFree(runtime, record, context);
    const created = await writer.create(entity, record, { fields }, operationContext(context));
    references.forget(runtime.type.name, idOf(created));
    return await answer(created);
  } catch (error) {
    if (error instanceof AdapterError && error.kind === 'conflict')
      throw await conflictError(runtime, error, record, context);
    throw error;
  }
}

/**
 * Looks whether another record has a value that must be unique, where the backend would take it again. Whoever creates the
 * same at the same time is not seen.
 * @throws AdapterError conflict
 */
async function assertFree(
  { plan, backend, entity }: UseCase['runtime'],
  record: BackendRecord,
  context: RequestContext,
): Promise<void> {
  for (const { name: field, unique, type } of plan.use.fields) {
    const values = unique && type !== 'records' ? scalarsOf(record, field) : [];
    if (values.length === 0) continue;
    const holders = await backend.lookup(entity, { by: field, values, fields: [] }, operationContext(context));
    if (holders.length > 0) throw new AdapterError('conflict', `Another record has this "${field}".`, { field });
  }
}

export function switchedOff(type: string, what: string): ScimError {
  return ScimError.notImplemented(`${what} is switched off for ${type} in this gateway ("operations" of its mapping).`);
}

/** What the caller sent, so that attributes that are returned on request come back. */
export function writtenPaths({ runtime }: UseCase, resource: Resource): ReadonlySet<string> {
  return new Set(
    attributesIn(runtime.plan, resource).flatMap((attribute) => [
      attribute.path,
      ...attribute.subAttributes.map((sub) => sub.path),
    ]),
  );
}
