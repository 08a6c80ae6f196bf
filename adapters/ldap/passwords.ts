import { randomBytes } from 'node:crypto';
import type { EntityUse, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Calls } from './calls.js';
import type { EncodedChange } from './changes.js';
import type { LdapConfig } from './config.js';
import type { Attribute, AttributeValue } from './directory.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';

/** A password to be set in the server's own way. */
export interface PasswordChange {
  readonly field: FieldPlan;
  readonly password: string;
}

/** Whether the mapping sends passwords to the directory (RFC 7643 section 4.1.1: over secured connections only). */
export function writesPasswords({ entity, fields }: EntityUse, { entities }: Pick<LdapConfig, 'entities'>): boolean {
  return fields.some(({ name, written }) => {
    const own = entities[entity]?.fields?.[name];
    const attribute = (typeof own === 'string' ? own : own?.attribute) ?? name;
    return written && ['userpassword', 'unicodepwd'].includes(attribute.toLowerCase());
  });
}

const hashed = /^\{[A-Za-z0-9-]{2,24}\}/;

/** Takes the password out of a record's or an update's values. @throws AdapterError `rejected` for one that is hashed */
export function passwordOf(field: FieldPlan, values: readonly Scalar[]): PasswordChange | undefined {
  const [password] = values;
  if (password === undefined || password === '') return undefined;
  if (typeof password !== 'string') throw refused(field.name, 'The password is no text.');
  if (hashed.test(password))
    throw refused(field.name, 'The password is hashed already; the directory hashes it itself.');
  return { field, password };
}

export function splitPassword(changes: readonly EncodedChange[]): {
  readonly password: PasswordChange | undefined;
  readonly rest: readonly EncodedChange[];
} {
  let password: PasswordChange | undefined;
  const rest = changes.filter(({ field, op, values }) => {
    if (field.password === undefined) return true;
    if (op !== 'remove') password = passwordOf(field, values.map(String)) ?? password;
    return false;
  });
  return { password, rest };
}

/** Sets a password of an entry that is there. It goes over encrypted connections only, and into no log. */
export async function setPassword(
  plan: EntityPlan,
  dn: string,
  { field, password }: PasswordChange,
  calls: Calls,
): Promise<void> {
  checkConfidential(field.name, calls);
  if (field.password === 'unicodePwd') {
    await calls.modify(plan.entity, dn, [{ op: 'replace', ...unicodePwd(password) }], []);
  } else if (plan.server.features.passwordModify) {
    await calls.setPassword(plan.entity, dn, password);
  } else {
    await calls.modify(plan.entity, dn, [{ op: 'replace', name: field.attribute, values: [password] }], []);
  }
}

/** Active Directory's form: in quotes, as UTF-16 (MS-ADTS section 3.1.1.3.1.5). */
export function unicodePwd(password: string): Attribute {
  return { name: 'unicodePwd', values: [Buffer.from(`"${password}"`, 'utf16le')] };
}

const lockedTime = 'pwdAccountLockedTime';

/** OpenLDAP's lock, which a new password takes away: to be read before. */
export function lockAttribute(plan: EntityPlan): string | undefined {
  return plan.server.kind === 'openldap' ? plan.server.schema.attribute(lockedTime)?.name : undefined;
}

/** Puts the lock back on: a disabled user stays disabled whatever the password. */
export async function lockAgain(
  plan: EntityPlan,
  dn: string,
  lock: readonly AttributeValue[] | undefined,
  calls: Calls,
): Promise<void> {
  if (lock === undefined || lock.length === 0) return;
  await calls.modify(plan.entity, dn, [{ op: 'replace', name: lockedTime, values: lock }], []);
}

/** Random characters of all kinds, for an account that has to have a password that nobody is to know. */
export function generatedPassword(): string {
  return `${randomBytes(30).toString('base64url')}.aZ9`;
}

/** @throws AdapterError `rejected` where passwords would be readable on their way */
export function checkConfidential(field: string | undefined, { directory }: Calls): void {
  if (directory.isConfidential) return;
  throw refused(field, 'Passwords are not sent to the directory over a connection that is not encrypted.');
}

function refused(field: string | undefined, reason: string): AdapterError {
  return new AdapterError('rejected', reason, { ...(field === undefined ? {} : { field }), reason });
}
