import type { DraftEntry, DraftValue } from '../../src/backend/draft.js';
import { columnCalled, isFlag, isText } from './draft-names.js';
import type { ColumnSchema, TableSchema } from './table-schema.js';

/** Attributes by path, in the order of the file, and what their columns are usually called. */
const usual: readonly (readonly [path: string, ...columns: string[]])[] = [
  ['externalId', 'externalid', 'extid', 'entraid', 'azureid', 'objectid', 'idpid', 'externalkey', 'externalref'],
  ['displayName', 'displayname', 'fullname', 'commonname', 'cn', 'name'],
  ['name.givenName', 'givenname', 'firstname', 'forename', 'given', 'first', 'fname'],
  ['name.familyName', 'familyname', 'lastname', 'surname', 'family', 'last', 'lname', 'sn'],
  ['name.middleName', 'middlename'],
  ['nickName', 'nickname', 'nick'],
  ['title', 'jobtitle', 'title'],
  ['userType', 'usertype', 'employeetype', 'persontype'],
  ['preferredLanguage', 'preferredlanguage', 'language', 'lang'],
  ['locale', 'locale'],
  ['timezone', 'timezone', 'tz'],
  ['profileUrl', 'profileurl', 'homepage', 'website'],
  ['emails[type eq "work"].value', 'email', 'mail', 'emailaddress', 'workemail', 'primaryemail'],
  ['emails[type eq "other"].value', 'otheremail', 'privateemail', 'personalemail', 'alternateemail'],
  ['phoneNumbers[type eq "work"].value', 'phone', 'telephone', 'phonenumber', 'workphone', 'telephonenumber', 'tel'],
  ['phoneNumbers[type eq "mobile"].value', 'mobile', 'mobilephone', 'cellphone', 'cell', 'mobilenumber'],
  ['phoneNumbers[type eq "fax"].value', 'fax', 'faxnumber'],
  ['addresses[type eq "work"].streetAddress', 'streetaddress', 'street'],
  ['addresses[type eq "work"].locality', 'city', 'locality', 'town'],
  ['addresses[type eq "work"].region', 'region', 'state', 'province'],
  ['addresses[type eq "work"].postalCode', 'postalcode', 'postcode', 'zipcode', 'zip'],
  ['addresses[type eq "work"].country', 'country', 'countrycode'],
  [
    'employeeNumber',
    'employeenumber',
    'employeeno',
    'employeeid',
    'personnelnumber',
    'staffnumber',
    'empno',
    'badgeno',
  ],
  ['department', 'department', 'dept', 'departmentname'],
  ['division', 'division'],
  ['organization', 'organization', 'organisation', 'company'],
  ['costCenter', 'costcenter', 'costcentre'],
];
const primaryAfter = new Set(['emails[type eq "work"].value', 'phoneNumbers[type eq "work"].value']);
const primary: DraftValue = { constant: true };

const logins = [
  'username',
  'userprincipalname',
  'upn',
  'login',
  'loginname',
  'loginid',
  'uid',
  'accountname',
  'account',
];
const addresses = ['email', 'mail', 'emailaddress', 'workemail', 'primaryemail'];
const switches = ['active', 'isactive', 'enabled', 'isenabled'];
const inverted = [
  'disabled',
  'isdisabled',
  'inactive',
  'isinactive',
  'blocked',
  'isblocked',
  'locked',
  'islocked',
  'suspended',
];

/** The column by which people sign in: it may change, as a key must not. */
export function loginColumn(table: TableSchema, key: readonly ColumnSchema[]): ColumnSchema | undefined {
  const fits = (column: ColumnSchema): boolean => isText(column) && !key.includes(column);
  return columnCalled(table, logins, fits) ?? columnCalled(table, addresses, fits);
}

/** How many columns there are that a person has. */
export function personalColumns(table: TableSchema): number {
  const found = usual.filter(([, ...columns]) => columnCalled(table, columns, isText) !== undefined).length;
  return found + (columnCalled(table, [...switches, ...inverted], isFlag) === undefined ? 0 : 1);
}

/** Rules for the table's own columns, and the columns that they use. */
export interface OwnRules {
  readonly mapping: readonly DraftEntry[];
  readonly columns: readonly ColumnSchema[];
}

/** @param isInChildren attributes that a child table holds: `emails` */
export function ownRules(
  table: TableSchema,
  login: ColumnSchema,
  isInChildren: (attribute: string) => boolean,
): OwnRules {
  const used = new Map<string, ColumnSchema>([[login.name, login]]);
  const mapping: DraftEntry[] = [{ key: 'userName', value: { field: login.name, required: true, unique: true } }];
  for (const [path, ...columns] of usual) {
    const column = columnCalled(table, columns, (each) => isText(each) && !used.has(each.name));
    if (column === undefined || isInChildren(path.replace(/[[.].*$/, ''))) continue;
    used.set(column.name, column);
    mapping.push({ key: path, value: valueFor(column) });
    if (primaryAfter.has(path)) mapping.push({ key: path.replace('.value', '.primary'), value: primary });
  }
  const active = activeRule(table);
  mapping.push(active.entry);
  if (active.column !== undefined) used.set(active.column.name, active.column);
  return { mapping, columns: [...used.values()] };
}

/** A column that must have a value gets one when the identity provider sends none, and keeps it. */
function valueFor(column: ColumnSchema): DraftValue {
  if (!column.notNull || column.defaultsToEmptyText) return column.name;
  return { field: column.name, fallbackOnCreate: '{userName}', omitted: 'keep' };
}

function activeRule(table: TableSchema): { readonly entry: DraftEntry; readonly column?: ColumnSchema } {
  const straight = columnCalled(table, switches, isFlag);
  if (straight !== undefined) {
    return { entry: { key: 'active', value: { field: straight.name, default: true } }, column: straight };
  }
  const opposite = columnCalled(table, inverted, isFlag);
  if (opposite !== undefined) {
    const value = { field: opposite.name, codec: 'inverted', default: true };
    return { entry: { key: 'active', value }, column: opposite };
  }
  const status = columnCalled(table, ['status', 'state', ...switches, ...inverted], isText);
  return {
    entry: {
      above: [
        status === undefined
          ? 'No column says whether somebody may sign in. Choose or add one, and name it under `fields` above, too; until then'
          : `"${status.name}" may say whether somebody may sign in: put in its words, and name it under \`fields\` above; until then`,
        'a request that disables somebody is refused and not lost.',
      ],
      key: 'active',
      value: {
        field: status?.name ?? 'active',
        codec: { name: 'booleanText', true: 'active', false: 'disabled' },
        default: true,
      },
      isOffer: true,
    },
  };
}
