import type { BackendRecord, Scalar } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { ScimError } from '../scim/error.js';
import { switchedOff } from './create-resource.js';
import { needsRevision, parseIfMatch } from './preconditions.js';
import { fetchRecord, notFound } from './read-resource.js';
import { isForeign, isOursToMend, keyOfRecord, type Referrer, removeReferences } from './referrers.js';
import type { UseCase } from './resource-answers.js';
import { checkIfMatch, revisionOption } from './revision-loop.js';
import type { Preconditions, RequestContext } from './service.js';
import { operationContext, type TypeRuntime } from './type-runtime.js';

/**
 * DELETE. Where the backend does not keep referential integrity itself, fields that refer to the resource are mended
 * first: otherwise a re-created name would inherit old rights. Those in other backends are looked at once more when it is
 * gone, since nothing there keeps others from naming it until then.
 * @see RFC 7644 §3.6
 */
export async function deleteResource(
  { runtime, references, referrers }: UseCase,
  id: string,
  conditions: Preconditions,
  context: RequestContext,
): Promise<void> {
  if (!runtime.operations.delete) throw switchedOff(runtime.type.name, 'Deleting');
  const ifMatch = parseIfMatch(conditions, runtime);
  if (needsRevision(ifMatch)) checkIfMatch(ifMatch, await fetchRecord(runtime, id, ['$revision'], context));
  const held = await heldValues(runtime, id, referrers.filter(isOursToMend), context);
  const type = runtime.type.name;
  await mend(held, `The ${type} was not deleted`, context);
  const options = revisionOption(ifMatch, undefined, runtime.capabilities().revision);
  await runtime.backend.delete(runtime.entity, id, options, operationContext(context));
  references.forget(type, id);
  await mend(
    held.filter(({ referrer }) => isForeign(referrer)),
    `The ${type} was deleted`,
    context,
  );
}

interface Held {
  readonly referrer: Referrer;
  readonly value: Scalar;
}

/**
 * What fields that refer to the resource hold of it. By its id also when it is gone already, since an earlier request may
 * have ended in between; but not when that is the id of another type's resource, whose references are not to be touched.
 */
async function heldValues(
  runtime: TypeRuntime,
  id: string,
  referrers: readonly Referrer[],
  context: RequestContext,
): Promise<readonly Held[]> {
  const keys = [...new Set(referrers.map(({ key }) => key))].filter((key) => key !== '$id');
  const rivals = new Set(referrers.flatMap((referrer) => referrer.rivals));
  let record: BackendRecord = { $id: id };
  if (keys.length > 0) record = await fetchRecord(runtime, id, keys, context);
  else if (rivals.size > 0 && (await recordOf(runtime, id, context)) === undefined) {
    for (const rival of rivals) if ((await recordOf(rival, id, context)) !== undefined) throw notFound(runtime);
  }
  return referrers.flatMap((referrer) => {
    const value = keyOfRecord(record, referrer.key);
    return value === undefined ? [] : [{ referrer, value }];
  });
}

function recordOf({ backend, entity }: TypeRuntime, id: string, context: RequestContext) {
  return backend.get(entity, id, { fields: [] }, operationContext(context));
}

/** @throws ScimError 503 that says what became of the resource, when a backend does not answer */
async function mend(held: readonly Held[], outcome: string, context: RequestContext): Promise<void> {
  for (const { referrer, value } of held) {
    try {
      await removeReferences(referrer, value, operationContext(context));
    } catch (error) {
      if (!(error instanceof AdapterError) || !isForeign(referrer)) throw error;
      const { name } = referrer.owner.type;
      const why = error.kind === 'rejected' && error.reason !== undefined ? ` (${error.reason})` : '';
      const detail = `${outcome}, but it could not be taken out of every ${name} that names it: their backend does not answer or refuses${why}. Repeat the request.`;
      throw ScimError.unavailable(detail, error.retryAfterSeconds ?? 5, error);
    }
  }
}
