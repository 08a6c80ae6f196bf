import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { startDirectoryGateway } from '../support/ldap/directory-gateway.js';
import { type FaultProxy, startFaultProxy } from '../support/ldap/fault-proxy.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { expectUnavailable, isRightOrUnavailable, timed, untilAvailable } from '../support/ldap/outage.js';

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const adapterLines = ['timeoutMs: 1000', 'connectTimeoutMs: 1000'];
const deadlineMs = 8_000;
const inFlight = 50;

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, `${inFlight} requests under way when something goes wrong`, () => {
    let directory: LdapServer;
    let proxy: FaultProxy;
    let server: TestServer;
    let gateway: TestGateway;
    let users: readonly { readonly id: string; readonly userName: string }[];

    beforeAll(async () => {
      directory = await startLdap(kind);
      proxy = await startFaultProxy(directory);
      server = await startDirectoryGateway(directory, { url: proxy.urls.ldaps, adapterLines });
      gateway = await server.gateway();
      const made: { id: string; userName: string }[] = [];
      // One after the other: the time for one operation is short here, and this is not what is tested.
      for (let index = 0; index < inFlight; index++) {
        const userName = `user${index}@example.org`;
        const body = { schemas: [userSchema], userName, name: { familyName: `Name ${index}` } };
        const answer = await gateway.request('POST', '/Users', { body });
        expect(answer.status, answer.text).toBe(201);
        made.push({ id: answer.body.id, userName });
      }
      users = made;
    });
    afterEach(() => proxy.heal());
    afterAll(async () => {
      await server?.close();
      await proxy?.close();
      await directory?.close();
    });

    /** What goes wrong, and how it is made good. */
    const outages: Readonly<Record<string, () => Promise<() => unknown>>> = {
      'every connection is cut': async () => {
        proxy.cutAll();
        return () => {};
      },
      'every connection falls silent': async () => {
        proxy.silenceAll();
        return () => {};
      },
      'every tenth answer is cut': async () => {
        proxy.inject({ kind: 'cutInAnswer', of: ['search', 'modify'], bytes: 7 }, inFlight / 10);
        return () => proxy.heal();
      },
      'connections are refused': async () => {
        await proxy.refuse();
        return () => proxy.accept();
      },
    };

    it.each(Object.keys(outages))(
      '%s: each read is right or 503, in time, and right when asked again',
      async (name) => {
        const seen = proxy.seen.length;
        const running = users.map(({ id }) => timed(gateway.request('GET', `/Users/${id}`)));
        await untilSeen(proxy, seen + 5);
        const mend = await outages[name]?.();
        const answers = await Promise.all(running);
        await mend?.();
        for (const [index, { answer, tookMs }] of answers.entries()) {
          expect(tookMs).toBeLessThan(deadlineMs);
          if (isRightOrUnavailable(answer, [200])) expect(answer.body).toMatchObject(users[index] ?? {});
        }
        const again = await Promise.all(
          users.map(({ id }) => untilAvailable(() => gateway.request('GET', `/Users/${id}`))),
        );
        expect(again.map(({ body }) => body.userName)).toEqual(users.map(({ userName }) => userName));
      },
    );

    it.each(Object.keys(outages))('%s: each new member is in the group once, or was 503', async (name) => {
      const group = await untilAvailable(() =>
        gateway.request('POST', '/Groups', { body: { schemas: [groupSchema], displayName: `When ${name}` } }),
      );
      expect(group.status, group.text).toBe(201);
      const path = `/Groups/${group.body.id}`;
      const add = (value: string) => () =>
        gateway.request('PATCH', path, {
          body: { schemas: [patchSchema], Operations: [{ op: 'add', path: 'members', value: [{ value }] }] },
        });
      const seen = proxy.seen.length;
      const running = users.map(({ id }) => timed(add(id)()));
      await untilSeen(proxy, seen + 5);
      const mend = await outages[name]?.();
      const answers = await Promise.all(running);
      await mend?.();
      const done: string[] = [];
      for (const [index, { answer, tookMs }] of answers.entries()) {
        expect(tookMs).toBeLessThan(deadlineMs);
        if (isRightOrUnavailable(answer, [200, 204])) done.push(users[index]?.id ?? '');
      }
      const membersNow = async (): Promise<readonly (string | undefined)[]> =>
        (await untilAvailable(() => gateway.request('GET', path))).body.members?.map(({ value }) => value) ?? [];
      expect(await membersNow()).toEqual(expect.arrayContaining(done));
      const again = await Promise.all(users.map(({ id }) => untilAvailable(add(id))));
      for (const { status, text } of again) expect([200, 204], text).toContain(status);
      expect([...(await membersNow())].sort()).toEqual(users.map(({ id }) => id).sort());
    });

    it('an import is whole or 503, never cut short', async () => {
      const list = () => gateway.request('GET', '/Users', { query: { count: 1000 } });
      const injected = proxy.inject({ kind: 'cutInAnswer', of: ['search'], bytes: 20 }, 3);
      const first = await list();
      if (first.status === 503) expectUnavailable(first);
      else expect(first.body.Resources).toHaveLength(inFlight);
      expect(injected.hits).toBeGreaterThan(0);
      proxy.heal();
      const { body, text } = await untilAvailable(list);
      expect(body.totalResults, text).toBe(inFlight);
      expect(body.Resources).toHaveLength(inFlight);
    });

    it('nothing was sent in clear text, before a bind or anonymously', () => {
      expect(proxy.violations()).toEqual([]);
    });
  });
}

/** Waits until the proxy has seen so many operations, so that requests are really under way. */
async function untilSeen(proxy: FaultProxy, count: number): Promise<void> {
  for (let turn = 0; proxy.seen.length < count && turn < 10_000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
