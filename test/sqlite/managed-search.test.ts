import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Adapter, BackendRecord, Condition, SearchQuery, Sort } from '../../src/backend/adapter.js';
import { compileCondition } from '../../src/backend/condition.js';
import { childrenOf, idOf } from '../../src/backend/record.js';
import { compareKeys, fold } from '../../src/scim/comparison.js';
import { expectKind } from '../contract/contract-fixture.js';
import {
  both,
  context,
  either,
  has,
  is,
  not,
  one,
  openManaged,
  openStore,
  present,
  rowsChangedBy,
  testFolder,
} from './managed-fixture.js';

const size = 2_500;
const fields = ['login', 'title', 'enabled', 'mails', 'manager', '$created', '$modified'];

/** Enough records that a search through them is no work for the main thread. */
function personNumber(n: number): BackendRecord {
  const work = { value: `P${n}@Work.example`, type: 'work', primary: n % 2 === 0 };
  const home = { value: `${size - n}@home.example`, type: 'home', ...(n % 2 === 1 ? { primary: true } : {}) };
  return {
    login: `Person ${(n * 7919) % size}`,
    ...(n % 3 === 0 ? {} : { title: `Title ${n % 50}` }),
    enabled: n % 10 !== 0,
    ...(n % 5 === 0 ? {} : { mails: n % 7 === 0 ? [work] : [home, work] }),
    ...(n % 100 === 1 ? { manager: 'boss' } : {}),
  };
}

async function openFilled(): Promise<{ readonly adapter: Adapter; readonly records: readonly BackendRecord[] }> {
  const folder = await testFolder();
  const opened = await openStore(folder);
  const records: BackendRecord[] = [];
  rowsChangedBy(opened, () => {
    for (let n = 0; n < size; n++) records.push(opened.store.create('people', personNumber(n), { fields }));
  });
  return { adapter: await openManaged(folder, { gateway: 'test' }), records };
}

const comparisons = new Map<string, 'fold' | 'boolean' | 'exact' | 'instant'>([
  ['enabled', 'boolean'],
  ['mails.primary', 'boolean'],
  ['manager', 'exact'],
  ['$created', 'instant'],
  ['$modified', 'instant'],
]);

function reference(records: readonly BackendRecord[], filter: Condition): readonly string[] {
  const matches = compileCondition(
    filter,
    (field, child) => comparisons.get(child === undefined ? field : `${field}.${child}`) ?? 'fold',
  );
  return records.filter(matches).map(idOf);
}

describe('search in a managed store', () => {
  const search = (adapter: Adapter, query: Partial<SearchQuery>) =>
    adapter.search({ entity: 'people', fields: [], limit: 10_000, wantTotal: true, ...query }, context());

  it('selects in workers what the evaluator selects, in the order of creation, with exact totals', async () => {
    const { adapter, records } = await openFilled();
    const conditions: readonly Condition[] = [
      has('login', '99'),
      is('enabled', true),
      not(is('enabled', true)),
      present('title'),
      not(present('mails')),
      both(present('title'), is('enabled', false), not(is('title', 'TITLE 10'))),
      one('mails', both(is('type', 'work'), is('primary', true))),
      one('mails', both(is('type', 'HOME'), not(is('primary', true)))),
      one('mails', not(is('type', 'work'))),
      one('mails', either(has('value', 'p1'), is('value', '7@home.example'))),
      not(one('mails', is('type', 'home'))),
      either(is('manager', 'boss'), both(is('title', 'title 7'), has('login', '3'))),
      { kind: 'compare', path: 'login', op: 'ew', value: '00' },
      { kind: 'compare', path: 'login', op: 'gt', value: 'person 5' },
      { kind: 'compare', path: '$created', op: 'ge', value: String(records[500]?.$created) },
      { kind: 'compare', path: '$modified', op: 'lt', value: String(records[500]?.$modified) },
      { kind: 'and', operands: [] },
      { kind: 'or', operands: [] },
    ];
    for (const filter of conditions) {
      const expected = reference(records, filter);
      const found = await search(adapter, { filter });
      expect(found.records.map(idOf), JSON.stringify(filter)).toEqual(expected);
      expect(found.total).toBe(expected.length);
      expect(await search(adapter, { filter, limit: 0 })).toEqual({ records: [], total: expected.length });
      const page = await search(adapter, { filter, offset: 3, limit: 5 });
      expect(page.records.map(idOf)).toEqual(expected.slice(3, 8));
      expect(page.total).toBe(expected.length);
    }
  });

  it('finds every page by its offset and goes on after any, in each order', { timeout: 60_000 }, async () => {
    const { adapter, records } = await openFilled();
    const sorts: readonly (Sort | undefined)[] = [
      undefined,
      { field: 'login', descending: false },
      { field: 'title', descending: false },
      { field: 'title', descending: true },
      { field: 'enabled', descending: true },
      { field: 'manager', descending: false },
      { field: '$id', descending: true },
      { field: '$created', descending: false },
      { field: 'mails', child: 'value', prefer: 'primary', descending: false },
      { field: 'mails', child: 'value', prefer: 'primary', descending: true },
      { field: 'mails', child: 'type', descending: false },
    ];
    for (const sort of sorts) {
      for (const filter of [undefined, is('enabled', true)]) {
        const matching = filter === undefined ? records : records.filter(({ enabled }) => enabled === true);
        const expected = sort === undefined ? matching.map(idOf) : sorted(matching, sort).map(idOf);
        const query = { ...(sort === undefined ? {} : { sort }), ...(filter === undefined ? {} : { filter }) };
        const pages: string[] = [];
        let after: string | undefined;
        do {
          const page = await search(adapter, { ...query, limit: 900, ...(after === undefined ? {} : { after }) });
          expect(page.total).toBe(expected.length);
          pages.push(...page.records.map(idOf));
          after = page.next;
        } while (after !== undefined);
        expect(pages, JSON.stringify(query)).toEqual(expected);
        for (const offset of [0, 1, 1_660, 1_700, size - 1, size, size + 10]) {
          const page = await search(adapter, { ...query, offset, limit: 10, wantTotal: false });
          expect(page.records.map(idOf), `${JSON.stringify(query)} from ${offset}`).toEqual(
            expected.slice(offset, offset + 10),
          );
          expect(page.next === undefined).toBe(offset + 10 >= expected.length);
        }
      }
    }
  });

  it('finds pages far from the start also where many records are gone', async () => {
    const opened = await openStore(await testFolder());
    const { store } = opened;
    const ids: string[] = [];
    rowsChangedBy(opened, () => {
      for (let n = 0; n < 5_000; n++) ids.push(idOf(store.create('people', { login: `${n}` }, { fields: [] })));
      for (let n = 0; n < 5_000; n++)
        if (n % 3 !== 0 || (n > 1_500 && n < 3_500)) store.delete('people', ids[n] ?? '', {});
    });
    const left = ids.filter((_, n) => n % 3 === 0 && !(n > 1_500 && n < 3_500));
    for (const offset of [0, 400, 500, 501, 700, 999, left.length - 1, left.length]) {
      const query = { entity: 'people', fields: [], offset, limit: 3, wantTotal: true };
      const { records, total } = store.search(query);
      expect(records.map(idOf)).toEqual(left.slice(offset, offset + 3));
      expect(total).toBe(left.length);
    }
  });

  it('goes on after a record whose sort key is too long for a position, even when it is gone', async () => {
    const opened = await openStore(await testFolder());
    const { store } = opened;
    const login = (n: number) => `${'ä'.repeat(400)}${n}`;
    const ids: string[] = [];
    rowsChangedBy(opened, () => {
      for (let n = 0; n < 9; n++) ids.push(idOf(store.create('people', { login: login(n) }, { fields: [] })));
    });
    for (const descending of [false, true]) {
      const order = descending ? [...ids].reverse() : ids;
      const query = { entity: 'people', fields: [], limit: 4, wantTotal: false, sort: { field: 'login', descending } };
      const first = store.search(query);
      expect(first.next?.length).toBeLessThanOrEqual(1_000);
      const after = first.next ?? '';
      expect(store.search({ ...query, after }).records.map(idOf)).toEqual(order.slice(4, 8));
      const gone = order[3] ?? '';
      expect(() =>
        opened.db.transaction(() => {
          store.delete('people', gone, {});
          const again = store.search({ ...query, after, limit: 9 }).records.map(idOf);
          expect(again).toEqual(order.filter((id) => id !== gone));
          throw new Error('undo');
        })(),
      ).toThrow('undo');
    }
  });

  it('refuses a position that it did not give', async () => {
    const adapter = await openManaged(await testFolder());
    for (const after of ['', 'x', 'W10', 'bnVsbA']) {
      await expectKind(search(adapter, { after, limit: 10 }), 'rejected');
    }
  });

  it('evaluates conditions of any shape over members and groups as the evaluator does', async () => {
    const opened = await openStore(await testFolder());
    const { store } = opened;
    const groupsMade: BackendRecord[] = [];
    const peopleMade: BackendRecord[] = [];
    rowsChangedBy(opened, () => {
      const ids = [1, 2, 3].map((n) => idOf(store.create('people', { login: `${n}` }, { fields: [] })));
      const types = ['User', 'Group', undefined];
      for (let n = 0; n < 8; n++) {
        const members = [...ids, 'X', 'ä'].flatMap((value, index) => {
          const type = types[(n + index) % 3];
          return (n >> (index % 3)) % 2 === 0 ? [] : [{ value, ...(type === undefined ? {} : { type }) }];
        });
        const record = { title: `${n}`, ...(members.length === 0 ? {} : { members }) };
        groupsMade.push(store.create('groups', record, { fields: ['title', 'members'] }));
      }
      for (const id of ids) peopleMade.push(store.get('people', id, { fields: ['login', 'memberOf'] }) ?? {});
    });
    const memberIds = groupsMade.flatMap((group) => childrenOf(group, 'members').map(({ value }) => String(value)));
    const groupIds = groupsMade.map(idOf);
    const ofMember = conditionsOver({ value: [...new Set(memberIds), 'x', 'Ä'], type: ['user', 'GROUP', ''] });
    const ofGroup = fc.oneof(
      ofMember.map((filter) => one('members', filter)),
      fc.constant(present('members')),
    );
    const ofPerson = conditionsOver({ memberOf: [...groupIds, 'g-'], login: ['1', '2'] });
    const comparisonFor = (field: string) => (field === 'memberOf' ? 'exact' : 'fold');
    const check = (entity: string, records: readonly BackendRecord[], filter: Condition) => {
      const expected = records.filter(compileCondition(filter, comparisonFor)).map(idOf);
      const query = { entity, filter, fields: [], limit: 100, wantTotal: true };
      expect(store.search(query).records.map(idOf)).toEqual(expected);
    };
    const nested = (inner: fc.Arbitrary<Condition>) =>
      fc.oneof(
        inner,
        inner.map(not),
        fc.array(inner, { maxLength: 3 }).map((all) => both(...all)),
      );
    fc.assert(
      fc.property(nested(ofGroup), (filter) => check('groups', groupsMade, filter)),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(nested(ofPerson), (filter) => check('people', peopleMade, filter)),
      { numRuns: 100 },
    );
  });
});

describe('a search in a managed store that follows an index', () => {
  const cases: readonly (readonly [string, Condition])[] = [
    ['a unique field', is('login', 'x')],
    ['the id', is('$id', 'x')],
    ['a child of a child record', one('mails', both(is('type', 'work'), is('value', 'x')))],
    ['a beginning', { kind: 'compare', path: 'login', op: 'sw', value: 'x' }],
    ['a time', { kind: 'compare', path: '$modified', op: 'gt', value: '2026-01-01T00:00:00Z' }],
    ['a reference', is('manager', 'x')],
    ['the other end of a reference', is('memberOf', 'x')],
    ['one of several', either(is('login', 'x'), is('$id', 'y'), one('mails', is('value', 'z')))],
    ['a unique field among others', both(is('enabled', true), has('title', 'x'), is('login', 'x'))],
  ];
  it.each(cases)('by %s looks at no more than it must', async (_, filter) => {
    const { db, store } = await openStore(await testFolder());
    const query = { entity: 'people', filter, fields: ['login'], limit: 100, wantTotal: true };
    expect(store.isScan(query)).toBe(false);
    const lines = store.describe({ kind: 'search', query }).split(';\n');
    const steps = lines.flatMap((line) => db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${line}`).all());
    for (const { detail: step } of steps) {
      if (step.startsWith('SCAN')) expect(step).toMatch(/^SCAN ([cp]|\(subquery-\d+\)|constant row)/);
      if (step.startsWith('SEARCH v') || step.startsWith('SEARCH e')) expect(step).toMatch(/key[=>]|PRIMARY KEY/);
      if (step.startsWith('SEARCH l')) expect(step).toMatch(/key=\?|owner=\? AND field=\?/);
      if (step.startsWith('SEARCH r')) expect(step).toMatch(/rowid=\?|id=\?|modified>\?/);
    }
  });
});

it('tells which of two conditions selects fewer records', async () => {
  const folder = await testFolder();
  const opened = await openStore(folder);
  rowsChangedBy(opened, () => {
    for (let n = 0; n < 1_200; n++) {
      opened.store.create('people', { login: `${n}`, title: `t${n % 300}`, enabled: true }, { fields: [] });
    }
  });
  const query = { entity: 'people', fields: [], limit: 10, wantTotal: false };
  expect(opened.store.isScan({ ...query, filter: is('enabled', true) })).toBe(true);
  expect(opened.store.isScan({ ...query, filter: both(is('enabled', true), is('title', 't7')) })).toBe(false);
  const described = opened.store.describe({
    kind: 'search',
    query: { ...query, filter: both(is('enabled', true), is('title', 't7')) },
  });
  expect(described).toMatch(/FROM \(SELECT v\.seq AS seq FROM value v WHERE v\.field = \d+ AND v\.key = 't7'\)/);
});

/** As RFC 7644 §3.4.2.3 says: without a value last ascending and first descending; ties by age. */
function sorted(records: readonly BackendRecord[], sort: Sort): readonly BackendRecord[] {
  const keyOfRecord = (record: BackendRecord): string | number | undefined => {
    const rows = sort.child === undefined ? [] : childrenOf(record, sort.field);
    const row = rows.find((candidate) => sort.prefer !== undefined && candidate[sort.prefer] === true) ?? rows[0];
    const value = sort.child === undefined ? record[sort.field] : row?.[sort.child];
    if (typeof value === 'boolean') return Number(value);
    if (typeof value !== 'string') return undefined;
    return sort.field.startsWith('$') || sort.field === 'manager' ? value : fold(value);
  };
  const keyed = records.map((record, age) => ({ record, age, key: keyOfRecord(record) }));
  keyed.sort((a, b) => {
    if (a.key === undefined || b.key === undefined) {
      if (a.key === b.key) return a.age - b.age;
      return (a.key === undefined) === sort.descending ? -1 : 1;
    }
    const order = compareKeys(a.key, b.key);
    return order === 0 ? a.age - b.age : sort.descending ? -order : order;
  });
  return keyed.map(({ record }) => record);
}

function conditionsOver(values: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<Condition> {
  const leaves = Object.entries(values).flatMap(([path, literals]) => [
    fc.constant(present(path)),
    fc
      .tuple(fc.constantFrom('eq', 'co', 'sw', 'ew', 'gt', 'le'), fc.constantFrom(...literals))
      .map(([op, value]): Condition => ({ kind: 'compare', path, op, value }) as Condition),
  ]);
  const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(...leaves),
      tie('tree').map(not),
      fc.array(tie('tree'), { maxLength: 3 }).map((operands): Condition => ({ kind: 'and', operands })),
      fc.array(tie('tree'), { maxLength: 3 }).map((operands): Condition => ({ kind: 'or', operands })),
    ),
  }));
  return tree;
}
