import type { Stored } from './collection.js';
import { type FilterName, selected } from './filters.js';
import {
  checkReading,
  jsonAnswer,
  jsonOf,
  numberOf,
  queryOf,
  Refusal,
  segmentsOf,
  type TargetAnswer,
  type TargetRequest,
} from './http-exchange.js';
import { type HttpTarget, startHttpTarget } from './http-target.js';
import { mergePatched } from './merge-patch.js';
import { type CollectionName, Staff } from './staff.js';

/** A target whose pages have numbers (or begin at one), whose records are changed by merge patches, and whose members have calls of their own. */
export interface PageTarget extends HttpTarget {
  readonly staff: Staff;
  readonly baseUrl: string;
  readonly token: string;
}

const collections: Readonly<Record<string, CollectionName>> = { users: 'people', teams: 'groups' };
const parameters: Readonly<Record<CollectionName, Readonly<Record<string, FilterName>>>> = {
  people: {
    login: 'login',
    external_id: 'externalId',
    badge: 'badge',
    mail: 'mail',
    'name^': 'namePrefix',
    manager: 'manager',
  },
  groups: { title: 'title', external_id: 'externalId', member: 'member' },
};
const pageParameters = ['page', 'per_page', 'offset'];

/** `/api/v1/users`, `/api/v1/teams` and `/api/v1/teams/{id}/members`, with a bearer token. */
export async function startPageTarget(): Promise<PageTarget> {
  const staff = new Staff(true);
  const token = 'page-target-secret-5f1c';
  const created = new Map<string, { readonly body: string; readonly answer: TargetAnswer }>();
  const target = await startHttpTarget((request) => {
    try {
      if (request.headers.authorization !== `Bearer ${token}`) throw new Refusal(401, 'token', 'Who are you?');
      return route(staff, created, request);
    } catch (error) {
      return refused(error);
    }
  });
  return { ...target, staff, token, baseUrl: `${target.origin}/api/v1` };
}

function refused(error: unknown): TargetAnswer {
  if (!(error instanceof Refusal)) return jsonAnswer(500, { error: { code: 'bug', message: String(error) } });
  const { status, code, message, field } = error;
  const headers = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  return jsonAnswer(status, { error: { code, message, field } }, headers);
}

function route(
  staff: Staff,
  created: Map<string, { readonly body: string; readonly answer: TargetAnswer }>,
  request: TargetRequest,
): TargetAnswer {
  const [api, version, kind = '', id, members, member, ...more] = segmentsOf(request);
  const collection = Object.hasOwn(collections, kind) ? collections[kind] : undefined;
  if (api !== 'api' || version !== 'v1' || collection === undefined || more.length > 0) {
    throw new Refusal(404, 'no_route', 'There is no such address.');
  }
  if (id === undefined) return onCollection(staff, created, collection, kind, request);
  if (members === undefined) return onRecord(staff, collection, id, request);
  if (collection !== 'groups' || members !== 'members') throw new Refusal(404, 'no_route', 'There is no such address.');
  return onMembers(staff, id, member, request);
}

function onCollection(
  staff: Staff,
  created: Map<string, { readonly body: string; readonly answer: TargetAnswer }>,
  collection: CollectionName,
  kind: string,
  request: TargetRequest,
): TargetAnswer {
  if (request.method === 'GET') {
    checkReading(request);
    const known = parameters[collection];
    const query = queryOf(request, [...pageParameters, ...Object.keys(known)]);
    const wanted = Object.entries(known).flatMap(([parameter, name]) => {
      const value = query.get(parameter);
      return value === undefined ? [] : [[name, value] as const];
    });
    return page(selected(staff, collection, wanted), query, (stored) => shown(staff, collection, stored));
  }
  if (request.method !== 'POST') throw new Refusal(405, 'method', 'GET and POST.');
  queryOf(request, []);
  const key = request.headers['idempotency-key'];
  const earlier = key === undefined ? undefined : created.get(key);
  if (earlier !== undefined) {
    if (earlier.body !== request.body.toString()) throw new Refusal(422, 'key_reused', 'The key was for another body.');
    return earlier.answer;
  }
  const stored = staff.create(collection, jsonOf(request, 'application/json'));
  const location = `/api/v1/${kind}/${stored.id}`;
  const answer = jsonAnswer(201, shown(staff, collection, stored), { location, etag: etagOf(stored) });
  if (key !== undefined) created.set(key, { body: request.body.toString(), answer });
  return answer;
}

function page<T>(all: readonly T[], query: ReadonlyMap<string, string>, show: (item: T) => unknown): TargetAnswer {
  const number = numberOf(query, 'page', { least: 1, most: 1_000_000, otherwise: 1 });
  const size = numberOf(query, 'per_page', { least: 1, most: 100, otherwise: 20 });
  const from = numberOf(query, 'offset', { least: 0, most: 1_000_000, otherwise: (number - 1) * size });
  if (query.has('page') && query.has('offset')) throw new Refusal(400, 'bad_query', 'A page or an offset.');
  const data = all.slice(from, from + size).map(show);
  return jsonAnswer(200, { data }, { 'x-total-count': String(all.length) });
}

function onRecord(staff: Staff, collection: CollectionName, id: string, request: TargetRequest): TargetAnswer {
  queryOf(request, []);
  const stored = staff.found(collection, id);
  switch (request.method) {
    case 'GET':
      checkReading(request);
      return jsonAnswer(200, shown(staff, collection, stored), { etag: etagOf(stored) });
    case 'DELETE':
      checkIfMatch(request, stored);
      staff.delete(collection, id);
      return { status: 204 };
    case 'PATCH': {
      const patch = jsonOf(request, 'application/merge-patch+json');
      checkIfMatch(request, stored);
      const body = staff.checked(collection, mergePatched(stored.body, patch));
      const isSame = JSON.stringify(body) === JSON.stringify(stored.body);
      const now = isSame ? stored : staff.in(collection).replace(stored, body);
      return jsonAnswer(200, shown(staff, collection, now), { etag: etagOf(now) });
    }
    default:
      throw new Refusal(405, 'method', 'GET, PATCH and DELETE.');
  }
}

function onMembers(staff: Staff, group: string, member: string | undefined, request: TargetRequest): TargetAnswer {
  staff.found('groups', group);
  if (member === undefined) {
    if (request.method !== 'GET') throw new Refusal(405, 'method', 'GET.');
    checkReading(request);
    return page(staff.members(group), queryOf(request, pageParameters), (id) => staff.memberOf(id));
  }
  queryOf(request, []);
  if (request.body.length > 0) throw new Refusal(400, 'body', 'This request has no body.');
  switch (request.method) {
    case 'PUT':
      if (staff.memberOf(member) === undefined) {
        throw new Refusal(422, 'no_such_member', 'The member names nobody.', '/members');
      }
      return { status: staff.addMember(group, member) ? 201 : 204 };
    case 'DELETE':
      if (!staff.removeMember(group, member)) throw new Refusal(404, 'not_a_member', 'It is no member.');
      return { status: 204 };
    default:
      throw new Refusal(405, 'method', 'PUT and DELETE.');
  }
}

function checkIfMatch({ headers }: TargetRequest, stored: Stored): void {
  const wanted = headers['if-match'];
  if (wanted !== undefined && wanted !== etagOf(stored)) throw new Refusal(412, 'changed', 'It has changed since.');
}

function etagOf({ version }: Stored): string {
  return `"v${version}"`;
}

function shown(staff: Staff, collection: CollectionName, stored: Stored): unknown {
  const { id, created, modified, body } = stored;
  const computed = collection === 'people' ? { teams: staff.groupsOf(id) } : {};
  return { id, ...body, ...computed, etag: etagOf(stored), created, modified };
}
