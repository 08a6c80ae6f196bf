import { userDocument } from '../documents.js';

/** A user as the service keeps it: the ten attributes of the benchmark in words of its own. */
export interface Person {
  readonly login: string;
  readonly [member: string]: unknown;
}

/** The same user for the same number as everywhere in the benchmark. */
export function personOf(n: number): Person {
  const { userName, externalId, name, displayName, title, active, emails, phoneNumbers, ...extensions } =
    userDocument(n);
  const { givenName, familyName } = name as { readonly givenName: string; readonly familyName: string };
  const [extension] = Object.values(extensions).filter((value) => !Array.isArray(value));
  return {
    login: userName,
    external: externalId,
    name: { given: givenName, family: familyName, display: displayName },
    title,
    enabled: active,
    mail: firstValue(emails),
    phone: firstValue(phoneNumbers),
    department: (extension as { readonly department: string }).department,
  };
}

function firstValue(list: unknown): string {
  const [first] = list as readonly { readonly value: string }[];
  return first?.value ?? '';
}
