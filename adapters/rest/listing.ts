import type { PlanContext } from './field-plan.js';
import { type Pointer, parsePointer } from './pointer.js';
import type { PagingConfig, TotalConfig } from './search-config.js';
import { parseRequest, type RequestTemplate } from './template.js';

/** Where an answer says how many there are. */
export type TotalPlan = { readonly header: string } | { readonly pointer: Pointer };

/** How pages are asked for. */
export type PagingPlan =
  | {
      readonly kind: 'page' | 'offset';
      /** The parameter with the number of the page, or of the first record. */
      readonly parameter: string;
      readonly sizeParam: string | undefined;
      readonly first: number;
      readonly keepsPlace: boolean;
    }
  | {
      readonly kind: 'cursor';
      readonly parameter: string;
      readonly start: string | undefined;
      readonly next: Pointer;
      readonly sizeParam: string | undefined;
    }
  | { readonly kind: 'nextUrl'; readonly next: Pointer; readonly sizeParam: string | undefined }
  | { readonly kind: 'link'; readonly sizeParam: string | undefined }
  | { readonly kind: 'none'; readonly sizeParam: undefined };

/** A request whose answer is a list, perhaps in pages. */
export interface Listing {
  readonly request: RequestTemplate;
  readonly records: Pointer;
  readonly paging: PagingPlan;
  readonly total: TotalPlan | undefined;
  /** The largest page; lowered when the target turns out to give less. */
  readonly size: { max: number };
}

interface ListingConfig {
  readonly request: string;
  readonly records?: string;
  readonly paging?: PagingConfig;
}

export function planListing(
  config: ListingConfig,
  names: readonly string[],
  at: readonly (string | number)[],
  context: Pick<PlanContext, 'problem'>,
): Listing {
  const request = parseRequest(config.request);
  checkNames(request, names, [...at, 'request'], context);
  const { paging } = config;
  const maxSize = paging === undefined || paging.kind === 'none' ? undefined : paging.maxSize;
  return {
    request,
    records: parsePointer(config.records ?? ''),
    paging: planPaging(paging),
    total: planTotal(paging?.total),
    size: { max: maxSize ?? 100 },
  };
}

/** Every name in braces must be one that there is a value for. */
export function checkNames(
  { names }: Pick<RequestTemplate, 'names'>,
  known: readonly string[],
  at: readonly (string | number)[],
  context: Pick<PlanContext, 'problem'>,
): void {
  for (const name of names) {
    if (known.includes(name)) continue;
    const told = known.length === 0 ? 'none' : known.map((one) => `{${one}}`).join(', ');
    context.problem(at, `There is no value for "{${name}}" here; there is ${told}.`);
  }
}

function planPaging(config: PagingConfig | undefined): PagingPlan {
  switch (config?.kind) {
    case undefined:
    case 'none':
      return { kind: 'none', sizeParam: undefined };
    case 'page':
      return {
        kind: 'page',
        parameter: config.pageParam ?? 'page',
        sizeParam: config.sizeParam,
        first: config.first ?? 1,
        keepsPlace: config.keepsPlace ?? false,
      };
    case 'offset':
      return {
        kind: 'offset',
        parameter: config.offsetParam ?? 'offset',
        sizeParam: config.sizeParam ?? 'limit',
        first: config.first ?? 0,
        keepsPlace: config.keepsPlace ?? false,
      };
    case 'cursor':
      return {
        kind: 'cursor',
        parameter: config.cursorParam ?? 'cursor',
        start: config.start,
        next: parsePointer(config.next),
        sizeParam: config.sizeParam,
      };
    case 'nextUrl':
      return { kind: 'nextUrl', next: parsePointer(config.next), sizeParam: config.sizeParam };
    case 'link':
      return { kind: 'link', sizeParam: config.sizeParam };
  }
}

function planTotal(config: TotalConfig | undefined): TotalPlan | undefined {
  if (config === undefined) return undefined;
  if (typeof config === 'string') return { pointer: parsePointer(config) };
  return 'header' in config && config.header !== undefined
    ? { header: config.header }
    : { pointer: parsePointer((config as { readonly pointer: string }).pointer) };
}
