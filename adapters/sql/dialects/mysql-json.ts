import type { ScalarOptions } from '../scalar-plan.js';
import { column, type InRow, literal, sql } from '../sql-text.js';
import type { ColumnSchema } from '../table-schema.js';
import type { JsonDialect } from './dialect.js';
import type { JsonSource } from './server-words.js';

/** Members are compared by the server; elements of arrays are not, as it cannot make rows of them in a subquery. */
export const mysqlJson: JsonDialect = {
  array: (schema, members) => (alias) => sql`CAST(${memberAt(schema, members)(alias)} AS CHAR)`,
  elements: () => ({ from: () => sql`DUAL`, where: () => sql`TRUE`, order: () => sql`1` }),
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
  if (place.kind !== 'member') return undefined;
  const value = memberAt(place.column, place.members);
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

function pathOf(members: readonly string[]): string {
  return `$${members.map((member) => `."${member}"`).join('')}`;
}
