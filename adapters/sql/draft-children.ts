import type { DraftEntry, DraftValue } from '../../src/backend/draft.js';
import { columnCalled, columnsTo, isFlag, isText, oneOrAll, singular, wordsOf } from './draft-names.js';
import type { ColumnSchema, TableSchema } from './table-schema.js';

/** A list of people that is kept in a table of its own. */
export interface DraftedChild {
  readonly attribute: string;
  readonly table: string;
  readonly field: DraftEntry;
  readonly rule: DraftEntry;
}

interface ChildKind {
  readonly attribute: string;
  /** Words of its name. */
  readonly words: readonly string[];
  /** Sub-attributes and what their columns are usually called. The first one must be there. */
  readonly columns: readonly (readonly [sub: string, ...columns: string[]])[];
}

const kindOf = ['type', 'kind', 'label', 'category'];

const kinds: readonly ChildKind[] = [
  {
    attribute: 'emails',
    words: ['email', 'mail'],
    columns: [
      ['value', 'email', 'mail', 'emailaddress', 'address', 'value'],
      ['type', ...kindOf],
    ],
  },
  {
    attribute: 'phoneNumbers',
    words: ['phone', 'telephone', 'phonenumber'],
    columns: [
      ['value', 'number', 'phonenumber', 'phone', 'telephone', 'value'],
      ['type', ...kindOf],
    ],
  },
  {
    attribute: 'addresses',
    words: ['address'],
    columns: [
      ['streetAddress', 'streetaddress', 'street', 'line1', 'address'],
      ['locality', 'city', 'locality', 'town'],
      ['region', 'region', 'state', 'province'],
      ['postalCode', 'postalcode', 'postcode', 'zipcode', 'zip'],
      ['country', 'countrycode', 'country'],
      ['type', ...kindOf],
    ],
  },
];

const flags = ['isprimary', 'primary', 'ismain', 'main', 'isdefault', 'preferred'];

/** Tables with the e-mail addresses, phone numbers and addresses of people. */
export function draftChildren(
  people: TableSchema,
  key: readonly ColumnSchema[],
  tables: readonly TableSchema[],
): readonly DraftedChild[] {
  return kinds.flatMap((kind) => {
    const found = tables.flatMap((table) => {
      const parent = table === people || table.isView ? undefined : columnsTo(table, people, key);
      const drafted = parent === undefined ? undefined : draftChild(kind, table, parent);
      return drafted === undefined ? [] : [drafted];
    });
    return found.slice(0, 1);
  });
}

function draftChild(
  { attribute, words, columns }: ChildKind,
  table: TableSchema,
  parent: readonly string[],
): DraftedChild | undefined {
  const own = wordsOf(table.name).map(singular);
  if (!words.includes(own.at(-1) ?? '') && !words.includes(own.slice(-2).join(''))) return undefined;
  const found: [sub: string, column: string][] = [];
  for (const [sub, ...names] of columns) {
    const isFree = (name: string): boolean => !parent.includes(name) && !found.some(([, column]) => column === name);
    const column = columnCalled(table, names, (each) => isText(each) && isFree(each.name));
    if (column !== undefined) found.push([sub, column.name]);
    else if (found.length === 0) return undefined;
  }
  const primary = columnCalled(table, flags, isFlag);
  if (primary !== undefined) found.push(['primary', primary.name]);
  const field: DraftValue = { table: table.name, parent: oneOrAll(parent), columns: Object.fromEntries(found) };
  const records = Object.fromEntries(found.map(([sub]) => [sub, sub]));
  return {
    attribute,
    table: table.name,
    field: { key: attribute, value: field },
    rule: { key: attribute, value: { field: attribute, records } },
  };
}
