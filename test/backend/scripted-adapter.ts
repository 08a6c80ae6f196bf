import type { Adapter, BackendRecord, OperationContext } from '../../src/backend/adapter.js';

/** What the adapter does at one call: returns, throws, rejects, hangs. */
export type Step = (context: OperationContext) => unknown;

export const alice: BackendRecord = { $id: '1', login: 'alice' };

export const hang: Step = () => new Promise(() => undefined);

export function answer(value: unknown): Step {
  return () => Promise.resolve(value);
}

export function fail(error: unknown): Step {
  return () => Promise.reject(error);
}

/** A promise that the test settles when it wants to. */
export function later<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** An adapter whose every call takes the next step of the script; the last one is repeated. */
export class ScriptedAdapter implements Adapter {
  readonly capabilities = { version: 7, entities: {} };
  /** The contexts of all calls so far. */
  readonly calls: OperationContext[] = [];
  private readonly steps: readonly Step[];
  isClosed = false;

  constructor(...steps: readonly Step[]) {
    this.steps = steps;
  }

  readonly get = (_: string, __: string, ___: unknown, context: OperationContext) => this.step(context);
  readonly search = (_: unknown, context: OperationContext) => this.step(context);
  readonly lookup = (_: string, __: unknown, context: OperationContext) => this.step(context);
  readonly create = (_: string, __: unknown, ___: unknown, context: OperationContext) => this.step(context);
  readonly update = (_: string, __: string, ___: unknown, ____: unknown, context: OperationContext) =>
    this.step(context);
  readonly delete = (_: string, __: string, ___: unknown, context: OperationContext) => this.step(context);
  readonly scan = (_: unknown, context: OperationContext) => this.step(context);
  readonly inspect = (context: OperationContext) => this.step(context);
  readonly check = (context: OperationContext) => this.step(context);

  describe(): string {
    return 'SELECT 1';
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  // The contract's types do not hold for an adapter that misbehaves: `never` fits all of them.
  private step(context: OperationContext): never {
    const step = this.steps[Math.min(this.calls.length, this.steps.length - 1)];
    this.calls.push(context);
    return step?.(context) as never;
  }
}
