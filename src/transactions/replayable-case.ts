import type { Transaction } from './transaction.js';

/** One exchange of a replayable case: what `test/transcripts` runs. */
interface Exchange {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: unknown;
  readonly expect: { readonly status: readonly number[]; readonly body?: unknown };
  readonly save?: Readonly<Record<string, string>>;
  readonly note?: string;
}

export interface ReplayableCase {
  readonly name: string;
  readonly steps: readonly Exchange[];
  readonly requires?: readonly string[];
}

const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const savedId = placeholderOf('id');
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';

/**
 * The request as a case that can be sent again, to any gateway: values are made up for each run, and a resource that the
 * request was about is created first.
 * @param endpointOf where a resource type lives: `/Users`
 * @returns a sentence when there is nothing that could be sent again
 */
export function toReplayableCase(
  transaction: Transaction,
  endpointOf: (resourceType: string) => string,
): ReplayableCase | string {
  if (transaction.kind !== 'request') return 'Only a request can be sent again.';
  const exchange = toExchange(transaction, endpointOf);
  if (typeof exchange === 'string') return exchange;
  const before = preparation(transaction, exchange, endpointOf);
  return {
    name: nameOf(transaction),
    steps: [...before, exchange],
    ...(transaction.operation === 'bulk' ? { requires: ['bulk'] } : {}),
  };
}

/** What the runner fills in: a name that a step saved, or what it makes up. */
function placeholderOf(name: string): string {
  return `\${${name}}`;
}

/** A UUID, the same for the same name. */
function madeUp(name: string): string {
  return placeholderOf(`uuid:${name}`);
}

function nameOf({ id, operation, resourceType, meant, status }: Transaction): string {
  const about = meant.length === 0 ? '' : `: ${meant.slice(0, 3).join('; ')}`;
  return `${operation} ${resourceType ?? 'resources'} answered ${status}${about} (${id})`;
}

const methods: Readonly<Record<string, string>> = {
  create: 'POST',
  read: 'GET',
  replace: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  search: 'GET',
  bulk: 'POST',
};

const needsBody: ReadonlySet<string> = new Set(['create', 'replace', 'patch', 'bulk']);

function toExchange(transaction: Transaction, endpointOf: (type: string) => string): Exchange | string {
  const { operation, status } = transaction;
  const method = methods[operation];
  if (method === undefined) return `There is nothing to send again: the operation was "${operation}".`;
  const body = readShape(transaction);
  if (body === undefined && needsBody.has(operation) && transaction.outcome !== 'refused') {
    return 'The request had no body that could be read.';
  }
  if (typeof body === 'string') return `The request's body was not kept: ${body}.`;
  const target = targetOf(transaction, body, endpointOf);
  if (target === undefined) return 'It is not known which resource type the request was about.';
  return {
    name: nameOf(transaction),
    method: target.method ?? method,
    path: target.path,
    ...(target.query === undefined ? {} : { query: target.query }),
    ...(body === undefined ? {} : { body }),
    expect: expectation(operation, status),
    ...circumstances(status),
  };
}

interface Target {
  readonly method?: string;
  readonly path: string;
  readonly query?: Exchange['query'];
}

/** Where it goes. */
function targetOf(
  { operation, resourceType, filter, status }: Transaction,
  body: unknown,
  endpointOf: (type: string) => string,
): Target | undefined {
  const collection = resourceType === undefined ? '' : endpointOf(resourceType);
  if (operation === 'bulk') return { path: '/Bulk' };
  if (operation === 'search') {
    if (body !== undefined) return { method: 'POST', path: `${collection}/.search` };
    const path = collection === '' ? '/' : collection;
    return filter === undefined ? { path } : { path, query: { filter: fillText(filter) } };
  }
  if (collection === '') return undefined;
  if (operation === 'create') return { path: collection };
  return { path: `${collection}/${status === 404 ? madeUp('missing') : savedId}` };
}

/** @returns a text when there is only a summary, undefined when there was no body */
function readShape({ shape }: Transaction): unknown {
  if (shape === undefined) return undefined;
  const json: unknown = JSON.parse(shape);
  return typeof json === 'string' && !json.startsWith('${') ? json : fillBody(json);
}

function expectation(operation: string, status: number): Exchange['expect'] {
  if (status >= 400) return { status: [status], body: { schemas: [errorSchema], status: String(status) } };
  return { status: operation === 'patch' ? [200, 204] : [status] };
}

/** What the record does not tell, and what stands in for it. */
function circumstances(status: number): Pick<Exchange, 'headers' | 'note'> {
  switch (status) {
    case 401:
      return {
        headers: { authorization: `Bearer ${madeUp('token')}` },
        note: 'Any unknown token stands for the one refused.',
      };
    case 412:
      return {
        headers: { 'if-match': `W/"${madeUp('version')}"` },
        note: 'Any other version stands for the one sent.',
      };
    case 403:
    case 429:
      return { note: 'It depends on who calls, or how often: adapt it.' };
    default:
      return status >= 500 ? { note: 'It depends on the state of the backend: adapt it.' } : {};
  }
}

/** What has to be there before the request makes sense. */
function preparation(
  { operation, resourceType, status }: Transaction,
  exchange: Exchange,
  endpointOf: (type: string) => string,
): readonly Exchange[] {
  if (operation === 'create' && status === 409) {
    return [{ ...exchange, name: 'the resource that holds the value already', expect: { status: [201] } }];
  }
  if (resourceType === undefined || !exchange.path.endsWith(`/${savedId}`)) return [];
  return [
    {
      name: `a ${resourceType} to work on`,
      method: 'POST',
      path: endpointOf(resourceType),
      body: simplest(resourceType),
      expect: { status: [201] },
      save: { id: '$.id' },
      ...(resourceType === 'User' || resourceType === 'Group' ? {} : { note: 'Add what the type requires.' }),
    },
  ];
}

function simplest(resourceType: string): object {
  if (resourceType === 'Group') return { schemas: [groupSchema], displayName: madeUp('displayName') };
  const values = { userName: madeUp('userName'), displayName: madeUp('displayName') };
  return resourceType === 'User' ? { schemas: [userSchema], ...values } : values;
}

const placeholder = /\$\{(value|mail|time|url|secret|number|decimal)(\d+)\}/g;
const numberOnly = /^\$\{(number|decimal)(\d+)\}$/;

function fillBody(json: unknown): unknown {
  if (typeof json === 'string') {
    const [, kind, number] = numberOnly.exec(json) ?? [];
    return kind === undefined ? fillText(json) : madeUpNumber(kind, Number(number));
  }
  if (Array.isArray(json)) return json.map(fillBody);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [fillText(key), fillBody(value)]));
}

/** Inside a filter or a path, numbers lose their quotation marks. */
function fillText(text: string): string {
  const unquoted = text.replace(/"(\$\{(?:number|decimal)\d+\})"/g, '$1');
  return unquoted.replace(placeholder, (_, kind: string, number: string) => {
    switch (kind) {
      case 'mail':
        return `${madeUp(`mail${number}`)}@example.com`;
      case 'time':
        return new Date(Date.UTC(2026, 0, 1) + Number(number) * 3_600_000).toISOString();
      case 'url':
        return `https://example.com/${madeUp(`url${number}`)}`;
      case 'number':
      case 'decimal':
        return String(madeUpNumber(kind, Number(number)));
      default:
        return madeUp(kind + number);
    }
  });
}

function madeUpNumber(kind: string, number: number): number {
  return kind === 'decimal' ? number + 0.5 : number;
}
