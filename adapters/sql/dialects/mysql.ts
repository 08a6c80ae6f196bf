import type { FieldUse } from '../../../src/backend/adapter.js';
import type { EntityPlan } from '../entity-plan.js';
import { offset } from '../field-plan.js';
import type { SqlValue } from '../pool.js';
import type { Assignment } from '../row-edit.js';
import type { ScalarOptions } from '../scalar-plan.js';
import { all, any, column, isFalse, list, literal, name, printSql, rawSql, type Sql, sql } from '../sql-text.js';
import type { ColumnSchema } from '../table-schema.js';
import { row, runForKey, type Work } from '../work.js';
import type { Dialect, KeyColumn } from './dialect.js';
import { keysAligned, tablePath } from './keys.js';
import { mysqlJson, mysqlJsonSource } from './mysql-json.js';
import { inBackticks, respelling, toMysql } from './native-text.js';
import { toServerDataError } from './server-errors.js';
import { hasUniqueIndex, serverScalar } from './server-scalar.js';
import { isPadded, spells } from './server-text.js';
import type { CaselessIndex, ListedColumn, ServerWords } from './server-words.js';

const rowsPerInsert = 500;
/** A statement takes 65,535 parameters, and a value may be compared twice. */
const mostInList = 16_384;
const valuesPerLookup = 16_000;

export interface MysqlFacts {
  /** The tables of time zones are filled: without them CONVERT_TZ gives NULL for a zone's name. */
  readonly knowsZones: boolean;
  /** `lowerBytes` was seen to do what it should. */
  readonly lowersBytes: boolean;
}

/** MySQL and MariaDB: what one of them lacks is not used. */
export function createMysqlDialect(facts: MysqlFacts): Dialect {
  const words = facts.lowersBytes ? commonWords : { ...commonWords, asciiKey: replaceLetters };
  return {
    name: 'mysql',
    native: respelling(toMysql),
    print: (statement) => inBackticks(printSql(statement)),
    table: tablePath,
    scalar: (options) => serverScalar(words, options, prefixed),
    json: mysqlJson,
    raw: rawSql,
    computedKind,
    inZone: (at, zone) => {
      if (!facts.knowsZones && !offset.test(zone)) return undefined;
      return {
        at: (alias) => sql`CONVERT_TZ(${at(alias)}, ${literal(zone)}, '+00:00')`,
        write: (value) => sql`CONVERT_TZ(${value}, '+00:00', ${literal(zone)})`,
      };
    },
    prefixed,
    alignKeys,
    tuple: (texts) => sql`CAST(JSON_ARRAY(${list(texts)}) AS CHAR)`,
    isAfterRow,
    isOneOf,
    holds,
    isUnset: (_table, at) => sql`${at} IS NULL`,
    order: (key, isDescending) => (isDescending ? sql`${key} IS NULL DESC, ${key} DESC` : sql`${key} IS NULL, ${key}`),
    limit: (limit, offset) => ({ text: ` LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ''}`, params: [] }),
    lock: { text: ' FOR UPDATE', params: [] },
    insertRow,
    fromNothing: { text: ' FROM DUAL', params: [] },
    rowsPerInsert,
    valuesPerLookup,
    isSerial: false,
    toDataError: toServerDataError,
    inspection: {
      tableNames: sql`SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY 1`,
      warnings: [],
    },
  };
}

function computedKind(type: FieldUse['type']): ColumnSchema['kind'] {
  const kinds = { number: 'numeric', boolean: 'integer', instant: 'localTime', bytes: 'bytes' } as const;
  return type === 'string' || type === 'records' ? 'other' : kinds[type];
}

/** Two collations cannot be compared: the record's key takes that of the column that refers to it. */
function alignKeys(one: KeyColumn, other: KeyColumn): ReturnType<Dialect['alignKeys']> {
  const aligned = keysAligned(commonWords.text, prefixed, one, other);
  const { collationName } = other.schema;
  if (other.schema.kind !== 'text' || collationName === undefined || one.schema.collationName === collationName)
    return aligned;
  const collation = { text: collationName, params: [] };
  return {
    one: (alias) => sql`CONVERT(${aligned.one(alias)} USING ${characterSetOf(collationName)}) COLLATE ${collation}`,
    other: aligned.other,
  };
}

function* insertRow(
  plan: EntityPlan,
  assignments: readonly Assignment[],
  given: SqlValue | undefined,
): Work<SqlValue | undefined> {
  const columns = list(assignments.map((item) => name(item.column)));
  const values = list(assignments.map((item) => item.value));
  const key = yield* runForKey(sql`INSERT INTO ${plan.writeName} (${columns}) VALUES (${values})`);
  if (plan.key.columns.length > 1) return yield* wholeKey(plan, assignments, key ?? null);
  return given ?? key;
}

/** Of a key of several columns the server tells the number that it gave, and nothing of the others. */
function* wholeKey(
  { key, writeName }: EntityPlan,
  assignments: readonly Assignment[],
  given: SqlValue,
): Work<SqlValue | undefined> {
  const same = key.columns.map(({ name: own }) => {
    const assigned = assignments.find((item) => item.column.toLowerCase() === own.toLowerCase());
    return sql`${column(inserted, own)} = ${assigned?.value ?? sql`${given}`}`;
  });
  const statement = sql`SELECT ${key.select(inserted)} FROM ${writeName} AS ${inserted} WHERE ${all(same)}`;
  return (yield* row(statement, [key.onPaper('…')]))?.[0];
}

const inserted: Sql = { text: 't', params: [] };

/** Comparisons of rows are not looked up in an index. */
function isAfterRow(columns: readonly Sql[], values: readonly SqlValue[]): Sql {
  return any(
    columns.map((own, index) => {
      const before = columns.slice(0, index).map((each, place) => sql`${each} = ${values[place] ?? null}`);
      return all([...before, sql`${own} > ${values[index] ?? null}`]);
    }),
  );
}

function prefixed(prefix: string, text: Sql): Sql {
  return sql`concat(${literal(prefix)}, ${text})`;
}

const commonWords: ServerWords = {
  text: (value) => sql`CAST(${value} AS CHAR)`,
  column: (at) => at,
  // Bytes of UTF-8 sort by code point, and no collation drops accents or spaces at the end.
  exactKey: bytesOf,
  asciiKey: lowerBytes,
  like: (text, pattern) => sql`${text} LIKE ${pattern} ESCAPE '!'`,
  number: (value) => sql`${value}`,
  double: (value) => sql`(${value} + 0e0)`,
  typed: (value, kind) => {
    if (kind === 'integer') return sql`${BigInt(value)}`;
    if (kind === 'date') return sql`CAST(${value} AS DATE)`;
    return kind === 'instant' || kind === 'localTime' ? sql`CAST(${value} AS DATETIME(6))` : sql`${value}`;
  },
  resembles,
  isExact: (schema) => schema.collation === 'binary' && isUnicode(schema) && !isPadded(schema),
  isOneOf,
  takesNull: true,
  caseless,
  json: mysqlJsonSource,
  instants: { separator: ' ', leastYear: 1 },
};

/** The bytes are taken for those of an 8-bit character set whose only letters with a case are A–Z: all others stay. */
export function lowerBytes(text: Sql): Sql {
  return sql`CAST(LOWER(CONVERT(${bytesOf(text)} USING tis620)) AS BINARY)`;
}

/** The same, letter by letter. */
export function replaceLetters(text: Sql): Sql {
  return [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].reduce<Sql>(
    (key, letter) => sql`REPLACE(${key}, ${literal(letter)}, ${literal(letter.toLowerCase())})`,
    bytesOf(text),
  );
}

function resembles(at: Sql, schema: ColumnSchema, text: string): Sql {
  return sql`${at} = ${parameter(schema, text)}`;
}

/** A text in the character set of its column; characters that it lacks become question marks. */
function parameter({ kind, collationName }: ListedColumn, value: SqlValue): Sql {
  if (kind !== 'text' || typeof value !== 'string' || isUnicode({ collationName }) || !/[^ -~]/.test(value)) {
    return sql`${value}`;
  }
  return sql`CONVERT(${value} USING ${characterSetOf(collationName)})`;
}

function isUnicode({ collationName }: { readonly collationName?: string | undefined }): boolean {
  return collationName === undefined || collationName.startsWith('utf8mb4_');
}

function characterSetOf(collationName = 'utf8mb4_bin'): Sql {
  return { text: /^\w+?(?=_|$)/.exec(collationName)?.[0] ?? 'utf8mb4', params: [] };
}

function bytesOf(text: Sql): Sql {
  return sql`CAST(CONVERT(${text} USING utf8mb4) AS BINARY)`;
}

/** Lists grow by doubling, so that there are few different statements. */
function isOneOf(at: Sql, schema: ListedColumn, values: readonly SqlValue[]): Sql {
  const readable = values.flatMap((value): readonly SqlValue[] => {
    if (value === null || !spells(schema, String(value))) return [];
    return [schema.kind === 'integer' && typeof value === 'string' ? BigInt(value) : value];
  });
  if (readable.length === 0) return isFalse;
  const parts: Sql[] = [];
  for (let from = 0; from < readable.length; from += mostInList) {
    parts.push(
      sql`${at} IN (${list(doubled(readable.slice(from, from + mostInList)).map((value) => parameter(schema, value)))})`,
    );
  }
  return any(parts);
}

function doubled(values: readonly SqlValue[]): readonly SqlValue[] {
  const size = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array.from({ length: size - values.length }, () => values[0] ?? null)];
}

function holds(at: Sql, schema: ColumnSchema, value: SqlValue): Sql {
  if (value === null) return sql`${at} IS NULL`;
  if (schema.kind !== 'text' || commonWords.isExact(schema)) return sql`${at} = ${value}`;
  return sql`(${at} = ${parameter(schema, value)} AND ${bytesOf(at)} = ${value})`;
}

/** A column whose own equality ignores case, and perhaps accents and spaces at the end. */
function caseless({ place }: ScalarOptions): CaselessIndex | undefined {
  if (place.kind !== 'column' || place.schema.collation !== 'other' || place.schema.ignoresCase !== true)
    return undefined;
  const { schema, table, fixed } = place;
  return {
    equals: (alias, text) => resembles(column(alias, schema.name), schema, text),
    isOneOf: (alias, texts) => isOneOf(column(alias, schema.name), schema, texts),
    isUnique: hasUniqueIndex(table, schema.name, fixed),
  };
}
