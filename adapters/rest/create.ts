import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { BackendRecord, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { valuesOf } from '../../src/backend/record.js';
import { type Body, type FieldEdit, formOf, holdsAll, newRecord } from './body.js';
import { changeByCalls } from './calls.js';
import { answerHeader, type HttpAnswer } from './client.js';
import { type Document, idIn, itemsIn, storedId } from './document.js';
import type { CreatePlan, EntityPlan } from './entity-plan.js';
import { afterWrite, isInDoubt, sendTemplate } from './exchange.js';
import type { FieldPlan } from './field-plan.js';
import type { Json } from './json.js';
import { lookupRecords } from './lookup.js';
import { valueAt } from './pointer.js';
import { completeRecord, documentIn, readDocument, type Work } from './read.js';
import { refusalContext } from './refusal-context.js';
import { writableField } from './update.js';
import { encodeItems } from './value-changes.js';
import { sameItems, type Value } from './values.js';

const maxTries = 3;
const pauseMs = 100;

/** A record that was made: its document, where the answer held all of it. */
interface Made {
  readonly id: string;
  readonly document: Document | undefined;
}

/** Makes a record. Of one that fails nothing remains. */
export async function createRecord(
  plan: EntityPlan,
  record: BackendRecord,
  fields: readonly string[],
  work: Work,
): Promise<BackendRecord> {
  const { create } = plan;
  if (create === undefined) throw new AdapterError('unsupported', `"${plan.entity}" cannot be created.`);
  const edits = Object.entries(record).map(([name, value]): FieldEdit => {
    const field = writableField(plan, name);
    return { field, before: [], after: encodeItems(field, valuesOf(value) as readonly Value[]) };
  });
  const inDocument = edits.filter(({ field }) => field.pointer !== undefined);
  const apart = edits.filter(({ field, after }) => field.calls !== undefined && after.length > 0);
  const made = await makeRecord(plan, create, record, inDocument, work);
  try {
    for (const { field, after } of apart) await addApart(plan, field, made.id, after, work);
  } catch (error) {
    throw await takenBack(plan, made.id, error, work);
  }
  return readBack(plan, apart.length === 0 ? made : { ...made, document: undefined }, fields, work);
}

/** The record as it is given, read once more where that fails: the caller is not to create it again. */
async function readBack(plan: EntityPlan, made: Made, fields: readonly string[], work: Work): Promise<BackendRecord> {
  try {
    return await given(plan, made, fields, work);
  } catch (error) {
    if (!(error instanceof AdapterError) || work.context.signal.aborted) throw afterWrite(error);
    await pause(Math.random() * pauseMs);
    return given(plan, made, fields, work).catch((again: unknown) => {
      throw afterWrite(again);
    });
  }
}

async function given(plan: EntityPlan, { id, document }: Made, fields: readonly string[], work: Work) {
  if (fields.length === 0) return { $id: id };
  const read = document ?? (await readDocument(plan, id, fields, work));
  if (read !== undefined) return completeRecord(plan, id, read, fields, work);
  const message = `The new record of "${plan.entity}" cannot be read under the id that it was given.`;
  throw new AdapterError('unavailable', message, { applied: 'unknown' });
}

/** Sends the record until it is known that it was taken, or refused. */
async function makeRecord(
  plan: EntityPlan,
  create: CreatePlan,
  record: BackendRecord,
  edits: readonly FieldEdit[],
  work: Work,
): Promise<Made> {
  const json = newRecord(create.constants, edits);
  const body = bodyOf(create, json, edits, work.mediaType);
  const headers = keyOf(plan, create, body, work);
  for (let tries = 1; ; tries++) {
    let answer: HttpAnswer | undefined;
    let doubt: AdapterError;
    try {
      answer = await sendCreate(plan, create, record, edits, body, headers, work);
      const made = madeIn(plan, create, answer, json, work, edits);
      if (made !== undefined) return made;
      const message = `The answer to ${create.request.text} does not say what id the new record has.`;
      doubt = new AdapterError('unavailable', message, { applied: 'unknown' });
    } catch (error) {
      if (!isInDoubt(error) || work.context.signal.aborted) throw error;
      doubt = error;
    }
    const found = await findMade(plan, edits, doubt, work);
    if (found !== undefined) return found;
    const canRepeat =
      answer === undefined && (create.idempotencyHeader !== undefined || uniqueEdits(plan, edits).length > 0);
    if (!canRepeat || tries >= maxTries) throw doubt;
    await pause(Math.random() * pauseMs * 2 ** tries);
  }
}

function sendCreate(
  plan: EntityPlan,
  create: CreatePlan,
  record: BackendRecord,
  edits: readonly FieldEdit[],
  body: Body,
  headers: Readonly<Record<string, string>>,
  work: Work,
): Promise<HttpAnswer> {
  const singles = Object.entries(record).flatMap(([name, value]) => {
    const isSingle = typeof value !== 'object' || value instanceof Uint8Array;
    return isSingle ? [[name, value as Scalar] as const] : [];
  });
  const values = edits.flatMap(({ after }) => after.map(({ value }) => value));
  return sendTemplate(
    create.request,
    {
      values: Object.fromEntries(singles),
      body,
      headers,
      isRepeatable: create.idempotencyHeader !== undefined,
      ...refusalContext(plan, values),
    },
    work,
  ).catch((error: unknown) => {
    throw create.request.method === 'PUT' ? takenByPut(plan, error) : noSuchAddress(create, error);
  });
}

/** PUT under an id of the record's own is told by `If-None-Match` not to replace one that is there. */
function takenByPut({ uniqueFields }: EntityPlan, error: unknown): unknown {
  if (!(error instanceof AdapterError) || error.kind !== 'revisionMismatch') return error;
  const [field] = uniqueFields;
  return new AdapterError('conflict', error.message, { cause: error, ...(field === undefined ? {} : { field }) });
}

function noSuchAddress({ request }: CreatePlan, error: unknown): unknown {
  if (!(error instanceof AdapterError) || error.kind !== 'notFound') return error;
  const reason = 'The backend does not know the address that the configuration gives for new records.';
  return new AdapterError('unsupported', `${request.text} names nothing.`, { reason, cause: error });
}

function bodyOf({ body, contentType }: CreatePlan, json: Json, edits: readonly FieldEdit[], mediaType: string): Body {
  if (body === 'form') {
    const given = edits.filter(({ after }) => after.length > 0);
    return { text: formOf(given), contentType: contentType ?? 'application/x-www-form-urlencoded' };
  }
  return { text: JSON.stringify(json), contentType: contentType ?? mediaType };
}

/** The same key for every try of one operation, another one for every other operation. */
function keyOf(plan: EntityPlan, create: CreatePlan, body: Body, { context }: Work): Readonly<Record<string, string>> {
  const headers = create.request.method === 'PUT' ? { 'if-none-match': '*' } : {};
  if (create.idempotencyHeader === undefined) return headers;
  const operation = context.operationId ?? randomUUID();
  const hash = createHash('sha256').update(`${operation}\0create\0${plan.entity}\0${body.text}`);
  return { ...headers, [create.idempotencyHeader.toLowerCase()]: hash.digest('base64url') };
}

/** What the answer tells of the new record. */
function madeIn(
  plan: EntityPlan,
  create: CreatePlan,
  answer: HttpAnswer,
  sent: Json,
  { client }: Work,
  edits: readonly FieldEdit[],
): Made | undefined {
  const document = documentIn(plan, answer, valueAt(answer.body, create.record));
  const own = document === undefined ? undefined : idIn(plan, document.json);
  const pointed = create.id === undefined ? undefined : valueAt(answer.body, create.id);
  const isScalar = typeof pointed === 'string' || typeof pointed === 'number';
  const located = create.idHeader === undefined ? undefined : answerHeader(answer, create.idHeader);
  const id =
    own ??
    (isScalar && pointed !== '' ? `${plan.idPrefix}${pointed}` : undefined) ??
    (located === undefined ? undefined : idInUrl(plan, located, client));
  if (id === undefined) return undefined;
  const isWhole =
    document !== undefined && own !== undefined && holdsAll(document.json, sent) && isAsSent(document, edits);
  return { id, document: isWhole ? document : undefined };
}

/** Whether the answer shows what was sent, and not what was there before or a part of it. */
function isAsSent({ json }: Document, edits: readonly FieldEdit[]): boolean {
  return edits.every(({ field, after }) => !field.use.read || after.length === 0 || itemsIn(field, json).length > 0);
}

/** The last part of the path of a URL. One of another origin says nothing, and is no reason to send the record again. */
function idInUrl({ idPrefix }: EntityPlan, url: string, client: Work['client']): string | undefined {
  const base = `${client.origin}${client.basePath}/`;
  if (!URL.canParse(url, base) || new URL(url, base).origin !== new URL(base).origin) return undefined;
  const { pathname } = new URL(url, base);
  const last = pathname.split('/').findLast((segment) => segment !== '');
  if (last === undefined) return undefined;
  try {
    return `${idPrefix}${decodeURIComponent(last)}`;
  } catch {
    return undefined;
  }
}

function uniqueEdits({ uniqueFields }: EntityPlan, edits: readonly FieldEdit[]): readonly FieldEdit[] {
  return edits.filter(({ field, after }) => uniqueFields.includes(field.name) && after.length > 0);
}

/**
 * After a request without an answer: the record, if it was made after all. One with the same unique value and another
 * content is somebody else's.
 */
async function findMade(
  plan: EntityPlan,
  edits: readonly FieldEdit[],
  doubt: AdapterError,
  work: Work,
): Promise<Made | undefined> {
  const [unique] = uniqueEdits(plan, edits);
  const value = unique?.after[0]?.value;
  if (unique === undefined || value === undefined || typeof value === 'object') return undefined;
  const query = { by: unique.field.name, values: [value], fields: [] };
  let found: readonly BackendRecord[];
  try {
    found = await lookupRecords(plan, query, work);
  } catch (error) {
    // Whether the record is there stays unknown, and that is what the caller has to hear.
    throw new AdapterError(doubt.kind, doubt.message, { ...later(doubt, error), applied: 'unknown', cause: error });
  }
  const [first] = found;
  if (first === undefined) return undefined;
  const id = String(first.$id);
  const names = edits.map(({ field }) => field.name);
  const document = await readDocument(plan, id, names, work);
  if (document === undefined) return undefined;
  const isOurs = edits.every(
    ({ field, after }) => !field.use.read || sameItems(field, itemsIn(field, document.json), after),
  );
  if (isOurs) return { id, document: undefined };
  const { name } = unique.field;
  throw new AdapterError('conflict', `Another record has this value of "${name}".`, { field: name, cause: doubt });
}

function later(...errors: readonly unknown[]): { readonly retryAfterSeconds?: number } {
  for (const error of errors) {
    if (!(error instanceof AdapterError) || error.retryAfterSeconds === undefined) continue;
    return { retryAfterSeconds: error.retryAfterSeconds };
  }
  return {};
}

async function addApart(plan: EntityPlan, field: FieldPlan, id: string, items: FieldEdit['after'], work: Work) {
  const values = items.map(({ value }) => value) as readonly Scalar[];
  await changeByCalls(plan, field, id, [{ op: 'add', field: field.name, values }], work);
}

/** The new record goes again, since it is not whole. @returns the error to tell */
async function takenBack(plan: EntityPlan, id: string, error: unknown, work: Work): Promise<unknown> {
  try {
    if (plan.delete === undefined) throw new AdapterError('unsupported', `"${plan.entity}" cannot be deleted.`);
    await sendTemplate(plan.delete.request, { values: { id: storedId(plan, id) ?? '' }, isRepeatable: true }, work);
    return error;
  } catch (failure) {
    if (!(error instanceof AdapterError)) return error;
    const { kind, message, field } = error;
    return new AdapterError(kind, `${message} The record itself was made and could not be taken back.`, {
      ...(field === undefined ? {} : { field }),
      reason: 'A part of the new record was refused, and what was made could not be taken back.',
      applied: 'unknown',
      cause: failure,
    });
  }
}
