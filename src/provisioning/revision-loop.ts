import { setTimeout } from 'node:timers/promises';
import type { BackendRecord } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { ScimError } from '../scim/error.js';
import type { IfMatch } from './preconditions.js';

/** How often a change is worked out anew when others write the same resource. */
const maxAttempts = 5;
/** Writers in other processes are let by for a moment, each for another one. */
const maxPauseMs = 20;

/** Changes of one resource that met another one, waiting for their turn in this process. */
export class ResourceQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the work after all that was queued before it for the same resource. */
  async run<T>(id: string, work: () => Promise<T>): Promise<T> {
    const previous = this.#last.get(id);
    const own = (async () => {
      await previous?.catch(() => undefined);
      return work();
    })();
    this.#last.set(id, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(id) === own) this.#last.delete(id);
    }
  }
}

/**
 * Runs a read-compare-write step until nobody wrote in between. The first try goes at once; one that met another writer
 * queues with those of this process, so that only other processes can come in between again. With If-Match the first such
 * case is the caller's 412.
 * @throws ScimError 503 after five attempts
 */
export async function withFreshRevision<T>(
  { ifMatch, id, queue }: { readonly ifMatch: IfMatch; readonly id: string; readonly queue: ResourceQueue },
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!isOvertaken(error)) throw error;
    if (ifMatch.kind !== 'none') throw changedInBetween();
    return queue.run(id, () => repeated(step));
  }
}

async function repeated<T>(step: () => Promise<T>): Promise<T> {
  for (let attempt = 2; ; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (!isOvertaken(error)) throw error;
      if (attempt >= maxAttempts) {
        throw ScimError.unavailable(
          'Others keep changing this resource at the same time; nothing was written. Try again.',
          1,
          error,
        );
      }
      await setTimeout(Math.random() * maxPauseMs * attempt);
    }
  }
}

function isOvertaken(error: unknown): error is AdapterError {
  return error instanceof AdapterError && error.kind === 'revisionMismatch';
}

/** @throws ScimError 412 when the record is not at a revision that the precondition allows */
export function checkIfMatch(ifMatch: IfMatch, record: BackendRecord): void {
  if (ifMatch.kind === 'none') return;
  const revision = record.$revision === undefined ? undefined : String(record.$revision);
  if (ifMatch.kind === 'noneOf') {
    const { revisions } = ifMatch;
    if (revisions === 'all') throw ScimError.preconditionFailed('The resource exists, and If-None-Match is "*".');
    if (revision === undefined || !revisions.has(revision)) return;
    throw ScimError.preconditionFailed('The resource has the version that If-None-Match names.');
  }
  const isMatch =
    revision !== undefined &&
    (ifMatch.kind === 'revision' ? ifMatch.revision === revision : ifMatch.revisions.has(revision));
  if (!isMatch) throw changedInBetween();
}

function changedInBetween(): ScimError {
  return ScimError.preconditionFailed('The resource has another version than If-Match names; read it again.');
}

/** The option for `update` and `delete`, where the record or If-Match gives a revision. */
export function revisionOption(
  ifMatch: IfMatch,
  record: BackendRecord | undefined,
  isSupported: boolean,
): { readonly ifRevision?: string } {
  if (!isSupported) return {};
  if (record?.$revision !== undefined) return { ifRevision: String(record.$revision) };
  return ifMatch.kind === 'revision' ? { ifRevision: ifMatch.revision } : {};
}
