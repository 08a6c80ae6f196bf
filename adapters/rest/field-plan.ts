import type { FieldUse } from '../../src/backend/adapter.js';
import type { Comparison } from '../../src/scim/comparison.js';
import type { CallConfig, ChildConfig, FieldConfig, ListConfig } from './entity-config.js';
import type { Json } from './json.js';
import { checkNames, type Listing, planListing } from './listing.js';
import { type Pointer, parsePointer } from './pointer.js';
import { namesInJson, parseRequest, type RequestTemplate } from './template.js';

/** How one value is in JSON. */
export interface ScalarPlan {
  readonly name: string;
  readonly type: FieldUse['type'];
  readonly comparison: Comparison;
  /** Set where JSON has another type than the mapping. */
  readonly json: 'string' | 'number' | 'boolean' | undefined;
  /** Ids of other entities carry a prefix that the target does not know; empty for most. */
  readonly prefixes: readonly string[];
}

export interface ChildPlan extends ScalarPlan {
  readonly pointer: Pointer;
}

/** A request for one value of a field, or for a batch. */
export interface CallPlan {
  readonly request: RequestTemplate;
  readonly body: Json | undefined;
  readonly item: Json | undefined;
  readonly batch: number;
  readonly ok: readonly number[];
  readonly unchanged: readonly number[];
}

/** A field whose values are behind requests of their own. */
export interface CallsPlan {
  readonly list: Listing | undefined;
  readonly item: Pointer;
  readonly has: RequestTemplate | undefined;
  readonly add: CallPlan | undefined;
  readonly remove: CallPlan | undefined;
}

export interface FieldPlan extends ScalarPlan {
  readonly use: FieldUse;
  /** Where it is in the record; undefined when it is behind requests of its own, or is computed by a search. */
  readonly pointer: Pointer | undefined;
  /** The values are in objects: where. */
  readonly item: Pointer | undefined;
  readonly children: readonly ChildPlan[];
  /** The child that says which value it is, where values are references. */
  readonly referring: ChildPlan | undefined;
  readonly clear: 'null' | 'absent' | 'empty' | undefined;
  readonly calls: CallsPlan | undefined;
  /** It is the other end of a reference in another entity, and found there. */
  readonly isSearched: boolean;
  readonly isWritable: boolean;
  readonly changesRevision: boolean;
}

/** Why a configuration cannot work, and where. */
export interface PlanProblem {
  readonly configPath: readonly (string | number)[];
  readonly message: string;
}

/** What plans of one entity are made with. */
export interface PlanContext {
  readonly entity: string;
  /** The `idPrefix` of the entities that a reference may lead to. */
  readonly prefixesOf: (targets: readonly string[]) => readonly string[];
  readonly problem: (path: readonly (string | number)[], message: string) => void;
}

/** The plan of a field that the mapping uses. @param config undefined when the entity does not declare it */
export function planField(use: FieldUse, config: string | FieldConfig | undefined, context: PlanContext): FieldPlan {
  const { name } = use;
  const at = ['fields', name];
  const settings: FieldConfig = typeof config === 'string' ? { pointer: config } : (config ?? {});
  const isSearched = use.inverseOf !== undefined && config === undefined;
  if (config === undefined && !isSearched) {
    context.problem(['fields'], `The mapping uses a field "${name}", which is not declared.`);
  }
  const childNames = (use.children ?? []).map((child) => child.name);
  const calls = planCalls(settings, childNames, at, context);
  if (config !== undefined && settings.pointer === undefined && calls === undefined) {
    context.problem(at, `"${name}" needs a "pointer", or requests that list, add and remove its values.`);
  }
  if (settings.pointer !== undefined && calls !== undefined) {
    context.problem(at, `"${name}" is in the record or behind requests of its own, not both.`);
  }
  const children = planChildren(use, settings, at, context);
  const scalar = planScalar(use, settings.json, context, settings.comparison);
  const isWritable = use.written && settings.readOnly !== true && use.inverseOf === undefined;
  return {
    ...scalar,
    use,
    pointer: settings.pointer === undefined ? undefined : parsePointer(settings.pointer),
    item: settings.item === undefined ? undefined : parsePointer(settings.item),
    children,
    referring: children.find((child) => use.children?.some((own) => own.name === child.name && own.reference)),
    clear: settings.clear,
    calls,
    isSearched,
    isWritable,
    changesRevision: calls === undefined || !isWritable || settings.changesRevision === true,
  };
}

function planScalar(
  use: FieldUse,
  json: ScalarPlan['json'],
  context: PlanContext,
  comparison?: ScalarPlan['comparison'],
): ScalarPlan {
  const { name, type, reference } = use;
  const prefixes = reference?.by === '$id' ? context.prefixesOf(reference.targets) : [];
  if (new Set(prefixes).size > 1) {
    context.problem(
      ['fields', name],
      `"${name}" holds ids of several entities with different prefixes, which cannot be told apart in the target.`,
    );
  }
  const isText = type === 'string';
  return { name, type, comparison: (isText ? comparison : undefined) ?? use.comparison, json, prefixes };
}

function planChildren(
  use: FieldUse,
  { children: declared }: FieldConfig,
  at: readonly string[],
  context: PlanContext,
): readonly ChildPlan[] {
  if (use.type !== 'records') {
    if (declared !== undefined) context.problem([...at, 'children'], `The mapping knows no parts of "${use.name}".`);
    return [];
  }
  return (use.children ?? []).flatMap((child): readonly ChildPlan[] => {
    const own: ChildConfig | undefined = declared?.[child.name];
    if (own === undefined) {
      context.problem([...at, 'children'], `"${use.name}" has no part "${child.name}", which the mapping uses.`);
      return [];
    }
    const settings = typeof own === 'string' ? { pointer: own } : own;
    return [{ ...planScalar(child, settings.json, context), pointer: parsePointer(settings.pointer) }];
  });
}

function planCalls(
  settings: FieldConfig,
  children: readonly string[],
  at: readonly string[],
  context: PlanContext,
): CallsPlan | undefined {
  const { list, has, add, remove } = settings;
  if (list === undefined && add === undefined && remove === undefined && has === undefined) return undefined;
  const listConfig: ListConfig | undefined = list;
  return {
    list: listConfig === undefined ? undefined : planListing(listConfig, ['id'], [...at, 'list'], context),
    item: parsePointer(listConfig?.item ?? ''),
    has: has === undefined ? undefined : parseRequest(has),
    add: add === undefined ? undefined : planCall(add, [], children, [...at, 'add'], context),
    remove: remove === undefined ? undefined : planCall(remove, [404, 410], children, [...at, 'remove'], context),
  };
}

function planCall(
  config: CallConfig,
  unchanged: readonly number[],
  children: readonly string[],
  at: readonly string[],
  context: PlanContext,
): CallPlan {
  const settings = typeof config === 'string' ? { request: config } : config;
  const body = settings.body as Json | undefined;
  const request = parseRequest(settings.request);
  const takesBatch = namesInJson(body).includes('values');
  if (!takesBatch && settings.batch !== undefined && settings.batch > 1) {
    context.problem([...at, 'batch'], 'A batch needs `{values}` in the body.');
  }
  const values = ['value', 'member', ...children];
  checkNames(request, ['id', ...values], [...at, 'request'], context);
  checkNames({ names: namesInJson(body) }, ['id', 'values', ...values], [...at, 'body'], context);
  if (!request.names.includes('id') && !namesInJson(body).includes('id')) {
    context.problem([...at, 'request'], 'The request has to hold `{id}`.');
  }
  return {
    request,
    body,
    item: settings.item as Json | undefined,
    batch: takesBatch ? (settings.batch ?? 100) : 1,
    ok: settings.ok ?? [],
    unchanged: settings.unchanged ?? unchanged,
  };
}
