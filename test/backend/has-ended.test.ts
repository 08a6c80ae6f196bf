import { describe, expect, it } from 'vitest';
import type { OperationContext } from '../../src/backend/adapter.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import { get, guarded } from './guard-harness.js';
import { alice, answer } from './scripted-adapter.js';

/** A context whose signal must not be asked for. */
const unsignalled: OperationContext = {
  requestId: 'r1',
  deadlineMs: 0,
  hasEnded: false,
  get signal(): AbortSignal {
    throw new Error('The signal was made.');
  },
};

describe('hasEnded', () => {
  it('believes the context, else its signal', () => {
    const running = new AbortController().signal;
    expect(hasEnded({ signal: running })).toBe(false);
    expect(hasEnded({ signal: AbortSignal.abort() })).toBe(true);
    expect(hasEnded({ signal: running, hasEnded: true })).toBe(true);
    expect(hasEnded(unsignalled)).toBe(false);
  });

  it('spares an operation that is answered at once the signal', async () => {
    const { guard } = guarded([answer(alice)]);
    expect(await get(guard, unsignalled)).toEqual(alice);
  });
});
