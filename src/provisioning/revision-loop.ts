import type { BackendRecord } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { ScimError } from '../scim/error.js';
import type { IfMatch } from './preconditions.js';

/** How often a change is worked out anew when others write the same resource. */
const maxAttempts = 5;

/**
 * Runs a read-compare-write step until nobody wrote in between. With If-Match the first such case is the caller's 412.
 * @throws ScimError 503 after five attempts
 */
export async function withFreshRevision<T>(ifMatch: IfMatch, step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof AdapterError) || error.kind !== 'revisionMismatch') throw error;
      if (ifMatch.kind !== 'none') throw changedInBetween();
      if (attempt >= maxAttempts) {
        throw ScimError.unavailable(
          'Others keep changing this resource at the same time; nothing was written. Try again.',
          1,
          error,
        );
      }
    }
  }
}

/** @throws ScimError 412 when the record is not at a revision that If-Match names */
export function checkIfMatch(ifMatch: IfMatch, record: BackendRecord): void {
  if (ifMatch.kind === 'none') return;
  const revision = record.$revision === undefined ? undefined : String(record.$revision);
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
