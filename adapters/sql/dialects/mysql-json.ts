import { outer } from '../entity-plan.js';
import type { ScalarOptions } from '../scalar-plan.js';
import { column, type InRow, literal, sql } from '../sql-text.js';
import type { ColumnSchema } from '../table-schema.js';
import type { JsonDialect } from './dialect.js';
import type { JsonSource } from './server-words.js';

export const mysqlJson: JsonDialect = {
  array: (schema, members) => (alias) => sql`CAST(${memberAt(schema, members)(alias)} AS CHAR)`,
  // Rows of JSON_TABLE say only which element is meant: its type would be lost there.
  elements: (schema, members, isRecords) => ({
    from: (record, inner) => {
      const value = memberAt(schema, members)(record);
      return sql`JSON_TABLE(CASE WHEN ${value} IS NULL THEN '[]' WHEN JSON_TYPE(${value}) = 'ARRAY' THEN ${value} ELSE '[0]' END, '$[*]' COLUMNS ("no" FOR ORDINALITY)) AS ${inner}`;
    },
    where: (_outer, inner) => (isRecords ? sql`JSON_TYPE(${elementAt(schema, members)(inner)}) = 'OBJECT'` : sql`TRUE`),
    order: (inner) => column(inner, 'no'),
  }),
  document: (schema) => (alias) => column(alias, schema.name),
  text: (schema) => (alias) => sql`CAST(${column(alias, schema.name)} AS CHAR)`,
  // JSON_EXTRACT makes a JSON value of the text.
  set: (document, members, json) => sql`JSON_SET(${document}, ${literal(pathOf(members))}, JSON_EXTRACT(${json}, '$'))`,
  remove: (document, members) => sql`JSON_REMOVE(${document}, ${literal(pathOf(members))})`,
  stored: (_schema, document) => document,
  empty: sql`JSON_OBJECT()`,
  problem: ({ kind }) => (kind === 'json' || kind === 'text' ? undefined : 'has `json`, but its column holds no JSON'),
};

export function mysqlJsonSource({ place }: ScalarOptions): JsonSource | undefined {
  switch (place.kind) {
    case 'member':
      return sourceOf(memberAt(place.column, place.members));
    case 'element':
      return sourceOf(elementAt(place.column, place.members));
    case 'elementMember': {
      const element = elementAt(place.column, place.members);
      return sourceOf((alias) => sql`JSON_EXTRACT(${element(alias)}, ${literal(pathOf([place.member]))})`);
    }
    case 'column':
      return undefined;
  }
}

function sourceOf(value: InRow): JsonSource {
  const type: InRow = (alias) => sql`JSON_TYPE(${value(alias)})`;
  const text: InRow = (alias) => sql`JSON_UNQUOTE(${value(alias)})`;
  return {
    text: (alias) =>
      sql`CASE WHEN ${type(alias)} NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN CONVERT(${text(alias)} USING utf8mb4) END`,
    number: (alias) =>
      sql`CASE WHEN ${type(alias)} IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') THEN ${text(alias)} + 0e0 END`,
    boolean: (alias) =>
      sql`CASE WHEN ${type(alias)} = 'BOOLEAN' THEN CASE ${text(alias)} WHEN 'true' THEN 1 ELSE 0 END END`,
  };
}

/** A column that holds no JSON counts as empty. */
function memberAt({ name }: ColumnSchema, members: readonly string[]): InRow {
  return (alias) => {
    const document = column(alias, name);
    return sql`CASE WHEN JSON_VALID(${document}) THEN JSON_EXTRACT(${document}, ${literal(pathOf(members))}) END`;
  };
}

/** The element that a row of JSON_TABLE counts; a single value is the first element of itself. */
function elementAt({ name }: ColumnSchema, members: readonly string[]): InRow {
  const start = literal(`${pathOf(members)}[`);
  return (alias) => sql`JSON_EXTRACT(${column(outer, name)}, CONCAT(${start}, ${column(alias, 'no')} - 1, ']'))`;
}

function pathOf(members: readonly string[]): string {
  return `$${members.map((member) => `."${member}"`).join('')}`;
}
