import { keyOf } from '../../scim/comparison.js';
import type { BackendRecord, FieldUse, FieldValue, Scalar } from '../adapter.js';
import { childrenOf, scalarsOf } from '../record.js';
import { type ReferencePath, valuesAt } from './entity.js';
import type { Table } from './table.js';

/** Gives a holder its new revision and time, because a reference in it was mended. */
type Touch = (holder: BackendRecord) => BackendRecord;

/** Takes the deleted record out of every field that refers to it. */
export function mendAfterDelete(tables: Iterable<Table>, entity: string, deleted: BackendRecord, touch: Touch): void {
  for (const { table, path } of referencesTo(tables, entity)) {
    for (const value of valuesAt(deleted, { field: path.by })) mend(table, path, value, undefined, touch);
  }
}

/** Lets every field that refers to the record follow it when the value that they hold has changed. */
export function mendAfterUpdate(
  tables: Iterable<Table>,
  entity: string,
  before: BackendRecord,
  after: BackendRecord,
  touch: Touch,
): void {
  for (const { table, path } of referencesTo(tables, entity)) {
    if (before[path.by] === after[path.by]) continue;
    const old = valuesAt(before, { field: path.by });
    const now = valuesAt(after, { field: path.by });
    const added = now.filter((value) => !old.includes(value));
    const gone = old.filter((value) => !now.includes(value));
    const renamed = gone.length === 1 && added.length === 1 ? added[0] : undefined;
    for (const value of gone) mend(table, path, value, renamed, touch);
  }
}

/** The values of fields that are the other end of a reference: which records refer to this one. */
export function inverseFields(
  tables: ReadonlyMap<string, Table>,
  record: BackendRecord,
  fields: readonly FieldUse[],
): BackendRecord {
  const given: Record<string, FieldValue> = {};
  for (const { name, inverseOf, reference } of fields) {
    const table = inverseOf === undefined ? undefined : tables.get(inverseOf.entity);
    const paths = table?.plan.references.filter(({ field }) => field === inverseOf?.field) ?? [];
    const holders = paths.flatMap((path) =>
      valuesAt(record, { field: path.by }).flatMap((value) => table?.holders(path, value) ?? []),
    );
    const values = holders.flatMap((holder) => scalarsOf(holder, reference?.by ?? '$id'));
    if (values.length > 0) given[name] = [...new Set(values)];
  }
  return given;
}

function referencesTo(tables: Iterable<Table>, entity: string) {
  return [...tables].flatMap((table) =>
    table.plan.references.filter(({ targets }) => targets.includes(entity)).map((path) => ({ table, path })),
  );
}

function mend(table: Table, path: ReferencePath, old: Scalar, now: Scalar | undefined, touch: Touch): void {
  for (const holder of table.holders(path, old)) {
    const { [path.field]: _, ...rest } = holder;
    const value = path.child === undefined ? mendedValues(holder, path, old, now) : mendedRows(holder, path, old, now);
    table.put(touch(value === undefined ? rest : { ...rest, [path.field]: value }));
  }
}

function mendedValues(holder: BackendRecord, path: ReferencePath, old: Scalar, now: Scalar | undefined) {
  const oldKey = keyOf(path.comparison, old);
  const others = scalarsOf(holder, path.field).filter((value) => keyOf(path.comparison, value) !== oldKey);
  const values = now === undefined ? others : [...new Set([...others, now])];
  if (values.length === 0) return undefined;
  return Array.isArray(holder[path.field]) ? values : values[0];
}

function mendedRows(holder: BackendRecord, path: ReferencePath, old: Scalar, now: Scalar | undefined) {
  const { field, child = '', comparison } = path;
  const oldKey = keyOf(comparison, old);
  const rows = childrenOf(holder, field).flatMap((row) => {
    if (keyOf(comparison, row[child]) !== oldKey) return [row];
    return now === undefined ? [] : [{ ...row, [child]: now }];
  });
  return rows.length === 0 ? undefined : rows;
}
