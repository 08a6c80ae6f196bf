import type {
  Adapter,
  AdapterEnvironment,
  AdapterModule,
  BackendRecord,
  Capabilities,
  Change,
  DescribableOperation,
  Inspection,
  LookupQuery,
  OperationContext,
  ReadOptions,
  SearchQuery,
  SearchResult,
  UpdateOptions,
  UpdateResult,
} from '../../src/backend/adapter.js';
import { contractVersion } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { describeOperation, traceSearch } from '../../src/backend/records/describe.js';
import { RecordStore } from '../../src/backend/records/record-store.js';
import { type MemoryConfig, memoryConfigSchema } from './config.js';
import { seedRecords } from './seed.js';

/** Records in memory: for trials and tests, and the reference for what every other adapter does. */
export const memoryModule: AdapterModule<MemoryConfig> = {
  contractVersion,
  type: 'memory',
  configSchema: memoryConfigSchema,
  async open(config: MemoryConfig, environment: AdapterEnvironment): Promise<Adapter> {
    return new MemoryAdapter(config, environment);
  },
};

const scanPageSize = 500;

class MemoryAdapter implements Adapter {
  readonly capabilities: Capabilities;
  private readonly store: RecordStore;
  private readonly inspection: Inspection;
  private isClosed = false;

  constructor(config: MemoryConfig, environment: AdapterEnvironment) {
    this.store = new RecordStore(environment.entities);
    this.capabilities = this.store.capabilities;
    const problems = seedRecords(this.store, config.records);
    for (const { configPath, message } of problems) environment.log.warn({ configPath }, message);
    this.inspection = {
      entities: environment.entities.map(({ entity, fields }) => ({
        entity,
        fields: fields.map(({ name, type, multiple, inverseOf }) => ({
          name,
          type,
          multiple,
          writable: inverseOf === undefined,
        })),
      })),
      problems,
    };
  }

  async get(entity: string, id: string, { fields }: ReadOptions, context: OperationContext) {
    return this.carryOut(`get ${entity}`, context, () => this.store.get(entity, id, fields));
  }

  async search(query: SearchQuery, context: OperationContext): Promise<SearchResult> {
    return this.carryOut(traceSearch(query), context, () => this.store.search(query));
  }

  async *scan(
    query: Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>,
    context: OperationContext,
  ): AsyncIterable<BackendRecord> {
    let { after } = query;
    do {
      const { offset: _, ...rest }: Partial<SearchQuery> & typeof query = query;
      const page = await this.search(
        { ...rest, limit: scanPageSize, wantTotal: false, ...(after === undefined ? {} : { after }) },
        context,
      );
      yield* page.records;
      after = page.next;
    } while (after !== undefined);
  }

  async create(entity: string, record: BackendRecord, { fields }: ReadOptions, context: OperationContext) {
    return this.carryOut(`create in ${entity}`, context, () => this.store.create(entity, record, fields));
  }

  async update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult> {
    return this.carryOut(`update ${entity}`, context, () => this.store.update(entity, id, changes, options));
  }

  async delete(
    entity: string,
    id: string,
    options: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void> {
    this.carryOut(`delete from ${entity}`, context, () => this.store.delete(entity, id, options.ifRevision));
  }

  async lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]> {
    return this.carryOut(`look up ${entity} by ${query.by}`, context, () => this.store.lookup(entity, query));
  }

  async inspect(context: OperationContext): Promise<Inspection> {
    return this.carryOut('inspect', context, () => this.inspection);
  }

  describe(operation: DescribableOperation): string {
    return describeOperation(operation);
  }

  async check(context: OperationContext): Promise<void> {
    this.carryOut('check', context, () => undefined);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  private carryOut<T>(operation: string, context: OperationContext, work: () => T): T {
    if (this.isClosed) throw new AdapterError('unavailable', 'The adapter was closed.');
    if (context.signal.aborted) {
      throw new AdapterError('timeout', 'The request ended before the operation began.', {
        applied: 'no',
        cause: context.signal.reason,
      });
    }
    const startedAt = performance.now();
    try {
      return work();
    } finally {
      context.trace?.({ operation, durationMs: performance.now() - startedAt });
    }
  }
}
