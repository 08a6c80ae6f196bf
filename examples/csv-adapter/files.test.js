// @ts-check
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  lstat,
  mkdtemp,
  rename as nodeRename,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AdapterError } from 'scimbridge/adapter';
import { entitiesWithout, environmentIn } from 'scimbridge/testing';
import adapter from './adapter.js';

const entities = entitiesWithout('people.photo', 'people.hired', 'people.mails', 'groups.contact', 'groups.owners');
const config = {
  folder: '.',
  delimiter: /** @type {const} */ (','),
  entities: { people: { file: 'people.csv', id: 'no' }, groups: { file: 'groups.csv', id: 'no' } },
};
const people = `no,login,desk,name,badge,mail,tags,age,enabled,manager
7,alice,"4.12",'Alice',,a@example.com;b@example.com,,040,TRUE,
8,"bob","x ""y""",Bob,,,,41,false,7
`;
const groups = 'no,title,members\ng,staff,7;8\n';
const context = () => ({ signal: AbortSignal.timeout(30_000), requestId: 'test' });

/** @type {string} */
let folder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'));
  await writeFile(join(folder, 'people.csv'), people);
  await writeFile(join(folder, 'groups.csv'), groups);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const opened = () => adapter.open(config, environmentIn(folder, entities));
const text = (/** @type {string} */ name) => readFile(join(folder, name), 'utf8');
const rename = (/** @type {string} */ name) => [{ op: /** @type {const} */ ('set'), field: 'name', values: [name] }];

describe('files', () => {
  it('keep everything that was not changed, to the last quote', async () => {
    const csv = await opened();
    await csv.update('people', '8', rename('Robert, B.'), { fields: [] }, context());
    const changed = people.replace('"bob","x ""y""",Bob,', 'bob,"x ""y""","Robert, B.",');
    assert.equal(await text('people.csv'), changed);
    assert.equal(await text('groups.csv'), groups);
    const { changed: again } = await csv.update('people', '8', rename('Robert, B.'), { fields: [] }, context());
    assert.equal(again, false);
    await csv.close();
    assert.deepEqual((await readdir(folder)).sort(), ['groups.csv', 'people.csv']);
  });

  it('may be links, which they stay', async () => {
    await nodeRename(join(folder, 'people.csv'), join(folder, 'real.csv'));
    await symlink('real.csv', join(folder, 'people.csv'));
    const csv = await opened();
    await csv.delete('people', '7', {}, context());
    await csv.close();
    assert.ok((await lstat(join(folder, 'people.csv'))).isSymbolicLink());
    assert.doesNotMatch(await text('real.csv'), /alice/);
  });

  it('are mended where a deleted record was referred to', async () => {
    const csv = await opened();
    await csv.delete('people', '7', {}, context());
    assert.equal(await text('people.csv'), `${people.split('\n')[0]}\n8,bob,"x ""y""",Bob,,,,41,false,\n`);
    assert.equal(await text('groups.csv'), 'no,title,members\ng,staff,8\n');
    await csv.close();
  });

  it('may be written by others: what they wrote is seen, and nothing of it is lost', async () => {
    const csv = await opened();
    assert.equal((await csv.get('people', '7', { fields: ['name'] }, context()))?.name, "'Alice'");
    await writeFile(join(folder, 'people.csv'), `${people}9,carol,,Carol,,,,,,\n`);
    await csv.update('people', '9', rename('Carola'), { fields: [] }, context());
    assert.equal(await text('people.csv'), `${people}9,carol,,Carola,,,,,,\n`);
    await csv.close();
  });

  it('are refused as a whole, with the line, when a row cannot be understood', async () => {
    const csv = await opened();
    const wrong = /** @type {const} */ ([
      [`${people}7,x,,,,,,,,\n`, /people\.csv, line 4: Another row has the same "no"/],
      [`${people},x,,,,,,,,\n`, /people\.csv, line 4: The row has nothing in "no"/],
      [`${people}9,ALICE,,,,,,,,\n`, /people\.csv, line 4: Another record has this value of "login"/],
      [`${people}9,x,,,,,,old,,\n`, /people\.csv, line 4: "age" must be a number/],
      ['login\nx\n', /people\.csv, line 1: There is no column "no"/],
    ]);
    for (const [content, message] of wrong) {
      await writeFile(join(folder, 'people.csv'), content);
      await assert.rejects(csv.check(context()), (error) => {
        return error instanceof AdapterError && error.kind === 'unavailable' && message.test(error.message);
      });
    }
    await rm(join(folder, 'people.csv'));
    await assert.rejects(csv.check(context()), { kind: 'unavailable' });
    await csv.close();
  });

  it('need a column for what is written, and inspect says which is missing', async () => {
    await writeFile(join(folder, 'people.csv'), 'no,login\n7,alice\n');
    const csv = await opened();
    const { problems } = await csv.inspect(context());
    assert.match(problems.map(({ message }) => message).join('\n'), /people\.csv has no column "name": add it/);
    await assert.rejects(csv.update('people', '7', rename('A'), { fields: [] }, context()), { field: 'name' });
    await csv.close();
  });
});

describe('several processes', () => {
  /** Adds people in a process of its own. */
  const writer = (/** @type {string} */ name, /** @type {number} */ count) =>
    spawn(process.execPath, [join(import.meta.dirname, 'writer.fixture.js'), folder, name, String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const ended = (/** @type {import('node:child_process').ChildProcess} */ child) =>
    new Promise((resolve) => child.once('exit', resolve));

  it('lose nothing of each other', async () => {
    const codes = await Promise.all(['a', 'b', 'c'].map((name) => ended(writer(name, 20))));
    assert.deepEqual(codes, [0, 0, 0]);
    const csv = await opened();
    const query = { entity: 'people', fields: ['login'], limit: 1_000, wantTotal: true };
    const { total, records } = await csv.search(query, context());
    assert.equal(total, 62);
    assert.equal(new Set(records.map(({ login }) => login)).size, 62);
    await csv.close();
  });

  it('leave whole files behind when one is killed while it writes, and the others go on', async () => {
    const child = writer('a', 10_000);
    const told = [];
    for await (const chunk of child.stdout) {
      told.push(...String(chunk).trim().split('\n'));
      if (told.length >= 10) break;
    }
    const end = ended(child);
    child.kill('SIGKILL');
    await end;
    const csv = await opened();
    const created = await csv.create('people', { login: 'zoe' }, { fields: ['login'] }, context());
    assert.equal(created.login, 'zoe');
    const values = told.slice(0, -1);
    assert.equal((await csv.lookup('people', { by: 'login', values, fields: [] }, context())).length, values.length);
    await csv.close();
  });

  it('wait for a lock that is held, and take away one that was left behind long ago', async () => {
    const lock = join(folder, '.scimbridge.lock');
    await writeFile(lock, JSON.stringify({ host: `not ${hostname()}`, pid: 1, token: 'x' }));
    const csv = await opened();
    const soon = { signal: AbortSignal.timeout(200), requestId: 'test' };
    await assert.rejects(csv.delete('people', '7', {}, soon), { kind: 'timeout', applied: 'no' });
    assert.equal(await text('people.csv'), people);
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(lock, longAgo, longAgo);
    await csv.delete('people', '7', {}, context());
    await csv.close();
    assert.deepEqual((await readdir(folder)).sort(), ['groups.csv', 'people.csv']);
  });
});
