/** Changes of a resource that other resources refer to by something that the change may alter. */
import type { BackendRecord, Change, Scalar, UpdateOptions, UpdateResult } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { ScimError } from '../scim/error.js';
import { fetchRecord } from './read-resource.js';
import { addBeside, isForeign, isOursToMend, keyOfRecord, type Referrer, replaceReferences } from './referrers.js';
import type { UseCase } from './resource-answers.js';
import type { RequestContext } from './service.js';
import { operationContext, type TypeRuntime } from './type-runtime.js';

/**
 * Updates the record, and lets follow what refers to it by a value that changes, before anything is answered. Where the
 * new value is known beforehand it is put beside the old one first: whoever reads meanwhile, or whatever fails, no
 * reference is lost.
 * @throws ScimError 503 when the change was made and a reference could not follow
 */
export async function updateFollowed(
  { runtime, referrers }: Pick<UseCase, 'runtime' | 'referrers'>,
  id: string,
  changes: readonly Change[],
  options: UpdateOptions,
  context: RequestContext,
): Promise<UpdateResult> {
  const { writer, entity } = runtime;
  const calls = operationContext(context);
  const following = referrers.filter((referrer) => mayChange(referrer, runtime, changes));
  if (following.length === 0) return writer.update(entity, id, changes, options, calls);
  const keys = [...new Set(following.map(({ key }) => key))];
  const before = await fetchRecord(runtime, id, keys, context);
  const undo = await prepare(following, before, changes, context);
  const result = await updateOrUndo(
    () => writer.update(entity, id, changes, { ...options, fields: [...new Set([...options.fields, ...keys])] }, calls),
    undo,
  );
  for (const referrer of following) await follow(referrer, before, result.record, context);
  return result;
}

/** A key that no rule writes, such as a name that the backend makes, may change with anything. */
function mayChange(referrer: Referrer, { plan }: TypeRuntime, changes: readonly Change[]): boolean {
  const { key } = referrer;
  if (key === '$id' || !isOursToMend(referrer)) return false;
  if (changes.some(({ field }) => field === key)) return true;
  return isForeign(referrer) && plan.use.fields.find(({ name }) => name === key)?.written !== true;
}

type Undo = () => Promise<void>;

async function prepare(
  following: readonly Referrer[],
  before: BackendRecord,
  changes: readonly Change[],
  context: RequestContext,
): Promise<Undo> {
  const undos: Undo[] = [];
  const undo = async (): Promise<void> => {
    for (const one of undos) await one();
  };
  for (const referrer of following) {
    const old = keyOfRecord(before, referrer.key);
    const now = plannedKey(changes, referrer.key);
    if (old === undefined || now === undefined || old === now) continue;
    try {
      undos.push(await addBeside(referrer, old, now, operationContext(context)));
    } catch (error) {
      await undo().catch(() => undefined);
      throw cannotFollow(error, referrer, 'Nothing was changed');
    }
  }
  return undo;
}

/** The value that the field is set to, if that is all that happens to it. */
function plannedKey(changes: readonly Change[], key: string): Scalar | undefined {
  const [only, ...others] = changes.filter(({ field }) => field === key);
  if (only?.op !== 'set' || others.length > 0 || only.values.length !== 1) return undefined;
  const [value] = only.values;
  return typeof value === 'object' && !(value instanceof Uint8Array) ? undefined : value;
}

async function updateOrUndo(update: () => Promise<UpdateResult>, undo: Undo): Promise<UpdateResult> {
  try {
    return await update();
  } catch (error) {
    // Where nobody knows whether the change was made, both values stay.
    if (!(error instanceof AdapterError) || error.applied === 'no') await undo().catch(() => undefined);
    throw error;
  }
}

async function follow(
  referrer: Referrer,
  before: BackendRecord,
  after: BackendRecord,
  context: RequestContext,
): Promise<void> {
  const old = keyOfRecord(before, referrer.key);
  const now = keyOfRecord(after, referrer.key);
  if (old === undefined || old === now) return;
  try {
    // A record without the value is referred to by nobody any more, until it has one again.
    if (now !== undefined) await replaceReferences(referrer, old, now, operationContext(context));
  } catch (error) {
    throw cannotFollow(error, referrer, 'The change was made');
  }
}

function cannotFollow(error: unknown, { owner, target }: Referrer, what: string): unknown {
  if (!(error instanceof AdapterError)) return error;
  const retrySeconds = error.retryAfterSeconds ?? 5;
  const detail = `${what}, but ${owner.type.name} resources that name this ${target.type.name} could not be changed with it: their backend does not answer or refuses. Try again later.`;
  return ScimError.unavailable(detail, retrySeconds, error);
}
