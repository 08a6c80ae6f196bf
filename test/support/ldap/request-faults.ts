import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, TestGateway } from '../gateway.js';
import { describeOnLdap, startLdap } from './available.js';
import { startDirectoryGateway } from './directory-gateway.js';
import { type Fault, type FaultProxy, startFaultProxy } from './fault-proxy.js';
import type { Operation } from './ldap-message.js';
import type { LdapKind, LdapServer } from './ldap-server.js';
import { isRightOrUnavailable, timed, untilAvailable } from './outage.js';

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const adapterLines = ['timeoutMs: 400', 'connectTimeoutMs: 400'];
/** Two tries of connecting and of the operation, and room for a busy machine. */
const deadlineMs = 5_000;

/** What can go wrong while a connection is made. */
const whileConnecting: readonly Fault[] = [
  { kind: 'silentConnect' },
  { kind: 'cutHandshake' },
  { kind: 'loseRequest', of: ['bind'], by: 'cut' },
  { kind: 'loseRequest', of: ['bind'], by: 'silence' },
  { kind: 'loseAnswer', of: ['bind'], by: 'cut' },
  { kind: 'loseAnswer', of: ['bind'], by: 'silence' },
  { kind: 'cutInAnswer', of: ['bind'], bytes: 5 },
  { kind: 'answer', of: ['bind'], resultCode: 51 },
  { kind: 'answer', of: ['bind'], resultCode: 49 },
];

/** What can go wrong with an operation on a connection that works. */
function withOperation(operation: Operation): readonly Fault[] {
  const of = [operation];
  return [
    { kind: 'loseRequest', of, by: 'cut' },
    { kind: 'loseRequest', of, by: 'silence' },
    { kind: 'loseAnswer', of, by: 'cut' },
    { kind: 'loseAnswer', of, by: 'silence' },
    { kind: 'cutInAnswer', of, bytes: 6 },
    { kind: 'delayAnswer', of, ms: 100 },
    { kind: 'delayAnswer', of, ms: 800 },
    { kind: 'answer', of, resultCode: 51 },
    { kind: 'answer', of, resultCode: 52 },
  ];
}

function nameOf(fault: Fault): string {
  const { kind, ...rest } = fault;
  const details = Object.entries(rest).flatMap(([key, value]) => (key === 'of' ? [] : [String(value)]));
  return [kind, ...details].join(' ');
}

/** All faults on one kind of server, those where servers may differ on the others: what they have done before it. */
function chosen(kind: LdapKind, faults: readonly Fault[]): readonly { readonly name: string; readonly fault: Fault }[] {
  const differing = new Set(['loseRequest cut', 'loseAnswer cut', 'loseAnswer silence', 'answer 51', 'cutHandshake']);
  const named = faults.map((fault) => ({ name: nameOf(fault), fault }));
  return kind === 'openldap' ? named : named.filter(({ name }) => differing.has(name));
}

/** A gateway that reaches the directory through a proxy of its own. */
interface Setting {
  readonly gateway: TestGateway;
  readonly proxy: FaultProxy;
  newUser(): Promise<NewUser>;
  /**
   * Sends a request while a fault waits for it; whatever comes, it comes in time.
   * @returns whether it was the right answer, and not 503
   */
  askWith(fault: Fault, ask: () => Promise<Answer>, right: readonly number[]): Promise<boolean>;
  /** What is really in the directory. */
  entriesNamed(userName: string): Promise<readonly Readonly<Record<string, readonly string[]>>[]>;
  close(): Promise<void>;
}

interface NewUser {
  readonly id: string;
  readonly userName: string;
}

let count = 0;

async function startSetting(directory: LdapServer): Promise<Setting> {
  const proxy = await startFaultProxy(directory);
  const server = await startDirectoryGateway(directory, { url: proxy.urls.ldaps, adapterLines });
  const gateway = await server.gateway();
  return {
    gateway,
    proxy,
    newUser: async () => {
      const userName = `user${count++}@example.org`;
      const body = { schemas: [userSchema], userName, title: 'Before', name: { familyName: 'User' } };
      const answer = await untilAvailable(() => gateway.request('POST', '/Users', { body }));
      expect(answer.status, answer.text).toBe(201);
      return { id: answer.body.id, userName };
    },
    askWith: async (fault, ask, right) => {
      const injected = proxy.inject(fault);
      const { answer, tookMs } = await timed(ask());
      proxy.heal();
      expect(injected.hits, 'the fault did not happen').toBe(1);
      expect(tookMs).toBeLessThan(deadlineMs);
      return isRightOrUnavailable(answer, right);
    },
    entriesNamed: async (userName) => {
      const name = directory.kind === 'samba' ? 'userPrincipalName' : 'uid';
      const found = await directory.search({ base: directory.peopleDn, filter: `(${name}=${userName})` });
      return found.map(({ attributes }) => attributes);
    },
    close: async () => {
      await server.close();
      await proxy.close();
    },
  };
}

/** Whatever goes wrong with a request to that kind of server: nothing is lost, doubled or answered wrongly. */
export async function describeRequestFaults(kind: LdapKind): Promise<void> {
  await describeOnLdap(kind, 'a request goes wrong', () => {
    let directory: LdapServer;
    beforeAll(async () => {
      directory = await startLdap(kind);
    });
    afterAll(() => directory?.close());

    /** Groups run at the same time, since they mostly wait; the faults of one come one after the other. */
    const group = (
      title: string,
      faults: readonly Fault[],
      test: (fault: Fault, setting: Setting) => Promise<void>,
    ): void => {
      describe.concurrent(title, () => {
        let setting: Setting;
        beforeAll(async () => {
          setting = await startSetting(directory);
        });
        afterAll(() => setting?.close());
        for (const { name, fault } of chosen(kind, faults)) it.sequential(name, () => test(fault, setting));
        it.sequential('and nothing was sent in clear text, before a bind or anonymously', () => {
          expect(setting.proxy.seen.length).toBeGreaterThan(0);
          expect(setting.proxy.violations()).toEqual([]);
        });
      });
    };

    group('connecting: the right answer or 503, and the next is right', whileConnecting, async (fault, setting) => {
      const { gateway, newUser, proxy, askWith } = setting;
      const { id, userName } = await newUser();
      proxy.cutAll();
      const read = () => gateway.request('GET', `/Users/${id}`);
      await askWith(fault, read, [200]);
      expect((await untilAvailable(read)).body).toMatchObject({ id, userName });
    });

    group('a look-up: never empty, never 404', withOperation('search'), async (fault, setting) => {
      const { gateway, newUser, askWith } = setting;
      const { id, userName } = await newUser();
      const byId = () => gateway.request('GET', `/Users/${id}`);
      const byName = () => gateway.request('GET', '/Users', { query: { filter: `userName eq "${userName}"` } });
      for (const read of [byId, byName]) {
        await askWith(fault, read, [200]);
        const { body, text } = await untilAvailable(read);
        expect(body.Resources?.[0] ?? body, text).toMatchObject({ id, userName });
      }
    });

    group('a create: once, or 503 and once after the retry', withOperation('add'), async (fault, setting) => {
      const { gateway, askWith, entriesNamed } = setting;
      const userName = `new${count++}@example.org`;
      const body = { schemas: [userSchema], userName, name: { familyName: 'New' } };
      const create = () => gateway.request('POST', '/Users', { body });
      const done = await askWith(fault, create, [201]);
      if (done) expect(await entriesNamed(userName)).toHaveLength(1);
      else expect([201, 409]).toContain((await untilAvailable(create)).status);
      expect(await entriesNamed(userName)).toHaveLength(1);
    });

    group('a change: done, or 503 and done by the retry', withOperation('modify'), async (fault, setting) => {
      const { gateway, newUser, askWith, entriesNamed } = setting;
      const { id, userName } = await newUser();
      const change = () =>
        gateway.request('PATCH', `/Users/${id}`, { body: patch({ op: 'replace', path: 'title', value: 'After' }) });
      const done = await askWith(fault, change, [200, 204]);
      if (!done) expect([200, 204]).toContain((await untilAvailable(change)).status);
      expect((await entriesNamed(userName))[0]?.title).toEqual(['After']);
    });

    group('a new member: once in the group, beside the others', withOperation('modify'), async (fault, setting) => {
      const { gateway, newUser, askWith } = setting;
      const [first, second] = [await newUser(), await newUser()];
      const displayName = `Group ${count++}`;
      const body = { schemas: [groupSchema], displayName, members: [{ value: first.id }] };
      const made = await untilAvailable(() => gateway.request('POST', '/Groups', { body }));
      expect(made.status, made.text).toBe(201);
      const path = `/Groups/${made.body.id}`;
      const add = () =>
        gateway.request('PATCH', path, { body: patch({ op: 'add', path: 'members', value: [{ value: second.id }] }) });
      const done = await askWith(fault, add, [200, 204]);
      if (!done) expect([200, 204]).toContain((await untilAvailable(add)).status);
      const members = (await untilAvailable(() => gateway.request('GET', path))).body.members ?? [];
      expect(members.map(({ value }) => value).sort()).toEqual([first.id, second.id].sort());
    });

    group('a delete: gone, or 503 and gone after the retry', withOperation('delete'), async (fault, setting) => {
      const { gateway, newUser, askWith, entriesNamed } = setting;
      const { id, userName } = await newUser();
      const remove = () => gateway.request('DELETE', `/Users/${id}`);
      const done = await askWith(fault, remove, [204]);
      if (!done) expect([204, 404]).toContain((await untilAvailable(remove)).status);
      expect(await entriesNamed(userName)).toEqual([]);
    });

    group('a rename: one entry under one name', withOperation('modifyDn'), async (fault, setting) => {
      const { gateway, newUser, askWith, entriesNamed } = setting;
      const { id, userName } = await newUser();
      const renamed = `re-${userName}`;
      const body = patch({ op: 'replace', path: 'userName', value: renamed });
      const rename = () => gateway.request('PATCH', `/Users/${id}`, { body });
      const done = await askWith(fault, rename, [200, 204]);
      if (!done) expect([200, 204]).toContain((await untilAvailable(rename)).status);
      expect(await entriesNamed(renamed)).toHaveLength(1);
      expect(await entriesNamed(userName)).toEqual([]);
      const read = await untilAvailable(() => gateway.request('GET', `/Users/${id}`));
      expect(read.body, read.text).toMatchObject({ id, userName: renamed, title: 'Before' });
    });
  });
}

function patch(...operations: readonly object[]): object {
  return { schemas: [patchSchema], Operations: operations };
}
