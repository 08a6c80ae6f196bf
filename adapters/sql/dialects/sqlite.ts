import { column, type InRow, list, literal, name, nothing, printSql, rawSql, type Sql, sql } from '../sql-text.js';
import type { TableSchema } from '../table-schema.js';
import { row } from '../work.js';
import type { Dialect, JsonDialect } from './dialect.js';
import { isAfterRow } from './keys.js';
import { toSqlite } from './native-text.js';
import { valueList } from './sqlite-comparer.js';
import { sqliteScalar } from './sqlite-scalar.js';
import { jsonArray, printPath } from './sqlite-source.js';

export interface SqliteDialectOptions {
  /** False for a database whose texts do not sort by code point (UTF-16). */
  readonly isOrdered: boolean;
  readonly toDataError: Dialect['toDataError'];
}

/** Statements run in the thread that composes them, and writes one after the other. */
export function createSqliteDialect({ isOrdered, toDataError }: SqliteDialectOptions): Dialect {
  return {
    name: 'sqlite',
    native: toSqlite,
    print: printSql,
    table: name,
    scalar: (options) => sqliteScalar(options, isOrdered),
    json,
    raw: rawSql,
    computedKind: () => 'none',
    inZone: () => undefined,
    prefixed: (prefix, text) => sql`${literal(prefix)} || ${text}`,
    alignKeys: (one, other) => ({ one: prefixedKey(one), other: prefixedKey(other) }),
    tuple: (texts) => sql`json_array(${list(texts)})`,
    isAfterRow,
    isOneOf: (at, _schema, values) => sql`${at} IN ${valueList(values)}`,
    holds: (at, _schema, value) => sql`${at} IS ${value}`,
    isUnset,
    order: (key, isDescending) => (isDescending ? sql`${key} DESC NULLS FIRST` : sql`${key} ASC NULLS LAST`),
    // `+ 0`: a LIMIT that is a bare parameter is compiled anew at every binding.
    limit: (limit, offset) => sql` LIMIT ${BigInt(limit)} + 0${offset > 0 ? sql` OFFSET ${BigInt(offset)}` : nothing}`,
    lock: nothing,
    *insertRow(plan, assignments, given) {
      const columns = assignments.map((item) => name(item.column).text).join(', ');
      const values = sql`(${{ text: columns, params: [] }}) VALUES (${{
        text: assignments.map((item) => item.value.text).join(', '),
        params: assignments.flatMap((item) => item.value.params),
      }})`;
      const inserted = assignments.length === 0 ? sql`DEFAULT VALUES` : values;
      const answer = yield* row(
        sql`INSERT INTO ${plan.writeName} ${inserted} RETURNING ${plan.key.returning(plan.writeName)}`,
        [given ?? plan.key.onPaper('…')],
      );
      return answer?.[0] ?? undefined;
    },
    fromNothing: nothing,
    rowsPerInsert: 1,
    valuesPerLookup: Number.POSITIVE_INFINITY,
    isSerial: true,
    toDataError,
    inspection: {
      tableNames: sql`SELECT name FROM sqlite_master WHERE type IN ('table', 'view')`,
      isStale: (own, copy) => sql`${copy} IS NOT scimbridge_fold(${own}) AND ${own} <> ''`,
      warnings: isOrdered
        ? []
        : ['The database keeps texts as UTF-16: it can neither sort them nor find prefixes as SCIM wants it.'],
    },
  };
}

function prefixedKey({ at, prefix }: { readonly at: InRow; readonly prefix: string }): InRow {
  return prefix === '' ? at : (alias) => sql`${literal(prefix)} || ${at(alias)}`;
}

/**
 * Nearly all rows are alive, and an index on this column leads nowhere, but SQLite would rather walk it than a range of
 * another. The plus forbids it; a partial index needs the plain term, with a hint instead.
 */
function isUnset({ indexes }: TableSchema, at: Sql): Sql {
  return indexes.some(({ partial }) => partial) ? sql`likelihood(${at} IS NULL, 0.99)` : sql`+${at} IS NULL`;
}

const json: JsonDialect = {
  array: (schema, members) => jsonArray(schema.name, printPath(members)),
  elements: (schema, members, isRecords) => {
    const array = jsonArray(schema.name, printPath(members));
    return {
      from: (outer, inner) => sql`json_each(${array(outer)}) AS ${inner}`,
      where: (_outer, inner) => (isRecords ? sql`${column(inner, 'type')} = 'object'` : sql`TRUE`),
      order: (inner) => column(inner, 'key'),
    };
  },
  document: (schema) => (alias) => column(alias, schema.name),
  set: (document, members, text) => sql`json_set(${document}, ${literal(printPath(members))}, json(${text}))`,
  remove: (document, members) => sql`json_remove(${document}, ${literal(printPath(members))})`,
  stored: (_schema, document) => document,
  empty: literal('{}'),
  text: (schema) => (alias) => column(alias, schema.name),
  problem: () => undefined,
};
