import type { OperationContext } from './adapter.js';
import { AdapterError, type AdapterErrorKind } from './adapter-error.js';
import { AdapterFault } from './adapter-fault.js';
import type { Admission, CircuitBreaker, Outcome } from './circuit-breaker.js';
import type { Clock } from './clock.js';
import type { ConcurrencyLimit, Waiter } from './concurrency-limit.js';
import { toAdapterError } from './foreign-error.js';
import { hasEnded } from './has-ended.js';
import { type BackendPace, isPaceRefusal, type PaceWaiter, paceWait } from './pace.js';
import { retryDelayMs } from './retry.js';
import { TryContext } from './try-context.js';
import type { Watch, Watched } from './watch.js';

/** What all operations of one guard share. */
export interface GuardParts {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly limit: ConcurrencyLimit;
  /** Left out where a call is to be made whatever became of earlier ones. */
  readonly circuit?: CircuitBreaker;
  readonly pace?: BackendPace;
  /** Whether `retryAfterSeconds` of an error is the backend's own word, and not a guess of the adapter. */
  readonly believesRetryAfter?: boolean;
  /** Whether the pace is told of it. An adapter that asks the pace itself tells it too. */
  readonly learnsFromErrors?: boolean;
  readonly watch: Watch;
  readonly observe?: Observe;
}

/** Told how an operation ended, and how long it took with all waiting and retries. */
export type Observe = (outcome: 'ok' | AdapterErrorKind, durationMs: number) => void;

/** One call of an adapter. */
export interface GuardedCall<T> {
  readonly isWrite: boolean;
  readonly isRetried: boolean;
  /** Whether the pace is asked before the call: not where the adapter asks it, or the call costs the backend nothing. */
  readonly isPaced: boolean;
  readonly call: (context: OperationContext) => PromiseLike<T>;
  /** Throws AdapterError when the answer has not the right shape. */
  readonly check: (answer: T) => void;
}

type Stage = 'begun' | 'queued' | 'pacing' | 'sent' | 'pausing' | 'settled';

const queueFullRetrySeconds = 1;

/** Makes the call with a deadline, a place among the calls under way, the circuit's permission, and safe retries. */
export function runGuarded<T>(parts: GuardParts, call: GuardedCall<T>, context: OperationContext): Promise<T> {
  return new Promise((resolve, reject) => {
    if (hasEnded(context)) {
      reject(timeout('The request ended before the operation began.', 'no', context.signal.reason));
    } else {
      new GuardedOperation(parts, call, context, resolve, reject).begin();
    }
  });
}

class GuardedOperation<T> implements Waiter, Watched, PaceWaiter {
  previousWatched: Watched | undefined;
  nextWatched: Watched | undefined;
  private readonly parts: GuardParts;
  private readonly request: GuardedCall<T>;
  private readonly context: OperationContext;
  private readonly resolve: (answer: T) => void;
  private readonly reject: (error: AdapterError) => void;
  private readonly beganAtMs: number;
  readonly deadlineMs: number;
  /** For the adapter, when the caller's own signal may come too late. */
  private readonly controller: AbortController | undefined;
  private adapterContext: TryContext | undefined;
  private pacingSinceMs = 0;
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
    this.resolve = resolve;
    this.reject = reject;
    this.beganAtMs = parts.clock.now();
    const ownDeadlineMs = this.beganAtMs + parts.timeoutMs;
    const { deadlineMs } = context;
    const endsInTime = deadlineMs !== undefined && deadlineMs <= ownDeadlineMs;
    this.deadlineMs = endsInTime ? deadlineMs : ownDeadlineMs;
    this.controller = endsInTime ? undefined : new AbortController();
  }

  begin(): void {
    this.parts.watch.add(this);
    this.attempt();
  }

  /** The queue has given this operation a place. */
  start(): void {
    const refusedForMs = this.parts.circuit?.refusedForMs ?? 0;
    if (this.isOver()) {
      this.parts.limit.leave();
    } else if (refusedForMs > 0) {
      this.fail(this.circuitOpen(refusedForMs));
      this.parts.limit.leave();
    } else {
      this.keepPace();
    }
  }

  /** The moment has come for which this operation waited, in its place. */
  permit(): void {
    this.tracePacing();
    const { circuit, pace, limit } = this.parts;
    const refusedForMs = circuit?.refusedForMs ?? 0;
    if (this.isOver()) {
      pace?.ended(this, 'neutral');
    } else if (refusedForMs > 0) {
      this.fail(this.circuitOpen(refusedForMs));
      limit.leave();
      pace?.ended(this, 'neutral');
    } else {
      this.send();
    }
  }

  /** The moment will come too late. */
  refuse(error: AdapterError): void {
    this.tracePacing();
    this.fail(error);
    this.parts.limit.leave();
  }

  look(nowMs: number): void {
    if (this.stage === 'settled') return;
    if (hasEnded(this.context)) {
      const reason: unknown = this.context.signal.reason;
      // A caller that left says nothing about the backend; a request whose time ran out does.
      const isDeadline = reason instanceof Error && reason.name === 'TimeoutError';
      this.giveUp('The request ended before the backend answered.', isDeadline ? 'failed' : 'neutral', reason);
    } else if (nowMs >= this.deadlineMs) {
      this.giveUp('The backend gave no answer in time.', 'failed', undefined);
    }
  }

  /** Ends after waiting what has nobody to wait for it any more. */
  private isOver(): boolean {
    this.look(this.parts.clock.now());
    return this.stage === 'settled';
  }

  private attempt(): void {
    const { circuit, limit, pace } = this.parts;
    const refusedForMs = circuit?.refusedForMs ?? 0;
    const refusal = this.request.isPaced ? pace?.refusal(this.deadlineMs, limit.queued) : undefined;
    if (refusedForMs > 0) {
      this.fail(this.circuitOpen(refusedForMs));
    } else if (refusal !== undefined) {
      this.fail(refusal);
    } else if (limit.tryEnter()) {
      this.keepPace();
    } else if (limit.enqueue(this)) {
      this.stage = 'queued';
    } else {
      const details = { retryAfterSeconds: queueFullRetrySeconds, cause: this.lastError };
      this.fail(new AdapterError('unavailable', 'Too many operations wait for the backend.', details));
    }
  }

  /** Sends at the permitted moment; it was asked before whether that comes in time. */
  private keepPace(): void {
    const { pace, clock } = this.parts;
    if (pace === undefined || !this.request.isPaced || pace.tryTake(this)) {
      this.send();
      return;
    }
    const refusal = pace.refusal(this.deadlineMs);
    if (refusal !== undefined) {
      this.fail(refusal);
      this.parts.limit.leave();
      return;
    }
    this.stage = 'pacing';
    this.pacingSinceMs = clock.now();
    pace.enqueue(this);
  }

  private tracePacing(): void {
    this.context.trace?.({ operation: paceWait, durationMs: this.parts.clock.now() - this.pacingSinceMs });
  }

  private send(): void {
    this.stage = 'sent';
    this.tries++;
    this.admission = this.parts.circuit?.enter() ?? 'normal';
    this.adapterContext ??= new TryContext(this.context, this.deadlineMs, this.controller);
    try {
      Promise.resolve(this.request.call(this.adapterContext)).then(
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
    this.settle(fault === undefined ? 'ok' : fault.kind);
    this.freePlace('healthy');
    if (fault === undefined) this.resolve(answer);
    else this.reject(fault);
  }

  private faultOf(answer: T): AdapterError | undefined {
    try {
      this.request.check(answer);
      return undefined;
    } catch (error) {
      const { message } = toAdapterError(error, this.request.isWrite);
      return new AdapterFault(message, { applied: this.request.isWrite ? 'unknown' : 'no', cause: error });
    }
  }

  private failedTry(thrown: unknown): void {
    if (this.stage === 'settled') return;
    const { clock } = this.parts;
    const { isWrite, isRetried } = this.request;
    const error = toAdapterError(thrown, isWrite);
    this.lastError = error;
    this.learnFrom(error);
    const remainingMs = this.deadlineMs - clock.now();
    const delayMs = isRetried
      ? retryDelayMs({ error, isWrite, tries: this.tries, remainingMs, random: clock.random() })
      : undefined;
    if (delayMs === undefined) this.fail(error);
    else this.pause(error, delayMs);
    this.freePlace(this.outcomeOf(error));
  }

  private learnFrom(error: AdapterError): void {
    const { pace, learnsFromErrors = false } = this.parts;
    const { kind, retryAfterSeconds } = error;
    if (pace === undefined || !learnsFromErrors || kind !== 'unavailable' || retryAfterSeconds === undefined) return;
    if (!isPaceRefusal(error)) pace.learn({ retryAfterSeconds });
  }

  /** A backend that asks for a pause is not broken, and one that was not asked has said nothing. */
  private outcomeOf(error: AdapterError): Outcome {
    if (error.kind === 'unavailable') {
      const { pace, believesRetryAfter = false } = this.parts;
      const isAsked = believesRetryAfter && error.retryAfterSeconds !== undefined;
      return isAsked || pace?.isPaused === true || isPaceRefusal(error) ? 'neutral' : 'failed';
    }
    return error.kind === 'timeout' ? 'failed' : 'healthy';
  }

  private pause(error: AdapterError, delayMs: number): void {
    this.stage = 'pausing';
    this.context.trace?.({
      operation: `pause after "${error.kind}" before try ${this.tries + 1}`,
      durationMs: delayMs,
    });
    const goOn = () => {
      if (!this.isOver()) this.attempt();
    };
    this.cancelPause = this.parts.clock.setTimer(goOn, delayMs, true);
  }

  private giveUp(message: string, outcome: Outcome, reason: unknown): void {
    const { stage } = this;
    const applied = stage === 'sent' && this.request.isWrite ? 'unknown' : 'no';
    const error = timeout(message, applied, this.lastError ?? reason);
    this.fail(error);
    if (stage === 'queued') this.parts.limit.withdraw(this);
    else if (stage === 'pausing') this.cancelPause?.();
    else if (stage === 'pacing') this.leavePace();
    else if (stage === 'sent') this.freePlace(outcome);
    this.controller?.abort(reason ?? error);
  }

  private leavePace(): void {
    this.parts.pace?.withdraw(this);
    this.tracePacing();
    this.parts.limit.leave();
  }

  private freePlace(outcome: Outcome): void {
    const { circuit, pace, limit } = this.parts;
    circuit?.leave(this.admission, outcome);
    if (pace !== undefined && !pace.isFree) {
      pace.ended(this.request.isPaced ? this : this.adapterContext?.operationId, outcome);
    }
    limit.leave();
  }

  private fail(error: AdapterError): void {
    this.settle(error.kind);
    this.reject(error);
  }

  private settle(outcome: 'ok' | AdapterErrorKind): void {
    this.stage = 'settled';
    this.parts.watch.remove(this);
    this.parts.observe?.(outcome, this.parts.clock.now() - this.beganAtMs);
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
