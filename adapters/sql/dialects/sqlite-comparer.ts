import type { FilterOp } from '../../../src/backend/adapter.js';
import type { Comparison, ComparisonKey } from '../../../src/scim/comparison.js';
import type { InstantFormat } from '../config.js';
import type { SqlValue } from '../pool.js';
import type { Comparer } from '../scalar-plan.js';
import { any, type InRow, isFalse, literal, nothing, type Sql, sql } from '../sql-text.js';
import { epochOf, toColumnText, toSqlNumber } from '../stored-scalar.js';
import type { ScalarSource } from './sqlite-source.js';

export type Order = 'gt' | 'ge' | 'lt' | 'le';
type CompareOperator = Exclude<FilterOp, 'pr'>;

const orderSigns: Readonly<Record<Order, Sql>> = {
  gt: { text: '>', params: [] },
  ge: { text: '>=', params: [] },
  lt: { text: '<', params: [] },
  le: { text: '<=', params: [] },
};

export function numberComparer(source: ScalarSource): Comparer {
  const { column } = source;
  const isNative = column !== undefined && ['integer', 'real', 'numeric'].includes(column.schema.kind);
  const at = isNative ? column.at : source.number;
  const isNumber: InRow = (alias) =>
    isNative ? sql`typeof(${at(alias)}) IN ('integer', 'real')` : sql`${at(alias)} IS NOT NULL`;
  return {
    key: source.number,
    present: isNumber,
    compare: (alias, op, key) => {
      const wanted = toSqlNumber(Number(key));
      if (op === 'eq') return sql`${at(alias)} = ${wanted}`;
      if (!isOrder(op)) return isFalse;
      const ordered = sql`${at(alias)} ${orderSigns[op]} ${wanted}`;
      return isNative && (op === 'gt' || op === 'ge') ? sql`(${ordered} AND ${isNumber(alias)})` : ordered; // any text is > any number
    },
    oneOf: (alias, keys) => sql`${at(alias)} IN ${valueList(keys)}`,
  };
}

export function booleanComparer(source: ScalarSource): Comparer {
  const at = source.column?.at ?? source.boolean;
  const is = (alias: Sql, key: ComparisonKey): Sql =>
    key === true ? sql`likelihood(${at(alias)} = 1, 0.5)` : sql`likelihood(${at(alias)} = 0, 0.5)`;
  return {
    key: source.boolean,
    present: (alias) => sql`${at(alias)} IN (0, 1)`,
    compare: (alias, op, key) => (op === 'eq' ? is(alias, key) : isFalse),
    oneOf: (alias, keys) => any(keys.map((key) => is(alias, key))),
  };
}

export function bytesComparer(source: ScalarSource): Comparer {
  const type = source.column === undefined ? sql`'text'` : sql`'blob'`;
  return {
    key: () => sql`NULL`,
    present: (alias) => sql`(typeof(${source.bytes(alias)}) = ${type} AND length(${source.bytes(alias)}) > 0)`,
    compare: () => isFalse,
    oneOf: () => isFalse,
  };
}

/** By an expression that is NULL without a value: exact for everything, helped by no index. */
export function expressionComparer(key: InRow): Comparer {
  return {
    key,
    present: (alias) => sql`${key(alias)} IS NOT NULL`,
    compare: (alias, op, wanted) => {
      const value = typeof wanted === 'boolean' ? BigInt(wanted) : wanted;
      if (op === 'eq') return sql`${key(alias)} = ${value}`;
      if (isOrder(op)) return sql`${key(alias)} ${orderSigns[op]} ${value}`;
      return typeof wanted === 'string' ? partOf(key(alias), op, wanted) : isFalse;
    },
    oneOf: (alias, keys) => sql`${key(alias)} IN ${valueList(keys)}`,
  };
}

/** A text column whose own collation is the comparison: an index serves equality, order and prefixes. */
export function textColumnComparer(source: ScalarSource, at: InRow, collation: 'binary' | 'nocase'): Comparer {
  const folded: InRow = collation === 'nocase' ? (alias) => sql`lower(${at(alias)})` : at;
  const isText = (alias: Sql): Sql => sql`typeof(${at(alias)}) = 'text'`;
  const present: InRow = (alias) => sql`(typeof(${source.text(alias)}) = 'text' AND ${source.text(alias)} <> '')`;
  return {
    key: (alias) => sql`CASE WHEN ${isText(alias)} THEN nullif(${folded(alias)}, '') END`,
    present,
    compare: (alias, op, key) => {
      const wanted = String(key);
      if (wanted === '') return op === 'eq' || op === 'lt' || op === 'le' ? isFalse : present(alias);
      switch (op) {
        case 'eq':
          return sql`${at(alias)} = ${wanted}`;
        case 'gt':
        case 'ge': // a blob is > any text
          return sql`(${at(alias)} ${orderSigns[op]} ${wanted} AND ${isText(alias)})`;
        case 'lt':
        case 'le':
          return sql`(${at(alias)} ${orderSigns[op]} ${wanted} AND ${at(alias)} > '')`;
        case 'sw': {
          const next = textAfterPrefix(wanted);
          const range = sql`${at(alias)} >= ${wanted} AND ${next === undefined ? isText(alias) : sql`${at(alias)} < ${next}`}`;
          // Between prefix and next text, NOCASE sorts punctuation elsewhere: the range is only an index's help there.
          return collation === 'binary' ? sql`(${range})` : sql`(${range} AND ${partOf(folded(alias), 'sw', wanted)})`;
        }
        default:
          return sql`(${isText(alias)} AND ${partOf(folded(alias), op, wanted)})`;
      }
    },
    oneOf: (alias, keys) => sql`${at(alias)} IN ${valueList(keys.filter((key) => key !== ''))}`,
  };
}

/** The exact characters in a NOCASE column: its index finds candidates. */
export function exactComparer(source: ScalarSource, at: InRow): Comparer {
  const candidates = textColumnComparer(source, at, 'nocase');
  const exact = expressionComparer((alias) => sql`nullif(${at(alias)} COLLATE BINARY, '')`);
  return {
    ...exact,
    compare: (alias, op, key) =>
      op === 'eq'
        ? sql`(${candidates.compare(alias, 'eq', key)} AND ${exact.compare(alias, 'eq', key)})`
        : exact.compare(alias, op, key),
    oneOf: (alias, keys) => sql`(${candidates.oneOf(alias, keys)} AND ${exact.oneOf(alias, keys)})`,
  };
}

/** A text kept in a column that is no text column: for equality, an index on it finds the candidates. */
export function otherColumnComparer(source: ScalarSource, comparison: Comparison, key: InRow): Comparer {
  const exact = expressionComparer(key);
  const { column } = source;
  if (column === undefined || comparison !== 'exact' || column.schema.collation !== 'binary') return exact;
  const { kind } = column.schema;
  const storedForms = (text: string): readonly SqlValue[] | undefined => {
    const stored = toColumnText(kind === 'none' ? 'numeric' : kind, text);
    if (stored === undefined) return undefined;
    return typeof stored === 'string' ? [stored] : [stored, text];
  };
  return {
    ...exact,
    compare: (alias, op, wanted) => {
      const compared = exact.compare(alias, op, wanted);
      const forms = op === 'eq' ? storedForms(String(wanted)) : undefined;
      return forms === undefined ? compared : sql`(${column.at(alias)} IN ${valueList(forms)} AND ${compared})`;
    },
    oneOf: (alias, keys) => {
      const compared = exact.oneOf(alias, keys);
      const forms = keys.map((wanted) => storedForms(String(wanted)));
      if (forms.includes(undefined)) return compared;
      return sql`(${column.at(alias)} IN ${valueList(forms.flatMap((values) => values ?? []))} AND ${compared})`;
    },
  };
}

/** ISO text: compared by a function, after a range of days that an index on the column can serve. */
export function isoInstantComparer(source: ScalarSource): Comparer {
  const expression = expressionComparer((alias) => sql`scimbridge_instant(${source.text(alias)})`);
  const { column } = source;
  if (column === undefined || column.schema.collation !== 'binary') return expression;
  const bound = (alias: Sql, op: CompareOperator, key: string): Sql => {
    const from = op === 'lt' || op === 'le' ? undefined : dayNear(key, -2);
    const to = op === 'gt' || op === 'ge' ? undefined : dayNear(key, 2);
    const lower = from === undefined ? nothing : sql`${hinted(op, sql`${column.at(alias)} >= ${from}`)} AND `;
    return sql`${lower}${to === undefined ? nothing : sql`${hinted(op, sql`${column.at(alias)} < ${to}`)} AND `}`;
  };
  return {
    ...expression,
    compare: (alias, op, key) =>
      op === 'eq' || isOrder(op)
        ? sql`(${bound(alias, op, String(key))}${expression.compare(alias, op, key)})`
        : expression.compare(alias, op, key),
  };
}

/** Numbers since 1970. Beyond the years 0 to 9999 they are no instants. */
export function epochComparer(source: ScalarSource, format: Exclude<InstantFormat, 'iso'>): Comparer {
  const toNumber = (key: ComparisonKey): number => epochOf(format, String(key));
  const [earliest, latest] = ['0000-01-01T00:00:00', '9999-12-31T23:59:59.999'].map((key) =>
    literal(toSqlNumber(toNumber(key))),
  );
  const at = source.column?.at ?? source.number;
  const present: InRow = (alias) => sql`${at(alias)} BETWEEN ${earliest ?? nothing} AND ${latest ?? nothing}`;
  return {
    key: (alias) => sql`CASE WHEN ${present(alias)} THEN ${at(alias)} END`,
    present,
    compare: (alias, op, key) => {
      const wanted = toSqlNumber(toNumber(key));
      if (op === 'eq') return sql`${at(alias)} = ${wanted}`;
      return isOrder(op)
        ? sql`(${hinted(op, sql`${at(alias)} ${orderSigns[op]} ${wanted}`)} AND ${present(alias)})`
        : isFalse;
    },
    oneOf: (alias, keys) => sql`${at(alias)} IN ${valueList(keys.map(toNumber))}`,
  };
}

/** The values as a list for `IN`, in one parameter: the statement is the same for any number of them. */
export function valueList(values: readonly (SqlValue | boolean)[]): Sql {
  const items = values.map((value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value)));
  return sql`(SELECT value FROM json_each(${`[${items.join(',')}]`}))`;
}

function partOf(text: Sql, op: 'co' | 'sw' | 'ew', wanted: string): Sql {
  if (wanted === '') return sql`${text} IS NOT NULL`;
  const length = BigInt([...wanted].length);
  switch (op) {
    case 'co':
      return sql`instr(${text}, ${wanted}) > 0`;
    case 'sw':
      return sql`substr(${text}, 1, ${length}) = ${wanted}`;
    case 'ew':
      return sql`substr(${text}, ${-length}) = ${wanted}`;
  }
}

/** The least text that sorts after all texts with the prefix. */
function textAfterPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  const next = last === 0xd7ff ? 0xe000 : last + 1;
  return String.fromCodePoint(...points, next);
}

/** Who asks for what changed since an instant expects little: SQLite shall use the index, not the order of keys. */
function hinted(op: CompareOperator, range: Sql): Sql {
  return op === 'eq' ? range : sql`likelihood(${range}, 0.05)`;
}

/** An instant's text starts with a local date, which is at most two days off, whatever its zone. */
function dayNear(key: string, days: number): string | undefined {
  const date = new Date(Date.parse(`${key.slice(0, 19)}Z`) + days * 86_400_000);
  const year = date.getUTCFullYear();
  return year < 0 || year > 9999 ? undefined : date.toISOString().slice(0, 10);
}

function isOrder(op: CompareOperator): op is Order {
  return op in orderSigns;
}
