import type { Adapter, BackendRecord, EntityCapabilities, OperationContext } from '../backend/adapter.js';
import { idOf } from '../backend/record.js';
import type { MappingPlan } from '../mapping/plan.js';
import { compilePushDown, type PushDown } from '../mapping/push-down.js';
import { compileReader, type ReferenceView, type ResourceReader } from '../mapping/read.js';
import type { OperationsConfig } from '../mapping/rule.js';
import type { Dialect } from '../scim/dialect.js';
import type { FilterLimits } from '../scim/filter-parser.js';
import { applyProjection, type Projection } from '../scim/projection.js';
import { isObject, type JsonValue, type MutableResource, type Resource, type ResourceType } from '../scim/schema.js';
import { type OnSilence, withSearchedInverses } from './searched-inverses.js';
import type { RequestContext } from './service.js';

/** Bounds of one gateway. Every number has its unit in its name or is a count. */
export interface ServiceLimits {
  /** Largest page. */
  readonly maxResults: number;
  /** Page size when the caller names none. */
  readonly defaultResults: number;
  /** Records that a search may read to answer what the backend cannot. */
  readonly scanLimit: number;
  readonly bulkOperations: number;
  readonly bulkBytes: number;
  readonly patchOperations: number;
  /** Elements of one multi-valued attribute that one answer may hold. */
  readonly maxMembers: number;
  readonly filterLength: number;
  /** How deep a filter nests. Default: 64. */
  readonly filterDepth?: number;
}

/** One resource type at work: its rules, its adapter and what the adapter can do now. */
export interface TypeRuntime {
  readonly type: ResourceType;
  readonly plan: MappingPlan;
  readonly reader: ResourceReader;
  /** Gives all mapped fields, those that are searched in other backends included. */
  readonly adapter: Adapter;
  /** The same for changes: they are made, and answered, also while those other backends do not answer. */
  readonly writer: Adapter;
  /** The adapter itself. Types with the same one live in the same backend. */
  readonly backend: Adapter;
  readonly entity: string;
  readonly operations: Required<OperationsConfig>;
  readonly dialect: Dialect;
  readonly limits: ServiceLimits;
  readonly enforceCanonical: boolean;
  capabilities(): EntityCapabilities;
  /** Compiled anew when the adapter's capabilities change. */
  pushDown(): PushDown;
}

const noCapabilities: EntityCapabilities = {
  fields: {},
  combine: { and: false, or: false, not: false },
  offset: false,
  total: false,
  revision: false,
  write: true,
  atomicUpdate: false,
  enforcesUnique: false,
  referentialIntegrity: false,
};

export interface TypeRuntimeOptions
  extends Omit<TypeRuntime, 'reader' | 'type' | 'entity' | 'capabilities' | 'pushDown' | 'writer' | 'backend'> {
  /** The adapter and the entity of another type of the gateway: asked for when the mapping mirrors what is kept there. */
  readonly siblings?: ReadonlyMap<string, { readonly adapter: Adapter; readonly entity: string }>;
}

export function createTypeRuntime({ siblings, ...options }: TypeRuntimeOptions): TypeRuntime {
  const { plan, adapter: backend } = options;
  const adapter = withInverses(options, siblings, 'fail');
  let compiled: { readonly version: number; readonly pushDown: PushDown } | undefined;
  const capabilities = (): EntityCapabilities => adapter.capabilities.entities[plan.entity] ?? noCapabilities;
  return {
    ...options,
    adapter,
    writer: withInverses(options, siblings, 'leaveOut'),
    backend,
    type: plan.type,
    entity: plan.entity,
    reader: compileReader(plan),
    capabilities,
    pushDown() {
      const { version } = adapter.capabilities;
      if (compiled?.version !== version) compiled = { version, pushDown: compilePushDown(plan, capabilities()) };
      return compiled.pushDown;
    },
  };
}

function withInverses(
  { plan, adapter }: Pick<TypeRuntimeOptions, 'plan' | 'adapter'>,
  siblings: TypeRuntimeOptions['siblings'],
  onSilence: OnSilence,
): Adapter {
  const sources = plan.searched.flatMap((inverse) => {
    const holder = siblings?.get(inverse.holder);
    return holder === undefined ? [] : [{ inverse, ...holder }];
  });
  return sources.length === 0 ? adapter : withSearchedInverses(adapter, plan.entity, sources, onSilence);
}

/** What an adapter gets of a request. The context itself, as its signal is made only when somebody asks for it. */
export function operationContext(context: RequestContext): OperationContext {
  return context;
}

/** The ETag of a record; undefined when its backend has no revisions. Weak, as representations differ by projection. */
export function versionOf(runtime: TypeRuntime, record: BackendRecord): string | undefined {
  const revision = record.$revision;
  return revision === undefined ? undefined : `W/"${runtime.plan.fingerprint}.${String(revision)}"`;
}

export function locationOf(runtime: TypeRuntime, id: string, context: RequestContext): string {
  return `${context.baseUrl}${runtime.type.endpoint}/${encodeURIComponent(id)}`;
}

/**
 * The whole representation: mapped attributes as projected, then `id`, `meta` and `schemas` as they come out.
 * @see RFC 7643 §3
 */
export function present(
  runtime: TypeRuntime,
  record: BackendRecord,
  projection: Projection,
  references: ReferenceView,
  context: RequestContext,
): Resource {
  const { type, reader } = runtime;
  const read = reader.read(record, (attribute) => projection.wants(attribute), references);
  const whole = withCommon(runtime, record, read, context);
  return projection.everything ? whole : applyProjection(whole, projection, type);
}

/** `schemas` first, `meta` last, the rest between: the order in which people read it. */
export function withCommon(
  runtime: TypeRuntime,
  record: BackendRecord,
  attributes: MutableResource,
  context: RequestContext,
): Resource {
  const { type } = runtime;
  const id = idOf(record);
  const schemas: string[] = [type.schema.id];
  for (const { schema } of type.extensions) if (isObject(attributes[schema.id])) schemas.push(schema.id);
  const meta: Record<string, JsonValue> = { resourceType: type.name };
  if (record.$created !== undefined) meta.created = String(record.$created);
  if (record.$modified !== undefined) meta.lastModified = String(record.$modified);
  meta.location = locationOf(runtime, id, context);
  const version = versionOf(runtime, record);
  if (version !== undefined) meta.version = version;
  return { schemas, id, ...attributes, meta };
}

/** What the filter parser is told. */
export function filterLimits({ filterLength, filterDepth }: ServiceLimits): FilterLimits {
  return filterDepth === undefined ? { maxLength: filterLength } : { maxLength: filterLength, maxDepth: filterDepth };
}
