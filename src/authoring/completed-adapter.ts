import type {
  Adapter,
  AdapterEnvironment,
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
} from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { hasEnded } from '../backend/has-ended.js';
import { describeOperation } from '../backend/records/describe.js';
import type { AuthoredAdapter } from './define-adapter.js';

const scanPageSize = 500;

/** An author's adapter with the rest of the contract around it. */
export class CompletedAdapter implements Adapter {
  readonly #own: AuthoredAdapter;
  readonly #environment: AdapterEnvironment;
  #closing: Promise<void> | undefined;

  constructor(own: AuthoredAdapter, environment: AdapterEnvironment) {
    this.#own = own;
    this.#environment = environment;
  }

  get capabilities(): Capabilities {
    return this.#own.capabilities;
  }

  get(entity: string, id: string, options: ReadOptions, context: OperationContext): Promise<BackendRecord | undefined> {
    return this.#carryOut(`get ${entity}`, context, (c) => this.#own.get(entity, id, options, c));
  }

  search(query: SearchQuery, context: OperationContext): Promise<SearchResult> {
    return this.#carryOut(`search ${query.entity}`, context, (c) => this.#own.search(query, c));
  }

  async *scan(
    query: Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>,
    context: OperationContext,
  ): AsyncIterable<BackendRecord> {
    if (this.#own.scan !== undefined) {
      this.#begin(context);
      yield* this.#own.scan(query, context);
      return;
    }
    let { after } = query;
    do {
      const position = after === undefined ? {} : { after };
      const page = await this.search({ ...query, ...position, limit: scanPageSize, wantTotal: false }, context);
      yield* page.records;
      after = page.next;
    } while (after !== undefined);
  }

  create(
    entity: string,
    record: BackendRecord,
    options: ReadOptions,
    context: OperationContext,
  ): Promise<BackendRecord> {
    return this.#carryOut(`create in ${entity}`, context, (c) => this.#own.create(entity, record, options, c));
  }

  update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult> {
    return this.#carryOut(`update ${entity}`, context, (c) => this.#own.update(entity, id, changes, options, c));
  }

  delete(
    entity: string,
    id: string,
    options: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void> {
    return this.#carryOut(`delete from ${entity}`, context, (c) => this.#own.delete(entity, id, options, c));
  }

  lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]> {
    return this.#carryOut(`look up ${entity} by ${query.by}`, context, (c) => this.#own.lookup(entity, query, c));
  }

  inspect(context: OperationContext): Promise<Inspection> {
    return this.#carryOut('inspect', context, async (c) => {
      if (this.#own.inspect !== undefined) return this.#own.inspect(c);
      await this.#own.check?.(c);
      return this.#asAskedFor();
    });
  }

  describe(operation: DescribableOperation): string {
    return this.#own.describe?.(operation) ?? describeOperation(operation);
  }

  check(context: OperationContext): Promise<void> {
    return this.#carryOut('check', context, async (c) => this.#own.check?.(c));
  }

  close(): Promise<void> {
    this.#closing ??= (async () => this.#own.close?.())();
    return this.#closing;
  }

  async #carryOut<T>(
    operation: string,
    context: OperationContext,
    work: (context: OperationContext) => Promise<T>,
  ): Promise<T> {
    this.#begin(context);
    const { trace } = context;
    if (trace === undefined) return work(context);
    let traced = 0;
    const startedAtMs = performance.now();
    const counting: OperationContext = {
      requestId: context.requestId,
      get signal() {
        return context.signal;
      },
      get hasEnded() {
        return hasEnded(context);
      },
      get deadlineMs() {
        return context.deadlineMs;
      },
      get operationId() {
        return context.operationId;
      },
      trace: (entry) => {
        traced++;
        trace.call(context, entry);
      },
    };
    try {
      return await work(counting);
    } finally {
      if (traced === 0) trace.call(context, { operation, durationMs: performance.now() - startedAtMs });
    }
  }

  #begin(context: OperationContext): void {
    if (this.#closing !== undefined) throw new AdapterError('unavailable', 'The adapter was closed.');
    if (!hasEnded(context)) return;
    const cause: unknown = context.signal.reason;
    throw new AdapterError('timeout', 'The request ended before the operation began.', { applied: 'no', cause });
  }

  #unkeptUniqueness(): Inspection['problems'] {
    const declared = this.#own.capabilities.entities;
    return this.#environment.entities.flatMap(({ entity, fields }) => {
      const names = fields.filter(({ unique }) => unique).map(({ name }) => `"${name}"`);
      if (names.length === 0 || declared[entity]?.enforcesUnique !== false) return [];
      const message = `The adapter does not declare that ${names.join(', ')} of "${entity}" is kept unique (enforcesUnique): two creates at the same moment, or an update, may give two records the value.`;
      return [{ severity: 'warning' as const, configPath: [], message }];
    });
  }

  #asAskedFor(): Inspection {
    const entities = this.#environment.entities.map(({ entity, fields }) => ({
      entity,
      fields: fields.map(({ name, type, multiple, written }) => ({ name, type, multiple, writable: written })),
    }));
    return { entities, problems: this.#unkeptUniqueness() };
  }
}
