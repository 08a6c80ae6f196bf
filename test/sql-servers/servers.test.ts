import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import type { SqlServer } from '../support/sql/sql-server.js';

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'a server of the tests', () => {
    let server: SqlServer;
    beforeAll(async () => {
      server = await startSql(kind);
    });
    afterAll(() => server?.close());

    it('gives each test an empty database, and keeps it over a restart and a crash', async () => {
      const one = await server.createDatabase('CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2)');
      const other = await server.createDatabase();
      expect(await one.run('SELECT a FROM t ORDER BY a')).toEqual([[1], [2]]);
      await expect(other.run('SELECT a FROM t')).rejects.toThrow();
      await server.restart();
      expect(await one.run('SELECT 7; SELECT max(a) FROM t')).toEqual([[2]]);
      await server.kill();
      await expect(one.run('SELECT 1')).rejects.toThrow();
      await server.restart();
      expect(await one.run('SELECT max(a) FROM t')).toEqual([[2]]);
      await one.drop();
      await expect(one.run('SELECT 1')).rejects.toThrow();
    });
  });
}

await describeOnSql('postgresql', 'accounts of the tests', () => {
  it('the account needs its password', async () => {
    const server = await startSql('postgresql');
    try {
      const { host, port, user } = server;
      const client = new pg.Client({ host, port, user, password: 'wrong', database: 'postgres' });
      await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
    } finally {
      await server.close();
    }
  });
});
