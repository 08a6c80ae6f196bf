/** How often requests in flight are looked at. A timer and a listener per request would cost more than the looking. */
const sweepEveryMs = 250;
/** After its signal has fired, work has so long to end by itself, with an answer that knows more than ours. */
const graceMs = 1000;

/** The part of a Node response that tells whether the client is still there. */
export interface Outgoing {
  readonly destroyed: boolean;
}

/** One request's end of time: its deadline, or the client's leaving, noticed within a quarter of a second. */
export class Flight {
  /** Neighbours in the list of those in flight. */
  previous: Flight | undefined;
  next: Flight | undefined;
  /** Answers instead of work that goes on long after the deadline. */
  giveUp: (() => void) | undefined;
  readonly deadlineMs: number;
  readonly #outgoing: Outgoing | undefined;
  #controller: AbortController | undefined;
  #endedBy: DOMException | undefined;

  /** @param deadlineMs on the clock of `performance.now()` */
  constructor(deadlineMs: number, outgoing: Outgoing | undefined) {
    this.deadlineMs = deadlineMs;
    this.#outgoing = outgoing;
  }

  /** Made when it is first asked for: many requests are answered without it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#endedBy !== undefined) this.#controller.abort(this.#endedBy);
    return this.#controller.signal;
  }

  /** Why the signal has fired, if it has. */
  get endedBy(): 'deadline' | 'client' | undefined {
    return this.#endedBy === undefined ? undefined : this.#endedBy.name === 'TimeoutError' ? 'deadline' : 'client';
  }

  sweep(nowMs: number): void {
    if (this.#endedBy === undefined) {
      if (this.#outgoing?.destroyed === true) this.#end(new DOMException('The client left.', 'AbortError'));
      else if (nowMs >= this.deadlineMs) this.#end(new DOMException('The deadline passed.', 'TimeoutError'));
    }
    if (nowMs >= this.deadlineMs + graceMs) this.giveUp?.();
  }

  #end(reason: DOMException): void {
    this.#endedBy = reason;
    this.#controller?.abort(reason);
  }
}

/** Requests that are being worked on. A linked list: a Map's churn cost half as much as all of HTTP. */
export class InFlight {
  #first: Flight | undefined;
  #whenEmpty: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Runs the work, which must not reject, and gives `lateAnswer` when it goes on long after its deadline. */
  track<T>(flight: Flight, work: Promise<T>, lateAnswer: () => T): Promise<T> {
    this.#add(flight);
    return new Promise<T>((resolve) => {
      flight.giveUp = () => {
        this.#remove(flight);
        resolve(lateAnswer());
      };
      void work.then((answer) => {
        this.#remove(flight);
        resolve(answer);
      });
    });
  }

  /** Settles once nothing is under way: at the latest when the last deadline is over. */
  async drained(): Promise<void> {
    if (this.#first !== undefined) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  #add(flight: Flight): void {
    flight.next = this.#first;
    if (this.#first !== undefined) this.#first.previous = flight;
    this.#first = flight;
    this.#timer ??= setInterval(() => this.#sweep(), sweepEveryMs).unref();
  }

  #remove(flight: Flight): void {
    if (flight.giveUp === undefined) return;
    flight.giveUp = undefined;
    if (flight.previous === undefined) this.#first = flight.next;
    else flight.previous.next = flight.next;
    if (flight.next !== undefined) flight.next.previous = flight.previous;
    flight.previous = undefined;
    flight.next = undefined;
    if (this.#first === undefined && this.#whenEmpty.length > 0) {
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
    }
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (let flight = this.#first; flight !== undefined; ) {
      const { next } = flight;
      flight.sweep(nowMs);
      flight = next;
    }
    if (this.#first === undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
