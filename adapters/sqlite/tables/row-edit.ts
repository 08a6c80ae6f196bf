import type { Change, ChildRecord, Scalar } from '../../../src/backend/adapter.js';
import { fold } from '../../../src/scim/comparison.js';
import { outer } from './entity-plan.js';
import type { ChildField, ColumnField, FieldPlan, JsonField, JsonListField } from './field-plan.js';
import { JsonEdit } from './json-edit.js';
import { childToJson, type JsonElement, parseElements, toJson } from './json-values.js';
import { jsonArray } from './scalar-source.js';
import type { Row } from './session.js';
import { column, list, name, type Sql, type SqlValue, sql } from './sql-text.js';
import type { ColumnSchema } from './table-schema.js';
import { applyToElements, type Element, sameElements, type ValueSet, valueSetOf } from './value-set.js';

export type OwnField = Exclude<FieldPlan, ChildField>;

/** A column and what it is set to. */
export interface Assignment {
  readonly column: string;
  readonly value: Sql;
}

interface FieldState {
  readonly field: OwnField;
  readonly set: ValueSet;
  readonly before: readonly Element[];
  /** Elements of a JSON array that the field cannot read. */
  readonly unread: readonly JsonElement[];
  after: readonly Element[];
}

/** The fields that lie in the record's own row: their values before and after an update's changes. */
export class RowEdit {
  private readonly states: ReadonlyMap<string, FieldState>;
  private readonly documents: ReadonlyMap<string, SqlValue>;

  /** @param row what `expressions(fields)` gave; undefined for a new record */
  constructor(fields: readonly OwnField[], row: Row | undefined) {
    this.states = new Map(fields.map((field, index) => [field.name, stateOf(field, row?.[index] ?? null)]));
    const columns = documentColumns(fields);
    this.documents = new Map(columns.map((schema, index) => [schema.name, row?.[fields.length + index] ?? null]));
  }

  /** What to select for the constructor. */
  static expressions(fields: readonly OwnField[]): readonly Sql[] {
    const values = fields.map((field) =>
      field.kind === 'jsonList'
        ? jsonArray(field.place.column.name, field.place.path)(outer)
        : field.scalar.select(outer),
    );
    return [...values, ...documentColumns(fields).map((schema) => column(outer, schema.name))];
  }

  has(field: string): boolean {
    return this.states.has(field);
  }

  apply(change: Change): void {
    const state = this.states.get(change.field);
    if (state !== undefined) state.after = applyToElements(state.set, state.after, change);
  }

  /** The fields whose values differ now. */
  changes(): readonly {
    readonly field: OwnField;
    readonly before: readonly Element[];
    readonly after: readonly Element[];
  }[] {
    return [...this.states.values()].filter(({ before, after }) => !sameElements(before, after));
  }

  assignments(): readonly Assignment[] {
    const assignments: Assignment[] = [];
    const edits = new Map<string, JsonEdit>();
    for (const change of this.changes()) {
      const { field } = change;
      if (field.kind === 'column') {
        assignments.push(...columnAssignments(field, change.after[0]?.value as Scalar | undefined));
        continue;
      }
      const { column: schema } = field.place;
      const edit =
        edits.get(schema.name) ??
        new JsonEdit(this.documents.get(schema.name) ?? null, column(outer, schema.name), field.name);
      edits.set(schema.name, edit);
      edit.put(field.place, jsonOf(field, change.after, this.states.get(field.name)?.unread ?? []));
    }
    return [...assignments, ...[...edits].map(([columnName, edit]) => ({ column: columnName, value: edit.value }))];
  }
}

/** What the columns of a field are set to: the value, and its folded copy. */
export function columnAssignments(
  field: { readonly column: ColumnSchema; readonly folded?: ColumnSchema; readonly scalar: ColumnField['scalar'] },
  value: Scalar | undefined,
): readonly Assignment[] {
  const { column: schema, folded, scalar } = field;
  const stored = value === undefined ? null : scalar.encode(value);
  const assignments = [{ column: schema.name, value: parameter(schema, stored) }];
  if (folded === undefined) return assignments;
  return [
    ...assignments,
    { column: folded.name, value: parameter(folded, typeof stored === 'string' ? fold(stored) : stored) },
  ];
}

/** `SET …` of an UPDATE. */
export function setClause(assignments: readonly Assignment[]): Sql {
  return list(assignments.map((item) => sql`${name(item.column)} = ${item.value}`));
}

function parameter(schema: ColumnSchema, stored: SqlValue): Sql {
  return sql`${stored === null && schema.defaultsToEmptyText ? '' : stored}`;
}

function stateOf(field: OwnField, stored: SqlValue): FieldState {
  const set = valueSetOf(field);
  if (field.kind !== 'jsonList') {
    const value = field.scalar.decode(stored);
    const before = value === undefined ? [] : [{ value }];
    return { field, set, before, after: before, unread: [] };
  }
  const elements = parseElements(field, stored);
  const before = elements.flatMap(({ json, value }) => (value === undefined ? [] : [{ json, value }]));
  return { field, set, before, after: before, unread: elements.filter(({ value }) => value === undefined) };
}

function documentColumns(fields: readonly OwnField[]): readonly ColumnSchema[] {
  const columns = fields.flatMap((field) => (field.kind === 'column' ? [] : [field.place.column]));
  return columns.filter((schema, index) => columns.findIndex(({ name: other }) => other === schema.name) === index);
}

function jsonOf(field: JsonField | JsonListField, after: readonly Element[], unread: readonly JsonElement[]): unknown {
  if (field.kind === 'json') {
    const value = after[0]?.value as Scalar | undefined;
    return value === undefined ? undefined : toJson(field.scalar, value);
  }
  const scalar = field.parts.get('');
  const items = after.map(({ value, json }) =>
    scalar === undefined ? childToJson(field, value as ChildRecord, json) : toJson(scalar, value as Scalar),
  );
  const all = [...items, ...unread.flatMap(({ json }) => (json === null ? [] : [json]))];
  return all.length === 0 ? undefined : all;
}
