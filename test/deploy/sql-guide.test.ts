import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mysqlConfigSchema } from '../../adapters/sql/mysql/config.js';
import { postgresqlConfigSchema } from '../../adapters/sql/postgresql/config.js';
import { runInitCli } from '../cli/init-cli.js';
import { repositoryRoot } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import type { SqlServer } from '../support/sql/sql-server.js';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const guide = readFileSync(join(repositoryRoot, 'docs/backends/sql.md'), 'utf8');
const password = 'choose-one';

/** Statements of the guide: `PostgreSQL: tables`. */
function statements(title: string): string {
  const found = new RegExp(`\`\`\`sql\\n-- ${title}\\n(.*?)\`\`\``, 's').exec(guide)?.[1];
  if (found === undefined) throw new Error(`The guide has no statements "${title}".`);
  return found;
}

describe('docs/configuration.md', () => {
  it('names every key of an adapter for tables on a server', () => {
    const text = readFileSync(join(repositoryRoot, 'docs/configuration.md'), 'utf8');
    for (const { properties } of [postgresqlConfigSchema, mysqlConfigSchema]) {
      const { type: _, ...keys } = properties;
      const below = { ...keys.tls.properties, ...keys.pool.properties };
      for (const key of [...Object.keys(keys), ...Object.keys(below)]) expect(text, key).toContain(`\`${key}\``);
    }
  });
});

/** What the guide promises of its tables and rights. @param init the arguments of `init sql` */
function describeGuide(init: (folder: string) => Promise<readonly string[]>): void {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-sql-guide-'));
  const file = join(folder, 'gateway.yaml');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('its commands lead to a gateway, and no index is missing', async () => {
    const made = await runInitCli('init', 'sql', ...(await init(folder)), '--out', file);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).not.toMatch(/must have a value|unique|quick/i);
    const checked = await runInitCli('check', '--connect', file);
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout).toContain('no errors');
    // Of letters beyond A–Z the guide tells itself.
    const others = checked.stdout.split('\n').filter((line) => line.includes('warning:') && !line.includes('beyond'));
    expect(others).toEqual([]);
  });

  it('its rights suffice for everything that an identity provider does', async () => {
    const server = await startServer({ config: readFileSync(file, 'utf8'), baseDir: folder });
    try {
      const scim = await server.gateway();
      const create = async (type: 'User' | 'Group', body: object): Promise<string> => {
        const answer = await scim.request('POST', `/${type}s`, { body: { schemas: [`${core}:${type}`], ...body } });
        expect(answer.status, answer.text).toBe(201);
        return answer.body.id;
      };
      const patch = async (path: string, ...operations: readonly object[]): Promise<void> => {
        const body = { schemas: [patchSchema], Operations: operations };
        const answer = await scim.request('PATCH', path, { body });
        expect([200, 204], answer.text).toContain(answer.status);
      };
      const boss = await create('User', { userName: 'boss@example.org', externalId: 'e-1' });
      const ann = await create('User', {
        userName: 'ann@example.org',
        emails: [
          { type: 'work', value: 'ann@example.org', primary: true },
          { type: 'home', value: 'ann@example.net' },
        ],
        [enterprise]: { manager: { value: boss }, department: 'Tours' },
      });
      const team = await create('Group', { displayName: 'Guides', members: [{ value: ann }, { value: boss }] });
      await patch(`/Users/${ann}`, {
        op: 'replace',
        path: 'emails[type eq "work"].value',
        value: 'ann.new@example.org',
      });
      await patch(`/Users/${ann}`, { op: 'replace', path: 'active', value: false }, { op: 'remove', path: 'title' });
      await patch(`/Groups/${team}`, { op: 'remove', path: `members[value eq "${boss}"]` });
      const found = await scim.request('GET', '/Users', { query: { filter: 'emails.value eq "ANN.new@example.org"' } });
      expect(found.body.Resources, found.text).toMatchObject([
        { id: ann, active: false, groups: [{ value: team }], [enterprise]: { manager: { value: boss } } },
      ]);
      expect(found.body.Resources?.[0]?.meta.version).toMatch(/^W\//);
      for (const path of [`/Users/${boss}`, `/Users/${ann}`, `/Groups/${team}`]) {
        expect((await scim.request('DELETE', path)).status).toBe(204);
      }
    } finally {
      await server.close();
    }
  });
}

const servers = { postgresql: 'PostgreSQL', mysql: 'MariaDB' } as const;

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'what the guide says', () => {
    let server: SqlServer;
    beforeAll(async () => {
      server = await startSql(kind);
    });
    afterAll(() => server?.close());
    describeGuide(async (folder) => {
      const database = await server.createDatabase(statements(`${servers[kind]}: tables`));
      await database.run(statements(`${servers[kind]}: account`).replaceAll('hr.', `${database.name}.`));
      writeFileSync(join(folder, 'password'), password);
      const url = database.url.replace(`${server.user}@`, 'scimbridge@');
      return [url, '--password-file', join(folder, 'password'), '--ca', server.caFile];
    });
  });
}

describe('SQLite: what the guide says', () => {
  describeGuide(async (folder) => {
    const db = new Database(join(folder, 'people.db'));
    db.exec(statements('SQLite: tables'));
    db.close();
    return [join(folder, 'people.db')];
  });
});
