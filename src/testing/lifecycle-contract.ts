import type { Adapter, Condition, DescribableOperation, OperationContext, TraceEntry } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { awkwardTexts } from './contract-entities.js';
import { type ContractFixture, expectKind } from './contract-fixture.js';
import { expect } from './expect.js';
import type { Suite } from './suite.js';

const unknownId = '6f0c1f7e-8f0b-4b8e-9d5e-000000000000';

/** Every operation once; those that take an id work on `id`. */
function operationsOf(adapter: Adapter, id: string, context: OperationContext): Record<string, () => Promise<unknown>> {
  const set = { op: 'set', field: 'login', values: ['changed'] } as const;
  return {
    get: () => adapter.get('people', id, { fields: ['login'] }, context),
    search: () => adapter.search({ entity: 'people', fields: [], limit: 10, wantTotal: true }, context),
    scan: () => drain(adapter.scan({ entity: 'people', fields: [] }, context)),
    create: () => adapter.create('people', { login: 'created' }, { fields: [] }, context),
    update: () => adapter.update('people', id, [set], { fields: [] }, context),
    delete: () => adapter.delete('people', id, {}, context),
    lookup: () => adapter.lookup('people', { by: 'login', values: ['x'], fields: [] }, context),
    inspect: () => adapter.inspect(context),
    check: () => adapter.check(context),
  };
}

async function drain(records: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of records) count++;
  return count;
}

export function lifecycleContract(fixture: ContractFixture, { it }: Suite): void {
  it('declares capabilities for every entity that it was opened with', () => {
    const { capabilities } = fixture.adapter;
    expect(capabilities.version).toBeTypeOf('number');
    for (const { entity, fields } of fixture.subject.entities) {
      const declared = capabilities.entities[entity]?.fields ?? {};
      const unique = fields.filter((field) => field.unique).map(({ name }) => name);
      expect(Object.keys(declared)).toEqual(expect.arrayContaining([...unique, '$id']));
      for (const name of [...unique, '$id']) expect(declared[name]?.operators.eq).toBe('exact');
    }
  });

  it('finds nothing wrong with a backend that fits', async () => {
    const { entities, problems } = await fixture.adapter.inspect(fixture.context());
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(entities.map(({ entity }) => entity)).toEqual(expect.arrayContaining(['people', 'groups']));
    const people = entities.find(({ entity }) => entity === 'people');
    expect(people?.fields.map(({ name }) => name)).toEqual(expect.arrayContaining(['login']));
  });

  it('can be closed twice, and answers "unavailable" from then on', async () => {
    const id = await fixture.create('people', { login: 'alice' });
    const { adapter } = fixture;
    await adapter.close();
    await adapter.close();
    for (const operation of Object.values(operationsOf(adapter, id, fixture.context()))) {
      await expectKind(operation(), 'unavailable');
    }
    await fixture.closeAdapter();
  });

  it('rejects with "timeout" and writes nothing when the request has ended already', async () => {
    const id = await fixture.create('people', { login: 'alice' });
    const revision = await fixture.revision('people', id);
    const ended = fixture.context(AbortSignal.abort());
    for (const operation of Object.values(operationsOf(fixture.adapter, id, ended))) {
      const error = await expectKind(operation(), 'timeout');
      expect(error.applied).toBe('no');
    }
    expect(await fixture.ids('people')).toEqual([id]);
    expect(await fixture.read('people', id, 'login')).toEqual({ $id: id, login: 'alice' });
    expect(await fixture.revision('people', id)).toBe(revision);
  });

  it('settles when the request ends while operations are under way', async () => {
    const id = await fixture.create('people', { login: 'alice' });
    for (const name of Object.keys(operationsOf(fixture.adapter, id, fixture.context()))) {
      const ending = new AbortController();
      const context = fixture.context(ending.signal);
      const running = operationsOf(fixture.adapter, id, context)
        [name]?.()
        .catch((error: unknown) => error);
      ending.abort();
      const outcome = await running;
      if (!(outcome instanceof Error)) continue;
      expect(outcome).toBeInstanceOf(AdapterError);
      expect(['timeout', 'notFound']).toContain((outcome as AdapterError).kind);
    }
  });

  it('describes any operation without failing and without carrying it out [7644-7.7-01]', async () => {
    const id = await fixture.create('people', { login: 'alice' });
    const revision = await fixture.revision('people', id);
    const operations = [
      ...awkwardTexts.flatMap(describable),
      ...awkwardTexts.map((text) => describableUpdate(id, text)),
    ];
    for (const operation of operations) {
      const description = fixture.adapter.describe(operation);
      expect(description).toBeTypeOf('string');
      expect(description).not.toBe('');
    }
    expect(await fixture.ids('people')).toEqual([id]);
    expect(await fixture.revision('people', id)).toBe(revision);
  });

  it('traces what it does, without the values', async () => {
    const trace: TraceEntry[] = [];
    const context = { ...fixture.context(), trace: (entry: TraceEntry) => trace.push(entry) };
    const created = await fixture.adapter.create('people', { login: 'Confidential1' }, { fields: [] }, context);
    const filter: Condition = { kind: 'compare', path: 'login', op: 'eq', value: 'Confidential2' };
    await fixture.adapter.search({ entity: 'people', filter, fields: [], limit: 1, wantTotal: false }, context);
    const values = ['Confidential3'];
    await fixture.adapter.update(
      'people',
      String(created.$id),
      [{ op: 'set', field: 'login', values }],
      { fields: [] },
      context,
    );
    await fixture.adapter.lookup('people', { by: 'login', values, fields: [] }, context);
    expect(trace.length).toBeGreaterThanOrEqual(4);
    expect(JSON.stringify(trace)).not.toMatch(/confidential/i);
    for (const { operation, durationMs } of trace) {
      expect(operation).not.toBe('');
      expect(durationMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('knows no record by an odd id, and fails in no other way than AdapterError [7644-7.7-01]', async () => {
    const alice = await fixture.create('people', { login: 'alice' });
    const staff = await fixture.create('groups', { title: 'staff' });
    // What leads to a record where ids become names of files or parts of addresses.
    const paths = [`./${alice}`, `../people/${alice}`, `../groups/${staff}`, `${alice}/`, `${alice}?`, `${alice}#`];
    const plain = [unknownId, '', '0', '1', '-1', '1.5', '../people', '%', '$id', 'x'.repeat(2_000)];
    for (const id of [...paths, ...plain, ...awkwardTexts]) {
      expect(await fixture.get('people', id, ['login']), `get of the id ${JSON.stringify(id)}`).toBeUndefined();
      await expectKind(fixture.update('people', id, [{ op: 'set', field: 'login', values: ['b'] }]), 'notFound');
      await expectKind(fixture.delete('people', id), 'notFound');
    }
    expect(await fixture.ids('people')).toEqual([alice]);
    expect(await fixture.ids('groups')).toEqual([staff]);
  });

  it('fails in no other way than AdapterError when asked for what there is not', async () => {
    const context = fixture.context();
    const { adapter } = fixture;
    const id = await fixture.create('people', { login: 'alice' });
    await expectKind(adapter.get('nosuch', id, { fields: [] }, context), 'unsupported');
    await expectKind(
      adapter.search({ entity: 'nosuch', fields: [], limit: 1, wantTotal: false }, context),
      'unsupported',
    );
    await expectKind(adapter.create('nosuch', { login: 'b' }, { fields: [] }, context), 'unsupported');
    const after = '"; no position';
    await expectKind(fixture.search({ entity: 'people', after }), 'rejected', 'unsupported');
    const mistyped: readonly Condition[] = [
      { kind: 'compare', path: 'login', op: 'eq', value: 5 },
      { kind: 'compare', path: 'login', op: 'gt', value: true },
      ...(fixture.has('people', 'age') ? [{ kind: 'compare', path: 'age', op: 'eq', value: 'nine' } as const] : []),
      ...(fixture.has('people', 'hired') ? [{ kind: 'compare', path: 'hired', op: 'gt', value: 'soon' } as const] : []),
    ];
    for (const filter of mistyped) {
      if (fixture.precisionOf('people', filter) !== 'exact') continue;
      const found = await fixture.ids('people', filter).catch((error: unknown) => error);
      if (found instanceof Error) expect(found).toBeInstanceOf(AdapterError);
      else expect(found).toEqual([]);
    }
  });
}

function describable(text: string): readonly DescribableOperation[] {
  const filter: Condition = { kind: 'compare', path: 'login', op: 'co', value: text };
  return [
    { kind: 'search', query: { entity: 'people', filter, fields: ['login'], limit: 10, wantTotal: true } },
    { kind: 'create', entity: 'people', record: { login: `new ${text}` } },
  ];
}

function describableUpdate(id: string, text: string): DescribableOperation {
  return { kind: 'update', entity: 'people', id, changes: [{ op: 'set', field: 'login', values: [text] }] };
}
