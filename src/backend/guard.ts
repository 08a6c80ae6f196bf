import type { Adapter, AdapterModule, BackendRecord, OperationContext, SearchQuery } from './adapter.js';
import {
  checkFoundRecord,
  checkNothing,
  checkRecord,
  checkRecords,
  checkSearchResult,
  checkStep,
  checkUpdateResult,
} from './answer-shape.js';
import { CircuitBreaker, type CircuitState } from './circuit-breaker.js';
import { type Clock, systemClock } from './clock.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { type GuardedCall, type GuardParts, type Observe, runGuarded } from './guarded-operation.js';
import { BackendPace, type PaceState } from './pace.js';
import { ScanContext } from './try-context.js';
import { Watch } from './watch.js';

export interface GuardOptions {
  /** An operation ends after so long, waiting and retries included. Default 20,000. */
  readonly timeoutMs?: number;
  /** So many calls of the adapter at a time. Default 32. */
  readonly concurrency?: number;
  /** So many operations may wait for their turn; more are refused at once. Default 512. */
  readonly maxQueued?: number;
  /** How fast the adapter may be called. Default: as fast as the places allow, and as it asks itself. */
  readonly pace?: BackendPace;
  /** See `AdapterModule.pacedBy`. Default `operations`. */
  readonly pacedBy?: AdapterModule['pacedBy'];
  /** See `AdapterModule.retryAfter`. Default `backend`. */
  readonly retryAfter?: AdapterModule['retryAfter'];
  readonly clock?: Clock;
  /** Told of every operation once it is over, for metrics. Must be quick and not throw. */
  readonly observe?: Observe;
}

export interface GuardState {
  readonly circuit: CircuitState;
  readonly inFlight: number;
  readonly queued: number;
  readonly pace: PaceState;
}

export interface GuardedAdapter extends Adapter {
  /** For health and metrics. */
  state(): GuardState;
  /** The same guard with another deadline: same adapter, places, circuit and state. */
  withTimeout(timeoutMs: number): GuardedAdapter;
}

/** How late the end of a request or of an operation's time may be noticed. */
const watchEveryMs = 250;

type ScanQuery = Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>;

/**
 * Wraps any adapter: every operation has a deadline and a bounded place, is retried where that is safe, and a backend that
 * fails repeatedly is spared for a while. Operations reject with AdapterError whatever the adapter throws or answers.
 */
export function guardAdapter(adapter: Adapter, options: GuardOptions = {}): GuardedAdapter {
  const clock = options.clock ?? systemClock;
  const limit = new ConcurrencyLimit(options.concurrency ?? 32, options.maxQueued ?? 512);
  const { observe, pacedBy = 'operations', retryAfter = 'backend' } = options;
  const shared = {
    clock,
    limit,
    circuit: new CircuitBreaker(clock),
    pace: options.pace ?? new BackendPace({ clock }),
    believesRetryAfter: retryAfter === 'backend',
    isPaced: pacedBy === 'operations',
    ...(observe && { observe }),
  };
  return guardWith(adapter, shared, options.timeoutMs ?? 20_000);
}

/** What guards of the same adapter have in common. */
interface Shared {
  readonly clock: Clock;
  readonly limit: ConcurrencyLimit;
  readonly circuit: CircuitBreaker;
  readonly pace: BackendPace;
  readonly believesRetryAfter: boolean;
  /** Whether the guard asks the pace; else the adapter does. */
  readonly isPaced: boolean;
  readonly observe?: Observe;
}

function guardWith(adapter: Adapter, shared: Shared, timeoutMs: number): GuardedAdapter {
  const { clock, limit, circuit, pace, believesRetryAfter, isPaced, observe } = shared;
  const timing = { clock, timeoutMs, watch: new Watch(clock, Math.min(watchEveryMs, timeoutMs)) };
  const pacing = { pace, believesRetryAfter, learnsFromErrors: believesRetryAfter && isPaced };
  const parts: GuardParts = { ...timing, ...pacing, limit, circuit, ...(observe && { observe }) };
  // A health check asks the backend also when all places are taken or the circuit is open.
  const unbounded: GuardParts = { ...timing, ...pacing, limit: new ConcurrencyLimit(Number.POSITIVE_INFINITY, 0) };

  function read<T>(call: GuardedCall<T>['call'], check: (answer: T) => void, context: OperationContext): Promise<T> {
    return runGuarded(parts, { isWrite: false, isRetried: true, isPaced, call, check }, context);
  }
  function write<T>(call: GuardedCall<T>['call'], check: (answer: T) => void, context: OperationContext): Promise<T> {
    return runGuarded(parts, { isWrite: true, isRetried: true, isPaced, call, check }, context);
  }

  return {
    get capabilities() {
      return adapter.capabilities;
    },
    withTimeout: (otherMs) => guardWith(adapter, shared, otherMs),
    state: () => ({ circuit: circuit.state, inFlight: limit.inFlight, queued: limit.queued, pace: pace.state }),
    get: (entity, id, fields, context) => read((c) => adapter.get(entity, id, fields, c), checkFoundRecord, context),
    search: (query, context) => read((c) => adapter.search(query, c), checkSearchResult, context),
    lookup: (entity, query, context) => read((c) => adapter.lookup(entity, query, c), checkRecords, context),
    inspect: (context) => read((c) => adapter.inspect(c), checkNothing, context),
    create: (entity, record, fields, context) =>
      write((c) => adapter.create(entity, record, fields, c), checkRecord, context),
    update: (entity, id, changes, fields, context) =>
      write((c) => adapter.update(entity, id, changes, fields, c), checkUpdateResult, context),
    delete: (entity, id, revision, context) =>
      write((c) => adapter.delete(entity, id, revision, c), checkNothing, context),
    scan: (query, context) => guardedScan(adapter, parts, isPaced, query, context),
    check: (context) =>
      runGuarded(
        unbounded,
        { isWrite: false, isRetried: false, isPaced: false, call: (c) => adapter.check(c), check: checkNothing },
        context,
      ),
    describe: (operation) => {
      try {
        return String(adapter.describe(operation));
      } catch (error) {
        return `(the adapter cannot describe this: ${error instanceof Error ? error.message : 'no reason given'})`;
      }
    },
    close: () =>
      runGuarded(
        unbounded,
        { isWrite: true, isRetried: false, isPaced: false, call: () => adapter.close(), check: checkNothing },
        { signal: new AbortController().signal, requestId: 'close' },
      ),
  };
}

/**
 * The deadline and the place are for one step at a time, so that a slow reader blocks nobody. A scan is begun anew only
 * when it fails before it gave a record. Only its beginning asks the pace: most steps give what was read already.
 */
async function* guardedScan(
  adapter: Adapter,
  parts: GuardParts,
  isPaced: boolean,
  query: ScanQuery,
  context: OperationContext,
): AsyncGenerator<BackendRecord, void, undefined> {
  const ending = new AbortController();
  const scanContext = new ScanContext(context, AbortSignal.any([context.signal, ending.signal]));
  let iterator: AsyncIterator<BackendRecord> | undefined;
  const step: GuardedCall<IteratorResult<BackendRecord>> = {
    isWrite: false,
    isRetried: false,
    isPaced: false,
    call: async (stepContext) => {
      scanContext.step = stepContext;
      iterator ??= adapter.scan(query, scanContext)[Symbol.asyncIterator]();
      return iterator.next();
    },
    check: checkStep,
  };
  const firstStep: typeof step = {
    ...step,
    isRetried: true,
    isPaced,
    call: (c) => {
      iterator = undefined;
      return step.call(c);
    },
  };
  try {
    let result = await runGuarded(parts, firstStep, context);
    while (result.done !== true) {
      yield result.value;
      result = await runGuarded(parts, step, context);
    }
    iterator = undefined;
  } finally {
    ending.abort();
    void release(iterator);
  }
}

/** Lets the adapter free what the scan holds; nobody waits for it, and its failure concerns nobody. */
async function release(iterator: AsyncIterator<BackendRecord> | undefined): Promise<void> {
  try {
    await iterator?.return?.();
  } catch {
    // The scan has ended for its reader.
  }
}
