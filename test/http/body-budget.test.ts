import { describe, expect, it } from 'vitest';
import { BodyBudget } from '../../src/http/body-budget.js';

const megabyte = 1_048_576;
const holder = (): { heldBytes: number } => ({ heldBytes: 0 });

describe('BodyBudget', () => {
  it('has room for so many bytes of large bodies, and again when they are released', () => {
    const budget = new BodyBudget(100 * megabyte);
    const [one, two, three] = [holder(), holder(), holder()];
    expect(budget.hold(one, 60 * megabyte)).toBe(true);
    expect(budget.hold(two, 50 * megabyte)).toBe(false);
    expect(budget.hold(three, 40 * megabyte)).toBe(true);
    expect(budget.hold(two, 2 * megabyte)).toBe(false);
    budget.release(one);
    expect(budget.hold(two, 50 * megabyte)).toBe(true);
    expect([one, two, three].map(({ heldBytes }) => heldBytes / megabyte)).toEqual([0, 50, 40]);
  });

  it('counts no small ones', () => {
    const budget = new BodyBudget(2 * megabyte);
    for (let n = 0; n < 1000; n++) expect(budget.hold(holder(), megabyte)).toBe(true);
  });

  it('follows a body that grows, and holds nothing more when there is no room for it', () => {
    const budget = new BodyBudget(10 * megabyte);
    const [growing, other] = [holder(), holder()];
    for (let bytes = 0; bytes <= 6 * megabyte; bytes += 100_000) expect(budget.hold(growing, bytes)).toBe(true);
    expect(budget.hold(other, 3 * megabyte)).toBe(true);
    expect(budget.hold(growing, 8 * megabyte)).toBe(false);
    budget.release(growing);
    budget.release(growing);
    expect(budget.hold(other, 10 * megabyte)).toBe(true);
  });
});
