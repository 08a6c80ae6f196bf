import { type UserDocument, userDocument } from '../documents.js';

export const baseDn = 'dc=example,dc=org';
export const peopleDn = `ou=people,${baseDn}`;
export const groupsDn = `ou=groups,${baseDn}`;
export const bindDn = `cn=scim,${baseDn}`;
export const password = 'bench-password-0123456789';
export const largeGroup = 'large';

export interface Attributes {
  readonly [name: string]: string | readonly string[];
}

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export function userDn(n: number): string {
  return `uid=${userDocument(n).userName},${peopleDn}`;
}

export function groupDn(name: string): string {
  return `cn=${name},${groupsDn}`;
}

export function smallGroup(n: number): string {
  return `group-${n}`;
}

/** The entry that the gateway makes of the same document. */
export function userAttributes(n: number): Attributes {
  const user = userDocument(n) as UserDocument & {
    readonly externalId: string;
    readonly name: { readonly givenName: string; readonly familyName: string };
    readonly displayName: string;
    readonly title: string;
    readonly emails: readonly { readonly value: string }[];
    readonly phoneNumbers: readonly { readonly value: string }[];
    readonly [enterprise]: { readonly department: string };
  };
  return {
    objectClass: 'inetOrgPerson',
    uid: user.userName,
    employeeNumber: user.externalId,
    cn: user.displayName,
    givenName: user.name.givenName,
    sn: user.name.familyName,
    displayName: user.displayName,
    title: user.title,
    mail: user.emails.map(({ value }) => value),
    telephoneNumber: user.phoneNumbers.map(({ value }) => value),
    departmentNumber: user[enterprise].department,
  };
}

/** Users, each in the large group and the first ones in a small group too. */
export function seedLdif({
  users,
  groups,
  membersEach,
}: {
  users: number;
  groups: number;
  membersEach: number;
}): string {
  const groupOf = (n: number): string | undefined => {
    const group = Math.floor(n / membersEach);
    return group < groups ? smallGroup(group) : undefined;
  };
  const entries = [
    entry(baseDn, { objectClass: ['organization', 'dcObject'], dc: 'example', o: 'Example' }),
    entry(bindDn, { objectClass: ['organizationalRole', 'simpleSecurityObject'], cn: 'scim', userPassword: password }),
    ...['people', 'groups'].map((ou) => entry(`ou=${ou},${baseDn}`, { objectClass: 'organizationalUnit', ou })),
  ];
  const numbers = Array.from({ length: users }, (_, n) => n);
  for (const n of numbers) {
    const memberOf = [largeGroup, groupOf(n)].flatMap((name) => (name === undefined ? [] : groupDn(name)));
    entries.push(entry(userDn(n), { ...userAttributes(n), memberOf }));
  }
  const group = (cn: string, members: readonly number[]): string =>
    entry(groupDn(cn), { objectClass: 'groupOfNames', cn, member: members.map(userDn) });
  for (let g = 0; g < groups; g++) {
    entries.push(group(smallGroup(g), numbers.slice(g * membersEach, (g + 1) * membersEach)));
  }
  entries.push(group(largeGroup, numbers));
  return entries.join('\n');
}

function entry(dn: string, attributes: Attributes): string {
  const lines = Object.entries(attributes).flatMap(([name, values]) =>
    [values].flat().map((value) => line(name, value)),
  );
  return `${[line('dn', dn), ...lines].join('\n')}\n`;
}

function line(name: string, value: string): string {
  return /^[!-9;=-~][ -~]*$/.test(value) ? `${name}: ${value}` : `${name}:: ${Buffer.from(value).toString('base64')}`;
}
