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
import type { AdapterError } from '../backend/adapter-error.js';
import { AdapterFault } from '../backend/adapter-fault.js';
import { toAdapterError } from '../backend/foreign-error.js';
import { ContainedContext } from './contained-context.js';
import {
  nothing,
  plainFound,
  plainInspection,
  plainRecord,
  plainRecords,
  plainSearchResult,
  plainUpdateResult,
} from './plain-answer.js';
import { plainCapabilities } from './plain-capabilities.js';
import { messageOf, readThrown } from './thrown.js';

const closeTimeoutMs = 5_000;

interface Call<T> {
  readonly operation: string;
  readonly isWrite: boolean;
  readonly work: (context: OperationContext) => PromiseLike<unknown>;
  /** @throws Error that says what is wrong with the answer */
  readonly take: (answer: unknown) => T;
}

/**
 * An adapter that somebody else wrote. Nothing that it gets is shared with the gateway, nothing that it gives is used
 * before it was copied and checked, and every fault of it ends as AdapterFault and as a line in the log that names it.
 */
export class ContainedAdapter implements Adapter {
  readonly #inner: Adapter;
  readonly #name: string;
  readonly #log: AdapterEnvironment['log'];
  #capabilities: Capabilities;
  #hasToldOfCapabilities = false;

  /** @throws Error when its capabilities cannot be used */
  constructor(inner: Adapter, name: string, { log }: Pick<AdapterEnvironment, 'log'>) {
    this.#inner = inner;
    this.#name = name;
    this.#log = log;
    try {
      this.#capabilities = plainCapabilities(inner.capabilities);
    } catch (thrown) {
      throw new Error(`The adapter ${name} cannot be opened: ${messageOf(thrown)}`);
    }
  }

  /** Those that were usable last. */
  get capabilities(): Capabilities {
    try {
      const declared = this.#inner.capabilities;
      if (declared.version !== this.#capabilities.version) this.#capabilities = plainCapabilities(declared);
    } catch (thrown) {
      if (!this.#hasToldOfCapabilities) this.#tell('capabilities', undefined, thrown);
      this.#hasToldOfCapabilities = true;
    }
    return this.#capabilities;
  }

  get(entity: string, id: string, options: ReadOptions, context: OperationContext): Promise<BackendRecord | undefined> {
    const own = structuredClone(options);
    return this.#read(
      'get',
      context,
      (c) => this.#inner.get(entity, id, own, c),
      (answer) => plainFound(answer, id),
    );
  }

  search(query: SearchQuery, context: OperationContext): Promise<SearchResult> {
    const own = structuredClone(query);
    return this.#read('search', context, (c) => this.#inner.search(own, c), plainSearchResult);
  }

  async *scan(
    query: Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>,
    context: OperationContext,
  ): AsyncIterable<BackendRecord> {
    const own = structuredClone(query);
    let iterator: AsyncIterator<unknown> | undefined;
    const next = async (c: OperationContext): Promise<unknown> => {
      iterator ??= this.#inner.scan(own, c)[Symbol.asyncIterator]();
      return iterator.next();
    };
    const inner = new ContainedContext(context);
    try {
      for (;;) {
        const record = await this.#read('scan', inner, next, plainStep);
        if (record === undefined) {
          iterator = undefined;
          return;
        }
        yield record;
      }
    } finally {
      void leave(iterator);
    }
  }

  create(
    entity: string,
    record: BackendRecord,
    options: ReadOptions,
    context: OperationContext,
  ): Promise<BackendRecord> {
    const own = structuredClone({ record, options });
    return this.#write('create', context, (c) => this.#inner.create(entity, own.record, own.options, c), plainRecord);
  }

  update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult> {
    const own = structuredClone({ changes, options });
    const work = (c: OperationContext) => this.#inner.update(entity, id, own.changes, own.options, c);
    return this.#write('update', context, work, plainUpdateResult);
  }

  delete(
    entity: string,
    id: string,
    options: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void> {
    const own = { ...options };
    return this.#write('delete', context, (c) => this.#inner.delete(entity, id, own, c), nothing);
  }

  lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]> {
    const own = structuredClone(query);
    return this.#read('lookup', context, (c) => this.#inner.lookup(entity, own, c), plainRecords);
  }

  inspect(context: OperationContext): Promise<Inspection> {
    return this.#read('inspect', context, (c) => this.#inner.inspect(c), plainInspection);
  }

  describe(operation: DescribableOperation): string {
    const text: unknown = this.#inner.describe(structuredClone(operation));
    if (typeof text !== 'string') throw new Error('"describe" gave no text.');
    return text;
  }

  check(context: OperationContext): Promise<void> {
    return this.#read('check', context, (c) => this.#inner.check(c), nothing);
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#log.warn({ adapter: this.#name, operation: 'close' }, 'The adapter does not end; nobody waits for it.');
        resolve();
      }, closeTimeoutMs);
    });
    const closing = (async () => this.#inner.close())().catch((thrown: unknown) => {
      this.#tell('close', undefined, thrown);
    });
    try {
      await Promise.race([closing, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #read<T>(operation: string, context: OperationContext, work: Call<T>['work'], take: Call<T>['take']): Promise<T> {
    return this.#call({ operation, isWrite: false, work, take }, context);
  }

  #write<T>(operation: string, context: OperationContext, work: Call<T>['work'], take: Call<T>['take']): Promise<T> {
    return this.#call({ operation, isWrite: true, work, take }, context);
  }

  async #call<T>({ operation, isWrite, work, take }: Call<T>, context: OperationContext): Promise<T> {
    let answer: unknown;
    try {
      answer = await work(context instanceof ContainedContext ? context : new ContainedContext(context));
    } catch (thrown) {
      throw this.#failed(operation, context, thrown, isWrite);
    }
    try {
      return take(answer);
    } catch (thrown) {
      throw this.#fault(operation, context, thrown, isWrite ? 'unknown' : 'no');
    }
  }

  #failed(operation: string, context: OperationContext, thrown: unknown, isWrite: boolean): AdapterError {
    try {
      const error = toAdapterError(thrown, isWrite);
      if (!(error instanceof AdapterFault)) return error;
    } catch {
      // It cannot even be read: a fault like any other.
    }
    return this.#fault(operation, context, thrown, isWrite ? 'unknown' : 'no');
  }

  #fault(operation: string, { requestId }: OperationContext, thrown: unknown, applied: 'no' | 'unknown'): AdapterFault {
    this.#tell(operation, requestId, thrown);
    const { type } = readThrown(thrown);
    return new AdapterFault(
      `The adapter ${this.#name} failed in "${operation}" with ${type}, which is a fault in it.`,
      {
        applied,
      },
    );
  }

  #tell(operation: string, requestId: string | undefined, thrown: unknown): void {
    const place = { adapter: this.#name, operation, ...(requestId === undefined ? {} : { requestId }) };
    this.#log.error(
      { ...place, fault: readThrown(thrown) },
      `The adapter failed in "${operation}", which is a fault in it.`,
    );
  }
}

function plainStep(step: unknown): BackendRecord | undefined {
  if (typeof step !== 'object' || step === null) throw new Error('It answered with no step of a scan.');
  const { done, value } = step as Partial<IteratorResult<unknown>>;
  return done === true ? undefined : plainRecord(value);
}

/** Nobody waits for it, and its failure concerns nobody. */
async function leave(iterator: AsyncIterator<unknown> | undefined): Promise<void> {
  try {
    await iterator?.return?.();
  } catch {
    // The scan has ended for its reader.
  }
}
