import type { ValuePlace } from '../scalar-plan.js';
import { column, type InRow, literal, sql } from '../sql-text.js';
import type { ColumnSchema } from '../table-schema.js';

/** Where a simple value lies. What is not of the type asked for is NULL. */
export interface ScalarSource {
  /** The column itself, where the value is all of it: only then can an index on it help. */
  readonly column?: { readonly schema: ColumnSchema; readonly at: InRow };
  readonly text: InRow;
  readonly number: InRow;
  readonly boolean: InRow;
  readonly bytes: InRow;
}

export function sourceOf(place: ValuePlace): ScalarSource {
  switch (place.kind) {
    case 'column':
      return place.at === undefined ? columnSource(place.schema) : valueSource(place.schema, place.at);
    case 'member':
      return jsonMemberSource(place.column.name, printPath(place.members));
    case 'element':
      return jsonElementSource;
    case 'elementMember':
      return jsonElementMemberSource(printPath([place.member]));
  }
}

/** The members as SQLite's path. */
export function printPath(members: readonly string[]): string {
  return `$${members.map((member) => `."${member}"`).join('')}`;
}

function columnSource(schema: ColumnSchema): ScalarSource {
  const at: InRow = (alias) => column(alias, schema.name);
  return { column: { schema, at }, ...valueSource(schema, at) };
}

function valueSource(schema: ColumnSchema, at: InRow): ScalarSource {
  const asText: InRow = (alias) => sql`CASE WHEN typeof(${at(alias)}) <> 'blob' THEN CAST(${at(alias)} AS TEXT) END`;
  const plain: InRow = schema.collation === 'other' ? (alias) => sql`(${at(alias)} COLLATE BINARY)` : at;
  const isNumeric = schema.kind !== 'text' && schema.kind !== 'none';
  return {
    text: schema.kind === 'text' ? plain : asText,
    number: isNumeric
      ? (alias) => sql`CASE WHEN typeof(${at(alias)}) IN ('integer', 'real') THEN ${at(alias)} END`
      : (alias) => sql`scimbridge_number(${at(alias)})`,
    boolean: (alias) => sql`CASE WHEN ${at(alias)} IN (0, 1) THEN CAST(${at(alias)} AS INTEGER) END`,
    bytes: at,
  };
}

/** A member of the JSON object in a column. A column that holds no JSON counts as empty. */
function jsonMemberSource(columnName: string, path: string): ScalarSource {
  const document: InRow = (alias) => column(alias, columnName);
  const guarded =
    (value: InRow): InRow =>
    (alias) =>
      sql`CASE WHEN json_valid(${document(alias)}) THEN ${value(alias)} END`;
  const source = jsonSource(
    (alias) => sql`json_type(${document(alias)}, ${literal(path)})`,
    (alias) => sql`(${document(alias)} ->> ${literal(path)})`,
  );
  return {
    text: guarded(source.text),
    number: guarded(source.number),
    boolean: guarded(source.boolean),
    bytes: guarded(source.bytes),
  };
}

/** An element of a JSON array, as `json_each` gives it under the alias. */
const jsonElementSource: ScalarSource = jsonSource(
  (alias) => column(alias, 'type'),
  (alias) => column(alias, 'value'),
);

/** A member of an element that is an object. */
function jsonElementMemberSource(path: string): ScalarSource {
  const object: InRow = (alias) => column(alias, 'value');
  return jsonSource(
    (alias) => sql`json_type(${object(alias)}, ${literal(path)})`,
    (alias) => sql`(${object(alias)} ->> ${literal(path)})`,
  );
}

/** The JSON array at a path as text; a single value counts as an array of it, nothing as an empty one. */
export function jsonArray(columnName: string, path: string): InRow {
  return (alias) => {
    const document = column(alias, columnName);
    const member = literal(path);
    return sql`CASE WHEN NOT coalesce(json_valid(${document}), 0) THEN '[]' WHEN json_type(${document}, ${member}) = 'array' THEN ${document} -> ${member} ELSE json_array(json(${document} -> ${member})) END`;
  };
}

function jsonSource(type: InRow, value: InRow): ScalarSource {
  return {
    text: (alias) =>
      sql`CASE ${type(alias)} WHEN 'text' THEN ${value(alias)} WHEN 'integer' THEN CAST(${value(alias)} AS TEXT) WHEN 'real' THEN scimbridge_digits(${value(alias)}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' END`,
    number: (alias) => sql`CASE WHEN ${type(alias)} IN ('integer', 'real') THEN ${value(alias)} END`,
    boolean: (alias) => sql`CASE ${type(alias)} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END`,
    bytes: (alias) => sql`CASE ${type(alias)} WHEN 'text' THEN ${value(alias)} END`,
  };
}
