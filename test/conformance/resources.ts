import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Answer, Message, RequestOptions, TestGateway } from '../support/gateway.js';

export const urn = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  serviceProviderConfig: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  resourceType: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  search: 'urn:ietf:params:scim:api:messages:2.0:SearchRequest',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
  bulkRequest: 'urn:ietf:params:scim:api:messages:2.0:BulkRequest',
  bulkResponse: 'urn:ietf:params:scim:api:messages:2.0:BulkResponse',
  /** Those of gateway.yaml. */
  kinds: 'urn:example:params:scim:schemas:extension:kinds:2.0:User',
  device: 'urn:example:params:scim:schemas:core:2.0:Device',
  warranty: 'urn:example:params:scim:schemas:extension:warranty:2.0:Device',
} as const;

/** An id that no resource has. */
export const nobody = '00000000-0000-4000-8000-000000000000';

/** A text that no other test uses. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

export type Fields = Readonly<Record<string, unknown>>;

export function user(fields: Fields = {}): Fields {
  return { schemas: [urn.user], userName: unique('user'), ...fields };
}

export function group(fields: Fields = {}): Fields {
  return { schemas: [urn.group], displayName: unique('group'), ...fields };
}

/** Creates a user and expects that to succeed. */
export async function newUser(gateway: TestGateway, fields: Fields = {}): Promise<Message> {
  return created(await gateway.request('POST', '/Users', { body: user(fields) }));
}

export async function newGroup(gateway: TestGateway, fields: Fields = {}): Promise<Message> {
  return created(await gateway.request('POST', '/Groups', { body: group(fields) }));
}

export function created(answer: Answer): Message {
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

export async function newUsers(gateway: TestGateway, count: number, fields: Fields = {}): Promise<readonly Message[]> {
  return Promise.all(Array.from({ length: count }, () => newUser(gateway, fields)));
}

/** The resource, which must be there. */
export async function read(gateway: TestGateway, path: string, query: RequestOptions['query'] = {}): Promise<Message> {
  const answer = await gateway.request('GET', path, { query });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

export function readUser(gateway: TestGateway, { id }: { readonly id: string }): Promise<Message> {
  return read(gateway, `/Users/${id}`);
}

export function readGroup(gateway: TestGateway, { id }: { readonly id: string }): Promise<Message> {
  return read(gateway, `/Groups/${id}`);
}

export interface Operation {
  readonly op: string;
  readonly path?: unknown;
  readonly value?: unknown;
}

export function patchBody(...Operations: readonly Operation[]): Fields {
  return { schemas: [urn.patch], Operations };
}

export function patch(gateway: TestGateway, path: string, ...operations: readonly Operation[]): Promise<Answer> {
  return gateway.request('PATCH', path, { body: patchBody(...operations) });
}

/** Patches a user, expects success and gives what GET then says. */
export async function patchedUser(
  gateway: TestGateway,
  { id }: { readonly id: string },
  ...operations: readonly Operation[]
): Promise<Message> {
  expectSuccess(await patch(gateway, `/Users/${id}`, ...operations));
  return read(gateway, `/Users/${id}`);
}

export async function patchedGroup(
  gateway: TestGateway,
  { id }: { readonly id: string },
  ...operations: readonly Operation[]
): Promise<Message> {
  expectSuccess(await patch(gateway, `/Groups/${id}`, ...operations));
  return read(gateway, `/Groups/${id}`);
}

export function expectSuccess(answer: Answer): void {
  expect([200, 204], answer.text).toContain(answer.status);
}

/** A query that must succeed. */
export async function list(
  gateway: TestGateway,
  path: string,
  query: RequestOptions['query'] = {},
): Promise<Message & { readonly Resources: readonly Message[] }> {
  const { Resources = [], ...message } = await read(gateway, path, query);
  return { ...message, Resources };
}

/** The ids of the users that a filter selects, sorted. */
export async function selected(gateway: TestGateway, filter: string, path = '/Users'): Promise<readonly string[]> {
  return ids(await list(gateway, path, { filter, count: 1000 }));
}

export function ids(message: { readonly Resources?: readonly Message[] }): readonly string[] {
  return (message.Resources ?? []).map(({ id }) => id).sort();
}

export function idsOf(...resources: readonly { readonly id: string }[]): readonly string[] {
  return resources.map(({ id }) => id).sort();
}

/** The ids that a group's members hold, sorted. */
export function memberIds(resource: Message): readonly (string | undefined)[] {
  return (resource.members ?? []).map(({ value }) => value).sort();
}

/** A SCIM error with this status, and with this `scimType` (none: any or none). */
export function expectError(answer: Answer, status: number, ...scimTypes: readonly string[]): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.headers.get('content-type')).toMatch(/^application\/scim\+json/);
  expect(answer.body).toMatchObject({ schemas: [urn.error], status: String(status), detail: expect.any(String) });
  if (scimTypes.length > 0) expect(scimTypes, answer.text).toContain(answer.body.scimType);
}

/** The filter is refused with 400 invalidFilter. */
export async function expectInvalidFilter(gateway: TestGateway, filter: string, path = '/Users'): Promise<Answer> {
  const answer = await gateway.request('GET', path, { query: { filter } });
  expectError(answer, 400, 'invalidFilter');
  return answer;
}

/** An extension's attributes in a resource. */
export function extension(resource: Message, schema: string): Readonly<Record<string, unknown>> {
  return (resource[schema] ?? {}) as Readonly<Record<string, unknown>>;
}
