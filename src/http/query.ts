import type { ProjectionRequest, SearchRequest } from '../provisioning/service.js';
import { ScimError } from '../scim/error.js';

/** The query parameters that mean something here, by name in lower case. */
export type QueryParameters = ReadonlyMap<string, string>;

const knownNames = new Set([
  'attributes',
  'excludedattributes',
  'filter',
  'sortby',
  'sortorder',
  'startindex',
  'count',
  'cursor',
]);
const none: QueryParameters = new Map();
const noProjection: ProjectionRequest = {};

/**
 * Reads a query string. Names count in any case (Entra ID sends `startindex`); unknown ones are skipped unread.
 * @param text without its question mark
 * @throws ScimError 400 invalidValue for a parameter that is given twice, or a percent escape that is not UTF-8
 */
export function parseQuery(text: string): QueryParameters {
  if (text === '') return none;
  const parameters = new Map<string, string>();
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    const name = parameterName(equals < 0 ? part : part.slice(0, equals));
    if (name === undefined) continue;
    if (parameters.has(name)) {
      throw ScimError.badRequest('invalidValue', `The query parameter "${name}" is given more than once.`);
    }
    parameters.set(name, equals < 0 ? '' : decodeValue(name, part.slice(equals + 1)));
  }
  return parameters;
}

/** Whether the query tries to bring a token along. Its value is never looked at (RFC 6750 §2.3, RFC 9700 §4.3.2). */
export function hasTokenParameter(text: string): boolean {
  return /(?:^|&)access_token(?:=|&|$)/i.test(text);
}

function parameterName(encoded: string): string | undefined {
  const name = encoded.toLowerCase();
  if (knownNames.has(name)) return name;
  if (!name.includes('%')) return undefined;
  try {
    const decoded = decodeURIComponent(name).toLowerCase();
    return knownNames.has(decoded) ? decoded : undefined;
  } catch {
    return undefined;
  }
}

function decodeValue(name: string, encoded: string): string {
  try {
    return decodeURIComponent(encoded.includes('+') ? encoded.replaceAll('+', ' ') : encoded);
  } catch {
    throw ScimError.badRequest('invalidValue', `The query parameter "${name}" has a percent escape that is not UTF-8.`);
  }
}

/** `attributes` and `excludedAttributes`, split at commas (RFC 7644 §3.9). Empty ones count as absent. */
export function toProjection(parameters: QueryParameters): ProjectionRequest {
  if (parameters.size === 0) return noProjection;
  const attributes = splitNames(parameters.get('attributes'));
  const excludedAttributes = splitNames(parameters.get('excludedattributes'));
  return {
    ...(attributes === undefined ? {} : { attributes }),
    ...(excludedAttributes === undefined ? {} : { excludedAttributes }),
  };
}

/** A comma-separated list; undefined when nothing is in it. */
export function splitNames(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  return given.length === 0 ? undefined : given;
}

/**
 * A query on a collection or the root (RFC 7644 §3.4.2).
 * @throws ScimError 400 invalidValue when `count` or `startIndex` is no whole number; invalidCount beside a cursor (RFC 9865 §2.1)
 */
export function toSearch(parameters: QueryParameters): SearchRequest {
  if (parameters.size === 0) return noProjection;
  const filter = parameters.get('filter');
  const sortBy = parameters.get('sortby');
  const sortOrder = parameters.get('sortorder');
  const cursor = parameters.get('cursor');
  const startIndex = wholeNumber(parameters.get('startindex'), 'startIndex', cursor);
  const count = wholeNumber(parameters.get('count'), 'count', cursor);
  return {
    ...toProjection(parameters),
    ...(filter === undefined ? {} : { filter }),
    ...(sortBy ? { sortBy } : {}),
    ...(sortOrder ? { sortOrder } : {}),
    ...(startIndex === undefined ? {} : { startIndex }),
    ...(count === undefined ? {} : { count }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function wholeNumber(text: string | undefined, name: string, cursor: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (!/^-?\d+$/.test(trimmed)) throw notWhole(name, cursor);
  return Math.max(Math.min(Number(trimmed), Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

/** The refusal of a `count` or `startIndex` that is no whole number. */
export function notWhole(name: string, cursor: string | undefined): ScimError {
  const type = name === 'count' && cursor !== undefined ? 'invalidCount' : 'invalidValue';
  return ScimError.badRequest(type, `"${name}" is a whole number.`);
}
