import type { ComparisonKey } from '../../src/scim/comparison.js';
import type { Dialect } from './dialects/dialect.js';
import type { ScalarPlan } from './scalar-plan.js';
import { all, any, column, isFalse, type Sql, sql } from './sql-text.js';
import { rejected } from './stored-scalar.js';
import type { ColumnSchema, TableSchema } from './table-schema.js';
import { joinParts, parseTuple, splitParts } from './tuple-text.js';

export interface TupleOptions {
  readonly dialect: Dialect;
  readonly field: string;
  readonly columns: readonly ColumnSchema[];
  readonly table: TableSchema;
  /** Stands before the value in records. */
  readonly prefix: string;
}

/** One text in records, several columns in the table: the id of a record whose key has several, or a reference to one. */
export function tupleScalar({ dialect, field, columns, table, prefix }: TupleOptions): ScalarPlan {
  const parts = columns.map((schema) => partOf(dialect, field, schema, table));
  const select = (alias: Sql): Sql => dialect.tuple(parts.map((part) => part.select(alias)));
  const split = (value: unknown): readonly string[] | undefined =>
    typeof value === 'string' && value.startsWith(prefix)
      ? splitParts(value.slice(prefix.length), parts.length)
      : undefined;
  const oneOf = (alias: Sql, keys: readonly ComparisonKey[]): Sql =>
    isOneOfTuples(
      keys.flatMap((key) => {
        const texts = split(key);
        return texts === undefined ? [] : [texts];
      }),
      (index, text) => parts[index]?.equals(alias, text) ?? isFalse,
      (index, texts) => parts[index]?.isOneOf(alias, texts) ?? isFalse,
    );
  return {
    field,
    type: 'string',
    comparison: 'exact',
    operators: { pr: 'exact', eq: 'exact' },
    isSortable: false,
    select,
    key: select,
    present: (alias) => all(columns.map(({ name }) => sql`${column(alias, name)} IS NOT NULL`)),
    compare: (alias, op, key) => (op === 'eq' ? oneOf(alias, [key]) : isFalse),
    oneOf,
    write: (stored) => sql`${stored}`,
    decode: (stored) => {
      const texts = parseTuple(stored, parts.length);
      return texts === undefined ? undefined : prefix + joinParts(texts);
    },
    encode: (value) => {
      if (value === '') return null;
      const texts = split(value);
      if (texts === undefined) throw rejected(field, 'It names no record that could be stored here.');
      texts.forEach((text, index) => {
        parts[index]?.encode(text);
      });
      return JSON.stringify(texts);
    },
    spread: (stored) => {
      const texts = parseTuple(stored, parts.length);
      return parts.map(({ schema, encode }, index) => ({
        column: schema,
        value: texts === undefined ? null : encode(texts[index] ?? ''),
      }));
    },
  };
}

/** Of tuples, most share all values but one, as in a tenant: that one is listed, and an index finds the rows. */
export function isOneOfTuples(
  tuples: readonly (readonly string[])[],
  equals: (index: number, text: string) => Sql,
  isOneOf: (index: number, texts: readonly string[]) => Sql,
): Sql {
  const [first] = tuples;
  if (first === undefined) return isFalse;
  const groupings = first.map((_, index) => ({ index, groups: groupedBy(tuples, index) }));
  const { index: listed, groups } = groupings.reduce((best, next) =>
    next.groups.length <= best.groups.length ? next : best,
  );
  return any(
    groups.map(({ tuple, texts }) =>
      all(
        tuple.map((text, index) =>
          index === listed && texts.length > 1 ? isOneOf(index, texts) : equals(index, text),
        ),
      ),
    ),
  );
}

/** Tuples that differ at this place alone, together. */
function groupedBy(tuples: readonly (readonly string[])[], index: number) {
  const groups = new Map<string, { readonly tuple: readonly string[]; readonly texts: string[] }>();
  for (const tuple of tuples) {
    const others = JSON.stringify(tuple.toSpliced(index, 1));
    const text = tuple[index] ?? '';
    const known = groups.get(others);
    if (known === undefined) groups.set(others, { tuple, texts: [text] });
    else known.texts.push(text);
  }
  return [...groups.values()];
}

function partOf(dialect: Dialect, field: string, schema: ColumnSchema, table: TableSchema) {
  const place = { kind: 'column', schema, table } as const;
  const scalar = dialect.scalar({ field, type: 'string', comparison: 'exact', place, isExact: true });
  const isText = schema.kind === 'text';
  return {
    schema,
    select: scalar.select,
    // Elsewhere an empty text is no value; as a part of a key it is one.
    equals: (alias: Sql, text: string): Sql => {
      if (text !== '') return scalar.compare(alias, 'eq', text);
      return isText ? dialect.holds(column(alias, schema.name), schema, '') : isFalse;
    },
    isOneOf: (alias: Sql, texts: readonly string[]): Sql =>
      texts.includes('')
        ? any([
            scalar.oneOf(
              alias,
              texts.filter((text) => text !== ''),
            ),
            isText ? dialect.holds(column(alias, schema.name), schema, '') : isFalse,
          ])
        : scalar.oneOf(alias, texts),
    encode: (text: string) => (text === '' && isText ? '' : scalar.encode(text)),
  };
}
