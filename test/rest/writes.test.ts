import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/backend/adapter.js';
import { expectKind } from '../contract/contract-fixture.js';
import {
  type Asked,
  context,
  field,
  openOn,
  type PeopleConfig,
  people,
  startTarget,
  type Told,
} from './small-target.js';

type Document = Record<string, unknown>;
const set = (name: string, ...values: readonly string[]): Change => ({ op: 'set', field: name, values });
const add = (name: string, ...values: readonly string[]): Change => ({ op: 'add', field: name, values });
const remove = (name: string, ...values: readonly string[]): Change => ({ op: 'remove', field: name, values });
const nothing = { fields: [] } as const;

/** One record, with an ETag that counts its changes; `write` gives the next document. */
async function startRecord(write: (asked: Asked, document: Document) => Document | Told, first: Document = {}) {
  let document: Document = {
    id: 'a1',
    login: 'alice',
    profile: { mail: 'm', phone: 'kept' },
    tags: ['x', 'y'],
    ...first,
  };
  let version = 1;
  const state = {
    get: () => document,
    change(next: Document): void {
      document = next;
      version++;
    },
  };
  const target = await startTarget((asked): Told => {
    const etag = { etag: `"${version}"` };
    if (asked.method === 'GET') return { json: document, headers: etag };
    const wanted = asked.headers['if-match'];
    if (wanted !== undefined && wanted !== `"${version}"`) return { status: 412, json: {} };
    const next = write(asked, document);
    if ('status' in next || 'cut' in next) return next as Told;
    state.change(next as Document);
    return { json: document, headers: { etag: `"${version}"` } };
  });
  const sent = () => target.asked.filter(({ method }) => method !== 'GET');
  return { target, state, sent };
}

const revision = { header: 'ETag' } as const;

describe('bodies of updates', () => {
  const changes = [set('login', 'bob'), set('mail'), add('tags', 'z'), remove('tags', 'x')];
  const bodies: readonly (readonly [string, PeopleConfig['update'], string, unknown])[] = [
    [
      'merge-patch (RFC 7396)',
      { request: 'PATCH /users/{id}' },
      'application/merge-patch+json',
      { login: 'bob', profile: { mail: null }, tags: ['y', 'z'] },
    ],
    [
      'json-patch (RFC 6902), guarded by If-Match',
      { request: 'PATCH /users/{id}', body: 'json-patch' },
      'application/json-patch+json',
      [
        { op: 'replace', path: '/login', value: 'bob' },
        { op: 'remove', path: '/profile/mail' },
        { op: 'remove', path: '/tags/0' },
        { op: 'add', path: '/tags/-', value: 'z' },
      ],
    ],
    [
      'json-patch, guarded by tests',
      { request: 'PATCH /users/{id}', body: 'json-patch', ifMatch: false },
      'application/json-patch+json',
      [
        { op: 'test', path: '/login', value: 'alice' },
        { op: 'replace', path: '/login', value: 'bob' },
        { op: 'test', path: '/profile/mail', value: 'm' },
        { op: 'remove', path: '/profile/mail' },
        { op: 'test', path: '/tags', value: ['x', 'y'] },
        { op: 'remove', path: '/tags/0' },
        { op: 'add', path: '/tags/-', value: 'z' },
      ],
    ],
    [
      'full, with what the mapping knows nothing of',
      { request: 'PUT /users/{id}' },
      'application/json',
      { id: 'a1', login: 'bob', profile: { phone: 'kept' }, tags: ['y', 'z'] },
    ],
    [
      'record: the mapped fields alone',
      { request: 'PUT /users/{id}', body: 'record' },
      'application/json',
      { login: 'bob', tags: ['y', 'z'] },
    ],
    [
      'scim-patch (RFC 7644 §3.5.2)',
      { request: 'PATCH /users/{id}', body: 'scim-patch' },
      'application/json',
      {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          { op: 'replace', path: 'login', value: 'bob' },
          { op: 'remove', path: 'profile.mail' },
          { op: 'replace', path: 'tags', value: ['y', 'z'] },
        ],
      },
    ],
  ];
  it.each(bodies)('%s', async (_, update, contentType, body) => {
    const { target, sent } = await startRecord((_asked, document) => document);
    const adapter = await openOn(target.url, { revision, ...(update && { update }) });
    await adapter.update('people', 'a1', changes, nothing, context());
    expect(sent()).toHaveLength(1);
    expect(JSON.parse(sent()[0]?.body ?? '')).toEqual(body);
    expect(sent()[0]?.headers['content-type']).toBe(contentType);
    expect(sent()[0]?.headers['if-match']).toBe(update?.ifMatch === false ? undefined : '"1"');
  });

  it('form', async () => {
    const { target, sent } = await startRecord((_, document) => document);
    const adapter = await openOn(target.url, { update: { request: 'POST /users/{id}', body: 'form' } });
    await adapter.update('people', 'a1', [set('mail', 'a&b'), set('tags')], nothing, context());
    expect(sent()[0]?.body).toBe('mail=a%26b&tags=');
    expect(sent()[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  });

  it('a change that changes nothing is not sent', async () => {
    const { target, sent } = await startRecord((_, document) => document);
    const adapter = await openOn(target.url);
    const same = [set('login', 'alice'), add('tags', 'x'), remove('tags', 'none'), set('tags', 'y', 'x')];
    expect(await adapter.update('people', 'a1', same, { fields: ['login'] }, context())).toEqual({
      changed: false,
      record: { $id: 'a1', login: 'alice' },
    });
    expect(sent()).toEqual([]);
  });

  it("how an absent value is written is the target's to say", async () => {
    const { target, sent } = await startRecord((_, document) => document);
    const fields = {
      login: '/login',
      mail: { pointer: '/profile/mail', clear: 'empty' },
      tags: { pointer: '/tags', clear: 'null' },
    } as const;
    const adapter = await openOn(target.url, { fields, update: { request: 'PUT /users/{id}' } });
    await adapter.update('people', 'a1', [set('mail'), set('tags')], nothing, context());
    expect(JSON.parse(sent()[0]?.body ?? '')).toMatchObject({ profile: { mail: '', phone: 'kept' }, tags: null });
  });

  it('parts of list elements that the mapping does not know stay', async () => {
    const phones = [
      { kind: 'work', number: '1', verified: true },
      { kind: 'home', number: '2', verified: false },
      'what is this',
    ];
    const { target, sent } = await startRecord((_, document) => document, { phones });
    const entities = [
      {
        entity: 'people',
        fields: [field('phones', { type: 'records', multiple: true, children: [field('type'), field('value')] })],
      },
    ];
    const fields = { phones: { pointer: '/phones', children: { type: '/kind', value: '/number' } } };
    const adapter = await openOn(target.url, { fields }, { entities });
    const where = { kind: 'compare', path: 'type', op: 'eq', value: 'work' } as const;
    await adapter.update(
      'people',
      'a1',
      [{ op: 'updateWhere', field: 'phones', where, set: { value: '9' } }],
      nothing,
      context(),
    );
    const now = [{ kind: 'work', number: '9', verified: true }, phones[1]];
    expect(JSON.parse(sent()[0]?.body ?? '').phones).toEqual(expect.arrayContaining([...now, 'what is this']));
  });
});

describe('other writers', () => {
  it('who come first lose nothing: the change is worked out anew', async () => {
    let isRaced = false;
    const record = await startRecord((asked, document) => ({ ...document, ...JSON.parse(asked.body) }));
    const { target, state, sent } = record;
    const adapter = await openOn(target.url, { revision });
    const original = target.asked.push.bind(target.asked);
    target.asked.push = (...all) => {
      if (all[0]?.method === 'PATCH' && !isRaced) {
        isRaced = true;
        state.change({ ...state.get(), tags: ['x', 'y', 'theirs'] });
      }
      return original(...all);
    };
    await adapter.update('people', 'a1', [add('tags', 'ours')], nothing, context());
    expect(state.get().tags).toEqual(['x', 'y', 'theirs', 'ours']);
    expect(sent()).toHaveLength(2);
  });

  it('are told where the caller asked for a revision', async () => {
    const { target } = await startRecord((_, document) => document);
    const adapter = await openOn(target.url, { revision });
    expect(await adapter.get('people', 'a1', { fields: ['$revision'] }, context())).toEqual({
      $id: 'a1',
      $revision: '1',
    });
    await expectKind(
      adapter.update('people', 'a1', [set('login', 'b')], { fields: [], ifRevision: '7' }, context()),
      'revisionMismatch',
    );
    await expectKind(adapter.delete('people', 'a1', { ifRevision: '7' }, context()), 'revisionMismatch');
    expect(target.asked.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('whose change makes a test of a patch fail are told from a value that is taken', async () => {
    let answers: Told[] = [{ status: 409, json: {} }];
    const { target, state } = await startRecord((_, document) => answers.pop() ?? document, { rev: 1 });
    const entity = {
      revision: { pointer: '/rev' },
      update: { request: 'PATCH /users/{id}', body: 'json-patch', ifMatch: false },
    } as const;
    const adapter = await openOn(target.url, entity);
    await expectKind(adapter.update('people', 'a1', [set('login', 'b')], nothing, context()), 'conflict');
    answers = [{ status: 409, json: {} }];
    const push = target.asked.push.bind(target.asked);
    target.asked.push = (...all) => {
      if (all[0]?.method === 'PATCH' && answers.length > 0) state.change({ ...state.get(), rev: 2 });
      return push(...all);
    };
    expect((await adapter.update('people', 'a1', [set('login', 'b')], nothing, context())).changed).toBe(true);
  });
});

describe('writes without an answer', () => {
  it('an update that was carried out is found to be so', async () => {
    let isLost = false;
    const { target, state, sent } = await startRecord((asked, document) => {
      if (isLost) return document;
      isLost = true;
      state.change({ ...document, login: JSON.parse(asked.body).login });
      return { cut: true };
    });
    const adapter = await openOn(target.url, { revision });
    expect(await adapter.update('people', 'a1', [set('login', 'bob')], nothing, context())).toMatchObject({
      changed: true,
    });
    expect(sent()).toHaveLength(1);
    expect(state.get().login).toBe('bob');
  });

  it('an update that was not is made again', async () => {
    let isLost = false;
    const { target, sent } = await startRecord((asked, document) => {
      if (isLost) return { ...document, ...JSON.parse(asked.body) };
      isLost = true;
      return { cut: true };
    });
    const adapter = await openOn(target.url, { revision });
    const { record } = await adapter.update('people', 'a1', [set('login', 'bob')], { fields: ['login'] }, context());
    expect(record).toEqual({ $id: 'a1', login: 'bob' });
    expect(sent()).toHaveLength(2);
  });

  it('an update whose fate stays unknown says so', async () => {
    const { target } = await startRecord(() => ({ cut: true }));
    const adapter = await openOn(target.url, { revision });
    const error = await expectKind(
      adapter.update('people', 'a1', [set('login', 'b')], nothing, context()),
      'unavailable',
    );
    expect(error.applied).toBe('unknown');
  });

  it('a deletion that got through is one', async () => {
    let isGone = false;
    const target = await startTarget(({ method }): Told => {
      if (method === 'GET') return { json: { id: 'a1' } };
      if (isGone) return { status: 404, json: {} };
      isGone = true;
      return { cut: true };
    });
    await (await openOn(target.url)).delete('people', 'a1', {}, context());
  });

  /** Answers to POST one after the other; people as a list. */
  async function startCreating(posts: readonly (Told | 'lost' | 'done and lost')[]) {
    const made: Document[] = [];
    const left = [...posts];
    const target = await startTarget((asked): Told => {
      if (asked.method === 'GET' && asked.path === '/users') {
        return { json: made.filter(({ login }) => login === asked.query.get('login')) };
      }
      if (asked.method === 'GET') return { json: made[0] };
      const next = left.shift();
      if (next === 'lost') return { cut: true };
      if (next !== undefined && next !== 'done and lost') return next;
      made.push({ ...JSON.parse(asked.body), id: `n${made.length}` });
      return next === undefined ? { status: 201, json: made.at(-1) } : { cut: true };
    });
    const posted = () => target.asked.filter(({ method }) => method === 'POST');
    return { target, made, posted };
  }

  it('a record that was made is found by its unique value, and not made twice', async () => {
    const { target, made, posted } = await startCreating(['done and lost']);
    const adapter = await openOn(target.url);
    const record = await adapter.create('people', { login: 'bob', mail: 'b' }, { fields: ['login'] }, context());
    expect(record).toEqual({ $id: 'n0', login: 'bob' });
    expect([made.length, posted().length]).toEqual([1, 1]);
  });

  it('a record that was not made is made by another try', async () => {
    const { target, made, posted } = await startCreating(['lost']);
    const adapter = await openOn(target.url);
    expect(await adapter.create('people', { login: 'bob' }, nothing, context())).toEqual({ $id: 'n0' });
    expect([made.length, posted().length]).toEqual([1, 2]);
  });

  it('one with the same name and another content is somebody else', async () => {
    const { target, made } = await startCreating(['lost']);
    made.push({ id: 'other', login: 'bob', profile: { mail: 'theirs' } });
    const adapter = await openOn(target.url);
    const error = await expectKind(
      adapter.create('people', { login: 'bob', mail: 'ours' }, nothing, context()),
      'conflict',
    );
    expect(error.field).toBe('login');
  });

  it('without a unique value or a key it is not tried again', async () => {
    const { target, posted } = await startCreating(['lost']);
    const error = await expectKind(
      (await openOn(target.url)).create('people', { mail: 'b' }, nothing, context()),
      'unavailable',
    );
    expect(error.applied).toBe('unknown');
    expect(posted()).toHaveLength(1);
  });

  it('with an idempotency key every try has the same one, and every operation another', async () => {
    const { target, posted } = await startCreating(['lost', 'lost']);
    const create = { request: 'POST /users', idempotency: { header: 'Idempotency-Key' } };
    const adapter = await openOn(target.url, { create });
    await adapter.create('people', { mail: 'b' }, nothing, context());
    await adapter.create('people', { mail: 'b' }, nothing, context(undefined, { operationId: 'operation-2' }));
    const keys = posted().map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(4);
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(new Set(keys).size).toBe(2);
    expect(String(keys[0])).not.toMatch(/operation/);
  });

  it('a record of which nobody knows the id is looked for too', async () => {
    const { target, made } = await startCreating([]);
    const adapter = await openOn(target.url, {
      create: { request: 'POST /users', record: '/nothing', id: '/nowhere' },
    });
    expect(await adapter.create('people', { login: 'bob' }, nothing, context())).toEqual({ $id: 'n0' });
    expect(made).toHaveLength(1);
  });
});

describe('addresses that are wrong', () => {
  it('do not make a record look gone', async () => {
    const target = await startTarget(({ method }) =>
      method === 'GET' ? { json: { id: 'a1', login: 'x' } } : { status: 404, json: {} },
    );
    const adapter = await openOn(target.url);
    await expectKind(adapter.update('people', 'a1', [set('login', 'y')], nothing, context()), 'unsupported');
    await expectKind(adapter.delete('people', 'a1', {}, context()), 'unsupported');
    await expectKind(adapter.delete('people', '17', {}, context()), 'unavailable');
  });
});

describe('creating', () => {
  it('takes the id from the record, a pointer or Location, and reads what the answer leaves out', async () => {
    const answers: readonly (readonly [Told, PeopleConfig['create']])[] = [
      [{ status: 201, json: { id: 7, login: 'bob' } }, undefined],
      [
        { status: 201, json: { created: { key: 7 } } },
        { request: 'POST /users', id: '/created/key' },
      ],
      [{ status: 201, headers: { location: '/v1/users/7?x=1' } }, undefined],
      [
        { status: 201, headers: { 'x-id': 'users/7' } },
        { request: 'POST /users', id: { header: 'X-Id' } },
      ],
    ];
    for (const [told, create] of answers) {
      const target = await startTarget(({ method }) =>
        method === 'POST' ? told : { json: { id: 7, login: 'bob', tags: ['new'] } },
      );
      const adapter = await openOn(target.url, create && { create });
      const fields = { fields: ['login', 'tags'] };
      const record = await adapter.create('people', { login: 'bob', tags: ['new'] }, fields, context());
      expect(record).toEqual({ $id: '7', login: 'bob', tags: ['new'] });
    }
  });

  it('puts constants into the record, and fields into the path', async () => {
    const target = await startTarget(() => ({ status: 201, json: { id: 'bob', login: 'bob' } }));
    const create = { request: 'PUT /users/{login}', constants: { source: 'idp', profile: { kind: 'x' } } };
    await (await openOn(target.url, { create })).create('people', { login: 'bob', mail: 'm' }, nothing, context());
    expect(target.lines()).toEqual(['PUT /users/bob']);
    expect(JSON.parse(target.asked[0]?.body ?? '')).toEqual({
      source: 'idp',
      profile: { kind: 'x', mail: 'm' },
      login: 'bob',
    });
    expect(target.asked[0]?.headers['if-none-match']).toBe('*');
  });

  it('by PUT does not replace one that is there', async () => {
    const target = await startTarget(() => ({ status: 412, json: {} }));
    const adapter = await openOn(target.url, { create: { request: 'PUT /users/{login}' } });
    expect((await expectKind(adapter.create('people', { login: 'bob' }, nothing, context()), 'conflict')).field).toBe(
      'login',
    );
  });
});

describe('fields with requests of their own', () => {
  it('are changed one after the other, before the rest', async () => {
    const { target, sent, state } = await startRecord((asked, document) => {
      if (asked.path.endsWith('/rename')) return { ...document, login: JSON.parse(asked.body).to };
      return { ...document, profile: { mail: 'new' } };
    });
    const requests = [
      { fields: ['login'], request: 'POST /users/{id}/rename', body: { to: '{value}', by: 'gateway' } },
    ];
    const adapter = await openOn(target.url, { update: { request: 'PATCH /users/{id}', requests } });
    const result = await adapter.update('people', 'a1', [set('mail', 'new'), set('login', 'bob')], nothing, context());
    expect(result.changed).toBe(true);
    expect(sent().map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual([
      'POST /users/a1/rename {"to":"bob","by":"gateway"}',
      'PATCH /users/a1 {"profile":{"mail":"new"}}',
    ]);
    expect(state.get()).toMatchObject({ login: 'bob', profile: { mail: 'new' } });
    expect(adapter.capabilities.entities.people?.atomicUpdate).toBe(false);
  });

  it('may depend on the value', async () => {
    const { target, sent } = await startRecord((asked, document) => ({ ...document, on: asked.path.endsWith('/on') }), {
      on: true,
    });
    const entities = [{ entity: 'people', fields: [field('enabled', { type: 'boolean', comparison: 'boolean' })] }];
    const requests = [
      { fields: ['enabled'], equals: true, request: 'POST /users/{id}/on' },
      { fields: ['enabled'], equals: false, request: 'POST /users/{id}/off' },
    ];
    const adapter = await openOn(target.url, { fields: { enabled: '/on' }, update: { requests } }, { entities });
    for (const value of [true, false, false, true]) {
      await adapter.update('people', 'a1', [{ op: 'set', field: 'enabled', values: [value] }], nothing, context());
    }
    expect(sent().map(({ path }) => path)).toEqual(['/users/a1/off', '/users/a1/on']);
  });

  it('tell what was done before the rest failed', async () => {
    const { target } = await startRecord((asked, document) =>
      asked.path.endsWith('/rename') ? { ...document, login: 'bob' } : { status: 400, json: {} },
    );
    const requests = [{ fields: ['login'], request: 'POST /users/{id}/rename', body: '{login}' }];
    const adapter = await openOn(target.url, { update: { request: 'PATCH /users/{id}', requests } });
    const error = await expectKind(
      adapter.update('people', 'a1', [set('mail', 'x'), set('login', 'bob')], nothing, context()),
      'rejected',
    );
    expect(error).toMatchObject({ applied: 'unknown', reason: expect.stringMatching(/carried out before/) });
  });
});

describe('members behind requests of their own', () => {
  const entities = [
    {
      entity: 'people',
      fields: [
        field('members', { multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
      ],
    },
  ];

  function startGroup(members: Set<string>) {
    return startTarget((asked): Told => {
      const [, , , list, member = ''] = asked.path.split('/');
      if (list === undefined) return { json: { id: 'g1' } };
      const batch =
        asked.body === '' ? [member] : (JSON.parse(asked.body).people as { id: string }[]).map(({ id }) => id);
      if (asked.method === 'GET' && member !== '') return { status: members.has(member) ? 200 : 404, json: {} };
      if (asked.method === 'GET') return { json: [...members].map((id) => ({ person: { id } })) };
      for (const id of batch) {
        if (asked.method === 'DELETE') members.delete(id);
        else members.add(id);
      }
      return { status: 204 };
    });
  }

  const calls = {
    list: { request: 'GET /users/{id}/members', item: '/person/id' },
    add: 'PUT /users/{id}/members/{member}',
    remove: 'DELETE /users/{id}/members/{member}',
  };
  const open = (url: string, own: object) => openOn(url, { fields: { members: { ...calls, ...own } } }, { entities });

  it('are read from their list', async () => {
    const target = await startGroup(new Set(['1', '2']));
    const record = await (await open(target.url, {})).get('people', 'g1', { fields: ['members'] }, context());
    expect(record).toEqual({ $id: 'g1', members: ['1', '2'] });
  });

  it('are added and removed one by one, and only where that changes anything', async () => {
    const members = new Set(['1', '2']);
    const target = await startGroup(members);
    const adapter = await open(target.url, {});
    expect(
      (
        await adapter.update(
          'people',
          'g1',
          [add('members', '2', 'a/b'), remove('members', '1', '9')],
          nothing,
          context(),
        )
      ).changed,
    ).toBe(true);
    expect([...members].sort()).toEqual(['2', 'a/b'].map((id) => (id === 'a/b' ? 'a%2Fb' : id)).sort());
    expect(target.asked.filter(({ method }) => method !== 'GET')).toHaveLength(2);
    expect((await adapter.update('people', 'g1', [add('members', '2')], nothing, context())).changed).toBe(false);
  });

  it('are asked for one by one where the target can tell, without reading the list', async () => {
    const target = await startGroup(new Set(['1']));
    const adapter = await open(target.url, { has: 'GET /users/{id}/members/{member}' });
    await adapter.update('people', 'g1', [add('members', '1', '2'), remove('members', '3')], nothing, context());
    expect(target.lines().slice(1).sort()).toEqual([
      'GET /users/g1/members/1',
      'GET /users/g1/members/2',
      'GET /users/g1/members/3',
      'PUT /users/g1/members/2',
    ]);
  });

  it('are sent in batches', async () => {
    const members = new Set<string>();
    const target = await startGroup(members);
    const own = {
      add: { request: 'POST /users/{id}/members', body: { people: '{values}' }, item: { id: '{value}' }, batch: 40 },
    };
    const values = Array.from({ length: 100 }, (_, n) => `p${n}`);
    await (await open(target.url, own)).update('people', 'g1', [add('members', ...values)], nothing, context());
    expect(members.size).toBe(100);
    expect(target.asked.filter(({ method }) => method === 'POST')).toHaveLength(3);
  });

  it('that are said not to be there, and are, are an error: the address may be wrong', async () => {
    const target = await startTarget(({ method, path }): Told => {
      if (path === '/users/g1') return { json: { id: 'g1' } };
      return method === 'GET' ? { json: [{ person: { id: '1' } }] } : { status: 404, json: {} };
    });
    const adapter = await open(target.url, {});
    await expectKind(adapter.update('people', 'g1', [remove('members', '1')], nothing, context()), 'unavailable');
    expect((await adapter.update('people', 'g1', [remove('members', '2')], nothing, context())).changed).toBe(false);
  });

  it('are set as a difference', async () => {
    const members = new Set(['1', '2', '3']);
    const target = await startGroup(members);
    await (await open(target.url, {})).update('people', 'g1', [set('members', '2', '4')], nothing, context());
    expect([...members].sort()).toEqual(['2', '4']);
  });

  it('of a new record that are refused take it with them', async () => {
    const target = await startTarget(({ method, path }): Told => {
      if (method === 'POST') return { status: 201, json: { id: 'g1' } };
      if (path.includes('/members/')) return { status: 422, json: {} };
      return method === 'DELETE' ? { status: 204 } : { json: [] };
    });
    const error = await expectKind(
      (await open(target.url, {})).create('people', { members: ['x'] }, nothing, context()),
      'rejected',
    );
    expect(error.field).toBe('members');
    expect(target.lines().at(-1)).toBe('DELETE /users/g1');
  });
});

describe('ids with a prefix', () => {
  it('are known without it to the target, also where others refer to them', async () => {
    const entities = [
      {
        entity: 'people',
        idPrefix: 'p-',
        fields: [field('boss', { comparison: 'exact', reference: { targets: ['people'], by: '$id' } })],
      },
    ];
    const target = await startTarget(() => ({ json: { id: 5, boss: 6 } }));
    const fields = { boss: { pointer: '/boss', json: 'number' } } as const;
    const adapter = await openOn(target.url, { fields }, { entities });
    expect(await adapter.get('people', 'p-5', { fields: ['boss'] }, context())).toEqual({ $id: 'p-5', boss: 'p-6' });
    await adapter.update('people', 'p-5', [set('boss', 'p-7')], nothing, context());
    expect(await adapter.get('people', '5', { fields: [] }, context())).toBeUndefined();
    expect(target.lines()).toEqual(['GET /users/5', 'GET /users/5', 'PATCH /users/5']);
    expect(target.asked.at(-1)?.body).toBe('{"boss":7}');
  });
});

describe('without If-Match', () => {
  it('capabilities promise no revision', async () => {
    const revisions = async (entity: Partial<PeopleConfig>) =>
      (await openOn('http://127.0.0.1:9', entity)).capabilities.entities.people?.revision;
    expect(await revisions({})).toBe(false);
    expect(await revisions({ revision })).toBe(true);
    expect(await revisions({ revision, update: { ...people.update, ifMatch: false } })).toBe(false);
  });
});
