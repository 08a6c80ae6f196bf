import { isChildRecord } from '../../src/backend/record.js';
import { keyOf } from '../../src/scim/comparison.js';
import { partOf } from './condition-sql.js';
import type { Dialect } from './dialects/dialect.js';
import { inner } from './entity-plan.js';
import type { ChildField } from './field-plan.js';
import type { Row, SqlValue } from './pool.js';
import { type Assignment, besides, columnAssignments, setClause } from './row-edit.js';
import { all, any, column, list, name, type Sql, sql } from './sql-text.js';
import type { Element, Value } from './value-set.js';
import { change, rows, run, type Work } from './work.js';

/** One record's rows in a child table. */
export interface ChildRows {
  readonly dialect: Dialect;
  readonly field: ChildField;
  /** The record's key. */
  readonly parent: SqlValue;
  /** Called before values are written, where others may not have them. @throws AdapterError conflict */
  readonly assertFree?: (values: readonly Value[]) => Work<void>;
}

/** A row as it is there, with what tells it from the others. */
export interface StoredRow extends Element {
  readonly identity: Row;
}

/** Values in one look at what is there, or in one DELETE. */
const valuesPerStatement = 5_000;
const deletedPerStatement = 200;

export function* insertRows(child: ChildRows, values: readonly Value[]): Work<void> {
  const { dialect, field } = child;
  let position = child.field.position === undefined ? 0 : yield* nextPosition(child);
  for (let from = 0; from < values.length; from += dialect.rowsPerInsert) {
    const inserted = values
      .slice(from, from + dialect.rowsPerInsert)
      .map((value) => insertion(child, value, position++));
    const [first] = inserted;
    if (first === undefined) return;
    const listed = inserted.map((assignments) => sql`(${list(assignments.map((item) => item.value))})`);
    yield* run(sql`INSERT INTO ${field.tableName} (${columnsOf(first)}) VALUES ${list(listed)}`);
  }
}

/** @param present holds for a row with the value. @returns how many rows were inserted */
export function* insertIfMissing(child: ChildRows, value: Value, present: Sql): Work<number> {
  const { dialect, field } = child;
  const position = field.position === undefined ? 0 : yield* nextPosition(child);
  const assignments = insertion(child, value, position);
  const values = list(assignments.map((item) => item.value));
  const answer = yield change(
    sql`INSERT INTO ${field.tableName} (${columnsOf(assignments)}) SELECT ${values}${dialect.fromNothing} WHERE NOT EXISTS (SELECT 1 FROM ${field.tableName} AS ${inner} WHERE ${ofRecord(child, inner)} AND ${present})`,
  );
  return answer.changed;
}

/** Inserts those of many values whose `part` no row of the record has; what is there is only asked for the values. */
export function* insertMissing(child: ChildRows, part: string, values: readonly Value[]): Work<boolean> {
  const { field } = child;
  const scalar = partOf(field, part);
  const keyIn = (value: Value) => keyOf(scalar.comparison, isChildRecord(value) ? value[part] : value);
  let isChanged = false;
  for (let from = 0; from < values.length; from += valuesPerStatement) {
    const some = values.slice(from, from + valuesPerStatement);
    const wanted = scalar.oneOf(
      inner,
      some.flatMap((value) => keyIn(value) ?? []),
    );
    const statement = sql`SELECT ${scalar.select(inner)} FROM ${field.tableName} AS ${inner} WHERE ${ofRecord(child, inner)} AND ${wanted}`;
    const present = new Set(
      (yield* rows(statement)).map(([stored = null]) => keyOf(scalar.comparison, scalar.decode(stored))),
    );
    const missing = some.filter((value) => !present.has(keyIn(value)));
    yield* insertRows(child, missing);
    isChanged ||= missing.length > 0;
  }
  return isChanged;
}

export function* updateRow(child: ChildRows, row: StoredRow, value: Value): Work<void> {
  const { tableName } = child.field;
  const assignments = setClause(valueAssignments(child, value));
  yield* run(sql`UPDATE ${tableName} SET ${assignments} WHERE ${oneRow(child, row)}`);
}

export function* deleteRows(child: ChildRows, gone: readonly StoredRow[]): Work<void> {
  const { dialect, field } = child;
  const size = dialect.rowsPerInsert > 1 ? deletedPerStatement : 1;
  for (let from = 0; from < gone.length; from += size) {
    const some = gone.slice(from, from + size).map((row) => isRow(child, row, field.tableName));
    yield* run(sql`DELETE FROM ${field.tableName} WHERE ${ofRecord(child, field.tableName)} AND ${any(some)}`);
  }
}

function oneRow(child: ChildRows, row: StoredRow): Sql {
  const { tableName } = child.field;
  return sql`${ofRecord(child, tableName)} AND ${isRow(child, row, tableName)}`;
}

/** All rows of one field name the same columns, so that many go into one statement. */
function insertion(child: ChildRows, value: Value, position: number): readonly Assignment[] {
  const { field, parent, dialect } = child;
  const given = valueAssignments(child, value);
  // Columns without a value are left to their defaults, unless the statement holds rows that have one.
  const kept = dialect.rowsPerInsert > 1 ? given : given.filter((item) => item.value.params[0] !== null);
  return [
    ...field.parent.assign(parent),
    ...kept,
    ...field.fixed,
    ...(field.position === undefined ? [] : [{ column: field.position, value: sql`${BigInt(position)}` }]),
  ];
}

function columnsOf(assignments: readonly Assignment[]): Sql {
  return list(assignments.map((item) => name(item.column)));
}

/** Where new rows go on counting; the record is locked, so nobody else does. */
function* nextPosition(child: ChildRows): Work<number> {
  const { position, tableName } = child.field;
  if (position === undefined) return 0;
  const greatest = sql`SELECT coalesce(max(${column(inner, position)}), -1) FROM ${tableName} AS ${inner} WHERE ${ofRecord(child, inner)}`;
  return Number((yield* rows(greatest))[0]?.[0] ?? -1) + 1;
}

function valueAssignments({ field, parent }: ChildRows, value: Value): readonly Assignment[] {
  const given = [...field.columns].flatMap(([part, childColumn]) => {
    const scalar = field.parts.get(part);
    if (scalar === undefined) return [];
    return columnAssignments({ ...childColumn, scalar }, isChildRecord(value) ? value[part] : value);
  });
  return field.isShared ? besides([...field.parent.assign(parent), ...field.fixed], given, field.name) : given;
}

/** Rows of the record and of this field. */
export function ofRecord({ field, parent }: ChildRows, alias: Sql): Sql {
  return sql`${field.parent.is(alias, parent)}${field.restriction(alias)}`;
}

export function isRow({ dialect, field }: ChildRows, row: StoredRow, alias: Sql): Sql {
  return all(
    field.identity.map((item, index) => identityHolds(dialect, field, alias, item, row.identity[index] ?? null)),
  );
}

function identityHolds(dialect: Dialect, field: ChildField, alias: Sql, item: string, value: SqlValue): Sql {
  const schema = field.table.columns.get(item.toLowerCase());
  return schema === undefined
    ? sql`${column(alias, item)} = ${value}` // SQLite's rowid
    : dialect.holds(column(alias, schema.name), schema, value);
}
