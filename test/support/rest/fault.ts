import type { TargetAnswer, TargetRequest } from './http-exchange.js';

/** What goes wrong with a request to a test target. */
export type Fault =
  /** Another answer instead; nothing is carried out. */
  | { readonly kind: 'answer'; readonly answer: TargetAnswer }
  /** Nothing is carried out, and nobody answers. */
  | { readonly kind: 'blackHole' }
  /** The connection ends before anything is carried out. */
  | { readonly kind: 'loseRequest' }
  /** Carried out, and then the connection ends. */
  | { readonly kind: 'loseAnswer' }
  /** Carried out, and then nobody answers. */
  | { readonly kind: 'silentAnswer' }
  /** Carried out, and the connection ends after so many bytes of the body. */
  | { readonly kind: 'cutBody'; readonly bytes: number }
  /** Carried out at once, and answered late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Carried out, and the answer is another one. */
  | { readonly kind: 'alter'; readonly alter: (answer: TargetAnswer, request: TargetRequest) => TargetAnswer }
  /** Carried out, and the answer goes on for so many bytes. */
  | { readonly kind: 'oversize'; readonly bytes: number };

/** Which requests a fault is for. Left out: any. */
export interface FaultFor {
  readonly method?: string;
  readonly path?: RegExp;
}

export interface Injection {
  /** How often the fault happened. */
  readonly hits: number;
}

interface Waiting {
  readonly fault: Fault;
  readonly target: FaultFor;
  left: number;
  hits: number;
}

/** The faults that wait for requests. */
export class Faults {
  private waiting: readonly Waiting[] = [];

  /** The next so many requests that it is for meet the fault. */
  inject(fault: Fault, target: FaultFor = {}, times = 1): Injection {
    const one: Waiting = { fault, target, left: times, hits: 0 };
    this.waiting = [...this.waiting, one];
    return one;
  }

  /** Takes back what has not happened yet. */
  heal(): void {
    this.waiting = [];
  }

  /** The fault that this request meets, if any; it is used up. */
  take({ method, rawPath }: TargetRequest): Fault | undefined {
    const found = this.waiting.find(
      ({ target, left }) =>
        left > 0 && (target.method ?? method) === method && (target.path === undefined || target.path.test(rawPath)),
    );
    if (found === undefined) return undefined;
    found.left--;
    found.hits++;
    return found.fault;
  }
}
