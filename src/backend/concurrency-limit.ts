export interface Waiter {
  /** The waiter has got a place, and leaves it when it is done. */
  start(): void;
}

/** So many operations at a time; the others wait in a bounded queue, first come, first served. */
export class ConcurrencyLimit {
  private readonly places: number;
  private readonly maxQueued: number;
  private readonly queue = new Set<Waiter>();
  private taken = 0;

  constructor(places: number, maxQueued: number) {
    this.places = places;
    this.maxQueued = maxQueued;
  }

  get inFlight(): number {
    return this.taken;
  }

  get queued(): number {
    return this.queue.size;
  }

  /** Takes a place at once. @returns false when all are taken */
  tryEnter(): boolean {
    if (this.taken >= this.places) return false;
    this.taken++;
    return true;
  }

  /** @returns false when the queue is full */
  enqueue(waiter: Waiter): boolean {
    if (this.queue.size >= this.maxQueued) return false;
    this.queue.add(waiter);
    return true;
  }

  withdraw(waiter: Waiter): void {
    this.queue.delete(waiter);
  }

  /** Gives the place to the one that waits longest, or frees it. */
  leave(): void {
    for (const waiter of this.queue) {
      this.queue.delete(waiter);
      waiter.start();
      return;
    }
    this.taken--;
  }
}
