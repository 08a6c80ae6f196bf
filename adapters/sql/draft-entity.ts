import type { DraftEntry } from '../../src/backend/draft.js';
import { columnCalled, isTime } from './draft-names.js';
import { type ColumnSchema, columnOf, type TableSchema } from './table-schema.js';

/** The one column that names a row for good: the primary key, else a unique column that always has a value. */
export function keyOf(table: TableSchema): ColumnSchema | undefined {
  const isId = ({ kind }: ColumnSchema): boolean => kind === 'integer' || kind === 'uuid' || kind === 'text';
  const [own, ...others] = table.primaryKey;
  if (own !== undefined && others.length === 0) {
    const column = columnOf(table, own);
    return isId(column) ? column : undefined;
  }
  for (const { unique, partial, columns } of table.indexes) {
    const [name, ...more] = columns;
    if (!unique || partial || name === undefined || more.length > 0) continue;
    const column = columnOf(table, name);
    if (isId(column) && column.notNull) return column;
  }
  return undefined;
}

/** Whether the database gives a new row its key. */
export function isKeyGiven(table: TableSchema, key: ColumnSchema): boolean {
  return key.isGivenByDatabase === true || table.rowidColumn === key.name.toLowerCase();
}

/** The entity's section without its fields, and the columns that it takes. */
export interface DraftedKeys {
  readonly entries: readonly DraftEntry[];
  readonly columns: readonly ColumnSchema[];
}

export function entityKeys(table: TableSchema, key: ColumnSchema): DraftedKeys {
  const isGiven = isKeyGiven(table, key);
  const version = columnCalled(
    table,
    ['version', 'rowversion', 'lockversion', 'revision'],
    ({ kind }) => kind === 'integer',
  );
  // SQLite has no type for times: they are texts there.
  const fits = (column: ColumnSchema): boolean => isTime(column) || (table.hasRowid && column.kind === 'text');
  const times = [
    ['created', columnCalled(table, ['createdat', 'created', 'createdon', 'creationdate', 'insertedat'], fits)],
    [
      'modified',
      columnCalled(
        table,
        ['updatedat', 'modifiedat', 'modified', 'updated', 'lastmodified', 'changedat', 'modifiedon'],
        fits,
      ),
    ],
    ['softDelete', columnCalled(table, ['deletedat', 'deletedon', 'removedat'], (each) => fits(each) && !each.notNull)],
  ] as const;
  const found = times.filter(([, column]) => column !== undefined);
  return {
    entries: [
      { key: 'table', value: table.name },
      { key: 'key', value: key.name, note: 'the id: it must never change' },
      ...(isGiven && table.rowidColumn === undefined ? [{ key: 'generateKey', value: 'database' }] : []),
      ...(version === undefined ? [noVersion] : [{ key: 'version', value: version.name }]),
      ...found.map(([role, column]): DraftEntry => ({ key: role, value: column?.name ?? '' })),
    ],
    columns: [key, ...(version === undefined ? [] : [version]), ...found.flatMap(([, column]) => column ?? [])],
  };
}

const noVersion: DraftEntry = {
  key: 'version',
  value: 'row_version',
  isOffer: true,
  note: 'an integer column that counts changes: with it there are ETags and conditional writes',
};

/** Columns that a new row would have to have a value in, and nothing gives one. */
export function unfilled(table: TableSchema, filled: readonly ColumnSchema[]): readonly string[] {
  const known = new Set(filled.map(({ name }) => name));
  return [...table.columns.values()]
    .filter(({ name, notNull, hasDefault, isGenerated, isGivenByDatabase, defaultsToEmptyText }) => {
      const isGiven = hasDefault === true || isGenerated || isGivenByDatabase === true || defaultsToEmptyText;
      return notNull && !isGiven && !known.has(name);
    })
    .map(({ name }) => name);
}
