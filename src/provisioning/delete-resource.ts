import type { BackendRecord, Scalar } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { ScimError } from '../scim/error.js';
import { switchedOff } from './create-resource.js';
import { needsRevision, parseIfMatch } from './preconditions.js';
import { notFound } from './read-resource.js';
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
  const type = runtime.type.name;
  const mending = referrers.filter(isOursToMend);
  const keys = [...new Set(mending.map(({ key }) => key))];
  let held: readonly Held[] = [];
  if (needsRevision(ifMatch) || mending.length > 0) {
    const record = await existing(runtime, id, [...keys, '$revision'], mending, context);
    checkIfMatch(ifMatch, record);
    held = heldValues(record, mending);
    await mend(held, `The ${type} was not deleted`, context);
  }
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

/** What fields that refer to the resource hold of it. */
function heldValues(record: BackendRecord, referrers: readonly Referrer[]): readonly Held[] {
  return referrers.flatMap((referrer) => {
    const value = keyOfRecord(record, referrer.key);
    return value === undefined ? [] : [{ referrer, value }];
  });
}

/**
 * The resource, which has to be there before anything is mended: the id may be one of another type.
 * @throws ScimError 404, once what an earlier DELETE may have left in other backends is mended
 */
async function existing(
  runtime: TypeRuntime,
  id: string,
  fields: readonly string[],
  referrers: readonly Referrer[],
  context: RequestContext,
): Promise<BackendRecord> {
  const record = await runtime.backend.get(runtime.entity, id, { fields }, operationContext(context));
  if (record !== undefined) return record;
  for (const referrer of referrers) {
    const mayBeLeft = isForeign(referrer) && referrer.key === '$id' && !(await isOfAnother(referrer, id, context));
    if (mayBeLeft) await mend([{ referrer, value: id }], `The ${runtime.type.name} is not there`, context);
  }
  throw notFound(runtime);
}

/** Whether the id is one of another type that the same field may refer to. */
async function isOfAnother({ alternatives }: Referrer, id: string, context: RequestContext): Promise<boolean> {
  for (const { backend, entity } of alternatives) {
    if ((await backend.get(entity, id, { fields: [] }, operationContext(context))) !== undefined) return true;
  }
  return false;
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
