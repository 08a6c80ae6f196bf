import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type RestConfig, restConfigSchema } from '../../adapters/rest/config.js';
import { restModule } from '../../adapters/rest/module.js';
import { validator } from '../../config/validator.js';
import type {
  Adapter,
  AdapterEnvironment,
  EntityUse,
  FieldUse,
  OperationContext,
  TraceEntry,
} from '../../src/backend/adapter.js';
import { environmentIn } from '../contract/contract-entities.js';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Told {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless there is `text`. */
  readonly json?: unknown;
  readonly text?: string | Buffer;
  /** The connection ends instead of an answer, or in the middle of the text. */
  readonly cut?: boolean;
}

export interface SmallTarget {
  readonly url: string;
  /** Everything that was asked, in order: `GET /users?login=x`. */
  readonly asked: Asked[];
  lines(): readonly string[];
}

/** A server that answers as the test says, until the test ends. */
export async function startTarget(answer: (asked: Asked) => Told | Promise<Told>): Promise<SmallTarget> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const url = new URL(request.url ?? '/', 'http://target');
      const one: Asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      send(response, await answer(one));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const lines = () =>
    asked.map(
      ({ method, path, query }) =>
        `${method} ${path}${query.size === 0 ? '' : `?${decodeURIComponent(query.toString())}`}`,
    );
  return { url: `http://127.0.0.1:${port}`, asked, lines };
}

function send(response: ServerResponse, { status = 200, headers = {}, json, text, cut }: Told): void {
  if (cut === true && text === undefined) {
    response.destroy();
    return;
  }
  const body = text ?? (json === undefined ? '' : JSON.stringify(json));
  const type = json === undefined ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { ...type, ...(cut === true ? { 'content-length': '9999' } : {}), ...headers });
  if (cut === true) response.write(body, () => response.destroy());
  else response.end(body);
}

const text: Omit<FieldUse, 'name'> = {
  type: 'string',
  multiple: false,
  comparison: 'fold',
  unique: false,
  read: true,
  written: true,
};

export function field(name: string, more: Partial<FieldUse> = {}): FieldUse {
  return { ...text, name, ...more };
}

/** A person with a login and an address, and groups with members. */
export const uses: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      field('login', { unique: true }),
      field('mail', { comparison: 'exact' }),
      field('tags', { multiple: true }),
    ],
  },
];

export type PeopleConfig = RestConfig['entities'][string];

export const people: PeopleConfig = {
  fields: { login: '/login', mail: '/profile/mail', tags: '/tags' },
  get: 'GET /users/{id}',
  search: {
    request: 'GET /users',
    filters: [{ field: 'login', ops: ['eq'], query: { login: '{value}' } }],
  },
  create: { request: 'POST /users' },
  update: { request: 'PATCH /users/{id}' },
  delete: 'DELETE /users/{id}',
};

type Section = Omit<RestConfig, 'type' | 'baseUrl'> & { readonly baseUrl?: string };

export interface Opened {
  readonly section?: Partial<Section>;
  readonly entities?: readonly EntityUse[];
  readonly environment?: Partial<AdapterEnvironment>;
}

/** Opens the adapter on a target with the entity "people", changed as the test says; it is closed at the end. */
export async function openOn(
  url: string,
  entity: Partial<PeopleConfig> = {},
  { section = {}, entities = uses, environment = {} }: Opened = {},
): Promise<Adapter> {
  const config: unknown = { type: 'rest', baseUrl: url, entities: { people: { ...people, ...entity } }, ...section };
  const validate = validator().compile(restConfigSchema);
  if (!validate(config)) throw new Error(JSON.stringify(validate.errors));
  const adapter = await restModule.open(config as RestConfig, { ...environmentIn('/', entities), ...environment });
  onTestFinished(() => adapter.close());
  return adapter;
}

/** @param trace collects what was done */
export function context(trace?: TraceEntry[], more: Partial<OperationContext> = {}): OperationContext {
  return {
    signal: AbortSignal.timeout(30_000),
    requestId: 'test',
    operationId: 'operation-1',
    ...(trace === undefined ? {} : { trace: (entry: TraceEntry) => trace.push(entry) }),
    ...more,
  };
}
