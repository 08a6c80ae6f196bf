import type { DraftEntry } from '../../src/backend/draft.js';
import { columnCalled, isTime, oneOrAll } from './draft-names.js';
import { type ColumnSchema, columnOf, type TableSchema } from './table-schema.js';

/** The columns that name a row for good: those of the primary key, else a unique one that always has a value. */
export function keyOf(table: TableSchema): readonly ColumnSchema[] | undefined {
  const isId = ({ kind }: ColumnSchema): boolean => kind === 'integer' || kind === 'uuid' || kind === 'text';
  if (table.primaryKey.length > 0) {
    const columns = table.primaryKey.map((own) => columnOf(table, own));
    return columns.every(isId) ? columns : undefined;
  }
  for (const { unique, partial, columns } of table.indexes) {
    const [name, ...more] = columns;
    if (!unique || partial || name === undefined || more.length > 0) continue;
    const column = columnOf(table, name);
    if (isId(column) && column.notNull) return [column];
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

/** The columns of a key that a new row needs a value for from somewhere: all but one that the database or we give. */
export function neededForKey(table: TableSchema, key: readonly ColumnSchema[]): readonly ColumnSchema[] {
  if (key.length === 1) return [];
  const last = key.at(-1);
  const ours = last?.kind === 'integer' ? undefined : last;
  const generated = key.find((column) => isKeyGiven(table, column)) ?? ours;
  return key.filter((column) => column !== generated);
}

export function entityKeys(table: TableSchema, key: readonly ColumnSchema[]): DraftedKeys {
  const needed = neededForKey(table, key);
  const isGiven = key.some((column) => isKeyGiven(table, column));
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
    [
      'softDelete',
      columnCalled(table, ['deletedat', 'deletedon', 'removedat', 'removedon'], (each) => fits(each) && !each.notNull),
    ],
  ] as const;
  const found = times.filter(([, column]) => column !== undefined);
  return {
    entries: [
      { key: 'table', value: table.name },
      {
        key: 'key',
        value: oneOrAll(key.map(({ name }) => name)),
        note: key.length === 1 ? 'the id: it must never change' : 'together the id: they must never change',
      },
      ...fixedFor(needed.filter((column) => column !== key.at(-1))),
      ...(isGiven && table.rowidColumn === undefined ? [{ key: 'generateKey', value: 'database' }] : []),
      ...(version === undefined ? [noVersion] : [{ key: 'version', value: version.name }]),
      ...found.map(([role, column]): DraftEntry => ({ key: role, value: column?.name ?? '' })),
    ],
    columns: [
      ...key.filter((column) => !needed.includes(column)),
      ...(version === undefined ? [] : [version]),
      ...found.flatMap(([, column]) => column ?? []),
    ],
  };
}

/** What nothing gives a value for, and what a user of one tenant would put there. */
function fixedFor(needed: readonly ColumnSchema[]): readonly DraftEntry[] {
  if (needed.length === 0) return [];
  const value = Object.fromEntries(needed.map(({ name, kind }) => [name, kind === 'integer' ? 1 : 'a']));
  return [{ key: 'fixed', value, isOffer: true, note: 'the rows with this value alone, which new ones get, too' }];
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
