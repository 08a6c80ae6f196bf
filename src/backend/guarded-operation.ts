import type { OperationContext } from './adapter.js';
import { AdapterError } from './adapter-error.js';
import type { Admission, CircuitBreaker, Outcome } from './circuit-breaker.js';
import type { Clock } from './clock.js';
import type { ConcurrencyLimit, Waiter } from './concurrency-limit.js';
import type { Deadlines, Expiring } from './deadlines.js';
import { toAdapterError } from './foreign-error.js';
import type { Interruptible, RequestSignal, RequestSignals } from './request-signal.js';
import { retryDelayMs } from './retry.js';

/** What all operations of one guard share. */
export interface GuardParts {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly limit: ConcurrencyLimit;
  /** Left out where a call is to be made whatever became of earlier ones. */
  readonly circuit?: CircuitBreaker;
  readonly deadlines: Deadlines;
  readonly signals: RequestSignals;
}

/** One call of an adapter. */
export interface GuardedCall<T> {
  readonly isWrite: boolean;
  readonly isRetried: boolean;
  readonly call: (context: OperationContext) => PromiseLike<T>;
  /** Throws AdapterError when the answer has not the right shape. */
  readonly check: (answer: T) => void;
}

type Stage = 'begun' | 'queued' | 'sent' | 'pausing' | 'settled';

const queueFullRetrySeconds = 1;

/** Makes the call with a deadline, a place among the calls under way, the circuit's permission, and safe retries. */
export function runGuarded<T>(parts: GuardParts, call: GuardedCall<T>, context: OperationContext): Promise<T> {
  return new Promise((resolve, reject) => {
    const { signal } = context;
    if (signal.aborted) reject(timeout('The request ended before the operation began.', 'no', signal.reason));
    else new GuardedOperation(parts, call, context, resolve, reject).begin();
  });
}

class GuardedOperation<T> implements Expiring, Waiter, Interruptible {
  readonly deadlineMs: number;
  private readonly parts: GuardParts;
  private readonly request: GuardedCall<T>;
  private readonly context: OperationContext;
  private readonly signal: RequestSignal;
  private readonly resolve: (answer: T) => void;
  private readonly reject: (error: AdapterError) => void;
  private stage: Stage = 'begun';
  private tries = 0;
  private admission: Admission = 'normal';
  private lastError: AdapterError | undefined;
  private cancelPause: (() => void) | undefined;

  constructor(
    parts: GuardParts,
    request: GuardedCall<T>,
    context: OperationContext,
    resolve: (answer: T) => void,
    reject: (error: AdapterError) => void,
  ) {
    this.parts = parts;
    this.request = request;
    this.context = context;
    this.signal = parts.signals.of(context.signal);
    this.resolve = resolve;
    this.reject = reject;
    this.deadlineMs = parts.clock.now() + parts.timeoutMs;
  }

  begin(): void {
    this.parts.deadlines.add(this);
    this.signal.join(this);
    this.attempt();
  }

  /** The queue has given this operation a place. */
  start(): void {
    const refusedForMs = this.parts.circuit?.refusedForMs ?? 0;
    if (refusedForMs === 0) {
      this.send();
      return;
    }
    this.fail(this.circuitOpen(refusedForMs));
    this.parts.limit.leave();
  }

  expire(): void {
    const error = this.giveUp(`No answer within ${this.parts.timeoutMs} ms.`, 'failed', undefined);
    this.signal.expire(this, error);
  }

  interrupt(reason: unknown): void {
    // A caller that left says nothing about the backend; a request whose time ran out does.
    const isDeadline = reason instanceof Error && reason.name === 'TimeoutError';
    this.giveUp('The request ended before the backend answered.', isDeadline ? 'failed' : 'neutral', reason);
  }

  private attempt(): void {
    const { circuit, limit } = this.parts;
    const refusedForMs = circuit?.refusedForMs ?? 0;
    if (refusedForMs > 0) {
      this.fail(this.circuitOpen(refusedForMs));
    } else if (limit.tryEnter()) {
      this.send();
    } else if (limit.enqueue(this)) {
      this.stage = 'queued';
    } else {
      const details = { retryAfterSeconds: queueFullRetrySeconds, cause: this.lastError };
      this.fail(new AdapterError('unavailable', 'Too many operations wait for the backend.', details));
    }
  }

  private send(): void {
    this.stage = 'sent';
    this.tries++;
    this.admission = this.parts.circuit?.enter() ?? 'normal';
    const { requestId, trace } = this.context;
    const { signal } = this.signal;
    try {
      const answer = this.request.call(trace === undefined ? { signal, requestId } : { signal, requestId, trace });
      Promise.resolve(answer).then(
        (value) => this.answered(value),
        (error: unknown) => this.failedTry(error),
      );
    } catch (error) {
      this.failedTry(error);
    }
  }

  private answered(answer: T): void {
    if (this.stage === 'settled') return;
    const fault = this.faultOf(answer);
    this.settle();
    this.freePlace('healthy');
    if (fault === undefined) this.resolve(answer);
    else this.reject(fault);
  }

  private faultOf(answer: T): AdapterError | undefined {
    try {
      this.request.check(answer);
      return undefined;
    } catch (error) {
      const { kind, message } = toAdapterError(error, this.request.isWrite);
      const applied = this.request.isWrite ? 'unknown' : 'no';
      return new AdapterError(kind, message, { applied, cause: error });
    }
  }

  private failedTry(thrown: unknown): void {
    if (this.stage === 'settled') return;
    const { clock } = this.parts;
    const { isWrite, isRetried } = this.request;
    const error = toAdapterError(thrown, isWrite);
    this.lastError = error;
    const remainingMs = this.deadlineMs - clock.now();
    const delayMs = isRetried
      ? retryDelayMs({ error, isWrite, tries: this.tries, remainingMs, random: clock.random() })
      : undefined;
    if (delayMs === undefined) this.fail(error);
    else this.pause(error, delayMs);
    this.freePlace(error.kind === 'unavailable' || error.kind === 'timeout' ? 'failed' : 'healthy');
  }

  private pause(error: AdapterError, delayMs: number): void {
    this.stage = 'pausing';
    this.context.trace?.({
      operation: `pause after "${error.kind}" before try ${this.tries + 1}`,
      durationMs: delayMs,
    });
    this.cancelPause = this.parts.clock.setTimer(() => this.attempt(), delayMs, true);
  }

  private giveUp(message: string, outcome: Outcome, reason: unknown): AdapterError {
    const { stage } = this;
    const applied = stage === 'sent' && this.request.isWrite ? 'unknown' : 'no';
    const error = timeout(message, applied, this.lastError ?? reason);
    this.fail(error);
    if (stage === 'queued') this.parts.limit.withdraw(this);
    else if (stage === 'pausing') this.cancelPause?.();
    else if (stage === 'sent') this.freePlace(outcome);
    return error;
  }

  private freePlace(outcome: Outcome): void {
    this.parts.circuit?.leave(this.admission, outcome);
    this.parts.limit.leave();
  }

  private fail(error: AdapterError): void {
    this.settle();
    this.reject(error);
  }

  private settle(): void {
    this.stage = 'settled';
    this.parts.deadlines.remove(this);
    this.signal.leave(this);
  }

  private circuitOpen(refusedForMs: number): AdapterError {
    return new AdapterError('unavailable', 'The backend failed repeatedly and is left alone for a while.', {
      retryAfterSeconds: Math.ceil(refusedForMs / 1_000),
      cause: this.lastError,
    });
  }
}

function timeout(message: string, applied: 'no' | 'unknown', cause: unknown): AdapterError {
  return new AdapterError('timeout', message, { applied, cause });
}
