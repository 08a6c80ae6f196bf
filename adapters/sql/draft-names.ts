import type { ColumnSchema, TableSchema } from './table-schema.js';

/** `AppUsers` and `app_users` as words. */
export function wordsOf(name: string): readonly string[] {
  const last = name.slice(name.lastIndexOf('.') + 1);
  return last
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** Of a word as tables are called. */
export function singular(word: string): string {
  if (word === 'people') return 'person';
  if (word === 'addresses') return 'address';
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

/** How well a table's name fits: 3 when it says nothing else, 1 when it is among other words, 0. */
export function nameFit(table: string, wanted: ReadonlySet<string>): 0 | 1 | 3 {
  const words = wordsOf(table).map(singular);
  const rest = words.filter((word) => !wanted.has(word));
  if (rest.length === words.length) return 0;
  return rest.every((word) => harmless.has(word)) ? 3 : 1;
}

const harmless: ReadonlySet<string> = new Set([
  'tbl',
  't',
  'tab',
  'app',
  'auth',
  'sys',
  'hr',
  'iam',
  'idm',
  'dbo',
  'core',
]);

/** A column's name as it is compared: `User_Name` and `userName` are one. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** The first column of these names, with or without the table's own name before them. */
export function columnCalled(
  table: TableSchema,
  names: readonly string[],
  fits: (column: ColumnSchema) => boolean = () => true,
): ColumnSchema | undefined {
  const own = singular(wordsOf(table.name).at(-1) ?? '');
  const columns = [...table.columns.values()].filter(fits);
  for (const name of names) {
    const found = columns.find((column) => plain(column.name) === name || plain(column.name) === `${own}${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The columns of a table that hold the key of another one, in its order: by a foreign key, else one by its name. */
export function columnsTo(
  from: TableSchema,
  to: TableSchema,
  key: readonly ColumnSchema[],
): readonly string[] | undefined {
  const declared = referringColumns(from, to, key);
  if (declared !== undefined) return declared;
  const [only, ...others] = key;
  const named = only === undefined || others.length > 0 ? undefined : columnTo(from, to, only.name);
  return named === undefined ? undefined : [named];
}

/** The columns of a foreign key on all of those, in their order. */
export function referringColumns(
  from: TableSchema,
  to: TableSchema,
  key: readonly ColumnSchema[],
): readonly string[] | undefined {
  for (const { table, columns, references } of from.foreignKeys ?? []) {
    if (!isSame(table, to.name) || columns.length !== key.length) continue;
    const primary = to.primaryKey.length === key.length ? to.primaryKey : key.map(({ name }) => name);
    const targets = references.length === 0 ? primary : references;
    const ordered = key.flatMap(({ name }) => columns[targets.findIndex((target) => isSame(target, name))] ?? []);
    if (ordered.length === key.length) return ordered;
  }
  return undefined;
}

/** By its name, where no foreign key leads there. */
function columnTo(from: TableSchema, to: TableSchema, key: string): string | undefined {
  if ((from.foreignKeys ?? []).some(({ table }) => isSame(table, to.name))) return undefined; // To another column.
  const own = singular(wordsOf(to.name).at(-1) ?? '');
  const isTaken = (column: string): boolean =>
    (from.foreignKeys ?? []).some(({ columns }) => columns.some((each) => isSame(each, column)));
  const found = [...from.columns.values()].find(
    ({ name }) => [`${own}id`, `${own}${plain(key)}`].includes(plain(name)) && !isTaken(name),
  );
  return from === to ? undefined : found?.name;
}

/** One column, or a list of them. */
export function oneOrAll(names: readonly string[]): string | readonly string[] {
  const [only, ...others] = names;
  return only !== undefined && others.length === 0 ? only : names;
}

export function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function isText({ kind, isGenerated }: ColumnSchema): boolean {
  return kind === 'text' && !isGenerated;
}

export function isFlag({ kind, isGenerated, declaredType }: ColumnSchema): boolean {
  return !isGenerated && (kind === 'boolean' || kind === 'integer' || /bool/i.test(declaredType));
}

export function isTime({ kind, isGenerated, declaredType }: ColumnSchema): boolean {
  if (isGenerated) return false;
  return kind === 'instant' || kind === 'localTime' || (kind !== 'date' && /date ?time|timestamp/i.test(declaredType));
}
