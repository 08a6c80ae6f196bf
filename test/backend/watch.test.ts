import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Watch, type Watched } from '../../src/backend/watch.js';
import { FakeClock } from './fake-clock.js';

class Item implements Watched {
  previousWatched: Watched | undefined;
  nextWatched: Watched | undefined;
  readonly name: number;
  private readonly onLook: (item: Item) => void;

  constructor(name: number, onLook: (item: Item) => void) {
    this.name = name;
    this.onLook = onLook;
  }

  look(): void {
    this.onLook(this);
  }
}

describe('Watch', () => {
  it('looks at all that were added and not removed, the oldest first', async () => {
    const moves = fc.array(fc.oneof(fc.constant('add' as const), fc.nat({ max: 20 })), { maxLength: 60 });
    const property = fc.asyncProperty(moves, async (script) => {
      const clock = new FakeClock();
      const watch = new Watch(clock, 250);
      const seen: number[] = [];
      const expected: Item[] = [];
      let count = 0;
      for (const move of script) {
        if (move === 'add') {
          const item = new Item(count++, ({ name }) => seen.push(name));
          watch.add(item);
          expected.push(item);
        } else if (move < expected.length) {
          for (const item of expected.splice(move, 1)) {
            watch.remove(item);
            watch.remove(item); // a second time does no harm
          }
        }
      }
      await clock.pass(250);
      expect(seen).toEqual(expected.map(({ name }) => name));
    });
    await fc.assert(property, { numRuns: 50, seed: 3 });
  });

  it('may lose and gain any of them while it looks', async () => {
    const clock = new FakeClock();
    const watch = new Watch(clock, 250);
    const seen: number[] = [];
    const late = new Item(9, ({ name }) => seen.push(name));
    const items = [0, 1, 2].map(
      (name) =>
        new Item(name, () => {
          seen.push(name);
          if (name !== 0) return;
          for (const item of items) watch.remove(item);
          watch.add(late);
        }),
    );
    for (const item of items) watch.add(item);
    await clock.pass(250);
    expect(seen).toEqual([0, 1, 2]);
    await clock.pass(250);
    expect(seen).toEqual([0, 1, 2, 9]);
  });
});
