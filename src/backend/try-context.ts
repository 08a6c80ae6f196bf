import { randomUUID } from 'node:crypto';
import type { OperationContext } from './adapter.js';
import { hasEnded } from './has-ended.js';

/**
 * What an adapter is told of the operation that it works on: the request's context with the operation's own end and name.
 * A class, since the signal and the name are made when they are first asked for. The same object for every try.
 */
export class TryContext implements OperationContext {
  readonly requestId: string;
  readonly trace: OperationContext['trace'];
  readonly deadlineMs: number;
  private readonly request: OperationContext;
  /** Ends the operation before its request; absent where the request ends in time. */
  private readonly ending: AbortController | undefined;
  private madeId: string | undefined;

  constructor(request: OperationContext, deadlineMs: number, ending: AbortController | undefined) {
    this.requestId = request.requestId;
    this.trace = request.trace;
    this.deadlineMs = deadlineMs;
    this.request = request;
    this.ending = ending;
  }

  get signal(): AbortSignal {
    return (this.ending ?? this.request).signal;
  }

  get hasEnded(): boolean {
    return this.ending === undefined ? hasEnded(this.request) : this.ending.signal.aborted;
  }

  get operationId(): string {
    this.madeId ??= randomUUID();
    return this.madeId;
  }
}

/** The context of a scan as a whole, whose deadline and name are those of the step that is under way. */
export class ScanContext implements OperationContext {
  readonly requestId: string;
  readonly trace: OperationContext['trace'];
  readonly signal: AbortSignal;
  step: OperationContext;

  constructor(request: OperationContext, signal: AbortSignal) {
    this.requestId = request.requestId;
    this.trace = request.trace;
    this.signal = signal;
    this.step = request;
  }

  get deadlineMs(): number | undefined {
    return this.step.deadlineMs;
  }

  get operationId(): string | undefined {
    return this.step.operationId;
  }
}
