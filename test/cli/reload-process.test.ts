import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';
import { recordedActs } from './test-cli.js';

interface Parts {
  readonly top?: string;
  readonly corp?: string;
  readonly mapping?: string;
  readonly more?: string;
}

/** A gateway on tables that exist, and one with a store of its own. */
const config = ({ top = '', corp = '', mapping = 'nickName: nick', more = '' }: Parts = {}): string => `version: 1
${top}
adapters:
  people:
    type: sqlite
    file: people.db
    entities: { people: { table: people, key: id, fields: { login: login, nick: nick, title: title } } }
  store: { type: sqlite }
gateways:
  corp:
    address: /corp
    limits: { requestsPerSecond: 0 }
    ${corp}
    resources:
      User:
        adapter: people
        entity: people
        mapping: { userName: { field: login, required: true, unique: true }, ${mapping} }
  lab:
    address: /lab
    limits: { requestsPerSecond: 0 }
    resources: { User: { adapter: store, use: [scim] } }
${more}`;

let folder: string;
let server: SpawnedServer;
let origin: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reload-'));
  const db = new Database(join(folder, 'people.db'));
  db.exec('CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT UNIQUE, nick TEXT, title TEXT)');
  db.close();
  server = await spawnServer({ config: config(), baseDir: folder, nodeOptions: ['--max-old-space-size=160'] });
  origin = new URL(/"tenantUrl":"([^"]+)"/.exec(server.log())?.[1] ?? '').origin;
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function logged(text: string | RegExp, from = 0): Promise<void> {
  await vi.waitFor(() => expect(server.log().slice(from)).toMatch(text), { interval: 2, timeout: 15_000 });
}

/** As an operator does: the file is written, then the process is told. */
async function reload(text: string, expected: string | RegExp = 'The configuration has changed'): Promise<void> {
  const from = server.log().length;
  writeFileSync(join(folder, 'gateway.yaml'), text);
  process.kill(server.pid, 'SIGHUP');
  await logged(expected, from);
}

interface Sent {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly [name: string]: unknown };
}

async function send(path: string, authorization: string, method = 'GET', body?: object): Promise<Sent> {
  const answer = await fetch(origin + path, {
    method,
    headers: { authorization, 'content-type': 'application/scim+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Sent['body'] };
}

describe('SIGHUP', () => {
  it('brings another limit, another mapping and another token setting, and leaves an act', async () => {
    const token = await server.createToken('corp', 'a');
    const bearer = `Bearer ${token}`;
    const first = await send('/corp/Users', bearer, 'POST', { userName: 'a', nickName: 'nick', title: 'role' });
    expect(first).toMatchObject({ status: 201, body: { nickName: 'nick' } });
    expect(first.body).not.toHaveProperty('title');
    expect((await send('/corp/Users', token)).status).toBe(401);

    await reload(
      config({
        corp: 'auth: { tokens: { bare: true } }',
        mapping: 'title: title',
      }).replace('requestsPerSecond: 0', 'requestsPerSecond: 0, bodyBytes: 1024'),
    );
    await logged(
      'gateway corp: auth.tokens.bare, limits.bodyBytes, limits.bulkBytes, resources.User.mapping.nickName, resources.User.mapping.title',
    );
    expect((await send('/corp/Users', token)).status).toBe(200);
    const second = await send('/corp/Users', bearer, 'POST', { userName: 'b', nickName: 'nick', title: 'role' });
    expect(second).toMatchObject({ status: 201, body: { title: 'role' } });
    expect(second.body).not.toHaveProperty('nickName');
    expect((await send('/corp/Users', bearer, 'POST', { userName: 'c'.repeat(1024) })).status).toBe(413);

    await vi.waitFor(() =>
      expect(recordedActs(server.dataDir)).toContainEqual(
        expect.objectContaining({
          gateway: 'corp',
          operation: 'reload',
          meant: expect.stringContaining('"auth.tokens.bare"'),
        }),
      ),
    );
  });

  it('changes nothing when the file is faulty, and the log has every problem with its place', async () => {
    const bearer = `Bearer ${await server.createToken('corp', 'a')}`;
    const faulty = config({ corp: 'strict: perhaps', mapping: 'nonsense: nick' });
    await reload(faulty, 'The configuration stays as it was');
    const problems = server.log().match(/gateway\.yaml:\d+:\d+: error: /g) ?? [];
    expect(problems.length).toBe(2);
    expect((await send('/corp/Users', bearer, 'POST', { userName: 'a', nickName: 'n' })).body).toMatchObject({
      nickName: 'n',
    });
    await reload(config({ mapping: 'title: title' }));
  });

  it('lets a request under way finish on the configuration that it came under', async () => {
    const bearer = `Bearer ${await server.createToken('corp', 'a')}`;
    const body = JSON.stringify({ userName: 'slow', nickName: 'nick', title: 'role' });
    const headers = {
      authorization: bearer,
      'content-type': 'application/scim+json',
      'content-length': Buffer.byteLength(body),
      expect: '100-continue',
    };
    const slow = request(`${origin}/corp/Users`, { method: 'POST', headers });
    const answer = new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      slow.on('error', reject);
      slow.on('response', async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode, text });
      });
    });
    // The server has begun with it: it asks for the body.
    const asked = new Promise((resolve) => slow.once('continue', resolve));
    slow.flushHeaders();
    await asked;
    await reload(config({ mapping: 'title: title' }).replace('/corp', '/moved'));
    expect((await send('/corp/Users', bearer)).status).toBe(404);
    slow.end(body);
    const { status, text } = await answer;
    expect([status, JSON.parse(text)]).toEqual([201, expect.objectContaining({ nickName: 'nick' })]);
    const db = new Database(join(folder, 'people.db'), { readonly: true });
    expect(db.prepare('SELECT login, nick, title FROM people').all()).toEqual([
      { login: 'slow', nick: 'nick', title: null },
    ]);
    db.close();
  });

  it('adds gateways, takes them away, and changes the URL that the outside world uses', async () => {
    const more = '  new: { address: /new, resources: { User: { adapter: store, entity: guests, use: [scim] } } }\n';
    await reload(config({ more, top: 'publicUrl: https://scim.example.com' }), 'https://scim.example.com/new');
    await logged('Nobody can call this gateway yet');
    const bearer = `Bearer ${await server.createToken('new', 'a')}`;
    const created = await send('/new/Users', bearer, 'POST', { userName: 'a' });
    expect(created.headers.get('location')).toMatch(/^https:\/\/scim\.example\.com\/new\/Users\/./);
    await reload(config({ top: 'listen: 127.0.0.1:1' }), 'gateway new: removed');
    // The listener is where the command line put it; the file has no say in that.
    expect(server.log()).not.toContain('next start');
    expect((await send('/new/Users', bearer)).status).toBe(404);
    const ready = await fetch(`${origin}/health/ready`);
    expect(await ready.json()).toMatchObject({ gateways: [{ id: 'corp' }, { id: 'lab' }] });
  });

  it('a hundred times under load loses no request and leaves nothing open', async () => {
    const corp = `Bearer ${await server.createToken('corp', 'a')}`;
    const lab = `Bearer ${await server.createToken('lab', 'a')}`;
    await send('/lab/Users', lab, 'POST', { userName: 'a' });
    await send('/corp/Users', corp, 'POST', { userName: 'a' });
    // Once with everything opened anew, so that what is opened lazily is counted before.
    await reload(config({ mapping: 'title: title' }));
    const open = () => ({
      files: readdirSync(`/proc/${server.pid}/fd`).filter((fd) => Number(fd) > 2).length,
      threads: readdirSync(`/proc/${server.pid}/task`).length,
    });
    const before = open();
    const statuses = new Map<number, number>();
    let isOver = false;
    const caller = async (path: string, authorization: string): Promise<void> => {
      while (!isOver) {
        const { status } = await send(path, authorization);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const callers = [
      caller('/corp/Users?count=1', corp),
      caller('/lab/Users?count=1', lab),
      caller('/corp/Users?filter=userName%20eq%20%22a%22', corp),
    ];
    for (let round = 0; round < 100; round++) {
      const mapping = ['title: title', 'nickName: nick', 'title: title, nickName: nick', 'nickName: title'][round % 4];
      const text = config(round % 5 === 0 && mapping !== undefined ? { mapping } : {});
      await reload(text.replace('requestsPerSecond: 0', `requestsPerSecond: 0, scanLimit: ${100 + round}`));
    }
    isOver = true;
    await Promise.all(callers);
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(200);
    await vi.waitFor(
      () => {
        const { files, threads } = open();
        // Some are started when they are first needed; a leak would be one for each of the hundred configurations.
        expect(threads).toBeLessThanOrEqual(before.threads + 4);
        // A thread has up to eight, with its database; connections of the callers come and go.
        expect(files).toBeLessThanOrEqual(before.files + 4 * 8 + 6);
      },
      { interval: 20, timeout: 10_000 },
    );
    expect(server.hasEnded()).toBe(false);
  }, 90_000);
});

describe('a secret in a file', () => {
  it('is taken when it changes, without a signal, by the adapter that uses it', async () => {
    const db = new Database(join(folder, 'other.db'));
    db.exec('CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT UNIQUE, nick TEXT, title TEXT)');
    db.exec("INSERT INTO people (login) VALUES ('somebody')");
    db.close();
    writeFileSync(join(folder, 'name'), 'people\n');
    await reload(config().replace('file: people.db', `file: "\${file:name}.db"`), 'nothing has changed');
    const bearer = `Bearer ${await server.createToken('corp', 'a')}`;
    expect((await send('/corp/Users', bearer)).body).toMatchObject({ totalResults: 0 });
    const from = server.log().length;
    writeFileSync(join(folder, 'name'), 'other\n');
    await logged(/The configuration has changed: adapter people: file \(secret\)\./, from);
    expect((await send('/corp/Users', bearer)).body).toMatchObject({ totalResults: 1 });
  });
});

describe('a gateway that another process switches off', () => {
  it('answers 503 a quarter of a second later, and after a restart [capabilities-89 capabilities-90]', async () => {
    const token = await server.createToken('corp', 'a');
    const bearer = `Bearer ${token}`;
    expect((await send('/corp/Users', bearer)).status).toBe(200);
    const state = openState(server.dataDir);
    try {
      await state.controls.set('corp', { enabled: false });
      const setAtMs = performance.now();
      let sentAtMs = setAtMs;
      let status = 200;
      while (status === 200) {
        sentAtMs = performance.now();
        ({ status } = await send('/corp/Users', bearer));
        if (status === 200) expect(sentAtMs - setAtMs).toBeLessThan(250);
      }
      expect(status).toBe(503);
      expect((await send('/lab/Users', `Bearer ${await server.createToken('lab', 'a')}`)).status).toBe(200);
      await server.end();
      const again = await spawnServer({ config: config(), baseDir: folder, dataDir: server.dataDir });
      try {
        const gateway = await again.gatewayWith(token, 'corp');
        expect((await gateway.request('GET', '/Users')).status).toBe(503);
        await state.controls.set('corp', { enabled: null });
        await vi.waitFor(async () => expect((await gateway.request('GET', '/Users')).status).toBe(200), {
          timeout: 5000,
          interval: 10,
        });
      } finally {
        await again.end();
      }
    } finally {
      await state.close();
    }
  });
});
