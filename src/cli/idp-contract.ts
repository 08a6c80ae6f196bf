import type { ContractRow } from '../mapping/attribute-contract.js';

export const identityProviders = ['entra-id', 'okta', 'onelogin', 'pingfederate'] as const;
export type IdentityProvider = (typeof identityProviders)[number];

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:';

/** Entra ID's default provisioning mapping for users: source attribute, target attribute. */
const entraUserDefaults: readonly (readonly [source: string, target: string])[] = [
  ['userPrincipalName', 'userName'],
  ['Switch([IsSoftDeleted], , "False", "True", "True", "False")', 'active'],
  ['displayName', 'displayName'],
  ['jobTitle', 'title'],
  ['mail', 'emails[type eq "work"].value'],
  ['preferredLanguage', 'preferredLanguage'],
  ['givenName', 'name.givenName'],
  ['surname', 'name.familyName'],
  ['Join(" ", [givenName], [surname])', 'name.formatted'],
  ['physicalDeliveryOfficeName', 'addresses[type eq "other"].formatted'],
  ['streetAddress', 'addresses[type eq "work"].streetAddress'],
  ['city', 'addresses[type eq "work"].locality'],
  ['state', 'addresses[type eq "work"].region'],
  ['postalCode', 'addresses[type eq "work"].postalCode'],
  ['country', 'addresses[type eq "work"].country'],
  ['telephoneNumber', 'phoneNumbers[type eq "work"].value'],
  ['mobile', 'phoneNumbers[type eq "mobile"].value'],
  ['facsimileTelephoneNumber', 'phoneNumbers[type eq "fax"].value'],
  ['mailNickname', 'externalId'],
  ['employeeId', `${enterprise}employeeNumber`],
  ['department', `${enterprise}department`],
  ['manager', `${enterprise}manager`],
];

const entraGroupDefaults: readonly (readonly [source: string, target: string])[] = [
  ['displayName', 'displayName'],
  ['objectId', 'externalId'],
  ['members', 'members'],
];

/** What an administrator has to enter for one resource type, as text. */
export function contractFor(provider: IdentityProvider, type: string, rows: readonly ContractRow[]): string {
  switch (provider) {
    case 'entra-id':
      return entraContract(type, rows);
    case 'okta':
      return oktaContract(type, rows);
    case 'onelogin':
      return oneLoginContract(type, rows);
    case 'pingfederate':
      return pingContract(type, rows);
  }
}

/** Whether a target path of an identity provider has a home: by its path, or by the list that it is part of. */
function homeOf(target: string, rows: readonly ContractRow[]): ContractRow | undefined {
  const wanted = target.toLowerCase();
  const bare = wanted.replace(/\[[^\]]*\]/g, '');
  const exact = rows.find((row) => row.path.toLowerCase() === wanted || row.path.toLowerCase() === `${wanted}.value`);
  return (
    exact ?? rows.find((row) => row.isMultiValued && row.constants.length === 0 && row.path.toLowerCase() === bare)
  );
}

function entraContract(type: string, rows: readonly ContractRow[]): string {
  const defaults = type === 'Group' ? entraGroupDefaults : type === 'User' ? entraUserDefaults : [];
  const matching = type === 'Group' ? 'displayName' : 'userName';
  const used = new Set<ContractRow>();
  const table = defaults.map(([source, target]) => {
    const home = homeOf(target, rows);
    if (home !== undefined) for (const row of rows) if (row.path === home.path) used.add(row);
    const writable = home !== undefined && home.access !== 'read only';
    const notes =
      home === undefined || !writable
        ? 'delete this row: nothing is stored'
        : [target === matching ? 'matching precedence 1' : '', ...home.notes].filter((note) => note !== '').join('; ');
    return [source, target, writable ? 'keep' : 'delete', notes];
  });
  const extra = rows
    .filter((row) => !used.has(row) && row.access !== 'read only' && !covered(row, defaults))
    .map((row) => row.path);
  return [
    `Microsoft Entra ID, attribute mappings of ${type}`,
    '',
    formatTable(['Entra attribute or expression', 'target attribute', '', 'notes'], table),
    ...(extra.length === 0
      ? []
      : ['', 'Also stored here, if you add a row for it:', ...extra.map((path) => `  ${path}`)]),
  ].join('\n');
}

function covered(row: ContractRow, defaults: readonly (readonly [string, string])[]): boolean {
  return defaults.some(
    ([, target]) =>
      row.path.toLowerCase() === target.toLowerCase() || row.path.toLowerCase() === `${target.toLowerCase()}.value`,
  );
}

/** Okta's profile editor wants an external name and an external namespace for each attribute. */
function oktaContract(type: string, rows: readonly ContractRow[]): string {
  const table = rows
    .filter((row) => row.access !== 'read only')
    .map((row) => {
      const { namespace, name } = splitNamespace(row, type);
      return [name, namespace, row.type, row.isRequired ? 'required' : '', row.notes.join('; ')];
    });
  return [
    `Okta, attributes of the app's ${type.toLowerCase()} profile`,
    '',
    formatTable(['external name', 'external namespace', 'type', '', 'notes'], table),
  ].join('\n');
}

function splitNamespace(row: ContractRow, type: string): { readonly namespace: string; readonly name: string } {
  const schema = row.attribute.schema ?? `urn:ietf:params:scim:schemas:core:2.0:${type}`;
  const local = row.path.startsWith(`${schema}:`) ? row.path.slice(schema.length + 1) : row.path;
  const name = local.replace(
    /\[([^\]]*)\]/,
    (_, inner: string) => `.^[${inner.replaceAll('"', "'").replaceAll(' eq ', '==')}]`,
  );
  return { namespace: schema, name };
}

/** Macros of OneLogin's JSON template. Others come from parameters that the administrator adds under the same name. */
const oneLoginMacros: Readonly<Record<string, string>> = {
  userName: '{$parameters.scimusername}',
  externalId: '{$user.id}',
  displayName: '{$user.display_name}',
  title: '{$user.title}',
  active: '{$user.active}',
  'name.givenName': '{$user.firstname}',
  'name.familyName': '{$user.lastname}',
  'emails.value': '{$user.email}',
  'phoneNumbers.value': '{$user.phone}',
  [`${enterprise}department`]: '{$user.department}',
};

function oneLoginContract(type: string, rows: readonly ContractRow[]): string {
  if (type !== 'User') return `OneLogin has a JSON template for users only; ${type} resources need none.`;
  const template: { [key: string]: unknown } = {};
  const schemas = new Set(['urn:ietf:params:scim:schemas:core:2.0:User']);
  for (const row of rows) {
    if (row.access === 'read only' || row.notes.some((note) => note.startsWith('id of'))) continue;
    const macro = macroFor(row);
    if (macro === undefined) continue;
    if (row.attribute.inExtension && row.attribute.schema !== undefined) schemas.add(row.attribute.schema);
    place(template, row, macro);
  }
  return [
    'OneLogin, SCIM JSON Template (add parameters for macros that your account does not have)',
    '',
    JSON.stringify({ schemas: [...schemas], ...template }, null, 2),
  ].join('\n');
}

function macroFor(row: ContractRow): string | undefined {
  const bare = row.path.replace(/\[[^\]]*\]/g, '');
  const type = row.constants.find((constant) => constant.name === 'type')?.value;
  if (bare === 'phoneNumbers.value' && type !== undefined && type !== 'work')
    return `{$parameters.${String(type)}Phone}`;
  if (bare === 'emails.value' && type !== undefined && type !== 'work') return `{$parameters.${String(type)}Email}`;
  const known = oneLoginMacros[bare];
  if (known !== undefined) return known;
  if (row.isMultiValued) return undefined;
  return `{$parameters.${bare.slice(bare.lastIndexOf(':') + 1).replaceAll('.', '_')}}`;
}

function place(template: { [key: string]: unknown }, row: ContractRow, macro: string): void {
  const { attribute } = row;
  const top = attribute.parent ?? attribute;
  const home = top.inExtension && top.schema !== undefined ? child(template, top.schema) : template;
  if (attribute.parent === undefined) {
    home[attribute.name] = macro;
    return;
  }
  if (!top.multiValued) {
    child(home, top.name)[attribute.name] = macro;
    return;
  }
  home[top.name] = home[top.name] ?? [];
  const list = home[top.name] as { [key: string]: unknown }[];
  const constants = Object.fromEntries(row.constants.map((constant) => [constant.name, constant.value]));
  const marks = row.constants.length === 0 && attribute.name === 'value' ? { type: 'work', primary: true } : constants;
  const present = list.find((element) => Object.entries(marks).every(([name, value]) => element[name] === value));
  if (present === undefined) list.push({ [attribute.name]: macro, ...marks });
  else present[attribute.name] ??= macro;
}

function child(object: { [key: string]: unknown }, key: string): { [key: string]: unknown } {
  object[key] = object[key] ?? {};
  return object[key] as { [key: string]: unknown };
}

function pingContract(type: string, rows: readonly ContractRow[]): string {
  const table = rows
    .filter((row) => row.access !== 'read only')
    .map((row) => [row.path, row.isRequired ? 'required' : '', row.notes.join('; ')]);
  const how =
    type === 'User'
      ? 'Users are looked up by userName and updated with PUT: what is left out is cleared.'
      : 'Groups are found by reading all of them; allow listing.';
  return [
    `PingFederate SCIM provisioner, attributes of ${type}`,
    how,
    '',
    formatTable(['SCIM attribute', '', 'notes'], table),
  ].join('\n');
}

/** Columns as wide as their widest cell. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
