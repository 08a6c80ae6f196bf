import type { Change, ChildRecord, Scalar } from '../../src/backend/adapter.js';
import { compileChildCondition } from '../../src/backend/condition.js';
import { isChildRecord } from '../../src/backend/record.js';
import { keyOf } from '../../src/scim/comparison.js';
import {
  type ChildRows,
  deleteRows,
  insertIfMissing,
  insertMissing,
  insertRows,
  isRow,
  ofRecord,
  type StoredRow,
  updateRow,
} from './child-rows.js';
import { childConditionSql, isExactOver, partOf } from './condition-sql.js';
import { inner, outer } from './entity-plan.js';
import { childOf } from './read-records.js';
import { all, column, isTrue, list, type Sql, sql } from './sql-text.js';
import {
  acceptValues,
  applyToElements,
  identityOf,
  keyOfValue,
  tellingParts,
  type Value,
  type ValueSet,
  valueSetOf,
  withParts,
} from './value-set.js';
import { rows, run, type Work } from './work.js';

/**
 * Carries one change out by inserting and deleting rows. Adding and removing read nothing of what is there.
 * @returns whether anything changed
 */
export function* applyChildChange(child: ChildRows, change: Change): Work<boolean> {
  const set = valueSetOf(child.field);
  switch (change.op) {
    case 'set':
      return yield* replaceRows(child, change);
    case 'add': {
      if (!set.isMultiple) return yield* replaceRows(child, change);
      const values = acceptValues(set, change.values);
      if (child.assertFree !== undefined) yield* child.assertFree(values);
      return yield* addValues(child, set, values);
    }
    case 'remove':
      return yield* removeValues(child, set, (change.values as readonly Value[]).map(withoutEmptyParts));
    case 'removeWhere':
      return yield* removeWhere(child, change);
    case 'updateWhere':
      return yield* updateRows(child, change);
  }
}

function* addValues(child: ChildRows, set: ValueSet, values: readonly Value[]): Work<boolean> {
  const telling = values.length > 1 && child.dialect.rowsPerInsert > 1 ? commonPart(set, values) : undefined;
  if (telling !== undefined) return yield* insertMissing(child, telling, values);
  let added = 0;
  for (const value of values) added += yield* insertIfMissing(child, value, sameValue(child, value, inner));
  return added > 0;
}

function* removeValues(child: ChildRows, set: ValueSet, values: readonly Value[]): Work<boolean> {
  const { dialect, field } = child;
  const telling = values.length > 1 && dialect.rowsPerInsert > 1 ? commonPart(set, values) : undefined;
  if (telling !== undefined) {
    const scalar = partOf(field, telling);
    const keys = values.flatMap((value) => keyOf(scalar.comparison, partIn(value, telling)) ?? []);
    return (yield* run(deleteWhere(child, scalar.oneOf(field.tableName, keys)))) > 0;
  }
  let removed = 0;
  for (const value of values) removed += yield* run(deleteWhere(child, sameValue(child, value, field.tableName)));
  return removed > 0;
}

/** The one part by which all of the values are told apart, where it can be compared. */
function commonPart(set: ValueSet, values: readonly Value[]): string | undefined {
  const part = set.isRecords ? set.referring : '';
  if (part === undefined || set.parts.get(part)?.operators.eq !== 'exact') return undefined;
  return values.every((value) => partIn(value, part) !== undefined) ? part : undefined;
}

function partIn(value: Value, part: string): Scalar | undefined {
  return isChildRecord(value) ? value[part] : value;
}

/** Applies the change to what is there, and writes the difference. */
function* replaceRows(child: ChildRows, change: Change): Work<boolean> {
  const { field } = child;
  const set = valueSetOf(field);
  const before = yield* readRows(child, isTrue);
  const after = applyToElements(set, before, change);
  const wanted = new Map(after.map((element) => [keyOfValue(set, element.value), element.value]));
  const present = new Map(before.map((row) => [keyOfValue(set, row.value), row]));
  const gone = before.filter((row) => !wanted.has(keyOfValue(set, row.value)));
  const altered = [...present].flatMap(([key, row]) => {
    const value = wanted.get(key);
    return value === undefined || identityOf(value) === identityOf(row.value) ? [] : [{ row, value }];
  });
  const added = [...wanted].flatMap(([key, value]) => (present.has(key) ? [] : [value]));
  if (child.assertFree !== undefined) yield* child.assertFree([...added, ...altered.map(({ value }) => value)]);
  yield* deleteRows(child, gone);
  for (const { row, value } of altered) yield* updateRow(child, row, value);
  yield* insertRows(child, added);
  return gone.length + altered.length + added.length > 0;
}

function* removeWhere(child: ChildRows, change: Extract<Change, { op: 'removeWhere' }>): Work<boolean> {
  const { field } = child;
  const condition = childConditionSql(field, change.where, field.tableName);
  if (isExactOver(field, change.where)) return (yield* run(deleteWhere(child, condition))) > 0;
  const gone = yield* readMatching(child, change.where);
  yield* deleteRows(child, gone);
  return gone.length > 0;
}

function* updateRows(child: ChildRows, change: Extract<Change, { op: 'updateWhere' }>): Work<boolean> {
  const set = valueSetOf(child.field);
  let isChanged = false;
  for (const row of yield* readMatching(child, change.where)) {
    const value = withParts(set, row.value as ChildRecord, change.set);
    if (value !== undefined && identityOf(value) === identityOf(row.value)) continue;
    isChanged = true;
    const isTwin = value !== undefined && (yield* hasTwin(child, row, value));
    if (value === undefined || isTwin) yield* deleteRows(child, [row]);
    else {
      if (child.assertFree !== undefined) yield* child.assertFree([value]);
      yield* updateRow(child, row, value);
    }
  }
  return isChanged;
}

/** Another row of the record has the value already. */
function* hasTwin(child: ChildRows, row: StoredRow, value: Value): Work<boolean> {
  const others = sql`(${isRow(child, row, inner)}) IS NOT TRUE AND ${sameValue(child, value, inner)}`;
  const statement = sql`SELECT 1 FROM ${child.field.tableName} AS ${inner} WHERE ${ofRecord(child, inner)} AND ${others} LIMIT 1`;
  return (yield* rows(statement)).length > 0;
}

/** The rows that meet the condition: what the database cannot tell exactly is told here. */
function* readMatching(
  child: ChildRows,
  where: Extract<Change, { op: 'removeWhere' }>['where'],
): Work<readonly StoredRow[]> {
  const { field } = child;
  if (isExactOver(field, where)) return yield* readRows(child, childConditionSql(field, where, inner));
  const matches = compileChildCondition(where, (part) => partOf(field, part).comparison);
  return (yield* readRows(child, isTrue)).filter(({ value }) => isChildRecord(value) && matches(value));
}

function* readRows(child: ChildRows, condition: Sql): Work<readonly StoredRow[]> {
  const { field } = child;
  const parts = [...field.parts];
  const selected = [
    ...field.identity.map((item) => column(inner, item)),
    ...parts.map(([, scalar]) => scalar.select(inner)),
  ];
  const statement = sql`SELECT ${list(selected)} FROM ${field.from(outer, inner)} WHERE ${ofRecord(child, inner)}${field.visible(inner)} AND ${condition} ORDER BY ${field.order(inner)}`;
  return (yield* rows(statement)).flatMap((row) => {
    const value = childOf(field, parts, row, field.identity.length);
    return value === undefined ? [] : [{ identity: row.slice(0, field.identity.length), value }];
  });
}

function deleteWhere(child: ChildRows, condition: Sql): Sql {
  const { tableName } = child.field;
  return sql`DELETE FROM ${tableName} WHERE ${ofRecord(child, tableName)} AND ${condition}`;
}

/** The row has the value, as the field compares; a part that the value has not is empty. */
function sameValue({ dialect, field }: ChildRows, value: Value, alias: Sql): Sql {
  const samePart = (part: string, wanted: Scalar | undefined): Sql => {
    const scalar = partOf(field, part);
    if (wanted === undefined) return sql`(${scalar.present(alias)}) IS NOT TRUE`;
    const key = keyOf(scalar.comparison, wanted);
    const schema = field.columns.get(part)?.column;
    if (schema === undefined || (key !== undefined && scalar.operators.eq === 'exact'))
      return scalar.compare(alias, 'eq', key ?? '');
    return dialect.holds(column(alias, schema.name), schema, scalar.encode(wanted)); // bytes have no comparison
  };
  if (!isChildRecord(value)) return samePart('', value);
  const set = valueSetOf(field);
  const telling = tellingParts(set, value);
  const isReferring = telling.length === 1 && telling[0] === set.referring;
  const parts = isReferring ? telling : [...field.parts.keys()];
  return all(parts.map((part) => samePart(part, value[part])));
}

function withoutEmptyParts(value: Value): Value {
  if (!isChildRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== ''));
}
