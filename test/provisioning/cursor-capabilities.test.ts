import { expect, it } from 'vitest';
import type { Adapter, Capabilities } from '../../src/backend/adapter.js';
import { createTestService, userType } from '../support/test-service.js';
import { fullStrength, weaken } from '../support/weak-adapter.js';

const names = Array.from({ length: 9 }, (_, index) => `user${index}`);

/** Capabilities that become known, or are forgotten, between two requests: as at a replica that has just started. */
function changing(adapter: Adapter): { readonly adapter: Adapter; readonly turn: () => void } {
  const weak = weaken(adapter, { ...fullStrength, sortable: () => false }).capabilities;
  let turns = 0;
  return {
    turn: () => {
      turns++;
    },
    adapter: new Proxy(adapter, {
      get: (inner, name): unknown => {
        if (name === 'capabilities') {
          return { ...(turns % 2 === 0 ? inner.capabilities : weak), version: turns } satisfies Capabilities;
        }
        const value: unknown = Reflect.get(inner, name, inner);
        return typeof value === 'function' ? value.bind(inner) : value;
      },
    }),
  };
}

it.each([0, 1, 2, 3])(
  'a walk by cursor gives each once, though what the backend does is known on some pages only (%i) [9865-2-01]',
  async (first) => {
    let turn = (): void => undefined;
    const { service, context, adapter } = await createTestService({
      types: [{ type: userType, rules: { userName: 'login' } }],
      wrap: (inner) => {
        const made = changing(inner);
        turn = made.turn;
        return made.adapter;
      },
    });
    for (const userName of names) await service.create('User', { userName }, {}, context());
    if (first % 2 === 1) turn();
    const seen: unknown[] = [];
    let cursor: unknown = '';
    for (let page = 0; typeof cursor === 'string' && page < 20; page++) {
      const answer = await service.search('User', { sortBy: 'userName', count: 2, cursor }, context());
      seen.push(...((answer.Resources ?? []) as unknown as readonly { userName: string }[]).map((one) => one.userName));
      cursor = answer.nextCursor;
      if (first < 2 || page % 2 === 0) turn();
    }
    expect(seen).toEqual(names);
    await adapter.close();
  },
);
