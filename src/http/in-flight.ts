/** How often requests in flight are looked at. A timer and a listener per request would cost more than the looking. */
const sweepEveryMs = 250;
/** After its signal has fired, work has so long to end by itself, with an answer that knows more than ours. */
const graceMs = 1000;

/** The part of a Node response that tells whether the client is still there. */
export interface Outgoing {
  readonly destroyed: boolean;
}

/** Requests that are being worked on. */
export interface InFlight {
  /** Runs the work, and gives `lateAnswer` instead when it goes on long after its deadline. */
  track<T>(flight: Flight, work: Promise<T>, lateAnswer: () => T): Promise<T>;
}

/** One request's end of time: its deadline, or the client's leaving, noticed within a quarter of a second. */
export class Flight {
  readonly #deadlineMs: number;
  readonly #outgoing: Outgoing | undefined;
  #controller: AbortController | undefined;
  #endedBy: DOMException | undefined;

  /** @param deadlineMs on the clock of `performance.now()` */
  constructor(deadlineMs: number, outgoing: Outgoing | undefined) {
    this.#deadlineMs = deadlineMs;
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

  /** @returns true when the time for an answer is over, grace included */
  sweep(nowMs: number): boolean {
    if (this.#endedBy === undefined) {
      if (this.#outgoing?.destroyed === true) this.#end(new DOMException('The client left.', 'AbortError'));
      else if (nowMs >= this.#deadlineMs) this.#end(new DOMException('The deadline passed.', 'TimeoutError'));
    }
    return nowMs >= this.#deadlineMs + graceMs;
  }

  #end(reason: DOMException): void {
    this.#endedBy = reason;
    this.#controller?.abort(reason);
  }
}

export function createInFlight(): InFlight {
  const flights = new Map<Flight, () => void>();
  let timer: NodeJS.Timeout | undefined;

  const sweep = (): void => {
    const nowMs = performance.now();
    for (const [flight, giveUp] of flights) {
      if (flight.sweep(nowMs)) giveUp();
    }
    if (flights.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };

  return {
    track<T>(flight: Flight, work: Promise<T>, lateAnswer: () => T): Promise<T> {
      timer ??= setInterval(sweep, sweepEveryMs).unref();
      return new Promise<T>((resolve, reject) => {
        flights.set(flight, () => {
          flights.delete(flight);
          resolve(lateAnswer());
        });
        work.then(resolve, reject).finally(() => flights.delete(flight));
      });
    },
  };
}
