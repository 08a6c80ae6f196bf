import type { BackendRecord } from '../backend/adapter.js';
import type { AdapterError } from '../backend/adapter-error.js';
import { idOf, scalarsOf } from '../backend/record.js';
import type { ScimError } from '../scim/error.js';
import type { RequestContext } from './service.js';
import { toScimError } from './to-scim-error.js';
import { operationContext, type TypeRuntime } from './type-runtime.js';

/**
 * The 409 for a value that is taken, with the id of the resource that has it: what an administrator needs to link the two.
 * @see RFC 7644 §3.3
 */
export async function conflictError(
  runtime: TypeRuntime,
  error: AdapterError,
  wanted: BackendRecord,
  context: RequestContext,
): Promise<ScimError> {
  const plain = toScimError(error, runtime.plan);
  const values = error.field === undefined ? [] : scalarsOf(wanted, error.field);
  if (error.field === undefined || values.length === 0) return plain;
  try {
    const query = { by: error.field, values, fields: [] };
    const [holder] = await runtime.adapter.lookup(runtime.entity, query, operationContext(context));
    return holder === undefined
      ? plain
      : plain.withDetail(`${plain.message} It is the ${runtime.type.name} with id ${idOf(holder)}.`);
  } catch {
    // The conflict itself is the answer; that its holder can't be named now is no reason to hide it.
    return plain;
  }
}
