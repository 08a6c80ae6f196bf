import type { SqlValue } from './pool.js';

/**
 * A piece of SQL with the values of its question marks, in order. Names stand in double quotes and texts in single ones,
 * doubled within; the dialect turns whole statements into what its database reads (`Dialect.native`).
 */
export interface Sql {
  readonly text: string;
  readonly params: readonly SqlValue[];
}

/**
 * Composes SQL: a piece put in becomes part of the text, any other value a parameter. Text that is not written in the
 * source gets in through `name` and `literal` alone.
 */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | SqlValue)[]): Sql {
  let text = strings[0] ?? '';
  const params: SqlValue[] = [];
  parts.forEach((part, index) => {
    if (isSql(part)) {
      text += part.text;
      params.push(...part.params);
    } else {
      text += '?';
      params.push(part);
    }
    text += strings[index + 1] ?? '';
  });
  return { text, params };
}

export const nothing: Sql = { text: '', params: [] };
export const isTrue: Sql = { text: 'TRUE', params: [] };
export const isFalse: Sql = { text: 'FALSE', params: [] };

/** A piece of SQL about a row of the table with that alias. */
export type InRow = (alias: Sql) => Sql;

/** An identifier, quoted. */
export function name(identifier: string): Sql {
  return { text: `"${identifier.replaceAll('"', '""')}"`, params: [] };
}

/** A column, of the table with that alias. */
export function column(alias: Sql, identifier: string): Sql {
  return { text: `${alias.text}.${name(identifier).text}`, params: [] };
}

/** A value that stands in the text, since it belongs to the declaration: the statement is the same for all requests. */
export function literal(value: SqlValue | boolean): Sql {
  return { text: printValue(typeof value === 'boolean' ? BigInt(value) : value), params: [] };
}

export function list(parts: readonly Sql[], separator = ', '): Sql {
  return { text: parts.map(({ text }) => text).join(separator), params: parts.flatMap(({ params }) => params) };
}

const deepestChain = 50;

/** All hold; of nothing, true. Long chains become trees: databases limit the depth of an expression. */
export function all(parts: readonly Sql[]): Sql {
  return chain(parts, ' AND ', isTrue);
}

/** One holds at least; of nothing, false. */
export function any(parts: readonly Sql[]): Sql {
  return chain(parts, ' OR ', isFalse);
}

function chain(parts: readonly Sql[], separator: string, empty: Sql): Sql {
  const [first] = parts;
  if (first === undefined) return empty;
  if (parts.length === 1) return first;
  if (parts.length <= deepestChain) return sql`(${list(parts, separator)})`;
  const middle = parts.length >> 1;
  return sql`(${list([chain(parts.slice(0, middle), separator, empty), chain(parts.slice(middle), separator, empty)], separator)})`;
}

/** Around SQL of the configuration, which is in the database's own spelling already. */
const rawMark = '\u0001';

/** Texts, names, parameters and raw parts of a statement; all the rest is keywords and signs. */
export const sqlTokens = new RegExp(`${rawMark}[^${rawMark}]*${rawMark}|'(?:[^']|'')*'|"(?:[^"]|"")*"|\\?`, 'g');

/** The line ends, so that no comment in it hides what follows. */
export function rawSql(expression: string): Sql {
  return { text: `(${rawMark}${expression.replaceAll(rawMark, '')}\n${rawMark})`, params: [] };
}

/** What a raw part says; undefined for other tokens. */
export function rawPart(token: string): string | undefined {
  return token.startsWith(rawMark) ? token.slice(1, -1) : undefined;
}

/** The statement with its parameters spelled out, for people to read. */
export function printSql({ text, params }: Sql): string {
  let index = 0;
  return text.replace(sqlTokens, (token) =>
    token === '?' ? printValue(params[index++] ?? null) : (rawPart(token)?.trimEnd() ?? token),
  );
}

function printValue(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  return String(value);
}

function isSql(part: Sql | SqlValue): part is Sql {
  return typeof part === 'object' && part !== null && 'text' in part;
}
