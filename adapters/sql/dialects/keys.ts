import type { SqlValue } from '../pool.js';
import { type InRow, list, name, type Sql, sql } from '../sql-text.js';
import type { KeyColumn } from './dialect.js';

/** `hr.users` is the table `users` in the schema or database `hr`. */
export function tablePath(configured: string): Sql {
  return {
    text: configured
      .split('.')
      .map((part) => name(part).text)
      .join('.'),
    params: [],
  };
}

/** As one comparison of rows. */
export function isAfterRow(columns: readonly Sql[], values: readonly SqlValue[]): Sql {
  return sql`(${list(columns)}) > (${list(values.map((value) => sql`${value}`))})`;
}

/** Keys of one type are compared as they are, so that indexes serve; others by their texts. */
export function keysAligned(
  text: (value: Sql) => Sql,
  prefixed: (prefix: string, text: Sql) => Sql,
  one: KeyColumn,
  other: KeyColumn,
): { readonly one: InRow; readonly other: InRow } {
  const isAlike = one.prefix === other.prefix && one.schema.kind === other.schema.kind;
  const align = ({ at, prefix, schema }: KeyColumn): InRow => {
    if (isAlike) return at;
    const asText: InRow = schema.kind === 'text' ? at : (alias) => text(at(alias));
    return prefix === '' ? asText : (alias) => sql`${prefixed(prefix, asText(alias))}`;
  };
  return { one: align(one), other: align(other) };
}
