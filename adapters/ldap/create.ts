import type { BackendRecord, FieldValue, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { valuesOf } from '../../src/backend/record.js';
import { type DnOfReference, distinct, encodeValues, writableField } from './changes.js';
import type { Attribute, AttributeValue, Entry, WriteAnswer } from './directory.js';
import { type FieldText, type RenderedDn, renderDn, renderTemplate } from './dn-template.js';
import type { CreatePlan, EntityPlan, FieldPlan } from './entity-plan.js';
import { postReadControl } from './entry-controls.js';
import {
  checkConfidential,
  generatedPassword,
  lockAgain,
  lockAttribute,
  type PasswordChange,
  passwordOf,
  setPassword,
  unicodePwd,
} from './passwords.js';
import type { ReadContext, ReadPlan } from './read.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** A new entry as it will be sent. */
export interface NewEntry {
  readonly name: RenderedDn;
  readonly attributes: readonly Attribute[];
  /** To be set after the entry is made, where that needs an operation of its own. */
  readonly password: PasswordChange | undefined;
}

/**
 * The entry for a record: its name from the template, its object classes, and what these demand.
 * @throws AdapterError `rejected` for values that cannot be, and `unsupported` where the entity has no `create`
 */
export function planNewEntry(plan: EntityPlan, record: BackendRecord, dnOf: DnOfReference): NewEntry {
  const { create } = plan;
  if (create === undefined) {
    throw new AdapterError('unsupported', `The configuration does not say how entries of "${plan.entity}" are made.`);
  }
  const values = new Map<string, { readonly name: string; readonly values: readonly AttributeValue[] }>();
  let password: PasswordChange | undefined;
  for (const [name, value] of Object.entries(record)) {
    const field = writableField(plan, name);
    if (field.password !== undefined) {
      password = passwordOf(field, valuesOf(value) as readonly Scalar[]);
      continue;
    }
    const encoded = encodeField(field, value, dnOf);
    if (encoded.length > 0) values.set(field.key, { name: field.attribute, values: encoded });
  }
  const textOf = textIn(plan, values);
  const name = renderDn(create.dn, textOf);
  for (const { type, value } of name.parts) {
    const known = values.get(type.toLowerCase());
    if (known?.values.includes(value) !== true) {
      values.set(type.toLowerCase(), { name: type, values: [value, ...(known?.values ?? [])] });
    }
  }
  values.set('objectclass', { name: 'objectClass', values: create.objectClasses });
  addDefaults(create, values, textOf);
  addDemanded(plan, create, values, name);
  const attributes = [...values.values()];
  if (password === undefined && needsPassword(plan, values)) {
    return { name, attributes: [...attributes, unicodePwd(generatedPassword())], password: undefined };
  }
  if (password?.field.password !== 'unicodePwd') return { name, attributes, password };
  return { name, attributes: [...attributes, unicodePwd(password.password)], password: undefined };
}

/** Active Directory enables no account without a password (0000052D), unless it may be without one. */
function needsPassword(plan: EntityPlan, values: Values): boolean {
  const mayBeWithout = 2 | 32; // ACCOUNTDISABLE, PASSWD_NOTREQD
  const flags = Number(values.get('useraccountcontrol')?.values[0] ?? 2);
  return plan.server.kind === 'active-directory' && (flags & mayBeWithout) === 0;
}

type Values = Map<string, { readonly name: string; readonly values: readonly AttributeValue[] }>;

function encodeField(field: FieldPlan, value: FieldValue, dnOf: DnOfReference): readonly AttributeValue[] {
  const values = encodeValues(field, valuesOf(value) as readonly Scalar[], dnOf);
  if (values.length > 1 && (field.isSingle || !field.use.multiple)) {
    throw new AdapterError('rejected', `"${field.name}" can hold one value only.`, {
      field: field.name,
      reason: 'It can hold one value only.',
    });
  }
  return distinct(field, values);
}

/** The text of a field, or of an attribute that no field is called after. */
function textIn(plan: EntityPlan, values: Values): FieldText {
  return (name) => {
    const key = (plan.fields.get(name)?.attribute ?? name).toLowerCase();
    const value = values.get(key)?.values[0];
    return typeof value === 'string' ? value : undefined;
  };
}

function addDefaults(create: CreatePlan, values: Values, textOf: FieldText): void {
  for (const [name, templates] of create.attributes) {
    if (values.has(name.toLowerCase())) continue;
    const texts = templates.flatMap((template) => renderTemplate(template, textOf) ?? []);
    if (texts.length > 0) values.set(name.toLowerCase(), { name, values: texts });
  }
}

/** What the object classes demand and neither record nor configuration gives. */
function addDemanded(plan: EntityPlan, create: CreatePlan, values: Values, name: RenderedDn): void {
  const { schema } = plan.server;
  const classes = create.objectClasses.flatMap((own) => schema.objectClass(own) ?? []);
  const known = new Set(
    [...values.keys()].flatMap((key) => schema.attribute(key)?.names.map((alias) => alias.toLowerCase()) ?? [key]),
  );
  for (const attribute of new Set(classes.flatMap(({ must }) => must))) {
    const type = schema.attribute(attribute);
    const key = (type?.name ?? attribute).toLowerCase();
    if (known.has(key) || type?.isReadOnly === true || isMadeByServer(plan, key)) continue;
    values.set(key, { name: type?.name ?? attribute, values: [demanded(plan, key, values, name)] });
  }
}

/** Active Directory fills these in itself. */
function isMadeByServer(plan: EntityPlan, key: string): boolean {
  const made = ['ntsecuritydescriptor', 'objectcategory', 'instancetype', 'objectsid', 'grouptype', 'samaccountname'];
  return plan.server.kind === 'active-directory' && made.includes(key);
}

function demanded(plan: EntityPlan, key: string, values: Values, name: RenderedDn): AttributeValue {
  const own = name.parts[0]?.value ?? '';
  const display = values.get('displayname')?.values[0] ?? values.get('cn')?.values[0] ?? own;
  if (key === 'sn') return String(display).split(' ').at(-1) || own;
  if (key === 'cn') return display;
  const isMember = key === 'member' || key === 'uniquemember' || key === 'roleoccupant';
  if (isMember && plan.placeholder !== undefined) return plan.placeholder;
  const field = [...plan.fields.values()].find((candidate) => candidate.key === key);
  throw new AdapterError('rejected', `An entry of "${plan.entity}" needs the attribute ${key}.`, {
    ...(field === undefined ? {} : { field: field.name }),
    reason: `The directory demands the attribute ${key}, and nothing gives it a value.`,
  });
}

/**
 * Adds the entry. Where its password has to be set afterwards and is refused, the entry is taken away again.
 * @returns what the server says of the new entry, where it does so in the same answer
 */
export async function addEntry(
  plan: EntityPlan,
  entry: NewEntry,
  read: ReadPlan,
  { calls }: ReadContext,
): Promise<Entry | undefined> {
  const { dn } = entry.name;
  if (entry.attributes.some(({ name }) => name === 'unicodePwd')) checkPassword(plan, calls);
  const controls = plan.server.features.readEntry ? [postReadControl(read.attributes)] : [];
  let answer: WriteAnswer;
  try {
    answer = await calls.add(plan.entity, dn, entry.attributes, controls);
  } catch (error) {
    throw nameTaken(plan, entry, error);
  }
  if (entry.password === undefined) return answer.postRead;
  try {
    await setPassword(plan, dn, entry.password, calls);
    const lock = lockAttribute(plan)?.toLowerCase();
    await lockAgain(plan, dn, entry.attributes.find(({ name }) => name.toLowerCase() === lock)?.values, calls);
  } catch (error) {
    await calls.delete(plan.entity, dn, []);
    throw error;
  }
  // The password changed the entry's revision.
  return undefined;
}

function checkPassword(plan: EntityPlan, calls: ReadContext['calls']): void {
  const field = [...plan.fields.values()].find(({ password }) => password !== undefined);
  checkConfidential(field?.name, calls);
}

/** Accounts share their names with the whole domain, where the gateway may not look. */
const accountNameTaken =
  'A person, group or computer of the domain has this account name (sAMAccountName) already, maybe outside of what this gateway sees.';

function nameTaken(plan: EntityPlan, { name }: NewEntry, error: unknown): unknown {
  if (!hasResultCode(error, resultCode.entryAlreadyExists)) return error;
  const fields = [...plan.fields.values()];
  const isAccountName = error.windowsCode === '00002071';
  const field =
    (isAccountName ? fields.find(({ key }) => key === 'samaccountname') : undefined) ??
    fields.find(({ name: own }) => own === plan.create?.dn.onlyField) ??
    fields.find(({ key }) => name.parts.some(({ type }) => type.toLowerCase() === key));
  const isUnmapped = /samAccountName/i.test(error.diagnostic) && field?.key !== 'samaccountname';
  return new AdapterError('conflict', 'The directory has such an entry already.', {
    ...(field === undefined ? {} : { field: field.name }),
    ...(isUnmapped ? { reason: accountNameTaken } : {}),
    cause: error,
  });
}
