import type { BackendRecord, Scalar } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { childrenOf, idOf, scalarsOf } from '../backend/record.js';
import { instantKey } from '../scim/comparison.js';
import { awkwardTexts } from './contract-entities.js';
import { type ContractFixture, type EntityName, expectKind, sorted } from './contract-fixture.js';
import { expect } from './expect.js';
import type { Suite } from './suite.js';

/** A create, a read and a delete of one record. */
export function recordContract(fixture: ContractFixture, { it }: Suite): void {
  it('gives what was created, by an id of its own [7643-3.1-id-01 7643-3.1-id-05]', async () => {
    const context = fixture.context();
    const created = await fixture.adapter.create('people', { login: 'Alice' }, { fields: ['login'] }, context);
    expect(created.$id).toBeTypeOf('string');
    expect(created.$id).not.toBe('');
    expect(created.$id).not.toMatch(/bulkid/i);
    expect(created.login).toBe('Alice');
    expect(await fixture.read('people', idOf(created), 'login')).toEqual({ $id: created.$id, login: 'Alice' });
  });

  it('gives exactly the fields asked for', async ({ skip }) => {
    fixture.needs(skip, 'people', 'name', 'age');
    const id = await fixture.create('people', { login: 'alice', name: 'Alice', age: 40, enabled: true });
    const group = await fixture.create('groups', { title: 'staff', members: [id] });
    const filter = { kind: 'compare', path: 'login', op: 'eq', value: 'alice' } as const;
    expect(await fixture.get('people', id, ['name', 'age'])).toEqual({ $id: id, name: 'Alice', age: 40 });
    expect(await fixture.get('people', id, [])).toEqual({ $id: id });
    expect((await fixture.search({ entity: 'people', filter, fields: ['age'] })).records).toEqual([
      { $id: id, age: 40 },
    ]);
    const lookup = { by: 'login', values: ['alice'], fields: ['age'] };
    expect(await fixture.adapter.lookup('people', lookup, fixture.context())).toEqual([{ $id: id, age: 40 }]);
    expect(await fixture.get('groups', group, ['title'])).toEqual({ $id: group, title: 'staff' });
  });

  it('gives no field that has no value [7643-2.5-01]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail');
    const id = await fixture.create('people', { login: 'alice', mail: [] });
    expect(await fixture.read('people', id)).toEqual({ $id: id, login: 'alice' });
  });

  const samples: readonly (readonly [string, readonly Scalar[]])[] = [
    ['age', [0, 1, -1, 42, Number.MAX_SAFE_INTEGER]],
    ['enabled', [true, false]],
    ['hired', ['2011-05-13T04:42:34Z', '2011-05-13T04:42:34.123Z', '1969-07-20T20:17:40Z', '2099-12-31T23:59:59Z']],
    ['photo', [Uint8Array.from({ length: 256 }, (_, index) => index), new Uint8Array([0])]],
  ];
  for (const [field, values] of samples) {
    it(`keeps every value of "${field}" as it is`, async ({ skip }) => {
      fixture.needs(skip, 'people', field);
      for (const [index, value] of values.entries()) {
        const id = await fixture.create('people', { login: `p${index}`, [field]: value });
        const [kept, ...more] = scalarsOf(await fixture.read('people', id, field), field);
        expect(more).toEqual([]);
        expect(kept instanceof Uint8Array, 'bytes come back as Uint8Array').toBe(value instanceof Uint8Array);
        if (field === 'hired') expect(instantKey(String(kept))).toBe(instantKey(String(value)));
        else if (value instanceof Uint8Array) expect([...(kept as Uint8Array)]).toEqual([...value]);
        else expect(kept).toBe(value);
      }
    });
  }

  it('keeps a text in every character, or refuses it and names the field', async ({ skip }) => {
    fixture.needs(skip, 'people', 'name', 'badge', 'mail');
    for (const [index, text] of awkwardTexts.entries()) {
      const record = { login: `p${index}`, name: text, badge: text, mail: [text, `other ${text}`] };
      const created = await fixture.adapter
        .create('people', record, { fields: ['name', 'badge', 'mail'] }, fixture.context())
        .catch((error: unknown) => error);
      if (created instanceof Error) {
        expect(created).toMatchObject({ name: 'AdapterError', kind: 'rejected', field: expect.any(String) });
        continue;
      }
      const read = await fixture.read('people', idOf(created as BackendRecord), 'name', 'badge', 'mail');
      expect(read).toEqual(created);
      // A backend without empty texts keeps such a field without a value.
      const texts = text === '' && read.name === undefined ? [] : [text];
      expect(scalarsOf(read, 'name')).toEqual(texts);
      expect(scalarsOf(read, 'badge')).toEqual(texts);
      expect(sorted(scalarsOf(read, 'mail'))).toEqual(sorted([...texts, `other ${text}`]));
    }
  });

  it('keeps child records whole', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mails');
    const mails = [
      { value: 'a@example.com', type: 'work', primary: true },
      { value: 'b@example.com' },
      { type: 'home' },
    ];
    const id = await fixture.create('people', { login: 'alice', mails });
    const kept = childrenOf(await fixture.read('people', id, 'mails'), 'mails');
    expect(kept).toHaveLength(mails.length);
    expect(kept).toEqual(expect.arrayContaining(mails));
  });

  it('keeps a repeated value once [7643-2.4-10]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail');
    const id = await fixture.create('people', {
      login: 'alice',
      mail: ['a@example.com', 'b@example.com', 'a@example.com'],
    });
    const { mail } = await fixture.read('people', id, 'mail');
    expect(sorted(mail as readonly string[])).toEqual(['a@example.com', 'b@example.com']);
  });

  it('shares no value with what it was given or gives', async ({ skip }) => {
    fixture.needs(skip, 'people', 'mail', 'mails', 'photo');
    const mail = ['a@example.com'];
    const mails = [{ value: 'a@example.com' }];
    const photo = new Uint8Array([1, 2, 3]);
    const id = await fixture.create('people', { login: 'alice', mail, mails, photo });
    const scramble = (record: { mail: string[]; mails: { value: string }[]; photo: Uint8Array }) => {
      record.mail.push('x');
      for (const child of record.mails) child.value = 'x';
      record.photo.fill(9);
    };
    scramble({ mail, mails, photo });
    const expected = { mail: ['a@example.com'], mails: [{ value: 'a@example.com' }] };
    const read = await fixture.read('people', id, 'mail', 'mails', 'photo');
    expect(read).toMatchObject(expected);
    expect(read.photo instanceof Uint8Array, 'bytes come back as Uint8Array').toBe(true);
    expect([...(read.photo as Uint8Array)]).toEqual([1, 2, 3]);
    scramble(read as never);
    const again = await fixture.read('people', id, 'mail', 'mails', 'photo');
    expect(again).toMatchObject(expected);
    expect([...(again.photo as Uint8Array)]).toEqual([1, 2, 3]);
  });

  it('says when a record was created, and changed last [7643-3.1-meta-04]', async ({ skip }) => {
    const declared = fixture.can('people').fields;
    skip(declared.$created === undefined, 'the adapter keeps no $created');
    skip(declared.$modified === undefined, 'the adapter keeps no $modified');
    const id = await fixture.create('people', { login: 'alice' });
    const before = await fixture.read('people', id, '$created', '$modified');
    expect(instantKey(String(before.$created)), '$created, which the capabilities name').toBeDefined();
    expect(instantKey(String(before.$modified)), '$modified of a new record').toBe(instantKey(String(before.$created)));
    await fixture.update('people', id, [{ op: 'set', field: 'login', values: ['bob'] }]);
    const after = await fixture.read('people', id, '$created', '$modified');
    expect(after.$created).toBe(before.$created);
    expect(instantKey(String(after.$modified))! >= instantKey(String(before.$modified))!).toBe(true);
  });

  it('finds an id in its own entity and by its exact characters only [7643-3.1-id-06]', async ({ skip }) => {
    const id = await fixture.create('people', { login: 'alice' });
    expect(await fixture.get('groups', id)).toBeUndefined();
    await expectKind(fixture.delete('groups', id), 'notFound');
    skip(id === id.toUpperCase(), 'ids have no letters');
    expect(await fixture.get('people', id.toUpperCase())).toBeUndefined();
  });

  it('never gives an id twice, in no entity [7643-3.1-id-02 7643-3.1-id-03]', async () => {
    const ids = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const made: readonly (readonly [EntityName, string])[] = [
        ['people', await fixture.create('people', { login: 'alice' })],
        ['groups', await fixture.create('groups', { title: 'staff' })],
      ];
      for (const [entity, id] of made) {
        ids.add(id);
        await fixture.delete(entity, id);
        expect(await fixture.get(entity, id)).toBeUndefined();
      }
    }
    expect(ids.size).toBe(10);
  });

  it('answers "notFound" to a change or a second deletion of a deleted record', async () => {
    const id = await fixture.create('people', { login: 'alice' });
    await fixture.delete('people', id);
    await expectKind(fixture.delete('people', id), 'notFound');
    await expectKind(fixture.update('people', id, [{ op: 'set', field: 'login', values: ['bob'] }]), 'notFound');
    expect(await fixture.ids('people')).toEqual([]);
  });

  it('refuses a value of the wrong type, or keeps what it was given', async ({ skip }) => {
    fixture.needs(skip, 'people', 'age', 'enabled', 'hired');
    const wrong: readonly BackendRecord[] = [{ age: 'nine' }, { enabled: 'perhaps' }, { hired: 'soon' }, { login: 5 }];
    for (const [index, fields] of wrong.entries()) {
      const record = { login: `p${index}`, ...fields };
      const outcome = await fixture.adapter.create('people', record, { fields: [] }, fixture.context()).catch((e) => e);
      if (!(outcome instanceof Error)) continue;
      expect(outcome).toBeInstanceOf(AdapterError);
      expect(outcome).toMatchObject({ kind: 'rejected' });
    }
  });
}
