import type { BackendRecord } from '../backend/adapter.js';
import { ScimError } from '../scim/error.js';
import { matchesNone } from './preconditions.js';
import { answerWith, headersOf, projectionOf, type UseCase } from './resource-answers.js';
import type { Preconditions, ProjectionRequest, RequestContext, ResourceAnswer } from './service.js';
import { operationContext, type TypeRuntime, versionOf } from './type-runtime.js';

/**
 * GET of one resource.
 * @see RFC 7644 §3.4.1
 */
export async function readResource(
  useCase: UseCase,
  id: string,
  request: ProjectionRequest,
  conditions: Preconditions,
  context: RequestContext,
): Promise<ResourceAnswer> {
  const { runtime } = useCase;
  const projection = projectionOf(runtime, request);
  const record = await fetchRecord(runtime, id, runtime.reader.fieldsFor(projection), context);
  if (conditions.ifNoneMatch !== undefined && matchesNone(conditions, versionOf(runtime, record))) {
    return { status: 304, ...headersOf(runtime, record, context) };
  }
  return answerWith(useCase, 200, record, projection, context);
}

/** @throws ScimError 404 */
export async function fetchRecord(
  runtime: TypeRuntime,
  id: string,
  fields: readonly string[],
  context: RequestContext,
): Promise<BackendRecord> {
  const record = await runtime.adapter.get(runtime.entity, id, { fields }, operationContext(context));
  if (record === undefined) throw notFound(runtime);
  return record;
}

/**
 * The record as it is before a change. What other backends would have to tell of it may be missing.
 * @throws ScimError 404
 */
export async function fetchForChange(
  runtime: TypeRuntime,
  id: string,
  fields: readonly string[],
  context: RequestContext,
): Promise<BackendRecord> {
  const record = await runtime.writer.get(runtime.entity, id, { fields }, operationContext(context));
  if (record === undefined) throw notFound(runtime);
  return record;
}

/** The id is not repeated: what names nothing may be anything that somebody typed. */
export function notFound(runtime: TypeRuntime): ScimError {
  return ScimError.notFound(`There is no ${runtime.type.name} with this id.`);
}
