import { ScimError } from '../scim/error.js';
import { patchOpSchemaUri } from '../scim/patch-parser.js';
import { isObject, type JsonValue, type Resource } from '../scim/schema.js';
import { type BulkStep, orderOperations } from './bulk-order.js';
import { type BulkOperation, bulkIdsIn, bulkResponseUri, parseBulkRequest, withIds } from './bulk-request.js';
import type { Preconditions, RequestContext, ResourceAnswer, ScimService } from './service.js';

type Operations = Pick<ScimService, 'create' | 'replace' | 'patch' | 'delete' | 'resourceTypes'>;

/** What became of one operation. */
interface Outcome {
  readonly index: number;
  readonly entry: { readonly [key: string]: JsonValue };
  readonly failed: boolean;
}

interface Job {
  readonly service: Operations;
  readonly context: RequestContext;
  readonly toError: (error: unknown) => ScimError;
  /** Changes name the version that they are made to, as they do with If-Match outside of bulk. */
  readonly requireIfMatch: boolean;
  /** bulkId → permanent id, of what was created. */
  readonly ids: Map<string, string>;
}

/**
 * Carries a job out: each operation as if it had come alone, in the order of its references. Circular references are
 * created without each other first and linked afterwards.
 * @see RFC 7644 §3.7
 */
export async function runBulk(
  service: Operations,
  body: unknown,
  { maxOperations, requireIfMatch }: { readonly maxOperations: number; readonly requireIfMatch: boolean },
  toError: (error: unknown) => ScimError,
  context: RequestContext,
): Promise<Resource> {
  const { operations, failOnErrors } = parseBulkRequest(body, maxOperations);
  const job: Job = { service, context, toError, requireIfMatch, ids: new Map() };
  const outcomes = new Map<number, Outcome>();
  const links: Link[] = [];
  let errors = 0;
  for (const step of orderOperations(operations)) {
    if (failOnErrors !== undefined && errors >= failOnErrors) break;
    context.meant?.(
      `operation ${step.operation.index + 1}: ${step.operation.fault === undefined ? step.operation.method : 'faulty'}`,
    );
    const outcome = await runStep(step, job, links);
    outcomes.set(outcome.index, outcome);
    if (outcome.failed) errors += 1;
    // A circle is closed as soon as its last member exists, so that nothing half-linked is left behind for long.
    for (const link of takeReady(links, job.ids)) {
      const closed = await closeLink(link, job);
      outcomes.set(closed.index, closed);
      if (closed.failed) errors += 1;
    }
  }
  for (const link of links) outcomes.set(link.outcome.index, await undone(link, unresolved(link.deferred), job));
  const results = [...outcomes.values()].sort((a, b) => a.index - b.index).map((outcome) => outcome.entry);
  return { schemas: [bulkResponseUri], Operations: results };
}

/** References that wait for the rest of a circle. */
interface Link {
  readonly operation: BulkOperation;
  readonly outcome: Outcome;
  readonly type: string;
  readonly id: string;
  readonly deferred: ReadonlySet<string>;
  /** Attribute path → value as sent. */
  readonly values: ReadonlyMap<string, unknown>;
}

async function runStep(step: BulkStep, job: Job, links: Link[]): Promise<Outcome> {
  const { operation } = step;
  if (operation.fault !== undefined) return failedOutcome(operation, operation.fault, job);
  const missing = [...step.needs].filter((bulkId) => !job.ids.has(bulkId));
  if (missing.length > 0) return failedOutcome(operation, unresolved(new Set(missing)), job);
  try {
    const { type, id } = targetOf(operation, job);
    if (step.deferred.size === 0) return await runOperation(operation, type, id, withIds(operation.data, job.ids), job);
    if (operation.method !== 'POST') throw unresolved(step.deferred);
    const { data, values } = withoutDeferred(operation.data, step.deferred);
    const outcome = await runOperation(operation, type, undefined, withIds(data, job.ids), job);
    const created = operation.bulkId === undefined ? undefined : job.ids.get(operation.bulkId);
    if (!outcome.failed && created !== undefined)
      links.push({ operation, outcome, type, id: created, deferred: step.deferred, values });
    return outcome;
  } catch (error) {
    return failedOutcome(operation, job.toError(error), job);
  }
}

function unresolved(bulkIds: ReadonlySet<string>): ScimError {
  const names = [...bulkIds].map((bulkId) => `"${bulkId.slice(0, 80)}"`).join(', ');
  return ScimError.conflict(`The bulkId ${names} names no operation of this job that created a resource.`);
}

/** The type and id that a path names: `/Users`, `/Users/<id>`, `/Users/bulkId:<x>`. */
function targetOf(
  operation: BulkOperation,
  { service, ids, context }: Job,
): { readonly type: string; readonly id: string | undefined } {
  const raw = operation.path ?? '';
  const path = raw.startsWith(`${context.baseUrl}/`)
    ? raw.slice(context.baseUrl.length)
    : raw.startsWith('/')
      ? raw
      : `/${raw}`;
  const resolved = String(withIds(path, ids));
  const found = service.resourceTypes.find(
    ({ endpoint }) => resolved === endpoint || resolved.startsWith(`${endpoint}/`),
  );
  const endpoints = service.resourceTypes.map(({ endpoint }) => endpoint).join(', ');
  const noEndpoint = ScimError.notFound(`The path is no endpoint for bulk operations; there are ${endpoints}.`);
  if (found === undefined) throw noEndpoint;
  const rest = resolved.slice(found.endpoint.length + 1).replace(/\/$/, '');
  if (rest.includes('/') || rest.includes('?')) throw noEndpoint;
  const isCreate = operation.method === 'POST';
  if (isCreate && rest !== '')
    throw ScimError.badRequest('invalidSyntax', `The path of a POST is the endpoint alone: "${found.endpoint}".`);
  if (!isCreate && rest === '')
    throw ScimError.badRequest(
      'invalidSyntax',
      `The path of ${operation.method} names a resource: "${found.endpoint}/<id>".`,
    );
  return { type: found.name, id: isCreate ? undefined : decode(rest) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function runOperation(
  operation: BulkOperation,
  type: string,
  id: string | undefined,
  data: unknown,
  job: Job,
): Promise<Outcome> {
  const { service, context, ids } = job;
  const conditions: Preconditions = operation.version === undefined ? {} : { ifMatch: operation.version };
  if (operation.method === 'POST') {
    const answer = await service.create(type, data, {}, context);
    if (operation.bulkId !== undefined) ids.set(operation.bulkId, String(answer.resource?.id));
    return succeeded(operation, answer);
  }
  if (job.requireIfMatch && operation.version === undefined) {
    throw ScimError.preconditionRequired('This gateway asks for the "version" of the resource to be changed.');
  }
  const target = id ?? '';
  if (operation.method === 'PUT')
    return succeeded(operation, await service.replace(type, target, data, {}, conditions, context));
  if (operation.method === 'PATCH')
    return succeeded(operation, await service.patch(type, target, data, {}, conditions, context));
  await service.delete(type, target, conditions, context);
  return {
    index: operation.index,
    failed: false,
    entry: { ...common(operation), location: locationFor(operation, job), status: '204' },
  };
}

function common({ method, bulkId }: BulkOperation): { readonly [key: string]: JsonValue } {
  return { method, ...(bulkId === undefined ? {} : { bulkId }) };
}

function succeeded(operation: BulkOperation, answer: ResourceAnswer): Outcome {
  const version = answer.version === undefined ? {} : { version: answer.version };
  return {
    index: operation.index,
    failed: false,
    entry: { ...common(operation), ...version, location: answer.location, status: String(answer.status) },
  };
}

function failedOutcome(operation: BulkOperation, error: ScimError, job: Job): Outcome {
  const location =
    operation.method === 'POST' || operation.path === undefined ? {} : { location: locationFor(operation, job) };
  return {
    index: operation.index,
    failed: true,
    entry: {
      ...common(operation),
      ...location,
      status: String(error.status),
      response: { ...error.toBody() } as JsonValue,
    },
  };
}

function locationFor({ path }: BulkOperation, { context, ids }: Job): string {
  const resolved = String(withIds(path ?? '', ids));
  if (resolved.startsWith(context.baseUrl)) return resolved;
  return `${context.baseUrl}${resolved.startsWith('/') ? '' : '/'}${resolved}`;
}

/** The data without the attributes that refer to what does not exist yet. */
function withoutDeferred(
  data: unknown,
  deferred: ReadonlySet<string>,
): { readonly data: unknown; readonly values: ReadonlyMap<string, unknown> } {
  const values = new Map<string, unknown>();
  const waits = (value: unknown): boolean => [...bulkIdsIn(value)].some((bulkId) => deferred.has(bulkId));
  const strip = (object: { readonly [key: string]: unknown }, prefix: string): { [key: string]: unknown } => {
    const kept: { [key: string]: unknown } = {};
    for (const [key, value] of Object.entries(object)) {
      if (!waits(value)) kept[key] = value;
      else if (key.toLowerCase().startsWith('urn:') && isObject(value)) kept[key] = strip(value, `${key}:`);
      else values.set(`${prefix}${key}`, value);
    }
    return kept;
  };
  return { data: isObject(data) ? strip(data, '') : data, values };
}

/** Takes out the links whose circle is complete. */
function takeReady(links: Link[], ids: ReadonlyMap<string, string>): readonly Link[] {
  const ready = links.filter((link) => [...link.deferred].every((bulkId) => ids.has(bulkId)));
  for (const link of ready) links.splice(links.indexOf(link), 1);
  return ready;
}

/** @returns what has become of the operation now: with its later version, or failed */
async function closeLink(link: Link, job: Job): Promise<Outcome> {
  const operations = [...link.values].map(([path, value]) => ({ op: 'add', path, value: withIds(value, job.ids) }));
  try {
    const patch = { schemas: [patchOpSchemaUri], Operations: operations };
    const { version } = await job.service.patch(link.type, link.id, patch, {}, {}, job.context);
    const { entry } = link.outcome;
    return version === undefined ? link.outcome : { ...link.outcome, entry: { ...entry, version } };
  } catch (error) {
    return undone(link, job.toError(error), job);
  }
}

/** A creation whose references cannot be set has failed, so what it created is taken away again. */
async function undone(link: Link, reason: ScimError, job: Job): Promise<Outcome> {
  if (link.operation.bulkId !== undefined) job.ids.delete(link.operation.bulkId);
  try {
    await job.service.delete(link.type, link.id, {}, job.context);
    return failedOutcome(link.operation, reason, job);
  } catch {
    const detail = `${reason.message} The resource was created without its references and could not be removed: ${link.id}.`;
    return failedOutcome(link.operation, reason.withDetail(detail), job);
  }
}
