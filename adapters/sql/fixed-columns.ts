import { column, type InRow, list, literal, type Sql, sql } from './sql-text.js';
import { columnOf, type TableSchema } from './table-schema.js';

/** A column that has the same value in all rows that are ours. */
export interface FixedColumn {
  readonly column: string;
  readonly value: Sql;
}

export type FixedConfig = Readonly<Record<string, string | number | boolean>> | undefined;

export function fixedColumns(table: TableSchema, config: FixedConfig): readonly FixedColumn[] {
  return Object.entries(config ?? {}).map(([declared, value]) => {
    const { name, kind } = columnOf(table, declared);
    return { column: name, value: fixedValue(kind, value) };
  });
}

/** ` AND …` that keeps to our rows. */
export function restrictionTo(fixed: readonly FixedColumn[]): InRow {
  return (row) =>
    list(
      fixed.map((item) => sql` AND ${column(row, item.column)} = ${item.value}`),
      '',
    );
}

/** Spelled so that no database has to convert the column. */
function fixedValue(kind: string, value: string | number | boolean): Sql {
  if (kind === 'boolean') return { text: value === true || value === 1 ? 'TRUE' : 'FALSE', params: [] };
  return kind === 'text' || kind === 'uuid' || kind === 'other' ? literal(textOf(value)) : literal(value);
}

function textOf(value: string | number | boolean): string {
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}
