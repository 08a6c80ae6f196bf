import {
  AndFilter,
  Attribute,
  Ber,
  type BerReader,
  BerWriter,
  Change,
  Client,
  Control,
  type Entry,
  EqualityFilter,
  ServerSideSortingRequestControl,
} from 'ldapts';
import { bindDn, groupsDn, password, peopleDn, userAttributes, userDn } from './seed.js';

/** As many as the gateway keeps by default. */
const connections = 2;
const timeoutMs = 30_000;
/** What the gateway reads of a user. */
const attributes = [
  ...['entryUUID', 'entryCSN', 'uid', 'employeeNumber', 'givenName', 'sn', 'displayName', 'title'],
  ...['pwdAccountLockedTime', 'mail', 'telephoneNumber', 'departmentNumber', 'createTimestamp', 'modifyTimestamp'],
];
const person = new EqualityFilter({ attribute: 'objectClass', value: 'inetOrgPerson' });

/**
 * What a program does that knows the directory: each operation one request of ldapts, over connections that are bound once and
 * used by many at the same time. It is not asked to find out anything first: it knows the DNs of all entries.
 */
export class Direct {
  private readonly clients: readonly Client[];
  private turn = 0;

  private constructor(clients: readonly Client[]) {
    this.clients = clients;
  }

  static async open(url: string): Promise<Direct> {
    const clients = Array.from({ length: connections }, () => new Client({ url, timeout: timeoutMs }));
    for (const client of clients) await client.bind(bindDn, password);
    return new Direct(clients);
  }

  async close(): Promise<void> {
    for (const client of this.clients) await client.unbind();
  }

  readById(id: string): Promise<void> {
    return this.one(new EqualityFilter({ attribute: 'entryUUID', value: id }));
  }

  byUserName(userName: string): Promise<void> {
    return this.one(new EqualityFilter({ attribute: 'uid', value: userName }));
  }

  setTitle(dn: string, title: string): Promise<void> {
    return this.modify(dn, 'replace', 'title', title);
  }

  addMember(dn: string, member: string): Promise<void> {
    return this.modify(dn, 'add', 'member', member);
  }

  removeMember(dn: string, member: string): Promise<void> {
    return this.modify(dn, 'delete', 'member', member);
  }

  create(n: number): Promise<void> {
    return this.next().add(
      userDn(n),
      Object.entries(userAttributes(n)).map(([type, values]) => new Attribute({ type, values: [values].flat() })),
    );
  }

  async remove(numbers: readonly number[]): Promise<void> {
    for (const n of numbers) await this.next().del(userDn(n));
  }

  /** All users with all that the gateway reads of them, in pages. @returns how many */
  async importUsers(pageSize: number): Promise<number> {
    let count = 0;
    const options = { ...users, filter: person, attributes, paged: { pageSize } };
    for await (const { searchEntries } of this.next().searchPaginated(peopleDn, options)) count += searchEntries.length;
    return count;
  }

  /** The ids of all users, and nothing else, by id. */
  async sweepUsers(): Promise<ReadonlyMap<string, Entry>> {
    return this.sweep(peopleDn, person);
  }

  sweepGroups(): Promise<ReadonlyMap<string, Entry>> {
    return this.sweep(groupsDn, new EqualityFilter({ attribute: 'objectClass', value: 'groupOfNames' }));
  }

  /** One page anywhere by a virtual list view (draft-ietf-ldapext-ldapv3-vlv-09), on a connection of its own. */
  async virtualListPage(url: string, offset: number, count: number): Promise<number> {
    const client = new Client({ url, timeout: timeoutMs });
    await client.bind(bindDn, password);
    try {
      const sort = new ServerSideSortingRequestControl({
        value: { attributeType: 'entryUUID', orderingRule: 'UUIDOrderingMatch' },
      });
      const options = { ...users, filter: person, attributes };
      const startedAt = performance.now();
      const { searchEntries } = await client.search(peopleDn, options, [sort, new VirtualListView(offset, count)]);
      const ms = performance.now() - startedAt;
      if (searchEntries.length !== count) throw new Error(`A view of ${count} gave ${searchEntries.length}.`);
      return ms;
    } finally {
      await client.unbind();
    }
  }

  /** Operations that the server has carried out since it started, this one not counted. */
  async operations(): Promise<number> {
    const { searchEntries } = await this.next().search('cn=Operations,cn=Monitor', {
      scope: 'base',
      attributes: ['monitorOpInitiated'],
    });
    return Number(searchEntries[0]?.monitorOpInitiated);
  }

  private async sweep(base: string, filter: EqualityFilter): Promise<ReadonlyMap<string, Entry>> {
    const found = new Map<string, Entry>();
    const options = { ...users, filter, attributes: ['entryUUID'], paged: { pageSize: 500 } };
    for await (const { searchEntries } of this.next().searchPaginated(base, options)) {
      for (const entry of searchEntries) found.set(String(entry.entryUUID), entry);
    }
    return found;
  }

  private async one(condition: EqualityFilter): Promise<void> {
    const filter = new AndFilter({ filters: [person, condition] });
    const { searchEntries } = await this.next().search(peopleDn, { ...users, filter, attributes });
    if (searchEntries.length !== 1) throw new Error(`A direct search gave ${searchEntries.length} entries.`);
  }

  private modify(dn: string, operation: 'add' | 'delete' | 'replace', type: string, value: string): Promise<void> {
    const modification = new Attribute({ type, values: [value] });
    return this.next().modify(dn, new Change({ operation, modification }));
  }

  private next(): Client {
    this.turn = (this.turn + 1) % this.clients.length;
    return this.clients[this.turn] as Client;
  }
}

const users = { scope: 'sub', timeLimit: timeoutMs / 1000 } as const;

/** One page from an offset on. The answer comes under another name, which ldapts reads past. */
class VirtualListView extends Control {
  private readonly offset: number;
  private readonly count: number;

  constructor(offset: number, count: number) {
    super('2.16.840.1.113730.3.4.9', { critical: true });
    this.offset = offset;
    this.count = count;
  }

  override writeControl(writer: BerWriter): void {
    const value = new BerWriter();
    value.startSequence();
    value.writeInt(0);
    value.writeInt(this.count - 1);
    value.startSequence(0xa0);
    value.writeInt(this.offset);
    value.writeInt(0);
    value.endSequence();
    value.endSequence();
    writer.writeBuffer(value.buffer, Ber.OctetString);
  }

  override parseControl(_: BerReader): void {}
}
