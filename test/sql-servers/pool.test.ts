import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { SqlConnection, SqlPool } from '../../adapters/sql/pool.js';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import { endConnections } from '../support/sql/end-connections.js';
import { native, openPool, rowsOf, sleepText, within } from '../support/sql/open-pool.js';
import type { SqlDatabase, SqlKind, SqlServer } from '../support/sql/sql-server.js';

const schemas: Readonly<Record<SqlKind, string>> = {
  postgresql: `CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, login varchar(20) NOT NULL CONSTRAINT login_key UNIQUE,
    age smallint CONSTRAINT old_enough CHECK (age > 0), boss bigint CONSTRAINT boss_is_there REFERENCES people);
    CREATE TABLE kinds (b boolean, s smallint, i integer, l bigint, n numeric(30,10), f double precision, t text, y bytea,
      z timestamptz, d timestamp, day date, u uuid, j jsonb);
    GRANT ALL ON ALL TABLES IN SCHEMA public TO scim`,
  mysql: `CREATE TABLE people (id bigint AUTO_INCREMENT PRIMARY KEY, login varchar(20) NOT NULL, age smallint,
    boss bigint, CONSTRAINT login_key UNIQUE (login), CONSTRAINT old_enough CHECK (age > 0), CONSTRAINT boss_is_there FOREIGN KEY (boss) REFERENCES people (id));
    CREATE TABLE kinds (b boolean, s smallint, i integer, l bigint, n numeric(30,10), f double precision, t text, y blob,
      z timestamp(6) NULL, d datetime(6), day date, u varchar(36), j json)`,
};

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'connections', () => {
    let server: SqlServer;
    let database: SqlDatabase;
    let pool: SqlPool;
    const insert = (connection: SqlConnection, login: string) =>
      connection.run({ text: native(kind, 'INSERT INTO people (login) VALUES (?)'), params: [login], name: 'insert' });
    const logins = async () => (await database.run('SELECT login FROM people ORDER BY login')).flat();

    beforeAll(async () => {
      server = await startSql(kind);
      database = await server.createDatabase(schemas[kind]);
      pool = await openPool(server, database, {
        pool: { connections: 4, waitMs: 300, idleMs: 60_000, maxAgeMs: 60_000 },
      });
    });
    afterAll(async () => {
      await pool?.close();
      await server?.close();
    });
    beforeEach(() => database.run('DELETE FROM people; DELETE FROM kinds'));

    it('values come as they were given: whole numbers as bigint, decimals and times as text, bytes as bytes', async () => {
      const given = [
        1n,
        -5n,
        70_000n,
        9_007_199_254_740_993n,
        '12345678901234567890.0123456789',
        0.1,
        "ö'\\%_\u{1F600}",
        Buffer.from([0, 255]),
      ];
      const columns = 'b, s, i, l, n, f, t, y';
      await pool.transaction(async (connection) => {
        const marks = given.map(() => '?').join(', ');
        await connection.run({ text: native(kind, `INSERT INTO kinds (${columns}) VALUES (${marks})`), params: given });
      }, within(5_000));
      const read = (name?: string) =>
        pool.read(
          (connection) =>
            connection.run({
              text: `SELECT ${columns} FROM kinds`,
              params: [],
              ...(name === undefined ? {} : { name }),
            }),
          within(5_000),
        );
      expect((await read()).rows).toEqual([given]);
      expect((await read('prepared')).rows).toEqual([given]);
    });

    it('times come in UTC and with all their digits', async () => {
      const text = native(kind, 'INSERT INTO kinds (z, d, day) VALUES (?, ?, ?)');
      const given = ['2026-03-29 01:30:00.123456', '2026-03-29 02:30:00.5', '0044-02-29'];
      const params = kind === 'postgresql' ? [`${given[0]}+00`, given[1] ?? '', given[2] ?? ''] : given;
      await pool.transaction((connection) => connection.run({ text, params }), within(5_000));
      const read = { text: 'SELECT z, d, day FROM kinds', params: [], name: 'times' };
      const { rows } = await pool.read((connection) => connection.run(read), within(5_000));
      const [z, d, day] = (rows[0] ?? []).map(String);
      expect([z, d?.replace(/0+$/, ''), day]).toEqual([params[0], '2026-03-29 02:30:00.5', '0044-02-29']);
    });

    it('a transaction that throws leaves nothing, and its error is passed on', async () => {
      const mine = new Error('mine');
      const work = async (connection: SqlConnection) => {
        await insert(connection, 'a');
        throw mine;
      };
      await expect(pool.transaction(work, within(5_000))).rejects.toBe(mine);
      expect(await logins()).toEqual([]);
    });

    it.each([
      ['unique', "INSERT INTO people (login) VALUES ('taken')", { constraint: 'login_key' }],
      ['notNull', 'INSERT INTO people (login) VALUES (NULL)', { column: 'login' }],
      ['check', "INSERT INTO people (login, age) VALUES ('b', -1)", { constraint: 'old_enough' }],
      ['foreignKey', "INSERT INTO people (login, boss) VALUES ('b', 99)", { constraint: 'boss_is_there' }],
      ['tooLong', "INSERT INTO people (login) VALUES ('123456789012345678901')", {}],
      ['outOfRange', "INSERT INTO people (login, age) VALUES ('b', 70000)", {}],
      ['invalid', "INSERT INTO people (login, age) VALUES ('b', 'secret')", {}],
      ['noSuchTable', 'SELECT 1 FROM peple', {}],
      ['noSuchColumn', 'SELECT lgin FROM people', {}],
    ] as const)('what the database refuses as "%s" is told without values', async (refused, text, names) => {
      await database.run("INSERT INTO people (login) VALUES ('taken')");
      const statement = pool.transaction((connection) => connection.run({ text, params: [] }), within(5_000));
      const error = (await statement.catch((thrown: unknown) => thrown)) as Error;
      expect(error).toMatchObject({ name: 'SqlRefusal', kind: refused, ...names });
      expect(error.message).not.toMatch(/taken|secret|70000/);
      expect(await logins()).toEqual(['taken']);
    });

    it('a failure inside of a transaction that was passed over does not become a success', async () => {
      const work = async (connection: SqlConnection) => {
        await insert(connection, 'a');
        await insert(connection, 'a').catch(() => undefined);
      };
      const outcome = await pool.transaction(work, within(5_000)).then(
        () => 'done',
        () => 'refused',
      );
      expect(outcome).toBe(kind === 'postgresql' ? 'refused' : 'done');
      expect(await logins()).toEqual(outcome === 'done' ? ['a'] : []);
    });

    it('of two transactions that lock each other out, both are carried out', async () => {
      await database.run("INSERT INTO people (login, age) VALUES ('a', 1), ('b', 1)");
      let met = 0;
      const raise = (first: string, second: string) =>
        pool.transaction(async (connection) => {
          const text = native(kind, 'UPDATE people SET age = age + 1 WHERE login = ?');
          await connection.run({ text, params: [first] });
          met++;
          const until = Date.now() + 5_000;
          while (met < 2 && Date.now() < until) await connection.run({ text: 'SELECT 1', params: [] });
          await connection.run({ text, params: [second] });
        }, within(20_000));
      await Promise.all([raise('a', 'b'), raise('b', 'a')]);
      expect(await database.run('SELECT age FROM people')).toEqual([[3], [3]]);
      expect(met).toBeGreaterThan(2);
    });

    it('an operation whose time is over ends, and so does what it had begun on the server', async () => {
      const started = performance.now();
      const slow = pool.transaction(async (connection) => {
        await insert(connection, 'late');
        await connection.run({ text: sleepText(kind, 60), params: [] });
      }, within(300));
      await expect(slow).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
      expect(performance.now() - started).toBeLessThan(3_000);
      await pool.transaction((connection) => insert(connection, 'late'), within(5_000));
      await expect.poll(() => sleeping(server), { timeout: 10_000 }).toBe(0);
      expect(await logins()).toEqual(['late']);
    });

    it('the server itself ends a statement that takes longer than it may', async () => {
      const impatient = await openPool(server, database, { statementTimeoutMs: 300 });
      const slow = impatient.read((connection) => rowsOf(connection, sleepText(kind, 30)), within(20_000));
      await expect(slow).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
      await impatient.check(within(5_000));
      await impatient.close();
    });

    it('what is under way when the pool is closed ends, and nothing begins any more', async () => {
      const closing = await openPool(server, database);
      const slow = closing.read((connection) => rowsOf(connection, sleepText(kind, 30)), within(20_000));
      const ended = expect(slow).rejects.toMatchObject({ kind: 'unavailable' });
      await expect.poll(() => sleeping(server), { timeout: 10_000 }).toBe(1);
      await closing.close();
      await ended;
      await expect(closing.check(within(5_000))).rejects.toMatchObject({ kind: 'unavailable' });
      await closing.close();
      await expect.poll(() => sleeping(server), { timeout: 10_000 }).toBe(0);
    });

    it('when all connections are in use, an operation waits a while and is then unavailable', async () => {
      const slow = Array.from({ length: 4 }, () =>
        pool.read((connection) => rowsOf(connection, sleepText(kind, 1)), within(10_000)),
      );
      await expect(pool.check(within(10_000))).rejects.toMatchObject({
        kind: 'unavailable',
        applied: 'no',
        retryAfterSeconds: 1,
      });
      await Promise.all(slow);
      await pool.check(within(5_000));
    });

    it('connections that a restart of the server or an administrator ended are replaced unseen', async () => {
      const all = () =>
        Promise.all(
          Array.from({ length: 4 }, () =>
            pool.read((connection) => rowsOf(connection, sleepText(kind, 0.1)), within(10_000)),
          ),
        );
      await all();
      await server.restart();
      await pool.transaction((connection) => insert(connection, 'a'), within(5_000));
      await all();
      await endConnections(server);
      await pool.transaction((connection) => insert(connection, 'b'), within(5_000));
      await all();
      await endConnections(server);
      expect(
        await pool.read((connection) => rowsOf(connection, 'SELECT login FROM people ORDER BY login'), within(5_000)),
      ).toEqual([['a'], ['b']]);
    });

    it('a connection that ends inside of a transaction leaves nothing of it, and says so', async () => {
      const work = async (connection: SqlConnection) => {
        await insert(connection, 'a');
        await endConnections(server);
        await insert(connection, 'b');
      };
      await expect(pool.transaction(work, within(5_000))).rejects.toMatchObject({ kind: 'unavailable', applied: 'no' });
      expect(await logins()).toEqual([]);
    });

    it('prepared statements that a change of the table has made outdated are prepared anew, unseen', async () => {
      await database.run("INSERT INTO people (login) VALUES ('a')");
      const all = { text: 'SELECT * FROM people', params: [], name: 'everything' };
      const widths = async () => {
        const reads = Array.from({ length: 4 }, () => pool.read((connection) => connection.run(all), within(10_000)));
        return (await Promise.all(reads)).map(({ rows }) => rows[0]?.length);
      };
      expect(await widths()).toEqual([4, 4, 4, 4]);
      await database.run('ALTER TABLE people ADD COLUMN more integer');
      expect(await widths()).toEqual([5, 5, 5, 5]);
      await database.run('ALTER TABLE people DROP COLUMN more');
      const { rows } = await pool.transaction((connection) => connection.run(all), within(10_000));
      expect(rows[0]).toHaveLength(4);
    });

    it('a server that is not there is unavailable at once; an account that it does not know is denied', async () => {
      const wrong = await openPool(server, database, { password: 'wrong' });
      await expect(wrong.check(within(5_000))).rejects.toMatchObject({ kind: 'denied' });
      await wrong.close();
      const nobody = await openPool(server, { ...database, url: database.url.replace(/:\d+\//, ':1/') });
      await expect(nobody.check(within(5_000))).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: 1 });
      await nobody.close();
    });
  });
}

await describeOnSql('postgresql', 'behind a pooler', () => {
  it('nothing is prepared, and values come as otherwise', async () => {
    const server = await startSql('postgresql');
    try {
      const database = await server.createDatabase();
      const pool = await openPool(server, database, { preparedStatements: false });
      const ask = {
        text: "SELECT $1::text, $2::bigint, '2026-07-01 12:00:00+02'::timestamptz",
        params: ['a', 7n],
        name: 'ask',
      };
      const answers = await pool.transaction(
        async (connection) => [
          (await connection.run(ask)).rows,
          (await connection.run({ text: 'SELECT count(*) FROM pg_prepared_statements', params: [] })).rows,
        ],
        within(5_000),
      );
      expect(answers).toEqual([[['a', 7n, '2026-07-01 10:00:00+00']], [[0n]]]);
      await pool.close();
    } finally {
      await server.close();
    }
  });
});

async function sleeping(server: SqlServer): Promise<number> {
  const text =
    server.kind === 'postgresql'
      ? "SELECT count(*)::integer FROM pg_stat_activity WHERE usename = 'scim' AND query LIKE '%pg_sleep%' AND state = 'active'"
      : "SELECT count(*) FROM information_schema.processlist WHERE user = 'scim' AND info LIKE '%sleep%'";
  return Number((await server.administer(text))[0]?.[0]);
}
