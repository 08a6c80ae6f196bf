import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Draft, DraftEntry, DraftRequest } from '../../src/backend/draft.js';
import { draftChildren } from './draft-children.js';
import { entityKeys, isKeyGiven, keyOf, neededForKey, unfilled } from './draft-entity.js';
import { columnCalled, columnsTo, isSame, isText, nameFit, oneOrAll, referringColumns } from './draft-names.js';
import { loginColumn, ownRules, personalColumns } from './draft-rules.js';
import { type ColumnSchema, columnOf, type TableSchema } from './table-schema.js';

/** A database as it was found. */
export interface Catalog {
  /** `PostgreSQL 15.4`. */
  readonly product: string;
  /** With their foreign keys. */
  readonly tables: readonly TableSchema[];
  /** How a look-up by the login column, in any case, becomes quick and unique there; undefined when it is. */
  loginAdvice(table: TableSchema, login: ColumnSchema): string | undefined;
}

type Resource = Draft['resources'][number];
interface Entity extends Resource {
  readonly section: readonly DraftEntry[];
}
interface Place {
  readonly table: TableSchema;
  readonly key: readonly ColumnSchema[];
}
interface People extends Place {
  readonly login: ColumnSchema;
}
interface Groups extends Place {
  readonly name: ColumnSchema;
  readonly members?: { readonly table: string; readonly parent: readonly string[]; readonly column: readonly string[] };
}

const peopleWords = new Set(['user', 'person', 'employee', 'account', 'staff', 'identity', 'member', 'worker']);
const groupWords = new Set(['group', 'team', 'role', 'unit']);
const groupNames = ['displayname', 'name', 'title', 'groupname', 'label', 'cn'];

/**
 * A configuration for the tables: people and groups, what belongs to people, and who is in which group.
 * @param connection the adapter's keys before `entities`, `type` first
 * @throws AdapterError `unsupported` when there are neither
 */
export function draftTables(catalog: Catalog, request: DraftRequest, connection: readonly DraftEntry[]): Draft {
  const { product, tables } = catalog;
  const found = [`${product}, ${tables.length} tables.`];
  const people = findPeople(tables, request.places.User);
  const groups = findGroups(tables, people, request.places.Group);
  if (people === undefined && groups === undefined) {
    throw new AdapterError(
      'unsupported',
      'No table of people was found (with a key, and a column like user_name, login or email): --people names it. Only what the account may read is seen.',
    );
  }
  const prefixed = isCounted(people) && isCounted(groups);
  const entities = [
    people === undefined ? undefined : peopleEntity(catalog, people, groups, found, prefixed),
    groups === undefined ? undefined : groupsEntity(groups, people, found, prefixed),
  ].filter((entity) => entity !== undefined);
  if (people === undefined) found.push('No table of people was found: User is left out. --people names it.');
  if (groups === undefined) found.push('No table of groups was found: Group is left out. --groups names it.');
  const sections = entities.map(({ entity, section }): DraftEntry => ({ key: entity, value: { entries: section } }));
  return {
    found,
    adapter: [...connection, { key: 'entities', value: { entries: sections } }],
    resources: entities.map(({ section: _, ...resource }) => resource),
  };
}

function isCounted(place: Place | undefined): boolean {
  return place?.key.length === 1 && place.key[0]?.kind === 'integer';
}

function findPeople(tables: readonly TableSchema[], named: string | undefined): People | undefined {
  const candidates = tables.flatMap((table) => {
    const key = keyOf(table);
    const login = key === undefined ? undefined : loginColumn(table, key);
    return key === undefined || login === undefined ? [] : [{ table, key, login }];
  });
  if (named !== undefined) return candidates.find(({ table }) => isSame(table.name, named)) ?? unusable(named, tables);
  const rated = candidates
    .filter(({ table }) => !table.isView)
    .map((place) => ({ place, points: nameFit(place.table.name, peopleWords) * 2 + personalColumns(place.table) }))
    .filter(({ place, points }) => points >= 3 && nameFit(place.table.name, peopleWords) > 0)
    .sort((a, b) => b.points - a.points);
  return rated[0]?.place;
}

function findGroups(
  tables: readonly TableSchema[],
  people: People | undefined,
  named: string | undefined,
): Groups | undefined {
  const candidates = tables.flatMap((table): readonly Groups[] => {
    const key = keyOf(table);
    const name = columnCalled(table, groupNames, (column) => isText(column) && key?.includes(column) !== true);
    if (key === undefined || name === undefined || table === people?.table) return [];
    const members = people === undefined ? undefined : membersOf(tables, { table, key }, people);
    return [{ table, key, name, ...(members === undefined ? {} : { members }) }];
  });
  if (named !== undefined) return candidates.find(({ table }) => isSame(table.name, named)) ?? unusable(named, tables);
  const rated = candidates
    .filter(({ table }) => !table.isView)
    .map((groups) => ({
      groups,
      points: nameFit(groups.table.name, groupWords) + (groups.members === undefined ? 0 : 2),
    }))
    .filter(({ groups }) => nameFit(groups.table.name, groupWords) > 0)
    .sort((a, b) => b.points - a.points);
  return rated[0]?.groups;
}

/** The table that says who is in which group. */
function membersOf(tables: readonly TableSchema[], groups: Place, people: Place): Groups['members'] {
  for (const table of tables) {
    if (table.isView || table === groups.table || table === people.table) continue;
    const parent = columnsTo(table, groups.table, groups.key);
    const column = columnsTo(table, people.table, people.key);
    if (parent !== undefined && column !== undefined) return { table: table.name, parent, column };
  }
  return undefined;
}

function unusable(named: string, tables: readonly TableSchema[]): never {
  const isThere = tables.some(({ name }) => isSame(name, named));
  const message = isThere
    ? `The table "${named}" has not both a key and a column for the name.`
    : `There is no table "${named}".`;
  throw new AdapterError('unsupported', message);
}

function peopleEntity(
  catalog: Catalog,
  people: People,
  groups: Groups | undefined,
  found: string[],
  isPrefixed: boolean,
): Entity {
  const { table, key, login } = people;
  const children = draftChildren(table, key, catalog.tables);
  const keys = entityKeys(table, key);
  const isInChildren = (attribute: string): boolean => children.some((child) => child.attribute === attribute);
  const own = ownRules(table, login, isInChildren);
  const manager = managerOf(table, key);
  const columns = [...own.columns, ...(manager?.columns.length === 1 ? manager.columns : [])];
  const filled = [...keys.columns, ...columns];
  found.push(`People are in "${table.name}", by "${login.name}".`);
  for (const child of children) found.push(`Their ${child.attribute} are in "${child.table}".`);
  const advice = catalog.loginAdvice(table, login);
  if (advice !== undefined) found.push(advice);
  noteWhatIsMissing(table, key, filled, found);
  return {
    type: 'User',
    entity: 'people',
    ...(isPrefixed ? { idPrefix: 'u-' } : {}),
    section: [
      ...keys.entries,
      {
        key: 'fields',
        value: {
          entries: [...columnFields(columns, key), ...managerFields(manager), ...children.map((child) => child.field)],
        },
      },
    ],
    mapping: [
      ...own.mapping,
      ...children.map((child) => child.rule),
      ...(manager === undefined
        ? []
        : [{ key: 'manager', value: { field: manager.field, reference: { to: ['User'] } } }]),
      ...(groups?.members === undefined ? [] : [groupsRule(table)]),
    ],
  };
}

function groupsEntity(groups: Groups, people: People | undefined, found: string[], isPrefixed: boolean): Entity {
  const { table, key, name, members } = groups;
  const keys = entityKeys(table, key);
  const externalId = columnCalled(table, ['externalid', 'extid', 'entraid', 'azureid', 'objectid'], isText);
  const columns = [name, ...(externalId === undefined ? [] : [externalId])];
  found.push(`Groups are in "${table.name}", by "${name.name}".`);
  if (members !== undefined) found.push(`Their members are in "${members.table}".`);
  else if (people !== undefined) found.push('No table says who is in which group: members are left out.');
  noteWhatIsMissing(table, key, [...keys.columns, ...columns], found);
  return {
    type: 'Group',
    entity: 'groups',
    ...(isPrefixed ? { idPrefix: 'g-' } : {}),
    section: [
      ...keys.entries,
      {
        key: 'fields',
        value: {
          entries: [...columnFields(columns, key), ...(members === undefined ? [] : [membersField(members)])],
        },
      },
    ],
    mapping: [
      { key: 'displayName', value: { field: name.name, required: true, unique: true } },
      ...(externalId === undefined ? [] : [{ key: 'externalId', value: externalId.name }]),
      ...(members === undefined ? [] : [{ key: 'members', value: { field: 'members', reference: { to: ['User'] } } }]),
    ],
  };
}

function isIn(columns: readonly ColumnSchema[], name: string): boolean {
  return columns.some((column) => column.name === name);
}

function membersField({ table, parent, column }: NonNullable<Groups['members']>): DraftEntry {
  return { key: 'members', value: { table, parent: oneOrAll(parent), column: oneOrAll(column) } };
}

/** Fields are called as their columns: nobody has to learn other names. */
function columnFields(columns: readonly ColumnSchema[], key: readonly ColumnSchema[]): readonly DraftEntry[] {
  return columns.filter(({ name }) => !isIn(key, name)).map(({ name }) => ({ key: name, value: name }));
}

function groupsRule(table: TableSchema): DraftEntry {
  const field = table.columns.has('groups') ? 'memberOf' : 'groups';
  return {
    key: 'groups',
    value: { field, readOnly: true, reference: { to: ['Group'], inverseOf: 'Group.members' } },
  };
}

interface Manager {
  readonly field: string;
  readonly columns: readonly ColumnSchema[];
}

function managerOf(table: TableSchema, key: readonly ColumnSchema[]): Manager | undefined {
  const toItself = referringColumns(table, table, key);
  if (toItself !== undefined) {
    const columns = toItself.map((name) => columnOf(table, name));
    const [only] = columns;
    return { field: columns.length === 1 && only !== undefined ? only.name : 'manager', columns };
  }
  const [only, ...others] = key;
  if (only === undefined || others.length > 0) return undefined;
  const names = ['managerid', 'manager', 'bossid', 'boss', 'supervisorid', 'supervisor', 'reportsto'];
  const column = columnCalled(table, names, ({ kind, isGenerated }) => kind === only.kind && !isGenerated);
  return column === undefined ? undefined : { field: column.name, columns: [column] };
}

function managerFields(manager: Manager | undefined): readonly DraftEntry[] {
  if (manager === undefined || manager.columns.length === 1) return [];
  return [{ key: manager.field, value: manager.columns.map(({ name }) => name) }];
}

function noteWhatIsMissing(
  table: TableSchema,
  key: readonly ColumnSchema[],
  filled: readonly ColumnSchema[],
  found: string[],
): void {
  const [only, ...others] = key;
  if (only?.kind === 'integer' && others.length === 0 && !isKeyGiven(table, only)) {
    found.push(`"${table.name}.${only.name}" is a number that the database does not give: records cannot be created.`);
  }
  const needed = neededForKey(table, key).map(({ name }) => name);
  const columns = [...new Set([...needed, ...unfilled(table, filled)])]
    .filter((name) => !isIn(filled, name))
    .map((name) => `"${name}"`);
  if (columns.length === 0) return;
  found.push(
    `In "${table.name}", ${columns.join(', ')} must have a value: creating fails until there is a DEFAULT or a rule.`,
  );
}
