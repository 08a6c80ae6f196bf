import type { FieldUse } from '../../../src/backend/adapter.js';
import type { EntityPlan } from '../entity-plan.js';
import { offset } from '../field-plan.js';
import type { SqlValue } from '../pool.js';
import type { Assignment } from '../row-edit.js';
import type { ScalarOptions } from '../scalar-plan.js';
import {
  column,
  type InRow,
  isFalse,
  list,
  literal,
  name,
  nothing,
  printSql,
  rawSql,
  type Sql,
  sql,
} from '../sql-text.js';
import type { ColumnSchema, IndexSchema } from '../table-schema.js';
import { row, type Work } from '../work.js';
import type { Dialect } from './dialect.js';
import { isAfterRow, keysAligned, tablePath } from './keys.js';
import { respelling, toPostgresql } from './native-text.js';
import { postgresqlJson, postgresqlJsonSource } from './postgresql-json.js';
import { toServerDataError } from './server-errors.js';
import { hasUniqueIndex, serverScalar } from './server-scalar.js';
import { isPadded, spells } from './server-text.js';
import type { CaselessIndex, ListedColumn, ServerWords } from './server-words.js';

export interface PostgresqlFacts {
  /** `fold` in SQL, where the server was seen to make the same of every character. */
  readonly foldKey?: (text: Sql) => Sql;
}

const rowsPerInsert = 500;

export function createPostgresqlDialect(facts: PostgresqlFacts): Dialect {
  const { foldKey } = facts;
  const words = wordsOf(facts);
  return {
    name: 'postgresql',
    native: respelling(toPostgresql),
    print: printSql,
    table: tablePath,
    scalar: (options) => serverScalar(words, options, prefixed),
    json: postgresqlJson,
    raw: rawSql,
    computedKind,
    inZone,
    prefixed,
    alignKeys: (one, other) => keysAligned(words.text, prefixed, one, other),
    tuple: (texts) => sql`CAST(json_build_array(${list(texts)}) AS text)`,
    isAfterRow,
    isOneOf,
    holds,
    isUnset: (_table, at) => sql`${at} IS NULL`,
    order: (key, isDescending) => (isDescending ? sql`${key} DESC NULLS FIRST` : sql`${key} ASC NULLS LAST`),
    limit: (limit, offset) => sql` LIMIT ${BigInt(limit)}${offset > 0 ? sql` OFFSET ${BigInt(offset)}` : nothing}`,
    lock: { text: ' FOR UPDATE', params: [] },
    updatesGiveRows: true,
    insertRow,
    fromNothing: nothing,
    rowsPerInsert,
    valuesPerLookup: 100_000,
    isSerial: false,
    rowRevision: (alias) => sql`CAST(${alias}.xmin AS text)`,
    toDataError: toServerDataError,
    inspection: {
      tableNames: sql`SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false)) ORDER BY 1`,
      ...(foldKey === undefined
        ? {}
        : { isStale: (own: Sql, copy: Sql) => sql`${own} <> '' AND ${copy} IS DISTINCT FROM ${foldKey(own)}` }),
      warnings: [],
    },
  };
}

/** An offset as an interval: as a zone's name it would be one to the west (POSIX). */
function inZone(at: InRow, zone: string): ReturnType<Dialect['inZone']> {
  const named = offset.test(zone) ? sql`INTERVAL ${literal(zone)}` : literal(zone);
  return {
    at: (alias) => sql`(${at(alias)} AT TIME ZONE ${named})`,
    write: (value) => sql`(CAST(${value} AS timestamptz) AT TIME ZONE ${named})`,
  };
}

function computedKind(type: FieldUse['type']): ColumnSchema['kind'] {
  const kinds = { number: 'numeric', boolean: 'boolean', instant: 'instant', bytes: 'bytes' } as const;
  return type === 'string' || type === 'records' ? 'other' : kinds[type];
}

function* insertRow(
  plan: EntityPlan,
  assignments: readonly Assignment[],
  given: SqlValue | undefined,
): Work<SqlValue | undefined> {
  const columns = list(assignments.map((item) => name(item.column)));
  const values = list(assignments.map((item) => item.value));
  const inserted = assignments.length === 0 ? sql`DEFAULT VALUES` : sql`(${columns}) VALUES (${values})`;
  const statement = sql`INSERT INTO ${plan.writeName} ${inserted} RETURNING ${plan.key.returning(plan.writeName)}`;
  return (yield* row(statement, [given ?? plan.key.onPaper('…')]))?.[0] ?? undefined;
}

function prefixed(prefix: string, text: Sql): Sql {
  return sql`(${literal(prefix)} || ${text})`;
}

function wordsOf({ foldKey }: PostgresqlFacts): ServerWords {
  return {
    text: (value) => sql`CAST(${value} AS text)`,
    column: (at, schema) => (isPadded(schema) || schema.declaredType === 'citext' ? sql`CAST(${at} AS text)` : at),
    exactKey: (text) => sql`(${text} COLLATE "C")`,
    asciiKey: (text) => sql`lower(${text} COLLATE "C")`,
    ...(foldKey === undefined ? {} : { foldKey }),
    like: (text, pattern) => sql`${text} LIKE ${pattern} ESCAPE '!'`,
    number: (value) => {
      if (typeof value === 'bigint') return sql`CAST(${value} AS bigint)`;
      return sql`CAST(${value} AS double precision)`;
    },
    double,
    typed: (value, kind) => {
      const type = arrayTypes[kind];
      return type === undefined ? sql`${value}` : sql`CAST(${value} AS ${{ text: type, params: [] }})`;
    },
    resembles: (at, _schema, text) => sql`${at} = ${text}`,
    isExact: (schema) => schema.collation === 'binary' && !isPadded(schema),
    isOneOf,
    takesNull: false,
    caseless,
    json: postgresqlJsonSource,
    instants: { separator: 'T', leastYear: 1 },
  };
}

const arrayTypes: Readonly<Partial<Record<ColumnSchema['kind'], string>>> = {
  uuid: 'uuid',
  integer: 'bigint',
  instant: 'timestamptz',
  localTime: 'timestamp',
  date: 'date',
};

/** NaN and the infinities are no numbers of ours. */
function double(value: Sql): Sql {
  const number = sql`CAST(${value} AS double precision)`;
  return sql`CASE WHEN ${number} BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308 THEN ${number} END`;
}

/** All values travel in one parameter: the statement is the same for any number of them. */
function isOneOf(at: Sql, schema: ListedColumn, values: readonly SqlValue[]): Sql {
  const texts = values.flatMap((value) => (value === null || value instanceof Uint8Array ? [] : [String(value)]));
  const readable = texts.filter((text) => spells(schema, text) && !text.includes('\0'));
  if (readable.length === 0) return isFalse;
  const type = arrayTypes[schema.kind] ?? (schema.declaredType === 'citext' ? 'citext' : 'text');
  const isText = schema.kind === 'text' && !isPadded(schema);
  const compared = isText || arrayTypes[schema.kind] !== undefined ? at : sql`CAST(${at} AS text)`;
  return sql`${compared} = ANY (CAST(${arrayText(readable)} AS ${{ text: type, params: [] }}[]))`;
}

function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function holds(at: Sql, schema: ColumnSchema, value: SqlValue): Sql {
  if (value === null) return sql`${at} IS NULL`;
  if (schema.kind === 'json') return sql`CAST(${at} AS text) = ${value}`;
  if (schema.kind !== 'text' || schema.collation === 'binary') return sql`${at} = ${value}`;
  return sql`(${at} = ${value} AND (CAST(${at} AS text) COLLATE "C") = ${value})`;
}

/** `lower(login)` under an index, or a column whose own equality ignores case. */
function caseless({ place }: ScalarOptions): CaselessIndex | undefined {
  if (place.kind !== 'column') return undefined;
  const { schema, table, fixed = [], deleted } = place;
  const at = (alias: Sql): Sql => column(alias, schema.name);
  if (schema.collation === 'other' && schema.ignoresCase === true) {
    return {
      equals: (alias, text) => sql`${at(alias)} = ${text}`,
      isOneOf: (alias, texts) => isOneOf(at(alias), schema, texts),
      isUnique: hasUniqueIndex(table, schema.name, fixed),
    };
  }
  const lowered = table.indexes.filter(
    ({ expressions = [], columns, ...index }) =>
      hasAllRecords(index, deleted) && isLowerAlone(columns, expressions, schema.name, fixed),
  );
  if (lowered.length === 0) return undefined;
  return {
    equals: (alias, text) => sql`lower(${at(alias)}) = lower(CAST(${text} AS text))`,
    isOneOf: (alias, texts) =>
      sql`lower(${at(alias)}) = ANY (SELECT lower(w) FROM unnest(CAST(${arrayText(texts)} AS text[])) AS w)`,
    isUnique: lowered.some(({ unique }) => unique),
  };
}

/** Every row is in the index, or only deleted ones are not: those are no records, and no statement asks for them. */
function hasAllRecords({ partial, predicate }: Pick<IndexSchema, 'partial' | 'predicate'>, deleted?: string): boolean {
  if (!partial) return true;
  const [, printed = ''] = /^\((.+) IS NULL\)$/.exec(predicate ?? '') ?? [];
  return deleted !== undefined && (printed === deleted || printed === `"${deleted.replaceAll('"', '""')}"`);
}

/** The index is over `lower(column)`, and otherwise over columns that are the same everywhere. */
function isLowerAlone(
  columns: readonly (string | undefined)[],
  expressions: readonly (string | undefined)[],
  columnName: string,
  fixed: readonly string[],
): boolean {
  const others = columns.flatMap((name, index) => (name !== undefined && fixed.includes(name) ? [] : [index]));
  const [only = -1] = others;
  return others.length === 1 && isLowerOf(expressions[only] ?? '', columnName);
}

/** `lower(login)`, `lower((login)::text)`, `lower(("Login")::text)` */
function isLowerOf(expression: string, columnName: string): boolean {
  const match = /^lower\(\(*("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)\)*(?:::(?:text|character varying))?\)+$/i.exec(
    expression,
  );
  const [, quoted = ''] = match ?? [];
  return (quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted) === columnName;
}
