import type { Change, ChildRecord, Scalar } from '../../src/backend/adapter.js';
import { fold } from '../../src/scim/comparison.js';
import type { Dialect } from './dialects/dialect.js';
import { outer } from './entity-plan.js';
import type { ChildField, ColumnField, FieldPlan, JsonField, JsonListField, JsonPlace } from './field-plan.js';
import { JsonEdit } from './json-edit.js';
import { childToJson, type JsonElement, parseElements, toJson } from './json-values.js';
import type { Row, SqlValue } from './pool.js';
import { list, name, printSql, type Sql, sql } from './sql-text.js';
import { rejected } from './stored-scalar.js';
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
  private readonly dialect: Dialect;

  /** @param row what `expressions(fields)` gave; undefined for a new record */
  constructor(dialect: Dialect, fields: readonly OwnField[], row: Row | undefined) {
    this.dialect = dialect;
    this.states = new Map(fields.map((field, index) => [field.name, stateOf(field, row?.[index] ?? null)]));
    const places = documentPlaces(fields);
    this.documents = new Map(
      places.map(({ column: schema }, index) => [schema.name, row?.[fields.length + index] ?? null]),
    );
  }

  /** What to select for the constructor. */
  static expressions(fields: readonly OwnField[]): readonly Sql[] {
    const values = fields.map((field) =>
      field.kind === 'jsonList' ? field.place.array(outer) : field.scalar.select(outer),
    );
    return [...values, ...documentPlaces(fields).map(({ text }) => text(outer))];
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

  /** @param own what the row has in columns that a reference may share */
  assignments(own: readonly Assignment[]): readonly Assignment[] {
    const assignments: Assignment[] = [];
    const references: { readonly field: ColumnField; readonly value: Scalar | undefined }[] = [];
    const edits = new Map<string, { readonly column: ColumnSchema; readonly edit: JsonEdit }>();
    const { json } = this.dialect;
    for (const change of this.changes()) {
      const { field } = change;
      if (field.kind === 'column' && field.scalar.spread !== undefined) {
        references.push({ field, value: change.after[0]?.value as Scalar | undefined });
        continue;
      }
      if (field.kind === 'column') {
        assignments.push(...columnAssignments(field, change.after[0]?.value as Scalar | undefined));
        continue;
      }
      const { column: schema, document } = field.place;
      const edit =
        edits.get(schema.name)?.edit ??
        new JsonEdit(json, this.documents.get(schema.name) ?? null, document(outer), field.name);
      edits.set(schema.name, { column: schema, edit });
      edit.put(field.place, jsonOf(field, change.after, this.states.get(field.name)?.unread ?? []));
    }
    const edited = [...edits.values()].map(({ column: schema, edit }) => ({
      column: schema.name,
      value: json.stored(schema, edit.value),
    }));
    const known = [...own, ...assignments];
    const referring = references.flatMap(({ field, value }) =>
      besides(known, columnAssignments(field, value), field.name),
    );
    return [...assignments, ...referring, ...edited];
  }
}

/** What the columns of a field are set to: the value, and its folded copy. */
export function columnAssignments(
  field: { readonly column: ColumnSchema; readonly folded?: ColumnSchema; readonly scalar: ColumnField['scalar'] },
  value: Scalar | undefined,
): readonly Assignment[] {
  const { column: schema, folded, scalar } = field;
  const stored = value === undefined ? null : scalar.encode(value);
  if (scalar.spread !== undefined) {
    return scalar.spread(stored).map((item) => ({ column: item.column.name, value: sql`${item.value}` }));
  }
  const assignments = [{ column: schema.name, value: scalar.write(orEmptyText(schema, stored)) }];
  if (folded === undefined) return assignments;
  const copy = typeof stored === 'string' ? fold(stored) : stored;
  return [...assignments, { column: folded.name, value: sql`${orEmptyText(folded, copy)}` }];
}

/**
 * What a reference sets beside columns that belong to the row: there it has to say what they say, since two records can
 * only be put together within one tenant. @throws AdapterError rejected
 */
export function besides(
  own: readonly Assignment[],
  given: readonly Assignment[],
  field: string,
): readonly Assignment[] {
  return given.filter(({ column: name_, value }) => {
    const shared = own.find((item) => item.column === name_);
    if (shared === undefined) return true;
    const [wanted] = value.params;
    if (wanted !== null && printSql(shared.value) !== printSql(value)) {
      throw rejected(field, 'It names a record that this one cannot be put together with.');
    }
    return false;
  });
}

/** `SET …` of an UPDATE. */
export function setClause(assignments: readonly Assignment[]): Sql {
  return list(assignments.map((item) => sql`${name(item.column)} = ${item.value}`));
}

function orEmptyText(schema: ColumnSchema, stored: SqlValue): SqlValue {
  return stored === null && schema.defaultsToEmptyText ? '' : stored;
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

/** One place for each column with a document. */
function documentPlaces(fields: readonly OwnField[]): readonly JsonPlace[] {
  const places = fields.flatMap((field) => (field.kind === 'column' ? [] : [field.place]));
  return places.filter(
    ({ column: own }, index) => places.findIndex(({ column: other }) => other.name === own.name) === index,
  );
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
