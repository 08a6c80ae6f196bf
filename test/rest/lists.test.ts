import { describe, expect, it } from 'vitest';
import type { Adapter, Condition, SearchResult } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
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

type Paging = NonNullable<PeopleConfig['search']['paging']>;

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `u${n}`, login: `user${n}` }));

function searching(paging: Paging, more: Partial<PeopleConfig['search']> = {}): Partial<PeopleConfig> {
  return { search: { ...people.search, records: '/items', paging, ...more } };
}

async function scanned(adapter: Adapter, filter?: Condition): Promise<readonly string[]> {
  const ids: string[] = [];
  const query = { entity: 'people', fields: ['login'], ...(filter && { filter }) };
  for await (const record of adapter.scan(query, context())) ids.push(idOf(record));
  return ids;
}

async function walked(adapter: Adapter, limit: number, between?: () => void): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < 100; page++) {
    const query = { entity: 'people', fields: [], limit, wantTotal: false, ...(after && { after }) };
    const result: SearchResult = await adapter.search(query, context());
    ids.push(...result.records.map(idOf));
    after = result.next;
    if (after === undefined) return ids;
    between?.();
  }
  throw new Error('The pages do not end.');
}

const loginIs = (value: string): Condition => ({ kind: 'compare', path: 'login', op: 'eq', value });
const numberIn = (asked: Asked, name: string, otherwise: number) => Number(asked.query.get(name) ?? otherwise);

describe('pages with numbers', () => {
  const paging = { kind: 'page', sizeParam: 'size', maxSize: 10, total: { header: 'X-Total' } } as const;
  function paged(all: () => readonly object[], { most = 10, total = true } = {}) {
    return startTarget((asked): Told => {
      const size = Math.min(most, numberIn(asked, 'size', 5));
      const start = (numberIn(asked, 'page', 1) - 1) * size;
      const headers: Record<string, string> = total ? { 'X-Total': String(all().length) } : {};
      return { json: { items: all().slice(start, start + size) }, headers };
    });
  }

  it('give everything once, and the total', async () => {
    const all = numbered(37);
    const target = await paged(() => all);
    const adapter = await openOn(target.url, searching(paging));
    expect(await scanned(adapter)).toEqual(all.map(({ id }) => id));
    for (const limit of [1, 7, 10, 36, 37, 100]) expect(await walked(adapter, limit)).toEqual(all.map(({ id }) => id));
    const page = await adapter.search(
      { entity: 'people', fields: [], limit: 4, offset: 33, wantTotal: true },
      context(),
    );
    expect(page.records.map(idOf)).toEqual(['u33', 'u34', 'u35', 'u36']);
    expect(page.total).toBe(37);
  });

  it('need one request for the first page', async () => {
    const target = await paged(() => numbered(30));
    const adapter = await openOn(target.url, searching(paging));
    await adapter.search({ entity: 'people', fields: [], limit: 10, wantTotal: true }, context());
    expect(target.lines()).toEqual(['GET /users?page=1&size=10']);
  });

  it('lose and double nothing while records go, of the pages before and of the very last record', async () => {
    let all: readonly { readonly id: string }[] = numbered(60);
    const target = await paged(() => all);
    const adapter = await openOn(target.url, searching(paging));
    const gone = ['u4', 'u0', 'u7', 'u13', 'u12', 'u11', 'u20'];
    let step = 0;
    const seen = await walked(adapter, 5, () => {
      const id = gone[step++];
      all = all.filter((one) => one.id !== id);
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(all.map(({ id }) => id)));
  });

  it('lose and double nothing while records come before', async () => {
    let all: readonly { readonly id: string }[] = numbered(30);
    const target = await paged(() => all);
    const adapter = await openOn(target.url, searching(paging));
    let step = 0;
    const seen = await walked(adapter, 7, () => {
      all = [{ id: `new${step++}` }, { id: `new${step++}` }, ...all];
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(numbered(30).map(({ id }) => id)));
  });

  it.each([
    ['a smaller limit than is declared', { most: 4 }],
    ['a smaller limit, and no total', { most: 4, total: false }],
    ['no total', { total: false }],
  ])('give everything with %s', async (_, options) => {
    const all = numbered(23);
    const target = await paged(() => all, options);
    const { total: _total, ...untold } = paging;
    const adapter = await openOn(target.url, searching('total' in options ? untold : paging));
    expect(await scanned(adapter)).toEqual(all.map(({ id }) => id));
    expect(await walked(adapter, 10)).toEqual(all.map(({ id }) => id));
  });

  it.each([undefined, '', '-1', 'many', '3', '1000'])(
    'whose total is %j of 23 are an error, not the end of the list',
    async (wrong) => {
      const all = numbered(23);
      const target = await startTarget((asked): Told => {
        const size = numberIn(asked, 'size', 5);
        const start = (numberIn(asked, 'page', 1) - 1) * size;
        const headers: Record<string, string> = wrong === undefined ? {} : { 'X-Total': wrong };
        return { json: { items: all.slice(start, start + size) }, headers };
      });
      await expectKind(scanned(await openOn(target.url, searching(paging))), 'unavailable');
    },
  );

  it('that are empty while there are said to be more are an error', async () => {
    const target = await startTarget(() => ({ json: { items: [] }, headers: { 'X-Total': '5' } }));
    await expectKind(scanned(await openOn(target.url, searching(paging))), 'unavailable');
  });

  it('of another size than was asked for are told', async () => {
    const target = await startTarget(() => ({ json: { items: numbered(50) }, headers: { 'X-Total': '50' } }));
    const adapter = await openOn(target.url, searching(paging));
    const error = await expectKind(scanned(adapter), 'unsupported');
    expect(error.reason).toMatch(/pages of another size/);
  });
});

describe('pages that start at a record', () => {
  const all = numbered(25);
  const offsets = (first: number) =>
    startTarget((asked): Told => {
      const start = numberIn(asked, 'offset', first) - first;
      return { json: { items: all.slice(start, start + numberIn(asked, 'limit', 10)), total: all.length } };
    });
  it.each([0, 1])('whose first number is %i', async (first) => {
    const target = await offsets(first);
    const adapter = await openOn(target.url, searching({ kind: 'offset', first, maxSize: 10, total: '/total' }));
    expect(await scanned(adapter)).toEqual(all.map(({ id }) => id));
    for (const limit of [1, 4, 10, 25, 40]) expect(await walked(adapter, limit)).toEqual(all.map(({ id }) => id));
  });
});

describe('pages that name the next one', () => {
  const all = numbered(23);
  const cursors = (alter: (told: { items: readonly object[]; next: unknown }, at: number) => object = (told) => told) =>
    startTarget((asked): Told => {
      const at = numberIn(asked, 'cursor', 0);
      const size = numberIn(asked, 'size', 10);
      const next = at + size < all.length ? String(at + size) : null;
      return { json: alter({ items: all.slice(at, at + size), next }, at) };
    });
  const paging: Paging = { kind: 'cursor', next: '/next', sizeParam: 'size', maxSize: 10 };

  it('by a cursor, from any place and in pages of any size', async () => {
    const target = await cursors();
    const adapter = await openOn(target.url, searching(paging));
    expect(await scanned(adapter)).toEqual(all.map(({ id }) => id));
    for (const limit of [1, 7, 10, 23]) expect(await walked(adapter, limit)).toEqual(all.map(({ id }) => id));
    const page = await adapter.search(
      { entity: 'people', fields: [], limit: 3, offset: 12, wantTotal: false },
      context(),
    );
    expect(page.records.map(idOf)).toEqual(['u12', 'u13', 'u14']);
  });

  it('with a cursor that has to be there from the start', async () => {
    const target = await cursors();
    const adapter = await openOn(target.url, searching({ ...paging, start: '0' }));
    await adapter.search({ entity: 'people', fields: [], limit: 5, wantTotal: false }, context());
    expect(target.lines()).toEqual(['GET /users?cursor=0&size=5']);
  });

  it('go on over pages with nothing in them', async () => {
    const target = await startTarget((asked): Told => {
      const at = numberIn(asked, 'cursor', 0);
      return { json: { items: at % 2 === 0 ? all.slice(at, at + 1) : [], next: at < 6 ? at + 1 : '' } };
    });
    const adapter = await openOn(target.url, searching(paging));
    expect(await scanned(adapter)).toEqual(['u0', 'u2', 'u4', 'u6']);
  });

  it('that go in a circle are noticed, also from one search to the next', async () => {
    const target = await cursors((told, at) => ({ ...told, next: at >= 10 ? '0' : told.next }));
    const adapter = await openOn(target.url, searching(paging));
    await expectKind(scanned(adapter), 'unavailable');
    await expectKind(walked(adapter, 10), 'unavailable');
  });

  it('that name themselves with nothing in them are the end', async () => {
    const target = await startTarget((asked): Told => {
      const isFirst = asked.query.get('cursor') === null;
      return { json: { items: isFirst ? all.slice(0, 2) : [], next: 'end' } };
    });
    expect(await scanned(await openOn(target.url, searching(paging)))).toEqual(['u0', 'u1']);
  });

  it.each([{ page: 2 }, true, ['2']])('by something that is no text (%j) are not taken for the end', async (next) => {
    const target = await cursors((told) => ({ ...told, next }));
    await expectKind(scanned(await openOn(target.url, searching(paging))), 'unavailable');
  });

  it('by a Link header, and by a URL in the body', async () => {
    const target = await startTarget((asked): Told => {
      const at = numberIn(asked, 'from', 0);
      const size = numberIn(asked, 'size', 10);
      const isMore = at + size < all.length;
      const next = `?size=${size}&from=${at + size}`;
      const json = { items: all.slice(at, at + size), ...(isMore ? { links: { next } } : {}) };
      return { json, headers: isMore ? { link: `</users${next}>; rel=next` } : {} };
    });
    for (const kind of [{ kind: 'link' } as const, { kind: 'nextUrl', next: '/links/next' } as const]) {
      const adapter = await openOn(target.url, searching({ ...kind, sizeParam: 'size', maxSize: 10 }));
      expect(await scanned(adapter)).toEqual(all.map(({ id }) => id));
      for (const limit of [1, 7, 10]) expect(await walked(adapter, limit)).toEqual(all.map(({ id }) => id));
    }
  });

  it.each([
    'https://evil.example/users?page=2',
    '//evil.example/users',
    'http://user:pass@127.0.0.1/users',
    'ftp://x/',
  ])('elsewhere (%s) are not followed', async (next) => {
    const target = await startTarget(() => ({
      json: { items: numbered(1), next },
      headers: { link: `<${next}>; rel=next` },
    }));
    for (const kind of [{ kind: 'link' } as const, { kind: 'nextUrl', next: '/next' } as const]) {
      await expectKind(scanned(await openOn(target.url, searching(kind))), 'unavailable');
    }
    expect(target.lines().every((line) => line === 'GET /users')).toBe(true);
  });

  it("are not the caller's fault when the target does not know its own words", async () => {
    for (const status of [400, 404, 422]) {
      const target = await startTarget((asked): Told => {
        if (asked.query.has('cursor')) return { status, json: {} };
        return { json: { items: all.slice(0, 2), next: 'gone' } };
      });
      await expectKind(scanned(await openOn(target.url, searching(paging))), 'unavailable');
    }
  });

  it('by a cursor that is too long for a position are found by counting', async () => {
    const target = await startTarget((asked): Told => {
      const at = Number((asked.query.get('cursor') ?? '0').replaceAll('x', ''));
      const next = at + 5 < all.length ? `${'x'.repeat(900)}${at + 5}` : null;
      return { json: { items: all.slice(at, at + 5), next } };
    });
    const adapter = await openOn(target.url, searching({ kind: 'cursor', next: '/next', maxSize: 5 }));
    expect(await walked(adapter, 7)).toEqual(all.map(({ id }) => id));
  });

  it('positions that were not given here are refused', async () => {
    const adapter = await openOn('http://127.0.0.1:9', searching(paging));
    for (const after of ['', '"; no', Buffer.from('[1,2]').toString('base64url')]) {
      await expectKind(
        adapter.search({ entity: 'people', fields: [], limit: 1, wantTotal: false, after }, context()),
        'rejected',
      );
    }
  });
});

describe('what a list has to be', () => {
  it.each([[{}], [{ items: { id: 'u1' } }], [{ items: null }], [[{ id: 'u1' }]]])('%j is none', async (json) => {
    const target = await startTarget(() => ({ json }));
    await expectKind(scanned(await openOn(target.url, searching({ kind: 'none' }))), 'unavailable');
  });
  it('records without an id are not passed over', async () => {
    const target = await startTarget(() => ({ json: { items: [{ login: 'x' }] } }));
    await expectKind(scanned(await openOn(target.url, searching({ kind: 'none' }))), 'unsupported');
  });
});

describe('filters', () => {
  const everyone = [
    { id: '1', login: 'alice', profile: { mail: 'a@x' } },
    { id: '2', login: 'alice.smith', profile: { mail: 'b@x' } },
  ];
  it('that the target takes more loosely are held against the condition', async () => {
    const target = await startTarget(() => ({ json: everyone }));
    const adapter = await openOn(target.url);
    expect(await scanned(adapter, loginIs('ALICE'))).toEqual(['1']);
    const { total } = await adapter.search(
      { entity: 'people', filter: loginIs('alice'), fields: [], limit: 10, wantTotal: true },
      context(),
    );
    expect(total).toBe(1);
    expect(adapter.capabilities.entities.people?.fields.login?.operators).toEqual({ eq: 'exact' });
    expect(adapter.capabilities.entities.people?.fields.mail?.operators).toEqual({});
  });

  it('are counted as a whole on every page', async () => {
    const target = await startTarget(() => ({
      json: Array.from({ length: 9 }, (_, n) => ({ id: `${n}`, login: 'same' })),
    }));
    const adapter = await openOn(target.url);
    const query = { entity: 'people', filter: loginIs('same'), fields: [], limit: 4, wantTotal: true };
    const first = await adapter.search(query, context());
    const second = await adapter.search({ ...query, ...(first.next && { after: first.next }) }, context());
    expect([first.total, second.total]).toEqual([9, 9]);
    expect([...first.records, ...second.records].map(idOf)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  it('of a list without pages give its total', async () => {
    const target = await startTarget(() => ({ json: everyone }));
    const adapter = await openOn(target.url);
    const query = { entity: 'people', fields: [], wantTotal: true };
    expect(await adapter.search({ ...query, limit: 1 }, context())).toMatchObject({ total: 2 });
    expect(await adapter.search({ ...query, limit: 0 }, context())).toEqual({ records: [], total: 2 });
    expect(await adapter.search({ ...query, limit: 1, offset: 1 }, context())).toEqual({
      records: [{ $id: '2' }],
      total: 2,
    });
  });

  it('put the value into its parameter and nowhere else', async () => {
    const target = await startTarget(() => ({ json: [] }));
    const filters = [{ field: 'login', ops: ['eq' as const], query: { q: 'login:"{value}"', exact: 'true' } }];
    const adapter = await openOn(target.url, { search: { request: 'GET /users?active=1', filters } });
    await scanned(adapter, loginIs('a&b=c {value}#\r\n'));
    expect(target.asked[0]?.query).toEqual(
      new URLSearchParams({ active: '1', q: 'login:"a&b=c {value}#\r\n"', exact: 'true' }),
    );
  });

  it('of several fields are sent together where their parameters differ; the rest is looked at here', async () => {
    const target = await startTarget(() => ({ json: everyone }));
    const filters = [
      { field: 'login', ops: ['eq' as const], query: { q: '{value}' }, match: 'exact' as const },
      { field: 'mail', ops: ['eq' as const], query: { q: '{value}' }, match: 'exact' as const },
    ];
    const adapter = await openOn(target.url, { search: { request: 'GET /users', filters } });
    const mailIs: Condition = { kind: 'compare', path: 'mail', op: 'eq', value: 'a@x' };
    expect(await scanned(adapter, { kind: 'and', operands: [loginIs('alice'), mailIs] })).toEqual(['1']);
    expect(target.lines()).toEqual(['GET /users?q=alice']);
  });

  it('by id read the record itself', async () => {
    const target = await startTarget(() => ({ json: everyone[0] }));
    const adapter = await openOn(target.url);
    const filter: Condition = { kind: 'compare', path: '$id', op: 'eq', value: '1' };
    expect(await scanned(adapter, filter)).toEqual(['1']);
    expect(target.lines()).toEqual(['GET /users/1']);
  });

  it('that nothing can meet ask for nothing', async () => {
    const target = await startTarget(() => ({ json: everyone }));
    const adapter = await openOn(target.url);
    expect(await scanned(adapter, { kind: 'or', operands: [] })).toEqual([]);
    expect(await scanned(adapter, { kind: 'compare', path: 'login', op: 'eq', value: 5 })).toEqual([]);
    expect(target.asked).toEqual([]);
  });

  it('of many values are asked for in lists where the target can', async () => {
    const target = await startTarget((asked) => {
      const wanted = asked.query.get('ids')?.split('|') ?? [];
      return { json: wanted.map((id) => ({ id, login: `user ${id}` })) };
    });
    const filters = [{ field: '$id', ops: ['in' as const], query: { ids: '{values}' }, separator: '|', maxValues: 40 }];
    const adapter = await openOn(target.url, { search: { request: 'GET /users', filters } });
    const values = Array.from({ length: 100 }, (_, n) => `p${n}`);
    const found = await adapter.lookup('people', { by: '$id', values, fields: ['login'] }, context());
    expect(found).toHaveLength(100);
    expect(target.asked).toHaveLength(3);
  });
});

describe('lists that show a part', () => {
  it('of each record have the rest read one by one', async () => {
    const target = await startTarget((asked) =>
      asked.path === '/users'
        ? { json: [{ id: '1', login: 'a' }] }
        : { json: { id: '1', login: 'a', profile: { mail: 'm' } } },
    );
    const adapter = await openOn(target.url, { search: { request: 'GET /users', shows: ['login'] } });
    const read = async (fields: readonly string[]) =>
      (await adapter.search({ entity: 'people', fields, limit: 5, wantTotal: false }, context())).records;
    expect(await read(['login'])).toEqual([{ $id: '1', login: 'a' }]);
    expect(target.asked).toHaveLength(1);
    expect(await read(['login', 'mail'])).toEqual([{ $id: '1', login: 'a', mail: 'm' }]);
  });

  it('when the parameter names what is wanted, or what is not', async () => {
    const target = await startTarget(() => ({ json: [] }));
    const query = { entity: 'people', fields: ['mail'], limit: 5, wantTotal: false };
    await (await openOn(target.url, { select: { parameter: 'fields' } })).search(query, context());
    await (
      await openOn(target.url, { select: { parameter: 'without', exclude: true, names: { tags: 'labels' } } })
    ).search(query, context());
    expect(target.lines()).toEqual(['GET /users?fields=id,profile', 'GET /users?without=labels']);
  });
});

describe('the other end of a reference', () => {
  const entities = [
    {
      entity: 'people',
      fields: [
        field('login', { unique: true }),
        field('memberOf', {
          multiple: true,
          written: false,
          comparison: 'exact',
          reference: { targets: ['groups'], by: '$id' },
          inverseOf: { entity: 'groups', field: 'members' },
        }),
      ],
    },
    {
      entity: 'groups',
      fields: [
        field('members', { multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
      ],
    },
  ];
  const groups = (filters: PeopleConfig['search']['filters']): PeopleConfig => ({
    fields: { members: '/members' },
    get: 'GET /groups/{id}',
    search: { request: 'GET /groups', ...(filters && { filters }) },
  });
  const all = [
    { id: 'g1', members: ['1', '2'] },
    { id: 'g2', members: ['2'] },
  ];

  it('is found by a search in the other entity, with its parameter or without', async () => {
    const target = await startTarget(({ path, query }) => {
      if (path === '/users/2') return { json: { id: '2', login: 'bob' } };
      const member = query.get('member');
      return { json: all.filter(({ members }) => member === null || members.includes(member)) };
    });
    const withFilter = [
      { field: 'members', ops: ['eq' as const], query: { member: '{value}' }, match: 'exact' as const },
    ];
    for (const filters of [withFilter, undefined]) {
      const section = { entities: { people: { ...people, fields: { login: '/login' } }, groups: groups(filters) } };
      const adapter = await openOn(target.url, {}, { section, entities });
      const record = await adapter.get('people', '2', { fields: ['login', 'memberOf'] }, context());
      expect(record).toEqual({ $id: '2', login: 'bob', memberOf: ['g1', 'g2'] });
    }
    expect(target.lines()).toEqual(['GET /users/2', 'GET /groups?member=2', 'GET /users/2', 'GET /groups']);
  });
});
