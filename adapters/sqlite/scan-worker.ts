import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import type { SearchQuery } from '../../src/backend/adapter.js';
import { loadCreateStore } from './create-store.js';
import { openDatabase } from './database.js';
import { toAdapterError, toErrorMessage } from './errors.js';
import type { Store, StoreDefinition } from './store.js';
import type { WorkerReply, WorkerRequest } from './worker-client.js';

/** The thread for searches that walk through many rows. It does one after the other. */
async function run(port: MessagePort, definition: StoreDefinition): Promise<void> {
  const createStore = await loadCreateStore(definition.kind);
  const waiting = new Map<number, SearchQuery>();
  let isClosing = false;
  let open: { readonly db: Database; readonly store: Store } | undefined;

  const connect = (): Store => {
    if (open === undefined) {
      const db = openDatabase(definition.file, 'read', false);
      open = { db, store: createStore(db, definition) };
    }
    return open.store;
  };
  const answer = (id: number, query: SearchQuery): WorkerReply => {
    try {
      return { id, value: connect().search(query) };
    } catch (error) {
      return { id, error: toErrorMessage(toAdapterError(error)) };
    }
  };
  /** One search per turn of the loop, so that one that nobody waits for any more can be left out. */
  const next = (): void => {
    const [first] = waiting;
    if (first !== undefined) {
      const [id, query] = first;
      waiting.delete(id);
      port.postMessage([answer(id, query)]);
    }
    if (waiting.size > 0) {
      setImmediate(next);
    } else if (isClosing) {
      open?.db.close();
      port.close();
    }
  };
  port.on('message', (request: WorkerRequest<SearchQuery>) => {
    if ('cancel' in request) {
      waiting.delete(request.cancel);
      return;
    }
    if (waiting.size === 0) setImmediate(next);
    if ('close' in request) isClosing = true;
    else for (const { id, call } of request.calls) waiting.set(id, call);
  });
}

if (parentPort !== null) void run(parentPort, workerData as StoreDefinition);
