import type { Clock } from './clock.js';

/** Something under way that may have to be ended. The neighbours belong to `Watch`. */
export interface Watched {
  previousWatched: Watched | undefined;
  nextWatched: Watched | undefined;
  /** Ends itself when its time has come. */
  look(nowMs: number): void;
}

/**
 * Looks at what is under way every so often, with one timer for all of it. An operation that is answered quickly has
 * neither a timer nor a listener, which would cost more than all the rest of the guard; neither has it a place in a Set,
 * whose churn the garbage collector would feel.
 */
export class Watch {
  private readonly clock: Clock;
  private readonly everyMs: number;
  private first: Watched | undefined;
  private isArmed = false;

  constructor(clock: Clock, everyMs: number) {
    this.clock = clock;
    this.everyMs = everyMs;
  }

  add(watched: Watched): void {
    watched.nextWatched = this.first;
    if (this.first !== undefined) this.first.previousWatched = watched;
    this.first = watched;
    if (!this.isArmed) this.arm();
  }

  remove(watched: Watched): void {
    const { previousWatched, nextWatched } = watched;
    if (previousWatched !== undefined) previousWatched.nextWatched = nextWatched;
    else if (this.first === watched) this.first = nextWatched;
    if (nextWatched !== undefined) nextWatched.previousWatched = previousWatched;
    watched.previousWatched = undefined;
    watched.nextWatched = undefined;
  }

  private arm(): void {
    this.isArmed = true;
    this.clock.setTimer(() => this.lookAtAll(), this.everyMs, false);
  }

  private lookAtAll(): void {
    const nowMs = this.clock.now();
    // A list of its own: one that ends may let others begin or end. The oldest come first.
    const all: Watched[] = [];
    for (let watched = this.first; watched !== undefined; watched = watched.nextWatched) all.push(watched);
    for (const watched of all.reverse()) watched.look(nowMs);
    this.isArmed = false;
    if (this.first !== undefined) this.arm();
  }
}
