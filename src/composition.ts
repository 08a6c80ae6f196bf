/**
 * The composition root's middle: from a checked configuration to gateways that answer. It gets adapter modules and the
 * gateway's state handed in, so that `main.ts` alone names them.
 */
import type { Gateway, GatewayConfig } from '../config/gateway-config.js';
import { type AdapterLease, AdapterPool } from './adapter-pool.js';
import { authenticationSchemes } from './auth/schemes.js';
import type { AdapterModule } from './backend/adapter.js';
import type { GuardedAdapter } from './backend/guard.js';
import { compileMappings, type TypeRules } from './mapping/compile.js';
import type { MappingPlan } from './mapping/plan.js';
import type { RuleProblem } from './mapping/rule.js';
import { createScimService } from './provisioning/create-service.js';
import type { CursorSealer } from './provisioning/cursor.js';
import type { DiscoveryOptions } from './provisioning/discovery.js';
import type { ScimService } from './provisioning/service.js';
import { createTypeRuntime, type ServiceLimits, type TypeRuntime } from './provisioning/type-runtime.js';
import { strictDialect, tolerantDialect } from './scim/dialect.js';

/** The part of pino's logger that adapters get. */
type AdapterLogger = Parameters<AdapterModule['open']>[1]['log'];

export interface CompositionParts {
  readonly modules: ReadonlyMap<string, AdapterModule>;
  readonly sealer: CursorSealer;
  readonly metaSchemas: DiscoveryOptions['metaSchemas'];
  readonly log: AdapterLogger;
  /** Adapters that are open already, to be used again. Default: each gateway opens its own. */
  readonly pool?: AdapterPool;
}

/** One gateway that answers: its use cases, and its adapters for health and for the end. */
export interface RunningGateway {
  readonly gateway: Gateway;
  readonly service: ScimService;
  readonly types: readonly TypeRuntime[];
  /** By the name in the configuration. */
  readonly adapters: ReadonlyMap<string, GuardedAdapter>;
  /** Lets go of its adapters, of which those are closed that nobody else uses. To be called once. */
  close(): Promise<void>;
}

/** Compiles a gateway's rules. Problems carry the origin of their rule, for file, line and column. */
export function compileGateway(gateway: Gateway): {
  readonly plans: ReadonlyMap<string, MappingPlan>;
  readonly problems: readonly RuleProblem[];
} {
  return compileMappings(gateway.resources.map(typeRules));
}

/**
 * Rules that use an entity or a field which the adapter's own section does not name. Found without connecting.
 * @param modules adapter modules by type
 */
export function checkDeclared(
  config: GatewayConfig,
  gateway: Gateway,
  modules: ReadonlyMap<string, AdapterModule>,
): readonly RuleProblem[] {
  const fields = gateway.resources.flatMap((resource): readonly RuleProblem[] => {
    const section = config.adapters.get(resource.adapter);
    let declared: ReturnType<NonNullable<AdapterModule['declared']>>;
    try {
      declared = section === undefined ? undefined : modules.get(section.type)?.declared?.(section.settings);
    } catch (error) {
      const message = `What the adapter "${resource.adapter}" holds cannot be told. ${(error as Error).message}`;
      return [{ severity: 'error', origin: resource.origin, at: ['adapter'], message }];
    }
    if (declared === undefined) return [];
    const fields = declared.get(resource.entity);
    if (fields === undefined) {
      const message = `The adapter "${resource.adapter}" has no entity "${resource.entity}"; it has ${[...declared.keys()].join(', ')}.`;
      return [{ severity: 'error', origin: resource.origin, at: ['entity'], message }];
    }
    return resource.rules.flatMap(({ rule, origin }): readonly RuleProblem[] => {
      const { field, reference } = rule;
      if (field === undefined || fields.has(field) || field === resource.id || reference?.inverseOf !== undefined)
        return [];
      const message = `The entity "${resource.entity}" of the adapter "${resource.adapter}" has no field "${field}"; it has ${[...fields].join(', ')}.`;
      return [{ severity: 'error', origin, at: ['field'], message }];
    });
  });
  return [...fields, ...checkReferences(config, gateway, modules)];
}

/** Undefined where they are not known without connecting. */
function declaredFields(
  { adapter, entity }: Gateway['resources'][number],
  config: GatewayConfig,
  modules: ReadonlyMap<string, AdapterModule>,
): ReadonlySet<string> | undefined {
  const section = config.adapters.get(adapter);
  try {
    return section === undefined ? undefined : modules.get(section.type)?.declared?.(section.settings)?.get(entity);
  } catch {
    return undefined; // reported with the type itself
  }
}

/** References that cannot work: by a field that the named records have not, or by ids where the field takes none. */
function checkReferences(
  config: GatewayConfig,
  { resources }: Gateway,
  modules: ReadonlyMap<string, AdapterModule>,
): readonly RuleProblem[] {
  const byName = new Map(resources.map((resource) => [resource.type.name, resource]));
  return resources.flatMap((resource) =>
    resource.rules.flatMap(({ rule: { field, reference }, origin }): readonly RuleProblem[] => {
      if (field === undefined || reference === undefined || reference.inverseOf !== undefined) return [];
      return reference.to.flatMap((name, index): readonly RuleProblem[] => {
        const target = byName.get(name);
        if (target === undefined) return []; // reported already
        const by = reference.by ?? target.lookupField ?? '$id';
        const at = reference.by === undefined ? ['reference', 'to', index] : ['reference', 'by'];
        const error = (message: string): readonly RuleProblem[] => [{ severity: 'error', origin, at, message }];
        if (by !== '$id' && by !== target.id) {
          const fields = declaredFields(target, config, modules);
          if (fields === undefined || fields.has(by)) return [];
          return error(
            `The entity "${target.entity}" of the adapter "${target.adapter}" has no field "${by}" by which a ${name} could be named; it has ${[...fields].join(', ')}.`,
          );
        }
        const section = config.adapters.get(resource.adapter);
        if (section === undefined || target.adapter === resource.adapter) return [];
        const refuses = modules.get(section.type)?.refusesForeignIds;
        const reason = refuses?.(section.settings, resource.entity, field);
        return reason === undefined ? [] : error(`A ${name} lives in another backend ("${target.adapter}"). ${reason}`);
      });
    }),
  );
}

function typeRules(resource: Gateway['resources'][number]): TypeRules {
  const { type, entity, adapter, id, idPrefix, lookupField, rules, unmapped } = resource;
  return {
    type,
    entity,
    adapter,
    rules,
    unmapped,
    ...(id === undefined ? {} : { id }),
    ...(idPrefix === undefined ? {} : { idPrefix }),
    ...(lookupField === undefined ? {} : { lookupField }),
  };
}

/**
 * Opens the adapters of one gateway, or takes those that are open already, and ties its use cases to them. Adapters open
 * without waiting for their backends.
 * @throws whatever an adapter throws that cannot be opened; nothing is left open then
 */
export async function composeGateway(
  config: GatewayConfig,
  gateway: Gateway,
  plans: ReadonlyMap<string, MappingPlan>,
  parts: CompositionParts,
): Promise<RunningGateway> {
  const leases = await leaseAdapters(config, gateway, plans, parts);
  const close = async (): Promise<void> => {
    await Promise.all([...leases.values()].map((lease) => lease.release()));
  };
  const adapters = new Map([...leases].map(([name, { adapter }]) => [name, adapter]));
  const limits: ServiceLimits = { ...gateway.limits, patchOperations: gateway.limits.bulkOperations };
  const siblings = new Map(
    gateway.resources.flatMap(({ type, adapter: name, entity }) => {
      const adapter = adapters.get(name);
      return adapter === undefined ? [] : [[type.name, { adapter, entity }] as const];
    }),
  );
  const types = gateway.resources.flatMap((resource) => {
    const plan = plans.get(resource.type.name);
    const adapter = adapters.get(resource.adapter);
    if (plan === undefined || adapter === undefined) return [];
    const { create, update, delete: remove, list } = resource.operations;
    return [
      createTypeRuntime({
        plan,
        adapter,
        siblings,
        operations: { create, update, delete: remove, list },
        dialect: gateway.strict ? strictDialect : tolerantDialect,
        limits,
        enforceCanonical: resource.canonicalValues === 'enforce',
      }),
    ];
  });
  const service = createScimService({
    gateway: gateway.id,
    types,
    limits,
    requireIfMatch: gateway.requireIfMatch,
    pagination: gateway.pagination,
    authenticationSchemes: authenticationSchemes(gateway.auth),
    metaSchemas: parts.metaSchemas,
    sealer: parts.sealer,
  });
  return { gateway, service, types, adapters, close };
}

async function leaseAdapters(
  config: GatewayConfig,
  gateway: Gateway,
  plans: ReadonlyMap<string, MappingPlan>,
  { modules, log, pool = new AdapterPool({ ...config, modules }) }: CompositionParts,
): Promise<ReadonlyMap<string, AdapterLease>> {
  const leases = new Map<string, AdapterLease>();
  try {
    for (const name of new Set(gateway.resources.map((resource) => resource.adapter))) {
      const section = config.adapters.get(name);
      if (section === undefined) continue;
      const entities = gateway.resources.flatMap((resource) => {
        const plan = plans.get(resource.type.name);
        return resource.adapter === name && plan !== undefined ? [plan.use] : [];
      });
      const { type, settings, guard } = section;
      const order = { gateway: gateway.id, name, type, settings, guard, entities };
      leases.set(name, await pool.acquire(order, gateway.limits.requestSeconds * 1000, log));
    }
    return leases;
  } catch (error) {
    await Promise.all([...leases.values()].map((lease) => lease.release()));
    throw error;
  }
}
