import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInitCli } from '../cli/init-cli.js';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const patch = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

const config = (file: string): string => `
version: 1
adapters:
  hr:
    type: sqlite
    file: ${file}
    entities:
      people:
        table: users
        key: [tenant, number]
        fixed: { tenant: Müller & Co }
        version: v
        fields: { number: number, login: login }
      teams:
        table: teams
        key: [tenant, code]
        fixed: { tenant: Müller & Co }
        version: v
        fields: { title: title, members: { table: links, parent: [tenant, team], column: [tenant, person] } }
gateways:
  default:
    address: /scim
    resources:
      User:
        adapter: hr
        entity: people
        mapping:
          userName: { field: login, required: true, unique: true }
          externalId: { field: number, codec: numberText }
          groups: { field: groups, readOnly: true, reference: { to: [Group], inverseOf: Group.members } }
      Group:
        adapter: hr
        entity: teams
        mapping:
          displayName: { field: title, required: true }
          members: { field: members, reference: { to: [User] } }
`;

describe('a gateway over tables whose keys have several columns', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-tenants-'));
  const file = join(folder, 'gateway.yaml');
  let server: TestServer;
  let gateway: TestGateway;
  beforeAll(async () => {
    const db = new Database(join(folder, 'hr.db'));
    db.exec(`
      CREATE TABLE users (tenant TEXT, number INTEGER, login TEXT COLLATE NOCASE, v INTEGER, PRIMARY KEY (tenant, number), UNIQUE (tenant, login));
      CREATE TABLE teams (tenant TEXT, code TEXT, title TEXT, v INTEGER, PRIMARY KEY (tenant, code));
      CREATE TABLE links (tenant TEXT, team TEXT, person INTEGER, PRIMARY KEY (tenant, team, person),
        FOREIGN KEY (tenant, person) REFERENCES users);
      CREATE INDEX links_person ON links (tenant, person);
      INSERT INTO users VALUES ('other', 7, 'ada', 1), ('Müller & Co', 7, 'ada', 1);`);
    db.close();
    writeFileSync(file, config('./hr.db'));
    server = await startServer({ config: config('./hr.db'), baseDir: folder });
    gateway = await server.gateway();
  });
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  it('serves records by the text of all columns', async () => {
    const body = { schemas: [`${core}:User`], userName: 'bob', externalId: '8' };
    const created = await gateway.request('POST', '/Users', { body });
    expect(created.status, created.text).toBe(201);
    const id = 'M~C3~BCller~20~26~20Co.8';
    expect(created.body).toMatchObject({ id, userName: 'bob' });
    expect(created.headers.get('location')).toMatch(/\/Users\/M~C3~BCller~20~26~20Co\.8$/);
    expect((await gateway.request('GET', `/Users/${id}`)).body).toMatchObject({ id, externalId: '8' });
    expect((await gateway.request('GET', '/Users/other.7')).status).toBe(404);
    expect((await gateway.request('GET', '/Users/7')).status).toBe(404);
    const all = await gateway.request('GET', '/Users', { query: { sortBy: 'id', count: '10' } });
    expect(all.body).toMatchObject({ totalResults: 2 });
    for (const filter of [`id eq "${id}"`, 'id ew ".8"', `id eq "${id}" and userName sw "b"`]) {
      const found = await gateway.request('GET', '/Users', { query: { filter } });
      expect(
        found.body.Resources?.map((user) => user.id),
        found.text,
      ).toEqual([id]);
    }
  });

  it('puts people in groups and takes them out, without what belongs to another tenant', async () => {
    const [ada, bob] = ['M~C3~BCller~20~26~20Co.7', 'M~C3~BCller~20~26~20Co.8'];
    const body = { schemas: [`${core}:Group`], displayName: 'Staff', members: [{ value: ada }] };
    const created = await gateway.request('POST', '/Groups', { body });
    expect(created.status, created.text).toBe(201);
    const group = `/Groups/${String(created.body.id)}`;
    const change = (op: string, path: string, value?: unknown) =>
      gateway.request('PATCH', group, { body: { schemas: [patch], Operations: [{ op, path, value }] } });
    const added = await change('add', 'members', [{ value: bob }]);
    expect(added.status, added.text).toBeLessThan(300);
    expect((await gateway.request('GET', group)).body.members?.map(({ value }) => value)).toEqual([ada, bob]);
    const user = await gateway.request('GET', `/Users/${bob}`);
    expect(user.body.groups).toMatchObject([{ value: created.body.id }]);
    await change('add', 'members', [{ value: 'other.7' }]); // nobody here: dropped, as any unknown reference
    expect((await gateway.request('GET', group)).body.members?.map(({ value }) => value)).toEqual([ada, bob]);
    expect((await change('remove', `members[value eq "${ada}"]`)).status).toBeLessThan(300);
    expect((await gateway.request('DELETE', `/Users/${bob}`)).status).toBe(204);
    expect((await gateway.request('GET', group)).body.members).toBeUndefined();
  });

  it('refuses to put people of one tenant into a group of another where it serves both', async () => {
    const both = await startServer({ config: config('./hr.db').replaceAll(/ {8}fixed: .*\n/g, ''), baseDir: folder });
    try {
      const all = await both.gateway();
      expect((await all.request('GET', '/Users/other.7')).body).toMatchObject({ userName: 'ada' });
      const { body } = await all.request('GET', '/Groups');
      const group = `/Groups/${String(body.Resources?.[0]?.id)}`;
      const added = await all.request('PATCH', group, {
        body: { schemas: [patch], Operations: [{ op: 'add', path: 'members', value: [{ value: 'other.7' }] }] },
      });
      expect(added.status, added.text).toBe(400);
      expect((await all.request('GET', group)).body.members).toBeUndefined();
    } finally {
      await both.close();
    }
  });

  it('is checked with the line and column of each part', async () => {
    const text = config('./hr.db').replace('column: [tenant, person]', 'column: [tenant, persno]');
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, text);
    const checked = await runInitCli('check', '--connect', wrong);
    const lines = text.split('\n');
    const line = lines.findIndex((each) => each.includes('persno'));
    const column = (lines[line]?.indexOf('persno') ?? 0) + 1;
    expect(checked.stdout + checked.stderr).toMatch(new RegExp(`wrong\\.yaml:${line + 1}:${column}.*"persno"`));
    expect((await runInitCli('check', '--connect', file)).stdout).toContain('no errors');
  });
});
