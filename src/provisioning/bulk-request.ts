import { ScimError } from '../scim/error.js';
import { isObject } from '../scim/schema.js';

export const bulkRequestUri = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
export const bulkResponseUri = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';

export type BulkMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One operation of a bulk request as it came; what is wrong with it alone is `fault`. */
export interface BulkOperation {
  readonly index: number;
  /** As it came where it is none of the four. */
  readonly method: string;
  readonly path: string | undefined;
  readonly bulkId: string | undefined;
  readonly version: string | undefined;
  readonly data: unknown;
  readonly fault: ScimError | undefined;
}

export interface BulkRequest {
  readonly operations: readonly BulkOperation[];
  /** Stop after so many errors; undefined: never (0 counts as absent, requirements GAP-18). */
  readonly failOnErrors: number | undefined;
}

const methods: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * @throws ScimError invalidSyntax, invalidValue, 413: the job cannot be processed at all
 * @see RFC 7644 §3.7
 */
export function parseBulkRequest(body: unknown, maxOperations: number): BulkRequest {
  if (!isObject(body)) throw ScimError.badRequest('invalidSyntax', 'The body of a bulk request is a JSON object.');
  const schemas = Array.isArray(body.schemas) ? body.schemas : [];
  if (!schemas.includes(bulkRequestUri))
    throw ScimError.badRequest('invalidSyntax', `"schemas" of a bulk request holds "${bulkRequestUri}".`);
  const list = body.Operations ?? body.operations;
  if (!Array.isArray(list)) throw ScimError.badRequest('invalidSyntax', 'A bulk request needs "Operations", a list.');
  if (list.length > maxOperations) {
    throw ScimError.tooLarge(
      `The job has ${list.length} operations; maxOperations is ${maxOperations}. Send it in parts.`,
    );
  }
  const limit = body.failOnErrors;
  if (limit !== undefined && limit !== null && !(Number.isInteger(limit) && (limit as number) >= 0)) {
    throw ScimError.badRequest('invalidValue', '"failOnErrors" is a whole number.');
  }
  const operations = list.map(parseOperation);
  const seen = new Set<string>();
  for (const { bulkId } of operations) {
    if (bulkId === undefined) continue;
    if (seen.has(bulkId))
      throw ScimError.badRequest('invalidValue', `The bulkId "${bulkId.slice(0, 80)}" is given twice in one job.`);
    seen.add(bulkId);
  }
  return { operations, failOnErrors: typeof limit === 'number' && limit > 0 ? limit : undefined };
}

function parseOperation(item: unknown, index: number): BulkOperation {
  const object = isObject(item) ? item : {};
  const method = typeof object.method === 'string' ? object.method.toUpperCase() : '';
  const text = (key: string): string | undefined => {
    const value = object[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const operation = {
    index,
    method,
    path: text('path'),
    bulkId: text('bulkId'),
    version: text('version'),
    data: object.data,
  };
  return { ...operation, fault: faultOf(item, operation) };
}

function faultOf(item: unknown, operation: Omit<BulkOperation, 'fault'>): ScimError | undefined {
  const { method, path, bulkId, data } = operation;
  if (!isObject(item)) return ScimError.badRequest('invalidSyntax', 'A bulk operation is a JSON object.');
  if (!methods.includes(method))
    return ScimError.badRequest('invalidSyntax', '"method" of a bulk operation is POST, PUT, PATCH or DELETE.');
  if (path === undefined)
    return ScimError.badRequest('invalidSyntax', 'A bulk operation needs a "path", such as "/Users" or "/Users/<id>".');
  if (method === 'POST' && bulkId === undefined)
    return ScimError.badRequest('invalidSyntax', 'A POST in a bulk request needs a "bulkId".');
  if (method !== 'DELETE' && !isObject(data)) {
    return ScimError.badRequest(
      'invalidSyntax',
      method === 'PATCH' ? '"data" of a PATCH is a whole PatchOp message.' : `${method} needs "data", an object.`,
    );
  }
  return undefined;
}

const referencePattern = /(?:^|\/)bulkId:([^/?#]+)$/;

/** The bulkId that a text refers to: `bulkId:x`, or a URI that ends in it. */
export function bulkIdIn(text: string): string | undefined {
  return referencePattern.exec(text)?.[1];
}

/** In the path of a PATCH operation an id stands in a filter: `members[value eq "bulkId:x"]`. */
const referenceInPathPattern = /"bulkId:([^"\\/?#]+)"/g;

/** The bulkIds that a value refers to, anywhere inside it. */
export function bulkIdsIn(value: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (item: unknown, key?: string): void => {
    if (typeof item === 'string') {
      const id = bulkIdIn(item);
      if (id !== undefined) found.add(id);
      if (key === 'path') for (const [, inPath = ''] of item.matchAll(referenceInPathPattern)) found.add(inPath);
    } else if (Array.isArray(item)) for (const part of item) visit(part);
    else if (isObject(item)) for (const [name, part] of Object.entries(item)) visit(part, name);
  };
  visit(value);
  return found;
}

/** The value with each reference replaced by the permanent id. */
export function withIds(value: unknown, ids: ReadonlyMap<string, string>, key?: string): unknown {
  if (typeof value === 'string') {
    const bulkId = bulkIdIn(value);
    const id = bulkId === undefined ? undefined : ids.get(bulkId);
    if (bulkId !== undefined && id !== undefined) return `${value.slice(0, -`bulkId:${bulkId}`.length)}${id}`;
    if (key !== 'path') return value;
    return value.replace(referenceInPathPattern, (text, inPath: string) => {
      const known = ids.get(inPath);
      return known === undefined ? text : JSON.stringify(known);
    });
  }
  if (Array.isArray(value)) return value.map((item) => withIds(item, ids));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withIds(item, ids, name)]));
}
