import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Answer, TestGateway, TestServer } from '../gateway.js';
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

/** Whatever goes wrong with a request to that kind of server: nothing is lost, doubled or answered wrongly. */
export async function describeRequestFaults(kind: LdapKind): Promise<void> {
  await describeOnLdap(kind, 'a request goes wrong', () => {
    let directory: LdapServer;
    let proxy: FaultProxy;
    let server: TestServer;
    let gateway: TestGateway;
    let count = 0;

    beforeAll(async () => {
      directory = await startLdap(kind);
      proxy = await startFaultProxy(directory);
      server = await startDirectoryGateway(directory, { url: proxy.urls.ldaps, adapterLines });
      gateway = await server.gateway();
    });
    afterEach(() => proxy.heal());
    afterAll(async () => {
      await server?.close();
      await proxy?.close();
      await directory?.close();
    });

    const newUser = async (): Promise<{ readonly id: string; readonly userName: string }> => {
      const userName = `user${count++}@example.org`;
      const body = { schemas: [userSchema], userName, title: 'Before', name: { familyName: 'User' } };
      const answer = await untilAvailable(() => gateway.request('POST', '/Users', { body }));
      expect(answer.status, answer.text).toBe(201);
      return { id: answer.body.id, userName };
    };
    /** Sends a request while a fault waits for it; whatever comes, it comes in time. */
    const askWith = async (fault: Fault, ask: () => Promise<Answer>, right: readonly number[]): Promise<boolean> => {
      const injected = proxy.inject(fault);
      const { answer, tookMs } = await timed(ask());
      expect(injected.hits, 'the fault did not happen').toBe(1);
      expect(tookMs).toBeLessThan(deadlineMs);
      return isRightOrUnavailable(answer, right);
    };
    const entriesNamed = async (userName: string): Promise<readonly Readonly<Record<string, readonly string[]>>[]> => {
      const name = kind === 'samba' ? 'userPrincipalName' : 'uid';
      const found = await directory.search({ base: directory.peopleDn, filter: `(${name}=${userName})` });
      return found.map(({ attributes }) => attributes);
    };

    it.each(chosen(kind, whileConnecting))(
      '$name while connecting: the right answer or 503, and the next is right',
      async ({ fault }) => {
        const { id, userName } = await newUser();
        proxy.cutAll();
        const read = () => gateway.request('GET', `/Users/${id}`);
        await askWith(fault, read, [200]);
        expect((await untilAvailable(read)).body).toMatchObject({ id, userName });
      },
    );

    it.each(chosen(kind, withOperation('search')))(
      'a look-up with $name: never empty, never 404',
      async ({ fault }) => {
        const { id, userName } = await newUser();
        const byId = () => gateway.request('GET', `/Users/${id}`);
        const byName = () => gateway.request('GET', '/Users', { query: { filter: `userName eq "${userName}"` } });
        for (const read of [byId, byName]) {
          await askWith(fault, read, [200]);
          const { body, text } = await untilAvailable(read);
          expect(body.Resources?.[0] ?? body, text).toMatchObject({ id, userName });
        }
      },
    );

    it.each(chosen(kind, withOperation('add')))(
      'a create with $name: the entry exists once, or the answer was 503',
      async ({ fault }) => {
        const userName = `new${count++}@example.org`;
        const body = { schemas: [userSchema], userName, name: { familyName: 'New' } };
        const create = () => gateway.request('POST', '/Users', { body });
        const done = await askWith(fault, create, [201]);
        const entries = await entriesNamed(userName);
        if (done) expect(entries).toHaveLength(1);
        else expect([201, 409]).toContain((await untilAvailable(create)).status);
        expect(await entriesNamed(userName)).toHaveLength(1);
      },
    );

    it.each(chosen(kind, withOperation('modify')))(
      'a change with $name: done, or 503 and done by the retry',
      async ({ fault }) => {
        const { id, userName } = await newUser();
        const change = () =>
          gateway.request('PATCH', `/Users/${id}`, { body: patch({ op: 'replace', path: 'title', value: 'After' }) });
        const done = await askWith(fault, change, [200, 204]);
        if (!done) expect([200, 204]).toContain((await untilAvailable(change)).status);
        expect((await entriesNamed(userName))[0]?.title).toEqual(['After']);
      },
    );

    it.each(chosen(kind, withOperation('modify')))(
      'a new member with $name: once in the group, beside the others',
      async ({ fault }) => {
        const [first, second] = [await newUser(), await newUser()];
        const displayName = `Group ${count++}`;
        const group = await untilAvailable(() =>
          gateway.request('POST', '/Groups', {
            body: { schemas: [groupSchema], displayName, members: [{ value: first.id }] },
          }),
        );
        expect(group.status, group.text).toBe(201);
        const path = `/Groups/${group.body.id}`;
        const add = () =>
          gateway.request('PATCH', path, {
            body: patch({ op: 'add', path: 'members', value: [{ value: second.id }] }),
          });
        const done = await askWith(fault, add, [200, 204]);
        if (!done) expect([200, 204]).toContain((await untilAvailable(add)).status);
        const members = (await untilAvailable(() => gateway.request('GET', path))).body.members ?? [];
        expect(members.map(({ value }) => value).sort()).toEqual([first.id, second.id].sort());
      },
    );

    it.each(chosen(kind, withOperation('delete')))(
      'a delete with $name: gone, or 503 and gone after the retry',
      async ({ fault }) => {
        const { id, userName } = await newUser();
        const remove = () => gateway.request('DELETE', `/Users/${id}`);
        const done = await askWith(fault, remove, [204]);
        if (!done) expect([204, 404]).toContain((await untilAvailable(remove)).status);
        expect(await entriesNamed(userName)).toEqual([]);
      },
    );

    it.each(chosen(kind, withOperation('modifyDn')))(
      'a rename with $name: one entry under one name',
      async ({ fault }) => {
        const { id, userName } = await newUser();
        const renamed = `re-${userName}`;
        const rename = () =>
          gateway.request('PATCH', `/Users/${id}`, {
            body: patch({ op: 'replace', path: 'userName', value: renamed }),
          });
        const done = await askWith(fault, rename, [200, 204]);
        if (!done) expect([200, 204]).toContain((await untilAvailable(rename)).status);
        expect(await entriesNamed(renamed)).toHaveLength(1);
        expect(await entriesNamed(userName)).toEqual([]);
        const read = await untilAvailable(() => gateway.request('GET', `/Users/${id}`));
        expect(read.body, read.text).toMatchObject({ id, userName: renamed, title: 'Before' });
      },
    );

    it('nothing was sent in clear text, before a bind or anonymously', () => {
      expect(proxy.seen.length).toBeGreaterThan(100);
      expect(proxy.violations()).toEqual([]);
    });
  });
}

function patch(...operations: readonly object[]): object {
  return { schemas: [patchSchema], Operations: operations };
}
