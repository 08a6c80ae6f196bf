import { randomBytes } from 'node:crypto';
import { memoryModule } from '../../adapters/memory/adapter.js';
import { scimPresetRules } from '../../config/scim-preset.js';
import enterpriseJson from '../../schemas/rfc7643/EnterpriseUser.json' with { type: 'json' };
import groupJson from '../../schemas/rfc7643/Group.json' with { type: 'json' };
import userJson from '../../schemas/rfc7643/User.json' with { type: 'json' };
import type { Adapter, AdapterEnvironment, EntityUse } from '../../src/backend/adapter.js';
import { BackendPace } from '../../src/backend/pace.js';
import { compileMappings, type TypeRules } from '../../src/mapping/compile.js';
import type { MappingPlan } from '../../src/mapping/plan.js';
import type { MappingConfig, OperationsConfig, RuleProblem, SourcedRule } from '../../src/mapping/rule.js';
import { createScimService } from '../../src/provisioning/create-service.js';
import type { RequestContext, ScimService } from '../../src/provisioning/service.js';
import { createTypeRuntime, type ServiceLimits, type TypeRuntime } from '../../src/provisioning/type-runtime.js';
import { type Dialect, tolerantDialect } from '../../src/scim/dialect.js';
import { createResourceType, parseSchema, type ResourceType, type Schema } from '../../src/scim/schema.js';
import { createSealer } from '../../src/state/sealer.js';

export function schemaOf(json: unknown, role: 'core' | 'extension'): Schema {
  const { schema, problems } = parseSchema(json, role);
  if (schema === undefined) throw new Error(problems.map((problem) => problem.message).join('\n'));
  return schema;
}

export const enterpriseSchema = schemaOf(enterpriseJson, 'extension');

export function userTypeWith(...extensions: readonly Schema[]): ResourceType {
  return createResourceType({
    name: 'User',
    endpoint: '/Users',
    schema: schemaOf(userJson, 'core'),
    extensions: extensions.map((schema) => ({ schema, required: false })),
  });
}

export const userType = userTypeWith(enterpriseSchema);
export const groupType = createResourceType({
  name: 'Group',
  endpoint: '/Groups',
  schema: schemaOf(groupJson, 'core'),
  extensions: [],
});

/** One resource type of a test gateway. */
export interface TestType {
  readonly type: ResourceType;
  /** Rules as in gateway.yaml, or the preset of that name. */
  readonly rules: MappingConfig | 'scim';
  /** Default: the type's name in lower case with an "s". */
  readonly entity?: string;
  readonly unmapped?: 'drop' | 'reject';
  readonly lookupField?: string;
  readonly id?: string;
  readonly operations?: Partial<Required<OperationsConfig>>;
}

export interface TestServiceOptions {
  readonly types: readonly TestType[];
  /** Default: the memory adapter. */
  readonly open?: (environment: AdapterEnvironment) => Promise<Adapter>;
  /** Put around the opened adapter: a counter, a weaker one. */
  readonly wrap?: (adapter: Adapter) => Adapter;
  /** What the adapter is told of the fields; default: what the mapping says. */
  readonly entities?: (entities: readonly EntityUse[]) => readonly EntityUse[];
  readonly dialect?: Dialect;
  readonly limits?: Partial<ServiceLimits>;
  /** Records to start with, by entity; memory adapter only. */
  readonly records?: Readonly<Record<string, readonly object[]>>;
}

/** What a request had dropped: `addresses.country: not mapped`. */
export interface NotedContext extends RequestContext {
  readonly notes: string[];
}

export interface TestService {
  readonly service: ScimService;
  readonly adapter: Adapter;
  readonly plans: ReadonlyMap<string, MappingPlan>;
  readonly runtimes: ReadonlyMap<string, TypeRuntime>;
  /** A context of its own for one request. */
  context(): NotedContext;
}

export const testLimits: ServiceLimits = {
  maxResults: 1000,
  defaultResults: 100,
  scanLimit: 10_000,
  bulkOperations: 1000,
  bulkBytes: 1_000_000,
  patchOperations: 1000,
  maxMembers: 10_000,
  filterLength: 10_000,
};

export function sourcedRules(type: ResourceType, rules: MappingConfig | 'scim'): readonly SourcedRule[] {
  if (rules === 'scim') return scimPresetRules(type);
  return Object.entries(rules).map(([key, rule]) => ({
    key,
    rule: typeof rule === 'string' ? { field: rule } : rule,
    origin: { source: 'test', path: [type.name, key] },
  }));
}

export function typeRules({ type, rules, entity, unmapped, lookupField, id }: TestType): TypeRules {
  return {
    type,
    entity: entity ?? `${type.name.toLowerCase()}s`,
    rules: sourcedRules(type, rules),
    unmapped: unmapped ?? 'drop',
    ...(lookupField === undefined ? {} : { lookupField }),
    ...(id === undefined ? {} : { id }),
  };
}

/** Plans of rules that must have no errors. */
export function compileRules(types: readonly TestType[]): ReadonlyMap<string, MappingPlan> {
  const { plans, problems } = compileMappings(types.map(typeRules));
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(printProblem).join('\n'));
  return plans;
}

export function printProblem({ origin, at, message }: RuleProblem): string {
  return `${[...origin.path, ...at].join(' / ')}: ${message}`;
}

const silentLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const sealer = createSealer(randomBytes(32));

export function noteTakingContext(): NotedContext {
  const notes: string[] = [];
  return {
    caller: { id: 'test' },
    requestId: 'test',
    signal: new AbortController().signal,
    baseUrl: 'https://example.com/scim',
    dropped: (what, why) => {
      notes.push(`${what}: ${why}`);
    },
    notes,
  };
}

/** A service over one adapter, without HTTP and without a configuration file. */
export async function createTestService(options: TestServiceOptions): Promise<TestService> {
  const plans = compileRules(options.types);
  const uses = [...plans.values()].map(({ use }) => use);
  const environment: AdapterEnvironment = {
    gateway: 'test',
    entities: options.entities?.(uses) ?? uses,
    baseDir: '.',
    dataDir: '.',
    log: silentLog,
    pace: new BackendPace(),
  };
  const opened =
    options.open === undefined
      ? await memoryModule.open(
          { type: 'memory', ...(options.records && { records: toMutable(options.records) }) },
          environment,
        )
      : await options.open(environment);
  const adapter = options.wrap?.(opened) ?? opened;
  const limits = { ...testLimits, ...options.limits };
  const types = options.types.map(({ type, operations }) =>
    createTypeRuntime({
      plan: plans.get(type.name) as MappingPlan,
      adapter,
      operations: { create: true, update: true, delete: true, list: true, ...operations },
      dialect: options.dialect ?? tolerantDialect,
      limits,
      enforceCanonical: false,
    }),
  );
  const service = createScimService({
    gateway: 'test',
    types,
    limits,
    pagination: { default: 'index', cursorTimeoutSeconds: 60 },
    authenticationSchemes: [],
    metaSchemas: [],
    sealer,
  });
  return {
    service,
    adapter,
    plans,
    runtimes: new Map(types.map((runtime) => [runtime.type.name, runtime])),
    context: noteTakingContext,
  };
}

function toMutable(records: Readonly<Record<string, readonly object[]>>): {
  [entity: string]: { [field: string]: unknown }[];
} {
  return Object.fromEntries(Object.entries(records).map(([entity, rows]) => [entity, rows.map((row) => ({ ...row }))]));
}
