import { isDeepStrictEqual } from 'node:util';
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
import { isObject, type JsonObject } from './shape.js';
import { type CollectionName, Staff } from './staff.js';

/** A target with Link headers (RFC 8288) whose records are replaced as a whole, and only under If-Match. */
export interface LinkTarget extends HttpTarget {
  readonly staff: Staff;
  readonly baseUrl: string;
  readonly apiKey: string;
}

const collections: Readonly<Record<string, CollectionName>> = { accounts: 'people', roles: 'groups' };
const parameters: Readonly<Record<CollectionName, Readonly<Record<string, FilterName>>>> = {
  people: { login: 'login', externalId: 'externalId', badge: 'badge', mail: 'mail', manager: 'manager' },
  groups: { title: 'title', externalId: 'externalId', member: 'member' },
};
const computedMembers = ['id', '_etag', '_created', '_modified', 'roleIds'];

/** `/rest/accounts` and `/rest/roles`, with a key in a header. */
export async function startLinkTarget(): Promise<LinkTarget> {
  const staff = new Staff(false);
  const apiKey = 'link-target-key-93ab';
  let origin = '';
  const target = await startHttpTarget((request) => {
    try {
      if (request.headers['x-api-key'] !== apiKey) throw new Refusal(401, 'key', 'Who are you?');
      return route(staff, request, origin);
    } catch (error) {
      return refused(error);
    }
  });
  origin = target.origin;
  return { ...target, staff, apiKey, baseUrl: `${target.origin}/rest` };
}

/** RFC 9457. */
function refused(error: unknown): TargetAnswer {
  const type = 'application/problem+json';
  if (!(error instanceof Refusal)) return jsonAnswer(500, { type: 'urn:bug', title: String(error) }, {}, type);
  const { status, code, message, field } = error;
  return jsonAnswer(status, { type: `urn:problem:${code}`, title: message, status, member: field }, {}, type);
}

function route(staff: Staff, request: TargetRequest, origin: string): TargetAnswer {
  const [rest, kind = '', id, ...more] = segmentsOf(request);
  const collection = Object.hasOwn(collections, kind) ? collections[kind] : undefined;
  if (rest !== 'rest' || collection === undefined || more.length > 0) {
    throw new Refusal(404, 'no-route', 'There is no such address.');
  }
  if (id !== undefined) return onRecord(staff, collection, id, request);
  if (request.method === 'GET') return page(staff, collection, request, origin);
  if (request.method !== 'POST') throw new Refusal(405, 'method', 'GET and POST.');
  queryOf(request, []);
  const { members, body } = splitUp(staff, collection, jsonOf(request, 'application/json'));
  const stored = staff.in(collection).insert(body);
  staff.setMembers(stored.id, members);
  return { status: 201, headers: { location: `${origin}/rest/${kind}/${stored.id}`, etag: etagOf(stored) } };
}

function page(staff: Staff, collection: CollectionName, request: TargetRequest, origin: string): TargetAnswer {
  checkReading(request);
  const known = parameters[collection];
  const query = queryOf(request, ['after', 'size', ...Object.keys(known)]);
  const wanted = Object.entries(known).flatMap(([parameter, name]) => {
    const value = query.get(parameter);
    return value === undefined ? [] : [[name, value] as const];
  });
  const size = numberOf(query, 'size', { least: 1, most: 100, otherwise: 25 });
  const after = numberOf(query, 'after', { least: 0, most: 999_999_999, otherwise: 0 });
  const rest = selected(staff, collection, wanted).filter(({ place }) => place > after);
  const given = rest.slice(0, size);
  const last = given.at(-1);
  const isMore = rest.length > size && last !== undefined;
  const next = new URLSearchParams(query.size === 0 ? '' : [...query]);
  next.set('after', String(last?.place));
  // The relation that counts is not the first one, and parameters come in the order that RFC 8288 leaves open.
  const first = `<${origin}${request.rawPath}>; title="a, b; rel=\\"next\\""; rel=first`;
  const link = isMore ? `${first}, <${request.rawPath}?${next}>; title=more; REL="last-seen next"` : first;
  return jsonAnswer(
    200,
    given.map((stored) => shown(staff, collection, stored)),
    { link },
  );
}

function onRecord(staff: Staff, collection: CollectionName, id: string, request: TargetRequest): TargetAnswer {
  queryOf(request, []);
  const stored = staff.found(collection, id);
  switch (request.method) {
    case 'GET':
      checkReading(request);
      return jsonAnswer(200, shown(staff, collection, stored), { etag: etagOf(stored) });
    case 'DELETE':
      if (request.headers['if-match'] !== undefined) checkIfMatch(request, stored);
      staff.delete(collection, id);
      return { status: 204 };
    case 'PUT': {
      const document = jsonOf(request, 'application/json');
      checkIfMatch(request, stored);
      const { members, body } = splitUp(staff, collection, document, shown(staff, collection, stored));
      const now = staff.in(collection).replace(stored, body);
      staff.setMembers(id, members);
      return jsonAnswer(200, shown(staff, collection, now), { etag: etagOf(now) });
    }
    default:
      throw new Refusal(405, 'method', 'GET, PUT and DELETE.');
  }
}

/** RFC 6585 section 3: without If-Match, writers could undo each other's changes. */
function checkIfMatch({ headers }: TargetRequest, stored: Stored): void {
  const wanted = headers['if-match'];
  if (wanted === undefined) throw new Refusal(428, 'if-match', 'If-Match is needed.');
  if (wanted !== etagOf(stored)) throw new Refusal(412, 'changed', 'It has changed since.');
}

function etagOf({ id, version }: Stored): string {
  return `"${id.slice(0, 8)}.${version}"`;
}

/** What a target gives may be sent back, but not changed. */
function splitUp(
  staff: Staff,
  collection: CollectionName,
  document: unknown,
  before: JsonObject = {},
): { readonly members: readonly string[]; readonly body: JsonObject } {
  if (!isObject(document)) throw new Refusal(422, 'type', 'A record is an object.');
  for (const name of computedMembers) {
    if (name in document && !isDeepStrictEqual(document[name], before[name])) {
      throw new Refusal(422, 'read-only', `"${name}" is not yours to write.`, name);
    }
  }
  const written = Object.fromEntries(Object.entries(document).filter(([name]) => !computedMembers.includes(name)));
  if (collection === 'people') return { members: [], body: staff.checked(collection, written) };
  const { members = [], ...rest } = written;
  return { members: checkedMembers(members), body: staff.checked(collection, rest) };
}

function checkedMembers(members: unknown): readonly string[] {
  const wrong = (message: string): Refusal => new Refusal(422, 'members', message, 'members');
  if (members === null) return [];
  if (!Array.isArray(members)) throw wrong('Members are a list.');
  const ids = (members as readonly unknown[]).map((member) => {
    if (!isObject(member) || typeof member.id !== 'string' || member.id === '') throw wrong('A member has an id.');
    const unknown = Object.keys(member).find((name) => !['id', 'kind'].includes(name));
    if (unknown !== undefined) throw wrong(`A member has no "${unknown}".`);
    return member.id;
  });
  if (new Set(ids).size < ids.length) throw wrong('A member is there twice.');
  return ids;
}

function shown(staff: Staff, collection: CollectionName, stored: Stored): JsonObject {
  const { id, created, modified, body } = stored;
  const links =
    collection === 'people'
      ? { roleIds: staff.groupsOf(id) }
      : { members: staff.members(id).map((member) => ({ id: member, kind: staff.memberOf(member)?.kind ?? 'User' })) };
  return { id, _etag: etagOf(stored), ...body, ...links, _created: created, _modified: modified };
}
