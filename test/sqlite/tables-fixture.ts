import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { openDatabase, statementsOf } from '../../adapters/sqlite/database.js';
import { toAdapterError } from '../../adapters/sqlite/errors.js';
import type { Store } from '../../adapters/sqlite/store.js';
import { createTablesStore } from '../../adapters/sqlite/tables/tables-store.js';
import type {
  Adapter,
  BackendRecord,
  Change,
  Condition,
  EntityUse,
  FieldUse,
  OperationContext,
  ReadOptions,
  SearchQuery,
  SearchResult,
  UpdateResult,
} from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { idOf } from '../../src/backend/record.js';

/** A database file with tables, and the store over them. */
export interface TablesFixture {
  readonly db: Database.Database;
  readonly store: Store;
  /** Runs a write as the adapter does: in a savepoint within a transaction, undone when it throws. */
  write<T>(run: (store: Store) => T): T;
  create(entity: string, record: BackendRecord, ...fields: readonly string[]): BackendRecord;
  update(entity: string, id: string, ...changes: readonly Change[]): UpdateResult;
  find(entity: string, filter: Condition, options?: Partial<SearchQuery>): SearchResult;
  /** Values of one column of one statement. */
  column(statement: string): readonly unknown[];
  close(): void;
}

export function openTables(schema: string, entities: readonly EntityUse[], tables: TablesConfig): TablesFixture {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-tables-'));
  const file = join(folder, 'people.db');
  const setup = new Database(file);
  setup.pragma('synchronous = OFF'); // a test needs no power loss
  setup.exec(schema);
  setup.close();
  const db = openDatabase(file, 'write', false);
  db.pragma('synchronous = OFF');
  const store = createTablesStore(db, { kind: 'tables', file, gateway: 'corp', entities, tables });
  const write = <T>(run: (store: Store) => T): T => inSavepoint(db, () => run(store));
  return {
    db,
    store,
    write,
    create: (entity, record, ...fields) => write((within) => within.create(entity, record, { fields })),
    update: (entity, id, ...changes) => write((within) => within.update(entity, id, changes, { fields: [] })),
    find: (entity, filter, options = {}) =>
      store.search({ entity, filter, fields: [], limit: 1000, wantTotal: false, ...options }),
    column: (statement) => db.prepare(statement).pluck().all(),
    close: () => {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function inSavepoint<T>(db: Database.Database, run: () => T): T {
  db.exec('BEGIN IMMEDIATE; SAVEPOINT call');
  try {
    const result = run();
    db.exec('RELEASE call; COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK TO call; RELEASE call; COMMIT');
    throw error;
  }
}

/** What the mapping asks of a field: a text compared without regard to case, unless told otherwise. */
export function use(name: string, more: Partial<FieldUse> = {}): FieldUse {
  const type = more.type ?? 'string';
  const byType = type === 'string' ? 'fold' : type === 'bytes' || type === 'records' ? 'exact' : type;
  return {
    name,
    type,
    multiple: type === 'records',
    comparison: byType,
    unique: false,
    read: true,
    written: true,
    ...more,
  };
}

export function ids({ records }: SearchResult): readonly string[] {
  return records.map(idOf).sort();
}

/** The AdapterError that the call throws. */
export function errorOf(run: () => unknown): AdapterError {
  try {
    run();
  } catch (error) {
    if (error instanceof AdapterError) return error;
    throw error;
  }
  throw new Error('It threw nothing.');
}

/** The store as an adapter on one connection in this thread, for the contract's tests. */
export class StoreAdapter implements Adapter {
  private readonly fixture: TablesFixture;
  private readonly entities: readonly EntityUse[];
  private isOpen = true;

  constructor(fixture: TablesFixture, entities: readonly EntityUse[]) {
    this.fixture = fixture;
    this.entities = entities;
  }

  get capabilities() {
    return { version: 1, entities: this.fixture.store.capabilities };
  }

  get(entity: string, id: string, options: ReadOptions, context: OperationContext) {
    return this.run(context, () => this.fixture.store.get(entity, id, options));
  }

  search(query: SearchQuery, context: OperationContext) {
    return this.run(context, () => {
      this.fixture.store.isScan(query);
      return this.fixture.store.search(query);
    });
  }

  async *scan(query: Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>, context: OperationContext) {
    let next = query.after;
    do {
      const page: SearchQuery = {
        ...query,
        limit: 500,
        wantTotal: false,
        ...(next === undefined ? {} : { after: next }),
      };
      const result = await this.search(page, context);
      yield* result.records;
      next = result.next;
    } while (next !== undefined);
  }

  create(entity: string, record: BackendRecord, options: ReadOptions, context: OperationContext) {
    return this.run(context, () => this.fixture.write((store) => store.create(entity, record, options)));
  }

  update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: ReadOptions & { readonly ifRevision?: string },
    context: OperationContext,
  ) {
    return this.run(context, () => this.fixture.write((store) => store.update(entity, id, changes, options)));
  }

  delete(entity: string, id: string, options: { readonly ifRevision?: string }, context: OperationContext) {
    return this.run(context, () => this.fixture.write((store) => store.delete(entity, id, options)));
  }

  lookup(entity: string, query: Parameters<Store['lookup']>[1], context: OperationContext) {
    return this.run(context, () => this.fixture.store.lookup(entity, query));
  }

  inspect(context: OperationContext) {
    return this.run(context, () => ({
      entities: this.entities.map(({ entity, fields }) => ({
        entity,
        fields: fields.map(({ name, type, multiple, written }) => ({ name, type, multiple, writable: written })),
      })),
      problems: this.fixture.store.inspect(),
    }));
  }

  describe(operation: Parameters<Store['describe']>[0]): string {
    return this.fixture.store.describe(operation);
  }

  check(context: OperationContext) {
    return this.run(context, () => undefined);
  }

  async close(): Promise<void> {
    if (this.isOpen) this.fixture.close();
    this.isOpen = false;
  }

  private async run<T>(context: OperationContext, work: () => T): Promise<T> {
    if (context.signal.aborted) throw new AdapterError('timeout', 'Ended.', { applied: 'no' });
    if (!this.isOpen) throw new AdapterError('unavailable', 'Closed.');
    const statements = statementsOf(this.fixture.db);
    statements.recorder = [];
    try {
      return work();
    } catch (error) {
      throw toAdapterError(error);
    } finally {
      context.trace?.({ operation: statements.recorder.join('; ') || 'none', durationMs: 0 });
      statements.recorder = undefined;
    }
  }
}
