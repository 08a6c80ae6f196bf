import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../gateway.js';
import { describeOnLdap, startLdap } from './available.js';
import { startDirectoryGateway } from './directory-gateway.js';
import type { LdapKind, LdapServer } from './ldap-server.js';
import { expectUnavailable, skipTime, timed, untilAvailable } from './outage.js';
import { violationsInLog } from './server-log.js';

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
/** The gateway's time for one operation is 1 s, for connecting as well; a read is tried twice. */
const adapterLines = ['timeoutMs: 1000', 'connectTimeoutMs: 1000'];
const deadlineMs = 6_000;
/** So long the guard spares a backend that fails. */
const sparedMs = 10_000;

/** The directory is stopped, crashes, freezes or is not there yet: 503 while it is away, and nothing lost. */
export async function describeOutage(kind: LdapKind): Promise<void> {
  await describeOnLdap(kind, 'the directory goes away', () => {
    let directory: LdapServer;
    let server: TestServer;
    let gateway: TestGateway;
    let userId: string;
    let groupId: string;

    beforeAll(async () => {
      directory = await startLdap(kind, { logOperations: true });
      server = await startDirectoryGateway(directory, { adapterLines });
      gateway = await server.gateway();
      const user = await gateway.request('POST', '/Users', {
        body: { schemas: [userSchema], userName: 'kept@example.org', name: { familyName: 'Kept' } },
      });
      const group = await gateway.request('POST', '/Groups', {
        body: { schemas: [groupSchema], displayName: 'Kept', members: [{ value: user.body.id }] },
      });
      expect([user.status, group.status], user.text + group.text).toEqual([201, 201]);
      userId = user.body.id;
      groupId = group.body.id;
    });
    afterAll(async () => {
      await server?.close();
      await directory?.close();
    });

    const everyOperation = (): readonly Parameters<TestGateway['request']>[] => [
      ['GET', `/Users/${userId}`],
      ['GET', '/Users', { query: { filter: 'userName eq "kept@example.org"' } }],
      ['GET', '/Users', { query: { filter: 'userName eq "nobody@example.org"' } }],
      ['GET', '/Users', { query: { count: 10 } }],
      ['GET', `/Groups/${groupId}`],
      ['POST', '/Users', { body: { schemas: [userSchema], userName: 'late@example.org' } }],
      ['PUT', `/Users/${userId}`, { body: { schemas: [userSchema], userName: 'kept@example.org' } }],
      ['PATCH', `/Users/${userId}`, { body: patch({ op: 'replace', path: 'title', value: 'Late' }) }],
      ['PATCH', `/Groups/${groupId}`, { body: patch({ op: 'remove', path: 'members' }) }],
      ['DELETE', `/Users/${userId}`],
      ['DELETE', `/Groups/${groupId}`],
    ];

    const everythingIsUnavailable = async (): Promise<void> => {
      const answers = await Promise.all(everyOperation().map((request) => timed(gateway.request(...request))));
      for (const { answer, tookMs } of answers) {
        expectUnavailable(answer);
        expect(tookMs).toBeLessThan(deadlineMs);
      }
    };

    const nothingIsLost = async (): Promise<void> => {
      skipTime(sparedMs);
      const user = await untilAvailable(() => gateway.request('GET', `/Users/${userId}`));
      expect(user.body, user.text).toMatchObject({ id: userId, userName: 'kept@example.org' });
      expect(user.body.title).toBeUndefined();
      const group = await untilAvailable(() => gateway.request('GET', `/Groups/${groupId}`));
      expect(group.body.members, group.text).toMatchObject([{ value: userId }]);
      const late = await untilAvailable(() =>
        gateway.request('GET', '/Users', { query: { filter: 'userName eq "late@example.org"' } }),
      );
      expect(late.body.totalResults, late.text).toBe(0);
    };

    it.each([
      ['is stopped', () => directory.stop()],
      ['crashes', () => directory.kill()],
    ] as const)(
      'everything is 503 with Retry-After while the server %s, and as before once it is back',
      async (_, end) => {
        await end();
        await everythingIsUnavailable();
        await directory.restart();
        await nothingIsLost();
      },
    );

    it('a restart between two requests is not seen', async () => {
      expect((await untilAvailable(() => gateway.request('GET', `/Users/${userId}`))).status).toBe(200);
      await directory.restart();
      const [read, changed] = [
        await gateway.request('GET', `/Users/${userId}`),
        await gateway.request('PATCH', `/Users/${userId}`, {
          body: patch({ op: 'replace', path: 'displayName', value: 'Kept' }),
        }),
      ];
      expect(read.status, read.text).toBe(200);
      expect([200, 204], changed.text).toContain(changed.status);
    });

    it('a server that freezes is 503 within the deadline; reads are right when it goes on', async () => {
      directory.pause();
      try {
        const requests = everyOperation().filter(([method]) => method === 'GET');
        const answers = await Promise.all(requests.map((request) => timed(gateway.request(...request))));
        for (const { answer, tookMs } of answers) {
          expectUnavailable(answer);
          expect(tookMs).toBeLessThan(deadlineMs);
        }
      } finally {
        directory.resume();
      }
      await nothingIsLost();
    });

    it('a gateway that starts without its directory answers 503, and works once it is there', async () => {
      await directory.stop();
      const other = await startDirectoryGateway(directory, { adapterLines });
      try {
        const early = await other.gateway();
        expectUnavailable(await early.request('GET', `/Users/${userId}`));
        await directory.restart();
        const answer = await untilAvailable(() => early.request('GET', `/Users/${userId}`));
        expect(answer.body, answer.text).toMatchObject({ userName: 'kept@example.org' });
      } finally {
        await other.close();
      }
    });

    it('by StartTLS nothing goes out in clear text either, over a restart', async () => {
      const other = await startDirectoryGateway(directory, {
        url: directory.urls.ldap,
        adapterLines: [...adapterLines, 'startTls: true'],
      });
      try {
        const started = await other.gateway();
        const read = () => started.request('GET', `/Users/${userId}`);
        expect((await untilAvailable(read)).status).toBe(200);
        await directory.kill();
        expectUnavailable(await read());
        await directory.restart();
        expect((await untilAvailable(read)).status).toBe(200);
      } finally {
        await other.close();
      }
    });

    it('the log of the server knows of nothing anonymous and nothing in clear text', () => {
      expect(directory.log()).toContain(kind === 'samba' ? 'simple bind/TLS' : 'BIND dn="cn=scim');
      expect(violationsInLog(directory)).toEqual([]);
    });
  });
}

function patch(...operations: readonly object[]): object {
  return { schemas: [patchSchema], Operations: operations };
}
