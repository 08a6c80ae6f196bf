import type { Preconditions, RequestContext, SearchRequest } from '../provisioning/service.js';
import { ScimError } from '../scim/error.js';
import type { Resource } from '../scim/schema.js';
import type { RequestRecord } from '../transactions/request-record.js';
import { documentResponse, emptyResponse, resourceResponse } from './answer.js';
import { readJson } from './body.js';
import type { Exchange } from './exchange.js';
import type { HttpGateway } from './http-gateway.js';
import { parseQuery, toProjection, toSearch } from './query.js';
import type { Route } from './route.js';
import { parseSearchBody } from './search-body.js';
import { namesSensitiveAttribute } from './sensitive-filter.js';

/** A request that was let in. */
export interface Call {
  readonly gateway: HttpGateway;
  readonly exchange: Exchange;
  readonly context: RequestContext;
  /** What is noted of the request. */
  readonly record: RequestRecord;
}

/** A path that has operations. */
export type Endpoint = Exclude<Route, { kind: 'refused' }>;
type EndpointOf<K extends Endpoint['kind']> = Extract<Endpoint, { kind: K }>;
type Operation<R extends Endpoint> = (call: Call, route: R) => Promise<Response>;
type ResourceOperation = Operation<EndpointOf<'resource'>>;

const read: ResourceOperation = async ({ gateway, exchange, context }, { type, id }) => {
  const projection = toProjection(parseQuery(exchange.query));
  const ifNoneMatch = exchange.header('if-none-match');
  const conditions: Preconditions = ifNoneMatch === undefined ? noConditions : { ifNoneMatch };
  return resourceResponse(exchange, await gateway.service.read(type, id, projection, conditions, context));
};

const replace: ResourceOperation = async (call, { type, id }) => {
  const { gateway, exchange, context } = call;
  const conditions = writeConditions(call);
  const projection = toProjection(parseQuery(exchange.query));
  const body = await readBody(call);
  return resourceResponse(exchange, await gateway.service.replace(type, id, body, projection, conditions, context));
};

const patch: ResourceOperation = async (call, { type, id }) => {
  const { gateway, exchange, context } = call;
  const conditions = writeConditions(call);
  const projection = toProjection(parseQuery(exchange.query));
  const body = await readBody(call);
  return resourceResponse(exchange, await gateway.service.patch(type, id, body, projection, conditions, context));
};

const remove: ResourceOperation = async (call, { type, id }) => {
  await call.gateway.service.delete(type, id, writeConditions(call), call.context);
  return emptyResponse(call.exchange);
};

const noConditions: Preconditions = {};

function writeConditions({ gateway, exchange }: Call): Preconditions {
  const ifMatch = exchange.header('if-match');
  const ifNoneMatch = exchange.header('if-none-match');
  if (ifMatch === undefined && gateway.requireIfMatch) {
    throw ScimError.preconditionRequired('This gateway asks for If-Match with the ETag of the version to be changed.');
  }
  if (ifMatch === undefined && ifNoneMatch === undefined) return noConditions;
  return { ...(ifMatch === undefined ? {} : { ifMatch }), ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) };
}

function readBody(call: Call): Promise<unknown> {
  return readNoted(call, call.gateway.limits.bodyBytes, 'the limit');
}

async function readNoted({ gateway, exchange, record }: Call, maxBytes: number, name: string): Promise<unknown> {
  const body = await readJson(exchange, { maxBytes, name, depth: gateway.limits.jsonDepth });
  record.body = body.text;
  return body.json;
}

const create: Operation<EndpointOf<'collection'>> = async (call, { type }) => {
  const { gateway, exchange, context } = call;
  const projection = toProjection(parseQuery(exchange.query));
  const body = await readBody(call);
  const answer = await gateway.service.create(type, body, projection, context);
  call.record.resourceId = lastSegment(answer.location);
  return resourceResponse(exchange, answer);
};

function lastSegment(location: string): string {
  return decodeURIComponent(location.slice(location.lastIndexOf('/') + 1));
}

const query: Operation<EndpointOf<'root' | 'collection'>> = async (call, route) => {
  const search = toSearch(parseQuery(call.exchange.query));
  if (search.filter !== undefined && namesSensitiveAttribute(search.filter, call.gateway.sensitiveFilters)) {
    throw ScimError.forbidden(
      'The filter names an attribute whose values must not stand in a URL: send the query as POST to "/.search".',
      'sensitive',
    );
  }
  return find(call, route, search);
};

const postedQuery: Operation<EndpointOf<'rootSearch' | 'collectionSearch'>> = async (call, route) => {
  return find(call, route, parseSearchBody(await readBody(call), call.gateway.dialect));
};

async function find(call: Call, route: Endpoint, search: SearchRequest): Promise<Response> {
  const { gateway, exchange, context, record } = call;
  const { filterLength } = gateway.limits;
  if (search.filter !== undefined && search.filter.length > filterLength) {
    throw ScimError.badRequest('invalidFilter', `The filter is longer than ${filterLength} characters.`);
  }
  record.filter = search.filter;
  const type = 'type' in route ? route.type : undefined;
  return documentResponse(exchange, await gateway.service.search(type, search, context));
}

const bulk: Operation<EndpointOf<'bulk'>> = async (call) => {
  const { gateway, exchange, context } = call;
  const body = await readNoted(call, gateway.limits.bulkBytes, 'maxPayloadSize');
  return documentResponse(exchange, await gateway.service.bulk(body, context));
};

/** /Me stands for the caller's own resource, which is then handled as if its own URI had been called. */
function onMe(operation: ResourceOperation): Operation<EndpointOf<'me'>> {
  return async (call) => {
    const { type, id } = await call.gateway.service.me(call.context);
    call.record.resourceType = type;
    call.record.resourceId = id;
    return operation(call, { kind: 'resource', type, id });
  };
}

const createMe: Operation<EndpointOf<'me'>> = async () => {
  throw ScimError.notImplemented('Nobody can create their own resource here: send POST to the resource type.');
};

/** Discovery answers whole, whatever paging and sorting is asked for; a filter is refused (RFC 7644 §4). */
function discovery<K extends Endpoint['kind']>(
  document: (call: Call, route: EndpointOf<K>) => Resource,
): Operation<EndpointOf<K>> {
  return async (call, route) => {
    if (parseQuery(call.exchange.query).has('filter')) {
      throw ScimError.forbidden('Discovery documents cannot be filtered; leave out "filter".');
    }
    return documentResponse(call.exchange, document(call, route));
  };
}

/** What each kind of path does, by method: RFC 7644 Table 2. Other methods are 405. */
const operations: { readonly [K in Endpoint['kind']]: Readonly<Record<string, Operation<EndpointOf<K>>>> } = {
  root: { GET: query },
  rootSearch: { POST: postedQuery },
  collection: { GET: query, POST: create },
  collectionSearch: { POST: postedQuery },
  resource: { GET: read, PUT: replace, PATCH: patch, DELETE: remove },
  bulk: { POST: bulk },
  me: { GET: onMe(read), POST: createMe, PUT: onMe(replace), PATCH: onMe(patch), DELETE: onMe(remove) },
  serviceProviderConfig: { GET: discovery(({ gateway, context }) => gateway.service.serviceProviderConfig(context)) },
  resourceTypes: {
    GET: discovery<'resourceTypes'>(({ gateway, context }, { name }) =>
      gateway.service.resourceTypeDocuments(name, context),
    ),
  },
  schemas: {
    GET: discovery<'schemas'>(({ gateway, context }, { uri }) => gateway.service.schemaDocuments(uri, context)),
  },
};

/** Carries the request out. OPTIONS tells the methods. @throws ScimError 405 with the methods that there are */
export function operate(call: Call, route: Endpoint): Promise<Response> {
  const { method } = call.exchange;
  const operation = operations[route.kind][method] as ((call: Call, route: Endpoint) => Promise<Response>) | undefined;
  if (operation !== undefined) return operation(call, route);
  const allow = Object.keys(operations[route.kind]).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
  if (method === 'OPTIONS') return Promise.resolve(emptyResponse(call.exchange, { Allow: allow.join(', ') }));
  throw ScimError.methodNotAllowed(`${method} is not possible here, but ${allow.join(', ')}.`, allow);
}
