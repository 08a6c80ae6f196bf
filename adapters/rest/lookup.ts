import type { BackendRecord, Condition, LookupQuery, Scalar } from '../../src/backend/adapter.js';
import { idOf, scalarsOf } from '../../src/backend/record.js';
import { keyOf } from '../../src/scim/comparison.js';
import { mapConcurrently } from './concurrency.js';
import { storedId } from './document.js';
import type { EntityPlan } from './entity-plan.js';
import type { Query } from './page.js';
import { startPosition } from './position.js';
import { comparisonOf, planIn, planQuery } from './query.js';
import { completeRecord, readDocument, selection, type Work } from './read.js';
import { scalarKey, storedScalar } from './scalar.js';
import { completeListed, scanRecords } from './search.js';
import { textOf } from './template.js';
import { walk } from './walk.js';

/** From so many values on it is looked whether reading everything takes fewer requests than asking for each. */
const sweptFrom = 25;

/** The records whose field has one of the values, each once. */
export async function lookupRecords(
  plan: EntityPlan,
  query: LookupQuery,
  work: Work,
): Promise<readonly BackendRecord[]> {
  const { by } = query;
  const comparison = by === '$id' ? 'exact' : comparisonOf(plan, by);
  const wanted = new Map<unknown, Scalar>();
  for (const value of query.values) {
    const key = keyOf(comparison, value instanceof Uint8Array ? textOf(value) : value);
    if (key !== undefined) wanted.set(key, value);
  }
  if (wanted.size === 0) return [];
  const values = [...wanted.values()];
  const found = await findAll(plan, { ...query, values }, work);
  const byId = new Map<string, BackendRecord>();
  for (const record of found) {
    const own = by === '$id' ? [idOf(record)] : scalarsOf(record, by);
    const parts = childValues(plan, record, by);
    if ([...own, ...parts].some((value) => wanted.has(keyOf(comparison, value)))) byId.set(idOf(record), record);
  }
  const fields = new Set(query.fields);
  return [...byId.values()].map((record) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => name === '$id' || fields.has(name))),
  );
}

/** In child records it is the reference that is looked for. */
function childValues(plan: EntityPlan, record: BackendRecord, by: string): readonly Scalar[] {
  const referring = plan.fields.get(by)?.referring;
  const rows = record[by];
  if (referring === undefined || !Array.isArray(rows)) return [];
  return rows.flatMap((row: Readonly<Record<string, Scalar>>) => row[referring.name] ?? []);
}

/** Those, and perhaps more. */
async function findAll(plan: EntityPlan, query: LookupQuery, work: Work): Promise<readonly BackendRecord[]> {
  const { by, values } = query;
  const fields = [...new Set(by.startsWith('$') ? query.fields : [...query.fields, by])];
  const inQuery = planIn(plan, by);
  if (inQuery !== undefined && (values.length > 1 || by !== '$id')) {
    return findByList(plan, { by, values, fields }, inQuery, work);
  }
  const isAsked = by === '$id' || isPushed(plan, by, values[0]);
  if (!isAsked || (values.length >= sweptFrom && (await isSweepShorter(plan, values.length, work)))) {
    const records: BackendRecord[] = [];
    const isWanted = wantedTest(plan, by, values);
    for await (const record of scanRecords(plan, { entity: plan.entity, fields }, work)) {
      if (isWanted(record)) records.push(record);
    }
    return records;
  }
  const found = await mapConcurrently(values, (value) => findOne(plan, by, value, fields, work));
  return found.flat();
}

/**
 * By each value, what the records are known by whose field has it. Where the target finds them itself, the field is not
 * read: a group may have very many members.
 */
export async function holdersOf(
  plan: EntityPlan,
  field: string,
  values: readonly string[],
  by: string,
  work: Work,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = (record: BackendRecord): readonly string[] =>
    by === '$id' ? [idOf(record)] : scalarsOf(record, by).map(String);
  const fields = by === '$id' ? [] : [by];
  if (isPushed(plan, field, values[0])) {
    const found = await mapConcurrently(values, async (value) => {
      const records = await findOne(plan, field, value, fields, work);
      return [value, [...new Set(records.flatMap(known))]] as const;
    });
    return new Map(found);
  }
  const holders = new Map<string, Set<string>>(values.map((value) => [value, new Set()]));
  for await (const record of scanRecords(plan, { entity: plan.entity, fields: [...fields, field] }, work)) {
    for (const value of [...scalarsOf(record, field), ...childValues(plan, record, field)]) {
      for (const name of known(record)) holders.get(String(value))?.add(name);
    }
  }
  return new Map([...holders].map(([value, names]) => [value, [...names]]));
}

function isPushed(plan: EntityPlan, by: string, value: Scalar | undefined): boolean {
  return value !== undefined && planQuery(plan, equalTo(plan, by, value)).parameters.length > 0;
}

/** Keeps what is scanned from growing with what is not wanted. */
function wantedTest(plan: EntityPlan, by: string, values: readonly Scalar[]): (record: BackendRecord) => boolean {
  if (by === '$id') {
    const ids = new Set(values.map(String));
    return (record) => ids.has(idOf(record));
  }
  const field = plan.fields.get(by);
  if (field === undefined || field.referring !== undefined) return () => true;
  const keys = new Set(values.map((value) => scalarKey(field, value)));
  return (record) => scalarsOf(record, by).some((value) => keys.has(scalarKey(field, value)));
}

async function findOne(
  plan: EntityPlan,
  by: string,
  value: Scalar,
  fields: readonly string[],
  work: Work,
): Promise<readonly BackendRecord[]> {
  if (by === '$id') {
    const id = String(value);
    const document = await readDocument(plan, id, fields, work);
    return document === undefined ? [] : [await completeRecord(plan, id, document, fields, work)];
  }
  const records: BackendRecord[] = [];
  const filter = equalTo(plan, by, value);
  for await (const record of scanRecords(plan, { entity: plan.entity, filter, fields }, work)) records.push(record);
  return records;
}

function equalTo(plan: EntityPlan, by: string, value: Scalar): Condition {
  const literal = typeof value === 'bigint' ? Number(value) : value instanceof Uint8Array ? textOf(value) : value;
  const referring = plan.fields.get(by)?.referring;
  const path = referring?.name ?? by;
  const compare: Condition = { kind: 'compare', path, op: 'eq', value: literal };
  return referring === undefined ? compare : { kind: 'valuePath', path: by, filter: compare };
}

async function findByList(
  plan: EntityPlan,
  { by, values, fields }: LookupQuery,
  inQuery: NonNullable<ReturnType<typeof planIn>>,
  work: Work,
): Promise<readonly BackendRecord[]> {
  const field = plan.fields.get(by);
  const texts = values.flatMap((value) => {
    const text = by === '$id' ? storedId(plan, String(value)) : textOf(field ? storedScalar(field, value) : value);
    return text === undefined || text === '' ? [] : [text];
  });
  const batches = Array.from({ length: Math.ceil(texts.length / inQuery.maxValues) }, (_, index) =>
    texts.slice(index * inQuery.maxValues, (index + 1) * inQuery.maxValues),
  );
  const found = await mapConcurrently(batches, async (batch) => {
    const parameters = [...inQuery.parameters(batch), ...selection(plan, fields)];
    return readList(plan, { listing: plan.listing, values: {}, parameters }, fields, work);
  });
  return found.flat();
}

async function readList(
  plan: EntityPlan,
  query: Query,
  fields: readonly string[],
  work: Work,
): Promise<readonly BackendRecord[]> {
  const records: BackendRecord[] = [];
  const options = { from: startPosition, wanted: Number.POSITIVE_INFINITY, endsShort: false, idOf: JSON.stringify };
  for await (const page of walk(query, options, work))
    records.push(...(await completeListed(plan, page, fields, work)));
  return records;
}

/** Asks for the total, where there is one. */
async function isSweepShorter(plan: EntityPlan, requests: number, work: Work): Promise<boolean> {
  const { listing } = plan;
  if (listing.paging.kind === 'none') return true;
  if (listing.total === undefined) return false;
  const options = { from: startPosition, wanted: 1, endsShort: false, idOf: JSON.stringify };
  for await (const { total } of walk({ listing, values: {}, parameters: [] }, options, work)) {
    return total !== undefined && Math.ceil(total / listing.size.max) < requests;
  }
  return true;
}
