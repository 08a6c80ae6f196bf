import { AdapterError } from '../backend/adapter-error.js';
import { AdapterFault } from '../backend/adapter-fault.js';
import { type Leaf, leavesOf, type MappingPlan } from '../mapping/plan.js';
import { ScimError } from '../scim/error.js';

/** Seconds after which a caller may try again when the backend said nothing. */
const defaultRetrySeconds = 5;

/**
 * The one table from what a backend says to what the caller is told. 401 and 403 are only ever about the caller: a backend
 * that refuses the gateway's own account is a 503. A dead backend is never a 404.
 */
export function toScimError(error: unknown, plan: MappingPlan): ScimError {
  if (error instanceof ScimError) return error;
  if (!(error instanceof AdapterError)) return ScimError.internal(error);
  if (error instanceof AdapterFault) return ScimError.internal(error, faultDetail(error));
  const attribute = error.field === undefined ? undefined : attributeOf(error.field, plan);
  const retry = error.retryAfterSeconds ?? defaultRetrySeconds;
  switch (error.kind) {
    case 'notFound':
      return ScimError.notFound(`There is no ${plan.type.name} with this id.`);
    case 'conflict':
      return ScimError.uniqueness(conflictDetail(error.reason, attribute, plan.type.name), error);
    case 'revisionMismatch':
      return ScimError.preconditionFailed('The resource was changed in the meantime; read it again.');
    case 'rejected':
      return ScimError.badRequest('invalidValue', rejectedDetail(error.reason, attribute), error);
    case 'denied':
      return ScimError.unavailable(
        "The backend refuses the gateway's service account for this operation. An operator has to give it the right; nothing was written.",
        retry,
        error,
      );
    case 'unavailable':
      return ScimError.unavailable(
        error.applied === 'unknown'
          ? 'The connection to the backend broke before it answered, so it is not known whether the change was made. Repeat the request.'
          : 'The backend cannot be reached or is overloaded. Nothing was written; try again later.',
        retry,
        error,
      );
    case 'timeout':
      return ScimError.unavailable(
        error.applied === 'unknown'
          ? 'The backend did not answer in time, so it is not known whether the change was made. Repeat the request.'
          : 'The backend did not answer in time. Nothing was written; try again later.',
        retry,
        error,
      );
    case 'unsupported':
      return ScimError.notImplemented(error.reason ?? 'The backend of this gateway cannot do this.');
  }
}

function faultDetail({ applied }: AdapterFault): string {
  const outcome = applied === 'unknown' ? ' It is not known whether the change was made.' : ' Nothing was written.';
  return `The adapter of this gateway has a fault; its log says which.${outcome}`;
}

function conflictDetail(reason: string | undefined, attribute: string | undefined, typeName: string): string {
  if (reason !== undefined) return attribute === undefined ? reason : `"${attribute}": ${reason}`;
  return attribute === undefined
    ? `Another ${typeName} has the same value in an attribute that must be unique.`
    : `Another ${typeName} has this "${attribute}" already.`;
}

function rejectedDetail(reason: string | undefined, attribute: string | undefined): string {
  const words = reason ?? 'the backend does not accept the value.';
  return attribute === undefined ? `The backend refuses the data: ${words}` : `"${attribute}": ${words}`;
}

/** The attribute path that a rule maps to the field. */
function attributeOf(field: string, plan: MappingPlan): string | undefined {
  for (const attributePlan of plan.attributes) {
    if ((attributePlan.kind === 'records' || attributePlan.kind === 'references') && attributePlan.field === field) {
      return attributePlan.attribute.path;
    }
    const leaf = leavesOf(attributePlan).find((candidate) => candidate.field === field);
    if (leaf !== undefined) return nameOf(leaf);
  }
  return undefined;
}

/** The rule's own path, which may be written in any case; an attribute's name is told in its own. */
function nameOf({ key, attribute }: Leaf): string {
  return key.toLowerCase() === attribute.path.toLowerCase() ? attribute.path : key;
}
