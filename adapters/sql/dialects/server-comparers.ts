import type { FilterOp } from '../../../src/backend/adapter.js';
import type { ComparisonKey } from '../../../src/scim/comparison.js';
import type { InstantFormat } from '../config.js';
import type { Comparer } from '../scalar-plan.js';
import { any, type InRow, isFalse, literal, type Sql, sql } from '../sql-text.js';
import { epochOf, toSqlNumber } from '../stored-scalar.js';
import type { ColumnSchema } from '../table-schema.js';
import { nativeText } from './server-values.js';
import type { ServerWords } from './server-words.js';

type Order = 'gt' | 'ge' | 'lt' | 'le';

const signs: Readonly<Record<Order, Sql>> = {
  gt: { text: '>', params: [] },
  ge: { text: '>=', params: [] },
  lt: { text: '<', params: [] },
  le: { text: '<=', params: [] },
};

function isOrder(op: FilterOp): op is Order {
  return op in signs;
}

/** By an expression of a number, NULL without a value. */
export function numberComparer(words: ServerWords, at: InRow): Comparer {
  return {
    key: at,
    present: (alias) => sql`${at(alias)} IS NOT NULL`,
    compare: (alias, op, key) => {
      const wanted = words.number(toSqlNumber(Number(key)));
      if (op === 'eq') return sql`${at(alias)} = ${wanted}`;
      return isOrder(op) ? sql`${at(alias)} ${signs[op]} ${wanted}` : isFalse;
    },
    oneOf: (alias, keys) => any(keys.map((key) => sql`${at(alias)} = ${words.number(toSqlNumber(Number(key)))}`)),
  };
}

/** By an expression of 1, 0 or neither. `is` tells one of the two so that an index may help. */
export function booleanComparer(at: InRow, is: (alias: Sql, wanted: boolean) => Sql): Comparer {
  return {
    key: at,
    present: (alias) => sql`${at(alias)} IN (0, 1)`,
    compare: (alias, op, key) => (op === 'eq' ? is(alias, key === true) : isFalse),
    oneOf: (alias, keys) => any(keys.map((key) => is(alias, key === true))),
  };
}

export function bytesComparer(present: InRow): Comparer {
  return { key: () => sql`NULL`, present, compare: () => isFalse, oneOf: () => isFalse };
}

/** A column of date and time, in UTC. The server's own comparison is that of time; it has infinities, and years before ours. */
export function nativeInstantComparer(words: ServerWords, schema: ColumnSchema, at: InRow): Comparer {
  const { separator, leastYear } = words.instants;
  const text = (key: string): Sql => words.typed(nativeText(schema, key, separator).text, schema.kind);
  const first = `${String(leastYear).padStart(4, '0')}-01-01T00:00:00`;
  const earliest = literal(nativeText(schema, first, separator).text);
  const latest = literal(nativeText(schema, '9999-12-31T23:59:59.999999', separator).text);
  const present: InRow = (alias) => sql`${at(alias)} BETWEEN ${earliest} AND ${latest}`;
  const compare = (alias: Sql, op: Exclude<FilterOp, 'pr'>, wanted: ComparisonKey): Sql => {
    const key = String(wanted);
    if (op !== 'eq' && !isOrder(op)) return isFalse;
    if (Number(key.slice(0, 4)) < leastYear) return op === 'gt' || op === 'ge' ? present(alias) : isFalse;
    const { isCut } = nativeText(schema, key, separator);
    if (op === 'eq') return isCut ? isFalse : sql`${at(alias)} = ${text(key)}`;
    // A column with fewer digits than the wanted time has none equal to it.
    const sign = isCut ? (op === 'gt' || op === 'ge' ? signs.gt : signs.le) : signs[op];
    return sql`(${at(alias)} ${sign} ${text(key)} AND ${present(alias)})`;
  };
  return {
    key: (alias) => sql`CASE WHEN ${present(alias)} THEN ${at(alias)} END`,
    present,
    compare,
    oneOf: (alias, keys) => any(keys.map((key) => compare(alias, 'eq', key))),
  };
}

/** Numbers since 1970. Beyond the years 0 to 9999 they are no instants. */
export function epochComparer(words: ServerWords, format: Exclude<InstantFormat, 'iso'>, at: InRow): Comparer {
  const toNumber = (key: ComparisonKey) => toSqlNumber(epochOf(format, String(key)));
  const earliest = literal(toNumber('0000-01-01T00:00:00'));
  const latest = literal(toNumber('9999-12-31T23:59:59.999'));
  const present: InRow = (alias) => sql`${at(alias)} BETWEEN ${earliest} AND ${latest}`;
  return {
    key: (alias) => sql`CASE WHEN ${present(alias)} THEN ${at(alias)} END`,
    present,
    compare: (alias, op, key) => {
      const wanted = words.number(toNumber(key));
      if (op === 'eq') return sql`${at(alias)} = ${wanted}`;
      return isOrder(op) ? sql`(${at(alias)} ${signs[op]} ${wanted} AND ${present(alias)})` : isFalse;
    },
    oneOf: (alias, keys) => any(keys.map((key) => sql`${at(alias)} = ${words.number(toNumber(key))}`)),
  };
}

/** A value that this server cannot compare: it can tell only that something may be there. */
export function unknownComparer(present: InRow): Comparer {
  return { key: () => sql`NULL`, present, compare: () => isFalse, oneOf: () => isFalse };
}
