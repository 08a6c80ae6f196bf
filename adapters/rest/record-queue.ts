/** Changes of one record wait for each other in this process: they would only get into each other's way. */
export class RecordQueue {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Runs the work after all that was queued before it for the same key. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const previous = this.last.get(key);
    const own = previous === undefined ? work() : previous.then(work, work);
    this.last.set(key, own);
    try {
      return await own;
    } finally {
      if (this.last.get(key) === own) this.last.delete(key);
    }
  }
}
