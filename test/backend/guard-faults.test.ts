import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackendRecord } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { settled } from './fake-clock.js';
import { contextOf, get, guarded, remove, watch } from './guard-harness.js';
import { alice, answer, fail, hang, type Step } from './scripted-adapter.js';

const systemError = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe('guard: what an adapter should not throw', () => {
  it.each([
    ['a refused connection', systemError('ECONNREFUSED'), 'unavailable', 'no'],
    ['a name that cannot be resolved', systemError('EAI_AGAIN'), 'unavailable', 'no'],
    ['a broken connection', systemError('ECONNRESET'), 'unavailable', 'unknown'],
    ['a broken HTTP client connection', systemError('UND_ERR_SOCKET'), 'unavailable', 'unknown'],
    ['a bad certificate', systemError('CERT_HAS_EXPIRED'), 'unavailable', 'unknown'],
    ['a failed fetch', new TypeError('fetch failed', { cause: systemError('ECONNREFUSED') }), 'unavailable', 'no'],
    ['a socket time-out', systemError('ETIMEDOUT'), 'timeout', 'unknown'],
    ['an ended signal', new DOMException('aborted', 'AbortError'), 'timeout', 'unknown'],
    ['a signal that timed out', new DOMException('timeout', 'TimeoutError'), 'timeout', 'unknown'],
    ['a programming error', new TypeError('x is undefined'), 'unsupported', 'unknown'],
    ["Node's own refusal of an argument", systemError('ERR_INVALID_ARG_TYPE'), 'unsupported', 'unknown'],
    ['an error of its own', new Error('SELECT password FROM users'), 'unsupported', 'unknown'],
    ['a text', 'oops', 'unsupported', 'unknown'],
    ['nothing', undefined, 'unsupported', 'unknown'],
    ['null', null, 'unsupported', 'unknown'],
  ] as const)('turns %s of a write into an AdapterError', async (_, thrown, kind, applied) => {
    const { clock, guard } = guarded([fail(thrown)]);
    const removing = watch(remove(guard));
    await clock.pass(1_000);
    expect(removing.error).toBeInstanceOf(AdapterError);
    expect(removing.error).toMatchObject({ kind, applied, cause: thrown });
    expect((removing.error as AdapterError).message).not.toContain('password');
  });

  it('knows that a read carries nothing out', async () => {
    const { guard } = guarded([fail(new RangeError('bug'))]);
    await expect(get(guard)).rejects.toMatchObject({ kind: 'unsupported', applied: 'no' });
  });

  it('takes an exception like a rejection', async () => {
    const thrower: Step = () => {
      throw new TypeError('not even a promise');
    };
    const { guard } = guarded([thrower]);
    await expect(get(guard)).rejects.toMatchObject({ name: 'AdapterError', kind: 'unsupported' });
    expect(guard.state().inFlight).toBe(0);
  });

  it("understands an AdapterError of the adapter's own copy of the class", async () => {
    const foreign = Object.assign(new Error('taken'), {
      name: 'AdapterError',
      kind: 'conflict',
      field: 'login',
      reason: 'In use.',
      retryAfterSeconds: 'soon',
      applied: 'no',
    });
    const { guard } = guarded([
      fail(foreign),
      fail(Object.assign(new Error('?'), { name: 'AdapterError', kind: 'odd' })),
    ]);
    const error = await remove(guard).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AdapterError);
    expect(error).toMatchObject({ kind: 'conflict', field: 'login', reason: 'In use.', applied: 'no', cause: foreign });
    expect((error as AdapterError).retryAfterSeconds).toBeUndefined();
    await expect(remove(guard)).rejects.toMatchObject({ kind: 'unsupported' });
  });
});

describe('guard: what an adapter should not answer', () => {
  const query = { entity: 'people', fields: [], limit: 1, wantTotal: false };

  it.each([null, {}, { login: 'alice' }, { $id: 5 }, 'alice', 42])('refuses %j for a record', async (value) => {
    const { guard } = guarded([answer(value)]);
    await expect(get(guard)).rejects.toMatchObject({ kind: 'unsupported', applied: 'no' });
    const creating = guard.create('people', { login: 'alice' }, { fields: [] }, contextOf());
    await expect(creating).rejects.toMatchObject({ kind: 'unsupported', applied: 'unknown' });
    const updating = guard.update('people', '1', [], { fields: [] }, contextOf());
    await expect(updating).rejects.toMatchObject({ kind: 'unsupported', applied: 'unknown' });
  });

  it.each([
    undefined,
    null,
    [],
    { records: undefined },
    { records: [alice, {}] },
    { records: [], total: -1 },
    { records: [], total: '5' },
    { records: [], next: 5 },
    { records: [], next: 'x'.repeat(1_001) },
  ])('refuses %j for the result of a search', async (value) => {
    const { guard } = guarded([answer(value)]);
    await expect(guard.search(query, contextOf())).rejects.toMatchObject({ kind: 'unsupported' });
  });

  it('refuses what is no list of records for the result of a lookup', async () => {
    const { guard } = guarded([answer(undefined), answer([{}]), answer([alice])]);
    const lookup = () => guard.lookup('people', { by: 'login', values: ['a'], fields: [] }, contextOf());
    await expect(lookup()).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(lookup()).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(lookup()).resolves.toEqual([alice]);
  });

  it('passes every good answer on as it is, promised or not', async () => {
    const page = { records: [alice], total: 1, next: 'p2' };
    const changed = { changed: true, record: alice };
    const steps = [answer(page), answer(changed), answer(undefined), answer(alice), () => alice];
    const { adapter, guard } = guarded(steps);
    expect(await guard.search(query, contextOf())).toBe(page);
    expect(await guard.update('people', '1', [], { fields: [] }, contextOf())).toBe(changed);
    expect(await get(guard)).toBeUndefined();
    expect(await guard.create('people', {}, { fields: [] }, contextOf())).toBe(alice);
    expect(await get(guard)).toBe(alice);
    expect(guard.capabilities).toBe(adapter.capabilities);
    expect(adapter.calls.map(({ requestId }) => requestId)).toEqual(Array(5).fill('r1'));
  });

  it('survives a description that fails', () => {
    const { adapter, guard } = guarded([hang]);
    const operation = { kind: 'search', query } as const;
    expect(guard.describe(operation)).toBe('SELECT 1');
    adapter.describe = () => {
      throw new TypeError('no connection');
    };
    expect(guard.describe(operation)).toBe('(the adapter cannot describe this: no connection)');
  });

  it('closes the adapter, and waits for it no longer than the deadline', async () => {
    const { clock, adapter, guard } = guarded([hang]);
    await guard.close();
    expect(adapter.isClosed).toBe(true);
    adapter.close = () => new Promise(() => undefined);
    const closing = watch(guard.close());
    await clock.pass(20_000);
    expect(closing.error).toMatchObject({ kind: 'timeout' });
  });
});

describe('guard: scans', () => {
  const bob: BackendRecord = { $id: '2' };

  async function* of(...items: readonly (BackendRecord | Error)[]): AsyncGenerator<BackendRecord> {
    for (const item of items) {
      if (item instanceof Error) throw item;
      yield item;
    }
  }
  async function collect(records: AsyncIterable<BackendRecord>, into: BackendRecord[] = []) {
    for await (const record of records) into.push(record);
    return into;
  }
  const query = { entity: 'people', fields: [] };
  const unreachable = new AdapterError('unavailable', 'refused');

  it('passes the records on, and frees its place after each', async () => {
    const { guard } = guarded([() => of(alice, bob)]);
    for await (const record of guard.scan(query, contextOf())) {
      expect([alice, bob]).toContain(record);
      expect(guard.state().inFlight).toBe(0);
    }
    expect(await collect(guard.scan(query, contextOf()))).toEqual([alice, bob]);
  });

  it('begins anew when it fails before the first record, but not after', async () => {
    const { clock, adapter, guard } = guarded([() => of(unreachable), () => of(alice, bob, unreachable)]);
    const seen: BackendRecord[] = [];
    const scanning = watch(collect(guard.scan(query, contextOf()), seen));
    await clock.pass(1_000);
    expect(seen).toEqual([alice, bob]);
    expect(scanning.error).toMatchObject({ kind: 'unavailable' });
    expect(adapter.calls).toHaveLength(2);
  });

  it('ends when a step gets no answer, and tells the adapter', async () => {
    const stuck: Step = async function* (): AsyncGenerator<BackendRecord> {
      yield alice;
      await new Promise(() => undefined);
    };
    const { clock, adapter, guard } = guarded([stuck]);
    const scanning = watch(collect(guard.scan(query, contextOf())));
    await clock.pass(20_000);
    expect(scanning.error).toMatchObject({ kind: 'timeout' });
    expect(adapter.calls[0]?.signal.aborted).toBe(true);
  });

  it('lets a slow reader take its time', async () => {
    const { clock, guard } = guarded([() => of(alice, bob)]);
    const seen: BackendRecord[] = [];
    for await (const record of guard.scan(query, contextOf())) {
      seen.push(record);
      await clock.pass(30_000);
    }
    expect(seen).toEqual([alice, bob]);
  });

  it('tells the adapter when its reader leaves', async () => {
    let isReleased = false;
    const endless: Step = async function* (): AsyncGenerator<BackendRecord> {
      try {
        for (;;) yield alice;
      } finally {
        isReleased = true;
      }
    };
    const { guard } = guarded([endless]);
    for await (const _ of guard.scan(query, contextOf())) break;
    await settled();
    expect(isReleased).toBe(true);
  });

  const faults: readonly (readonly [string, Step])[] = [
    ['no iterable', () => 5],
    ['records without $id', () => of({})],
    ['an exception', () => of(new TypeError('bug'))],
  ];
  it.each(faults)('turns %s into an AdapterError', async (_, step) => {
    const { guard } = guarded([step]);
    await expect(collect(guard.scan(query, contextOf()))).rejects.toMatchObject({ kind: 'unsupported' });
  });
});

describe('guard: whatever happens', () => {
  const steps: Readonly<Record<string, Step>> = {
    answer: answer(alice),
    nonsense: answer({}),
    hang,
    unavailable: fail(new AdapterError('unavailable', 'down')),
    throttled: fail(new AdapterError('unavailable', 'busy', { retryAfterSeconds: 2 })),
    conflict: fail(new AdapterError('conflict', 'taken')),
    bug: fail(new TypeError('bug')),
    slow: () => new Promise((resolve) => setImmediate(() => resolve(alice))),
  };

  it('settles every operation with an answer or an AdapterError, and leaves nothing behind', async () => {
    const moves = fc.array(
      fc.record({
        step: fc.constantFrom(...Object.keys(steps)),
        isWrite: fc.boolean(),
        isLeft: fc.boolean(),
        passMs: fc.constantFrom(0, 0, 0, 10, 500, 12_000),
      }),
      { minLength: 20, maxLength: 60 },
    );
    const property = fc.asyncProperty(moves, async (script) => {
      const { clock, guard } = guarded(
        script.map(({ step }) => steps[step]!),
        { concurrency: 3, maxQueued: 4 },
      );
      const outcomes = [];
      for (const { isWrite, isLeft, passMs } of script) {
        const leaving = new AbortController();
        outcomes.push(watch((isWrite ? remove : get)(guard, contextOf(leaving))));
        expect(guard.state().inFlight).toBeLessThanOrEqual(3);
        expect(guard.state().queued).toBeLessThanOrEqual(4);
        if (passMs > 0) await clock.pass(passMs);
        if (isLeft) leaving.abort();
      }
      await clock.pass(60_000);
      expect(guard.state()).toMatchObject({ inFlight: 0, queued: 0 });
      for (const { isSettled, error } of outcomes) {
        expect(isSettled).toBe(true);
        if (error !== undefined) expect(error).toBeInstanceOf(AdapterError);
      }
    });
    await fc.assert(property, { numRuns: 100, seed: 1 });
  });
});
