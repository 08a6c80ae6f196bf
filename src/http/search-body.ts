import type { SearchRequest } from '../provisioning/service.js';
import type { Dialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import { isObject } from '../scim/schema.js';
import { notWhole, splitNames } from './query.js';

const searchRequestUri = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const memberNames = [
  'schemas',
  'attributes',
  'excludedAttributes',
  'filter',
  'sortBy',
  'sortOrder',
  'startIndex',
  'count',
  'cursor',
] as const;
type MemberName = (typeof memberNames)[number];
const byLowerCase = new Map<string, MemberName>(memberNames.map((name) => [name.toLowerCase(), name]));

/**
 * Reads the body of a POST to `/.search`. Members that it does not know are ignored; null counts as absent.
 * @throws ScimError 400 invalidSyntax when it is no SearchRequest, invalidValue when a member has the wrong type
 * @see RFC 7644 §3.4.3, RFC 9865 §3
 */
export function parseSearchBody(body: unknown, dialect: Dialect): SearchRequest {
  const members = readMembers(body, dialect);
  const { schemas } = members;
  if (!Array.isArray(schemas) || !schemas.some((uri) => isSearchRequestUri(uri))) {
    throw ScimError.badRequest('invalidSyntax', `"schemas" of a search request holds "${searchRequestUri}".`);
  }
  const cursor = textMember(members, 'cursor');
  const search = {
    attributes: namesMember(members, 'attributes'),
    excludedAttributes: namesMember(members, 'excludedAttributes'),
    filter: textMember(members, 'filter'),
    sortBy: textMember(members, 'sortBy') || undefined,
    sortOrder: textMember(members, 'sortOrder') || undefined,
    startIndex: numberMember(members, 'startIndex', cursor),
    count: numberMember(members, 'count', cursor),
    cursor,
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

type Members = Partial<Record<MemberName, unknown>>;

function readMembers(body: unknown, dialect: Dialect): Members {
  if (!isObject(body)) throw ScimError.badRequest('invalidSyntax', 'A search request is a JSON object.');
  const anyCase = dialect.tolerates('operationCase');
  const members: Members = {};
  for (const [key, value] of Object.entries(body)) {
    const name = byLowerCase.get(key.toLowerCase());
    if (name !== undefined && value !== null && (anyCase || name === key)) members[name] = value;
  }
  return members;
}

function isSearchRequestUri(value: unknown): boolean {
  return typeof value === 'string' && value.toLowerCase() === searchRequestUri.toLowerCase();
}

function textMember(members: Members, name: MemberName): string | undefined {
  const value = members[name];
  if (value === undefined || typeof value === 'string') return value;
  throw ScimError.badRequest('invalidValue', `"${name}" is a text.`);
}

function numberMember(members: Members, name: MemberName, cursor: string | undefined): number | undefined {
  const value = members[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw notWhole(name, cursor);
}

/** An array of names (RFC 7644 §3.4.3); the comma-separated text of the query form is understood too. */
function namesMember(members: Members, name: MemberName): readonly string[] | undefined {
  const value = members[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string') return splitNames(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return splitNames(value.join(','));
  throw ScimError.badRequest('invalidValue', `"${name}" is an array of attribute names.`);
}
