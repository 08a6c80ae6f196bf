import type { BackendRecord, FieldValue } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { fold } from '../../src/scim/comparison.js';
import { answerHeader, type HttpAnswer } from './client.js';
import { mapConcurrently } from './concurrency.js';
import { type Document, idIn, recordOf, storedId } from './document.js';
import type { EntityPlan, EntityPlans } from './entity-plan.js';
import { type Call, type Parameter, pathOf } from './exchange.js';
import type { CallsPlan, FieldPlan } from './field-plan.js';
import { isObject, type Json } from './json.js';
import type { Query } from './page.js';
import { valueAt } from './pointer.js';
import { startPosition } from './position.js';
import { decodeItems, distinctItems, fieldValueOf, type Item } from './values.js';
import { walk } from './walk.js';

/** Everything that an operation works with. */
export interface Work extends Call {
  readonly plans: EntityPlans;
  /** For the other end of a reference: by each value, what the records of the entity are known by whose field has it. */
  readonly holders: (
    entity: string,
    field: string,
    values: readonly string[],
    by: string,
  ) => Promise<ReadonlyMap<string, readonly string[]>>;
}

/**
 * Reads the document of a record.
 * @param fields those that will be looked at
 * @returns undefined when there is no such record
 */
export async function readDocument(
  plan: EntityPlan,
  id: string,
  fields: readonly string[],
  call: Call,
): Promise<Document | undefined> {
  const stored = storedId(plan, id);
  const { request, notFound, record } = plan.get;
  const path = stored === undefined ? undefined : pathOf(request, { id: stored }, selection(plan, fields));
  if (path === undefined) return undefined;
  const answer = await call.client.send(
    { method: request.method, path, operation: request.text, accepted: notFound, needsBody: true },
    call.context,
  );
  if (notFound.includes(answer.status)) return undefined;
  const document = documentIn(plan, answer, valueAt(answer.body, record));
  const own = document === undefined ? undefined : idIn(plan, document.json);
  if (document !== undefined && own === id) return document;
  // Some targets find ids without regard to case or zeros; ids are what they are.
  if (own !== undefined && isAlike(own, id)) return undefined;
  const what = own === undefined ? 'no record with an id' : 'another record than the one asked for';
  throw new AdapterError('unavailable', `The answer to ${request.text} holds ${what}.`);
}

/**
 * "Not found" in answer to a write: the record went in the meantime, or the address of the write is wrong. In the second
 * case nobody may hear that the record is gone.
 */
export async function judgeMissing(plan: EntityPlan, id: string, error: unknown, call: Call): Promise<unknown> {
  if (!(error instanceof AdapterError) || error.kind !== 'notFound') return error;
  if ((await readDocument(plan, id, [], call)) === undefined) return error;
  const reason = 'The backend does not know the address that the configuration gives for this operation.';
  return new AdapterError('unsupported', `${error.message} And yet the record is there.`, { reason, cause: error });
}

function isAlike(a: string, b: string): boolean {
  return fold(a.trim()) === fold(b.trim()) || (a.trim() !== '' && Number(a) === Number(b));
}

/** The record in an answer. */
export function documentIn(plan: EntityPlan, answer: HttpAnswer, json: Json | undefined): Document | undefined {
  if (!isObject(json)) return undefined;
  const header = plan.revisionHeader === undefined ? undefined : answerHeader(answer, plan.revisionHeader);
  return { json, revisionHeader: header };
}

/** The parameter that names what is wanted of a record. */
export function selection({ select, fields: plans }: EntityPlan, fields: readonly string[]): readonly Parameter[] {
  if (select === undefined) return [];
  const { parameter, isExclusion, separator, names, always } = select;
  const wanted = new Set(fields);
  if (isExclusion) {
    const left = [...names].flatMap(([field, name]) => (wanted.has(field) ? [] : [name]));
    const all = [...new Set([...always, ...left])];
    return all.length === 0 ? [] : [[parameter, all.join(separator)]];
  }
  // What has no name cannot be asked for: then everything is.
  const isNamed = fields.every((field) => names.has(field) || plans.get(field)?.pointer === undefined);
  if (!isNamed) return [];
  const list = [...new Set([...always, ...fields.flatMap((field) => names.get(field) ?? [])])];
  return list.length === 0 ? [] : [[parameter, list.join(separator)]];
}

/** The record as the gateway asked for it, with what lies behind requests of its own. */
export async function completeRecord(
  plan: EntityPlan,
  id: string,
  document: Document,
  fields: readonly string[],
  work: Work,
): Promise<BackendRecord> {
  const [record] = await completeRecords(plan, [{ id, document }], fields, work);
  return record ?? { $id: id };
}

export interface Found {
  readonly id: string;
  readonly document: Document;
}

export async function completeRecords(
  plan: EntityPlan,
  found: readonly Found[],
  fields: readonly string[],
  work: Work,
): Promise<readonly BackendRecord[]> {
  const records = found.map(({ id, document }) => recordOf(plan, id, document, fields));
  const apart = fields.flatMap((name) => {
    const field = plan.fields.get(name);
    return field !== undefined && field.pointer === undefined ? [field] : [];
  });
  if (apart.length === 0) return records;
  const values = records.map((record) => ({ ...record }) as Record<string, FieldValue>);
  for (const field of apart) {
    const own = field.isSearched
      ? await searchedValues(plan, field, found, work)
      : await mapConcurrently(found, ({ id }) => listedValues(plan, field, id, work));
    own.forEach((value, index) => {
      const record = values[index];
      if (record !== undefined && value !== undefined) record[field.name] = value;
    });
  }
  return values;
}

async function listedValues(
  plan: EntityPlan,
  field: FieldPlan,
  id: string,
  call: Call,
): Promise<FieldValue | undefined> {
  const items = await listItems(plan, field, id, call);
  return fieldValueOf(
    field,
    items.map(({ value }) => value),
  );
}

/** All values of a field that has a list of its own. */
export async function listItems(plan: EntityPlan, field: FieldPlan, id: string, call: Call): Promise<readonly Item[]> {
  const { calls } = field;
  const stored = storedId(plan, id);
  if (calls?.list === undefined || stored === undefined) return [];
  const items: Item[] = [];
  for await (const page of listPages(calls, stored, call)) items.push(...decodeItems(withoutItem(field), page));
  return distinctItems(field, items);
}

/** Pages of a field's list, with the part of each element that is the value. */
export async function* listPages(
  { list, item }: CallsPlan,
  stored: string,
  call: Call,
): AsyncGenerator<readonly Json[], void, undefined> {
  if (list === undefined) return;
  const query: Query = { listing: list, values: { id: stored }, parameters: [] };
  const idOf = (json: Json): string => JSON.stringify(valueAt(json, item) ?? json);
  const options = { from: startPosition, wanted: Number.POSITIVE_INFINITY, endsShort: false, idOf };
  for await (const page of walk(query, options, call)) {
    yield page.items.flatMap((json) => valueAt(json, item) ?? []);
  }
}

/** In a list of its own the element's place of the value has been looked at already. */
export function withoutItem(field: FieldPlan): FieldPlan {
  return field.item === undefined ? field : { ...field, item: undefined };
}

/** Which records of the other entity refer to each of these. */
async function searchedValues(
  plan: EntityPlan,
  field: FieldPlan,
  found: readonly Found[],
  work: Work,
): Promise<readonly (FieldValue | undefined)[]> {
  const { inverseOf, reference } = field.use;
  if (inverseOf === undefined || found.length === 0) return [];
  const target = work.plans.get(inverseOf.entity);
  const holding = target?.fields.get(inverseOf.field);
  const by = holding?.use.reference?.by ?? holding?.use.children?.find((child) => child.reference)?.reference?.by;
  const named = found.map(({ id, document }) => {
    if (by === undefined || by === '$id') return id;
    const value = recordOf(plan, id, document, [by])[by];
    return typeof value === 'string' ? value : '';
  });
  const holders = await work.holders(inverseOf.entity, inverseOf.field, [...new Set(named)], reference?.by ?? '$id');
  return named.map((name) => {
    const values = holders.get(name) ?? [];
    return values.length === 0 ? undefined : values;
  });
}
