import { describe, expect, it } from 'vitest';
import type { Adapter, Capabilities } from '../../src/backend/adapter.js';
import { createTestService, groupType, userType } from '../support/test-service.js';

/** The same backend, of which the gateway has to think that it leaves references behind. */
function withoutIntegrity(adapter: Adapter): Adapter {
  const weaker = (): Capabilities => {
    const { version, entities } = adapter.capabilities;
    const changed = Object.entries(entities).map(([name, own]) => [name, { ...own, referentialIntegrity: false }]);
    return { version, entities: Object.fromEntries(changed) };
  };
  return new Proxy(adapter, {
    get: (target, name) => {
      if (name === 'capabilities') return weaker();
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('deleting where the backend does not keep references', () => {
  async function gateway() {
    const test = await createTestService({
      types: [
        { type: userType, rules: { userName: 'uid' } },
        {
          type: groupType,
          rules: { displayName: 'cn', members: { field: 'member', reference: { to: ['User', 'Group'] } } },
        },
      ],
      records: { users: [{ $id: 'u1', uid: 'anna' }], groups: [{ $id: 'g1', cn: 'Staff', member: ['u1'] }] },
      wrap: withoutIntegrity,
    });
    const context = test.context();
    return {
      remove: (type: string, id: string) => test.service.delete(type, id, {}, context),
      members: async () => (await test.adapter.get('groups', 'g1', { fields: ['member'] }, context))?.member,
    };
  }

  it('takes the deleted one out of its groups', async () => {
    const { remove, members } = await gateway();
    await remove('User', 'u1');
    expect(await members()).toBeUndefined();
  });

  it('touches no reference when the id belongs to another type, which is a 404', async () => {
    const { remove, members } = await gateway();
    await expect(remove('Group', 'u1')).rejects.toMatchObject({ status: 404 });
    expect(await members()).toEqual(['u1']);
  });
});
