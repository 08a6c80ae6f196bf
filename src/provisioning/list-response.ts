import type { JsonValue, Resource } from '../scim/schema.js';

export const listResponseUri = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** @see RFC 7644 §3.4.2, RFC 9865 §2 */
export function listResponse(page: {
  readonly resources: readonly Resource[];
  readonly total: number;
  /** 1-based; left out of answers to cursor requests. */
  readonly startIndex?: number;
  readonly nextCursor?: string;
}): Resource {
  return {
    schemas: [listResponseUri],
    totalResults: page.total,
    itemsPerPage: page.resources.length,
    ...(page.startIndex === undefined ? {} : { startIndex: page.startIndex }),
    ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
    Resources: page.resources as readonly JsonValue[],
  };
}
