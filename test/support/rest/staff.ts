import { Collection, type Stored } from './collection.js';
import { Refusal } from './http-exchange.js';
import { checked, type Json, type JsonObject, type Shape } from './shape.js';

const labelled: Shape = {
  list: { object: { value: 'text', type: 'text', primary: 'boolean', display: 'text' } },
};

/** What a target keeps of a person. The unique member is `login`. */
export const personMembers: Readonly<Record<string, Shape>> = {
  login: 'text',
  externalId: 'text',
  name: 'text',
  badge: 'text',
  mail: { list: 'text' },
  tags: { list: 'text' },
  age: 'integer',
  enabled: 'boolean',
  hired: 'instant',
  photo: 'base64',
  contacts: labelled,
  phones: labelled,
  roles: labelled,
  pictures: labelled,
  addresses: {
    list: {
      object: {
        ...{ type: 'text', primary: 'boolean', formatted: 'text', street: 'text' },
        ...{ city: 'text', region: 'text', zip: 'text', country: 'text' },
      },
    },
  },
  profile: {
    object: {
      ...{ given: 'text', family: 'text', middle: 'text', prefix: 'text', suffix: 'text', formatted: 'text' },
      ...{ nick: 'text', url: 'text', title: 'text', kind: 'text', language: 'text', locale: 'text', timezone: 'text' },
    },
  },
  job: {
    object: {
      ...{ number: 'text', department: 'text', costCenter: 'text', organization: 'text', division: 'text' },
      managerId: 'text',
    },
  },
  /** What other programs keep there, of which the gateway knows nothing. */
  internal: { object: { costRate: 'integer', note: 'text' } },
};

/** What a target keeps of a group, members apart. The unique member is `title`. */
export const groupMembers: Readonly<Record<string, Shape>> = {
  title: 'text',
  externalId: 'text',
  owners: { list: { object: { value: 'text', type: 'text' } } },
  internal: { object: { costRate: 'integer', note: 'text' } },
};

export interface Member {
  readonly id: string;
  readonly kind: 'User' | 'Group';
}

export type CollectionName = 'people' | 'groups';

/** What all targets keep: people, groups, and who is a member of which. Each call is one transaction. */
export class Staff {
  readonly people = new Collection('login');
  readonly groups = new Collection('title');
  private readonly mendsReferences: boolean;
  private readonly membersOfGroup = new Map<string, Set<string>>();
  private readonly groupsOfMember = new Map<string, Set<string>>();

  /** @param mendsReferences whether deleting a record takes it out of those that refer to it */
  constructor(mendsReferences: boolean) {
    this.mendsReferences = mendsReferences;
  }

  in(name: CollectionName): Collection {
    return name === 'people' ? this.people : this.groups;
  }

  /** @throws Refusal 404, or 410 for what was there once */
  found(name: CollectionName, id: string): Stored {
    const stored = this.in(name).get(id);
    if (stored !== undefined) return stored;
    throw new Refusal(this.in(name).wasDeleted(id) ? 410 : 404, 'not_found', 'There is no such record.');
  }

  /** @throws Refusal 422 or 409, and then nothing is kept */
  create(name: CollectionName, document: unknown): Stored {
    return this.in(name).insert(this.checked(name, document));
  }

  checked(name: CollectionName, document: unknown): JsonObject {
    return checked(document, name === 'people' ? personMembers : groupMembers);
  }

  delete(name: CollectionName, id: string): void {
    this.in(name).delete(id);
    if (this.mendsReferences) this.forget(id);
    for (const member of this.membersOfGroup.get(id) ?? []) this.groupsOfMember.get(member)?.delete(id);
    this.membersOfGroup.delete(id);
  }

  /** Ids, in the order in which they came. */
  members(group: string): readonly string[] {
    return [...(this.membersOfGroup.get(group) ?? [])];
  }

  isMember(group: string, member: string): boolean {
    return this.membersOfGroup.get(group)?.has(member) === true;
  }

  groupsOf(member: string): readonly string[] {
    return [...(this.groupsOfMember.get(member) ?? [])];
  }

  /** @returns undefined for an id that names nothing */
  memberOf(id: string): Member | undefined {
    if (this.people.get(id) !== undefined) return { id, kind: 'User' };
    return this.groups.get(id) === undefined ? undefined : { id, kind: 'Group' };
  }

  /** @returns whether it was not there before */
  addMember(group: string, member: string): boolean {
    if (this.isMember(group, member)) return false;
    this.link(group, member);
    this.touch(group);
    return true;
  }

  /** @returns whether it was there before */
  removeMember(group: string, member: string): boolean {
    if (!this.isMember(group, member)) return false;
    this.membersOfGroup.get(group)?.delete(member);
    this.groupsOfMember.get(member)?.delete(group);
    this.touch(group);
    return true;
  }

  /** The group's members as a whole; its version is left to who writes the group. */
  setMembers(group: string, members: readonly string[]): void {
    for (const member of this.members(group)) this.groupsOfMember.get(member)?.delete(group);
    this.membersOfGroup.delete(group);
    for (const member of members) this.link(group, member);
  }

  clear(): void {
    this.people.clear();
    this.groups.clear();
    this.membersOfGroup.clear();
    this.groupsOfMember.clear();
  }

  private forget(id: string): void {
    for (const group of this.groupsOf(id)) this.removeMember(group, id);
    for (const person of this.people.all()) {
      if (valueIn(person.body, 'job', 'managerId') !== id) continue;
      const { managerId: _, ...job } = person.body.job as JsonObject;
      this.people.replace(person, { ...person.body, job });
    }
  }

  private link(group: string, member: string): void {
    setIn(this.membersOfGroup, group).add(member);
    setIn(this.groupsOfMember, member).add(group);
  }

  private touch(group: string): void {
    const stored = this.groups.get(group);
    if (stored !== undefined) this.groups.replace(stored, stored.body);
  }
}

function setIn(map: Map<string, Set<string>>, key: string): Set<string> {
  const found = map.get(key) ?? new Set();
  map.set(key, found);
  return found;
}

/** The value at a path of member names, if there is one. */
export function valueIn(body: JsonObject, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = body;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}
