import type {
  ProjectionRequest,
  RequestContext,
  ResourceAnswer,
  ScimService,
  SearchRequest,
} from '../../src/provisioning/service.js';
import { ScimError } from '../../src/scim/error.js';
import type { Resource } from '../../src/scim/schema.js';

/** What the service was asked, in order: the method's name and its arguments without the context. */
export interface FakeService extends ScimService {
  readonly calls: readonly { readonly method: string; readonly arguments: readonly unknown[] }[];
  readonly contexts: readonly RequestContext[];
}

const etag = 'W/"1"';

/**
 * A service for tests of HTTP: it remembers what it was asked, and answers plainly. The ids "missing", "broken", "busy"
 * fail in different ways.
 * @param override replaces single methods
 */
export function createFakeService(override: Partial<ScimService> = {}): FakeService {
  const calls: { method: string; arguments: readonly unknown[] }[] = [];
  const contexts: RequestContext[] = [];
  const note = (method: string, context: RequestContext, ...rest: readonly unknown[]): void => {
    calls.push({ method, arguments: rest });
    contexts.push(context);
  };
  const resource = (type: string, id: string, context: RequestContext): Resource => ({
    schemas: [`urn:ietf:params:scim:schemas:core:2.0:${type}`],
    id,
    meta: { resourceType: type, location: location(type, id, context), version: etag },
  });
  const answer = (status: 200 | 201, type: string, id: string, context: RequestContext): ResourceAnswer => ({
    status,
    resource: resource(type, id, context),
    location: location(type, id, context),
    version: etag,
  });
  const list = (resources: readonly Resource[]): Resource => ({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: resources.length,
    Resources: resources,
  });
  return {
    calls,
    contexts,
    resourceTypes: [
      { name: 'User', endpoint: '/Users' },
      { name: 'Group', endpoint: '/Groups' },
    ],
    async create(type, body, projection, context) {
      note('create', context, type, body, projection);
      return answer(201, type, 'new', context);
    },
    async read(type, id, projection, conditions, context) {
      note('read', context, type, id, projection, conditions);
      failFor(id);
      if (conditions.ifNoneMatch === etag) {
        return { status: 304, location: location(type, id, context), version: etag };
      }
      return answer(200, type, id, context);
    },
    async replace(type, id, body, projection, conditions, context) {
      note('replace', context, type, id, body, projection, conditions);
      failFor(id);
      checkVersion(conditions.ifMatch);
      return answer(200, type, id, context);
    },
    async patch(type, id, body, projection, conditions, context) {
      note('patch', context, type, id, body, projection, conditions);
      failFor(id);
      checkVersion(conditions.ifMatch);
      if (type === 'User') return answer(200, type, id, context);
      return { status: 204, location: location(type, id, context), version: etag };
    },
    async delete(type, id, conditions, context) {
      note('delete', context, type, id, conditions);
      failFor(id);
      checkVersion(conditions.ifMatch);
    },
    async search(type: string | undefined, request: SearchRequest, context: RequestContext) {
      note('search', context, type, request);
      return list([resource(type ?? 'User', 'found', context)]);
    },
    async bulk(body, context) {
      note('bulk', context, body);
      return { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'], Operations: [] };
    },
    async me(context) {
      if (context.caller.subject === undefined) throw ScimError.notImplemented('The token names no user.');
      return { type: 'User', id: context.caller.subject.value };
    },
    serviceProviderConfig(context) {
      note('serviceProviderConfig', context);
      return { schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'] };
    },
    resourceTypeDocuments(name, context) {
      note('resourceTypeDocuments', context, name);
      return name === undefined ? list([]) : { name };
    },
    schemaDocuments(uri, context) {
      note('schemaDocuments', context, uri);
      return uri === undefined ? list([]) : { id: uri };
    },
    ...override,
  };
}

function location(type: string, id: string, context: RequestContext): string {
  return `${context.baseUrl}/${type}s/${encodeURIComponent(id)}`;
}

function failFor(id: string): void {
  if (id === 'missing') throw ScimError.notFound('There is no such resource.');
  if (id === 'broken') throw new Error('SELECT secret FROM table');
  if (id === 'busy') throw ScimError.unavailable('The directory cannot be reached.', 7, new Error('ldap://dc1'));
}

function checkVersion(ifMatch: string | undefined): void {
  if (ifMatch !== undefined && ifMatch !== etag) throw ScimError.preconditionFailed('The resource has changed.');
}

export const noProjection: ProjectionRequest = {};
