import type { Database } from 'better-sqlite3';
import type {
  BackendRecord,
  Change,
  DescribableOperation,
  EntityCapabilities,
  EntityUse,
  InspectionProblem,
  LookupQuery,
  ReadOptions,
  SearchQuery,
  SearchResult,
  UpdateOptions,
  UpdateResult,
} from '../../src/backend/adapter.js';

/**
 * How records lie in SQLite: the managed store's own tables, or tables that exist already. A store is synchronous and
 * bound to one connection; the adapter has one on the main thread for reads that are quick, and workers have theirs for
 * writes and for scans. Methods throw AdapterError, or let SQLite's own errors through for `toAdapterError`.
 */
export interface Store {
  readonly capabilities: Readonly<Record<string, EntityCapabilities>>;
  get(entity: string, id: string, options: ReadOptions): BackendRecord | undefined;
  search(query: SearchQuery): SearchResult;
  /** True when the query walks more than an index range, so that it belongs into a worker. */
  isScan(query: SearchQuery): boolean;
  lookup(entity: string, query: LookupQuery): readonly BackendRecord[];
  /** `create`, `update` and `delete` run inside a savepoint that the caller opened, and rolls back when they throw. */
  create(entity: string, record: BackendRecord, options: ReadOptions): BackendRecord;
  update(entity: string, id: string, changes: readonly Change[], options: UpdateOptions): UpdateResult;
  delete(entity: string, id: string, options: { readonly ifRevision?: string }): void;
  /** What does not fit between the declaration and the real tables. */
  inspect(): readonly InspectionProblem[];
  /** SQL with its parameters spelled out, for `explain`. */
  describe(operation: DescribableOperation): string;
}

/** Everything a worker needs to build the same store on its own connection: plain data. */
export interface StoreDefinition {
  readonly kind: 'managed' | 'tables';
  readonly file: string;
  readonly gateway: string;
  readonly entities: readonly EntityUse[];
  /** The adapter's `entities` section, for `tables`. */
  readonly tables?: unknown;
}

/** Builds a store on an open connection. The managed store creates and migrates its tables when `db` is writable. */
export type CreateStore = (db: Database, definition: StoreDefinition) => Store;
