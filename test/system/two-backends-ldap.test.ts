import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import type { Answer, TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';

const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const patch = (...operations: readonly object[]) => ({ body: { schemas: [patchUri], Operations: operations } });
const ids = (elements: Answer['body']['members']) => (elements ?? []).map(({ value }) => value).sort();

const tables = `
CREATE TABLE users (id INTEGER PRIMARY KEY, version INTEGER NOT NULL DEFAULT 1, login TEXT NOT NULL UNIQUE);
CREATE TABLE teams (id INTEGER PRIMARY KEY, version INTEGER NOT NULL DEFAULT 1, name TEXT NOT NULL UNIQUE);
CREATE TABLE memberships (team INTEGER NOT NULL, person TEXT NOT NULL);`;

await describeOnLdap('openldap', 'users and groups, one in OpenLDAP and the other in SQLite', async () => {
  const directory = await startLdap('openldap');
  const folder = await mkdtemp(join(tmpdir(), 'scimbridge-two-'));
  process.env.TEST_LDAP_PASSWORD = directory.password;
  const servers: TestServer[] = [];
  afterAll(async () => {
    for (const server of servers) await server.close();
    await directory.close();
    await rm(folder, { recursive: true });
  });

  const start = async (file: string, resources: string): Promise<TestGateway> => {
    const db = new Database(join(folder, file));
    db.exec(tables);
    db.close();
    const server = await startServer({
      baseDir: folder,
      config: `version: 1
adapters:
  directory:
    type: ldap
    url: ${directory.urls.ldaps}
    bind: { dn: "${directory.bindDn}", password: "\${env:TEST_LDAP_PASSWORD}" }
    tls: { ca: ${directory.caFile} }
    base: ${directory.baseDn}
    entities:
      people: { base: ou=people, create: { dn: "uid={uid},ou=people", objectClasses: [inetOrgPerson] } }
      groups:
        base: ou=groups
        create: { dn: "cn={cn},ou=groups", objectClasses: [posixGroup], attributes: { gidNumber: "100" } }
  tables:
    type: sqlite
    file: ./${file}
    entities:
      people: { table: users, key: id, version: version, fields: { login: login } }
      groups: { table: teams, key: id, version: version, fields: { name: name,
        members: { table: memberships, parent: team, column: person } } }
gateways:
  default:
    address: /scim
    resources:
${resources}`,
    });
    servers.push(server);
    return server.gateway();
  };
  const create = async (gateway: TestGateway, path: string, body: object): Promise<string> => {
    const answer = await gateway.request('POST', path, { body });
    expect(answer.status, answer.text).toBe(201);
    return answer.body.id;
  };
  const membersOf = async (gateway: TestGateway, group: string) =>
    ids((await gateway.request('GET', `/Groups/${group}`)).body.members);
  const groupsOf = async (gateway: TestGateway, user: string) =>
    ids((await gateway.request('GET', `/Users/${user}`)).body.groups);

  it('names members of a directory group by the login of users in a table', async () => {
    const gateway = await start(
      'one.db',
      `      User:
        adapter: tables
        entity: people
        mapping:
          userName: { field: login, required: true, unique: true }
          groups: { field: groups, readOnly: true, reference: { to: [Group], display: displayName, inverseOf: Group.members } }
      Group:
        adapter: directory
        entity: groups
        mapping:
          displayName: { field: cn, required: true, unique: true }
          members: { field: memberUid, reference: { to: [User], by: login, display: userName } }
`,
    );
    const inDirectory = async (group: string) =>
      (await directory.search({ base: directory.groupsDn, filter: `(cn=${group})`, attributes: ['memberUid'] }))
        .flatMap(({ attributes }) => attributes.memberUid ?? [])
        .sort();
    const [jane, joe] = [
      await create(gateway, '/Users', { userName: 'jane' }),
      await create(gateway, '/Users', { userName: 'joe' }),
    ];
    const staff = await create(gateway, '/Groups', { displayName: 'staff', members: [{ value: jane }] });
    const add = { op: 'add', path: 'members', value: [{ value: joe }] };
    expect((await gateway.request('PATCH', `/Groups/${staff}`, patch(add))).status).toBe(204);
    expect(await inDirectory('staff')).toEqual(['jane', 'joe']);
    expect(await membersOf(gateway, staff)).toEqual([jane, joe].sort());
    expect(await groupsOf(gateway, jane)).toEqual([staff]);
    const filter = `groups.value eq "${staff}"`;
    const found = await gateway.request('GET', '/Users', { query: { filter } });
    expect((found.body.Resources ?? []).map(({ id }) => id).sort()).toEqual([jane, joe].sort());

    const rename = patch({ op: 'replace', path: 'userName', value: 'janet' });
    expect((await gateway.request('PATCH', `/Users/${jane}`, rename)).status).toBe(200);
    expect(await inDirectory('staff')).toEqual(['janet', 'joe']);
    expect(await groupsOf(gateway, jane)).toEqual([staff]);

    expect((await gateway.request('DELETE', `/Users/${joe}`)).status).toBe(204);
    expect(await inDirectory('staff')).toEqual(['janet']);
  });

  describe.each([
    ['the id', '$id'],
    ['the DN', 'dn'],
  ])('members of a group in a table are %s of users in the directory, and', (_, by) => {
    it('are read, filtered, follow a rename and end with the user', async () => {
      const gateway = await start(
        `${by.replace('$', '')}.db`,
        `      User:
        adapter: directory
        entity: people
        id: entryUUID
        mapping:
          userName: { field: uid, required: true, unique: true }
          name.familyName: { field: sn, required: true }
          name.formatted: { field: cn, required: true }
          groups: { field: memberOf, readOnly: true, reference: { to: [Group], display: displayName, inverseOf: Group.members } }
      Group:
        adapter: tables
        entity: groups
        mapping:
          displayName: { field: name, required: true, unique: true }
          members: { field: members, reference: { to: [User], by: '${by}', display: userName } }
`,
      );
      const person = (userName: string) => ({ userName, name: { familyName: 'Doe', formatted: `${userName} Doe` } });
      const prefix = by.replace('$', '');
      const [jane, joe] = [
        await create(gateway, '/Users', person(`${prefix}-jane`)),
        await create(gateway, '/Users', person(`${prefix}-joe`)),
      ];
      const staff = await create(gateway, '/Groups', {
        displayName: 'staff',
        members: [{ value: jane }, { value: joe }],
      });
      const board = await create(gateway, '/Groups', { displayName: 'board', members: [{ value: joe }] });
      expect(await membersOf(gateway, staff)).toEqual([jane, joe].sort());
      expect(await groupsOf(gateway, joe)).toEqual([board, staff].sort());
      const found = await gateway.request('GET', '/Users', { query: { filter: `groups.value eq "${board}"` } });
      expect(found.body.Resources?.map(({ id }) => id)).toEqual([joe]);

      const rename = patch({ op: 'replace', path: 'userName', value: `${prefix}-janet` });
      const renamed = await gateway.request('PATCH', `/Users/${jane}`, rename);
      expect(renamed.status, renamed.text).toBe(200);
      expect(await groupsOf(gateway, jane)).toEqual([staff]);
      expect(await membersOf(gateway, staff)).toEqual([jane, joe].sort());

      expect((await gateway.request('DELETE', `/Users/${joe}`)).status).toBe(204);
      expect(await membersOf(gateway, staff)).toEqual([jane]);
      const db = new Database(join(folder, `${prefix}.db`), { readonly: true });
      expect(db.prepare('SELECT count(*) AS n FROM memberships').get()).toEqual({ n: 1 });
      db.close();
    });
  });

  it('goes on with users while the directory with the groups is away', async () => {
    const gateway = await start(
      'away.db',
      `      User:
        adapter: tables
        entity: people
        mapping:
          userName: { field: login, required: true, unique: true }
          groups: { field: groups, readOnly: true, reference: { to: [Group], inverseOf: Group.members } }
      Group:
        adapter: directory
        entity: groups
        mapping:
          displayName: { field: cn, required: true, unique: true }
          members: { field: memberUid, reference: { to: [User], by: login } }
`,
    );
    const jane = await create(gateway, '/Users', { userName: 'away' });
    const staff = await create(gateway, '/Groups', { displayName: 'away', members: [{ value: jane }] });
    await directory.kill();
    expect((await gateway.request('GET', `/Users/${jane}?excludedAttributes=groups`)).status).toBe(200);
    expect((await gateway.request('GET', `/Groups/${staff}`)).status).toBe(503);
    expect((await gateway.request('DELETE', `/Users/${jane}`)).status).toBe(503);
    await directory.restart();
    // The circuit lets nobody through for a while.
    await expect
      .poll(async () => (await gateway.request('GET', `/Users/${jane}`)).status, { timeout: 60_000, interval: 500 })
      .toBe(200);
    expect(await groupsOf(gateway, jane)).toEqual([staff]);
    await expect
      .poll(async () => (await gateway.request('DELETE', `/Users/${jane}`)).status, { timeout: 60_000, interval: 500 })
      .toBe(204);
    expect(await membersOf(gateway, staff)).toEqual([]);
  }, 150_000);
});
