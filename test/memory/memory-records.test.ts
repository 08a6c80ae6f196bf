import { tmpdir } from 'node:os';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { memoryModule } from '../../adapters/memory/adapter.js';
import { type MemoryConfig, memoryConfigSchema } from '../../adapters/memory/config.js';
import type { AdapterEnvironment, EntityUse, SearchQuery } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
import { contractEntities, environmentIn } from '../contract/contract-entities.js';

const context = { signal: new AbortController().signal, requestId: 'r1' };

function open(records: NonNullable<MemoryConfig['records']>, entities: readonly EntityUse[] = contractEntities) {
  const warnings: string[] = [];
  const { log, ...rest } = environmentIn(tmpdir(), entities);
  const warn = (_: object, message: string) => warnings.push(message);
  const environment: AdapterEnvironment = { ...rest, log: { ...log, warn } };
  return { opening: memoryModule.open({ type: 'memory', records }, environment), warnings };
}

function withUse(entity: string, more: Partial<EntityUse>): readonly EntityUse[] {
  return contractEntities.map((use) => (use.entity === entity ? { ...use, ...more } : use));
}

describe('memory adapter: records of the configuration', () => {
  it('starts with them, and gives ids to those that have none', async () => {
    const adapter = await open({
      people: [
        { $id: '1', login: 'alice', mail: ['a@example.com'], age: 40, photo: 'AQID', badge: null, tags: [] },
        { login: 'bob', mails: [{ value: 'b@example.com', type: 'work' }] },
      ],
      groups: [{ title: 'staff', members: ['1'] }],
    }).opening;
    const fields = ['login', 'mail', 'age', 'photo', 'badge', 'tags', 'memberOf'];
    const alice = await adapter.get('people', '1', { fields }, context);
    expect(alice).toMatchObject({ $id: '1', login: 'alice', mail: ['a@example.com'], age: 40 });
    expect(Object.keys(alice ?? {})).toHaveLength(6);
    expect(alice?.photo).toEqual(new Uint8Array([1, 2, 3]));
    const [bob] = await adapter.lookup('people', { by: 'login', values: ['bob'], fields: ['mails'] }, context);
    expect(bob?.mails).toEqual([{ value: 'b@example.com', type: 'work' }]);
    expect(bob?.$id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await adapter.inspect(context)).problems).toEqual([]);
  });

  it('leaves out what does not fit, and says where it stands', async () => {
    const { opening, warnings } = open({
      people: [
        { login: 'alice', nosuch: 1 },
        { login: 'ALICE' },
        { login: 'carol', age: 'nine' },
        { login: ['d', 'e'] },
      ],
      rooms: [{ name: 'r1' }],
    });
    const adapter = await opening;
    const { problems } = await adapter.inspect(context);
    expect(problems.map(({ severity, configPath }) => [severity, configPath.join('.')])).toEqual([
      ['warning', 'records.people.0.nosuch'],
      ['error', 'records.people.1.login'],
      ['error', 'records.people.2.age'],
      ['error', 'records.people.3.login'],
      ['warning', 'records.rooms'],
    ]);
    expect(warnings).toEqual(problems.map(({ message }) => message));
    const query: SearchQuery = { entity: 'people', fields: ['login'], limit: 10, wantTotal: true };
    expect(await adapter.search(query, context)).toMatchObject({ records: [{ login: 'alice' }], total: 1 });
  });

  it('puts the prefix of its entity before every id', async () => {
    const people = withUse('people', { idPrefix: 'u-' });
    const adapter = await open({ people: [{ $id: '1', login: 'alice' }] }, people).opening;
    const created = await adapter.create('people', { login: 'bob' }, { fields: [] }, context);
    expect(idOf(created)).toMatch(/^u-[0-9a-f-]{36}$/);
    expect(await adapter.get('people', 'u-1', { fields: ['login'] }, context)).toEqual({ $id: 'u-1', login: 'alice' });
    expect(await adapter.get('people', '1', { fields: [] }, context)).toBeUndefined();
  });

  it('keeps the id in the field that the mapping names for it', async () => {
    const people = withUse('people', { id: 'entryUUID' });
    const adapter = await open({ people: [{ entryUUID: 'e1', login: 'alice' }] }, people).opening;
    expect(await adapter.get('people', 'e1', { fields: ['entryUUID'] }, context)).toEqual({
      $id: 'e1',
      entryUUID: 'e1',
    });
    const created = await adapter.create('people', { login: 'bob' }, { fields: ['entryUUID'] }, context);
    expect(created.entryUUID).toBe(created.$id);
    const lookup = { by: 'entryUUID', values: ['e1', idOf(created)], fields: ['login'] };
    expect(await adapter.lookup('people', lookup, context)).toHaveLength(2);
  });

  it('never gives a field that the mapping only writes', async () => {
    const [people] = contractEntities;
    const fields = (people?.fields ?? []).map((field) => (field.name === 'badge' ? { ...field, read: false } : field));
    const adapter = await open({ people: [{ $id: '1', login: 'alice', badge: 's3' }] }, withUse('people', { fields }))
      .opening;
    const secret = [{ op: 'set', field: 'badge', values: ['s4'] }] as const;
    expect(await adapter.update('people', '1', secret, { fields: ['badge'] }, context)).toEqual({
      changed: true,
      record: { $id: '1' },
    });
    expect(adapter.capabilities.entities.people?.fields.badge).toBeUndefined();
  });

  it('is checked by its schema', () => {
    const validate = new Ajv().compile(memoryConfigSchema);
    expect(validate({ type: 'memory', records: { people: [{ login: 'alice' }] } })).toBe(true);
    expect(validate({ type: 'memory' })).toBe(true);
    expect(validate({ type: 'memory', records: { people: { login: 'alice' } } })).toBe(false);
    expect(validate({ type: 'memory', record: {} })).toBe(false);
  });
});

describe('memory adapter: words of its own', () => {
  it('describes an operation so that one can read it', async () => {
    const adapter = await open({}).opening;
    const query: SearchQuery = {
      entity: 'people',
      filter: {
        kind: 'and',
        operands: [
          { kind: 'compare', path: 'login', op: 'sw', value: 'a"b' },
          { kind: 'not', operand: { kind: 'present', path: 'mail' } },
          { kind: 'valuePath', path: 'mails', filter: { kind: 'compare', path: 'type', op: 'eq', value: 'work' } },
        ],
      },
      sort: { field: 'login', descending: true },
      fields: [],
      limit: 10,
      wantTotal: true,
    };
    expect(adapter.describe({ kind: 'search', query })).toBe(
      'search people where (login sw "a\\"b" and not (mail pr) and mails[type eq "work"]) sort by login descending limit 10 with total',
    );
    const changes = [
      { op: 'add', field: 'mail', values: ['x'] },
      { op: 'set', field: 'age', values: [10n] },
    ] as const;
    expect(adapter.describe({ kind: 'update', entity: 'people', id: '1', changes })).toBe(
      'update people "1": add mail ["x"]; set age ["10"]',
    );
    expect(adapter.describe({ kind: 'create', entity: 'people', record: { photo: new Uint8Array(3) } })).toBe(
      'create in people: photo "3 bytes"',
    );
  });

  it.each([false, true])(
    'loses no record when the one before it, with a very long value, is gone (descending: %s)',
    async (descending) => {
      const long = 'x'.repeat(400);
      const people = ['a', 'b', 'c'].map((end) => ({ $id: end, login: end, name: `${long}${end}` }));
      const adapter = await open({
        people: [...people, { $id: '0', login: '0', name: 'a' }, { $id: 'z', login: 'z', name: 'z' }],
      }).opening;
      const query: SearchQuery = {
        entity: 'people',
        sort: { field: 'name', descending },
        fields: [],
        limit: 3,
        wantTotal: false,
      };
      const { next = '', records } = await adapter.search(query, context);
      expect(records.at(-1)?.$id).toBe('b');
      await adapter.delete('people', 'b', {}, context);
      const rest = await adapter.search({ ...query, after: next, limit: 10 }, context);
      const expected = descending ? ['a', '0'] : ['c', 'z'];
      expect(rest.records.map(idOf).slice(-2)).toEqual(expected);
    },
  );
});
