import { keyOf } from '../../scim/comparison.js';
import type { BackendRecord, LookupQuery, SearchQuery, SearchResult } from '../adapter.js';
import { AdapterError } from '../adapter-error.js';
import { compileCondition } from '../condition.js';
import { idOf, scalarsOf, valuesOf } from '../record.js';
import { acceptValues, assign, writableField } from './changes.js';
import { comparisonOf, type EntityPlan, valuesAt } from './entity.js';
import { comparePositions, type Position, parsePosition, positionOf, printPosition } from './ordering.js';
import { compileProjection } from './projection.js';

/**
 * What a backend answers that cannot search: everything is done here, over all records of the entity. Exact in every
 * operator, so the capabilities of `planOf` hold. For backends whose records fit into memory.
 */
export function searchRecords(
  records: Iterable<BackendRecord>,
  query: SearchQuery | Omit<SearchQuery, 'limit' | 'wantTotal'>,
  plan: EntityPlan,
): SearchResult {
  const { filter, sort, after, offset = 0 } = query;
  const { limit = Number.POSITIVE_INFINITY, wantTotal = false }: Partial<SearchQuery> = query;
  const project = compileProjection(plan, query.fields);
  const isDescending = sort?.descending ?? false;
  const matches =
    filter === undefined ? () => true : compileCondition(filter, (field, child) => comparisonOf(plan, field, child));
  const placed = [...records]
    .filter(matches)
    .map((record) => ({ record, position: positionOf({ serial: idOf(record), record }, sort, plan) }))
    .sort((one, other) => comparePositions(one.position, other.position, isDescending));
  const start = after === undefined ? offset : startAfter(after, placed, isDescending);
  const page = placed.slice(start, start + limit);
  const last = start + page.length < placed.length ? page.at(-1) : undefined;
  return {
    records: page.map(({ record }) => project(record)),
    ...(wantTotal ? { total: placed.length } : {}),
    ...(last === undefined ? {} : { next: printPosition(last.position) }),
  };
}

/** The records whose field has one of the values, compared as in a filter. */
export function lookupRecords(
  records: Iterable<BackendRecord>,
  { by, values, fields }: LookupQuery,
  plan: EntityPlan,
): readonly BackendRecord[] {
  const project = compileProjection(plan, fields);
  const comparison = comparisonOf(plan, by);
  const wanted = new Set(values.map((value) => keyOf(comparison, value)));
  wanted.delete(undefined);
  const isWanted = (record: BackendRecord): boolean =>
    scalarsOf(record, by).some((value) => wanted.has(keyOf(comparison, value)));
  return [...records].filter(isWanted).map(project);
}

/** `$id` and the fields asked for, as copies. */
export function projectRecord(record: BackendRecord, fields: readonly string[], plan: EntityPlan): BackendRecord {
  return compileProjection(plan, fields)(record);
}

/**
 * What `create` was given, checked against the mapping's fields: values copied, repeated ones dropped, empty fields left out.
 * @throws AdapterError `rejected` or `unsupported`, with the field
 */
export function acceptRecord(record: BackendRecord, plan: EntityPlan): BackendRecord {
  const accepted: Record<string, BackendRecord[string]> = {};
  for (const [name, value] of Object.entries(record)) {
    const field = writableField(plan, name);
    assign(accepted, field, acceptValues(field, valuesOf(value)));
  }
  return accepted;
}

/** @throws AdapterError `conflict` when another of the records has the value of a unique field */
export function checkUnique(record: BackendRecord, records: Iterable<BackendRecord>, plan: EntityPlan): void {
  const wanted = plan.unique.map((path) => ({
    path,
    keys: new Set(valuesAt(record, path).map((value) => keyOf(path.comparison, value))),
  }));
  for (const other of records) {
    if (other.$id === record.$id) continue;
    const taken = wanted.find(({ path, keys }) =>
      valuesAt(other, path).some((value) => keys.has(keyOf(path.comparison, value))),
    );
    if (taken === undefined) continue;
    const { field } = taken.path;
    throw new AdapterError('conflict', `Another record has this value of "${field}".`, { field });
  }
}

function startAfter(after: string, placed: readonly { readonly position: Position }[], isDescending: boolean): number {
  const position = parsePosition(
    after,
    isDescending,
    (serial) => placed.find((candidate) => candidate.position.serial === serial)?.position,
  );
  const start = placed.findIndex((candidate) => comparePositions(candidate.position, position, isDescending) > 0);
  return start < 0 ? placed.length : start;
}
