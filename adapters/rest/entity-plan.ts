import type { EntityUse, FilterOp, Precision } from '../../src/backend/adapter.js';
import type { BodyKind, CreateConfig, EntityConfig, FieldRequestConfig } from './entity-config.js';
import { type FieldPlan, type PlanContext, type PlanProblem, planField } from './field-plan.js';
import type { Json, JsonObject } from './json.js';
import { checkNames, type Listing, planListing } from './listing.js';
import { type Pointer, parsePointer } from './pointer.js';
import type { FilterConfig, ScimFilterConfig, SortConfig } from './search-config.js';
import { namesInJson, parseRequest, type RequestTemplate } from './template.js';

export interface GetPlan {
  readonly request: RequestTemplate;
  readonly record: Pointer;
  readonly notFound: readonly number[];
}

export interface CreatePlan {
  readonly request: RequestTemplate;
  readonly body: 'record' | 'form';
  readonly constants: JsonObject;
  readonly contentType: string | undefined;
  readonly idempotencyHeader: string | undefined;
  readonly record: Pointer;
  readonly id: Pointer | undefined;
  readonly idHeader: string | undefined;
}

export interface FieldRequestPlan {
  readonly fields: readonly string[];
  readonly equals: FieldRequestConfig['equals'];
  readonly request: RequestTemplate;
  readonly body: Json | undefined;
}

export interface UpdatePlan {
  readonly request: RequestTemplate | undefined;
  readonly body: BodyKind;
  readonly contentType: string | undefined;
  readonly ifMatch: boolean;
  readonly requests: readonly FieldRequestPlan[];
}

export interface DeletePlan {
  readonly request: RequestTemplate;
  readonly ok: readonly number[];
  readonly ifMatch: boolean;
}

/** One thing that the target can select by itself. */
export interface PushedFilter {
  readonly field: string;
  readonly ops: readonly (FilterOp | 'in')[];
  readonly query: Readonly<Record<string, string>>;
  readonly match: Precision;
  readonly separator: string;
  readonly maxValues: number;
}

export interface ScimFilters {
  readonly parameter: string;
  readonly ops: readonly FilterOp[];
  readonly names: Readonly<Record<string, string>>;
  readonly combine: readonly string[];
  readonly match: Precision;
}

export interface SelectPlan {
  readonly parameter: string;
  readonly isExclusion: boolean;
  readonly separator: string;
  readonly always: readonly string[];
  /** By field. */
  readonly names: ReadonlyMap<string, string>;
}

export interface EntityPlan {
  readonly entity: string;
  readonly use: EntityUse;
  readonly idPrefix: string;
  readonly id: Pointer;
  readonly revisionHeader: string | undefined;
  readonly revisionPointer: Pointer | undefined;
  readonly created: Pointer | undefined;
  readonly modified: Pointer | undefined;
  readonly fields: ReadonlyMap<string, FieldPlan>;
  /** Unique fields that are written. */
  readonly uniqueFields: readonly string[];
  readonly enforcesUnique: boolean;
  readonly referentialIntegrity: boolean;
  readonly select: SelectPlan | undefined;
  readonly get: GetPlan;
  readonly listing: Listing;
  /** Undefined: all. */
  readonly shows: ReadonlySet<string> | undefined;
  readonly filters: readonly PushedFilter[] | ScimFilters;
  readonly sort: SortConfig | undefined;
  readonly create: CreatePlan | undefined;
  readonly update: UpdatePlan | undefined;
  readonly delete: DeletePlan | undefined;
}

export type EntityPlans = ReadonlyMap<string, EntityPlan>;

/** The plans of all entities that the mapping uses, and everything that cannot work. */
export function planEntities(
  uses: readonly EntityUse[],
  entities: Readonly<Record<string, EntityConfig>>,
): { readonly plans: EntityPlans; readonly problems: readonly PlanProblem[] } {
  const problems: PlanProblem[] = [];
  const prefixOf = new Map(uses.map(({ entity, idPrefix = '' }) => [entity, idPrefix]));
  const plans = new Map<string, EntityPlan>();
  for (const use of uses) {
    const config = entities[use.entity];
    if (config === undefined) {
      problems.push({ configPath: ['entities'], message: `"entities" does not declare "${use.entity}".` });
      continue;
    }
    const context: PlanContext = {
      entity: use.entity,
      prefixesOf: (targets) => targets.flatMap((target) => prefixOf.get(target) ?? []),
      problem: (path, message) => problems.push({ configPath: ['entities', use.entity, ...path], message }),
    };
    plans.set(use.entity, planEntity(use, config, context));
  }
  return { plans, problems };
}

function planEntity(use: EntityUse, config: EntityConfig, context: PlanContext): EntityPlan {
  const fields = new Map(use.fields.map((field) => [field.name, planField(field, config.fields[field.name], context)]));
  const idField = use.id === undefined ? undefined : config.fields[use.id];
  const idOfField = typeof idField === 'string' ? idField : idField?.pointer;
  const id = config.id ?? idOfField ?? '/id';
  if (idOfField !== undefined && idOfField !== id) {
    context.problem(['id'], `The mapping says that the id is "${use.id}", which is not at "${id}".`);
  }
  const uniqueFields = use.fields.filter(({ unique, written }) => unique && written).map(({ name }) => name);
  const { header, pointer } = config.revision ?? {};
  const plan = {
    entity: use.entity,
    use,
    idPrefix: use.idPrefix ?? '',
    id: parsePointer(id),
    revisionHeader: header,
    revisionPointer: pointer === undefined ? undefined : parsePointer(pointer),
    created: config.created === undefined ? undefined : parsePointer(config.created),
    modified: config.modified === undefined ? undefined : parsePointer(config.modified),
    fields,
    uniqueFields,
    enforcesUnique: uniqueFields.length > 0 && uniqueFields.every((name) => config.unique?.includes(name)),
    referentialIntegrity: config.referentialIntegrity ?? false,
    get: planGet(config.get, context),
    listing: planListing(config.search, [], ['search'], context),
    shows: config.search.shows === undefined ? undefined : new Set(config.search.shows),
    filters: planFilters(config.search.filters, fields, context),
    sort: config.search.sort,
  };
  return {
    ...plan,
    select: planSelect(config, plan),
    create: planCreate(config.create, plan.get.record, fields, context),
    update: planUpdate(config, fields, context),
    delete: planDelete(config, context),
  };
}

function planGet(config: EntityConfig['get'], context: PlanContext): GetPlan {
  const settings = typeof config === 'string' ? { request: config } : config;
  const request = parseRequest(settings.request);
  const at = typeof config === 'string' ? ['get'] : ['get', 'request'];
  checkNames(request, ['id'], at, context);
  if (request.method !== 'GET') context.problem(at, 'A record is read with GET.');
  return {
    request,
    record: parsePointer(settings.record ?? ''),
    notFound: settings.notFound ?? [404, 410],
  };
}

function planFilters(
  config: EntityConfig['search']['filters'],
  fields: ReadonlyMap<string, FieldPlan>,
  context: PlanContext,
): EntityPlan['filters'] {
  if (config !== undefined && 'style' in config) return planScimFilters(config);
  const list: readonly FilterConfig[] = config ?? [];
  return list.flatMap((filter, index): readonly PushedFilter[] => {
    const at = ['search', 'filters', index];
    const names = Object.values(filter.query).flatMap((text) => namesInJson(text));
    checkNames({ names }, ['value', 'values'], [...at, 'query'], context);
    if (filter.ops.includes('in') && !names.includes('values')) {
      context.problem([...at, 'query'], '"in" needs `{values}` in a parameter.');
    }
    // A filter on a field that this mapping does not use is of no use to it, and does no harm.
    if (!filter.field.startsWith('$') && !fields.has(filter.field)) return [];
    const { field, ops, query, match = 'superset', separator = ',', maxValues = 50 } = filter;
    return [{ field, ops, query, match, separator, maxValues }];
  });
}

const allOps = ['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'] as const;

function planScimFilters(config: ScimFilterConfig): ScimFilters {
  const { parameter = 'filter', ops = allOps, names = {}, combine = ['and', 'or', 'not'], match = 'superset' } = config;
  return { parameter, ops, names, combine, match };
}

function planSelect(config: EntityConfig, plan: Pick<EntityPlan, 'fields' | 'id' | 'revisionPointer'>) {
  const { select } = config;
  if (select === undefined) return undefined;
  const { parameter, exclude: isExclusion = false, separator = ',' } = select;
  const names = new Map<string, string>();
  for (const field of plan.fields.values()) {
    const name = select.names?.[field.name] ?? (isExclusion ? undefined : field.pointer?.[0]);
    if (name !== undefined) names.set(field.name, name);
  }
  const own = [plan.id[0], plan.revisionPointer?.[0]].filter((name) => name !== undefined);
  return { parameter, isExclusion, separator, names, always: select.always ?? (isExclusion ? [] : own) };
}

function planCreate(
  config: CreateConfig | undefined,
  record: Pointer,
  fields: ReadonlyMap<string, FieldPlan>,
  context: PlanContext,
): CreatePlan | undefined {
  if (config === undefined) return undefined;
  const request = parseRequest(config.request);
  checkNames(request, [...fields.keys()], ['create', 'request'], context);
  if (!['POST', 'PUT'].includes(request.method)) {
    context.problem(['create', 'request'], 'A record is made with POST or PUT.');
  }
  const { id } = config;
  const header = typeof id === 'object' && 'header' in id ? id.header : undefined;
  return {
    request,
    body: config.body ?? 'record',
    constants: (config.constants ?? {}) as JsonObject,
    contentType: config.contentType,
    idempotencyHeader: config.idempotency?.header,
    record: config.record === undefined ? record : parsePointer(config.record),
    id: typeof id === 'string' ? parsePointer(id) : undefined,
    idHeader: id === undefined ? 'location' : header,
  };
}

function planUpdate(
  config: EntityConfig,
  fields: ReadonlyMap<string, FieldPlan>,
  context: PlanContext,
): UpdatePlan | undefined {
  const { update, revision } = config;
  if (update === undefined) return undefined;
  const request = update.request === undefined ? undefined : parseRequest(update.request);
  if (request !== undefined) checkNames(request, ['id'], ['update', 'request'], context);
  const requests = (update.requests ?? []).map((own, index): FieldRequestPlan => {
    const parsed = parseRequest(own.request);
    const body = own.body as Json | undefined;
    const at = ['update', 'requests', index];
    checkNames(parsed, ['id', ...own.fields], [...at, 'request'], context);
    checkNames({ names: namesInJson(body) }, ['id', 'value', ...own.fields], [...at, 'body'], context);
    return { fields: own.fields, equals: own.equals, request: parsed, body };
  });
  if (request === undefined) {
    const covered = new Set(requests.flatMap((own) => own.fields));
    for (const field of fields.values()) {
      if (!field.isWritable || field.pointer === undefined || covered.has(field.name)) continue;
      context.problem(['update'], `No request changes "${field.name}".`);
    }
  }
  return {
    request,
    body: update.body ?? (request?.method === 'PUT' ? 'full' : 'merge-patch'),
    contentType: update.contentType,
    ifMatch: update.ifMatch ?? revision !== undefined,
    requests,
  };
}

function planDelete({ delete: config, revision }: EntityConfig, context: PlanContext): DeletePlan | undefined {
  if (config === undefined) return undefined;
  const settings = typeof config === 'string' ? { request: config } : config;
  const request = parseRequest(settings.request);
  checkNames(request, ['id'], typeof config === 'string' ? ['delete'] : ['delete', 'request'], context);
  return { request, ok: settings.ok ?? [], ifMatch: settings.ifMatch ?? revision !== undefined };
}
