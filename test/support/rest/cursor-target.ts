import { randomUUID } from 'node:crypto';
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
import { jsonPatched } from './json-patch.js';
import type { JsonObject } from './shape.js';
import { type CollectionName, Staff } from './staff.js';

/** A target with cursors, JSON patches and OAuth client credentials; a group's members are in its record. */
export interface CursorTarget extends HttpTarget {
  readonly staff: Staff;
  readonly baseUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** No token that was issued so far is taken any more. */
  expireTokens(): void;
}

const collections: Readonly<Record<string, CollectionName>> = { people: 'people', groups: 'groups' };
const parameters: Readonly<Record<CollectionName, Readonly<Record<string, FilterName>>>> = {
  people: {
    'filter[login]': 'login',
    'filter[externalId]': 'externalId',
    'filter[badge]': 'badge',
    'filter[mail]': 'mail',
    'filter[manager]': 'manager',
  },
  groups: { 'filter[title]': 'title', 'filter[externalId]': 'externalId', 'filter[member]': 'member' },
};
/** What the target itself puts into a record. A patch may test it. */
const computedMembers = ['id', 'rev', 'created', 'modified', 'groups'];
const clientId = 'scimbridge client';
const clientSecret = 'cursor:target secret+7a20';

/** `/v2/people` and `/v2/groups`, tokens at `/oauth/token`. */
export async function startCursorTarget(): Promise<CursorTarget> {
  const staff = new Staff(false);
  const tokens = new Set<string>();
  const target = await startHttpTarget((request) => {
    try {
      if (request.rawPath === '/oauth/token') return issueToken(request, tokens);
      const [, token = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
      if (!tokens.has(token)) throw new Refusal(401, 'TOKEN', 'The token is not valid.');
      return route(staff, request);
    } catch (error) {
      return refused(error);
    }
  });
  return {
    ...target,
    staff,
    baseUrl: `${target.origin}/v2`,
    tokenUrl: `${target.origin}/oauth/token`,
    clientId,
    clientSecret,
    expireTokens: () => tokens.clear(),
  };
}

/** RFC 6749 sections 2.3.1 and 4.4: the client's name and secret are form-encoded before they become Basic. */
function issueToken(request: TargetRequest, tokens: Set<string>): TargetAnswer {
  const [type] = (request.headers['content-type'] ?? '').split(';');
  const form = new URLSearchParams(request.body.toString());
  const encoded = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);
  const basic = Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString('base64');
  if (request.method !== 'POST' || type !== 'application/x-www-form-urlencoded') {
    return jsonAnswer(400, { error: 'invalid_request' });
  }
  if (request.headers.authorization !== `Basic ${basic}`) {
    return jsonAnswer(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic' });
  }
  if (form.get('grant_type') !== 'client_credentials') return jsonAnswer(400, { error: 'unsupported_grant_type' });
  if (form.get('scope') !== 'staff') return jsonAnswer(400, { error: 'invalid_scope' });
  const token = `issued-${randomUUID()}`;
  tokens.add(token);
  return jsonAnswer(
    200,
    { access_token: token, token_type: 'bearer', expires_in: 3_600 },
    { 'cache-control': 'no-store' },
  );
}

function refused(error: unknown): TargetAnswer {
  if (!(error instanceof Refusal)) return jsonAnswer(500, { errors: [{ code: 'BUG', message: String(error) }] });
  const { status, code, message, field } = error;
  const headers = status === 401 ? { 'www-authenticate': 'Bearer error="invalid_token"' } : {};
  return jsonAnswer(status, { errors: [{ code: code.toUpperCase(), message, member: field }] }, headers);
}

function route(staff: Staff, request: TargetRequest): TargetAnswer {
  const [version, kind = '', id, ...more] = segmentsOf(request);
  const collection = Object.hasOwn(collections, kind) ? collections[kind] : undefined;
  if (version !== 'v2' || collection === undefined || more.length > 0) {
    throw new Refusal(404, 'NO_ROUTE', 'There is no such address.');
  }
  return id === undefined ? onCollection(staff, collection, request) : onRecord(staff, collection, id, request);
}

function onCollection(staff: Staff, collection: CollectionName, request: TargetRequest): TargetAnswer {
  if (request.method === 'GET') return page(staff, collection, request);
  if (request.method !== 'POST') throw new Refusal(405, 'METHOD', 'GET and POST.');
  queryOf(request, []);
  const { members, body } = splitUp(staff, collection, jsonOf(request, 'application/json') as JsonObject);
  const stored = staff.in(collection).insert(body);
  staff.setMembers(stored.id, members);
  return jsonAnswer(201, { item: shown(staff, collection, stored) });
}

/** Cursors are places, so that no record is lost or doubled while others come and go. */
function page(staff: Staff, collection: CollectionName, request: TargetRequest): TargetAnswer {
  checkReading(request);
  const known = parameters[collection];
  const query = queryOf(request, ['cursor', 'limit', ...Object.keys(known)]);
  const wanted = Object.entries(known).flatMap(([parameter, name]) => {
    const value = query.get(parameter);
    return value === undefined ? [] : [[name, value] as const];
  });
  const limit = numberOf(query, 'limit', { least: 1, most: 200, otherwise: 50 });
  const from = placeOf(query.get('cursor'));
  const rest = selected(staff, collection, wanted).filter(({ place }) => place > from);
  const given = rest.slice(0, limit);
  const last = given.at(-1);
  const next = rest.length > limit && last !== undefined ? cursorAt(last.place) : null;
  return jsonAnswer(200, { items: given.map((stored) => shown(staff, collection, stored)), page: { next } });
}

function cursorAt(place: number): string {
  return Buffer.from(`place:${place}`).toString('base64');
}

function placeOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const text = Buffer.from(cursor, 'base64').toString();
  const place = Number(/^place:(\d+)$/.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(place)) throw new Refusal(400, 'BAD_CURSOR', 'That is no cursor.');
  return place;
}

function onRecord(staff: Staff, collection: CollectionName, id: string, request: TargetRequest): TargetAnswer {
  queryOf(request, []);
  const stored = staff.found(collection, id);
  switch (request.method) {
    case 'GET':
      checkReading(request);
      return jsonAnswer(200, { item: shown(staff, collection, stored) });
    case 'DELETE':
      checkIfMatch(request, stored);
      staff.delete(collection, id);
      return jsonAnswer(200, { deleted: true });
    case 'PATCH': {
      const patch = jsonOf(request, 'application/json-patch+json');
      checkIfMatch(request, stored);
      const before = shown(staff, collection, stored);
      const { members, body } = splitUp(staff, collection, jsonPatched(before, patch), before);
      staff.in(collection).replace(stored, body);
      staff.setMembers(id, members);
      return { status: 204 };
    }
    default:
      throw new Refusal(405, 'METHOD', 'GET, PATCH and DELETE.');
  }
}

function checkIfMatch({ headers }: TargetRequest, { version }: Stored): void {
  const wanted = headers['if-match'];
  if (wanted !== undefined && wanted !== `"${version}"`) throw new Refusal(412, 'CHANGED', 'It has changed since.');
}

/** A document as it is sent, in what is kept of it and the members. @throws Refusal 422 for a change of computed ones */
function splitUp(
  staff: Staff,
  collection: CollectionName,
  document: JsonObject,
  before: JsonObject = {},
): { readonly members: readonly string[]; readonly body: JsonObject } {
  for (const name of computedMembers) {
    if (!isDeepStrictEqual(document[name], before[name])) {
      throw new Refusal(422, 'READ_ONLY', `"${name}" is not yours to write.`, `/${name}`);
    }
  }
  const written = Object.fromEntries(Object.entries(document).filter(([name]) => !computedMembers.includes(name)));
  if (collection === 'people') return { members: [], body: staff.checked(collection, written) };
  const { members = [], ...rest } = written;
  return { members: checkedMembers(members), body: staff.checked(collection, rest) };
}

/** Ids are kept as they are, whether they name somebody or not; twice the same one is refused. */
function checkedMembers(members: unknown): readonly string[] {
  const isList = Array.isArray(members) && members.every((id) => typeof id === 'string' && id !== '');
  if (members !== null && !isList) throw new Refusal(422, 'TYPE', 'Members are a list of ids.', '/members');
  const ids = (members ?? []) as readonly string[];
  if (new Set(ids).size < ids.length) throw new Refusal(422, 'DOUBLE', 'A member is there twice.', '/members');
  return ids;
}

function shown(staff: Staff, collection: CollectionName, { id, version, created, modified, body }: Stored): JsonObject {
  const people = collection === 'people';
  const members = people ? { groups: staff.groupsOf(id) } : { members: staff.members(id) };
  return { id, rev: version, ...body, ...members, created, modified };
}
