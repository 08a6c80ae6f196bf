import type { MappingPlan } from '../mapping/plan.js';
import { ScimError } from '../scim/error.js';
import { runBulk } from './bulk.js';
import { createResource } from './create-resource.js';
import { type CursorSealer, createCursors } from './cursor.js';
import { deleteResource } from './delete-resource.js';
import {
  type AuthenticationScheme,
  type DiscoveryOptions,
  resourceTypeDocuments,
  schemaDocuments,
  serviceProviderConfig,
} from './discovery.js';
import { patchResource } from './patch-resource.js';
import { readResource } from './read-resource.js';
import { createReferenceResolver } from './references.js';
import { referrersOf } from './referrers.js';
import { replaceResource } from './replace-resource.js';
import type { UseCase } from './resource-answers.js';
import { ResourceQueue } from './revision-loop.js';
import { type SearchOptions, searchRoot, searchType } from './search.js';
import type { Caller, RequestContext, ScimService } from './service.js';
import { toScimError } from './to-scim-error.js';
import type { ServiceLimits, TypeRuntime } from './type-runtime.js';

export interface ServiceOptions {
  readonly gateway: string;
  readonly types: readonly TypeRuntime[];
  readonly limits: ServiceLimits;
  /** Bulk operations need a `version`; outside of bulk, If-Match is HTTP's to ask for. */
  readonly requireIfMatch?: boolean;
  readonly pagination: { readonly default: 'index' | 'cursor'; readonly cursorTimeoutSeconds: number };
  readonly authenticationSchemes: readonly AuthenticationScheme[];
  readonly metaSchemas: DiscoveryOptions['metaSchemas'];
  readonly sealer: CursorSealer;
}

/** One gateway's use cases over its resource types. */
export function createScimService(options: ServiceOptions): ScimService {
  const { gateway, limits, pagination, requireIfMatch = false } = options;
  const maxOperations = limits.bulkOperations;
  const types = new Map(options.types.map((runtime) => [runtime.type.name, runtime]));
  const references = createReferenceResolver(types);
  const useCases = new Map(
    [...types].map(([name, runtime]): [string, UseCase] => [
      name,
      { runtime, references, queue: new ResourceQueue(), referrers: referrersOf(types.values(), runtime) },
    ]),
  );
  const search: SearchOptions = {
    gateway,
    cursors: createCursors(options.sealer, pagination.cursorTimeoutSeconds),
    defaultPagination: pagination.default,
  };
  const useCase = (type: string, context: RequestContext, kind: 'read' | 'write'): UseCase => {
    const found = useCases.get(type);
    if (found === undefined) throw ScimError.notFound(`This gateway has no resource type "${type}".`);
    checkCaller(context.caller, type, kind);
    return found;
  };
  const guarded = async <T>(type: string | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toScimError(error, planOf(types, type));
    }
  };
  const service: ScimService = {
    resourceTypes: options.types.map(({ type }) => ({ name: type.name, endpoint: type.endpoint })),
    create: (type, body, projection, context) =>
      guarded(type, () => createResource(useCase(type, context, 'write'), body, projection, context)),
    read: (type, id, projection, conditions, context) =>
      guarded(type, () => readResource(useCase(type, context, 'read'), id, projection, conditions, context)),
    replace: (type, id, body, projection, conditions, context) =>
      guarded(type, () => replaceResource(useCase(type, context, 'write'), id, body, projection, conditions, context)),
    patch: (type, id, body, projection, conditions, context) =>
      guarded(type, () => patchResource(useCase(type, context, 'write'), id, body, projection, conditions, context)),
    delete: (type, id, conditions, context) =>
      guarded(type, () => deleteResource(useCase(type, context, 'write'), id, conditions, context)),
    search: (type, request, context) =>
      guarded(type, () => {
        if (type !== undefined) return searchType(useCase(type, context, 'read'), request, search, context);
        const visible = [...useCases.values()].filter(({ runtime }) => maySee(context.caller, runtime.type.name));
        return searchRoot(visible, request, search, context);
      }),
    bulk: (body, context) =>
      guarded(undefined, async () =>
        runBulk(
          service,
          body,
          { maxOperations, requireIfMatch },
          (error) => toScimError(error, planOf(types, undefined)),
          context,
        ),
      ),
    me: (context) => guarded(undefined, async () => ownResource(service, context)),
    serviceProviderConfig: (context) => serviceProviderConfig(options, context),
    resourceTypeDocuments: (name, context) => resourceTypeDocuments(options, name, context),
    schemaDocuments: (uri, context) => schemaDocuments(options, uri, context),
  };
  return service;
}

/** The plan whose attribute names an error is told in; without a type any serves, as no field is named then. */
function planOf(types: ReadonlyMap<string, TypeRuntime>, type: string | undefined): MappingPlan {
  const runtime = (type === undefined ? undefined : types.get(type)) ?? [...types.values()][0];
  if (runtime === undefined) throw ScimError.notFound('This gateway has no resource types.');
  return runtime.plan;
}

function maySee(caller: Caller, type: string): boolean {
  return caller.resourceTypes === undefined || caller.resourceTypes.includes(type);
}

/** @throws ScimError 403 when the credential does not reach this far */
function checkCaller(caller: Caller, type: string, kind: 'read' | 'write'): void {
  if (!maySee(caller, type)) throw ScimError.forbidden(`This credential is not for ${type} resources.`);
  if (kind === 'write' && caller.readOnly === true) throw ScimError.forbidden('This credential may only read.');
}

/** @throws ScimError 501 when the credential names no user, 404 when there is none */
async function ownResource(
  service: ScimService,
  context: RequestContext,
): Promise<{ readonly type: string; readonly id: string }> {
  const { subject } = context.caller;
  if (subject === undefined)
    throw ScimError.notImplemented(
      '/Me is not offered for this kind of credential: it stands for a system, not for a user.',
    );
  const filter = `${subject.attribute} eq ${JSON.stringify(subject.value)}`;
  const found = await service.search('User', { filter, count: 2, attributes: ['id'] }, context);
  const [user] = Array.isArray(found.Resources) ? (found.Resources as readonly { readonly id?: string }[]) : [];
  if (user?.id === undefined || found.totalResults !== 1)
    throw ScimError.notFound('There is no user for this credential.');
  return { type: 'User', id: user.id };
}
