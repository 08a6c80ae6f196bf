import type { TraceEntry } from '../backend/adapter.js';
import type { Resource } from '../scim/schema.js';

/** Who is calling, after authentication. `id` is stable and safe to log: `token:<label>`, `jwt:<sub>`, `client:<client id>`. */
export interface Caller {
  readonly id: string;
  /** The caller's own user, where the credential names one: the attribute that has the value. Else /Me is 501. */
  readonly subject?: { readonly attribute: string; readonly value: string };
  /** Absent: may do everything. */
  readonly readOnly?: boolean;
  readonly resourceTypes?: readonly string[];
}

/** What one request brings along. */
export interface RequestContext {
  readonly caller: Caller;
  readonly requestId: string;
  /** Ends when the request's deadline passes or the client leaves. */
  readonly signal: AbortSignal;
  /** What `signal.aborted` tells, without making the signal. */
  readonly hasEnded?: boolean;
  /** When the signal ends at the latest, on the clock of `performance.now()`. */
  readonly deadlineMs?: number;
  /** The gateway's SCIM base URL without a trailing slash: `https://host/scim`. Locations start with it. */
  readonly baseUrl: string;
  /** For the transaction: something that the request asked for was not carried out, e.g. "addresses.country: not mapped". */
  readonly dropped: (what: string, why: string) => void;
  /**
   * For the transaction: one thing that the request meant, in normalised words and without values: "replace active",
   * "add members (2)".
   */
  readonly meant?: ((what: string) => void) | undefined;
  /** For the transaction: each native operation of a backend. */
  readonly trace?: ((entry: TraceEntry) => void) | undefined;
}

/** `attributes` and `excludedAttributes` as they came, split at commas (RFC 7644 §3.9). */
export interface ProjectionRequest {
  readonly attributes?: readonly string[];
  readonly excludedAttributes?: readonly string[];
}

/** A query as it came from the URL or a /.search body (RFC 7644 §3.4.2, RFC 9865 §2). `cursor: ''` asks for the first page. */
export interface SearchRequest extends ProjectionRequest {
  readonly filter?: string;
  readonly sortBy?: string;
  readonly sortOrder?: string;
  readonly startIndex?: number;
  readonly count?: number;
  readonly cursor?: string;
}

/** Preconditions as they came: the texts of If-Match and If-None-Match (RFC 7644 §3.14). */
export interface Preconditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

/** The answer to a request on one resource. */
export interface ResourceAnswer {
  readonly status: 200 | 201 | 204 | 304;
  /** Projected, with `meta` and `schemas`; absent for 204 and 304. */
  readonly resource?: Resource;
  readonly location: string;
  /** The ETag; absent when the backend has no revisions. */
  readonly version?: string;
}

/**
 * One gateway's use cases. Bodies are parsed JSON, not yet checked. Every method rejects with ScimError and nothing else.
 * Type names are those of `resourceTypes`; paths are `/Users` and the like.
 */
export interface ScimService {
  /** The declared types: name and endpoint, for routing. */
  readonly resourceTypes: readonly { readonly name: string; readonly endpoint: string }[];
  create(type: string, body: unknown, projection: ProjectionRequest, context: RequestContext): Promise<ResourceAnswer>;
  read(
    type: string,
    id: string,
    projection: ProjectionRequest,
    conditions: Preconditions,
    context: RequestContext,
  ): Promise<ResourceAnswer>;
  replace(
    type: string,
    id: string,
    body: unknown,
    projection: ProjectionRequest,
    conditions: Preconditions,
    context: RequestContext,
  ): Promise<ResourceAnswer>;
  patch(
    type: string,
    id: string,
    body: unknown,
    projection: ProjectionRequest,
    conditions: Preconditions,
    context: RequestContext,
  ): Promise<ResourceAnswer>;
  delete(type: string, id: string, conditions: Preconditions, context: RequestContext): Promise<void>;
  /** A query on one type, or with `undefined` on the root over all types. @returns a ListResponse */
  search(type: string | undefined, request: SearchRequest, context: RequestContext): Promise<Resource>;
  /** @returns a BulkResponse. `bytes` is the size of the body as it came. */
  bulk(body: unknown, context: RequestContext): Promise<Resource>;
  /** The caller's own resource: its type and id. @throws ScimError 501 when the credential names none, 404 when there is none */
  me(context: RequestContext): Promise<{ readonly type: string; readonly id: string }>;
  serviceProviderConfig(context: RequestContext): Resource;
  /** All as a ListResponse, or one by its name. @throws ScimError 404 */
  resourceTypeDocuments(name: string | undefined, context: RequestContext): Resource;
  /** All as a ListResponse, or one by its URN. @throws ScimError 404 */
  schemaDocuments(uri: string | undefined, context: RequestContext): Resource;
}
