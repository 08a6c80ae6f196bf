import { describe, expect, it } from 'vitest';
import type { MappingConfig } from '../../src/mapping/rule.js';
import { createTestService, groupType, userType } from '../support/test-service.js';

const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** Groups that must have a member, kept as plain ids or as child records. */
const shapes: Readonly<Record<'ids' | 'records', MappingConfig>> = {
  ids: { members: { field: 'member', required: true, reference: { to: ['User'] } } },
  records: { members: { field: 'rows', required: true, records: { value: 'who' }, reference: { to: ['User'] } } },
};

describe.each(['ids', 'records'] as const)('required members, kept as %s', (shape) => {
  async function gateway() {
    const rows = (...names: readonly string[]) =>
      shape === 'ids' ? { member: names } : { rows: names.map((who) => ({ who })) };
    const test = await createTestService({
      types: [
        { type: userType, rules: { userName: 'uid' } },
        { type: groupType, rules: { displayName: 'cn', ...shapes[shape] } },
      ],
      records: {
        users: ['u1', 'u2', 'u3'].map(($id) => ({ $id, uid: $id })),
        groups: [{ $id: 'g1', cn: 'Staff', ...rows('u1', 'u2') }],
      },
    });
    const context = test.context();
    const patch = (...Operations: readonly object[]) =>
      test.service.patch('Group', 'g1', { schemas: [patchUri], Operations }, {}, {}, context);
    const members = async () => {
      const { resource } = await test.service.read('Group', 'g1', {}, {}, context);
      return (resource?.members as readonly { readonly value: string }[] | undefined)?.map(({ value }) => value).sort();
    };
    return { patch, members };
  }
  const without = (...ids: readonly string[]) => ({
    op: 'remove',
    path: `members[${ids.map((id) => `value eq "${id}"`).join(' or ')}]`,
  });

  it('lose one of several', async () => {
    const { patch, members } = await gateway();
    await patch(without('u1'));
    expect(await members()).toEqual(['u2']);
  });

  it('keep the last one, however it is taken out [7644-3.5.2.2-06] [7643-4.2-07]', async () => {
    for (const operations of [
      [without('u1', 'u2')],
      [without('u1'), without('u2')],
      [{ op: 'remove', path: 'members', value: [{ value: 'u1' }, { value: 'u2' }] }],
      [{ op: 'remove', path: 'members' }],
      [{ op: 'add', path: 'members', value: [{ value: 'u3' }] }, without('u1', 'u2', 'u3')],
    ]) {
      const { patch, members } = await gateway();
      await expect(patch(...operations)).rejects.toMatchObject({ status: 400, scimType: 'mutability' });
      expect(await members()).toEqual(['u1', 'u2']);
    }
  });

  it('keep the last one where the list is replaced by none', async () => {
    const { patch, members } = await gateway();
    await expect(patch({ op: 'replace', path: 'members', value: [] })).rejects.toMatchObject({
      status: 400,
      scimType: 'invalidValue',
    });
    expect(await members()).toEqual(['u1', 'u2']);
  });

  it('may be exchanged as a whole', async () => {
    const { patch, members } = await gateway();
    await patch(without('u1', 'u2'), { op: 'add', path: 'members', value: [{ value: 'u3' }] });
    expect(await members()).toEqual(['u3']);
  });

  it('may lose somebody who is no member', async () => {
    const { patch, members } = await gateway();
    await patch(without('u3'));
    expect(await members()).toEqual(['u1', 'u2']);
  });

  it('keep one when two are taken out at the same time', async () => {
    const { patch, members } = await gateway();
    const outcomes = await Promise.allSettled([patch(without('u1')), patch(without('u2'))]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await members()).toHaveLength(1);
  });
});
