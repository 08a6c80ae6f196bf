import type { OperationContext, TraceEntry } from '../backend/adapter.js';
import { hasEnded } from '../backend/has-ended.js';

/** What an adapter of others gets of a request: it can read it, and what it traces is text and a number. */
export class ContainedContext implements OperationContext {
  readonly #context: OperationContext;
  readonly requestId: string;
  readonly trace: (entry: TraceEntry) => void;

  constructor(context: OperationContext) {
    this.#context = context;
    this.requestId = context.requestId;
    const { trace } = context;
    this.trace = (entry) => {
      const { operation, durationMs } = entry;
      if (typeof operation === 'string' && Number.isFinite(durationMs)) trace?.call(context, { operation, durationMs });
    };
  }

  get deadlineMs(): number | undefined {
    return this.#context.deadlineMs;
  }

  /** Of a scan, that of the step under way. */
  get operationId(): string | undefined {
    return this.#context.operationId;
  }

  /** Made by the request when somebody asks for it. */
  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get hasEnded(): boolean {
    return hasEnded(this.#context);
  }
}
