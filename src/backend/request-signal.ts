import { setMaxListeners } from 'node:events';

export interface Interruptible {
  /** The request has ended before the operation has. */
  interrupt(reason: unknown): void;
}

/**
 * The signals that adapters get. All operations of one request share one, since making a signal costs more than all the
 * rest of the guard. It ends with the request; when an operation passes its own deadline, it ends as soon as no other
 * operation of the request is under way.
 */
export class RequestSignals {
  private readonly byCaller = new WeakMap<AbortSignal, RequestSignal>();

  of(caller: AbortSignal): RequestSignal {
    const shared = this.byCaller.get(caller);
    if (shared !== undefined && !shared.isSpent) return shared;
    const fresh = new RequestSignal(caller);
    this.byCaller.set(caller, fresh);
    return fresh;
  }
}

export class RequestSignal {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly operations = new Set<Interruptible>();
  private readonly caller: AbortSignal;
  private expiry: unknown;

  constructor(caller: AbortSignal) {
    this.caller = caller;
    this.signal = this.controller.signal;
    setMaxListeners(0, this.signal); // one for each operation under way is no leak
    caller.addEventListener('abort', this.onAbort, { once: true });
  }

  /** True when it is about to end or has ended, so that it serves no further operation. */
  get isSpent(): boolean {
    return this.expiry !== undefined || this.signal.aborted;
  }

  join(operation: Interruptible): void {
    this.operations.add(operation);
  }

  leave(operation: Interruptible): void {
    this.operations.delete(operation);
    if (this.expiry === undefined || this.operations.size > 0) return;
    this.caller.removeEventListener('abort', this.onAbort);
    this.controller.abort(this.expiry);
  }

  /** The adapter is to give up what it does for this operation. */
  expire(operation: Interruptible, reason: Error): void {
    this.expiry = reason;
    this.leave(operation);
  }

  private readonly onAbort = (): void => {
    const { reason } = this.caller;
    for (const operation of [...this.operations]) operation.interrupt(reason);
    this.controller.abort(reason);
  };
}
