import { setTimeout as pause } from 'node:timers/promises';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { idIn, revisionIn, storedId } from './document.js';
import type { EntityPlan } from './entity-plan.js';
import { isInDoubt, sendTemplate } from './exchange.js';
import { judgeMissing, readDocument, type Work } from './read.js';
import { tagOfRevision } from './revision.js';
import { notFound } from './update.js';

const maxTries = 3;
const pauseMs = 100;

/** Deletes a record. @throws AdapterError `notFound` when there is none, `revisionMismatch` when it has another revision */
export async function deleteRecord(
  plan: EntityPlan,
  id: string,
  ifRevision: string | undefined,
  work: Work,
): Promise<void> {
  const deletion = plan.delete;
  if (deletion === undefined) throw new AdapterError('unsupported', `"${plan.entity}" cannot be deleted.`);
  const stored = storedId(plan, id);
  if (stored === undefined || !(await isThere(plan, id, ifRevision, work))) throw notFound(plan);
  const isGuarded = ifRevision !== undefined && deletion.ifMatch;
  for (let tries = 1; ; tries++) {
    try {
      await sendTemplate(
        deletion.request,
        {
          values: { id: stored },
          accepted: deletion.ok,
          isRepeatable: true,
          ...(isGuarded ? { headers: { 'if-match': tagOfRevision(ifRevision) } } : {}),
        },
        work,
      );
      return;
    } catch (error) {
      // It was there, and is not any more: the request before got through.
      if (tries > 1 && error instanceof AdapterError && error.kind === 'notFound') return;
      const isMissing = error instanceof AdapterError && error.kind === 'notFound';
      if (isMissing) throw await judgeMissing(plan, id, error, work);
      if (!isInDoubt(error) || tries >= maxTries || work.context.signal.aborted) throw error;
      await pause(Math.random() * pauseMs * 2 ** tries);
    }
  }
}

/** Ids are exact, and a target's may not be; and only a revision that was read can be held against another. */
async function isThere(plan: EntityPlan, id: string, ifRevision: string | undefined, work: Work): Promise<boolean> {
  const needsRead = ifRevision !== undefined || id.toLowerCase() !== id || id.toUpperCase() !== id;
  if (!needsRead) return true;
  const document = await readDocument(plan, id, [], work);
  if (document === undefined) return false;
  if (ifRevision !== undefined && revisionIn(plan, document) !== ifRevision) {
    throw new AdapterError('revisionMismatch', 'The record was changed since it was read.');
  }
  return idIn(plan, document.json) === undefined || idIn(plan, document.json) === id;
}
