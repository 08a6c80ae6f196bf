import { describe, expect, it } from 'vitest';
import { memoryModule } from '../../adapters/memory/adapter.js';
import type { Adapter, Capabilities } from '../../src/backend/adapter.js';
import { createTestService, noteTakingContext, userType } from '../support/test-service.js';

/** Takes the same value as often as it is given: nothing is told it to be unique. */
function forgetful(adapter: Adapter): Adapter {
  const { version, entities } = adapter.capabilities;
  const weaker = Object.entries(entities).map(
    ([name, entity]) => [name, { ...entity, enforcesUnique: false }] as const,
  );
  const capabilities: Capabilities = { version, entities: Object.fromEntries(weaker) };
  return new Proxy(adapter, {
    get: (target, key) => {
      if (key === 'capabilities') return capabilities;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a unique attribute in a backend that keeps nothing unique', () => {
  it('is looked up before a create: the same userName is 409 and names the holder [7644-3.3-07]', async () => {
    const { service } = await createTestService({
      types: [{ type: userType, rules: { userName: { field: 'login', unique: true }, displayName: 'name' } }],
      open: memoryModule.open.bind(memoryModule, { type: 'memory' }),
      entities: (uses) =>
        uses.map((use) => ({ ...use, fields: use.fields.map((field) => ({ ...field, unique: false })) })),
      wrap: forgetful,
    });
    const create = (userName: string) =>
      service.create(
        'User',
        { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName },
        {},
        noteTakingContext(),
      );
    const first = await create('bob@example.com');
    await expect(create('BOB@example.com')).rejects.toMatchObject({
      status: 409,
      scimType: 'uniqueness',
      message: expect.stringContaining(String(first.resource?.id)),
    });
    await create('alice@example.com');
  });
});
