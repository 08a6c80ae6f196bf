import type { Change, ChildRecord, Scalar } from '../../../src/backend/adapter.js';
import { isChildRecord } from '../../../src/backend/record.js';
import { keyOf } from '../../../src/scim/comparison.js';
import { childConditionSql, partOf } from './condition-sql.js';
import { inner, outer } from './entity-plan.js';
import type { ChildField } from './field-plan.js';
import { childOf } from './read-records.js';
import { type Assignment, columnAssignments, setClause } from './row-edit.js';
import type { Session } from './session.js';
import { all, column, list, literal, name, type Sql, type SqlValue, sql } from './sql-text.js';
import {
  acceptValues,
  applyToElements,
  type Element,
  identityOf,
  keyOfValue,
  tellingParts,
  type Value,
  valueSetOf,
  withParts,
} from './value-set.js';

/** One record's rows in a child table. */
export interface ChildRows {
  readonly field: ChildField;
  /** The record's key. */
  readonly parent: SqlValue;
  /** Called before values are written. @throws AdapterError conflict */
  readonly assertFree: (values: readonly Value[]) => void;
}

/**
 * Carries one change out by inserting and deleting rows. Adding and removing read nothing of what is there.
 * @returns whether anything changed
 */
export function applyChildChange(session: Session, rows: ChildRows, change: Change): boolean {
  const set = valueSetOf(rows.field);
  switch (change.op) {
    case 'set':
      return replaceRows(session, rows, change);
    case 'add': {
      if (!set.isMultiple) return replaceRows(session, rows, change);
      const values = acceptValues(set, change.values);
      rows.assertFree(values);
      return count(values, (value) => session.run(insertIfMissing(rows, value))) > 0;
    }
    case 'remove': {
      const values = (change.values as readonly Value[]).map(withoutEmptyParts);
      return count(values, (value) => session.run(deleteWhere(rows, sameValue(rows.field, value)))) > 0;
    }
    case 'removeWhere':
      return session.run(deleteWhere(rows, childConditionSql(rows.field, change.where))) > 0;
    case 'updateWhere':
      return updateRows(session, rows, change);
  }
}

interface StoredRow extends Element {
  readonly identity: readonly SqlValue[];
}

/** Applies the change to what is there, and writes the difference. */
function replaceRows(session: Session, rows: ChildRows, change: Change): boolean {
  const { field } = rows;
  const set = valueSetOf(field);
  const before = readRows(session, rows, sql`1`);
  const after = applyToElements(set, before, change);
  const wanted = new Map(after.map((element) => [keyOfValue(set, element.value), element.value]));
  const present = new Map(before.map((row) => [keyOfValue(set, row.value), row]));
  const gone = before.filter((row) => !wanted.has(keyOfValue(set, row.value)));
  const altered = [...present].flatMap(([key, row]) => {
    const value = wanted.get(key);
    return value === undefined || identityOf(value) === identityOf(row.value) ? [] : [{ row, value }];
  });
  const added = [...wanted].flatMap(([key, value]) => (present.has(key) ? [] : [value]));
  rows.assertFree([...added, ...altered.map(({ value }) => value)]);
  for (const row of gone) session.run(sql`DELETE FROM ${tableOf(field)} WHERE ${isRow(field, row)}`);
  for (const { row, value } of altered) session.run(updateRow(field, row, value));
  for (const value of added) session.run(insertRow(rows, value));
  return gone.length + altered.length + added.length > 0;
}

function updateRows(session: Session, rows: ChildRows, change: Extract<Change, { op: 'updateWhere' }>): boolean {
  const { field } = rows;
  const set = valueSetOf(field);
  let isChanged = false;
  for (const row of readRows(session, rows, childConditionSql(field, change.where))) {
    const value = withParts(set, row.value as ChildRecord, change.set);
    if (value !== undefined && identityOf(value) === identityOf(row.value)) continue;
    isChanged = true;
    const isTwin = value !== undefined && hasTwin(session, rows, row, value);
    if (value === undefined || isTwin) session.run(sql`DELETE FROM ${tableOf(field)} WHERE ${isRow(field, row)}`);
    else {
      rows.assertFree([value]);
      session.run(updateRow(field, row, value));
    }
  }
  return isChanged;
}

/** Another row of the record has the value already. */
function hasTwin(session: Session, rows: ChildRows, row: StoredRow, value: Value): boolean {
  const { field } = rows;
  const others = sql`(${isRow(field, row)}) IS NOT TRUE AND ${sameValue(field, value)}`;
  return (
    session.rows(sql`SELECT 1 FROM ${tableOf(field)} AS ${inner} WHERE ${ofRecord(rows)} AND ${others} LIMIT 1`)
      .length > 0
  );
}

function readRows(session: Session, rows: ChildRows, condition: Sql): readonly StoredRow[] {
  const { field } = rows;
  const parts = [...field.parts];
  const selected = [
    ...field.identity.map((item) => column(inner, item)),
    ...parts.map(([, scalar]) => scalar.select(inner)),
  ];
  const statement = sql`SELECT ${list(selected)} FROM ${field.from(outer, inner)} WHERE ${ofRecord(rows)}${field.visible(inner)} AND ${condition} ORDER BY ${field.order(inner)}`;
  return session.rows(statement).flatMap((row) => {
    const value = childOf(field, parts, row, field.identity.length);
    return value === undefined ? [] : [{ identity: row.slice(0, field.identity.length), value }];
  });
}

function insertRow(rows: ChildRows, value: Value): Sql {
  const { columns, values } = insertion(rows, value);
  return sql`INSERT INTO ${tableOf(rows.field)} (${columns}) VALUES (${values})`;
}

function insertIfMissing(rows: ChildRows, value: Value): Sql {
  const { field } = rows;
  const { columns, values } = insertion(rows, value);
  return sql`INSERT INTO ${tableOf(field)} (${columns}) SELECT ${values} WHERE NOT EXISTS (SELECT 1 FROM ${tableOf(field)} AS ${inner} WHERE ${ofRecord(rows)} AND ${sameValue(field, value)})`;
}

/** Columns without a value are left to their defaults. */
function insertion(rows: ChildRows, value: Value): { readonly columns: Sql; readonly values: Sql } {
  const { field, parent } = rows;
  const assignments: readonly Assignment[] = [
    { column: field.parent.name, value: sql`${parent}` },
    ...valueAssignments(field, value).filter((item) => item.value.params[0] !== null),
    ...field.fixed.map((item) => ({ column: item.column, value: literal(item.value) })),
    ...(field.position === undefined ? [] : [{ column: field.position, value: nextPosition(rows, field.position) }]),
  ];
  return {
    columns: list(assignments.map((item) => name(item.column))),
    values: list(assignments.map((item) => item.value)),
  };
}

function nextPosition(rows: ChildRows, position: string): Sql {
  return sql`(SELECT coalesce(max(${column(inner, position)}), -1) + 1 FROM ${tableOf(rows.field)} AS ${inner} WHERE ${ofRecord(rows)})`;
}

function updateRow(field: ChildField, row: StoredRow, value: Value): Sql {
  return sql`UPDATE ${tableOf(field)} SET ${setClause(valueAssignments(field, value))} WHERE ${isRow(field, row)}`;
}

function deleteWhere(rows: ChildRows, condition: Sql): Sql {
  return sql`DELETE FROM ${tableOf(rows.field)} AS ${inner} WHERE ${ofRecord(rows)} AND ${condition}`;
}

function valueAssignments(field: ChildField, value: Value): readonly Assignment[] {
  return [...field.columns].flatMap(([part, childColumn]) => {
    const scalar = field.parts.get(part);
    if (scalar === undefined) return [];
    return columnAssignments({ ...childColumn, scalar }, isChildRecord(value) ? value[part] : value);
  });
}

/** The row has the value, as the field compares; a part that the value has not is empty. */
function sameValue(field: ChildField, value: Value): Sql {
  if (!isChildRecord(value)) return samePart(field, '', value);
  const telling = tellingParts(valueSetOf(field), value);
  const isReferring = telling.length === 1 && telling[0] === valueSetOf(field).referring;
  const parts = isReferring ? telling : [...field.parts.keys()];
  return all(parts.map((part) => samePart(field, part, value[part])));
}

function samePart(field: ChildField, part: string, wanted: Scalar | undefined): Sql {
  const scalar = partOf(field, part);
  if (wanted === undefined) return sql`(${scalar.present(inner)}) IS NOT TRUE`;
  const key = keyOf(scalar.comparison, wanted);
  const childColumn = field.columns.get(part);
  if (key !== undefined || childColumn === undefined) return scalar.compare(inner, 'eq', key ?? '');
  return sql`${column(inner, childColumn.column.name)} IS ${scalar.encode(wanted)}`; // bytes have no comparison
}

function withoutEmptyParts(value: Value): Value {
  if (!isChildRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== ''));
}

function ofRecord({ field, parent }: ChildRows): Sql {
  return sql`${column(inner, field.parent.name)} = ${parent}${field.restriction(inner)}`;
}

function isRow(field: ChildField, row: StoredRow): Sql {
  return all(field.identity.map((item, index) => sql`${name(item)} IS ${row.identity[index] ?? null}`));
}

function tableOf(field: ChildField): Sql {
  return name(field.table.name);
}

function count(values: readonly Value[], run: (value: Value) => number): number {
  return values.reduce<number>((sum, value) => sum + run(value), 0);
}
