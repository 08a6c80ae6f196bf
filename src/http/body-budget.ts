/** Smaller bodies do not count: as many as may be worked on at once fit into memory. */
const smallBytes = 1_048_576;
/** Eight bodies of the largest size; parsed, each takes several times its bytes. */
const usualMostBytes = 268_435_456;

/** One request's part of the budget. */
export interface BodyHolder {
  heldBytes: number;
}

/** How many bytes of large bodies are worked on at the same time, since memory is one for all gateways. */
export class BodyBudget {
  readonly #mostBytes: number;
  #heldBytes = 0;

  constructor(mostBytes = usualMostBytes) {
    this.#mostBytes = mostBytes;
  }

  /**
   * Holds so many bytes in all for the request, from now until it is released.
   * @returns false when there is no room; then the request holds what it held before
   */
  hold(holder: BodyHolder, bytes: number): boolean {
    const more = (bytes <= smallBytes ? 0 : bytes) - holder.heldBytes;
    if (more <= 0) return true;
    if (this.#heldBytes + more > this.#mostBytes) return false;
    this.#heldBytes += more;
    holder.heldBytes += more;
    return true;
  }

  release(holder: BodyHolder): void {
    this.#heldBytes -= holder.heldBytes;
    holder.heldBytes = 0;
  }
}
