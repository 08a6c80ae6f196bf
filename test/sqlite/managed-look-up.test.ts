import { describe, expect, it } from 'vitest';
import type { SearchQuery, TraceEntry } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
import { context, is, openManaged, openStore, people, rowsChangedBy, testFolder } from './managed-fixture.js';

const byLogin = (login: string): SearchQuery => ({
  entity: 'people',
  fields: ['login', 'title', '$revision'],
  filter: is('login', login),
  limit: 10,
  wantTotal: true,
});

describe('look-up by a unique field of a managed store', () => {
  it('is one statement, without regard to case', async () => {
    const adapter = await openManaged(await testFolder());
    const alice = await adapter.create('people', { login: 'Alice', title: 'Nurse' }, { fields: [] }, context());
    await adapter.create('people', { login: 'alice2' }, { fields: [] }, context());
    const traced: TraceEntry[] = [];
    const found = await adapter.search(byLogin('aLICE'), { ...context(), trace: (entry) => traced.push(entry) });
    expect(found).toEqual({
      records: [{ $id: idOf(alice), $revision: '1', login: 'Alice', title: 'Nurse' }],
      total: 1,
    });
    expect(traced.map(({ operation }) => operation.match(/SELECT/g)?.length)).toEqual([1]);
    expect(traced[0]?.operation).not.toContain('BEGIN');
    expect(await adapter.search(byLogin('alic'), context())).toEqual({ records: [], total: 0 });
  });

  it('takes half of a character for no other one', async () => {
    const adapter = await openManaged(await testFolder());
    await adapter.create('people', { login: 'a\ufffd' }, { fields: [] }, context());
    expect(await adapter.search(byLogin('a\ud800'), context())).toEqual({ records: [], total: 0 });
  });

  it('still gives a page and a total where records shared the value before it was unique', async () => {
    const folder = await testFolder();
    const anyLogin = { ...people, fields: people.fields.map((field) => ({ ...field, unique: false })) };
    const before = await openStore(folder, [anyLogin]);
    const ids: string[] = [];
    rowsChangedBy(before, () => {
      for (let n = 0; n < 3; n++) {
        ids.push(idOf(before.store.create('people', { login: n === 1 ? 'BOB' : 'bob' }, { fields: [] })));
      }
    });
    const { store } = await openStore(folder, [people]);
    const page = store.search({ ...byLogin('Bob'), limit: 2 });
    expect(page.records.map(idOf)).toEqual(ids.slice(0, 2));
    expect(page.total).toBe(3);
    expect(page.next).toBeDefined();
  });
});
