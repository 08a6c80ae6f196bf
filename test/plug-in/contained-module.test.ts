import { describe, expect, it, vi } from 'vitest';
import { memoryModule } from '../../adapters/memory/adapter.js';
import type { AdapterModule } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { containModule, plugInFile } from '../../src/plug-in/contained-module.js';
import { containLateFaults } from '../../src/plug-in/late-faults.js';
import { contractEntities, environmentIn } from '../contract/contract-entities.js';

const environment = { ...environmentIn('/', contractEntities), adapter: 'hr' };
const module: AdapterModule = {
  contractVersion: 1,
  type: 'x',
  configSchema: {},
  open: (_, given) => memoryModule.open({ type: 'memory' }, given),
};
const context = () => ({ signal: AbortSignal.timeout(30_000), requestId: 'test' });

describe('a module that is contained', () => {
  it('does not wait for an "open" that does not end', async () => {
    vi.useFakeTimers();
    try {
      const contained = containModule('./hr.js', '/hr.js', { ...module, open: () => new Promise(() => undefined) });
      const opening = contained.open({}, environment).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(20_000);
      expect(await opening).toMatchObject({
        name: 'AdapterError',
        message: expect.stringMatching(
          /^The adapter hr \(\.\/hr\.js\) cannot be opened: it was not open after 20 seconds/,
        ),
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps what it declares of itself, and where it came from', () => {
    const contained = containModule('./hr.js', '/hr.js', {
      ...module,
      pacedBy: 'requests',
      retryAfter: 'adapter',
      declared: () => new Map([['people', new Set(['login'])]]),
      excludes: () => 'Both would write.',
    });
    expect(contained).toMatchObject({ type: './hr.js', pacedBy: 'requests', retryAfter: 'adapter' });
    expect(contained.declared?.({})).toEqual(new Map([['people', new Set(['login'])]]));
    const setup = { config: {}, entities: [] };
    expect(contained.excludes?.(setup, setup)).toBe('Both would write.');
    expect([plugInFile(contained), plugInFile(module)]).toEqual(['/hr.js', undefined]);
  });

  it('says which part of it failed', () => {
    const fails = (): never => {
      throw 'oops';
    };
    const contained = containModule('./hr.js', '/hr.js', {
      ...module,
      excludes: fails,
      declared: fails,
      refusesForeignIds: fails,
    });
    const setup = { config: {}, entities: [] };
    expect(() => contained.excludes?.(setup, setup)).toThrow(
      './hr.js: "excludes" failed, which is a fault in the module: oops',
    );
    expect(() => contained.declared?.({})).toThrow('./hr.js: "declared" failed');
    expect(contained.refusesForeignIds?.({}, 'people', 'manager')).toMatch(/"refusesForeignIds" failed/);
  });

  it('gets the name of each operation and the end of its request, and shares no value with the gateway', async () => {
    const seen: object[] = [];
    const contained = containModule('./hr.js', '/hr.js', {
      ...module,
      open: async (config, given) => {
        const adapter = await module.open(config, given);
        return Object.assign(Object.create(adapter), {
          search: async (
            query: { fields: string[] },
            { operationId, deadlineMs, requestId }: Record<string, unknown>,
          ) => {
            seen.push({ operationId, deadlineMs, requestId });
            query.fields.push('more');
            return { records: [], total: 0 };
          },
        });
      },
    });
    const adapter = await contained.open({}, environment);
    const query = { entity: 'people', fields: ['login'], limit: 1, wantTotal: true };
    await adapter.search(query, { ...context(), operationId: 'o-1', deadlineMs: 5 });
    expect(seen).toEqual([{ operationId: 'o-1', deadlineMs: 5, requestId: 'test' }]);
    expect(query.fields).toEqual(['login']);
  });
});

describe('an adapter that is contained', () => {
  const openWith = async (own: object) => {
    const lines: object[] = [];
    const log = { ...environment.log, error: (fields: object) => lines.push(fields) };
    const contained = containModule('./hr.js', '/hr.js', {
      ...module,
      open: async (config, given) => Object.assign(Object.create(await module.open(config, given)), own),
    });
    return { adapter: await contained.open({}, { ...environment, log }), lines };
  };

  it('gives nobody the record of another id', async () => {
    const { adapter, lines } = await openWith({ get: async () => ({ $id: 'b', login: 'bob' }) });
    await expect(adapter.get('people', 'a', { fields: ['login'] }, context())).rejects.toMatchObject({
      name: 'AdapterError',
    });
    expect(lines).toMatchObject([
      { operation: 'get', fault: { message: expect.stringMatching(/"\$id" is not the one asked for/) } },
    ]);
    expect(await adapter.get('people', 'b', { fields: ['login'] }, context())).toEqual({ $id: 'b', login: 'bob' });
  });

  it('shows which kind an AdapterError had that there is not', async () => {
    const { adapter, lines } = await openWith({
      get: async () => {
        throw new AdapterError('gone' as 'notFound', 'x');
      },
    });
    await expect(adapter.get('people', 'a', { fields: [] }, context())).rejects.toThrow('fault');
    expect(lines).toMatchObject([{ fault: { type: 'AdapterError', kind: 'gone', message: 'x' } }]);
  });
});

describe('faults that come late', () => {
  it('are left to others where no adapter of others is loaded', () => {
    const lines: unknown[] = [];
    const log = { ...environment.log, error: (fields: object) => lines.push(fields) };
    const before = process.listeners('unhandledRejection');
    const end = containLateFaults(() => [module], log);
    const [own] = process.listeners('unhandledRejection').filter((listener) => !before.includes(listener));
    const others = () => undefined;
    process.on('unhandledRejection', others);
    try {
      own?.(new Error('ours'), Promise.resolve());
      expect(lines).toEqual([]);
    } finally {
      process.off('unhandledRejection', others);
      end();
    }
    expect(process.listeners('unhandledRejection')).toEqual(before);
  });

  it('are lines in the log as soon as code of others was at work, also where ours threw', () => {
    const lines: object[] = [];
    const log = { ...environment.log, error: (fields: object) => lines.push(fields) };
    const own = new URL('../../src/backend/records/record-store.ts', import.meta.url).href;
    const withStack = (...places: readonly string[]): Error =>
      Object.assign(new Error('late'), {
        stack: ['Error: late', ...places.map((place) => `    at f (${place}:1:1)`)].join('\n'),
      });
    const contained = containModule('./hr.js', '/srv/hr.js', module);
    const before = process.listeners('uncaughtException');
    const end = containLateFaults(() => [contained], log);
    const [listener] = process.listeners('uncaughtException').filter((one) => !before.includes(one));
    const others = () => undefined;
    process.on('uncaughtException', others);
    try {
      listener?.(withStack(own, 'node:internal/timers'), 'uncaughtException');
      expect(lines).toEqual([]);
      listener?.(withStack(own, 'file:///srv/hr.js', 'node:internal/timers'), 'uncaughtException');
      listener?.(withStack('node:net'), 'uncaughtException');
      expect(lines).toMatchObject([{ adapter: './hr.js' }, { adapter: './hr.js' }]);
    } finally {
      process.off('uncaughtException', others);
      end();
    }
  });
});
