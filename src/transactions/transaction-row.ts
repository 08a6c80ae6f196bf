import type { NotedRequest } from './batch.js';
import { maxShapedChars, shapeOf, summaryOf, valuesOf } from './body-shape.js';
import {
  filterWithoutSecrets,
  maskComparisons,
  maskFilter,
  maskSimpleEquality,
  readFilter,
  readSimpleEquality,
  unparsableFilter,
} from './filter-mask.js';
import { operationOf } from './operation-name.js';
import { Placeholders } from './placeholders.js';
import { hashResourceId, hashSubject, isSubjectName, subjectsOfBody, subjectsOfFilter } from './subjects.js';
import type { Outcome } from './transaction.js';

/** A row of the file, with nothing personal left in it. Lists are JSON. */
export interface TransactionRow {
  readonly at: number;
  readonly durationUs: number;
  readonly gateway: string;
  readonly operation: string;
  readonly outcome: Outcome;
  readonly status: number;
  readonly count: number | null;
  readonly requestId: string;
  readonly traceId: string | null;
  readonly caller: string | null;
  readonly address: string | null;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
  readonly filter: string | null;
  readonly meant: string | null;
  readonly dropped: string | null;
  /** Operations and microseconds, in turn. */
  readonly backend: readonly (string | number)[] | null;
  readonly reason: string | null;
  readonly shape: string | null;
  readonly recorded: string | null;
  readonly hashes: readonly number[];
}

export function outcomeOf(status: number): Outcome {
  if (status < 400) return 'ok';
  if (status === 401 || status === 403 || status === 429) return 'refused';
  return status < 500 ? 'rejected' : 'failed';
}

/** @param key makes the hashes */
export function toRow(request: NotedRequest, key: Uint8Array): TransactionRow {
  try {
    return rowOf(request, key);
  } catch (error) {
    // Whatever it is that cannot be read in the request: that it came is recorded.
    const why = `its content could not be recorded (${error instanceof Error ? error.name : 'unknown'})`;
    const reason = request.reason === undefined ? why : `${request.reason}; ${why}`;
    const nothing = { filter: undefined, body: undefined, meant: undefined, dropped: undefined };
    return rowOf({ ...request, ...nothing, reason }, key);
  }
}

function rowOf(request: NotedRequest, key: Uint8Array): TransactionRow {
  const { status } = request;
  const content = request.filter === undefined && request.body === undefined ? noContent : contentOf(request, key);
  const keepsId = request.resourceId !== undefined && mayKeepId(request.resourceId, status);
  const hashes =
    request.resourceId === undefined || keepsId
      ? content.hashes
      : [...content.hashes, hashResourceId(key, request.resourceId)];
  return {
    at: request.atMs,
    durationUs: request.durationUs,
    gateway: request.gateway,
    operation: operationOf(request),
    outcome: outcomeOf(status),
    status,
    count: null,
    requestId: request.requestId,
    traceId: request.traceId ?? null,
    caller: request.caller === undefined ? null : clip(request.caller),
    address: request.address ?? null,
    resourceType: request.resourceType ?? null,
    resourceId: keepsId ? (request.resourceId ?? null) : null,
    filter: content.filter,
    meant: request.meant === undefined ? null : JSON.stringify(meantTexts(request.meant)),
    dropped: request.dropped === undefined ? null : JSON.stringify(droppedTexts(request.dropped)),
    backend: request.backend ?? null,
    reason: request.reason === undefined ? null : clip(request.reason),
    shape: request.bodyLeftOut > 0 ? summaryOf(undefined, request.bodyLeftOut) : content.shape,
    recorded: content.recorded,
    hashes,
  };
}

const maxTexts = 200;
const maxTextChars = 500;

/** Bulk requests mean a great deal. */
function meantTexts(meant: readonly string[]): readonly string[] {
  const told = meant.slice(0, maxTexts).map(clean);
  return meant.length > maxTexts ? [...told, `… (${meant.length} in all)`] : told;
}

function droppedTexts(dropped: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const told = dropped.slice(0, maxTexts).map(([what, why]) => [clean(what), clean(why)] as const);
  return dropped.length > maxTexts ? [...told, ['…', `${dropped.length} in all`]] : told;
}

function clean(text: string): string {
  return maskComparisons(clip(text));
}

function clip(text: string): string {
  return text.length <= maxTextChars ? text : `${text.slice(0, maxTextChars - 1)}…`;
}

const opaque = /^(?:[A-Za-z0-9._-]{1,16}[-_.])?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,64})$/i;

/**
 * An id that names no resource may be anything that somebody typed, a person's name among it. It is known to name one
 * when the request succeeded, or failed because of what the resource is; else it has to look like an id.
 */
function mayKeepId(id: string, status: number): boolean {
  if (id.length > maxTextChars) return false;
  if (status < 400 || status === 409 || status === 412) return true;
  return status !== 404 && opaque.test(id);
}

interface Content {
  readonly filter: string | null;
  readonly shape: string | null;
  readonly recorded: string | null;
  readonly hashes: readonly number[];
}

const noContent: Content = { filter: null, shape: null, recorded: null, hashes: [] };

function contentOf(request: NotedRequest, key: Uint8Array): Content {
  const placeholders = new Placeholders();
  const ofFilter = request.filter === undefined ? noContent : filterContent(request.filter, request, placeholders, key);
  if (request.body === undefined) return ofFilter;
  const ofBody = bodyContent(request.body, request, placeholders, key);
  return { ...ofBody, filter: ofFilter.filter, hashes: [...new Set([...ofFilter.hashes, ...ofBody.hashes])] };
}

function filterContent(
  text: string,
  { recordsValues }: NotedRequest,
  placeholders: Placeholders,
  key: Uint8Array,
): Content {
  const simple = recordsValues ? undefined : readSimpleEquality(text);
  if (simple !== undefined) {
    const { name, value } = simple;
    const isSubject = value !== '' && isSubjectName(name);
    const hashes = isSubject ? [hashSubject(key, value)] : [];
    return { ...noContent, filter: maskSimpleEquality(name, value, placeholders), hashes };
  }
  const filter = readFilter(text);
  if (filter === undefined) return { ...noContent, filter: unparsableFilter };
  return {
    filter: maskFilter(filter, placeholders),
    shape: null,
    recorded: recordsValues ? JSON.stringify({ filter: filterWithoutSecrets(filter) }) : null,
    hashes: hashAll(subjectsOfFilter(filter), key),
  };
}

function bodyContent(text: string, request: NotedRequest, placeholders: Placeholders, key: Uint8Array): Content {
  const operation = operationOf(request);
  const json = readJson(text);
  if (json === undefined) return { ...noContent, shape: JSON.stringify(`${text.length} characters that are no JSON`) };
  const isSmall = text.length <= maxShapedChars;
  return {
    filter: null,
    shape: isSmall ? shapeOf(json, operation, placeholders) : summaryOf(json, text.length),
    recorded: request.recordsValues && isSmall ? valuesOf(json, operation) : null,
    hashes: hashAll(subjectsOfBody(json), key),
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hashAll(subjects: ReadonlySet<string>, key: Uint8Array): readonly number[] {
  return subjects.size === 0 ? [] : [...new Set([...subjects].map((subject) => hashSubject(key, subject)))];
}
