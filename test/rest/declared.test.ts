import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectKind } from '../contract/contract-fixture.js';
import { createCertificate } from '../support/certificate.js';
import { context, field, openOn, type PeopleConfig, people, startTarget, uses } from './small-target.js';

const nowhere = 'http://127.0.0.1:9';

describe('a configuration that cannot work is refused with the place', () => {
  const faults: readonly (readonly [string, Partial<PeopleConfig>, RegExp])[] = [
    ['an unknown name in a path', { get: 'GET /users/{key}' }, /entities\.people\.get: .*\{key\}.*\{id\}/],
    ['a value in the path of a list', { search: { request: 'GET /users/{id}' } }, /entities\.people\.search\.request/],
    ['a delete without an id that it knows', { delete: { request: 'DELETE /u/{login}' } }, /people\.delete\.request/],
    [
      'an unknown name in a filter',
      { search: { request: 'GET /u', filters: [{ field: 'login', ops: ['eq'], query: { q: '{x}' } }] } },
      /filters\.0\.query/,
    ],
    [
      'a list of values without a place',
      { search: { request: 'GET /u', filters: [{ field: 'login', ops: ['in'], query: { q: '{value}' } }] } },
      /"in" needs/,
    ],
    ['a field that is not declared', { fields: { login: '/login', mail: '/m' } }, /people\.fields: .*"tags"/],
    ['a field that is nowhere', { fields: { ...people.fields, mail: { readOnly: true } } }, /people\.fields\.mail/],
    [
      'a field in two places',
      { fields: { ...people.fields, tags: { pointer: '/t', add: 'PUT /u/{id}/t/{value}' } } },
      /not both/,
    ],
    [
      'a batch without a place for it',
      { fields: { ...people.fields, tags: { add: { request: 'POST /u/{id}/t', body: ['{value}'], batch: 5 } } } },
      /\.tags\.add\.batch/,
    ],
    [
      'a field that no request changes',
      { update: { requests: [{ fields: ['login'], request: 'POST /u/{id}/l' }] } },
      /No request changes "mail"/,
    ],
    ['a record that is made by GET', { create: { request: 'GET /users' } }, /people\.create\.request/],
  ];
  it.each(faults)('%s', async (_, entity, message) => {
    const error = await expectKind(openOn(nowhere, entity), 'unsupported');
    expect(error.message).toMatch(message);
  });

  it('an entity that is not declared', async () => {
    const entities = [...uses, { entity: 'groups', fields: [] }];
    expect((await expectKind(openOn(nowhere, {}, { entities }), 'unsupported')).message).toMatch(/"groups"/);
  });

  it.each([
    { get: 'GET users/{id}' },
    { get: 'FETCH /users/{id}' },
    { get: 'GET https://evil.example/{id}' },
    { fields: { login: 'login' } },
    { fields: { login: '/lo~gin' } },
    { search: { request: 'GET /users', paging: { kind: 'cursor' } } },
    { update: { request: 'PATCH /users/{id}', body: 'xml' } },
  ])('and what has not the right form is found by the schema: %j', async (entity) => {
    await expect(openOn(nowhere, entity as Partial<PeopleConfig>)).rejects.toThrow(/must/);
  });
});

describe('what explain shows', () => {
  it('is the requests', async () => {
    const adapter = await openOn(nowhere, {
      search: { ...people.search, paging: { kind: 'page', sizeParam: 'per_page' } },
    });
    const filter = { kind: 'compare', path: 'login', op: 'eq', value: 'a b' } as const;
    const query = { entity: 'people', filter, fields: [], limit: 10, wantTotal: false };
    expect(adapter.describe({ kind: 'search', query })).toBe(
      'GET /users?login=a b&per_page=10\n(what comes is compared again)',
    );
    const byMail = { ...filter, path: 'mail' };
    expect(adapter.describe({ kind: 'search', query: { ...query, filter: byMail } })).toMatch(/every page is read/);
    expect(adapter.describe({ kind: 'create', entity: 'people', record: { login: 'x', mail: 'y' } })).toBe(
      'POST /users {"login":"x","profile":{"mail":"y"}}',
    );
    const changes = [{ op: 'set', field: 'mail', values: ['z'] } as const];
    expect(adapter.describe({ kind: 'update', entity: 'people', id: '7', changes })).toBe(
      'GET /users/7\nPATCH /users/7 (merge-patch: set mail ["z"])',
    );
    expect(adapter.describe({ kind: 'create', entity: 'people', record: { nothing: 'x' } })).toMatch(/^\(/);
  });
});

describe('check --connect', () => {
  const records = (count: number, more: object) =>
    Array.from({ length: count }, (_, n) => ({ id: `${n}`, login: `u${n}`, ...more }));
  const inspected = async (entity: Partial<PeopleConfig>, list: readonly object[]) => {
    const target = await startTarget(({ path }) => (path === '/users' ? { json: list } : { json: list[0] }));
    const { problems } = await (await openOn(target.url, entity)).inspect(context());
    return problems.map(({ severity, configPath, message }) => `${severity} ${configPath.join('.')}: ${message}`);
  };

  it('finds nothing wrong with what fits', async () => {
    expect(await inspected({ unique: ['login'] }, records(6, { profile: { mail: 'm' }, tags: ['x'] }))).toEqual([]);
  });

  it('finds what is not where the configuration says', async () => {
    const problems = await inspected({ revision: { header: 'ETag' } }, records(6, { profile: { mail: {} } }));
    expect(problems).toEqual([
      expect.stringMatching(/^warning entities\.people: It is not declared with `unique` that the target refuses/),
      expect.stringMatching(/^error entities\.people\.fields\.mail: "\/profile\/mail" does not hold/),
      expect.stringMatching(/^warning entities\.people\.fields\.tags: None of 6 records has anything at "\/tags"/),
      expect.stringMatching(/^error entities\.people\.revision: /),
    ]);
  });

  it('says when every page has to be read to find a name', async () => {
    const problems = await inspected({ search: { request: 'GET /users' } }, []);
    expect(problems.some((problem) => /no filter for "login"/.test(problem))).toBe(true);
  });

  it('asks the address that is declared for it', async () => {
    const target = await startTarget(({ path }) => ({ status: path === '/health' ? 204 : 500 }));
    await (await openOn(target.url, {}, { section: { check: 'GET /health' } })).check(context());
    await expectKind((await openOn(target.url)).check(context()), 'unavailable');
  });
});

describe('TLS', () => {
  /** A server that wants a certificate of the client. */
  async function startSecure() {
    const folder = mkdtempSync(join(tmpdir(), 'scimbridge-rest-'));
    const [own, client] = [createCertificate(), createCertificate({ name: 'gateway' })];
    for (const [name, pem] of [
      ['ca.pem', own.certificate],
      ['client.pem', client.certificate],
      ['client-key.pem', client.key],
    ] as const) {
      writeFileSync(join(folder, name), pem);
    }
    const names: (string | undefined)[] = [];
    const server = createServer(
      { cert: own.certificate, key: own.key, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const { subject } = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
        names.push(subject?.CN as string | undefined);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"a1"}');
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    });
    return { url: `https://localhost:${(server.address() as AddressInfo).port}`, folder, names };
  }

  it('takes no certificate of an unknown authority, and one that is declared', async () => {
    const { url, folder } = await startSecure();
    const environment = { baseDir: folder };
    const strange = await openOn(url, {}, { environment });
    const error = await expectKind(strange.delete('people', '17', {}, context()), 'unavailable');
    expect(error).toMatchObject({ applied: 'no', message: expect.stringMatching(/certificate/) });
    const known = await openOn(url, {}, { environment, section: { tls: { ca: 'ca.pem' } } as never });
    expect(await known.get('people', 'a1', { fields: [] }, context())).toEqual({ $id: 'a1' });
  });

  it('shows a certificate of its own', async () => {
    const { url, folder, names } = await startSecure();
    const tls = { ca: 'ca.pem', certificate: 'client.pem', key: 'client-key.pem' };
    const adapter = await openOn(url, {}, { environment: { baseDir: folder }, section: { tls } as never });
    await adapter.get('people', 'a1', { fields: [] }, context());
    expect(names).toEqual(['gateway']);
  });

  it('says which file cannot be read', async () => {
    const section = { tls: { ca: 'missing.pem' } } as never;
    expect((await expectKind(openOn(nowhere, {}, { section }), 'unsupported')).message).toMatch(/tls\.ca/);
  });
});

describe('values', () => {
  it('are read and written in the types of JSON and of the mapping', async () => {
    const entities = [
      {
        entity: 'people',
        fields: [
          field('number', { comparison: 'exact' }),
          field('since', { type: 'instant', comparison: 'instant' }),
          field('photo', { type: 'bytes', comparison: 'exact' }),
          field('age', { type: 'number', comparison: 'number' }),
          field('on', { type: 'boolean', comparison: 'boolean' }),
        ],
      },
    ];
    const json = { id: 1, number: 42, since: '2020-01-01T01:00:00+01:00', photo: 'AQI=', age: '7', on: 1 };
    const target = await startTarget(() => ({ json }));
    const fields = {
      number: { pointer: '/number', json: 'number' },
      since: '/since',
      photo: '/photo',
      age: '/age',
      on: '/on',
    } as const;
    const adapter = await openOn(target.url, { fields }, { entities });
    const names = ['number', 'since', 'photo', 'age', 'on'];
    expect(await adapter.get('people', '1', { fields: names }, context())).toEqual({
      $id: '1',
      number: '42',
      since: '2020-01-01T00:00:00Z',
      photo: new Uint8Array([1, 2]),
      age: 7,
      on: true,
    });
    await adapter.update('people', '1', [{ op: 'set', field: 'number', values: ['43'] }], { fields: [] }, context());
    expect(target.asked.at(-1)?.body).toBe('{"number":43}');
    for (const values of [['4x'], [5], ['']]) {
      const error = await expectKind(
        adapter.update('people', '1', [{ op: 'set', field: 'number', values }], { fields: [] }, context()),
        'rejected',
      );
      expect(error.field).toBe('number');
    }
  });
});
