import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadAdapterModules } from '../../adapters/registry.js';
import { type FragileModule, fragile } from '../support/fragile-module.js';
import type { Answer, TestGateway } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const patch = (...operations: readonly object[]) => ({ body: { schemas: [patchUri], Operations: operations } });
const ids = (elements: Answer['body']['members']) => (elements ?? []).map(({ value }) => value).sort();

const tables = `
CREATE TABLE users (id INTEGER PRIMARY KEY, version INTEGER NOT NULL DEFAULT 1, login TEXT NOT NULL UNIQUE, number TEXT UNIQUE,
  boss TEXT, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE teams (id INTEGER PRIMARY KEY, version INTEGER NOT NULL DEFAULT 1, name TEXT NOT NULL UNIQUE);
CREATE TABLE memberships (team INTEGER NOT NULL, person TEXT NOT NULL);`;

/** The section of each kind of backend, and what its entity of people and of groups is called. */
const sections = {
  memory: (type: string) => `{ type: ${type} }`,
  managed: (type: string) => `{ type: ${type}, file: ./${type}.db }`,
  tables: (type: string) => `{ type: ${type}, file: ./tables.db, entities: {
    people: { table: users, key: id, version: version, fields: { login: login, number: number, boss: boss, enabled: enabled } },
    groups: { table: teams, key: id, version: version, fields: { name: name,
      members: { table: memberships, parent: team, column: person } } } } }`,
} as const;
type Kind = keyof typeof sections;
const moduleOf = { memory: 'memory', managed: 'sqlite', tables: 'sqlite' } as const;

interface Setup {
  readonly gateway: TestGateway;
  readonly people: FragileModule;
  readonly groups: FragileModule;
  readonly user: (userName: string, more?: object) => Promise<string>;
  readonly group: (displayName: string, members: readonly string[]) => Promise<string>;
  readonly membersOf: (group: string) => Promise<readonly (string | undefined)[]>;
}

/** Users in one backend, groups in another; members hold ids, or what `by` names. */
async function start(
  users: Kind,
  groups: Kind,
  by = '$id',
  members = `{ field: members, reference: { to: [User], by: '${by}', display: userName } }`,
): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'two-backends-'));
  const db = new Database(join(folder, 'tables.db'));
  db.exec(tables);
  db.close();
  const builtIn = await loadAdapterModules();
  const inner = (kind: Kind) => builtIn.get(moduleOf[kind]) ?? expect.fail('no such adapter');
  const one = fragile(inner(users), 'first');
  const two = fragile(inner(groups), 'second');
  const server = await startServer({
    baseDir: folder,
    modules: [one.module, two.module],
    config: `version: 1
adapters:
  first: ${sections[users]('first')}
  second: ${sections[groups]('second')}
gateways:
  default:
    address: /scim
    resources:
      User:
        adapter: first
        entity: people
        mapping:
          userName: { field: login, required: true, unique: true }
          employeeNumber: { field: number }
          active: { field: enabled, default: true }
          manager: { field: boss, reference: { to: [User], by: '${by}' } }
          groups: { field: memberOf, readOnly: true, reference: { to: [Group], display: displayName, inverseOf: Group.members } }
      Group:
        adapter: second
        entity: groups
        mapping:
          displayName: { field: name, required: true, unique: true }
          members: ${members}
`,
  });
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const gateway = await server.gateway();
  const create = async (path: string, body: object): Promise<string> => {
    const answer = await gateway.request('POST', path, { body });
    expect(answer.status, answer.text).toBe(201);
    return answer.body.id;
  };
  return {
    gateway,
    people: one,
    groups: two,
    user: (userName, more = {}) => create('/Users', { userName, [urn]: { employeeNumber: `n-${userName}`, ...more } }),
    group: (displayName, members) => create('/Groups', { displayName, members: members.map((value) => ({ value })) }),
    membersOf: async (group) => ids((await gateway.request('GET', `/Groups/${group}`)).body.members),
  };
}

const pairs: readonly (readonly [Kind, Kind, string])[] = [
  ['tables', 'memory', '$id'],
  ['memory', 'tables', '$id'],
  ['managed', 'tables', 'number'],
  ['tables', 'managed', 'number'],
  ['memory', 'managed', '$id'],
  ['tables', 'memory', 'number'],
];

describe.each(pairs)('users in %s, groups in %s, members by %s', (users, groups, by) => {
  it('show members with their names, and groups of a user with theirs [7643-4.1.2-10]', async () => {
    const { gateway, user, group } = await start(users, groups, by);
    const [jane, joe, max] = [await user('jane'), await user('joe'), await user('max')];
    const staff = await group('staff', [jane, joe]);
    const board = await group('board', [jane]);
    const shown = (await gateway.request('GET', `/Groups/${staff}`)).body.members ?? [];
    expect(shown.map(({ value, display, type }) => [value, display, type]).sort()).toEqual(
      [
        [jane, 'jane', 'User'],
        [joe, 'joe', 'User'],
      ].sort(),
    );
    const read = (await gateway.request('GET', `/Users/${jane}`)).body.groups ?? [];
    expect(read.map(({ value, display }) => [value, display]).sort()).toEqual(
      [
        [board, 'board'],
        [staff, 'staff'],
      ].sort(),
    );
    expect((await gateway.request('GET', `/Users/${max}`)).body.groups).toBeUndefined();
    const listed = (await gateway.request('GET', '/Users?attributes=userName,groups')).body.Resources ?? [];
    expect(Object.fromEntries(listed.map((one) => [one.userName, ids(one.groups)]))).toEqual({
      jane: [board, staff].sort(),
      joe: [staff],
      max: [],
    });
  });

  it('show groups also in pages of many users, with no look-up for each of them', async () => {
    const { gateway, user, group, groups: second } = await start(users, groups, by);
    const all: string[] = [];
    for (let n = 0; n < 12; n++) all.push(await user(`u${n}`));
    const even = await group(
      'even',
      all.filter((_, index) => index % 2 === 0),
    );
    second.calls.length = 0;
    const listed = (await gateway.request('GET', '/Users?attributes=groups')).body.Resources ?? [];
    expect(listed.filter((one) => ids(one.groups).includes(even))).toHaveLength(6);
    expect(second.calls.length).toBeLessThanOrEqual(2);
  });

  it('page and sort what is found by groups, each once', async () => {
    const { gateway, user, group } = await start(users, groups, by);
    const all: string[] = [];
    for (let n = 0; n < 9; n++) all.push(await user(`u${n}`));
    const staff = await group('staff', all.slice(0, 7));
    const page = async (query: object): Promise<readonly string[]> => {
      const filter = `groups.value eq "${staff}"`;
      const answer = await gateway.request('GET', '/Users', { query: { filter, ...query } });
      expect([answer.status, answer.body.totalResults]).toEqual([200, 7]);
      return (answer.body.Resources ?? []).map(({ id }) => id);
    };
    const pages = [await page({ startIndex: 1, count: 3 }), await page({ startIndex: 4, count: 4 })].flat();
    expect(pages.sort()).toEqual(all.slice(0, 7).sort());
    expect(await page({ sortBy: 'userName', sortOrder: 'descending' })).toEqual(all.slice(0, 7).reverse());
  });

  it('filter by members, and by groups of users [7644-3.4.2.2-16]', async () => {
    const { gateway, user, group } = await start(users, groups, by);
    const [jane, joe, max] = [await user('jane'), await user('joe'), await user('max')];
    const staff = await group('staff', [jane, joe]);
    const board = await group('board', [jane]);
    const found = async (path: string, filter: string) => {
      const answer = await gateway.request('GET', path, { query: { filter } });
      expect(answer.status, answer.text).toBe(200);
      const found = (answer.body.Resources ?? []).map(({ id }) => id).sort();
      expect(answer.body.totalResults).toBe(found.length);
      return found;
    };
    expect(await found('/Groups', `members.value eq "${joe}"`)).toEqual([staff]);
    expect(await found('/Groups', `members[value eq "${jane}"]`)).toEqual([board, staff].sort());
    expect(await found('/Groups', 'members.value eq "nobody"')).toEqual([]);
    expect(await found('/Users', `groups.value eq "${staff}"`)).toEqual([jane, joe].sort());
    expect(await found('/Users', `groups.value eq "${staff}" and userName eq "joe"`)).toEqual([joe]);
    expect(await found('/Users', `not (groups.value eq "${staff}")`)).toEqual([max]);
    expect(await found('/Users', `groups.value eq "${staff}" or userName eq "max"`)).toEqual([jane, joe, max].sort());
    expect(await found('/Users', 'groups.display eq "board"')).toEqual([jane]);
    expect(await found('/Users', 'groups pr')).toEqual([jane, joe].sort());
    expect(await found('/Users', 'groups.value eq "nothing"')).toEqual([]);
  });

  it('change members by value, and keep nothing that is no user', async () => {
    const { gateway, user, group, membersOf } = await start(users, groups, by);
    const [jane, joe, max] = [await user('jane'), await user('joe'), await user('max')];
    const staff = await group('staff', [jane]);
    const add = { op: 'add', path: 'members', value: [{ value: joe }, { value: max }, { value: jane }] };
    expect((await gateway.request('PATCH', `/Groups/${staff}`, patch(add))).status).toBe(204);
    expect(await membersOf(staff)).toEqual([jane, joe, max].sort());
    const remove = { op: 'remove', path: `members[value eq "${jane}"]` };
    expect((await gateway.request('PATCH', `/Groups/${staff}`, patch(remove))).status).toBe(204);
    expect(await membersOf(staff)).toEqual([joe, max].sort());
    const replace = { op: 'replace', path: 'members', value: [{ value: jane }] };
    expect((await gateway.request('PATCH', `/Groups/${staff}`, patch(replace))).status).toBe(204);
    expect(await membersOf(staff)).toEqual([jane]);
  });

  it('name a manager', async () => {
    const { gateway, user } = await start(users, groups, by);
    const boss = await user('boss');
    const jane = await user('jane', { manager: { value: boss } });
    const read = (await gateway.request('GET', `/Users/${jane}`)).body[urn];
    expect(read).toMatchObject({ manager: { value: boss } });
  });

  it('take a deleted user out of its groups before that is answered', async () => {
    const { gateway, user, group, membersOf, groups: second } = await start(users, groups, by);
    const [jane, joe] = [await user('jane'), await user('joe')];
    const [staff, board] = [await group('staff', [jane, joe]), await group('board', [jane])];
    expect((await gateway.request('DELETE', `/Users/${jane}`)).status).toBe(204);
    expect(second.updates).toHaveLength(2);
    expect(await membersOf(staff)).toEqual([joe]);
    expect(await membersOf(board)).toEqual([]);
  });

  it('take a user out of a group that somebody adds it to while it is being deleted', async () => {
    const { gateway, people, user, group, membersOf } = await start(users, groups, by);
    const [jane, joe] = [await user('jane'), await user('joe')];
    const staff = await group('staff', [joe]);
    const add = patch({ op: 'add', path: 'members', value: [{ value: jane }] });
    people.before('delete', async () => {
      expect((await gateway.request('PATCH', `/Groups/${staff}`, add)).status).toBe(204);
    });
    expect((await gateway.request('DELETE', `/Users/${jane}`)).status).toBe(204);
    expect(await membersOf(staff)).toEqual([joe]);
    const again = await user('jane');
    expect((await gateway.request('GET', `/Users/${again}`)).body.groups).toBeUndefined();
  });
});

describe.each(['managed', 'memory'] as const)('members kept as child records in %s', (kind) => {
  const rule = (to: string, by: string): string =>
    `{ field: members, records: { value: who, type: kind }, reference: { to: [${to}], by: '${by}', type: kind } }`;

  it('are shown and searched from both ends, also among groups in groups', async () => {
    const { gateway, user, group, membersOf } = await start('tables', kind, '$id', rule('User, Group', '$id'));
    const [jane, joe] = [await user('jane'), await user('joe')];
    const inner = await group('inner', [jane]);
    const outer = await group('outer', [joe, inner]);
    expect(await membersOf(outer)).toEqual([inner, joe].sort());
    expect(ids((await gateway.request('GET', `/Users/${jane}`)).body.groups)).toEqual([inner]);
    const listed = (await gateway.request('GET', '/Users?attributes=userName,groups')).body.Resources ?? [];
    expect(Object.fromEntries(listed.map((one) => [one.userName, ids(one.groups)]))).toEqual({
      jane: [inner],
      joe: [outer],
    });
    const found = await gateway.request('GET', '/Users', { query: { filter: `groups.value eq "${outer}"` } });
    expect(found.body.Resources?.map(({ id }) => id)).toEqual([joe]);
    expect((await gateway.request('DELETE', `/Users/${joe}`)).status).toBe(204);
    expect(await membersOf(outer)).toEqual([inner]);
    // An id of a group names no user: nothing is taken out.
    expect((await gateway.request('DELETE', `/Users/${inner}`)).status).toBe(404);
    expect(await membersOf(outer)).toEqual([inner]);
  });

  it('follow a changed key', async () => {
    const { gateway, user, group, membersOf } = await start('tables', kind, 'number', rule('User', 'number'));
    const jane = await user('jane');
    const staff = await group('staff', [jane]);
    const renumber = patch({ op: 'replace', path: `${urn}:employeeNumber`, value: 'new' });
    expect((await gateway.request('PATCH', `/Users/${jane}`, renumber)).status).toBe(200);
    expect(await membersOf(staff)).toEqual([jane]);
    expect(ids((await gateway.request('GET', `/Users/${jane}`)).body.groups)).toEqual([staff]);
  });
});

describe('groups in a backend that does not answer', () => {
  it('make 503 what needs them, and nothing else', async () => {
    const { gateway, groups, user, group } = await start('tables', 'memory');
    const jane = await user('jane');
    const staff = await group('staff', [jane]);
    groups.down(true);
    for (const [method, path] of [
      ['GET', `/Users/${jane}`],
      ['GET', '/Users'],
      ['GET', `/Users?filter=groups.value eq "${staff}"`],
      ['GET', `/Groups/${staff}`],
      ['GET', '/Groups'],
      ['DELETE', `/Users/${jane}`],
    ] as const) {
      const answer = await gateway.request(method, path);
      expect(answer.status, `${method} ${path}`).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    for (const path of [
      `/Users/${jane}?attributes=userName`,
      `/Users/${jane}?excludedAttributes=groups`,
      '/Users?excludedAttributes=groups',
      '/Users?filter=userName eq "jane"&attributes=id',
    ]) {
      expect((await gateway.request('GET', path)).status, path).toBe(200);
    }
  });

  it('do not keep anybody from being created, changed or disabled', async () => {
    const { gateway, groups, user, group } = await start('tables', 'memory');
    const jane = await user('jane');
    const staff = await group('staff', [jane]);
    groups.down('denied');
    const disabled = await gateway.request(
      'PATCH',
      `/Users/${jane}`,
      patch({ op: 'replace', path: 'active', value: false }),
    );
    expect([disabled.status, disabled.body.active, disabled.body.groups]).toEqual([200, false, undefined]);
    const replaced = await gateway.request('PUT', `/Users/${jane}`, { body: { userName: 'janet', active: false } });
    expect([replaced.status, replaced.body.userName]).toEqual([200, 'janet']);
    await user('joe');
    groups.down(false);
    expect(ids((await gateway.request('GET', `/Users/${jane}`)).body.groups)).toEqual([staff]);
  });

  it('delay a change by a moment at most when they give no answer at all', async () => {
    const { gateway, groups, user } = await start('memory', 'managed');
    const jane = await user('jane');
    groups.silent(true);
    const beganAtMs = performance.now();
    const disable = patch({ op: 'replace', path: 'active', value: false });
    const disabled = await gateway.request('PATCH', `/Users/${jane}`, disable);
    expect([disabled.status, disabled.body.active]).toEqual([200, false]);
    expect(performance.now() - beganAtMs).toBeLessThan(15_000);
  });

  it('keep a user from being deleted, who stays in all of them', async () => {
    const { gateway, groups, user, group, membersOf } = await start('memory', 'tables');
    const jane = await user('jane');
    const staff = await group('staff', [jane]);
    groups.frozen(true);
    const refused = await gateway.request('DELETE', `/Users/${jane}`);
    expect(refused.status).toBe(503);
    expect(refused.body.detail).toMatch(/was not deleted.*Group/);
    groups.frozen(false);
    expect(ids((await gateway.request('GET', `/Users/${jane}`)).body.groups)).toEqual([staff]);
    expect((await gateway.request('DELETE', `/Users/${jane}`)).status).toBe(204);
    expect(await membersOf(staff)).toEqual([]);
  });

  it('are told when they could not be looked at again after the user was deleted, and mended when that is repeated', async () => {
    const { gateway, people, groups, user, group, membersOf } = await start('memory', 'tables');
    const [jane, joe] = [await user('jane'), await user('joe')];
    const staff = await group('staff', [joe]);
    people.before('delete', async () => {
      await gateway.request(
        'PATCH',
        `/Groups/${staff}`,
        patch({ op: 'add', path: 'members', value: [{ value: jane }] }),
      );
      groups.down(true);
    });
    const told = await gateway.request('DELETE', `/Users/${jane}`);
    expect([told.status, told.body.detail]).toEqual([503, expect.stringMatching(/was deleted, but/)]);
    groups.down(false);
    expect((await gateway.request('DELETE', `/Users/${jane}`)).status).toBe(404);
    expect(await membersOf(staff)).toEqual([joe]);
  });
});

describe('users in a backend that does not answer', () => {
  it('make 503 what needs them, and nothing else', async () => {
    const { gateway, people, user, group } = await start('memory', 'tables', 'number');
    const jane = await user('jane');
    const staff = await group('staff', [jane]);
    people.down(true);
    expect((await gateway.request('GET', `/Users/${jane}`)).status).toBe(503);
    expect((await gateway.request('GET', `/Groups/${staff}?excludedAttributes=members`)).status).toBe(200);
    const rename = patch({ op: 'replace', path: 'displayName', value: 'crew' });
    expect((await gateway.request('PATCH', `/Groups/${staff}`, rename)).status).toBe(204);
    expect((await gateway.request('DELETE', `/Groups/${staff}`)).status).toBe(204);
  });

  it('do not make a change look as if it was not made', async () => {
    const { gateway, people, user } = await start('tables', 'memory');
    const jane = await user('jane');
    // Known from a moment ago, so that only the answer would need its name.
    const first = await gateway.request('POST', '/Groups', {
      body: { displayName: 'staff', members: [{ value: jane }] },
    });
    expect(first.status).toBe(201);
    people.down(true);
    const second = await gateway.request('POST', '/Groups', {
      body: { displayName: 'crew', members: [{ value: jane }] },
    });
    expect([second.status, ids(second.body.members)]).toEqual([201, [jane]]);
  });
});

describe('a user whose key is changed', () => {
  const renumber = patch({ op: 'replace', path: `${urn}:employeeNumber`, value: 'new' });

  it.each(['managed', 'tables', 'memory'] as const)('stays in its groups in %s', async (kind) => {
    const { gateway, user, group, membersOf } = await start('tables', kind, 'number');
    const [jane, joe] = [await user('jane'), await user('joe')];
    const [staff, board] = [await group('staff', [jane, joe]), await group('board', [jane])];
    expect((await gateway.request('PATCH', `/Users/${jane}`, renumber)).status).toBe(200);
    expect(await membersOf(staff)).toEqual([jane, joe].sort());
    expect(ids((await gateway.request('GET', `/Users/${jane}`)).body.groups)).toEqual([board, staff].sort());
    const put = { userName: 'jane', [urn]: { employeeNumber: 'newer' } };
    expect((await gateway.request('PUT', `/Users/${jane}`, { body: put })).status).toBe(200);
    expect(await membersOf(board)).toEqual([jane]);
    // Nothing is left of the former keys for somebody else to inherit.
    const heir = await user('heir', { employeeNumber: 'new' });
    expect((await gateway.request('GET', `/Users/${heir}`)).body.groups).toBeUndefined();
  });

  it('is not changed when its groups cannot be reached, and loses none of them', async () => {
    const { gateway, groups, user, group, membersOf } = await start('tables', 'memory', 'number');
    const jane = await user('jane');
    const staff = await group('staff', [jane]);
    groups.frozen(true);
    const refused = await gateway.request('PATCH', `/Users/${jane}`, renumber);
    expect([refused.status, refused.body.detail]).toEqual([503, expect.stringMatching(/Nothing was changed.*Group/)]);
    groups.frozen(false);
    expect(await membersOf(staff)).toEqual([jane]);
    expect((await gateway.request('GET', `/Users/${jane}`)).body[urn]).toMatchObject({ employeeNumber: 'n-jane' });
  });

  it('leaves nothing in its groups when the change is refused', async () => {
    const { gateway, groups, user, group } = await start('tables', 'memory', 'number');
    const [jane] = [await user('jane'), await user('joe')];
    await group('staff', [jane]);
    const taken = patch({ op: 'replace', path: `${urn}:employeeNumber`, value: 'n-joe' });
    expect((await gateway.request('PATCH', `/Users/${jane}`, taken)).status).toBe(409);
    expect(groups.updates.map(({ changes }) => changes.map(({ op }) => op))).toEqual([['add'], ['remove']]);
  });

  it('asks the groups nothing where other attributes change', async () => {
    const { gateway, groups, user } = await start('tables', 'memory', 'number');
    const jane = await user('jane');
    groups.calls.length = 0;
    const rename = patch({ op: 'replace', path: 'userName', value: 'janet' });
    expect((await gateway.request('PATCH', `/Users/${jane}?attributes=userName`, rename)).status).toBe(200);
    expect(groups.calls).toEqual([]);
  });
});

describe('many who write at the same time', () => {
  it('lose no member, and keep none that is deleted', async () => {
    const { gateway, user, group, membersOf } = await start('memory', 'tables');
    const all: string[] = [];
    for (let n = 0; n < 12; n++) all.push(await user(`u${n}`));
    const staff = await group('staff', []);
    const [stay, go] = [all.slice(0, 6), all.slice(6)];
    const add = (value: string) =>
      gateway.request('PATCH', `/Groups/${staff}`, patch({ op: 'add', path: 'members', value: [{ value }] }));
    for (const value of go) await add(value);
    const answers = await Promise.all([
      ...stay.map((value) => add(value)),
      ...go.map((value) => gateway.request('DELETE', `/Users/${value}`)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(204));
    expect(await membersOf(staff)).toEqual([...stay].sort());
  });
});
