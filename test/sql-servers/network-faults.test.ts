import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { SqlConnection, SqlPool } from '../../adapters/sql/pool.js';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import { native, openPool, rowsOf, within } from '../support/sql/open-pool.js';
import type { SqlDatabase, SqlServer } from '../support/sql/sql-server.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../support/tcp-fault-proxy.js';

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'the network between gateway and database', () => {
    let server: SqlServer;
    let database: SqlDatabase;
    let proxy: TcpFaultProxy;
    let pool: SqlPool;
    // As the protocols put it on the wire, so that READ COMMITTED is another text.
    const commit = kind === 'postgresql' ? 'COMMIT\0' : '\u0003COMMIT';
    const put = (login: string, ms = 5_000) =>
      pool.transaction(async (connection: SqlConnection) => {
        await connection.run({ text: 'SELECT count(*) FROM people', params: [] });
        const text = native(kind, 'INSERT INTO people (login) VALUES (?)');
        await connection.run({ text, params: [login] });
      }, within(ms));
    const logins = () => database.run('SELECT login FROM people ORDER BY login').then((rows) => rows.flat());
    const read = (ms = 5_000) => pool.read((connection) => rowsOf(connection, 'SELECT login FROM people'), within(ms));

    beforeAll(async () => {
      server = await startSql(kind);
      database = await server.createDatabase(
        `CREATE TABLE people (login varchar(20) PRIMARY KEY)${kind === 'postgresql' ? '; GRANT ALL ON people TO scim' : ''}`,
      );
      proxy = await startTcpFaultProxy(server);
    });
    afterAll(async () => {
      await proxy?.close();
      await server?.close();
    });
    beforeEach(async () => {
      await database.run('DELETE FROM people');
      const url = database.url.replace(/:\d+\//, `:${proxy.port}/`);
      pool = await openPool(server, { ...database, url }, { connectTimeoutMs: 1_000 });
      await pool.check(within(5_000)); // One connection is open, and was used.
    });
    afterEach(async () => {
      proxy.heal();
      await pool.close();
    });

    it('when the answer to COMMIT is lost, what became of the change is said to be unknown', async () => {
      proxy.inject({ when: commit, kind: 'loseAnswer', by: 'cut' });
      await expect(put('a')).rejects.toMatchObject({ kind: 'unavailable', applied: 'unknown' });
      await expect.poll(logins).toEqual(['a']);
      proxy.inject({ when: commit, kind: 'loseRequest', by: 'cut' });
      await expect(put('b')).rejects.toMatchObject({ kind: 'unavailable', applied: 'unknown' });
      expect(await logins()).toEqual(['a']);
      await put('c');
      expect(await logins()).toEqual(['a', 'c']);
    });

    it('when nothing is heard after COMMIT, the operation ends in time and its outcome is unknown', async () => {
      proxy.inject({ when: commit, kind: 'loseAnswer', by: 'silence' });
      await expect(put('a', 500)).rejects.toMatchObject({ kind: 'timeout', applied: 'unknown' });
      await expect.poll(logins).toEqual(['a']);
    });

    it('a connection that breaks before COMMIT leaves nothing, and it is known', async () => {
      proxy.inject({ when: 'INSERT INTO people', kind: 'cutInAnswer', bytes: 3, by: 'cut' });
      await expect(put('a')).rejects.toMatchObject({ kind: 'unavailable', applied: 'no' });
      proxy.inject({ when: 'INSERT INTO people', kind: 'loseAnswer', by: 'silence' });
      await expect(put('b', 500)).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
      await put('c');
      expect(await logins()).toEqual(['c']);
    });

    it.each([
      ['as a transaction begins', kind === 'postgresql' ? 'BEGIN' : 'START TRANSACTION', 'loseRequest'],
      ['with its first statement', 'SELECT count', 'cutInAnswer'],
    ] as const)('a connection that is found broken %s is replaced unseen', async (_, when, what) => {
      const fault = proxy.inject({ when, kind: what, by: 'cut', bytes: 3 });
      await put('a');
      expect(fault.hits).toBe(1);
      expect(await logins()).toEqual(['a']);
    });

    it('a read whose answer is cut is asked again on another connection', async () => {
      await put('a');
      const fault = proxy.inject({ when: 'SELECT login', kind: 'cutInAnswer', bytes: 9, by: 'cut' });
      expect(await read()).toEqual([['a']]);
      expect(fault.hits).toBe(1);
    });

    it('a server that nothing is heard of holds nobody longer than the request may take, and works when it is back', async () => {
      proxy.blackHole();
      const started = performance.now();
      const outcomes = await Promise.all(
        [read(700), put('a', 700), pool.check(within(700)), ...Array.from({ length: 20 }, () => read(700))].map(
          (work) =>
            work.then(
              () => 'done',
              (error: { kind: string; applied: string }) => `${error.kind} ${error.applied}`,
            ),
        ),
      );
      expect(performance.now() - started).toBeLessThan(2_500);
      expect(new Set(outcomes)).toEqual(new Set(['timeout no']));
      proxy.heal();
      await expect
        .poll(
          () =>
            put('b').then(
              () => 'done',
              () => 'not yet',
            ),
          { timeout: 10_000 },
        )
        .toBe('done');
      expect(await logins()).toEqual(['b']);
    });

    it('a server that refuses connections is unavailable at once, and is found again when it is back', async () => {
      await proxy.refuse();
      for (let tries = 0; tries < 5; tries++) {
        const started = performance.now();
        await expect(read()).rejects.toMatchObject({ kind: 'unavailable', applied: 'no' });
        expect(performance.now() - started).toBeLessThan(1_500);
      }
      await proxy.accept();
      await expect
        .poll(
          () =>
            read().then(
              () => 'done',
              () => 'not yet',
            ),
          { timeout: 10_000 },
        )
        .toBe('done');
    });
  });
}
