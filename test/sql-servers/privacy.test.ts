import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import type { SqlDatabase, SqlServer } from '../support/sql/sql-server.js';
import { startTablesGateway, tablesSchema } from '../support/sql/tables-gateway.js';

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
/** What a database repeats in its messages. */
const value = 'Geheim-4711';

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'what a database says of values', () => {
    let sql: SqlServer;
    let database: SqlDatabase;
    let server: TestServer;
    let gateway: TestGateway;
    const create = (userName: string, more: object = {}) =>
      gateway.request('POST', '/Users', { body: { schemas: [userSchema], userName, ...more } });

    beforeAll(async () => {
      sql = await startSql(kind);
      database = await sql.createDatabase(tablesSchema[kind]);
      server = await startTablesGateway(sql, database);
      gateway = await server.gateway();
      await database.run('ALTER TABLE users ADD CONSTRAINT no_secret CHECK (title IS NULL OR length(title) < 20)');
    });
    afterAll(async () => {
      await server?.close();
      await sql?.close();
    });

    it('stands neither in answers nor in the log nor in the record of requests', async () => {
      const answers = [
        await create(`${value}@example.org`),
        await create(`${value}@example.org`),
        await create(`b${value}`, { title: `${value} is longer than twenty` }),
        await create(`c${value}`, { displayName: `${value}${'x'.repeat(300)}\0` }),
        await gateway.request('GET', `/Users/${value}`),
      ];
      expect(answers.map(({ status }) => status).slice(0, 3)).toEqual([201, 409, 400]);
      for (const { text } of answers.slice(1)) expect(text).not.toContain(value);
      await database.run('ALTER TABLE users DROP COLUMN title');
      expect((await create(`d${value}`, { title: value })).status).toBe(503);
      await sql.stop();
      expect((await create(`e${value}`)).status).toBe(503);
      expect(server.log()).not.toContain(value);
      expect(server.log()).not.toContain(sql.password);
      for (const file of readdirSync(server.dataDir, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue;
        const bytes = readFileSync(join(file.parentPath, file.name));
        expect(bytes.includes(value), file.name).toBe(false);
        expect(bytes.includes(sql.password), file.name).toBe(false);
      }
    });
  });
}
