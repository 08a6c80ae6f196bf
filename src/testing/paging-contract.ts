import type { BackendRecord, Condition, Sort } from '../backend/adapter.js';
import { childrenOf, idOf, scalarsOf } from '../backend/record.js';
import { type ComparisonKey, compareKeys, keyOf } from '../scim/comparison.js';
import { awkwardTexts } from './contract-entities.js';
import { type ContractFixture, sorted } from './contract-fixture.js';
import { expect } from './expect.js';
import type { Skip, Suite } from './suite.js';

const everyone = 37;
const pageSizes = [1, 2, 7, 36, 37, 100] as const;
const maxPages = 400;

function byField(field: string, descending = false): Sort {
  return { field, descending };
}

/** Sorting, and pages that together give the whole. */
export function pagingContract(fixture: ContractFixture, { describe, it }: Suite): void {
  /** Thirty-seven people: many share a name, some have none, and their logins are in no order. */
  async function createMany(): Promise<readonly string[]> {
    const numbers = Array.from({ length: everyone }, (_, n) => n);
    return Promise.all(
      numbers.map((n) => {
        const name = n % 5 === 0 ? {} : { name: awkwardTexts[(n * 7) % 12]! };
        const person = { login: `p${(n * 17) % everyone}`, ...name, age: n % 4, enabled: n % 2 === 0 };
        return fixture.create('people', person);
      }),
    );
  }

  async function walkAfter(limit: number, sort?: Sort, filter?: Condition, between?: (page: number) => Promise<void>) {
    const seen: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < maxPages; page++) {
      const result = await fixture.search({
        entity: 'people',
        limit,
        ...(sort && { sort }),
        ...(filter && { filter }),
        ...(after !== undefined && { after }),
      });
      expect(result.records.length).toBeLessThanOrEqual(limit);
      seen.push(...result.records.map(idOf));
      after = result.next;
      if (after === undefined) return seen;
      expect(after.length).toBeLessThanOrEqual(1_000);
      await between?.(page);
    }
    throw new Error('The pages do not end.');
  }

  async function walkOffset(limit: number, sort?: Sort) {
    const seen: string[] = [];
    for (let offset = 0; offset < everyone + limit; offset += limit) {
      const { records } = await fixture.search({ entity: 'people', limit, offset, ...(sort && { sort }) });
      seen.push(...records.map(idOf));
    }
    return seen;
  }

  function needsSort(skip: Skip, ...fields: readonly string[]): void {
    for (const field of fields) skip(!fixture.can('people').fields[field]?.sortable, `cannot sort by "${field}"`);
  }

  for (const descending of [false, true])
    describe(`descending: ${descending}`, () => {
      it('adds up to the whole page by page, after one another [7644-3.4.2.4-09]', async () => {
        const ids = await createMany();
        const orders = [undefined, ...['login', 'name', 'age'].map((field) => byField(field, descending))];
        for (const sort of orders) {
          if (sort && !fixture.can('people').fields[sort.field]?.sortable) continue;
          const whole = await walkAfter(1_000, sort);
          expect(sorted(whole)).toEqual(sorted(ids));
          for (const size of pageSizes) expect(await walkAfter(size, sort)).toEqual(whole);
        }
      });

      it('adds up to the whole page by page, by offset [7644-3.4.2.4-09 7644-3.4.2.3-08]', async ({ skip }) => {
        skip(!fixture.can('people').offset, 'declares offset: false');
        const ids = await createMany();
        const orders = [undefined, ...['login', 'name', 'age'].map((field) => byField(field, descending))];
        for (const sort of orders) {
          if (sort && !fixture.can('people').fields[sort.field]?.sortable) continue;
          const whole = await walkAfter(1_000, sort);
          expect(sorted(whole)).toEqual(sorted(ids));
          for (const size of pageSizes) expect(await walkOffset(size, sort)).toEqual(whole);
        }
      });

      it('neither loses nor doubles a record that stays while others come and go', async () => {
        const orders = [undefined, ...['login', 'name'].map((field) => byField(field, descending))];
        for (const sort of orders) {
          if (sort && !fixture.can('people').fields[sort.field]?.sortable) continue;
          const ids = await createMany();
          const whole = await walkAfter(1_000, sort);
          const gone = new Set<string>();
          const come = new Set<string>();
          const seen = await walkAfter(5, sort, undefined, async (page) => {
            // The last of this page, one long seen, and one still to come go; two others come.
            for (const id of [whole[page * 5 + 4], whole[page * 3], whole[everyone - 1 - page]]) {
              if (id === undefined || gone.has(id)) continue;
              gone.add(id);
              await fixture.delete('people', id);
            }
            for (const login of [`a${page}`, `z${page}`])
              come.add(await fixture.create('people', { login, name: login }));
          });
          expect(new Set(seen).size, 'none comes twice').toBe(seen.length);
          const survivors = ids.filter((id) => !gone.has(id));
          expect(seen).toEqual(expect.arrayContaining(survivors));
          for (const id of [...survivors, ...come]) await fixture.delete('people', id);
        }
      });

      it('orders texts by code point, with no value last ascending and first descending [7644-3.4.2.3-02 7644-3.4.2.3-05 7644-3.4.2.3-07]', async ({
        skip,
      }) => {
        needsSort(skip, 'name', 'badge');
        const texts = awkwardTexts.filter((text) => text !== '' && !text.includes('\0'));
        for (const [index, text] of texts.entries()) {
          await fixture.create('people', { login: `p${index}`, name: text, badge: text });
        }
        for (const login of ['none1', 'none2']) await fixture.create('people', { login });
        for (const field of ['name', 'badge']) await expectOrder(byField(field, descending));
      });

      it('orders numbers, booleans and instants by value [7644-3.4.2.3-07]', async ({ skip }) => {
        needsSort(skip, 'age', 'enabled', 'hired');
        const people = [
          { age: 10, enabled: true, hired: '2011-05-13T04:42:34.5Z' },
          { age: 9, enabled: false, hired: '2011-05-13T04:42:34Z' },
          { age: -1, hired: '1999-12-31T23:59:59Z' },
          { age: 100, enabled: true },
          { enabled: false, hired: '2011-05-13T04:42:35Z' },
        ];
        for (const [index, person] of people.entries())
          await fixture.create('people', { login: `p${index}`, ...person });
        for (const field of ['age', 'enabled', 'hired']) await expectOrder(byField(field, descending));
      });

      it('orders by the preferred child record, else by the first [7644-3.4.2.3-03]', async ({ skip }) => {
        fixture.needs(skip, 'people', 'mails');
        skip(!fixture.can('people').fields.mails?.children?.value?.sortable, 'cannot sort by mails.value');
        const lists = [
          [
            { value: 'x1', type: 'work' },
            { value: 'b', primary: true },
          ],
          [
            { value: 'C', primary: true },
            { value: 'a', primary: false },
          ],
          [{ value: 'A' }],
          [],
        ];
        for (const [index, mails] of lists.entries()) await fixture.create('people', { login: `p${index}`, mails });
        await expectOrder({ field: 'mails', child: 'value', prefer: 'primary', descending });
      });

      it('orders by $id and $created', async () => {
        await createMany();
        for (const field of ['$id', '$created']) {
          if (fixture.can('people').fields[field]?.sortable) await expectOrder(byField(field, descending));
        }
      });

      it('goes on after very long values that begin alike', async ({ skip }) => {
        needsSort(skip, 'name');
        const ids: string[] = [];
        for (const n of [3, 1, 2, 5, 4]) {
          ids.push(await fixture.create('people', { login: `p${n}`, name: `${'長'.repeat(1_500)}${n}` }));
        }
        const sort = byField('name', descending);
        const whole = await walkAfter(100, sort);
        expect(sorted(whole)).toEqual(sorted(ids));
        expect(await walkAfter(1, sort)).toEqual(whole);
      });
    });

  /** Every record once, and no two neighbours in the wrong order. */
  async function expectOrder(sort: Sort): Promise<void> {
    const { records } = await fixture.search({ entity: 'people', sort, fields: [sort.field] });
    expect(records).toHaveLength((await fixture.ids('people')).length);
    const comparison = fixture.comparisonOf('people')(sort.field, sort.child);
    const keys = records.map((record) => keyOf(comparison, sortedValue(record, sort)));
    for (let index = 1; index < keys.length; index++) {
      const order = compareSorted(keys[index - 1], keys[index]);
      const told = `${sort.field}: ${String(keys[index - 1])} before ${String(keys[index])}`;
      expect(sort.descending ? -order : order, told).toBeLessThanOrEqual(0);
    }
  }

  it('gives the total of all that match, whatever the page [7644-3.4.2.4-06]', async ({ skip }) => {
    skip(!fixture.can('people').total, 'declares total: false');
    fixture.needs(skip, 'people', 'age');
    await createMany();
    const filter: Condition = { kind: 'compare', path: 'age', op: 'eq', value: 1 };
    const isExact = fixture.precisionOf('people', filter) === 'exact';
    for (const limit of [1, 5, 100]) {
      expect((await fixture.search({ entity: 'people', limit, wantTotal: true })).total).toBe(everyone);
      if (isExact) expect((await fixture.search({ entity: 'people', filter, limit, wantTotal: true })).total).toBe(9);
    }
    const { next } = await fixture.search({ entity: 'people', limit: 10 });
    const later = await fixture.search({ entity: 'people', limit: 10, wantTotal: true, ...(next && { after: next }) });
    expect(later.total).toBe(everyone);
  });

  it('gives the total alone for a limit of 0 [7644-3.4.2.4-04]', async ({ skip }) => {
    skip(!fixture.can('people').total, 'declares total: false');
    expect(await fixture.search({ entity: 'people', limit: 0, wantTotal: true })).toMatchObject({
      records: [],
      total: 0,
    });
    await createMany();
    const result = await fixture.search({ entity: 'people', limit: 0, wantTotal: true, fields: ['login'] });
    expect(result).toMatchObject({ records: [], total: everyone });
  });

  it('gives nothing past the end [7644-3.4.2.4-07]', async ({ skip }) => {
    const ids = await createMany();
    const exact = await fixture.search({ entity: 'people', limit: everyone });
    expect(exact.records).toHaveLength(ids.length);
    if (exact.next !== undefined) {
      const rest = await fixture.search({ entity: 'people', limit: 5, after: exact.next });
      expect(rest.records).toEqual([]);
      expect(rest.next).toBeUndefined();
    }
    skip(!fixture.can('people').offset, 'declares offset: false');
    const past = await fixture.search({ entity: 'people', limit: 5, offset: 999 });
    expect(past.records).toEqual([]);
    expect(past.next).toBeUndefined();
    const mixed = await fixture.search({ entity: 'people', limit: 5, offset: 30 });
    expect(mixed.records).toHaveLength(5);
    const after = await fixture.search({ entity: 'people', limit: 5, ...(mixed.next && { after: mixed.next }) });
    expect(after.records).toHaveLength(2);
  });

  it('scans everything that matches once, in order when asked', async ({ skip }) => {
    const ids = await createMany();
    expect(sorted(await scan({}))).toEqual(sorted(ids));
    const filter: Condition = { kind: 'compare', path: 'login', op: 'sw', value: 'p1' };
    if (fixture.precisionOf('people', filter) === 'exact') {
      expect(sorted(await scan({ filter }))).toEqual(sorted(await fixture.ids('people', filter)));
    }
    needsSort(skip, 'login');
    const sort = byField('login', true);
    expect(await scan({ sort })).toEqual(await walkAfter(1_000, sort));
  });

  it('ends a scan that its reader leaves, and scans more than one page', async () => {
    const ids = await Promise.all(
      Array.from({ length: 1_200 }, (_, n) => fixture.create('people', { login: `user${n}` })),
    );
    for await (const record of fixture.adapter.scan({ entity: 'people', fields: ['login'] }, fixture.context())) {
      expect(record.login).toBeTypeOf('string');
      break;
    }
    expect(sorted(await scan({}))).toEqual(sorted(ids));
  });

  async function scan(query: { readonly filter?: Condition; readonly sort?: Sort }): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const record of fixture.adapter.scan({ entity: 'people', fields: [], ...query }, fixture.context())) {
      ids.push(idOf(record));
    }
    return ids;
  }
}

function sortedValue(record: BackendRecord, { field, child, prefer }: Sort): unknown {
  if (child === undefined) return scalarsOf(record, field)[0];
  const rows = childrenOf(record, field);
  const preferred = rows.find((row) => prefer !== undefined && row[prefer] === true);
  return (preferred ?? rows[0])?.[child];
}

/** Ascending: no value after all others. */
function compareSorted(a: ComparisonKey | undefined, b: ComparisonKey | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareKeys(a, b);
}
