const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** A user as an identity provider sends it: ten attributes. */
export interface UserDocument {
  readonly [attribute: string]: unknown;
  readonly userName: string;
}

const givenNames = ['Ada', 'Björn', 'Chiara', 'Dmitri', 'Elif', 'Fatima', 'Grace', 'Hiroshi', 'Inès', 'Jamal'];
const familyNames = ['Keller', 'Nowak', 'Okafor', 'Silva', 'Tanaka', 'Weber', 'Žižek'];
const titles = ['Engineer', 'Accountant', 'Nurse', 'Tour Guide'];
const departments = ['Sales', 'Operations', 'Research', 'Finance', 'Legal'];

/** The same user for the same number, on both sides of the comparison. */
export function userDocument(n: number): UserDocument {
  const givenName = pick(givenNames, n);
  const familyName = pick(familyNames, n);
  return {
    schemas: [core, enterprise],
    userName: userNameOf(n),
    externalId: `external-${n}`,
    name: { givenName, familyName },
    displayName: `${givenName} ${familyName}`,
    title: pick(titles, n),
    active: true,
    emails: [{ value: `mail-${n}@example.com`, type: 'work' }],
    phoneNumbers: [{ value: `+41 44 ${1_000_000 + n}`, type: 'work' }],
    [enterprise]: { department: pick(departments, n) },
  };
}

/** In two cases, as people's names are. */
export function userNameOf(n: number): string {
  return `User.${n}@Example.com`;
}

export function patchTitle(title: string): string {
  const operation = { op: 'replace', path: 'title', value: title };
  return JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
}

function pick(list: readonly string[], n: number): string {
  return list[n % list.length] as string;
}
