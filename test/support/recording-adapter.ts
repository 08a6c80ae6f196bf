import type { Adapter, Change, SearchQuery } from '../../src/backend/adapter.js';

/** One call of an adapter. */
export interface AdapterCall {
  readonly method: 'get' | 'search' | 'scan' | 'create' | 'update' | 'delete' | 'lookup';
  readonly entity: string;
  readonly changes?: readonly Change[];
  readonly query?: Partial<SearchQuery>;
}

/** An adapter that writes down what is asked of it. Each call is one round trip. */
export interface RecordingAdapter extends Adapter {
  readonly calls: AdapterCall[];
}

export function recording(adapter: Adapter): RecordingAdapter {
  const calls: AdapterCall[] = [];
  return {
    calls,
    get capabilities() {
      return adapter.capabilities;
    },
    get: (entity, ...rest) => {
      calls.push({ method: 'get', entity });
      return adapter.get(entity, ...rest);
    },
    search: (query, context) => {
      calls.push({ method: 'search', entity: query.entity, query });
      return adapter.search(query, context);
    },
    scan: (query, context) => {
      calls.push({ method: 'scan', entity: query.entity, query });
      return adapter.scan(query, context);
    },
    create: (entity, ...rest) => {
      calls.push({ method: 'create', entity });
      return adapter.create(entity, ...rest);
    },
    update: (entity, id, changes, ...rest) => {
      calls.push({ method: 'update', entity, changes });
      return adapter.update(entity, id, changes, ...rest);
    },
    delete: (entity, ...rest) => {
      calls.push({ method: 'delete', entity });
      return adapter.delete(entity, ...rest);
    },
    lookup: (entity, ...rest) => {
      calls.push({ method: 'lookup', entity });
      return adapter.lookup(entity, ...rest);
    },
    inspect: (...args) => adapter.inspect(...args),
    describe: (...args) => adapter.describe(...args),
    check: (...args) => adapter.check(...args),
    close: () => adapter.close(),
  };
}
