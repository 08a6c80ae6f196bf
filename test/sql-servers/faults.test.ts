import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Answer, TestGateway, TestServer } from '../support/gateway.js';
import { expectUnavailable, isRightOrUnavailable, skipTime, timed, untilAvailable } from '../support/ldap/outage.js';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import { endConnections } from '../support/sql/end-connections.js';
import type { SqlDatabase, SqlServer } from '../support/sql/sql-server.js';
import { startTablesGateway, tablesSchema } from '../support/sql/tables-gateway.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../support/tcp-fault-proxy.js';

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const requestSeconds = 3;
/** An answer comes within the request's time, and a little for a machine that is busy. */
const deadlineMs = requestSeconds * 1_000 + 3_000;
/** So long the guard spares a backend that fails. */
const sparedMs = 10_000;

/** The other tests' servers are quicker, and forget the last moment in a crash. */
const keepingCommits = {
  postgresql: { synchronous_commit: 'on' },
  mysql: { 'innodb-flush-log-at-trx-commit': 2 },
} as const;

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'the database goes away', () => {
    let sql: SqlServer;
    let database: SqlDatabase;
    let proxy: TcpFaultProxy;
    let server: TestServer;
    let gateway: TestGateway;
    let userId: string;
    let groupId: string;

    beforeAll(async () => {
      sql = await startSql(kind, { settings: keepingCommits[kind] });
      database = await sql.createDatabase(tablesSchema[kind]);
      proxy = await startTcpFaultProxy(sql);
      const adapterLines = ['connectTimeoutMs: 1000', 'pool: { connections: 4, waitMs: 1500 }'];
      server = await startTablesGateway(sql, database, { port: proxy.port, adapterLines, requestSeconds });
      gateway = await server.gateway();
      const user = await gateway.request('POST', '/Users', { body: person('kept@example.org') });
      const group = await gateway.request('POST', '/Groups', {
        body: { schemas: [groupSchema], displayName: 'Kept', members: [{ value: user.body.id }] },
      });
      expect([user.status, group.status], user.text + group.text).toEqual([201, 201]);
      userId = user.body.id;
      groupId = group.body.id;
    });
    afterAll(async () => {
      await server?.close();
      await proxy?.close();
      await sql?.close();
    });
    beforeEach(async () => {
      proxy.heal();
      skipTime(sparedMs);
      await untilAvailable(() => gateway.request('GET', `/Users/${userId}`));
    });

    const everyOperation = (): readonly Parameters<TestGateway['request']>[] => [
      ['GET', `/Users/${userId}`],
      ['GET', '/Users', { query: { filter: 'userName eq "kept@example.org"' } }],
      ['GET', '/Users', { query: { filter: 'userName eq "nobody@example.org"' } }],
      ['GET', '/Users', { query: { count: 10 } }],
      ['GET', `/Groups/${groupId}`],
      ['POST', '/Users', { body: person('late@example.org') }],
      ['PUT', `/Users/${userId}`, { body: person('kept@example.org') }],
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
      expect(await database.run("SELECT user_name FROM users WHERE user_name LIKE 'late%'")).toEqual([]);
    };

    it.each([
      ['is stopped', () => sql.stop(), () => sql.restart()],
      ['crashes', () => sql.kill(), () => sql.restart()],
      ['refuses connections', () => proxy.refuse(), () => proxy.accept()],
    ] as const)(
      'everything is 503 with Retry-After while the server %s, and as before once it is back',
      async (_, end, back) => {
        await end();
        await everythingIsUnavailable();
        await back();
        await nothingIsLost();
      },
    );

    it.each([
      ['freezes', () => sql.pause(), () => sql.resume()],
      ['is behind a network that swallows everything', () => proxy.blackHole(), () => proxy.heal()],
    ] as const)(
      'everything is 503 within its time while the server %s; reads are right when it goes on',
      async (_, end, back) => {
        end();
        try {
          const reads = everyOperation().filter(([method]) => method === 'GET');
          const answers = await Promise.all(reads.map((request) => timed(gateway.request(...request))));
          for (const { answer, tookMs } of answers) {
            expectUnavailable(answer);
            expect(tookMs).toBeLessThan(deadlineMs);
          }
        } finally {
          back();
        }
        await nothingIsLost();
      },
    );

    it('a restart between two requests, and connections that an administrator ended, are not seen', async () => {
      const bothWork = async (): Promise<void> => {
        const read = await gateway.request('GET', `/Users/${userId}`);
        const body = patch({ op: 'replace', path: 'displayName', value: `Kept ${Math.random()}` });
        const changed = await gateway.request('PATCH', `/Users/${userId}`, { body });
        expect([read.status, changed.status], read.text + changed.text).toEqual([200, 200]);
      };
      await sql.restart();
      await bothWork();
      await endConnections(sql);
      await bothWork();
      proxy.cutAll();
      await bothWork();
    });

    it('when rows are locked by somebody else, requests wait for a while, are 503, and others go on afterwards', async () => {
      const release = await lockUsers(database, kind);
      try {
        const writes = Array.from({ length: 12 }, (_, index) =>
          timed(gateway.request('POST', '/Users', { body: person(`late${index}@example.org`) })),
        );
        for (const { answer, tookMs } of await Promise.all(writes)) {
          expectUnavailable(answer);
          expect(tookMs).toBeLessThan(deadlineMs);
        }
      } finally {
        await release();
      }
      await nothingIsLost();
    });

    it('a gateway that starts without its database answers 503, and works once it is there', async () => {
      await sql.stop();
      const other = await startTablesGateway(sql, database, {
        adapterLines: ['connectTimeoutMs: 1000'],
        requestSeconds,
      });
      try {
        const early = await other.gateway();
        expectUnavailable(await early.request('GET', `/Users/${userId}`));
        await sql.restart();
        skipTime(sparedMs);
        const answer = await untilAvailable(() => early.request('GET', `/Users/${userId}`));
        expect(answer.body, answer.text).toMatchObject({ userName: 'kept@example.org' });
      } finally {
        await other.close();
      }
    });

    it.each([
      ['the database is restarted', () => sql.restart()],
      ['the database crashes', () => sql.kill().then(() => sql.restart())],
      ['an administrator ends all connections', () => endConnections(sql)],
      ['the network cuts all connections', async () => proxy.cutAll()],
    ] as const)(
      'under load, while %s: what was answered is there once, and nothing else but what is not known',
      async (what, happen) => {
        const name = (index: number) => `${what.replaceAll(' ', '-')}-${index}@example.org`;
        const answers: (readonly [userName: string, answer: Answer])[] = [];
        let isOver = false;
        let next = 0;
        const callers = Array.from({ length: 8 }, async () => {
          while (!isOver) {
            const userName = name(next++);
            answers.push([userName, await gateway.request('POST', '/Users', { body: person(userName) })]);
          }
        });
        await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(20);
        await happen();
        const enough = answers.length + 20;
        await expect
          .poll(
            () => {
              skipTime(1_000);
              return answers.filter(([, { status }]) => status === 201).length;
            },
            { timeout: 20_000 },
          )
          .toBeGreaterThan(Math.min(enough, 40) / 2);
        isOver = true;
        await Promise.all(callers);
        const there = (await database.run('SELECT user_name FROM users')).flat();
        expect(new Set(there).size).toBe(there.length);
        const made = answers.filter(([, answer]) => isRightOrUnavailable(answer, [201])).map(([userName]) => userName);
        expect(there).toEqual(expect.arrayContaining(made));
        // A caller asks again after 503, and learns that it is there.
        for (const [userName] of answers.filter(([, { status }]) => status === 503)) {
          const again = await untilAvailable(() => gateway.request('POST', '/Users', { body: person(userName) }));
          expect([201, 409], again.text).toContain(again.status);
        }
        const rows = await database.run('SELECT user_name FROM users');
        for (const [userName] of answers) expect(rows.filter(([each]) => each === userName)).toHaveLength(1);
      },
    );

    it('when the answer to COMMIT is lost, the caller is told 503 and nothing is tried twice; the next try finds out', async () => {
      const commit = kind === 'postgresql' ? 'COMMIT\0' : '\u0003COMMIT';
      for (const lost of ['loseAnswer', 'loseRequest'] as const) {
        const fault = proxy.inject({ when: commit, kind: lost, by: 'cut' });
        const body = person(`commit-${lost}@example.org`);
        expectUnavailable(await gateway.request('POST', '/Users', { body }));
        expect(fault.hits).toBe(1);
        const again = await untilAvailable(() => gateway.request('POST', '/Users', { body }));
        expect(again.status, again.text).toBe(lost === 'loseAnswer' ? 409 : 201);
      }
      const rows = await database.run("SELECT user_name FROM users WHERE user_name LIKE 'commit%' ORDER BY user_name");
      expect(rows).toEqual([['commit-loseAnswer@example.org'], ['commit-loseRequest@example.org']]);
    });

    it('answers that are cut in the middle are asked for again, or 503', async () => {
      for (const bytes of [1, 40, 120]) {
        proxy.inject({ when: 'SELECT', kind: 'cutInAnswer', bytes, by: 'cut' });
        const read = await gateway.request('GET', '/Users', { query: { filter: 'userName eq "kept@example.org"' } });
        if (isRightOrUnavailable(read, [200])) expect(read.body.Resources?.map(({ id }) => id)).toEqual([userId]);
        proxy.inject({ when: 'UPDATE', kind: 'cutInAnswer', bytes, by: 'cut' });
        const body = patch({ op: 'replace', path: 'displayName', value: `Cut at ${bytes}` });
        const changed = await gateway.request('PATCH', `/Users/${userId}`, { body });
        if (isRightOrUnavailable(changed, [200])) expect(changed.body.displayName).toBe(`Cut at ${bytes}`);
        proxy.heal();
      }
      await nothingIsLost();
    });

    it('of 50 pairs that want one name at the same time, exactly one each gets it', async () => {
      const pairs = await Promise.all(
        Array.from({ length: 50 }, (_, index) => {
          const create = (userName: string) => gateway.request('POST', '/Users', { body: person(userName) });
          return Promise.all([create(`pair${index}@example.org`), create(`PAIR${index}@example.org`)]);
        }),
      );
      for (const pair of pairs) {
        expect(pair.map(({ status }) => status).sort(), pair.map(({ text }) => text).join()).toEqual([201, 409]);
        expect(pair.find(({ status }) => status === 409)?.body.scimType).toBe('uniqueness');
      }
      expect(await database.run("SELECT count(*) FROM users WHERE lower(user_name) LIKE 'pair%'")).toMatchObject([
        [expect.toSatisfy((count) => Number(count) === 50)],
      ]);
    });
  });
}

function person(userName: string): object {
  return { schemas: [userSchema], userName };
}

function patch(...operations: readonly object[]): object {
  return { schemas: [patchSchema], Operations: operations };
}

/** Another application keeps the table to itself. @returns call to end it */
async function lockUsers(database: SqlDatabase, kind: SqlServer['kind']): Promise<() => Promise<unknown>> {
  const lock =
    kind === 'postgresql'
      ? 'LOCK TABLE users IN EXCLUSIVE MODE; SELECT pg_sleep(20)'
      : 'LOCK TABLES users WRITE; SELECT sleep(20)';
  const session = database
    .run(kind === 'postgresql' ? `BEGIN; ${lock}; COMMIT` : `${lock}; UNLOCK TABLES`)
    .catch(() => undefined);
  await delay(300);
  return async () => {
    await database.run(
      kind === 'postgresql'
        ? "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'administrator' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
        : "SELECT group_concat(concat('KILL ', id) SEPARATOR ';') INTO @kill FROM information_schema.processlist WHERE info LIKE '%sleep(20)%' AND id <> connection_id(); EXECUTE IMMEDIATE @kill",
    );
    await session;
  };
}
