import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TraceEntry } from '../../src/backend/adapter.js';
import type { PaceNotice } from '../../src/backend/pace.js';
import { expectKind } from '../contract/contract-fixture.js';
import { context, openOn, startTarget, type Told } from './small-target.js';

const alice = { id: 'a1', login: 'alice', profile: { mail: 'alice@example.com' } };
const byId = { fields: ['login', 'mail'] } as const;

describe('answers that are none', () => {
  const answers: readonly (readonly [string, Told, string])[] = [
    ['400', { status: 400, json: {} }, 'rejected'],
    ['401', { status: 401, json: {} }, 'denied'],
    ['403', { status: 403, json: {} }, 'denied'],
    ['405', { status: 405, json: {} }, 'unsupported'],
    ['408', { status: 408, json: {} }, 'unavailable'],
    ['429', { status: 429, json: {} }, 'unavailable'],
    ['500', { status: 500, json: {} }, 'unavailable'],
    ['501', { status: 501, json: {} }, 'unsupported'],
    ['502', { status: 502, text: '<html>Bad gateway</html>' }, 'unavailable'],
    ['503', { status: 503, json: {} }, 'unavailable'],
    ['504', { status: 504, json: {} }, 'unavailable'],
    ['a redirect', { status: 302, headers: { location: '/users/a1/' } }, 'unavailable'],
    ['a redirect to another host', { status: 307, headers: { location: 'https://evil.example/' } }, 'unavailable'],
    ['a login page with 200', { text: '<html>Log in</html>', headers: { 'content-type': 'text/html' } }, 'unavailable'],
    ['HTML that calls itself JSON', { text: '<html>', headers: { 'content-type': 'application/json' } }, 'unavailable'],
    ['half of an object', { text: '{"id":"a1","lo', headers: { 'content-type': 'application/json' } }, 'unavailable'],
    ['a list where a record should be', { json: [alice] }, 'unavailable'],
    ['a record without an id', { json: { login: 'alice' } }, 'unavailable'],
    ['an empty record', { json: {} }, 'unavailable'],
    ['null', { json: null }, 'unavailable'],
    ['another record', { json: { ...alice, id: 7 } }, 'unavailable'],
    ['a teapot', { status: 418, json: {} }, 'unavailable'],
    ['nothing', {}, 'unavailable'],
    ['a connection that ends', { cut: true }, 'unavailable'],
    ['a body that is cut', { text: '{"id":', cut: true }, 'unavailable'],
    [
      'text that is not in its encoding',
      { text: Buffer.from([0x7b, 0x22, 0xe9, 0x22]), headers: { 'content-type': 'application/json' } },
      'unavailable',
    ],
    ['an unknown compression', { json: alice, headers: { 'content-encoding': 'zstd-9' } }, 'unavailable'],
  ];
  it.each(answers)('%s', async (_, told, kind) => {
    const target = await startTarget(() => told);
    const adapter = await openOn(target.url);
    const error = await expectKind(adapter.get('people', 'a1', byId, context()), kind as 'rejected');
    expect(error.applied).toBe('no');
    expect(`${error.message} ${error.reason ?? ''}`).not.toMatch(/127\.0\.0\.1|evil|a1/);
    expect(target.asked).toHaveLength(1);
  });

  it('404 and 410 are no record, and a list that is missing is a wrong address', async () => {
    for (const status of [404, 410]) {
      const target = await startTarget(() => ({ status, json: {} }));
      const adapter = await openOn(target.url);
      expect(await adapter.get('people', 'a1', byId, context())).toBeUndefined();
      const query = { entity: 'people', fields: [], limit: 1, wantTotal: false };
      await expectKind(adapter.search(query, context()), 'unavailable');
      await expectKind(adapter.create('people', { login: 'x' }, { fields: [] }, context()), 'unsupported');
      await expectKind(adapter.delete('people', 'a1', {}, context()), 'notFound');
    }
  });

  it('a connection that is refused is unavailable and did nothing', async () => {
    const adapter = await openOn('http://127.0.0.1:9');
    const error = await expectKind(adapter.delete('people', '17', {}, context()), 'unavailable');
    expect(error.applied).toBe('no');
  });

  it('an answer after the time limit is a timeout, of which a write is in doubt', async () => {
    const target = await startTarget(() => new Promise<Told>(() => undefined));
    const adapter = await openOn(target.url, {}, { section: { timeoutMs: 100 } });
    expect((await expectKind(adapter.get('people', 'a1', byId, context()), 'timeout')).applied).toBe('no');
    const ending = new AbortController();
    const created = expectKind(
      adapter.create('people', { mail: 'x' }, { fields: [] }, context(undefined, { signal: ending.signal })),
      'timeout',
    );
    expect((await created).applied).toBe('unknown');
  });

  it('an answer that is too long is refused, whether it says so or not', async () => {
    const long = JSON.stringify({ ...alice, more: 'x'.repeat(5_000) });
    const bodies: readonly Told[] = [
      { text: long, headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
      { text: long, headers: { 'content-type': 'application/json', 'content-length': String(long.length) } },
      { text: gzipSync(long), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } },
    ];
    for (const told of bodies) {
      const target = await startTarget(() => told);
      const adapter = await openOn(target.url, {}, { section: { maxResponseBytes: 2_000 } });
      await expectKind(adapter.get('people', 'a1', byId, context()), 'unavailable');
    }
  });

  it('a page for people in answer to a write tells that nobody knows what became of it', async () => {
    const target = await startTarget(() => ({ text: '<html>', headers: { 'content-type': 'text/html' } }));
    const adapter = await openOn(target.url);
    expect((await expectKind(adapter.delete('people', '17', {}, context()), 'unavailable')).applied).toBe('unknown');
  });
});

describe('answers in other clothes', () => {
  const expected = { $id: 'a1', login: 'ålice', mail: 'alice@example.com' };
  const text = JSON.stringify({ ...alice, login: 'ålice' });
  it.each([
    ['gzip', { text: gzipSync(text), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }],
    [
      'Latin 1 that says so',
      { text: Buffer.from(text, 'latin1'), headers: { 'content-type': 'application/json; charset=ISO-8859-1' } },
    ],
    ['a byte order mark', { text: `\ufeff${text}`, headers: { 'content-type': 'application/vnd.hr+json' } }],
    ['no media type', { text }],
  ] satisfies (readonly [string, Told])[])('%s', async (_, told) => {
    const target = await startTarget(() => told);
    const adapter = await openOn(target.url);
    expect(await adapter.get('people', 'a1', byId, context())).toEqual(expected);
  });
});

describe('refusals that say why', () => {
  const section = {
    errors: {
      message: '/error/text',
      code: '/error/code',
      field: '/error/at',
      conflicts: [{ field: 'login', code: 'taken' }],
    },
  };
  const create = async (told: Told) => {
    const target = await startTarget((asked) => (asked.method === 'POST' ? told : { json: [] }));
    const adapter = await openOn(target.url, {}, { section });
    const record = { login: 'alice.smith', mail: 'secret@example.com' };
    return adapter.create('people', record, { fields: [] }, context()).catch((error: unknown) => error);
  };

  it('names the field by its place, and leaves out what was sent', async () => {
    const json = {
      error: { text: 'The address SECRET@example.com of alice.smith is\nno address', at: '/profile/mail' },
    };
    expect(await create({ status: 422, json })).toMatchObject({
      kind: 'rejected',
      field: 'mail',
      reason: 'The address … of … is no address',
      applied: 'no',
    });
  });
  it('takes a declared code for a value that is taken, whatever the status', async () => {
    expect(await create({ status: 400, json: { error: { code: 'taken' } } })).toMatchObject({
      kind: 'conflict',
      field: 'login',
    });
  });
  it('does not take another 409 for one', async () => {
    const json = { error: { code: 'locked', text: 'The tenant is locked' } };
    expect(await create({ status: 409, json })).toMatchObject({ kind: 'rejected', reason: 'The tenant is locked' });
  });
  it('repeats no credentials and no address of anybody', async () => {
    const text = 'Token hush-hush (aHVzaC1odXNo) may not touch bob@example.com, ask ops@example.com';
    const target = await startTarget((asked) =>
      asked.method === 'POST' ? { status: 400, json: { m: text } } : { json: [] },
    );
    const auth = { kind: 'bearer', token: 'hush-hush' } as const;
    const adapter = await openOn(target.url, {}, { section: { errors: { message: '/m' }, auth } });
    const error = await expectKind(adapter.create('people', { login: 'x' }, { fields: [] }, context()), 'rejected');
    expect(error.reason ?? '').not.toMatch(/hush|aHVz|example\.com/);
  });
  it('repeats nothing that is said to a read', async () => {
    const target = await startTarget(() => ({ status: 400, json: { m: 'bob is a person' } }));
    const adapter = await openOn(target.url, {}, { section: { errors: { message: '/m' } } });
    const error = await expectKind(adapter.get('people', 'a1', byId, context()), 'rejected');
    expect(error.reason).toBeUndefined();
  });
  it('repeats no markup', async () => {
    const error = await create({ status: 400, json: { error: { text: '<b>no</b>' } } });
    expect(error).toMatchObject({ kind: 'rejected', reason: undefined });
  });
  it('without declared conflicts, takes 409 for the only unique field', async () => {
    const target = await startTarget(() => ({ status: 409, json: {} }));
    const adapter = await openOn(target.url);
    const error = await expectKind(adapter.create('people', { login: 'x' }, { fields: [] }, context()), 'conflict');
    expect(error.field).toBe('login');
  });
});

describe('pace', () => {
  it('is asked before each request and told of the limits in each answer', async () => {
    const notices: PaceNotice[] = [];
    let taken = 0;
    const pace = {
      take: async () => {
        taken++;
      },
      learn: (notice: PaceNotice) => {
        notices.push(notice);
      },
    };
    let first = true;
    const target = await startTarget(() => {
      const told = first
        ? { status: 429, headers: { 'retry-after': '7' }, json: {} }
        : { json: alice, headers: { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '9' } };
      first = false;
      return told;
    });
    const adapter = await openOn(target.url, {}, { environment: { pace } });
    const error = await expectKind(adapter.get('people', 'a1', byId, context()), 'unavailable');
    expect(error.retryAfterSeconds).toBe(7);
    await adapter.get('people', 'a1', byId, context());
    expect(notices).toEqual([{ retryAfterSeconds: 7 }, { remaining: 4, resetSeconds: 9 }]);
    expect(taken).toBe(2);
  });
});

describe('what is told of requests', () => {
  it('names templates and statuses, never values or credentials', async () => {
    const target = await startTarget(() => ({ json: [alice] }));
    const section = { auth: { kind: 'bearer', token: 'hush-hush' } } as const;
    const adapter = await openOn(target.url, {}, { section });
    const trace: TraceEntry[] = [];
    const filter = { kind: 'compare', path: 'login', op: 'eq', value: 'alice' } as const;
    await adapter.search({ entity: 'people', filter, fields: [], limit: 1, wantTotal: false }, context(trace));
    expect(trace.map(({ operation }) => operation)).toEqual(['GET /users: 200']);
    expect(target.lines()).toEqual(['GET /users?login=alice']);
  });

  it('sends headers of its own, and refuses those that would end the header', async () => {
    const target = await startTarget(() => ({ json: alice }));
    const adapter = await openOn(target.url, {}, { section: { headers: { 'X-Tenant': 'acme' } } });
    await adapter.get('people', 'a1', byId, context());
    expect(target.asked[0]?.headers).toMatchObject({ 'x-tenant': 'acme', accept: 'application/json' });
    const section = { headers: { 'X-Tenant': 'a\r\nX-Admin: 1' } };
    await expectKind(openOn(target.url, {}, { section }), 'unsupported');
    await expectKind(openOn(target.url, {}, { section: { headers: { 'X Tenant': 'a' } } }), 'unsupported');
  });

  it('keeps below its base path and on its host, whatever an id is', async () => {
    const target = await startTarget(() => ({ status: 404, json: {} }));
    const adapter = await openOn(`${target.url}/api/v1/`);
    for (const id of [
      '../admin',
      '..',
      '.',
      '//evil.example/x',
      'https://evil.example',
      '%2e%2e',
      'a\\..\\b',
      '?x=1',
      '#x',
    ]) {
      expect(await adapter.get('people', id, byId, context())).toBeUndefined();
    }
    for (const { path } of target.asked) expect(path).toMatch(/^\/api\/v1\/users\/[^/]+$/);
  });
});
