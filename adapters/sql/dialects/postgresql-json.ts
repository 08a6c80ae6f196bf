import type { ScalarOptions } from '../scalar-plan.js';
import { column, type InRow, list, literal, type Sql, sql } from '../sql-text.js';
import type { ColumnSchema } from '../table-schema.js';
import type { JsonDialect } from './dialect.js';
import type { JsonSource } from './server-words.js';

export const postgresqlJson: JsonDialect = {
  array: (schema, members) => (alias) => sql`CAST(${memberAt(schema, members)(alias)} AS text)`,
  elements: (schema, members, isRecords) => ({
    from: (outer, inner) => {
      const value = memberAt(schema, members)(outer);
      return sql`jsonb_array_elements(CASE jsonb_typeof(${value}) WHEN 'array' THEN ${value} ELSE jsonb_build_array(${value}) END) WITH ORDINALITY AS ${inner}("value", "no")`;
    },
    where: (_outer, inner) => (isRecords ? sql`jsonb_typeof(${column(inner, 'value')}) = 'object'` : sql`TRUE`),
    order: (inner) => column(inner, 'no'),
  }),
  document: (schema) => documentAt(schema),
  text: (schema) => (alias) => sql`CAST(${column(alias, schema.name)} AS text)`,
  set: (document, members, json) => sql`jsonb_set(${document}, ${pathOf(members)}, CAST(${json} AS jsonb), true)`,
  remove: (document, members) => sql`(${document} #- ${pathOf(members)})`,
  stored: ({ declaredType }, document) => (declaredType === 'json' ? sql`CAST(${document} AS json)` : document),
  empty: sql`CAST('{}' AS jsonb)`,
  problem: ({ kind, declaredType }) =>
    kind === 'json'
      ? undefined
      : `has \`json\`, but its column is of type ${declaredType || 'text'} and not jsonb or json`,
};

export function postgresqlJsonSource({ place }: ScalarOptions): JsonSource | undefined {
  switch (place.kind) {
    case 'member':
      return sourceOf(memberAt(place.column, place.members));
    case 'element':
      return sourceOf((alias) => column(alias, 'value'));
    case 'elementMember':
      return sourceOf((alias) => sql`(${column(alias, 'value')} -> ${literal(place.member)})`);
    case 'column':
      return undefined;
  }
}

function sourceOf(value: InRow): JsonSource {
  const type: InRow = (alias) => sql`jsonb_typeof(${value(alias)})`;
  const text: InRow = (alias) => sql`(${value(alias)} #>> '{}')`;
  return {
    text: (alias) => sql`CASE WHEN ${type(alias)} IN ('string', 'number', 'boolean') THEN ${text(alias)} END`,
    number: (alias) => sql`CASE WHEN ${type(alias)} = 'number' THEN CAST(${text(alias)} AS double precision) END`,
    boolean: (alias) =>
      sql`CASE ${text(alias)} WHEN 'true' THEN CASE WHEN ${type(alias)} = 'boolean' THEN 1 END WHEN 'false' THEN CASE WHEN ${type(alias)} = 'boolean' THEN 0 END END`,
  };
}

function documentAt({ name, declaredType }: ColumnSchema): InRow {
  return declaredType === 'jsonb'
    ? (alias) => column(alias, name)
    : (alias) => sql`CAST(${column(alias, name)} AS jsonb)`;
}

function memberAt(schema: ColumnSchema, members: readonly string[]): InRow {
  return (alias) => sql`(${documentAt(schema)(alias)} #> ${pathOf(members)})`;
}

function pathOf(members: readonly string[]): Sql {
  return sql`ARRAY[${list(members.map(literal))}]`;
}
