import type { Adapter, AdapterModule, Change } from '../../src/backend/adapter.js';
import { AdapterError, type AdapterErrorKind } from '../../src/backend/adapter-error.js';

/** A kind of backend that a test can take away, and look into between two steps. */
export interface FragileModule {
  readonly module: AdapterModule;
  /** No operation succeeds from now on, or all do again. */
  readonly down: (how: AdapterErrorKind | boolean) => void;
  /** Operations get no answer from now on, or do again. */
  readonly silent: (isSilent: boolean) => void;
  /** Only changes fail from now on, or none do any more. */
  readonly frozen: (isFrozen: boolean) => void;
  /** Runs once, before the next change or deletion is carried out. */
  readonly before: (kind: 'update' | 'delete', act: () => Promise<unknown>) => void;
  /** Operations so far, as "get people". */
  readonly calls: string[];
  readonly updates: readonly { readonly id: string; readonly changes: readonly Change[] }[];
}

/** @param type what `type:` is in gateway.yaml */
export function fragile(inner: AdapterModule, type: string): FragileModule {
  let isDown: AdapterErrorKind | boolean = false;
  let isSilent = false;
  let isFrozen = false;
  const acts = new Map<string, () => Promise<unknown>>();
  const calls: string[] = [];
  const updates: { id: string; changes: readonly Change[] }[] = [];
  const enter = (operation: string): void => {
    calls.push(operation);
    if (isDown === false) return;
    const kind = isDown === true ? 'unavailable' : isDown;
    throw new AdapterError(kind, 'The backend is away.', { applied: 'no' });
  };
  const change = async (kind: 'create' | 'update' | 'delete', entity: string): Promise<void> => {
    const act = acts.get(kind);
    acts.delete(kind);
    await act?.();
    enter(`${kind} ${entity}`);
    if (isFrozen) throw new AdapterError('denied', 'The backend takes no changes.', { applied: 'no' });
  };
  const wrap = (adapter: Adapter): Adapter => ({
    get capabilities() {
      return adapter.capabilities;
    },
    async get(entity, ...rest) {
      enter(`get ${entity}`);
      return adapter.get(entity, ...rest);
    },
    async search(query, context) {
      enter(`search ${query.entity}`);
      return adapter.search(query, context);
    },
    async *scan(query, context) {
      enter(`scan ${query.entity}`);
      yield* adapter.scan(query, context);
    },
    async lookup(entity, ...rest) {
      enter(`lookup ${entity}`);
      if (isSilent) return new Promise(() => undefined);
      return adapter.lookup(entity, ...rest);
    },
    async create(entity, ...rest) {
      await change('create', entity);
      return adapter.create(entity, ...rest);
    },
    async update(entity, id, changes, ...rest) {
      await change('update', entity);
      updates.push({ id, changes });
      return adapter.update(entity, id, changes, ...rest);
    },
    async delete(entity, ...rest) {
      await change('delete', entity);
      return adapter.delete(entity, ...rest);
    },
    inspect: (context) => adapter.inspect(context),
    describe: (operation) => adapter.describe(operation),
    check: (context) => adapter.check(context),
    close: () => adapter.close(),
  });
  const schema = inner.configSchema as { readonly properties?: object };
  return {
    module: {
      ...inner,
      type,
      configSchema: { ...schema, properties: { ...schema.properties, type: { const: type } } },
      open: async (config, environment) =>
        wrap(await inner.open({ ...(config as object), type: inner.type }, environment)),
    },
    silent: (isSilentNow) => {
      isSilent = isSilentNow;
    },
    down: (how) => {
      isDown = how;
    },
    frozen: (isFrozenNow) => {
      isFrozen = isFrozenNow;
    },
    before: (kind, act) => {
      acts.set(kind, act);
    },
    calls,
    updates,
  };
}
