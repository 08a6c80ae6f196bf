import type { BackendRecord } from '../backend/adapter.js';
import { idOf } from '../backend/record.js';
import { readAttribute } from '../scim/attribute-value.js';
import { ScimError } from '../scim/error.js';
import { createProjection, type Projection } from '../scim/projection.js';
import type { Attribute, Resource } from '../scim/schema.js';
import { impatient } from './impatient-context.js';
import type { ReferenceResolver } from './references.js';
import type { Referrer } from './referrers.js';
import type { ResourceQueue } from './revision-loop.js';
import { isSilence, type OnSilence } from './searched-inverses.js';
import type { ProjectionRequest, RequestContext, ResourceAnswer } from './service.js';
import { locationOf, present, type TypeRuntime, versionOf } from './type-runtime.js';

/** What all use cases of one resource type work with. */
export interface UseCase {
  readonly runtime: TypeRuntime;
  readonly references: ReferenceResolver;
  readonly queue: ResourceQueue;
  /** What refers to resources of this type. */
  readonly referrers: readonly Referrer[];
}

export function projectionOf(
  runtime: TypeRuntime,
  request: ProjectionRequest,
  written?: ReadonlySet<string>,
): Projection {
  return createProjection(runtime.type, request, {
    dialect: runtime.dialect,
    ...(written === undefined ? {} : { written }),
  });
}

/** Whether the caller said which attributes to answer with. */
export function hasProjection({ attributes, excludedAttributes }: ProjectionRequest): boolean {
  return (attributes?.length ?? 0) > 0 || (excludedAttributes?.length ?? 0) > 0;
}

/** The record as the caller sees it, references resolved. */
export async function presentRecord(
  useCase: UseCase,
  record: BackendRecord,
  projection: Projection,
  context: RequestContext,
): Promise<Resource> {
  const [resource] = await presentRecords(useCase, [record], projection, context);
  return resource as Resource;
}

/**
 * A page of records, all their references looked up together.
 * @throws ScimError tooMany when one of them has more elements than an answer may hold: never a cut list
 */
export async function presentRecords(
  { runtime, references }: Pick<UseCase, 'runtime' | 'references'>,
  records: readonly BackendRecord[],
  projection: Projection,
  context: RequestContext,
  onSilence: OnSilence = 'fail',
): Promise<readonly Resource[]> {
  const wants = (attribute: Attribute): boolean => projection.wants(attribute);
  checkSizes(runtime, records);
  const named = runtime.reader.references(records, wants);
  const view = await viewOf(references, named, context, onSilence);
  return records.map((record) => present(runtime, record, projection, view, context));
}

async function viewOf(
  references: ReferenceResolver,
  named: Parameters<ReferenceResolver['view']>[0],
  context: RequestContext,
  onSilence: OnSilence,
): ReturnType<ReferenceResolver['view']> {
  try {
    return await references.view(named, onSilence === 'fail' ? context : impatient(context));
  } catch (error) {
    if (onSilence === 'fail' || !isSilence(error)) throw error;
    context.trace?.({
      operation: 'answered without what references name: their backend does not answer',
      durationMs: 0,
    });
    return references.view([], context);
  }
}

function checkSizes({ plan, limits }: TypeRuntime, records: readonly BackendRecord[]): void {
  for (const attributePlan of plan.attributes) {
    if (attributePlan.kind !== 'records' && attributePlan.kind !== 'references') continue;
    for (const record of records) {
      const value = record[attributePlan.field];
      if (!Array.isArray(value) || value.length <= limits.maxMembers) continue;
      const { path } = attributePlan.attribute;
      throw ScimError.badRequest(
        'tooMany',
        `"${path}" of ${idOf(record)} has ${value.length} values; an answer holds ${limits.maxMembers}. Ask with excludedAttributes=${path}.`,
      );
    }
  }
}

/**
 * To be asked before a resource is written whose answer would then be refused: the caller would take it for not written.
 * @throws ScimError tooMany
 */
export function checkAnswerable({ plan, limits }: TypeRuntime, resource: Resource, projection: Projection): void {
  for (const { attribute } of plan.attributes) {
    const value = attribute.multiValued ? readAttribute(resource, attribute) : undefined;
    if (!Array.isArray(value) || value.length <= limits.maxMembers || !projection.wants(attribute)) continue;
    const { path } = attribute;
    throw ScimError.badRequest(
      'tooMany',
      `"${path}" has ${value.length} values; an answer holds ${limits.maxMembers}. Nothing was written. Send it with excludedAttributes=${path}.`,
    );
  }
}

export async function answerWith(
  useCase: UseCase,
  status: 200 | 201,
  record: BackendRecord,
  projection: Projection,
  context: RequestContext,
): Promise<ResourceAnswer> {
  const resource = await presentRecord(useCase, record, projection, context);
  return { status, resource, ...headersOf(useCase.runtime, record, context) };
}

/**
 * The answer to a change that was made. A backend that would only tell more about it and does not answer is no reason to
 * say that it was not.
 */
export async function answerChange(
  useCase: UseCase,
  status: 200 | 201,
  record: BackendRecord,
  projection: Projection,
  context: RequestContext,
): Promise<ResourceAnswer> {
  const [resource] = await presentRecords(useCase, [record], projection, context, 'leaveOut');
  return { status, resource: resource as Resource, ...headersOf(useCase.runtime, record, context) };
}

export function headersOf(
  runtime: TypeRuntime,
  record: BackendRecord,
  context: RequestContext,
): { readonly location: string; readonly version?: string } {
  const version = versionOf(runtime, record);
  return { location: locationOf(runtime, idOf(record), context), ...(version === undefined ? {} : { version }) };
}
