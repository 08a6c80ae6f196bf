import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import {
  type Adapter,
  type AdapterEnvironment,
  type AdapterModule,
  type BackendRecord,
  type Capabilities,
  type Change,
  contractVersion,
  type DescribableOperation,
  type Inspection,
  type LookupQuery,
  type OperationContext,
  type ReadOptions,
  type SearchQuery,
  type SearchResult,
  type UpdateOptions,
  type UpdateResult,
} from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import { declaredFields } from '../declared-fields.js';
import type { TablesConfig } from '../sql/config.js';
import { type SqliteConfig, sqliteConfigSchema } from './config.js';
import { loadCreateStore } from './create-store.js';
import { openDatabase, type Statements, statementsOf } from './database.js';
import { isBusy, toAdapterError } from './errors.js';
import { keptDifferently } from './managed/open-layout.js';
import type { CreateStore, Store, StoreDefinition } from './store.js';
import { WorkerClient } from './worker-client.js';
import type { WriteCall } from './writer.js';

/** Records in a SQLite file: in the gateway's own tables, or in tables that exist already. */
export const sqliteModule: AdapterModule<SqliteConfig> = {
  contractVersion,
  type: 'sqlite',
  configSchema: sqliteConfigSchema,
  retryAfter: 'adapter',
  declared: ({ entities }) => declaredFields(entities as TablesConfig | undefined),
  async draft(request) {
    const { draftSqlite } = await import('./draft.js');
    return draftSqlite(request);
  },
  excludes: (open, next) => {
    if (!isManaged(open.config) || !isManaged(next.config) || open.config.file !== next.config.file) return undefined;
    const field = keptDifferently(open.entities, next.entities);
    return field && `The managed store keeps "${field}" in another way for the new mapping, which takes a restart.`;
  },
  /**
   * A file that cannot be used now is tried again by later operations.
   * @throws AdapterError unsupported when the file is of a newer version, or not a store at all
   */
  async open(config: SqliteConfig, environment: AdapterEnvironment): Promise<Adapter> {
    const definition = definitionOf(config, environment);
    const adapter = new SqliteAdapter(definition, await loadCreateStore(definition.kind), environment);
    await adapter.start();
    return adapter;
  },
};

function definitionOf(config: SqliteConfig, environment: AdapterEnvironment): StoreDefinition {
  const { gateway, entities, baseDir, dataDir } = environment;
  const managed = isManaged(config);
  if (!managed && config.file === undefined)
    throw new Error('An adapter of type "sqlite" with `entities` needs `file`.');
  return {
    kind: managed ? 'managed' : 'tables',
    file: config.file === undefined ? resolve(dataDir, 'store.db') : resolve(baseDir, config.file),
    gateway,
    entities,
    ...(managed ? {} : { tables: config.entities }),
  };
}

function isManaged(config: SqliteConfig): boolean {
  return config.managed ?? config.entities === undefined;
}

interface Connection {
  readonly db: Database;
  readonly store: Store;
  readonly statements: Statements;
  /** Tells the file that is open from another one that has taken its place. */
  readonly inode: number;
}

const scanPageSize = 500;
/** A connection that failed is tried again after so long at the earliest. */
const reconnectPauseMs = 1000;
const maxStartMs = 3000;
const busyPauseMs = 20;
const noEntities: Capabilities = { version: 0, entities: {} };

function openConnection(definition: StoreDefinition, createStore: CreateStore): Connection {
  const db = openDatabase(definition.file, 'prepare', definition.kind === 'managed');
  try {
    const store = createStore(db, definition);
    db.pragma('query_only = ON'); // all writing is the writer's
    return { db, store, statements: statementsOf(db), inode: statSync(definition.file).ino };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Reads that follow an index happen here on the main thread: they take microseconds. Searches that walk through many
 * rows go to one worker, all writes to another.
 */
class SqliteAdapter implements Adapter {
  capabilities: Capabilities = noEntities;
  private readonly definition: StoreDefinition;
  private readonly createStore: CreateStore;
  private readonly environment: AdapterEnvironment;
  private readonly writer: WorkerClient<WriteCall>;
  private readonly scanner: WorkerClient<SearchQuery>;
  private connection: Connection | undefined;
  private failure: { readonly error: AdapterError; readonly at: number } | undefined;
  private isClosed = false;

  constructor(definition: StoreDefinition, createStore: CreateStore, environment: AdapterEnvironment) {
    this.definition = definition;
    this.createStore = createStore;
    this.environment = environment;
    this.writer = new WorkerClient({ script: 'write-worker.js', definition, whenAborted: 'wait' });
    this.scanner = new WorkerClient({ script: 'scan-worker.js', definition, whenAborted: 'leave' });
  }

  /** @throws AdapterError when trying again cannot help */
  async start(): Promise<void> {
    const until = performance.now() + maxStartMs;
    for (;;) {
      try {
        this.connect();
        this.writer.start();
        return;
      } catch (error) {
        const failure = toAdapterError(error);
        if (failure.kind === 'unsupported') throw failure;
        if (!isBusy(failure.cause) || performance.now() > until) {
          const { file } = this.definition;
          this.environment.log.warn(
            { err: failure, cause: failure.cause, file },
            `The database ${file} cannot be opened yet.`,
          );
          return;
        }
        // Another process is setting the file up.
        await pause(busyPauseMs);
        this.failure = undefined;
      }
    }
  }

  async get(
    entity: string,
    id: string,
    options: ReadOptions,
    context: OperationContext,
  ): Promise<BackendRecord | undefined> {
    return this.read(context, (store) => store.get(entity, id, options));
  }

  async search(query: SearchQuery, context: OperationContext): Promise<SearchResult> {
    if (this.read(context, (store) => store.isScan(query), 'unseen')) {
      const what = `scan of ${query.entity} in a worker`;
      return (await this.traced(what, context, this.scanner.call(query, context))) as SearchResult;
    }
    return this.read(context, (store) => store.search(query));
  }

  async *scan(
    query: Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>,
    context: OperationContext,
  ): AsyncIterable<BackendRecord> {
    let next: string | undefined = query.after;
    const { after: _, ...rest } = query;
    do {
      const page: SearchQuery = { ...rest, limit: scanPageSize, wantTotal: false };
      const result: SearchResult = await this.search(next === undefined ? page : { ...page, after: next }, context);
      yield* result.records;
      next = result.next;
    } while (next !== undefined);
  }

  async create(
    entity: string,
    record: BackendRecord,
    options: ReadOptions,
    context: OperationContext,
  ): Promise<BackendRecord> {
    const call: WriteCall = { kind: 'create', entity, record, options };
    return (await this.write(`create in ${entity}`, call, context)) as BackendRecord;
  }

  async update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult> {
    const call: WriteCall = { kind: 'update', entity, id, changes, options };
    return (await this.write(`update in ${entity}`, call, context)) as UpdateResult;
  }

  async delete(
    entity: string,
    id: string,
    options: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void> {
    await this.write(`delete in ${entity}`, { kind: 'delete', entity, id, options }, context);
  }

  async lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]> {
    return this.read(context, (store) => store.lookup(entity, query));
  }

  async inspect(context: OperationContext): Promise<Inspection> {
    const problems = this.read(context, (store) => store.inspect());
    const entities = this.environment.entities.map(({ entity, fields }) => ({
      entity,
      fields: fields.map(({ name, type, multiple, inverseOf }) => ({
        name,
        type,
        multiple,
        writable: inverseOf === undefined && (this.capabilities.entities[entity]?.write ?? false),
      })),
    }));
    return { entities, problems };
  }

  describe(operation: DescribableOperation): string {
    return this.read(undefined, (store) => store.describe(operation));
  }

  async check(context: OperationContext): Promise<void> {
    this.read(context, (_, { statements }) => statements.get('SELECT count(*) FROM sqlite_schema').get());
    const { connection } = this;
    const file = await stat(this.definition.file).catch((error: unknown) => {
      throw toAdapterError(error);
    });
    if (connection !== undefined && connection.inode !== file.ino) {
      throw new AdapterError('unavailable', 'The database file was replaced while the gateway runs. Restart it.');
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await Promise.all([this.writer.close(), this.scanner.close()]);
    this.connection?.db.close();
    this.connection = undefined;
  }

  private async write(what: string, call: WriteCall, context: OperationContext): Promise<unknown> {
    this.connect(); // fails at once while the file cannot be opened
    return this.traced(what, context, this.writer.call(call, context));
  }

  private async traced<T>(operation: string, context: OperationContext, work: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await work;
    } finally {
      context.trace?.({ operation, durationMs: performance.now() - startedAt });
    }
  }

  private read<T>(
    context: OperationContext | undefined,
    work: (store: Store, connection: Connection) => T,
    tracing: 'seen' | 'unseen' = 'seen',
  ): T {
    if (context !== undefined && hasEnded(context)) {
      const cause: unknown = context.signal.reason;
      throw new AdapterError('timeout', 'The request ended before the operation began.', { applied: 'no', cause });
    }
    const connection = this.connect();
    const { store, statements } = connection;
    const trace = tracing === 'seen' ? context?.trace : undefined;
    try {
      if (trace === undefined) return work(store, connection);
      statements.recorder = [];
      const startedAt = performance.now();
      try {
        return work(store, connection);
      } finally {
        const durationMs = performance.now() - startedAt;
        trace({ operation: statements.recorder.join('; '), durationMs });
        statements.recorder = undefined;
      }
    } catch (error) {
      throw toAdapterError(error);
    }
  }

  private connect(): Connection {
    if (this.connection !== undefined) return this.connection;
    if (this.isClosed) throw new AdapterError('unavailable', 'The adapter was closed.');
    const { failure } = this;
    if (failure !== undefined && performance.now() - failure.at < reconnectPauseMs) throw failure.error;
    try {
      const connection = openConnection(this.definition, this.createStore);
      this.connection = connection;
      this.failure = undefined;
      this.capabilities = { version: this.capabilities.version + 1, entities: connection.store.capabilities };
      return connection;
    } catch (error) {
      this.failure = { error: toAdapterError(error), at: performance.now() };
      throw this.failure.error;
    }
  }
}
